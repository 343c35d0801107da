"""The page of what OAuth asks for, made from tests/oauth/requirements.toml."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from tests.oauth.table import read_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oauth.table import Requirement

__all__ = ["compliance"]

# The documents, by how their ids begin.
_TITLES: Final = {
    "BCP": "RFC 9700: security best current practice",
    "O21": "OAuth 2.1 (draft)",
    "ASVS": "OWASP ASVS 5.0",
    "6749": "RFC 6749: the framework",
    "6750": "RFC 6750: bearer tokens",
    "7636": "RFC 7636: PKCE",
    "7009": "RFC 7009: revocation",
    "7662": "RFC 7662: introspection",
    "8414": "RFC 8414: metadata",
    "9207": "RFC 9207: the issuer in answers",
    "8707": "RFC 8707: resource indicators",
    "9728": "RFC 9728: metadata of a resource",
    "7523bis": "RFC 7523, revision: client assertions",
    "9068": "RFC 9068: JWT access tokens",
    "UPD": "Update of RFC 9700 (draft)",
    "FAPI2": "FAPI 2.0 security profile",
}


def _answer(one: Requirement) -> str:
    """Return how a requirement is answered: by tests, by the host, or why not yet."""
    tests = ", ".join(f"`{name.rpartition('::')[2]}`" for name in one.tests)
    parts = (tests, f"The host: {one.host}" if one.host else "", f"Not yet: {one.later}" if one.later else "")
    return "<br>".join(part for part in parts if part)


def _table(rows: Iterable[Requirement]) -> str:
    lines = ["| id | who | level | rule | answered by |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {one.id} | {one.role} | {one.level} | {one.rule} | {_answer(one)} |" for one in rows]
    return "\n".join(lines) + "\n"


def _document(one: Requirement) -> str:
    return one.id.partition("-")[0]


def compliance() -> str:
    """Return every requirement with its answer, document by document, and how many are answered how."""
    every = read_requirements()
    counted = {
        "tests": sum(1 for one in every if one.tests),
        "host": sum(1 for one in every if one.host),
        "later": sum(1 for one in every if not one.tests and not one.host),
    }
    kept = f"{counted['tests']} have tests, {counted['host']} need the host, {counted['later']} are not answered yet"
    parts = [f"{len(every)} rules: {kept}.\n"]
    for document, rows in groupby(every, _document):
        parts.append(f"## {_TITLES[document]}\n")
        parts.append(_table(rows))
    return "\n".join(parts)
