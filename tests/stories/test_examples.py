"""The two examples of the help page, through every gate (S7, TRACE T3).

Each is allowed when every gate passes, and refused with exactly that gate's code when any one gate is broken - asked
as a flow, as the call that the service makes, and, for the one that starts in the host, as a delivery.
"""

from __future__ import annotations

import gzip
import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import pytest

from extlink import access, catalog, datagroups, feeds, grants, links, networks, services, triggers, users
from extlink.catalog import ExampleFlow
from extlink.catalog.connectors import KINTONE
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision
from extlink.domain.edition import Edition
from extlink.domain.network import Row
from extlink.domain.service import Service
from extlink.domain.subscription import Subscription
from extlink.domain.token_ledger import TokenSet
from tests.people import POWER, READ, WRITE, World, codes, world

ROOT: Final = Path(__file__).resolve().parents[2]
OTHER: Final = {READ: WRITE, WRITE: READ}
Break = Callable[[World, TokenSet, ExampleFlow], object]


def published() -> tuple[Row, ...]:
    """Return the IPv4 rows of AzureConnectors as the example file publishes them."""
    tags = feeds.read_service_tags((ROOT / "docs/examples/ServiceTags_example.json").read_bytes())
    return tuple(row for row in feeds.rows_of(tags, "AzureConnectors") if row.range.version == 4)


AZURE: Final = published()[0].text.partition("/")[0]


def ready(example: ExampleFlow, edition: Edition = "JP", rows: tuple[Row, ...] = ()) -> tuple[World, TokenSet]:
    """Return a host in which everything is set for an example: user, addresses, data group, link."""
    made = world(edition=edition)
    made.run(grants.allow(POWER, organizations=["sales"], scope="subtree"))
    if edition != "CN":
        made.run(networks.restrict(["203.0.113.0/24", *(rows or published())]))
    made.run(datagroups.set_policy(DataPolicy(id="standard", business=example.connectors)))
    return made, made.connect("sato", scopes=example.scope)


# What breaks one gate, and the code that alone may come of it; a quarantine ends links as well, by what it means.
BROKEN: Final[dict[str, tuple[Break, tuple[str, ...]]]] = {
    "service disabled": (lambda made, *_: made.run(services.disable(POWER)), ("service.disabled",)),
    "service unavailable": (
        lambda made, *_: made.run(services.register(_unavailable())),
        ("service.unavailable",),
    ),
    "quarantined everywhere": (lambda made, *_: _quarantined(made), ("service.quarantined_everywhere", "link.ended")),
    "user on leave": (lambda made, *_: made.run(users.suspend("sato", existing="suspend")), ("user.suspended",)),
    "user suspended by the directory": (lambda made, *_: made.people.suspend("sato"), ("user.suspended",)),
    "user unknown": (lambda made, *_: _forgotten(made), ("user.unknown",)),
    "user without the product": (
        lambda made, *_: made.people.change_user("sato", products=[]),
        ("user.product_missing",),
    ),
    "directory silent": (lambda made, *_: setattr(made.directory, "down", True), ("directory.unavailable",)),
    "grant withdrawn": (
        lambda made, *_: made.run(grants.withdraw(POWER, organizations=["sales"], existing="suspend")),
        ("grant.missing",),
    ),
    "moved to another organization": (
        lambda made, *_: made.people.change_user("sato", organizations=["tech"]),
        ("grant.missing",),
    ),
    "excluded": (
        lambda made, *_: made.run(grants.exclude(POWER, groups=["staff"], existing="suspend")),
        ("grant.excluded",),
    ),
    "address not allowed": (
        lambda made, *_: made.run(networks.restrict(["203.0.113.0/24"])),
        ("network.address_not_allowed",),
    ),
    "every address denied": (
        lambda made, *_: made.run(networks.deny_all(even_if_it_locks_me_out=True)),
        ("network.deny_all",),
    ),
    "connectors mixed": (lambda made, tokens, example: _apart(made, example), ("datagroup.mixed",)),
    "connector blocked": (
        lambda made, tokens, example: made.run(
            datagroups.set_policy(
                DataPolicy(
                    id="standard",
                    business=example.connectors - {KINTONE},
                    default="business",
                    blocked={KINTONE},
                )
            )
        ),
        ("datagroup.blocked",),
    ),
    "link revoked": (lambda made, tokens, _: made.user("sato").run(links.revoke(tokens.link)), ("link.revoked",)),
    "link paused": (lambda made, tokens, _: made.run(links.suspend(tokens.link)), ("link.suspended",)),
    "all links of the user ended": (lambda made, *_: made.run(links.revoke_all(user="sato")), ("link.ended",)),
    "all links of the service ended": (lambda made, *_: made.run(links.revoke_all(service=POWER)), ("link.ended",)),
}
NETWORK: Final = {"address not allowed", "every address denied"}


def _unavailable() -> Service:
    return attrs.evolve(catalog.POWER_AUTOMATE, availability=catalog.GOOGLE_HANGOUTS_CHAT.availability)


def _quarantined(made: World) -> None:
    made.hub.host().run(services.quarantine_everywhere(POWER, "breach"))


def _forgotten(made: World) -> None:
    # Without memberships only a grant by name is left, so that nothing but the directory stands in the way.
    made.allow("sato")
    made.people.remove_user("sato")


def _apart(made: World, example: ExampleFlow) -> None:
    policy = DataPolicy(id="standard", business={example.trigger_connector}, non_business={example.action_connector})
    made.run(datagroups.set_policy(policy))


EXAMPLES: Final = pytest.mark.parametrize("example", catalog.EXAMPLE_FLOWS, ids=lambda one: one.id)


