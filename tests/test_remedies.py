"""Remedies as operations: carried out on a real hub they end in permission, and none of them is superfluous (law 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count as count_from
from typing import Any

import pytest

from extlink import access, catalog, clients, grants, networks, services
from extlink.domain.address import parse_range
from extlink.domain.client import Client
from extlink.domain.decision import Decision
from extlink.domain.network import IPRestriction, Row
from extlink.errors import InvalidInput
from extlink.remedies import Action, Remedy, operation_of, request_of
from tests.hosts import SERVICE, Host
from tests.operations import SERVICE_TAGS
from tests.remedy_stories import AUTOMATE, Stage, definition, stories

REFUSALS = 5_000
DEEP_REFUSALS = 100_000

Subject = Callable[[Decision], Sequence[Remedy]]


def carried_out(stage: Stage, remedies: Sequence[Remedy]) -> tuple[list[bool], bool]:
    """Return which remedies were accepted, in their order, and whether the question is allowed then."""
    there = stage.copied()
    accepted = [there.do(one) for one in remedies]
    return accepted, bool(there.decide())


def problems(count: int, subject: Subject = lambda decision: decision.remedies) -> tuple[Counter[str], Counter[int]]:
    """Return what goes wrong with the remedies of some refusals, and how many plans there were of each size."""
    found: Counter[str] = Counter()
    sizes: Counter[int] = Counter()
    for stage in (one for number in count_from(0) for one in stories(number)):
        decision = stage.decide()
        if decision.allowed:
            continue
        if sizes.total() == count:
            break
        remedies = subject(decision)
        sizes[len(remedies)] += 1
        if not remedies:
            found["no reason why not"] += not decision.unfixable
            continue
        accepted, allowed = carried_out(stage, remedies)
        found[f"not accepted: {[one.action.name for one in remedies if one.action]} {accepted}"] += not all(accepted)
        found["unsound"] += not allowed
        # Without its only step a plan is the refusal itself.
        for place in range(len(remedies) if len(remedies) > 1 else 0):
            _, still = carried_out(stage, [*remedies[:place], *remedies[place + 1 :]])
            found["redundant"] += still
    return +found, sizes


def too_few(decision: Decision) -> Sequence[Remedy]:
    """Broken twin: the last step is forgotten."""
    return decision.remedies[:-1] if len(decision.remedies) > 1 else decision.remedies


def too_many(decision: Decision) -> Sequence[Remedy]:
    """Broken twin: the service is switched on, whether or not it is off."""
    enable = Remedy("service.disabled", action=Action("services.enable", {"service": "automate"}))
    return (enable, *decision.remedies) if decision.remedies else ()


@pytest.mark.parametrize(("twin", "fault"), [(too_few, "unsound"), (too_many, "redundant")])
def test_a_broken_twin_is_found_out(twin: Subject, fault: str) -> None:
    """The same check sees a plan that stops short, and one with a step for nothing."""
    found, _ = problems(60, twin)

    assert found[fault]


def test_what_is_no_remedy_has_no_operation() -> None:
    """An operation that switches the restriction off is made of nothing that is called a remedy."""
    assert [None, None] == [
        operation_of(Remedy("network.deny_all", action=Action(name)))
        for name in ("networks.allow_all", "outside.connect")
    ]
    assert operation_of(Remedy("grant.missing")) is None


def test_a_definition_is_registered_if_somebody_has_it() -> None:
    """With the operations that are asked for; otherwise it is a step outside."""
    remedy = Remedy(
        "service.unknown", action=Action("services.register", {"service": "slack", "scopes": ("chat:write",)})
    )
    lacking = Remedy("service.unknown", action=Action("services.register", {"service": "slack", "scopes": ("no",)}))
    everything = [catalog.POWER_AUTOMATE, catalog.SLACK]

    assert operation_of(remedy, definitions=everything) == services.register(catalog.SLACK)
    assert [None, None] == [operation_of(remedy), operation_of(lacking, definitions=everything)]


def test_what_a_checklist_names_is_made_as_well() -> None:
    """From a new tenant on, each of its operations is made and accepted; what is left to choose is not made up."""
    host = Host.make()
    made: list[str] = []
    for _ in range(9):
        found = host.admin.run(access.readiness(catalog.POWER_AUTOMATE, ranges=[SERVICE_TAGS]))
        open_ones = [one.remedy for one in found.items if one.remedy is not None and one.waits is None]
        operations = [operation_of(one, definitions=[catalog.POWER_AUTOMATE]) for one in open_ones]
        if found.next is not None and found.next.name == "users":
            assert [None] == operations[:1]
            host.admin.run(grants.allow(SERVICE, users=["sato"]))
            host.admin.run(networks.restrict(["203.0.113.0/24"]))
            continue
        for one in operations[:1]:
            if one is not None:
                host.admin.run(one)
                made.append(one.name)

    assert ["services.register", "services.enable", "networks.add", "services.confirm"] == made
    assert operation_of(Action("clients.add_secret", {"client": "c1"})) == clients.add_secret("c1")
    held = Action("networks.pin", {"service": "slack", "rows": ("203.0.113.0/24",)})
    assert operation_of(held) == networks.pin("slack", ["203.0.113.0/24"])


def test_a_row_that_is_everything_stays_what_it_is() -> None:
    """It was saved under its name once: restricting again does not ask for it a second time."""
    everything = Row(range=parse_range("0.0.0.0/0", allow_everything=True))
    network = IPRestriction("deny_all", [everything])
    remedy = Remedy(
        "network.deny_all", action=Action("networks.restrict", {"rows": (everything,), "expected": network})
    )

    assert operation_of(remedy) == networks.restrict([everything], expected=network, including_all_addresses=True)


def test_a_user_can_ask_for_a_grant_and_for_nothing_else() -> None:
    """What the user may not do is asked of those who may."""
    grant = Remedy("grant.missing", action=Action("grants.allow", {"service": "slack", "users": ("sato",)}))

    assert grants.ask("slack") == request_of(grant)
    assert [None, None] == [
        request_of(Remedy("service.disabled", action=Action("services.enable", {"service": "slack"}))),
        request_of(Remedy("grant.missing")),
    ]


@pytest.mark.parametrize("make", [operation_of, request_of])
def test_what_is_no_remedy_is_refused(make: Callable[[Any], object]) -> None:
    """An argument error names the argument."""
    with pytest.raises(InvalidInput, match="remedy: expected a Remedy, got str"):
        make("grants.allow")


@pytest.mark.parametrize(
    "action",
    [
        Action("grants.allow"),
        Action("grants.allow", {"service": 7, "users": 7}),
        Action("grants.include", {"service": "slack"}),
        Action("services.register", {"service": "slack", "scopes": 7}),
        Action("networks.restrict", {"rows": ["203.0.113.7"], "expected": None}),
        Action("networks.restrict", {"rows": 7, "expected": None}),
        Action("datagroups.set_policy", {"policy": "C"}),
    ],
)
def test_made_up_arguments_are_refused(action: Action) -> None:
    """A remedy that somebody wrote by hand is an error of the caller, never one of ours."""
    with pytest.raises(InvalidInput):
        operation_of(Remedy("grant.missing", action=action))


def test_a_request_needs_a_service() -> None:
    """A remedy that somebody wrote by hand may lack it."""
    with pytest.raises(InvalidInput, match="service"):
        request_of(Remedy("grant.missing", action=Action("grants.allow")))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Action(7), "name"),  # type: ignore[arg-type]
        (lambda: Action("a", 7), "arguments"),  # type: ignore[arg-type]
        (lambda: Remedy("a", action="b"), "action"),  # type: ignore[arg-type]
        (lambda: Remedy("a", links=7), "links"),  # type: ignore[arg-type]
    ],
)
def test_the_parts_of_a_remedy_are_what_they_say(make: Callable[[], object], field: str) -> None:
    """Anything else is an argument error that names the part."""
    with pytest.raises(InvalidInput, match=f"^{field}: expected"):
        make()


def test_definitions_are_definitions() -> None:
    """Anything else is refused."""
    with pytest.raises(InvalidInput, match="definitions: expected a Service, got str"):
        operation_of(Remedy("link.expired"), definitions=["slack"])  # type: ignore[list-item]


def test_a_link_that_another_can_stand_in_for_is_not_mended() -> None:
    """A flow that an older link could carry needs an address and no new consent, though the newest permits less."""
    stage = Stage.opened("JP", ["kintone"])
    stage.run(services.register(definition()))
    stage.run(services.enable(AUTOMATE))
    stage.run(grants.allow(AUTOMATE, users=["sato"]))
    stage.connect(("read", "write"))
    stage.clock.advance(1)
    stage.client = Client("another-client")
    stage.connect(("read",))
    stage.run(networks.restrict(["192.0.2.0/24"]))

    decision = stage.run(
        access.check_flow(AUTOMATE, user="sato", trigger="kintone", action="chat", scope="write", address="203.0.113.7")
    )

    assert ["networks.add"] == [one.action.name for one in decision.remedies if one.action is not None]


@pytest.mark.slow
def test_remedies_work_on_a_real_hub(deep: bool) -> None:
    """Each is accepted in its turn, the request is allowed in the end, and without any one of them it is refused."""
    found, sizes = problems(DEEP_REFUSALS if deep else REFUSALS)

    assert {} == found
    assert all(sizes[size] > 50 for size in range(5))
