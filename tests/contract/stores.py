"""The stores that the contract is checked on, each opened by a name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from types import MappingProxyType

from extlink.adapters.memory import MemoryStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.adapters.threaded import ThreadedStorage
from extlink.ports import AsyncStorage, Storage
from extlink.testing.blocking import Blocking

Opener = Callable[[ExitStack, Path], Storage]


def _memory(stack: ExitStack, file: Path) -> Storage:
    return MemoryStorage()


def _sqlite(stack: ExitStack, file: Path) -> Storage:
    return stack.enter_context(SQLiteStorage(file))


def _threaded(opener: Opener) -> Opener:
    def opened(stack: ExitStack, file: Path) -> Storage:
        return stack.enter_context(Blocking(lambda: ThreadedStorage(opener(stack, file))))

    return opened


STORES = MappingProxyType(
    {
        "memory": _memory,
        "sqlite": _sqlite,
        "async memory": _threaded(_memory),
        "async sqlite": _threaded(_sqlite),
    }
)
KEEPING = ("sqlite", "async sqlite")
ASYNC = ("async memory", "async sqlite")


class Opened:
    """Open stores of one kind in a folder: fresh ones, or the same one again."""

    def __init__(self, kind: str, folder: Path) -> None:
        self._opener = STORES[kind]
        self._carried_opener = STORES[kind.removeprefix("async ")]
        self._named: dict[str, Storage] = {}
        self._folder = folder
        self._numbers = count()
        self._stack = ExitStack()

    def fresh(self) -> Storage:
        """Open a new, empty store."""
        return self._opener(self._stack, self._folder / f"{next(self._numbers)}.db")

    def again(self) -> Storage:
        """Open the same store as the last call of `again` did."""
        return self._opener(self._stack, self._folder / "same.db")

    def fresh_async(self) -> AsyncStorage:
        """Open a new, empty asynchronous store, where a loop runs."""
        return self._carried(f"{next(self._numbers)}.db")

    async def named_async(self, name: str) -> AsyncStorage:
        """Open the asynchronous store of a name, the same at every call with that name."""
        if name not in self._named:
            self._named[name] = self._carried_opener(self._stack, self._folder / f"{name}.db")
        return ThreadedStorage(self._named[name])

    def _carried(self, name: str) -> AsyncStorage:
        return ThreadedStorage(self._carried_opener(self._stack, self._folder / name))

    def close(self) -> None:
        """Close all of them."""
        self._stack.close()
