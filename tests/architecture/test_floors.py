"""Imports only go down (DESIGN 2), and nothing but the two base dependencies is imported by the floors below."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture.source import PACKAGE, fake_package, modules

if TYPE_CHECKING:
    from pathlib import Path

FLOORS = {
    "errors": 0,
    "domain": 0,
    "feeds": 1,
    "oauth": 1,
    "proxies": 1,
    "client_codec": 2,
    "codec": 2,
    "fields": 2,
    "images": 2,
    "link_codec": 2,
    "ports": 2,
    "request_codec": 2,
    "records": 2,
    "operation": 3,
    "access": 3,
    "access_batches": 3,
    "access_checks": 3,
    "access_lists": 3,
    "access_questions": 3,
    "access_readiness": 3,
    "access_scans": 3,
    "link_answers": 3,
    "client_authentication": 3,
    "clients": 3,
    "datagroups": 3,
    "endpoint_consent": 3,
    "endpoint_tokens": 3,
    "endpoints": 3,
    "facts": 3,
    "grant_edits": 3,
    "grant_requests": 3,
    "grants": 3,
    "idempotency": 3,
    "inputs": 3,
    "ledger": 3,
    "link_batches": 3,
    "ledger_entries": 3,
    "ledger_history": 3,
    "ledger_position": 3,
    "link_consent": 3,
    "link_dormancy": 3,
    "link_endings": 3,
    "link_ends": 3,
    "link_members": 3,
    "link_pins": 3,
    "link_policies": 3,
    "link_reconcile": 3,
    "link_tokens": 3,
    "link_uses": 3,
    "link_views": 3,
    "links": 3,
    "network_plans": 3,
    "network_pins": 3,
    "networks": 3,
    "notifications": 3,
    "outcomes": 3,
    "service_purge": 3,
    "service_steps": 3,
    "past": 3,
    "preview_scans": 3,
    "preview_world": 3,
    "previews": 3,
    "services": 3,
    "tenants": 3,
    "together": 3,
    "triggers": 3,
    "users": 3,
    "adapters": 4,
    "catalog": 4,
    "attempt": 5,
    "hub": 5,
    "runtime": 5,
    "cli": 6,
    "emergency": 6,
    "http": 6,
    "http_messages": 6,
    "protected_resource": 6,
    "restored": 6,
    "endpoint_pushed": 3,
    "pushed_request": 3,
    "remedies": 3,
    "testing": 6,
    # The package itself resolves its public names lazily and so may name any floor.
    "__init__": 9,
    "__main__": 9,
}

# Who may import a distribution that is not the standard library's; attrs is everybody's.
FOREIGN = {
    "attrs": frozenset(FLOORS),
    # Signatures of client assertions, and what adapters seal.
    "cryptography": frozenset({"adapters", "oauth"}),
    "psycopg": frozenset({"adapters"}),
    "psycopg_pool": frozenset({"adapters"}),
    "hypothesis": frozenset({"testing"}),
}


def upward_imports(package: Path) -> list[str]:
    """Return every import that goes up, and every module that has no floor."""
    found: list[str] = []
    for module in modules(package):
        here = FLOORS.get(module.room)
        if here is None:
            found.append(f"{module.name}: no floor is known for {module.room}; add it to the table and to DESIGN")
            continue
        for node, name in module.imports():
            if name.partition(".")[0] == "extlink":
                there = FLOORS.get(name.split(".")[1])
                if there is None or there > here:
                    found.append(f"{module.at(node)}: floor {here} imports {name}, floor {there}")
    return found


def foreign_imports(package: Path) -> list[str]:
    """Return every import of a distribution that its floor must not need."""
    return [
        f"{module.at(node)}: {name} must not be imported in {module.room}"
        for module in modules(package)
        for node, name in module.imports()
        if (root := name.partition(".")[0]) != "extlink"
        and root not in sys.stdlib_module_names
        and module.room not in FOREIGN.get(root, frozenset[str]())
    ]


def test_imports_only_go_down() -> None:
    """No module imports from a floor above its own, and every module has a floor."""
    assert [] == upward_imports(PACKAGE)


def test_base_floors_need_no_other_distribution() -> None:
    """Only attrs is imported everywhere; cryptography, psycopg and hypothesis have one place each."""
    assert [] == foreign_imports(PACKAGE)


@pytest.mark.parametrize(
    "line",
    [
        "from extlink.ports import Storage",
        "from extlink import ports",
        "import extlink.ports",
        "from .. import ports",
        "from ..ports import Storage",
        "if TYPE_CHECKING:\n    from extlink.ports import Storage",
        "def later():\n    from extlink.ports import Storage",
        "from extlink import ExtLink",
        "from extlink.helpers import anything",
    ],
)
def test_an_upward_import_is_found(tmp_path: Path, line: str) -> None:
    """The broken twin: a domain module that reaches up, in every way Python offers, is reported with its line."""
    package = fake_package(tmp_path, init="", domain__link=f"{line}\n", ports="from extlink.domain import link\n")

    found = upward_imports(package)

    assert len(found) == 1
    assert found[0].startswith("domain.link:")


def test_a_downward_import_is_none(tmp_path: Path) -> None:
    """Imports from the same floor and from below are as they should be, the relative ones too."""
    package = fake_package(
        tmp_path,
        domain__link="from . import token\nfrom .token import Token\nfrom ..errors import ExtlinkError\n",
        services="from extlink import ports\nfrom extlink.operation import ask\n",
    )

    assert [] == upward_imports(package)


def test_a_module_without_a_floor_is_found(tmp_path: Path) -> None:
    """The broken twin: a new top-level module is not silently exempt."""
    assert len(upward_imports(fake_package(tmp_path, helpers=""))) == 1


@pytest.mark.parametrize("line", ["import requests", "from cryptography.hazmat import primitives", "import hypothesis"])
def test_a_foreign_import_is_found(tmp_path: Path, line: str) -> None:
    """The broken twin: the domain needs another distribution."""
    assert len(foreign_imports(fake_package(tmp_path, domain__link=line))) == 1
