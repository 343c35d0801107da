"""Remedy: what to change so that a reason goes away, who may do it, and where it is explained (TRACE T11).

Rule: a remedy is plain data. Its words and role are those of the reason code in `extlink.domain.messages`, its pages
those of the service's own definition and of the edition: nothing is said or linked twice. Which remedies a refusal has,
and in which order, is found in `cure`; what puts one reason right by itself stands in `remedy_actions`;
`extlink.remedies` makes the operation of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from extlink.domain import messages
from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput

if TYPE_CHECKING:
    from extlink.domain.messages import Who

__all__ = ["OUTSIDE", "Action", "Param", "Remedy"]

_T = TypeVar("_T")
Param = str | int | bool | tuple[str, ...]
NO_PARAMS: Final[Mapping[str, Param]] = MappingProxyType({})
NO_LINKS: Final[Mapping[str, str]] = MappingProxyType({})
_NO_ARGUMENTS: Final[Mapping[str, object]] = MappingProxyType({})
# What is done where extlink has no operation: in the host's administration, at the vendor's, by the user in person.
OUTSIDE: Final = "outside."


def parse_code(value: str) -> str:
    """Return a reason code."""
    text = plain_text(value)
    if text is None:
        raise InvalidInput("code", f"expected a code such as grant.missing, got {type(value).__name__}")
    return text


def parse_params(value: Mapping[str, Param]) -> Mapping[str, Param]:
    """Return what a reason's text names, as nobody can change it."""
    try:
        params = dict(value)
    except Exception as exc:
        raise InvalidInput("params", f"expected values by name, got {type(value).__name__}") from exc
    return MappingProxyType(params) if params else NO_PARAMS


def _by_name(value: Mapping[str, _T], field: str) -> Mapping[str, _T]:
    try:
        return MappingProxyType(dict(value))
    except Exception as exc:
        raise InvalidInput(field, f"expected values by name, got {type(value).__name__}") from exc


def _arguments(value: Mapping[str, object]) -> Mapping[str, object]:
    return _by_name(value, "arguments")


def _links(value: Mapping[str, str]) -> Mapping[str, str]:
    return _by_name(value, "links")


def _name(value: str) -> str:
    text = plain_text(value)
    if text is None:
        raise InvalidInput("name", f"expected a name such as grants.allow, got {type(value).__name__}")
    return text


def _action(value: Action | None) -> Action | None:
    if value is not None and type(value) is not Action:
        raise InvalidInput("action", f"expected an Action or None, got {type(value).__name__}")
    return value


@attrs.frozen
class Action:
    """What is to be done, as data: an operation's public name with its arguments, or a step outside.

    Args:
        name: such as `grants.allow`; of a step outside such as `outside.connect`.
        arguments: what is known of its arguments.
        choices: the arguments that are left to whoever runs it; a remedy of `decision.remedies` leaves none, the one of
            a lone reason may.

    >>> Action("services.enable", {"service": "slack"}).is_outside, Action("outside.connect").is_outside
    (False, True)
    >>> Action("grants.allow", {"service": "slack"}, ("users",)).choices
    ('users',)
    """

    name: str = attrs.field(converter=_name)
    arguments: Mapping[str, object] = attrs.field(default=_NO_ARGUMENTS, converter=_arguments, hash=False)
    choices: tuple[str, ...] = ()

    @property
    def is_outside(self) -> bool:
        """Whether no operation of extlink does it."""
        return self.name.startswith(OUTSIDE)


@attrs.frozen
class Remedy:
    """What to change so that a reason goes away, and who may do it (TRACE T11).

    Args:
        code, params: of the reason that it answers; the sentence is that reason's.
        action: what is to be done. None where nobody can do anything, and for reasons of operations that stand in no
            decision, such as `network.plan_rows`: their sentence says it.
        links: the page that explains it, by edition: the host's help on enabling a service, on permitting users and on
            the IP restriction, and in a decision what the service's definition names on data groups and connections.
            Empty where no page is known, as for what is done in the user administration.

    >>> from extlink.domain.reason import Reason
    >>> Reason("grant.missing", {"service": "slack", "user": "sato"}).remedy.who
    'common_administrator'
    >>> Reason("grant.missing", {"service": "slack", "user": "sato"}).remedy.action.name
    'grants.allow'
    """

    code: str = attrs.field(converter=parse_code)
    params: Mapping[str, Param] = attrs.field(default=NO_PARAMS, converter=parse_params, hash=False)
    action: Action | None = attrs.field(default=None, converter=_action, kw_only=True)
    links: Mapping[str, str] = attrs.field(default=NO_LINKS, converter=_links, kw_only=True, hash=False, repr=False)

    @property
    def who(self) -> Who:
        """The role that may apply the remedy: `nobody` where none exists."""
        return messages.who(self.code)

    def text(self, language: str = "en") -> str:
        """Return the sentence in ja, en or zh (T14: zh-TW is answered with zh, any other language with en)."""
        return messages.render(self.code, "remedy", self.params, language)

    def link(self, edition: str) -> str | None:
        """Return the address of the page that explains it in an edition (JP, US, CN), or None where there is none."""
        return self.links.get(plain_text(edition) or "")
