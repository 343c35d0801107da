"""The smallest ordered steps that turn a refusal into permission, or the reasons for which there are none (law 6).

Rules: one table says for every reason of every gate which steps put it right; what is in neither column does not
refuse. Every plan is judged by the function that refused. The first reason in the way decides which steps
come next, so a plan puts the service right before the user, and the user before the link: it can be carried out in its
order. Plans grow by one step at a time, so the first that ends in permission is a smallest one, and nothing in a
smallest one is superfluous.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, cast

from extlink.domain import cure_steps as steps
from extlink.domain.cure_steps import Case, Step
from extlink.domain.decision import Cure, Decision
from extlink.domain.edition import EDITIONS
from extlink.domain.identifier import ServiceId
from extlink.domain.policy import AccessRequest, Policy
from extlink.domain.reason import Reason
from extlink.domain.remedy import Action, Remedy
from extlink.domain.remedy_actions import pages_of
from extlink.domain.service import DocumentKind
from extlink.domain.unfixable import UNFIXABLE

__all__ = ["CURES", "cure"]

_Candidates = Callable[[Case], Iterable[Step | Reason]]
_Judge = Callable[[Policy, AccessRequest], Decision]

# What puts a reason right: any one of its steps. Of two that are as few, the first is taken.
CURES: Final[Mapping[str, tuple[_Candidates, ...]]] = MappingProxyType(
    {
        "service.unknown": (steps.register,),
        "service.product_missing": (steps.subscribe,),
        "service.not_enabled": (steps.enable,),
        "service.disabled": (steps.enable,),
        "scope.unknown": (steps.register,),
        "user.unknown": (steps.add_user,),
        "user.suspended": (steps.resume_user, steps.activate_user),
        "user.product_missing": (steps.give_product,),
        "grant.missing": (steps.allow,),
        "grant.over": (steps.allow,),
        "grant.scope_not_granted": (steps.allow,),
        "grant.excluded": (steps.include,),
        "network.address_not_allowed": (steps.add_address,),
        "network.deny_all": (steps.restrict,),
        "datagroup.blocked": (steps.move,),
        "datagroup.mixed": (steps.move,),
        "link.missing": (steps.connect,),
        "link.revoked": (steps.connect,),
        "link.ended": (steps.connect,),
        "link.suspended": (steps.resume_link, steps.connect),
        "link.not_redeemed": (steps.connect,),
        "link.expired": (steps.connect,),
        "link.dormant": (steps.connect,),
        "client.removed": (steps.connect,),
        "scope.not_covered": (steps.connect,),
        "token.unknown": (steps.connect,),
        "token.expired": (steps.present, steps.connect),
        "token.superseded": (steps.present, steps.connect),
        "token.wrong_kind": (steps.present, steps.connect),
        "token.wrong_audience": (steps.connect,),
    }
)

# Which document of the service explains what no page of the host's own help does.
_PAGES: Final[Mapping[str, DocumentKind]] = MappingProxyType(
    {
        "datagroups.set_policy": "data_group",
        "outside.connect": "account_page",
    }
)


class _Planned(NamedTuple):
    """What was done so far, and how everything stands after it."""

    remedies: tuple[Remedy, ...]
    policy: Policy
    request: AccessRequest


def cure(policy: Policy, request: AccessRequest, judge: _Judge) -> Cure:
    """Return what puts a refusal right: a smallest ordered plan whose end is allowed, or why there is none.

    Args:
        policy, request: what was asked, and of what.
        judge: what decides, here as there: `evaluate`.
    """
    waiting = deque([_Planned((), policy, request)])
    seen: set[frozenset[Action]] = set()
    stuck: dict[Reason, None] = {}
    while waiting:
        plan = waiting.popleft()
        reached = judge(plan.policy, plan.request)
        if reached.allowed:
            return Cure(plan.remedies)
        for found in _first_steps(plan, reached.reasons, judge):
            if isinstance(found, Reason):
                stuck[found] = None
                continue
            remedy, step = found
            done = frozenset(one.action for one in (*plan.remedies, remedy) if one.action is not None)
            if len(done) > len(plan.remedies) and done not in seen:
                seen.add(done)
                waiting.append(_Planned((*plan.remedies, remedy), step.policy, step.request))
    return Cure(unfixable=tuple(stuck))


def _first_steps(plan: _Planned, reasons: tuple[Reason, ...], judge: _Judge) -> Iterator[tuple[Remedy, Step] | Reason]:
    """Yield what may come next: the steps for the first reason in the way, or what nothing can be done about."""
    hopeless = [one for one in reasons if one.code in UNFIXABLE]
    if hopeless:
        yield from hopeless
        return
    # A question about no service is hopeless, so there is one.
    case = Case(plan.policy, plan.request, cast("ServiceId", plan.request.service), reasons[0].params)
    found = [one for candidates in CURES.get(reasons[0].code, ()) for one in candidates(case)]
    if not found:
        yield reasons[0]
    for one in found:
        if isinstance(one, Reason):
            yield one
            continue
        before = None if one.needs is None else judge(plan.policy, one.needs)
        if before is None or before.allowed:
            yield _remedy(plan.policy, one.said or reasons[0], one.action, case.service), one
        else:
            yield from _first_steps(plan, before.reasons, judge)


def _remedy(policy: Policy, reason: Reason, action: Action, service: ServiceId) -> Remedy:
    return Remedy(reason.code, reason.params, action=action, links=_links(policy, action, service))


def _links(policy: Policy, action: Action, service: ServiceId) -> Mapping[str, str]:
    """Return the pages that explain an action: the edition's own, or what the service's definition names."""
    kind = _PAGES.get(action.name)
    known = policy.registry.services.get(service)
    if kind is None or known is None:
        return pages_of(action)
    pages = {name: known.service.documents(kind, name) for name in EDITIONS}
    return {name: found[0].url for name, found in pages.items() if found}
