"""The parts of a service definition: scopes, availability, documents, set-up steps, triggers (S1).

Rules: an illegal part cannot be built; texts are in three languages; addresses are https and printable ASCII, since
they are shown as links.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, TypeVar, cast

import attrs

from extlink.domain.edition import ALL_EDITIONS, PRODUCTS, Edition, parse_editions
from extlink.domain.identifier import Scope, parse_id, parse_items, parse_scope, plain_text
from extlink.domain.localized import LocalizedText
from extlink.domain.messages import ROLES, Who
from extlink.errors import InvalidInput

__all__ = [
    "AVAILABLE",
    "Availability",
    "DataDirection",
    "DocumentKind",
    "DocumentLink",
    "ScopeDefinition",
    "SetupStep",
    "Stage",
    "Trigger",
]

DataDirection = Literal["read", "write"]
DocumentKind = Literal["service", "addresses", "ip_restriction", "data_group", "app_side", "account_page", "see_also"]
Stage = Literal["before", "step1", "step2"]

DOCUMENT_KINDS: Final[tuple[DocumentKind, ...]] = (
    "service",
    "addresses",
    "ip_restriction",
    "data_group",
    "app_side",
    "account_page",
    "see_also",
)
_STAGES: Final[tuple[Stage, ...]] = ("before", "step1", "step2")
_MAX_URL: Final = 2_048
# No user information, no blanks, nothing that a page would have to guess how to escape.
_HTTPS: Final = re.compile(
    r"https://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:[/?#][\x21\x23-\x3b\x3d\x3f-\x7e]*)?"
)
_Part = TypeVar("_Part")


def plain(value: object) -> str | None:
    """Return text as plain text, whatever a subclass of str makes of itself, and None for anything else."""
    return plain_text(value)


def shown(value: object) -> str:
    """Return a value as a message may show it: ASCII of at most 64 characters, or the type of what is no text."""
    text = plain(value)
    return type(value).__name__ if text is None else ascii(text)[:64]


def parse_choice(value: object, allowed: Iterable[str], field: str) -> str:
    """Return `value` if it is one of the allowed words.

    >>> parse_choice("read", ("read", "write"), "direction")
    'read'
    """
    words = tuple(allowed)
    text = plain(value)
    if text is None or text not in words:
        raise InvalidInput(field, f"expected one of {', '.join(filter(None, words))}, got {shown(value)}")
    return text


def parse_part(value: object, kind: type[_Part], field: str) -> _Part:
    """Return `value` if it is a `kind`.

    >>> parse_part("Slack", LocalizedText, "names")
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: names: expected a LocalizedText, got str
    """
    if not issubclass(type(value), kind):
        raise InvalidInput(field, f"expected a {kind.__name__}, got {type(value).__name__}")
    return cast("_Part", value)


def parse_parts(values: object, kind: type[_Part], field: str) -> tuple[_Part, ...]:
    """Return the items of a collection, each of which is a `kind`, in their order."""
    return tuple(parse_part(item, kind, field) for item in parse_items(values, field))


def parse_filled(value: object, field: str) -> LocalizedText:
    """Return `value` if it is a `LocalizedText` that says something."""
    text = parse_part(value, LocalizedText, field)
    if not text:
        raise InvalidInput(field, "expected a text in ja, en and zh, got none")
    return text


def parse_url(value: object, field: str) -> str:
    """Return `value` if it is an https address of at most 2,048 printable ASCII characters.

    >>> parse_url("https://slack.com/intl/ja-jp/", "url")
    'https://slack.com/intl/ja-jp/'
    """
    text = plain(value)
    if text is None or len(text) > _MAX_URL or not _HTTPS.fullmatch(text):
        raise InvalidInput(field, f"expected an https address in ASCII, got {shown(value)}; percent-encode the rest")
    return text


def _filled_labels(value: LocalizedText) -> LocalizedText:
    return parse_filled(value, "labels")


def _scope(value: Scope) -> Scope:
    return parse_scope(value, "scope")


def _scope_name(value: Scope) -> Scope:
    return parse_scope(value, "name")


def _scope_product(value: str) -> str:
    return parse_choice(value, ("", *sorted(PRODUCTS)), "product")


def _data_direction(value: DataDirection) -> DataDirection:
    return cast("DataDirection", parse_choice(value, ("read", "write"), "direction"))


@attrs.frozen(kw_only=True)
class ScopeDefinition:
    """One operation that a link may permit.

    Args:
        name: the scope token (RFC 6749 section 3.3).
        labels: what the consent page and the account page call it.
        product: the host's product it belongs to, which the user needs (TRACE T7); empty: none, as for the service's
            own scopes on an outbound link.
        direction: what data may flow (page A: "both are possible"; TRACE A8): `read` carries the host's data to the
            service, `write` the service's data to the host.
    """

    name: Scope = attrs.field(converter=_scope_name)
    labels: LocalizedText = attrs.field(converter=_filled_labels)
    product: str = attrs.field(converter=_scope_product)
    direction: DataDirection = attrs.field(converter=_data_direction)


def _state(value: Literal["available", "unavailable"]) -> Literal["available", "unavailable"]:
    return cast("Literal['available', 'unavailable']", parse_choice(value, ("available", "unavailable"), "state"))


def _cause(value: LocalizedText) -> LocalizedText:
    return parse_part(value, LocalizedText, "cause")


_NO_CAUSE: Final = LocalizedText.same("")


@attrs.frozen(kw_only=True)
class Availability:
    """Whether a service can be used at all, whatever an administrator sets (page A: Google Hangouts Chat).

    Args:
        state: `unavailable` services are listed, greyed with the cause, and cannot be enabled (TRACE T9).
        cause: why; said if and only if the service is unavailable. `cause.texts` is a reason's parameter.
    """

    state: Literal["available", "unavailable"] = attrs.field(default="available", converter=_state)
    cause: LocalizedText = attrs.field(default=_NO_CAUSE, converter=_cause)

    def __attrs_post_init__(self) -> None:
        if bool(self.cause) != (self.state == "unavailable"):
            raise InvalidInput("cause", "expected a text if the service is unavailable, and none if it is available")


AVAILABLE: Final = Availability()


def _kind(value: DocumentKind) -> DocumentKind:
    return cast("DocumentKind", parse_choice(value, DOCUMENT_KINDS, "kind"))


def _url(value: str) -> str:
    return parse_url(value, "url")


def _title(value: LocalizedText) -> LocalizedText:
    return parse_filled(value, "title")


def some_editions(values: Iterable[Edition]) -> frozenset[Edition]:
    """Return a set of at least one edition."""
    editions = parse_editions(values, "editions")
    if not editions:
        raise InvalidInput("editions", "expected at least one of JP, US, CN, got none; leave it out for all")
    return editions


@attrs.frozen(kw_only=True)
class DocumentLink:
    """A page that explains something about the service.

    Args:
        kind: what it explains: the service itself, the `addresses` it calls from, where to set the `ip_restriction`,
            the `data_group`, the settings on the `app_side` (STEP 2), the user's `account_page`, or what to `see_also`.
        editions: in which it is shown.
    """

    kind: DocumentKind = attrs.field(converter=_kind)
    url: str = attrs.field(converter=_url)
    title: LocalizedText = attrs.field(converter=_title)
    editions: frozenset[Edition] = attrs.field(default=ALL_EDITIONS, converter=some_editions)


def _id(value: str) -> str:
    return parse_id(value, "id")


def _stage(value: Stage) -> Stage:
    return cast("Stage", parse_choice(value, _STAGES, "stage"))


def _who(value: Who) -> Who:
    return cast("Who", parse_choice(value, ROLES, "who"))


def _filled_text(value: LocalizedText) -> LocalizedText:
    return parse_filled(value, "text")


def _known_from(value: Literal["extlink", "confirmation"]) -> Literal["extlink", "confirmation"]:
    return cast("Literal['extlink', 'confirmation']", parse_choice(value, ("extlink", "confirmation"), "known_from"))


def _kinds(values: Iterable[DocumentKind]) -> frozenset[DocumentKind]:
    found = {parse_choice(item, DOCUMENT_KINDS, "documents") for item in parse_items(values, "documents")}
    return frozenset(cast("set[DocumentKind]", found))


@attrs.frozen(kw_only=True)
class SetupStep:
    """One thing to do before a service works; the order in the definition is the order to do them in (TRACE T8).

    Args:
        id: names the step within its service.
        stage: `before` STEP 1, in `step1` (the common administration) or in `step2` (outside it).
        who: the role that does it (TRACE T11).
        known_from: `extlink` if policy tells whether it is done; `confirmation` if it is done elsewhere, so that a
            person confirms it or a call shows it, and it is never guessed.
        documents: kinds of the service's documents that explain it.
        editions: in which it is asked for.
    """

    id: str = attrs.field(converter=_id)
    stage: Stage = attrs.field(converter=_stage)
    who: Who = attrs.field(converter=_who)
    text: LocalizedText = attrs.field(converter=_filled_text)
    known_from: Literal["extlink", "confirmation"] = attrs.field(converter=_known_from)
    documents: frozenset[DocumentKind] = attrs.field(default=frozenset[DocumentKind](), converter=_kinds)
    editions: frozenset[Edition] = attrs.field(default=ALL_EDITIONS, converter=some_editions)


@attrs.frozen(kw_only=True)
class Trigger:
    """Something that happens in the host, of which the service can be told (TRACE T3).

    Args:
        id: such as `record_added`.
        scope: what a link must permit for it; each delivery is checked again.
    """

    id: str = attrs.field(converter=_id)
    labels: LocalizedText = attrs.field(converter=_filled_labels)
    scope: Scope = attrs.field(converter=_scope)
