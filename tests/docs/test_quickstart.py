"""The quickstart tells its story on the example file and on every real one, and the async one tells the same story."""

from __future__ import annotations

import gzip
import json
import re
import runpy
import sys
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = ROOT / "docs" / "examples"
PROGRAMS = ("quickstart.py", "quickstart_async.py")
EVENTS = (
    "Power Automate is enabled for 営業部, and Sato (佐藤 昇) has connected it.",
    "The administrator lets in the office alone.",
    "The published ranges are let in.",
    "Another service calls with the same token.",
    "Sato's page: in_use. Sato ends it.",
)


def told(program: str, *arguments: str, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> str:
    """Run a program as Python does, and return what it printed, the drawn ids of links left out."""
    path = str(EXAMPLES / program)
    patch.setattr(sys, "argv", [path, *arguments])
    runpy.run_path(path, run_name="__main__")
    return re.sub(r"(connection |連携「)[\w-]{22}", r"\1LINK", capsys.readouterr().out)


def addresses(document: bytes) -> tuple[str, str]:
    """Return the first published address of AzureConnectors and of LogicApps, read in another way than the reader's."""
    tags = {tag["name"]: tag["properties"]["addressPrefixes"] for tag in json.loads(document)["values"]}
    networks = {name: [ip_network(prefix) for prefix in tags[name]] for name in ("AzureConnectors", "LogicApps")}
    first = [next(network for network in found if network.version == 4) for found in networks.values()]
    inside, outside = (str(network.network_address) for network in first)

    assert not any(ip_address(outside) in network for network in networks["AzureConnectors"])
    return inside, outside


def assert_the_story(output: str, inside: str, outside: str) -> None:
    """Check every call of the story: who may call from where, and which reason and remedy a refusal gives."""
    lines = output.splitlines()
    calls = [(line.strip(), *lines[place + 1 : place + 3]) for place, line in enumerate(lines) if " call from " in line]
    refused = [call[1].split(":")[0].strip() for call in calls if call[0].endswith("is refused.")]

    assert list(EVENTS) == [line for line in lines if not line.startswith(" ")]
    assert [
        f"A call from {inside} is allowed.",
        f"A call from {inside} is refused.",
        f"A call from {inside} is allowed.",
        f"A call from {outside} is refused.",
        f"A call from {inside} is refused.",
    ] == [call[0] for call in calls]
    assert ["network.address_not_allowed", "network.address_not_allowed", "link.revoked"] == refused
    assert f"Allow a range that contains {inside}" in calls[1][1]
    assert f"{inside}を含む範囲を許可してください" in calls[1][2]
    assert "disconnected by the user. To go on using the service, connect again" in calls[4][1]
    assert "もう一度連携してください" in calls[4][2]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_story_on_the_example_file(
    program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an argument the program reads the file that comes with it."""
    expected = addresses((EXAMPLES / "ServiceTags_example.json").read_bytes())

    assert_the_story(told(program, capsys=capsys, patch=monkeypatch), *expected)


@pytest.mark.slow
def test_the_story_on_every_real_file(
    realdata: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file that Microsoft published fits into the list of edition JP, and both programs tell the same about it."""
    files = sorted((realdata / "servicetags").glob("ServiceTags_*.json.gz"))
    unpacked = tmp_path / "ServiceTags.json"
    for file in files:
        unpacked.write_bytes(gzip.decompress(file.read_bytes()))
        stories = [told(program, str(unpacked), capsys=capsys, patch=monkeypatch) for program in PROGRAMS]

        assert_the_story(stories[0], *addresses(unpacked.read_bytes()))
        assert stories[0] == stories[1]
    assert files


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("A call from 192.0.2.1 is allowed.", "A call from 192.0.2.1 is refused."),
        ("link.revoked", "link.expired"),
        ("connect again", "wait"),
        ("もう一度連携してください", "お待ちください"),
        ("Sato's page: in_use", "Sato's page: unused"),
    ],
)
def test_another_story_is_found(line: str, instead: str) -> None:
    """The broken twins: a call allowed or refused wrongly, another reason, no remedy, an unused service on the page."""
    refusal = (
        "    network.address_not_allowed: no. Allow a range that contains 192.0.2.1.",
        "    192.0.2.1を含む範囲を許可してください。",
    )
    end = (
        "    link.revoked: disconnected by the user. To go on using the service, connect again.",
        "    もう一度連携してください。",
    )
    calls = (
        ("    A call from 192.0.2.1 is allowed.",),
        ("    A call from 192.0.2.1 is refused.", *refusal),
        ("    A call from 192.0.2.1 is allowed.",),
        ("    A call from 198.51.100.1 is refused.", *refusal),
        ("    A call from 192.0.2.1 is refused.", *end),
    )
    story = "\n".join(line for event, call in zip(EVENTS, calls, strict=True) for line in (event, *call))
    assert_the_story(story, "192.0.2.1", "198.51.100.1")

    with pytest.raises(AssertionError):
        assert_the_story(story.replace(line, instead), "192.0.2.1", "198.51.100.1")
