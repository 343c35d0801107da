"""Law 13 over all readers: whatever comes in, a value that keeps the model's rules comes out, or an `ExtlinkError`."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink import feeds
from extlink.domain.address import classify
from extlink.errors import ExtlinkError
from extlink.feeds import PublishedRanges, rows_of
from tests.feeds.readers import READERS, SEEDS
from tests.feeds.test_clouds import READERS as SEVEN_VENDORS

REAL = {
    "Power Automate page": "power_automate_pages/limits-and-config.ja-jp.2020-06-30.14837bc6.md",
    "Office 365 JSON": "office365/endpoints_worldwide_2020-12.json",
    "Office 365 tables": "office365/operated-by-21vianet_2020022800.md",
    "plain text": "other_clouds/cloudflare-v4-ip-ranges.txt",
}


def broken_rules(found: PublishedRanges) -> list[str]:
    """Return what is wrong with a value, by the rules that every reader keeps."""
    return [
        f"{name}: {rule}"
        for name, group in found.groups.items()
        for rule, kept in {
            "is named as it says": name == group.name,
            "has each range once": len(set(group.ranges)) == len(group.ranges),
            "has ranges that reach a host": all(classify(item) == "global" for item in group.ranges),
            "tells why it set aside": all(item.reason and item.reason.isascii() for item in group.set_aside),
            "shows what it set aside in ASCII": all(
                item.text.isascii() and item.text.isprintable() for item in group.set_aside
            ),
        }.items()
        if not kept
    ]


def outcome(name: str, data: Any) -> list[str]:
    """Read something; return every rule that the value, its rows, or the error's message breaks."""
    try:
        found = READERS[name](data)
    except ExtlinkError as error:
        return [] if str(error).isascii() and str(error).isprintable() else [f"message: {error!a}"]
    for group in found.groups:
        try:
            rows_of(found, group)
        except ExtlinkError:  # a name may be too long for a row
            continue
    return broken_rules(found)


def mutations(seed: bytes) -> st.SearchStrategy[bytes]:
    """Return a file with a piece cut out and something else in its place: bytes, or a piece of the file itself."""
    places = st.integers(0, len(seed))
    pieces = st.one_of(
        st.binary(max_size=12),
        st.builds(lambda start, size: seed[start : start + size], places, st.integers(0, 200)),
        st.sampled_from(
            [b"|", b"\n", b"<!--", b"-->", b"```", b"<!DOCTYPE a>", b"&x;", "から".encode(), b"0/0", b" - "]
        ),
    )
    return st.builds(
        lambda start, size, piece: seed[:start] + piece + seed[start + size :], places, st.integers(0, 60), pieces
    )


def test_every_reader_is_listed() -> None:
    """A reader of ranges that is added to the package is read by these tests as well, and has a file of its own."""
    readers = [getattr(feeds, name) for name in feeds.__all__ if name.startswith("read_")]
    public = [reader for reader in readers if reader.__annotations__["return"] == "PublishedRanges"]

    assert len(public) == len(READERS) + len(SEVEN_VENDORS)
    assert READERS.keys() == SEEDS.keys()


@pytest.mark.parametrize("name", READERS)
def test_the_small_files_are_values(name: str) -> None:
    """Each small file is read, keeps the rules, and survives pickling."""
    found = READERS[name](SEEDS[name])

    assert [] == broken_rules(found)
    assert found == pickle.loads(pickle.dumps(found))  # noqa: S301 - our own bytes


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
def test_any_data_is_ranges_or_an_error(name: str, data: st.DataObject) -> None:
    """Law 13: any bytes, any text, any object, and any small change of a small file."""
    drawn = data.draw(st.one_of(mutations(SEEDS[name]), st.binary(), st.text(), st.none(), st.integers()))

    assert [] == outcome(name, drawn)


@pytest.mark.realdata
@pytest.mark.parametrize("name", REAL)
def test_any_change_of_a_real_file_is_ranges_or_an_error(realdata: Path, name: str) -> None:
    """Law 13, over real files: what a broken download or a hasty editor makes of them."""

    @given(data=mutations((realdata / REAL[name]).read_bytes()))
    def check(data: bytes) -> None:
        assert [] == outcome(name, data)

    check()


def test_a_reader_that_takes_anything_is_found() -> None:
    """The broken twin, which keeps a private range twice under another name, breaks three rules."""
    group = READERS["plain text"](b"20.0.0.0/8").groups["ranges"]
    private = feeds.Group(
        name="other",
        version="",
        region="",
        ranges=(*group.ranges, *group.ranges),
        set_aside=(feeds.SetAside("\n", ""),),
    )
    found = PublishedRanges(source="s", cloud="c", version="", published=None, groups={"ranges": private})

    assert [
        "ranges: is named as it says",
        "ranges: has each range once",
        "ranges: tells why it set aside",
        "ranges: shows what it set aside in ASCII",
    ] == broken_rules(found)
