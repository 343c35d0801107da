"""The ways by which a host's own code shows an object, and what of a secret must be found in none of them."""

from __future__ import annotations

import base64
import copy
import io
import json
import logging
import pickle
import pprint
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Never

import attrs

__all__ = ["CHANNELS", "Canaries", "leaks", "parts", "secrets_in", "some_of_each_kind"]


def _pickled(value: object) -> str:
    return pickle.dumps(value).decode("latin-1")


def _logged(value: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(message)s %(value)s %(args)s"))
    fields = {"msg": "got %s, that is %r", "args": (value, value), "value": value}
    handler.emit(logging.makeLogRecord(fields))
    return stream.getvalue()


def _raised(value: object) -> str:
    error = ValueError(value)
    error.add_note(f"{value!r}")
    return "".join(traceback.format_exception(error)) + repr(error.args) + str(error)


def _with_locals(value: object) -> str:
    def host(argument: object) -> Never:
        raise RuntimeError

    try:
        host(value)
    except RuntimeError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def _error_text(value: object) -> str:
    if not isinstance(value, BaseException):
        return ""
    shown = [str(value), repr(value.args), repr(vars(value)), "".join(traceback.format_exception(value))]
    cause: BaseException | None = value.__cause__ or value.__context__
    return " ".join(shown) + (_error_text(cause) if cause is not None else "")


def _as_dict(value: Any) -> str:
    return repr(attrs.asdict(value)) if attrs.has(type(value)) else ""


def _as_tuple(value: Any) -> str:
    return repr(attrs.astuple(value)) if attrs.has(type(value)) else ""


def _attributes(value: object) -> str:
    return repr([getattr(value, name, None) for name in dir(value) if not name.startswith("_")])


CHANNELS: Mapping[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "ascii": ascii,
    "format": lambda value: f"{value}",
    "format of repr": lambda value: f"{value!r:>400}",
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 - an old host's log line
    "in a list": lambda value: str([value]),
    "in a dictionary": lambda value: str({"key": value}),
    "pprint": pprint.pformat,
    "vars": lambda value: repr(vars(value)),
    "attributes": _attributes,
    "asdict": _as_dict,
    "astuple": _as_tuple,
    "evolve": lambda value: repr(attrs.evolve(value)),
    "copy": lambda value: repr(copy.copy(value)),
    "deepcopy": lambda value: repr(copy.deepcopy(value)),
    "replace": lambda value: repr(value._replace()),
    "iteration": lambda value: repr(list(value)),
    "json": json.dumps,
    "json with repr": lambda value: json.dumps(value, default=repr),
    "json with str": lambda value: json.dumps(value, default=str),
    "json with vars": lambda value: json.dumps(value, default=lambda one: repr(vars(one))),
    "pickle": _pickled,
    "bytes": lambda value: bytes(value).decode("latin-1"),
    "log": _logged,
    "exception": _raised,
    "locals of a traceback": _with_locals,
    "text of an error": _error_text,
}


class Canaries:
    """Secrets, and every form in which one could lie about: as text, encoded, or by its random part alone."""

    def __init__(self) -> None:
        self._forms: dict[str, str] = {}
        self._any: re.Pattern[str] | None = None

    def add(self, name: str, text: str) -> None:
        """Take a secret in."""
        self._any = None
        data = text.encode()
        self._forms[text] = name
        # Without the last characters, which depend on what follows.
        self._forms[base64.b64encode(data).decode()[:-4]] = f"{name} in base64"
        self._forms[base64.urlsafe_b64encode(data).decode()[:-4]] = f"{name} in base64"
        self._forms[data.hex()] = f"{name} in hex"
        if text.startswith("xl_") and text.count(".") == 3:
            self._forms[text.split(".")[2]] = f"the random part of {name}"
        if not text.startswith("xl_") and len(text) == 64:
            self._forms[bytes.fromhex(text).decode("latin-1")] = f"{name} as bytes"

    def __len__(self) -> int:
        return len(self._forms)

    def found_in(self, shown: str) -> list[str]:
        """Return which secrets a text holds."""
        if self._any is None:
            # One search for all: nearly always there is nothing.
            self._any = re.compile("|".join(re.escape(form) for form in sorted(self._forms)))
        if not self._any.search(shown):
            return []
        return [name for form, name in self._forms.items() if form in shown]

    def found_in_bytes(self, data: bytes) -> list[str]:
        """Return which secrets some bytes hold."""
        return self.found_in(data.decode("latin-1"))


def leaks(canaries: Canaries, objects: Iterable[object]) -> list[str]:
    """Return by which channel which object shows which secret; a channel that refuses an object shows nothing."""
    found: list[str] = []
    for value in objects:
        for channel, show in CHANNELS.items():
            try:
                shown = show(value)
            except Exception as error:  # noqa: BLE001 - a refusal is as good; but it must not tell either
                shown = _error_text(error)
            found += [f"{type(value).__name__} by {channel}: {name}" for name in canaries.found_in(shown)]
    return found


def parts(value: object, depth: int = 6) -> Iterable[object]:
    """Yield an object and everything it is made of."""
    yield value
    if depth == 0 or isinstance(value, str | bytes | int | float | type(None)):
        return
    kind: type[Any] = type(value)
    if attrs.has(kind):
        inner: Iterable[object] = [getattr(value, field.name) for field in attrs.fields(kind)]
    elif isinstance(value, Mapping):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, tuple | list | set | frozenset):
        inner = value
    elif isinstance(value, BaseException):
        inner = [*value.args, *vars(value).values()]
    else:
        return
    for one in inner:
        yield from parts(one, depth - 1)


def some_of_each_kind(values: Iterable[object], most: int = 6) -> list[object]:
    """Return the values themselves and, of what they are made of, some objects of each type."""
    chosen: dict[int, object] = {}
    counted: Counter[type] = Counter()
    for value in values:
        for one in parts(value):
            kind = type(one)
            if (one is value or counted[kind] < most) and not issubclass(kind, str | bytes | int | float | tuple):
                counted[kind] += 1
                chosen[id(one)] = one
    return list(chosen.values())


def secrets_in(value: object) -> Iterable[str]:
    """Yield the texts of all Secrets that an object is made of."""
    from extlink.domain.secret import Secret  # noqa: PLC0415 - the channels themselves know nothing of extlink

    for one in parts(value):
        if isinstance(one, Secret):
            yield one.reveal()
