"""Definitions: what a vendor's file says of outside services, as `Service` values that can be registered (S1).

Rules: an item of a file becomes a definition, or is set aside with its reason; a part of an item that a definition has
no place for is listed with its reason too; nothing is dropped. Credentials are never taken, wherever they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import attrs

from extlink.domain.edition import PRODUCTS
from extlink.domain.identifier import parse_items, parse_scope, plain_text
from extlink.domain.service import DataDirection, Direction, ScopeDefinition, Service
from extlink.domain.service_parts import parse_choice, parse_part, parse_parts
from extlink.errors import InvalidInput
from extlink.feeds.scope_labels import ScopeLabels
from extlink.feeds.unused import Unused

__all__ = [
    "NEVER_TAKEN",
    "Definitions",
    "data_direction",
    "is_credential",
    "parse_labels",
    "parse_product",
    "scope_definitions",
    "with_scopes",
]

NEVER_TAKEN: Final = "a credential of somebody's own client; it is never taken"
_CREDENTIAL: Final = re.compile(
    r".*(?:client_?id|app_?id|secret|password|passwd|consumer_?key|private_?key|api_?key|access_?token|refresh_?token)"
    r"|key|token",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_READING: Final = frozenset({"read", "readonly", "readbasic", "view", "viewer", "list", "get", "history"})
_WRITING: Final = frozenset({"write", "manage", "edit", "create", "update", "delete", "send", "modify", "post"})


def is_credential(name: str) -> bool:
    """Return whether the name of a field says that it holds a credential, or the id of somebody's own client.

    >>> is_credential("clientSecret"), is_credential("uS_clientId"), is_credential("tokenUrl")
    (True, True, False)
    """
    return _CREDENTIAL.fullmatch(name) is not None


@attrs.frozen(kw_only=True)
class Definitions:
    """One file of definitions.

    Args:
        source: the kind of file, such as `power-platform`.
        services: a definition for each item that was taken, in the order of the file.
        set_aside: the items that were not, in the order of the file.
        unused: parts of the items that were taken which a definition has no place for, or must not hold.

    >>> Definitions(source="example", services=(), set_aside=(Unused("values[0]", "not read"),), unused=()).source
    'example'
    """

    source: str
    services: tuple[Service, ...]
    set_aside: tuple[Unused, ...]
    unused: tuple[Unused, ...]

    def service(self, id: str) -> Service:  # noqa: A002 - the word of the definition
        """Return the definition with an id.

        Raises:
            InvalidInput: there is none; the message says why where the file has such an item and it was set aside.
        """
        for service in self.services:
            if service.id == id:
                return service
        name = plain_text(id) or ""
        reason = next((one.reason for one in self.set_aside if one.place == name), "")
        hint = f"; it was set aside: {reason}" if reason else f"; the file gives {len(self.services):,}"
        raise InvalidInput("id", f"expected a definition of {self.source}, got {ascii(name)[:64]}{hint}")


def data_direction(scope: str, direction: Direction) -> DataDirection:
    """Return what data may flow by a scope, as far as its name tells: the cautious answer where it does not.

    The host's data may leave it where a service reads from the host, and where the host writes to a service: `read`.
    Only a scope that says the opposite, and nothing else, is `write` (`ScopeDefinition.direction`).

    >>> data_direction("chat:write", "outbound"), data_direction("Mail.Read", "outbound")
    ('read', 'write')
    >>> data_direction("k:file:write", "inbound"), data_direction("Mail.ReadWrite", "outbound")
    ('write', 'read')
    """
    words = {word.lower() for word in _WORD.findall(scope)}
    reads, writes = not words.isdisjoint(_READING), not words.isdisjoint(_WRITING)
    opposite = reads and not writes if direction == "outbound" else writes and not reads
    return "write" if opposite else "read"


def parse_product(value: object) -> str:
    """Return the host's product that scopes belong to; empty: they are the service's own."""
    return parse_choice(value, ("", *sorted(PRODUCTS)), "product")


def parse_labels(values: object) -> tuple[ScopeLabels, ...]:
    """Return what vendors call their scopes, in the order they are asked."""
    return parse_parts(values, ScopeLabels, "labels")


def scope_definitions(
    names: Iterable[str], *, direction: Direction, product: str = "", labels: Sequence[ScopeLabels] = ()
) -> tuple[ScopeDefinition, ...]:
    """Return definitions of scopes, each once, labelled by the first of `labels` that has a text for it.

    Args:
        names: the scope tokens.
        direction: whether the service calls the host (`inbound`) or the host calls it.
        product: the host's product that the scopes belong to, for scopes of the host's own.
        labels: what vendors call their scopes; a scope without a label shows its own name.

    Raises:
        InvalidInput: a name that is no scope token, or an argument that is none of its kind.

    >>> [(scope.name, scope.direction) for scope in scope_definitions(["repo", "repo"], direction="outbound")]
    [('repo', 'read')]
    """
    parse_choice(direction, ("inbound", "outbound"), "direction")
    known, of = parse_labels(labels), parse_product(product)
    found: dict[str, ScopeDefinition] = {}
    for item in parse_items(names, "scopes"):
        name = parse_scope(item, "scopes")
        source = next((one for one in known if name in one), _NO_LABELS)
        found.setdefault(name, source.definition(name, of, data_direction(name, direction)))
    return tuple(found.values())


_NO_LABELS: Final = ScopeLabels(source="", texts={}, set_aside=())


def with_scopes(
    service: Service, names: Iterable[str], *, product: str = "", labels: Sequence[ScopeLabels] = ()
) -> Service:
    """Return a definition with these scopes in place of its own, for a file that names none.

    Raises:
        InvalidInput: not a `Service`, a name that is no scope token, or scopes that one of its triggers lacks.

    >>> from extlink.domain.localized import LocalizedText
    >>> text = LocalizedText.same("GitHub")
    >>> service = Service(id="github", names=text, descriptions=text, directions={"outbound"})
    >>> sorted(with_scopes(service, ["repo", "gist"]).scope_names)
    ['gist', 'repo']
    """
    known = parse_part(service, Service, "service")
    direction: Direction = "inbound" if "inbound" in known.directions else "outbound"
    return attrs.evolve(known, scopes=scope_definitions(names, direction=direction, product=product, labels=labels))
