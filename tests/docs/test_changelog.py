"""CHANGELOG.md keeps the form of Keep a Changelog, so that hosts and programs can read it."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.docs.pages import ROOT

RELEASE = re.compile(r"## \[?(?P<version>\d+\.\d+\.\d+)\]? - \d{4}-\d{2}-\d{2}")
SECTIONS = ["Security", "Removed", "Deprecated", "Added", "Changed", "Fixed"]


def faults(text: str) -> list[str]:
    """Return what is not as it should be: the order of releases and sections, empty sections, entries without end."""
    found: list[str] = []
    lines = [line for line in text.splitlines() if line.startswith("## ")]
    if lines[:1] not in (["## Unreleased"], ["## [Unreleased]"]):
        found.append("the first heading is not Unreleased")
    releases = [RELEASE.fullmatch(line) for line in lines[1:]]
    found += [
        f"{line}: not '## X.Y.Z - YYYY-MM-DD'" for line, release in zip(lines[1:], releases, strict=True) if not release
    ]
    numbers = [tuple(map(int, release["version"].split("."))) for release in releases if release]
    if numbers != sorted(set(numbers), reverse=True):
        found.append("the releases are not the newest first")
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        sections = re.findall(r"^### (.+)$", part, flags=re.MULTILINE)
        if sections != [name for name in SECTIONS if name in sections]:
            found.append(f"{part.splitlines()[0]}: {sections} are not of {SECTIONS}, in this order")
        for section in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
            entries = re.findall(r"^- (.+(?:\n  .+)*)", section, flags=re.MULTILINE)
            if not entries:
                found.append(f"{section.splitlines()[0]}: no entry")
            found += [f"{entry}: no full stop" for entry in entries if not entry.endswith(".")]
    return found


def test_the_changelog_is_kept() -> None:
    """Unreleased first, the newest release first, sections in their order, entries as sentences."""
    assert [] == faults((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_the_newest_release_is_the_version() -> None:
    """A release in the changelog is not newer than the version in pyproject.toml."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    released = RELEASE.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))

    assert released[:1] in ([], [version])


@pytest.mark.parametrize(
    "text",
    [
        "## 1.0.0 - 2030-01-01\n",
        "## Unreleased\n\n### Added\n",
        "## Unreleased\n\n### Added\n\n- no full stop\n",
        "## Unreleased\n\n### Novelties\n\n- A thing.\n",
        "## Unreleased\n\n### Fixed\n\n- A thing.\n\n### Added\n\n- A thing.\n",
        "## Unreleased\n\n## 1.0 - 2030-01-01\n",
        "## Unreleased\n\n## 1.0.0 - 2030-01-01\n\n## 1.1.0 - 2030-02-01\n",
    ],
)
def test_a_fault_is_found(text: str) -> None:
    """The broken twins: each way in which the form is not kept."""
    assert len(faults(text)) == 1
