"""The storage contract as named checks, and the two calls that run all of it (STYLE, "ship the kit").

Rules: a check is a function with one sentence, its promise; it opens fresh, empty stores as it needs them and closes
what it opened (`close` or `aclose`, where a store has one). It knows `extlink.ports` and nothing else, so a store
written from that module alone passes. A check that is not kept says which promise was broken, and how.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from types import ModuleType
from typing import Final, Literal, TypeVar, cast

import attrs

from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput
from extlink.ports import AsyncStorage, Storage
from extlink.testing import cancelling, committing, concurrency, durability, identifiers, listing, reading
from extlink.testing.blocking import Blocking, OpenAsyncStore
from extlink.testing.probes import ContractBroken, OpenStore, shown

__all__ = ["Check", "async_storage_checks", "check_async_storage", "check_storage", "storage_checks"]

Theme = Literal["reading", "committing", "listing", "identifiers", "concurrency", "durability", "cancelling"]
_S = TypeVar("_S")

_PREFIX: Final = "check_"


@attrs.frozen(kw_only=True)
class Check:
    """One promise of the storage contract, as a function that tells whether a store keeps it.

    Args:
        name: what is promised, such as `a_stale_guard_is_a_conflict`.
        promise: the same as a sentence, or what it means.
        theme: what it belongs to; *durability* opens the same store again and again, *cancelling* is for asynchronous
            stores.

    >>> from extlink import MemoryStorage
    >>> check = storage_checks()[0]
    >>> check.name, check.theme
    ('an_absent_record_has_version_0', 'reading')
    >>> check.run(MemoryStorage)
    """

    name: str
    promise: str
    theme: Theme
    _body: Callable[[OpenStore], None] | Callable[[Blocking], None] = attrs.field(alias="body", repr=False)

    def run(self, open_store: OpenStore) -> None:
        """Check a synchronous store.

        Args:
            open_store: opens a fresh, empty store at each call; for *durability* the same store at each call, empty
                at the first.

        Raises:
            ContractBroken: the store broke the promise; `check` is the name, `problem` says how.
            InvalidInput: the check is for asynchronous stores.
        """
        if self.theme == "cancelling":
            raise InvalidInput("check", f"{self.name} is for asynchronous stores; run it with run_async")
        with ExitStack() as opened:
            self._judge(partial(cast("Callable[[OpenStore], None]", self._body), partial(_open, opened, open_store)))

    def run_async(self, open_store: OpenAsyncStore) -> None:
        """Check an asynchronous store, each on an event loop of its own; arguments and errors as in `run`.

        Args:
            open_store: called where a loop runs; a coroutine function may await, to open a pool, say.
        """
        with ExitStack() as opened:
            blocking = partial(Blocking, open_store)
            if self.theme == "cancelling":
                body = cast("Callable[[Blocking], None]", self._body)
                self._judge(lambda: body(_open(opened, blocking)))  # what fails to open is broken, too
            else:
                self._judge(partial(cast("Callable[[OpenStore], None]", self._body), partial(_open, opened, blocking)))

    def _judge(self, body: Callable[[], None]) -> None:
        try:
            body()
        except ContractBroken as broken:
            raise ContractBroken(broken.problem, self.name) from broken.__cause__
        except Exception as error:
            raise ContractBroken(f"expected an answer, got {shown(error)}", self.name) from error


def _open(opened: ExitStack, open_store: Callable[[], _S]) -> _S:
    store = open_store()
    close = getattr(store, "close", None)
    if close is not None:
        opened.callback(close)
    return store


def _checks(*modules: ModuleType) -> Iterator[Check]:
    for module in modules:
        theme = cast("Theme", module.__name__.rpartition(".")[2])
        for name, body in vars(module).items():
            if name.startswith(_PREFIX):
                promise = (inspect.getdoc(body) or "").partition("\n\n")[0].replace("\n", " ")
                yield Check(name=name.removeprefix(_PREFIX), promise=promise, theme=theme, body=body)


@cache
def _all() -> tuple[Check, ...]:
    modules = (reading, committing, listing, identifiers, concurrency, durability, cancelling)
    return tuple(_checks(*modules))


def storage_checks(*, durable: bool = False) -> tuple[Check, ...]:
    """Return the checks of a synchronous store, each to be run on its own: as parameters of a pytest test, say.

    Args:
        durable: also those of stores that keep what they have, for which `run` opens the same store again and again.

    >>> len(storage_checks()) > 60
    True
    """
    return tuple(one for one in _all() if one.theme != "cancelling" and (durable or one.theme != "durability"))


def async_storage_checks(*, durable: bool = False) -> tuple[Check, ...]:
    """Return the checks of an asynchronous store, which may be cancelled at any `await`; otherwise `storage_checks`.

    >>> {one.theme for one in async_storage_checks()} - {one.theme for one in storage_checks()}
    {'cancelling'}
    """
    return tuple(one for one in _all() if durable or one.theme != "durability")


def check_storage(
    open_store: OpenStore,
    *,
    open_named: Callable[[str], Storage] | None = None,
    only: Iterable[str] = (),
    programs: int = 100,
) -> None:
    """Run the whole contract on a synchronous store: every named check, then random programs beside a model.

    Args:
        open_store: opens a fresh, empty store at each call; what has a `close` is closed after its check.
        open_named: opens the store of a name, the same at each call with that name and empty at the first; None: the
            store keeps nothing, and the checks of *durability* are left out.
        only: the names of the checks to run; empty: all of them, and the programs.
        programs: how many random programs are run; 0: none.

    Raises:
        ContractBroken: with the name of every promise that was broken, and how each was.
        InvalidInput: a name that no check has.

    >>> from extlink import MemoryStorage
    >>> check_storage(MemoryStorage, only=["a_stale_guard_is_a_conflict"])
    """
    names = _chosen(only, storage_checks(durable=True))
    known = [one for one in storage_checks(durable=open_named is not None) if not names or one.name in names]

    def opener(one: Check) -> OpenStore:
        return partial(open_named, one.name) if open_named and one.theme == "durability" else open_store

    _report([partial(one.run, opener(one)) for one in known])
    if not names and programs:
        _run_programs(open_store, programs)


def check_async_storage(
    open_store: OpenAsyncStore,
    *,
    open_named: Callable[[str], AsyncStorage | Awaitable[AsyncStorage]] | None = None,
    only: Iterable[str] = (),
    programs: int = 100,
) -> None:
    """Run the whole contract on an asynchronous store; arguments and errors as in `check_storage`.

    It runs event loops of its own, on threads of their own, so it is called from synchronous code. What a store has as
    `aclose` is called after its check.

    >>> from extlink import MemoryStorage, ThreadedStorage
    >>> check_async_storage(lambda: ThreadedStorage(MemoryStorage()), only=["a_stale_guard_is_a_conflict"])
    """
    names = _chosen(only, async_storage_checks(durable=True))
    known = [one for one in async_storage_checks(durable=open_named is not None) if not names or one.name in names]

    def opener(one: Check) -> OpenAsyncStore:
        return partial(open_named, one.name) if open_named and one.theme == "durability" else open_store

    _report([partial(one.run_async, opener(one)) for one in known])
    if not names and programs:
        _run_programs(partial(Blocking, open_store), programs)


def _chosen(only: object, known: tuple[Check, ...]) -> frozenset[str]:
    if not isinstance(only, Iterable) or isinstance(only, str | bytes):
        raise InvalidInput("only", f"expected a collection of names of checks, got {type(only).__name__}")
    names = [plain_text(name) for name in cast("Iterable[object]", only)]
    unknown = [name for name in names if name not in {one.name for one in known}]
    if unknown:
        raise InvalidInput("only", f"expected names of checks, got {ascii(unknown[0])[:64]}; storage_checks() has them")
    return frozenset(name for name in names if name is not None)


def _report(runs: Iterable[Callable[[], None]]) -> None:
    """Run all of them and raise one error that names every promise that was broken."""
    broken: list[ContractBroken] = []
    for run in runs:
        try:
            run()
        except ContractBroken as error:
            broken.append(error)
    if len(broken) == 1:
        raise broken[0]
    if broken:
        lines = "".join(f"\n  {error}" for error in broken)
        raise ContractBroken(f"{len(broken)} promises of the contract are broken{lines}") from broken[0]


def _run_programs(open_store: OpenStore, programs: int) -> None:
    from extlink.testing.machine import run_programs  # noqa: PLC0415 - the named checks do without Hypothesis

    run_programs(open_store, programs=programs)
