"""Values that no host should hand over: what a public entry point must answer with a value or an `ExtlinkError`.

Some lie about their class, some raise whenever they are compared, printed, measured or iterated, some are texts or
numbers whose methods do. Each is made anew for every example, since a generator is read once.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import attrs
from hypothesis import strategies as st

__all__ = ["ANYTHING", "MAKERS", "Liar", "Recipe", "TrapError", "TrappedText"]


class TrapError(Exception):
    """What the values below raise; it must never come out of extlink."""


def _trap(*_args: object, **_kwargs: object) -> NoReturn:
    raise TrapError


# What asking a value for something may call.
_EVERY = (
    "__eq__",
    "__ne__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__repr__",
    "__str__",
    "__format__",
    "__len__",
    "__bool__",
    "__iter__",
    "__contains__",
    "__getitem__",
    "__hash__",
    "__index__",
    "__int__",
    "__add__",
)


def _trapped(name: str, base: type[Any], *methods: str) -> type[Any]:
    return type(name, (base,), dict.fromkeys(methods, _trap))


Trapped = _trapped("Trapped", object, *_EVERY)
TrappedText = _trapped(
    "TrappedText",
    str,
    *_EVERY,
    "encode",
    "split",
    "strip",
    "lower",
    "isascii",
    "isprintable",
    "startswith",
    "partition",
    "rpartition",
    "replace",
)
TrappedNumber = _trapped("TrappedNumber", int, *_EVERY, "bit_length")
TrappedList = _trapped("TrappedList", list, *_EVERY)
TrappedDict = _trapped("TrappedDict", dict, *_EVERY, "items", "keys", "values", "get")
TrappedInstant = _trapped(
    "TrappedInstant", dt.datetime, *_EVERY, "utcoffset", "isoformat", "astimezone", "timestamp", "__sub__"
)


class Inattentive:
    """An object that raises whatever it is asked for."""

    def __getattribute__(self, name: str) -> object:
        raise TrapError


class Faceless:
    """An object that raises when it is asked for its class."""

    @property  # type: ignore[misc]
    def __class__(self) -> NoReturn:  # type: ignore[override]
        raise TrapError


class Liar:
    """An object that says it is something else, and has nothing of it."""

    def __init__(self, kind: type[object]) -> None:
        self._kind = kind

    @property  # type: ignore[misc]
    def __class__(self) -> type[object]:  # type: ignore[override]
        return self._kind


class Zone(dt.tzinfo):
    """A time zone that cannot be asked."""

    def utcoffset(self, _when: dt.datetime | None) -> NoReturn:
        raise TrapError

    def tzname(self, _when: dt.datetime | None) -> NoReturn:
        raise TrapError

    def dst(self, _when: dt.datetime | None) -> NoReturn:
        raise TrapError


class Endless:
    """A collection whose iterator breaks on the way."""

    def __iter__(self) -> Iterator[object]:
        yield "sato"
        raise TrapError


def _deep() -> list[object]:
    inner: list[object] = []
    for _ in range(5_000):
        inner = [inner]
    return inner


_NOON = dt.datetime(2020, 6, 9, 12)  # noqa: DTZ001 - without a time zone on purpose

# By name, so that a failing example says which it was.
MAKERS: Mapping[str, Callable[[], object]] = {
    "none": lambda: None,
    "yes": lambda: True,
    "zero": lambda: 0,
    "negative": lambda: -1,
    "huge": lambda: 10**5_000,
    "very negative": lambda: -(2**70),
    "fraction": lambda: 1.5,
    "not a number": lambda: float("nan"),
    "infinite": lambda: float("inf"),
    "complex": lambda: 1j,
    "bytes": lambda: b"slack",
    "bytearray": lambda: bytearray(b"slack"),
    "view": lambda: memoryview(b"slack"),
    "empty text": lambda: "",
    "blank": lambda: " ",
    "NUL": lambda: "\x00",
    "half a letter": lambda: "\ud800",
    "two halves": lambda: "\udc00\ud800",
    "long text": lambda: "x" * 100_000,
    "long letters": lambda: "鍵" * 100_000,
    "braces": lambda: "{service}{0}%s",
    "direction": lambda: "\u202egnp.exe",
    "object": object,
    "class": lambda: int,
    "function": lambda: print,
    "module": lambda: dt,
    "ellipsis": lambda: ...,
    "exception": lambda: ValueError("slack"),
    "empty list": list,
    "list of none": lambda: [None],
    "nested list": lambda: [["sato"], [["sato"]]],
    "deep list": _deep,
    "mixed": lambda: ["sato", 7, None, b"x"],
    "set": lambda: {"sato", 7},
    "dict": lambda: {"sato": 1},
    "bad dict": lambda: {7: object()},
    "failing": lambda: (1 // 0 for _ in range(1)),
    "endless": Endless,
    "infinite numbers": itertools.count,
    "infinite texts": lambda: itertools.repeat("sato"),
    "many": lambda: [f"user-{number}" for number in range(1_001)],
    "naive time": lambda: _NOON,
    "late": lambda: dt.datetime.max.replace(tzinfo=dt.UTC),
    "early": lambda: dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=14))),
    "strange zone": lambda: _NOON.replace(tzinfo=Zone()),
    "date": _NOON.date,
    "trapped": Trapped,
    "trapped text": lambda: TrappedText("slack"),
    "trapped word": lambda: TrappedText("revoke"),
    "trapped number": lambda: TrappedNumber(5),
    "trapped list": lambda: TrappedList(["sato"]),
    "trapped dict": lambda: TrappedDict({"k1": "00"}),
    "trapped instant": lambda: TrappedInstant(2020, 6, 9, tzinfo=dt.UTC),
    "list of traps": lambda: [Trapped(), TrappedText("sato")],
    "inattentive": Inattentive,
    "faceless": Faceless,
    **{f"liar {kind.__name__}": lambda kind=kind: Liar(kind) for kind in (str, int, bool, list, dict, tuple)},  # type: ignore[misc]
    "list of liars": lambda: [Liar(str), Faceless()],
}


@attrs.frozen
class Recipe:
    """How a value is made: hypothesis prints and compares what it draws, which the values above do not stand."""

    name: str
    plain: object = None

    def make(self) -> object:
        """Return the value, made anew."""
        return MAKERS[self.name]() if self.name else self.plain


ANYTHING: st.SearchStrategy[Recipe] = st.one_of(
    st.builds(Recipe, st.sampled_from(sorted(MAKERS))),
    st.builds(
        Recipe,
        st.just(""),
        st.one_of(
            st.text(st.characters(codec=None), max_size=300),
            st.integers(),
            st.binary(max_size=10),
            st.lists(st.text(max_size=3) | st.integers() | st.none(), max_size=3),
            st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
        ),
    ),
)
