"""A store that fails where it is told to, and every place where it can be told to: counted, not sampled (PROMISES P2).

Rules: a call fails *before* it reached the store, or *after*, when it took effect and its answer was lost. What runs
over the store is played once for every call, moment and kind of error, until a run ends before the call is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Generic, Literal, TypeVar

import attrs

from extlink.errors import Contention, CorruptRecord, ExtlinkError, Unavailable
from extlink.ports import Batch, Key, Page, Position, Query, Storage, Stored, Version

__all__ = ["ERRORS", "Fault", "Faulted", "FaultyStorage", "each_fault"]

T = TypeVar("T")
A = TypeVar("A")
Moment = Literal["before", "after"]

# What a store raises by its contract, and what a driver lets through that nobody thought of.
ERRORS: Final[tuple[Exception, ...]] = (
    Unavailable("the server went away"),
    Contention("the lock was not had in time"),
    CorruptRecord("a record cannot be read back"),
    TimeoutError("no answer"),
    OSError("the disk is full"),
    MemoryError("no memory"),
)


@attrs.frozen
class Fault:
    """One call that fails.

    Args:
        call: which of a store's calls, from 1 on; `repeats` of them in a row.
        moment: whether it fails before it reached the store, or after it took effect.
        error: what it raises.

    >>> Fault(2, "after", TimeoutError("no answer"))
    Fault(call=2, moment='after', error=TimeoutError('no answer'), repeats=1)
    """

    call: int
    moment: Moment
    error: Exception
    repeats: int = 1


class FaultyStorage:
    """A store over another one that fails at one of its calls, and counts them.

    Args:
        inner: the store that answers.
        fault: which call fails; None: none does.

    >>> from extlink import MemoryStorage
    >>> store = FaultyStorage(MemoryStorage(), Fault(1, "before", TimeoutError("no answer")))
    >>> store.read([Key(b"acme", b"t")], {})
    Traceback (most recent call last):
    TimeoutError: no answer
    >>> store.calls, store.failed
    (1, True)
    """

    def __init__(self, inner: Storage, fault: Fault | None = None) -> None:
        self.inner: Storage = inner
        self.fault: Fault | None = fault
        self.calls: int = 0
        self.failed: bool = False

    def read(self, keys: Sequence[Key], known: Mapping[Key, Version]) -> Sequence[Stored]:
        """As `Storage.read`."""
        return self._call(lambda: self.inner.read(keys, known))

    def list(self, query: Query) -> Page:
        """As `Storage.list`."""
        return self._call(lambda: self.inner.list(query))

    def commit(self, batch: Batch) -> Position:
        """As `Storage.commit`."""
        return self._call(lambda: self.inner.commit(batch))

    def _call(self, call: Callable[[], A]) -> A:
        self.calls += 1
        fault = self.fault
        if fault is None or not fault.call <= self.calls < fault.call + fault.repeats:
            return call()
        self.failed = True
        if fault.moment == "after":
            call()
        raise fault.error


@attrs.frozen(kw_only=True)
class Faulted(Generic[T]):
    """What came of a run in which a call failed.

    Args:
        fault: the call that did.
        storage: the store as the run left it, whole again.
        result: what the run returned, None if it raised.
        error: what it raised, None if it returned.

    >>> from extlink import MemoryStorage
    >>> Faulted(fault=Fault(1, "before", ERRORS[0]), storage=MemoryStorage(), result=7).result
    7
    """

    fault: Fault
    storage: Storage
    result: T | None = None
    error: ExtlinkError | None = None


def each_fault(
    run: Callable[[Storage], T],
    prepare: Callable[[], Storage],
    *,
    errors: Sequence[Exception] = ERRORS,
    repeats: int = 1,
) -> Iterator[Faulted[T]]:
    """Play a run once for every call it makes, failing there before and after it took effect, with each kind of error.

    Args:
        run: makes its hub over the store that it is given, and does something; an `ExtlinkError` is an outcome, any
            other exception is not caught.
        prepare: returns a store in the same state at each call.
        errors: what the failing call raises, one run for each.
        repeats: how many calls in a row fail.

    >>> from extlink import MemoryStorage
    >>> def look(storage: Storage) -> int:
    ...     try:
    ...         return len(storage.read([Key(b"acme", b"t")], {}))
    ...     except TimeoutError:
    ...         return 0
    >>> [found.result for found in each_fault(look, MemoryStorage, errors=[TimeoutError("no answer")])]
    [0, 0]
    """
    call, reached = 1, True
    while reached:
        reached = False
        moments: tuple[Moment, ...] = ("before", "after")
        for fault in (Fault(call, moment, error, repeats) for moment in moments for error in errors):
            inner = prepare()
            faulty = FaultyStorage(inner, fault)
            try:
                found = Faulted(fault=fault, storage=inner, result=run(faulty))
            except ExtlinkError as error:
                found = Faulted[T](fault=fault, storage=inner, error=error)
            if faulty.failed:
                reached = True
                yield found
        call += 1
