"""The checklist's rules: one row an item in one table, in the order in which they are worked through (S9, TRACE T8).

Rules: an item of a gate says what this gate says (`evaluate`), so that the two cannot disagree (law 8); a suspended
user is nobody who is let in; a step outside is done if somebody confirmed it or a call succeeded since, and otherwise
unknown. A service that never calls the host has no published addresses and no client of the host's to register.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import attrs

from extlink.domain.access import evaluate
from extlink.domain.client_registration import BY_SECRET, ClientRegistration
from extlink.domain.decision import Answer, Gate, Note
from extlink.domain.edition import EDITIONS
from extlink.domain.event import Detail
from extlink.domain.flow import Flow
from extlink.domain.identifier import ServiceId
from extlink.domain.instant import Instant, to_datetime
from extlink.domain.link import LinkState
from extlink.domain.localized import LocalizedText
from extlink.domain.messages import Who, who
from extlink.domain.readiness import Action, Item, Readiness, named, spelled
from extlink.domain.readiness_known import DATA_GROUP, NOT_KNOWN, USER, Known, usable_scopes, what_is_wrong
from extlink.domain.readiness_network import Judged, judge
from extlink.domain.reason import Param, Reason
from extlink.domain.registry import ServiceState, unusable_definition
from extlink.domain.service_parts import DocumentKind, SetupStep, Stage

__all__ = ["checklist"]

_DEFINED: Final = frozenset({"service.not_in_edition", "service.product_missing", "service.unavailable"})


def _available(known: Known) -> Judged:
    if known.definition is None:
        return Judged(state="unknown", reason=Reason("readiness.definition_unknown", {"service": known.service}))
    edition = known.policy.registry.tenant.edition
    notes = unusable_definition(known.definition, known.policy.registry.tenant)
    if not notes:
        return Judged(
            state="done", reason=Reason("readiness.available", {"service": known.service, "edition": edition})
        )
    hopeless = [note for note in notes if who(note[0]) == "nobody"]
    return Judged(state="cannot" if hopeless else "missing", reason=Reason(*(hopeless or notes)[0]))


def _registered(known: Known) -> Judged:
    params = {"service": known.service}
    if known.service in known.policy.registry.services:
        return Judged(state="done", reason=Reason("readiness.registered", params))
    return Judged(state="missing", reason=Reason("service.unknown", params), remedy=Action("services.register", params))


def _enabled(known: Known) -> Judged:
    params = {"service": known.service}
    registered = known.policy.registry.services.get(known.service)
    if registered is None:
        return Judged(state="missing", reason=Reason("service.not_enabled", params))
    answer, notes = known.policy.registry.finding(known.service)
    own = [note for note in notes if note[0] not in _DEFINED]
    if answer is Answer.PASSED or not own:
        enabled = registered.state is ServiceState.ENABLED
        code = "service.enabled" if enabled else "service.enabled_by_default"
        return Judged(state="done", reason=Reason(code, params))
    code, details = own[0]
    # A quarantine is lifted when its cause is gone, which nobody here can know: that is no remedy to propose.
    helps = code in {"service.not_enabled", "service.disabled"}
    remedy = Action("services.enable", params) if helps else None
    return Judged(state="missing", reason=Reason(code, details), remedy=remedy)


def _users(known: Known) -> Judged:
    if known.permitted is not None:
        scopes = usable_scopes(known.policy, known.service, known.permitted, known.at) or frozenset()
        asked = attrs.evolve(known.request, user=known.permitted, scopes=scopes)
        _, notes = evaluate(known.policy, asked).findings[USER]
        return Judged(state="done", reason=Reason(*notes[0]), evidence={"user": known.permitted})
    if known.asked is None:
        if not known.answered:
            return Judged(state="unknown", reason=Reason("directory.unavailable"))
        params = {"service": known.service}
        remedy = Action("grants.allow", params, ("users",))
        return Judged(state="missing", reason=Reason("readiness.no_user", params), remedy=remedy)
    code, details = _why_not(known)
    if code in NOT_KNOWN:
        return Judged(state="unknown", reason=Reason(code, details))
    return Judged(state="missing", reason=Reason(code, details), remedy=_granting(known.service, code, details))


def _why_not(known: Known) -> Note:
    """Return why the asked user is not let in: without any operation, or with each of them."""
    answer, notes = known.finding(USER)
    if answer is Answer.REFUSED:
        return notes[0]
    scopes = frozenset({known.policy.registry.services[known.service].service.scopes[0].name})
    return evaluate(known.policy, attrs.evolve(known.request, scopes=scopes)).findings[USER][1][0]


def _granting(service: ServiceId, code: str, params: Mapping[str, Param]) -> Action | None:
    users = (params["user"],) if isinstance(params.get("user"), str) else ()
    if code in {"grant.missing", "grant.over", "grant.scope_not_granted"}:
        return Action("grants.allow", {"service": service, "users": users})
    return Action("grants.include", {"service": service, "users": users}) if params.get("by") == "user" else None


def _network(known: Known) -> Judged:
    policy = known.policy
    return judge(
        known.service,
        known.published,
        network=policy.network,
        held_to=policy.pins.get(known.service),
        edition=EDITIONS[policy.registry.tenant.edition],
        at=known.at,
    )


def _data_group(known: Known) -> Judged:
    answer, notes = known.finding(DATA_GROUP)
    reason = Reason(*notes[0])
    if answer is Answer.PASSED:
        return Judged(state="done", reason=reason)
    if answer is Answer.NOT_EVALUATED:
        return Judged(state="unknown", reason=reason)
    asked = known.request.connectors
    ids = asked.ids() if isinstance(asked, Flow) else asked or frozenset()
    arguments: dict[str, Detail] = {"connectors": tuple(sorted(ids)), "service": known.service}
    return Judged(state="missing", reason=reason, remedy=Action("datagroups.remedy", arguments))


def _client(known: Known) -> Judged:
    params = {"service": known.service}
    good = [client for client in known.clients if client.profile.redirect_uris and _can_authenticate(client, known.at)]
    if good:
        return Judged(state="done", reason=Reason("readiness.client", {"client": good[0].id}))
    if known.clients:
        client = known.clients[0]
        bare = not client.profile.redirect_uris
        remedy = (
            Action("clients.change", {"client": client.id}, ("profile",))
            if bare
            else Action("clients.add_secret", {"client": client.id})
        )
        return Judged(state="missing", reason=Reason("readiness.client_unusable", {"client": client.id}), remedy=remedy)
    if known.live_client is not None:
        return Judged(state="done", reason=Reason("readiness.client", {"client": known.live_client}))
    if known.unseen is not None:
        return Judged(state="unknown", reason=known.unseen)
    remedy = Action("clients.register", params, ("profile",))
    return Judged(state="missing", reason=Reason("readiness.no_client", params), remedy=remedy)


def _can_authenticate(client: ClientRegistration, at: Instant) -> bool:
    methods = client.profile.methods
    secret = any(one.expires is None or at < one.expires for one in client.secrets)
    return "none" in methods or (bool(methods & BY_SECRET) and secret) or bool(client.keys)


def _consent(known: Known) -> Judged:
    for link in known.links:
        if not what_is_wrong(known.policy, link, known.at):
            params = {"service": known.service, "user": link.owner or ""}
            return Judged(state="done", reason=Reason("readiness.connected", params))
    params = {"service": known.service}
    if known.asked is None:
        if known.unseen is not None:
            return Judged(state="unknown", reason=known.unseen)
        return Judged(state="missing", reason=Reason("readiness.nobody_connected", params))
    # Of several that do not work, the one made last tells most, and one that nobody ended more than any other.
    told = min(
        known.links, key=lambda link: (link.state is not LinkState.LIVE, -link.accepted_at, link.id), default=None
    )
    missing: Note = ("link.missing", {**params, "user": known.asked})
    code, details = missing if told is None else what_is_wrong(known.policy, told, known.at)[0]
    return Judged(state="unknown" if code in NOT_KNOWN else "missing", reason=Reason(code, details))


def _last_call(known: Known) -> Judged:
    use = known.last_call
    if use is None:
        return Judged(state="unknown", reason=Reason("readiness.never_called", {"service": known.service}))
    params = {"service": known.service, "at": _shown(use.at)}
    return Judged(state="done", reason=Reason("readiness.called", params), evidence={"at": use.at, "from": use.address})


def _shown(at: Instant) -> str:
    return to_datetime(at).isoformat()


def _step(known: Known, step: SetupStep) -> Judged:
    said, use = known.confirmations.get(step.id), known.last_call
    if said is not None and said.holds:
        by = said.by or ""
        params = {"step": step.id, "user": by, "at": _shown(said.at)}
        shown = {"confirmed_by": said.by, "at": said.at}
        return Judged(state="done", reason=Reason("readiness.confirmed", params), evidence=shown)
    if use is not None and (said is None or use.at > said.at):
        reason = Reason("readiness.seen", {"step": step.id, "at": _shown(use.at)})
        return Judged(state="done", reason=reason, evidence={"seen": use.at})
    confirm = Action("services.confirm", {"service": known.service, "step": step.id})
    reason = Reason("readiness.unconfirmed", {"step": step.id})
    return Judged(state="unknown", reason=reason, remedy=confirm)


def _always(_: Known) -> bool:
    return True


def _calls_in(known: Known) -> bool:
    return known.calls_in


def _concerns_flows(known: Known) -> bool:
    return known.request.connectors is not None or known.policy.registry.tenant.requires_flow_connectors


class _Row(NamedTuple):
    name: str
    gate: Gate | None
    who: Who
    documents: tuple[DocumentKind, ...]
    judge: Callable[[Known], Judged]
    applies: Callable[[Known], bool] = _always


TABLE: Final[tuple[_Row, ...]] = (
    _Row("available", "service", "nobody", ("service",), _available),
    _Row("registered", "service", "common_administrator", (), _registered),
    _Row("enabled", "service", "common_administrator", (), _enabled),
    _Row("users", "user", "common_administrator", (), _users),
    _Row(
        "network",
        "network",
        "access_administrator",
        ("addresses", "ip_restriction"),
        _network,
        _calls_in,
    ),
    _Row("data_group", "data_group", "service_administrator", ("data_group",), _data_group, _concerns_flows),
    _Row("client", None, "common_administrator", (), _client, _calls_in),
    _Row("consent", None, "user", ("account_page",), _consent),
    _Row("last_call", None, "user", (), _last_call),
)
# The steps outside stand before these: STEP 2 once there is something to connect with, all others before it.
_BEFORE: Final[Mapping[str, frozenset[Stage]]] = MappingProxyType(
    {"client": frozenset({"before", "step1"}), "consent": frozenset({"step2"})}
)


def checklist(known: Known) -> Readiness:
    """Return the checklist of one service, in order.

    Law 8: the items of the gates are done if and only if the published set, as far as the edition can express it, is
    not empty and there is a permitted user whom `evaluate` without the link gate allows from every address of it.

    Args:
        known: what it rests on; the user that is named there is `permitted` if and only if `usable_scopes` finds
            something.
    """
    edition = known.policy.registry.tenant.edition
    items: list[Item] = []
    for row in TABLE:
        items.extend(_outside(known, _BEFORE.get(row.name, frozenset())))
        if row.applies(known):
            said = row.judge(known)
            item = _item(known, row.name, named(row.name, edition), row.documents, said, row.gate)
            items.append(attrs.evolve(item, who=said.who or _role(row, said)))
    return Readiness(service=known.service, edition=edition, user=known.asked, items=_waiting(items))


def _role(row: _Row, said: Judged) -> Who:
    return row.who if said.state == "done" else who(said.reason.code)


def _outside(known: Known, stages: frozenset[Stage]) -> list[Item]:
    edition, definition = known.policy.registry.tenant.edition, known.definition
    steps = () if definition is None else definition.steps_in(edition)
    found: list[Item] = []
    for step in steps:
        if step.known_from == "confirmation" and step.stage in stages:
            item = _item(
                known, f"step:{step.id}", spelled(step.text, edition), sorted(step.documents), _step(known, step)
            )
            found.append(attrs.evolve(item, who=step.who))
    return found


def _item(
    known: Known,
    name: str,
    titles: LocalizedText,
    documents: Iterable[DocumentKind],
    said: Judged,
    gate: Gate | None = None,
) -> Item:
    edition, definition = known.policy.registry.tenant.edition, known.definition
    kinds = () if definition is None else documents
    return Item(
        name=name,
        titles=titles,
        state=said.state,
        who="nobody",
        reason=said.reason,
        gate=gate,
        links=tuple(link for kind in kinds if definition is not None for link in definition.documents(kind, edition)),
        evidence=said.evidence,
        advice=said.advice,
        remedy=said.remedy,
    )


def _waiting(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return the items, each that is not done with the first earlier one that is missing."""
    found: list[Item] = []
    first: str | None = None
    for item in items:
        found.append(item if item.state == "done" else attrs.evolve(item, waits=first))
        if first is None and item.state in {"missing", "cannot"}:
            first = item.name
    return tuple(found)
