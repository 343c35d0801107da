"""Markdown as the tests of the documents read it: fences, links and headings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from tests.architecture.source import ROOT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ROOT", "Fence", "anchors", "fences", "links", "pages", "prose"]

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)^ *(?P=mark) *$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(
    r"(?<!!)\[[^\]]*\]\(\s*<?([^)>\s]+)>?[^)]*\)"  # [text](target "title")
    r"|!\[[^\]]*\]\(([^)\s]+)[^)]*\)"  # ![text](target)
    r"|^\[[^\]]+\]:\s*(\S+)",  # [name]: target
    re.MULTILINE,
)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


@attrs.frozen
class Fence:
    """One fenced block: the line it begins on, its language and its text."""

    line: int
    language: str
    text: str


def pages(root: Path) -> tuple[Path, ...]:
    """Return README, the changelog and every page below docs/."""
    top = [root / "README.md", root / "CHANGELOG.md"]
    return tuple(path for path in (*top, *sorted((root / "docs").rglob("*.md"))) if path.is_file())


def fences(text: str) -> tuple[Fence, ...]:
    """Return the fenced blocks of a page."""
    return tuple(
        Fence(text.count("\n", 0, found.start()) + 1, found["language"].strip(), found["text"])
        for found in _FENCE.finditer(text)
    )


def prose(text: str) -> str:
    """Return a page without its fenced blocks and code spans."""
    return re.sub(r"`[^`\n]+`", "", _FENCE.sub("", text))


def links(text: str) -> tuple[str, ...]:
    """Return the targets of a page's links and images."""
    return tuple(next(target for target in found.groups() if target) for found in _LINK.finditer(prose(text)))


def anchors(text: str) -> frozenset[str]:
    """Return what a link into a page may name: its headings, as renderers spell them.

    >>> sorted(anchors("# Who may: the rules"))
    ['who-may-the-rules']
    """
    headings = (re.sub(r"[`*]", "", heading) for heading in _HEADING.findall(_FENCE.sub("", text)))
    return frozenset(re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings)
