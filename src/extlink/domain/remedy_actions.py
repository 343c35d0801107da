"""What puts one reason right when it is read alone: the operation or the step outside, from the reason's parameters.

Rules: one table, a row for every reason that has steps in `cure`, and the name of the step is the one that a plan would
take. What the parameters do not tell is left to choose and never made up. Nothing is verified here: neither that the
operation is accepted in this edition and in this state, nor that nothing else stands in the way; `decision.remedies`
does that. The one page that is known without a definition is the edition's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from extlink.domain.address import parse_address
from extlink.domain.help_pages import INTEGRATIONS, IP_RESTRICTION
from extlink.domain.identifier import plain_text
from extlink.domain.remedy import NO_LINKS, Action, Param
from extlink.errors import InvalidInput

__all__ = ["ACTIONS", "action_of", "pages_of"]

_Params = Mapping[str, Param]
# An argument as the parameters tell it; None where they do not.
_Source = Callable[[_Params], object]
_Make = Callable[[_Params], Action | None]


def _unknown(_: _Params) -> object:
    return None


def _text(name: str) -> _Source:
    return lambda params: plain_text(params.get(name)) or None


def _one(name: str) -> _Source:
    """Return the source of a collection of one."""

    def taken(params: _Params) -> object:
        text = plain_text(params.get(name))
        return (text,) if text else None

    return taken


def _only_product(params: _Params) -> object:
    """Return the product that is needed; of several, any will do, and somebody has to choose."""
    products = params.get("products")
    return plain_text(products[0]) if type(products) is tuple and len(products) == 1 else None


def _row_of_address(params: _Params) -> object:
    try:
        return (parse_address(params.get("address")).text,)
    except InvalidInput:
        return None


def _do(name: str, **arguments: _Source) -> _Make:
    """Return what makes an action: the arguments that the parameters tell, and the others as choices."""

    def made(params: _Params) -> Action:
        found = {one: source(params) for one, source in arguments.items()}
        known = {one: value for one, value in found.items() if value is not None}
        return Action(name, known, tuple(one for one in found if one not in known))

    return made


_EXCLUDED: Final[Mapping[str, str]] = MappingProxyType(
    {"user": "users", "organization": "organizations", "group": "groups"}
)


def _include(params: _Params) -> Action | None:
    """Lift the exclusion that is named; no operation excludes everyone, and so none lifts that."""
    kind, _, subject = (plain_text(params.get("by")) or "").partition(":")
    if kind not in _EXCLUDED:
        return None
    whom = _text("user")(params) if kind == "user" else subject
    sources: dict[str, _Source] = {"service": _text("service"), _EXCLUDED[kind]: lambda _: (whom,) if whom else None}
    return _do("grants.include", **sources)(params)


_ENABLE: Final = _do("services.enable", service=_text("service"))
_ALLOW: Final = _do("grants.allow", service=_text("service"), users=_one("user"))
# Of a policy the parameters tell the name, and it is saved as a whole.
_SET_POLICY: Final = _do("datagroups.set_policy", policy=_unknown)
# Which link the new one replaces is known; what is to be permitted this time, the user says.
_CONNECT: Final = _do("outside.connect", link=_text("link"), scopes=_unknown)
# Of these the parameters tell nothing but what is wrong with them.
_CONNECT_ANEW: Final = _do("outside.connect", service=_unknown, scopes=_unknown)
_PRESENT: Final = _do("outside.present_token", link=_text("link"))

ACTIONS: Final[Mapping[str, _Make]] = MappingProxyType(
    {
        "service.unknown": _do("services.register", service=_text("service")),
        "service.product_missing": _do("outside.subscribe", product=_only_product),
        "service.not_enabled": _ENABLE,
        "service.disabled": _ENABLE,
        "scope.unknown": _do("services.register", service=_text("service"), scopes=_one("scope")),
        "user.unknown": _do("outside.add_user", user=_text("user")),
        # As its sentence says. Whether extlink was told as well is not in the parameters: the host tells it again.
        "user.suspended": _do("outside.activate_user", user=_text("user")),
        "user.product_missing": _do("outside.give_product", user=_text("user"), product=_text("product")),
        "grant.missing": _ALLOW,
        "grant.over": _ALLOW,
        "grant.scope_not_granted": _ALLOW,
        "grant.excluded": _include,
        "network.address_not_allowed": _do("networks.add", rows=_row_of_address),
        # Which of the rows that are kept shall hold again is for a person to say.
        "network.deny_all": _do("networks.restrict", rows=_unknown),
        "datagroup.blocked": _SET_POLICY,
        "datagroup.mixed": _SET_POLICY,
        "link.missing": _do("outside.connect", service=_text("service"), user=_text("user"), scopes=_unknown),
        "link.revoked": _CONNECT,
        "link.ended": _CONNECT,
        "link.suspended": _do("links.resume", link=_text("link")),
        "link.not_redeemed": _CONNECT,
        "link.expired": _CONNECT,
        "link.dormant": _CONNECT,
        # With another client: this one does not come back.
        "client.removed": _do("outside.connect", client=_unknown, scopes=_unknown),
        # One reason tells one operation; which others the new link must permit, it does not.
        "scope.not_covered": _do("outside.connect", scopes=_unknown),
        "token.unknown": _CONNECT_ANEW,
        "token.expired": _PRESENT,
        "token.superseded": _PRESENT,
        "token.wrong_kind": _PRESENT,
        "token.wrong_audience": _CONNECT_ANEW,
        # Of the token endpoint, whose refusals stand in no decision.
        "code.used": _CONNECT,
        "code.expired": _CONNECT,
        "refresh.reused": _CONNECT,
        "refresh.expired": _CONNECT,
    }
)
_PAGES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "services.enable": INTEGRATIONS,
        "grants.allow": INTEGRATIONS,
        "networks.add": IP_RESTRICTION,
        "networks.restrict": IP_RESTRICTION,
    }
)


def action_of(code: str, params: _Params) -> Action | None:
    """Return what puts a reason right, or None where no step of anybody's does or none is known.

    >>> found = action_of("grant.missing", {"service": "slack", "user": "sato"})
    >>> found.name, dict(found.arguments), found.choices
    ('grants.allow', {'service': 'slack', 'users': ('sato',)}, ())
    >>> action_of("datagroup.mixed", {"policy": "C"}).choices, action_of("user.deleted", {"user": "sato"})
    (('policy',), None)
    """
    make = ACTIONS.get(code)
    return None if make is None else make(params)


def pages_of(action: Action | None) -> Mapping[str, str]:
    """Return the pages of the host's help that explain an action, by edition; none where no page is known to.

    >>> pages_of(Action("networks.add"))["US"]
    'https://get.kintone.help/general/ja/admin/list_security/list_access/ip_restrictions.html'
    >>> dict(pages_of(Action("users.resume")))
    {}
    """
    return NO_LINKS if action is None else _PAGES.get(action.name, NO_LINKS)
