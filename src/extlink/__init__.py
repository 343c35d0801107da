"""extlink: govern which outside services may act for whom, from where, on what - and hold the OAuth links behind them.

The names below are the public ones; each is loaded when it is first asked for (PEP 562), so that importing the
package costs next to nothing and pulls in neither sqlite3, asyncio nor cryptography. Operations live in the modules
named after what they are about: `services`, `grants`, `networks`, `datagroups`, `users`, `links`, `triggers`,
`access`, `previews`, `ledger`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from extlink.adapters.directory import AsyncInMemoryDirectory, InMemoryDirectory
    from extlink.adapters.memory import MemoryStorage
    from extlink.adapters.postgres import AsyncPostgresStorage, PostgresStorage
    from extlink.adapters.sqlite import SQLiteStorage
    from extlink.adapters.threaded import ThreadedDirectory, ThreadedStorage
    from extlink.domain.client import Client
    from extlink.domain.datagroup import DataGroupPolicy
    from extlink.domain.datapolicy import DataPolicy
    from extlink.domain.decision import Decision, Refusal
    from extlink.domain.grant import UserGrantPolicy
    from extlink.domain.link import Lifetimes
    from extlink.domain.network import IPRestriction
    from extlink.domain.reason import Reason, Remedy
    from extlink.domain.registry import ServiceRegistry
    from extlink.domain.secret import Secret
    from extlink.domain.service import Service
    from extlink.domain.token import KeyRing
    from extlink.domain.token_ledger import TokenLedger, TokenSet
    from extlink.errors import ExtlinkError
    from extlink.runtime import AsyncExtLink, ExtLink

# fmt: off
__all__ = [
    "AsyncExtLink", "AsyncInMemoryDirectory", "AsyncPostgresStorage", "Client", "DataGroupPolicy", "DataPolicy",
    "Decision", "ExtLink", "ExtlinkError", "IPRestriction", "InMemoryDirectory", "KeyRing", "Lifetimes",
    "MemoryStorage", "PostgresStorage", "Reason", "Refusal", "Remedy", "SQLiteStorage", "Secret", "Service",
    "ServiceRegistry", "ThreadedDirectory", "ThreadedStorage", "TokenLedger", "TokenSet", "UserGrantPolicy",
]

_NAMES: Final = (
    ("adapters.directory", "AsyncInMemoryDirectory InMemoryDirectory"),
    ("adapters.memory", "MemoryStorage"),
    ("adapters.postgres", "AsyncPostgresStorage PostgresStorage"),
    ("adapters.sqlite", "SQLiteStorage"),
    ("adapters.threaded", "ThreadedDirectory ThreadedStorage"),
    ("domain.client", "Client"),
    ("domain.datagroup", "DataGroupPolicy"),
    ("domain.datapolicy", "DataPolicy"),
    ("domain.decision", "Decision Refusal"),
    ("domain.grant", "UserGrantPolicy"),
    ("domain.link", "Lifetimes"),
    ("domain.network", "IPRestriction"),
    ("domain.reason", "Reason Remedy"),
    ("domain.registry", "ServiceRegistry"),
    ("domain.secret", "Secret"), ("domain.service", "Service"), ("domain.token", "KeyRing"),
    ("domain.token_ledger", "TokenLedger TokenSet"),
    ("errors", "ExtlinkError"),
    ("runtime", "AsyncExtLink ExtLink"),
)
# fmt: on
_PLACES: Final = {name: place for place, names in _NAMES for name in names.split()}


def __getattr__(name: str) -> object:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'extlink' has no attribute {name!r}")
    value: object = getattr(import_module(f"extlink.{place}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