def as_flow(made: World, tokens: TokenSet, example: ExampleFlow) -> Decision:
    """Ask for the flow of an example."""
    return made.tenant.run(
        access.check_flow(
            POWER,
            user="sato",
            trigger=example.trigger_connector,
            action=example.action_connector,
            scope=example.scope,
            address=AZURE,
        )
    )


def as_call(made: World, tokens: TokenSet, example: ExampleFlow) -> Decision:
    """Ask for the call that the service makes with its token."""
    return made.tenant.run(
        access.check(tokens.access_token, scope=example.scope, address=AZURE, connectors=example.connectors)
    )


ASKED: Final = pytest.mark.parametrize("ask", [as_flow, as_call])


@EXAMPLES
@ASKED
@pytest.mark.parametrize("edition", ["JP", "US", "CN"])
def test_allowed_when_every_gate_passes(
    example: ExampleFlow, ask: Callable[[World, TokenSet, ExampleFlow], Decision], edition: Edition
) -> None:
    """A9, A10: with user, address, data group and link in order the example runs, and every gate says why."""
    made, tokens = ready(example, edition)

    decision = ask(made, tokens, example)

    assert decision.allowed
    network = "network.allow_all" if edition == "CN" else "network.row"
    assert ["service.enabled", "grant.organization", network, "datagroup.same_group", "link.live"] == [
        reason.code for reason in decision.evidence
    ]


@EXAMPLES
@ASKED
@pytest.mark.parametrize("name", BROKEN)
def test_refused_with_exactly_that_gates_code(
    example: ExampleFlow, ask: Callable[[World, TokenSet, ExampleFlow], Decision], name: str
) -> None:
    """T3: of all gates one is broken, and its code is the only reason."""
    break_it, wanted = BROKEN[name]
    made, tokens = ready(example)
    assert ask(made, tokens, example)

    break_it(made, tokens, example)

    # A link that was ended by hand has left the user's list, so the flow finds none.
    expected = ("link.missing",) if (ask, wanted) == (as_flow, ("link.revoked",)) else wanted
    assert expected == codes(ask(made, tokens, example))


@EXAMPLES
@ASKED
def test_refused_over_a_link_that_covers_something_else(
    example: ExampleFlow, ask: Callable[[World, TokenSet, ExampleFlow], Decision]
) -> None:
    """A8: a link that covers the other direction is refused `scope.not_covered`."""
    made, _ = ready(example)
    tokens = made.connect("sato", scopes=OTHER[example.scope])

    assert ("scope.not_covered",) == codes(ask(made, tokens, example))


@EXAMPLES
def test_refused_without_a_link(example: ExampleFlow) -> None:
    """A flow of somebody who never connected: `link.missing`."""
    made, tokens = ready(example)
    made.run(links.revoke_all(user="sato", service=POWER))

    assert ("link.missing",) == codes(as_flow(made, tokens, example))


@EXAMPLES
def test_refused_with_an_expired_token(example: ExampleFlow) -> None:
    """A token lives an hour; the flow itself goes on with the next one."""
    made, tokens = ready(example)
    made.clock.advance(3_600)

    assert ("token.expired",) == codes(as_call(made, tokens, example))
    assert as_flow(made, tokens, example)
    assert as_call(made, made.refreshed(tokens), example)


RECORD_ADDED: Final = next(one for one in catalog.EXAMPLE_FLOWS if one.trigger)


@pytest.mark.parametrize("name", [name for name in BROKEN if name not in NETWORK])
def test_the_second_example_as_a_delivery(name: str) -> None:
    """T3: the trigger is registered over the link, and asked about again before each delivery; A10."""
    break_it, wanted = BROKEN[name]
    made, tokens = ready(RECORD_ADDED)
    assert RECORD_ADDED.trigger is not None
    one = made.tenant.run(
        triggers.subscribe(
            tokens.access_token, trigger=RECORD_ADDED.trigger, connectors=RECORD_ADDED.connectors, address=AZURE
        )
    )
    assert isinstance(one, Subscription)
    assert made.tenant.run(triggers.check_delivery(one.link, one.id))

    break_it(made, tokens, RECORD_ADDED)

    assert wanted == codes(made.tenant.run(triggers.check_delivery(one.link, one.id)))


@pytest.mark.parametrize("name", sorted(NETWORK))
def test_a_delivery_needs_no_address(name: str) -> None:
    """T2: the host calls the service, so the IP restriction does not apply."""
    made, tokens = ready(RECORD_ADDED)
    one = made.tenant.run(
        triggers.subscribe(
            tokens.access_token, trigger="record_added", connectors=RECORD_ADDED.connectors, address=AZURE
        )
    )
    assert isinstance(one, Subscription)
    BROKEN[name][0](made, tokens, RECORD_ADDED)

    assert made.tenant.run(triggers.check_delivery(one.link, one.id))


@EXAMPLES
def test_from_every_range_that_is_really_published(example: ExampleFlow, realdata: Path) -> None:
    """With Microsoft's own file: allowed from the first and last address of each published IPv4 range, not beyond."""
    files = sorted((realdata / "servicetags").glob("ServiceTags_Public_*.json.gz"))
    tags = feeds.read_service_tags(gzip.decompress(files[-1].read_bytes()))
    rows = tuple(row for row in feeds.rows_of(tags, "AzureConnectors") if row.range.version == 4)
    made, tokens = ready(example, rows=rows)
    blocks = [ipaddress.ip_network(row.text) for row in rows]
    for block in blocks[:: max(1, len(blocks) // 50)]:
        for address in (block[0], block[-1]):
            assert made.check(tokens, scope=example.scope, address=str(address)), address
        beyond = block[-1] + 1
        inside = any(beyond in one for one in blocks)
        assert inside is bool(made.check(tokens, scope=example.scope, address=str(beyond))), beyond
