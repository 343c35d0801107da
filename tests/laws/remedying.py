"""What could be done about a refusal, whatever its reasons are: the yardstick for remedies (law 6).

Where `cure` goes by the reasons, here everything is tried: each thing that can be done in a state, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from extlink.domain import cure_steps as steps
from extlink.domain.access import AccessRequest, Policy, evaluate, is_allowed
from extlink.domain.cure_steps import Case, Step
from extlink.domain.decision import Cure
from extlink.domain.grant import Rules, UserRules
from extlink.domain.link import LinkState
from extlink.domain.reason import Reason
from extlink.domain.registry import ServiceState, unusable_definition
from extlink.domain.remedy import Action

__all__ = ["FORBIDDEN", "State", "exhausted", "faults", "possible", "replayed"]

State = tuple[Policy, AccessRequest]
# What switches a restriction off, lifts an emergency stop or goes round a rule.
FORBIDDEN: Final = frozenset(
    {
        "networks.allow_all",
        "networks.reset",
        "networks.unpin",
        "links.unpin",
        "services.release",
        "services.release_everywhere",
        "services.set_default",
        "datagroups.remove_policy",
        "datagroups.require_flow_connectors",
    }
)


def possible(policy: Policy, request: AccessRequest) -> list[Step]:
    """Return every step that can be taken now: what an operation would refuse is none, nor what has to wait."""
    found = (one for one in _tried(policy, request) if isinstance(one, Step))
    return [one for one in found if one.needs is None or is_allowed(policy, one.needs)]


def _tried(policy: Policy, request: AccessRequest) -> Iterator[Step | Reason]:
    if request.service is None:
        return
    case = Case(policy, request, request.service, {})
    known = policy.registry.services.get(request.service)
    if known is None or not request.scopes <= known.service.scope_names:
        yield from steps.register(case)
    if known is not None:
        yield from steps.subscribe(case)
        if not unusable_definition(known.service, policy.registry.tenant) and known.state in {
            ServiceState.UNCONFIGURED,
            ServiceState.DISABLED,
        }:
            yield from steps.enable(case)
        yield from _for_the_user(case)
        yield from _for_the_flow_and_the_link(case)
    yield from _for_the_network(case)


def _for_the_user(case: Case) -> Iterator[Step | Reason]:
    policy, user = case.policy, case.request.user
    person = None if user is None else policy.people.get(user)
    if user is None or (person is not None and not person.answered):
        return
    if person is None or person.member is None:
        yield from steps.add_user(case)
    else:
        yield from steps.activate_user(case)
        yield from steps.allow(case)
        for product in sorted({*case.known.service.scope_products.values()} - person.member.products):
            yield from steps.give_product(case._replace(params={"product": product}))
    if person is not None:
        yield from steps.resume_user(case)
    grants = policy.grants.get(case.service)
    if grants is not None:
        named, many = grants.users.get(user, UserRules()).excluded, grants.excluded
        for by in [*(["user"] if named.open else []), *_excluded(many)]:
            yield from steps.include(case._replace(params={"by": by}))


def _excluded(many: Rules) -> Iterator[str]:
    yield from (f"organization:{name}" for name, rule in many.organizations.items() if rule.open)
    yield from (f"group:{name}" for name, rule in many.groups.items() if rule.open)


def _for_the_network(case: Case) -> Iterator[Step | Reason]:
    address, network = case.request.address, case.policy.network
    if address is None or case.request.network != "applies" or network.mode == "allow_all":
        return
    try:
        network.admits(address)
    except ValueError:
        return
    here = case._replace(params={"address": address})
    if network.mode == "deny_all":
        yield from steps.restrict(here)
    elif not network.admits(address):
        yield from steps.add_address(here)


def _for_the_flow_and_the_link(case: Case) -> Iterator[Step | Reason]:
    request = case.request
    if request.flow == "applies" and request.connectors is not None:
        verdict = case.policy.data_groups.verdict(request.connectors, request.environment, request.flow_id)
        blocking = (policy for _, policies in verdict.blocked for policy in policies)
        for policy in sorted({*blocking, *(one.policy for one in verdict.mixed)}):
            yield from steps.move(case._replace(params={"policy": policy}))
    credential = request.credential
    if credential is not None:
        yield from steps.connect(case)
        if credential.link is not None and credential.link.state is LinkState.SUSPENDED:
            yield from steps.resume_link(case)
        yield from steps.present(case)


def replayed(state: State, actions: Sequence[Action]) -> State | None:
    """Return the state after some actions in their order, or None where one of them is not possible."""
    for action in actions:
        step = next((one for one in possible(*state) if one.action == action), None)
        if step is None:
            return None
        state = step.policy, step.request
    return state


def exhausted(state: State, depth: int) -> tuple[Action, ...] | None:
    """Return the fewest possible steps that end in permission, at most `depth` of them; None if there are none."""
    level: list[tuple[tuple[Action, ...], State]] = [((), state)]
    seen: set[frozenset[Action]] = set()
    for _ in range(depth):
        following: list[tuple[tuple[Action, ...], State]] = []
        for done, here in level:
            for step in possible(*here):
                actions = frozenset((*done, step.action))
                if actions in seen:
                    continue
                seen.add(actions)
                if is_allowed(step.policy, step.request):
                    return (*done, step.action)
                following.append(((*done, step.action), (step.policy, step.request)))
        level = following
    return None


def faults(state: State, found: Cure, *, depth: int) -> list[str]:
    """Return everything that is wrong with what was found for a refusal.

    Args:
        depth: how many steps are tried exhaustively at most; 0: none are.
    """
    actions = [one.action for one in found.remedies if one.action is not None]
    problems: list[str] = []
    if bool(found.remedies) is bool(found.unfixable):
        problems.append("either there are remedies or there is a reason why not")
    problems.extend(f"forbidden: {one.name}" for one in actions if one.name in FORBIDDEN)
    if actions:
        after = replayed(state, actions)
        if after is None or not evaluate(*after).allowed:
            problems.append("unsound")
        elif _mode(after) == "allow_all" != _mode(state):
            problems.append("forbidden: the restriction is off")
        for place in range(len(actions)):
            rest = replayed(state, [*actions[:place], *actions[place + 1 :]])
            if rest is not None and is_allowed(*rest):
                problems.append(f"redundant: {actions[place].name}")
    less = exhausted(state, min(depth, len(actions) - 1) if actions else depth)
    if less is not None:
        problems.append(f"fewer would do: {', '.join(one.name for one in less)}")
    return problems


def _mode(state: State) -> str:
    return state[0].network.mode
