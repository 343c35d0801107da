"""The clock, randomness, sockets, files, print, logging, threads and async live where DESIGN 2 puts them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import attrs
import pytest

from tests.architecture.source import PACKAGE, Module, fake_package, modules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EDGE = frozenset({"adapters", "http", "protected_resource", "cli", "testing", "__main__"})


@attrs.frozen(kw_only=True)
class Effect:
    """One thing that pure code must not do.

    Args:
        name: what it is.
        modules: imports that give it away.
        calls: names that give it away when they are called; `.now` means any method of that name.
        rooms: where it may live.
        offence: a line that does it, for the broken twin.
    """

    name: str
    modules: frozenset[str] = frozenset()
    calls: frozenset[str] = frozenset()
    rooms: frozenset[str] = EDGE
    offence: str


EFFECTS = (
    Effect(
        name="the clock",
        modules=frozenset({"time", "sched"}),
        calls=frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}),
        offence="moment = datetime.now(UTC)",
    ),
    Effect(
        name="randomness",
        modules=frozenset({"random", "secrets", "uuid"}),
        calls=frozenset({"os.urandom"}),
        offence="import secrets",
    ),
    Effect(
        name="sockets",
        modules=frozenset(
            {"socket", "ssl", "select", "selectors", "http", "urllib.request", "smtplib", "socketserver"}
        ),
        offence="import socket",
    ),
    Effect(
        name="files and processes",
        modules=frozenset({"os", "io", "pathlib", "tempfile", "shutil", "glob", "subprocess", "signal", "sqlite3"}),
        calls=frozenset({"open"}),
        offence="import sqlite3",
    ),
    Effect(name="print", calls=frozenset({"print", "input", "breakpoint"}), offence="print('here')"),
    Effect(
        name="logging",
        modules=frozenset({"logging", "syslog"}),
        rooms=EDGE | {"runtime"},
        offence="import logging",
    ),
    Effect(
        name="threads",
        modules=frozenset({"threading", "concurrent", "multiprocessing", "queue", "_thread", "contextvars"}),
        rooms=EDGE | {"runtime"},
        offence="from concurrent.futures import Future",
    ),
    Effect(name="async", modules=frozenset({"asyncio"}), rooms=EDGE | {"runtime"}, offence="import asyncio"),
    Effect(
        name="code from data",
        modules=frozenset({"pickle", "marshal", "shelve", "ctypes", "code"}),
        calls=frozenset({"eval", "exec", "compile", "__import__"}),
        rooms=frozenset(),
        offence="eval(text)",
    ),
)

# module, effect, what alone is taken from there, why
EXCEPTIONS = {
    ("domain.address", "sockets"): (
        frozenset({"AF_INET", "AF_INET6", "inet_ntop", "inet_pton"}),
        "pure parsers that the standard library keeps in socket; building an ipaddress object costs 2.3 us",
    ),
}


def _dotted(node: ast.expr) -> str:
    """Return the last two components of a called name: `datetime.datetime.now` is `datetime.now`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = node.value
        owner = before.id if isinstance(before, ast.Name) else before.attr if isinstance(before, ast.Attribute) else ""
        return f"{owner}.{node.attr}"
    return ""


def _is_excepted(module: Module, node: ast.AST, effect: Effect) -> bool:
    names, _why = EXCEPTIONS.get((module.name, effect.name), (frozenset[str](), ""))
    return isinstance(node, ast.ImportFrom) and {alias.name for alias in node.names} <= names


def _is_below(name: str, roots: frozenset[str]) -> bool:
    return any(name == root or name.startswith(f"{root}.") for root in roots)


def _effects_of(module: Module, effect: Effect) -> Iterator[str]:
    if module.room in effect.rooms:
        return
    for node, name in module.imports():
        if _is_below(name, effect.modules) and not _is_excepted(module, node, effect):
            yield f"{module.at(node)}: imports {name} ({effect.name})"
    for call in ast.walk(module.tree):
        if isinstance(call, ast.Call) and _dotted(call.func) in effect.calls:
            yield f"{module.at(call)}: calls {_dotted(call.func)} ({effect.name})"


def _coroutines_of(module: Module) -> Iterator[str]:
    if module.room in EDGE | {"runtime"}:
        return
    protocols = {
        id(part)
        for node in module.tree.body
        if module.room == "ports" and isinstance(node, ast.ClassDef) and "Protocol" in map(_dotted, node.bases)
        for part in node.body
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) or (
            isinstance(node, ast.AsyncFunctionDef) and id(node) not in protocols
        ):
            yield f"{module.at(node)}: async code outside of runtime, adapters and the protocols of ports"


def impurities(package: Path) -> list[str]:
    """Return every effect that is not where it belongs."""
    found: list[str] = []
    for module in modules(package):
        found += [finding for effect in EFFECTS for finding in _effects_of(module, effect)]
        found += _coroutines_of(module)
    return found


def test_effects_live_where_they_belong() -> None:
    """Nothing below the adapters, and nothing in the runtime, does what only the edge may do."""
    assert [] == impurities(PACKAGE)


@pytest.mark.parametrize("room", ["domain__link", "oauth__token", "ports", "services", "catalog__slack"])
@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
def test_an_effect_is_found(tmp_path: Path, effect: Effect, room: str) -> None:
    """The broken twin: each effect, put on a floor that must be pure, is reported."""
    package = fake_package(tmp_path, **{room: f"{effect.offence}\n"})

    assert len(impurities(package)) == 1


@pytest.mark.parametrize("effect", [effect for effect in EFFECTS if effect.rooms], ids=lambda effect: effect.name)
def test_an_effect_may_live_in_an_adapter(tmp_path: Path, effect: Effect) -> None:
    """The same line is no finding where it belongs."""
    assert [] == impurities(fake_package(tmp_path, adapters__system=effect.offence))


@pytest.mark.parametrize(
    "line",
    [
        "async def wait(): ...",
        "class Waiter:\n    async def wait(self): ...",
        "class Waiter(Protocol):\n    async def wait(self): ...",
    ],
)
def test_async_code_is_found(tmp_path: Path, line: str) -> None:
    """The broken twin: a coroutine in the domain, as a function, a method or a protocol's method."""
    assert len(impurities(fake_package(tmp_path, domain__link=line))) == 1


def test_only_protocols_of_ports_are_async(tmp_path: Path) -> None:
    """In ports a protocol may have coroutines; a function may not."""
    text = "class Waiter(Protocol):\n    async def wait(self): ...\n\nasync def wait(): ...\n"

    found = impurities(fake_package(tmp_path, ports=text))

    assert ["ports:4: async code outside of runtime, adapters and the protocols of ports"] == found


@pytest.mark.parametrize(
    ("line", "findings"),
    [
        ("from socket import AF_INET, inet_pton", 0),
        ("from socket import inet_pton, create_connection", 1),
        ("import socket", 1),
    ],
)
def test_the_exception_is_as_narrow_as_it_says(tmp_path: Path, line: str, findings: int) -> None:
    """domain/address.py may parse with inet_pton; it may not open a connection."""
    assert findings == len(impurities(fake_package(tmp_path, domain__address=line)))
