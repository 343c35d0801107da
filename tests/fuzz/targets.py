"""What is fuzzed: everything that reads bytes or texts from outside, by name; `run.py` and the ordinary tests share it.

A target takes any bytes. It returns, or raises an `ExtlinkError`; every other exception is a failure, and so is a value
that breaks a promise checked here. Each reader that `extlink.feeds` offers is a target by itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from extlink import feeds
from extlink.domain.address import parse_address, parse_range
from extlink.domain.identifier import TenantId
from extlink.domain.localized import LocalizedText
from extlink.domain.network import Row
from extlink.domain.secret import Secret
from extlink.domain.token import KeyRing
from extlink.errors import ExtlinkError

__all__ = ["CORPUS", "TARGETS", "Target", "broken", "seeds", "survive"]

Target = Callable[[bytes], object]

CORPUS: Final = Path(__file__).parent / "corpus"
_RANGE: Final = parse_range("20.37.194.0/24")
_RING: Final = KeyRing({"k1": Secret("00" * 32)}, current="k1")
# What a reader must be told beside the file, where a word will not do.
_TOLD: Final = {"names": LocalizedText.same("told"), "as_of": "2026-04-07"}
_TENANT: Final = TenantId("acme")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _host_csv(data: bytes) -> None:
    rows = feeds.read_host_csv(data).rows
    written = feeds.write_host_csv(rows, edition="JP", encoding="utf-8-sig")
    if feeds.read_host_csv(written).rows != rows:
        raise AssertionError(rows)


def _memo(data: bytes) -> None:
    told = feeds.read_memo(_text(data))
    if told:
        source, version, published = told
        row = Row(range=_RANGE, source=source, version=version, published=published)
        if feeds.memo_for(row) != _text(data):
            raise AssertionError(row)


def _address(data: bytes) -> None:
    found = parse_address(_text(data))
    if parse_address(found.text) != found:
        raise AssertionError(found)


def _range(data: bytes) -> None:
    found = parse_range(_text(data))
    if parse_range(found.text) != found:
        raise AssertionError(found)


def _readers() -> Iterator[tuple[str, Target]]:
    """Yield every reader of files; what one must be told beside the file is told in one word."""
    for name in feeds.__all__:
        if name.startswith("read_"):
            reader = getattr(feeds, name)
            parameters = inspect.signature(reader).parameters.values()
            needed = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty]
            told = {one: _TOLD.get(one, "told") for one in needed}
            yield name.removeprefix("read_"), partial(reader, **told)


TARGETS: Final[Mapping[str, Target]] = {
    **dict(_readers()),
    "address": _address,
    "consent_token": lambda data: _RING.open_consent(_TENANT, _text(data)),
    "host_csv": _host_csv,
    "memo": _memo,
    "range": _range,
    "token": lambda data: _RING.open(_TENANT, _text(data)),
}


def broken(data: bytes) -> None:
    """Broken twin: a reader that trusts a length it was told, as many have."""
    head, _, tail = data.partition(b":")
    if head == b"1":
        tail[1]


def seeds(name: str) -> list[bytes]:
    """Return the inputs from which a target's fuzzing begins."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def survive(target: Target, data: bytes) -> None:
    """Run a target; whatever it raises beside an `ExtlinkError` comes out."""
    with suppress(ExtlinkError):
        target(data)
