"""Service: the definition of an outside service as a value, and its lossless form for JSON (S1, S12).

Rules: an illegal definition cannot be built; what a check asks of it is compiled when it is built; the form for JSON
has exactly the fields that the value has, and anything else is refused rather than guessed at. Whether a tenant
registered or enabled the service is not here (`registry`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, TypeVar, cast

import attrs

from extlink.domain.edition import ALL_EDITIONS, Edition, parse_products
from extlink.domain.identifier import ConnectorId, Scope, ServiceId, parse_id, parse_items
from extlink.domain.localized import LocalizedText
from extlink.domain.oauth_profile import OAuthProfile, RequestTemplates
from extlink.domain.requirement import PublishedForm, Region, RequiredDocument, Requirement
from extlink.domain.service_parts import (
    AVAILABLE,
    Availability,
    DataDirection,
    DocumentKind,
    DocumentLink,
    ScopeDefinition,
    SetupStep,
    Trigger,
    parse_choice,
    parse_filled,
    parse_part,
    parse_parts,
    some_editions,
)
from extlink.errors import InvalidInput

__all__ = [
    "AVAILABLE",
    "Availability",
    "DataDirection",
    "Direction",
    "DocumentKind",
    "DocumentLink",
    "LocalizedText",
    "OAuthProfile",
    "RequestTemplates",
    "ScopeDefinition",
    "Service",
    "SetupStep",
    "Trigger",
    "from_fields",
    "to_fields",
]

Direction = Literal["inbound", "outbound"]
MAX_ENCODED: Final = 65_536
_T = TypeVar("_T")


def _service_id(value: str) -> ServiceId:
    return ServiceId(parse_id(value, "id"))


def _names(value: LocalizedText) -> LocalizedText:
    return parse_filled(value, "names")


def _descriptions(value: LocalizedText) -> LocalizedText:
    return parse_filled(value, "descriptions")


def _directions(values: Iterable[Direction]) -> frozenset[Direction]:
    found = {parse_choice(item, ("inbound", "outbound"), "directions") for item in parse_items(values, "directions")}
    if not found:
        raise InvalidInput("directions", "expected inbound, outbound or both, got none")
    return frozenset(cast("set[Direction]", found))


def _scopes(values: Iterable[ScopeDefinition]) -> tuple[ScopeDefinition, ...]:
    return _distinct(parse_parts(values, ScopeDefinition, "scopes"), lambda scope: scope.name, "scopes")


def _connector(value: str | None) -> ConnectorId | None:
    return None if value is None else ConnectorId(parse_id(value, "connector"))


def _products(values: Iterable[str]) -> frozenset[str]:
    return parse_products(values, "products")


def _availability(value: Availability) -> Availability:
    return parse_part(value, Availability, "availability")


def _links(values: Iterable[DocumentLink]) -> tuple[DocumentLink, ...]:
    return parse_parts(values, DocumentLink, "links")


def _steps(values: Iterable[SetupStep]) -> tuple[SetupStep, ...]:
    return _distinct(parse_parts(values, SetupStep, "steps"), lambda step: step.id, "steps")


def _requirements(values: Iterable[Requirement]) -> tuple[Requirement, ...]:
    return _distinct(parse_parts(values, Requirement, "requirements"), lambda one: one.id, "requirements")


def _triggers(values: Iterable[Trigger]) -> tuple[Trigger, ...]:
    return _distinct(parse_parts(values, Trigger, "triggers"), lambda trigger: trigger.id, "triggers")


def _oauth(value: OAuthProfile | None) -> OAuthProfile | None:
    return None if value is None else parse_part(value, OAuthProfile, "oauth")


def _distinct(items: tuple[_T, ...], name: Callable[[_T], str], field: str) -> tuple[_T, ...]:
    seen: set[str] = set()
    for item in items:
        if name(item) in seen:
            raise InvalidInput(field, f"expected each one once, got {ascii(name(item))[:64]} twice")
        seen.add(name(item))
    return items


@attrs.frozen(kw_only=True)
class Service:
    """An outside service that may be connected with the host.

    Args:
        id: names it in every operation.
        names, descriptions: what people read; names are never translated.
        directions: `inbound` if it calls the host, `outbound` if the host calls it.
        scopes: the operations a link may permit, in the order they are shown.
        connector: the connector that stands for the host's side of it in a flow's data group, if it has one.
        products: the tenant needs one of them; empty: any.
        editions: in which it is available.
        availability: whether it can be used at all.
        links: documents, per edition.
        steps: what to do before it works, in order.
        requirements: whose published addresses it calls from; the first is the one that counts by default (T4).
        triggers: what it can be told of.
        oauth: what is known of its OAuth client or server.

    Raises:
        InvalidInput: a part is malformed, named twice, or names something that the definition lacks.

    >>> chat = Service(
    ...     id="chat",
    ...     names=LocalizedText.same("Chat"),
    ...     descriptions=LocalizedText.same("A chat service."),
    ...     directions={"outbound"},
    ... )
    >>> chat.id, sorted(chat.editions), from_fields(to_fields(chat)) == chat
    ('chat', ['CN', 'JP', 'US'], True)
    """

    id: ServiceId = attrs.field(converter=_service_id)
    names: LocalizedText = attrs.field(converter=_names)
    descriptions: LocalizedText = attrs.field(converter=_descriptions)
    directions: frozenset[Direction] = attrs.field(converter=_directions)
    scopes: tuple[ScopeDefinition, ...] = attrs.field(default=(), converter=_scopes)
    connector: ConnectorId | None = attrs.field(default=None, converter=_connector)
    products: frozenset[str] = attrs.field(default=frozenset[str](), converter=_products)
    editions: frozenset[Edition] = attrs.field(default=ALL_EDITIONS, converter=some_editions)
    availability: Availability = attrs.field(default=AVAILABLE, converter=_availability)
    links: tuple[DocumentLink, ...] = attrs.field(default=(), converter=_links)
    steps: tuple[SetupStep, ...] = attrs.field(default=(), converter=_steps)
    requirements: tuple[Requirement, ...] = attrs.field(default=(), converter=_requirements)
    triggers: tuple[Trigger, ...] = attrs.field(default=(), converter=_triggers)
    oauth: OAuthProfile | None = attrs.field(default=None, converter=_oauth)
    # Compiled for the checks: which scopes there are, and which product a scope asks of the user.
    scope_names: frozenset[Scope] = attrs.field(init=False, repr=False, eq=False)
    scope_products: Mapping[Scope, str] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        products = MappingProxyType({scope.name: scope.product for scope in self.scopes if scope.product})
        object.__setattr__(self, "scope_names", frozenset(scope.name for scope in self.scopes))
        object.__setattr__(self, "scope_products", products)
        foreign = self.products and set(products.values()) - self.products
        if foreign:
            raise InvalidInput("products", f"expected {min(foreign)} among them, since a scope belongs to it")
        for trigger in self.triggers:
            if trigger.scope not in self.scope_names:
                raise InvalidInput("triggers", f"expected a scope of the service, got {ascii(trigger.scope)[:64]}")
        documented = {link.kind for link in self.links}
        for step in self.steps:
            if not step.documents <= documented:
                missing = min(step.documents - documented)
                raise InvalidInput(
                    "steps", f"expected documents among the links, got {missing}; add a link of this kind"
                )

    def documents(self, kind: DocumentKind, edition: Edition) -> tuple[DocumentLink, ...]:
        """Return the documents of one kind that an edition shows, in their order."""
        return tuple(link for link in self.links if link.kind == kind and edition in link.editions)

    def steps_in(self, edition: Edition) -> tuple[SetupStep, ...]:
        """Return the set-up steps that an edition asks for, in the order to do them in (TRACE T8)."""
        return tuple(step for step in self.steps if edition in step.editions)

    def scope(self, name: str) -> ScopeDefinition | None:
        """Return the definition of a scope, or None where the service has none of this name."""
        return next((scope for scope in self.scopes if scope.name == name), None)

    def trigger(self, id: str) -> Trigger | None:  # noqa: A002 - the word of the definition
        """Return a trigger, or None where the service has none of this id."""
        return next((trigger for trigger in self.triggers if trigger.id == id), None)

    def requirement(self, id: str) -> Requirement | None:  # noqa: A002 - the word of the definition
        """Return the requirement of this id, or None where the service has none of this name."""
        return next((one for one in self.requirements if one.id == id), None)

    def __reduce__(self) -> tuple[Callable[[object], Service], tuple[dict[str, object]]]:
        return from_fields, (to_fields(self),)


def to_fields(service: Service) -> dict[str, object]:
    """Return a definition as values that JSON can carry; `from_fields` gives the same definition again.

    Raises:
        InvalidInput: the definition takes more than 64 KiB as UTF-8 JSON, the most that a record may hold.
    """
    fields = _plain_fields(service)
    size = len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())
    if size > MAX_ENCODED:
        raise InvalidInput(
            "service", f"expected at most {MAX_ENCODED:,} bytes as JSON, got {size:,}; shorten its texts"
        )
    return fields


def from_fields(data: object) -> Service:
    """Return the definition that `to_fields` was given.

    Raises:
        InvalidInput: a field is missing, unknown or malformed; a definition is never completed by guessing.
    """
    return _read(data, Service, "service")


def _plain_fields(value: attrs.AttrsInstance) -> dict[str, object]:
    return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value)) if field.init}


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(cast("frozenset[str]", value))
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("tuple[object, ...]", value)]
    return value if value is None or isinstance(value, str) else _plain_fields(cast("attrs.AttrsInstance", value))


def _read(data: object, kind: type[_T], field: str) -> _T:
    """Return one value from its fields; the constructors examine what is in them."""
    if not isinstance(data, dict):
        raise InvalidInput(field, f"expected an object with named fields, got {type(data).__name__}")
    given = cast("dict[object, Any]", data)
    names = [each.name for each in attrs.fields(cast("type[attrs.AttrsInstance]", kind)) if each.init]
    for name in names:
        if name not in given:
            raise InvalidInput(field, f"expected the field {name}, got none")
    if len(given) > len(names):
        extra = next(name for name in given if name not in names)
        raise InvalidInput(field, f"expected no field but {', '.join(names)}, got {ascii(extra)[:64]}")
    fields = {name: given[name] for name in names}
    for name, (part, many) in _PARTS.get(kind, {}).items():
        inner = fields[name]
        if many:
            fields[name] = [_read(item, part, name) for item in parse_items(inner, name)]
        elif inner is not None:
            fields[name] = _read(inner, part, name)
    return cast("Callable[..., _T]", kind)(**fields)


# Which fields of a value are values with fields of their own, and whether there are several.
_PARTS: Final[Mapping[type[object], Mapping[str, tuple[type[object], bool]]]] = {
    Service: {
        "names": (LocalizedText, False),
        "descriptions": (LocalizedText, False),
        "scopes": (ScopeDefinition, True),
        "availability": (Availability, False),
        "links": (DocumentLink, True),
        "steps": (SetupStep, True),
        "requirements": (Requirement, True),
        "triggers": (Trigger, True),
        "oauth": (OAuthProfile, False),
    },
    ScopeDefinition: {"labels": (LocalizedText, False)},
    Availability: {"cause": (LocalizedText, False)},
    DocumentLink: {"title": (LocalizedText, False)},
    SetupStep: {"text": (LocalizedText, False)},
    Trigger: {"labels": (LocalizedText, False)},
    OAuthProfile: {"templates": (RequestTemplates, False)},
    Requirement: {
        "titles": (LocalizedText, False),
        "documents": (RequiredDocument, True),
        "regions": (Region, True),
    },
    RequiredDocument: {"titles": (LocalizedText, False), "forms": (PublishedForm, True)},
    Region: {"titles": (LocalizedText, False)},
}
