"""Why does this link work, or not: an explanation without its token."""

from __future__ import annotations

from typing import Any

import pytest

from extlink import access, clients, grants, ledger, links, networks, services, users
from extlink.domain.decision import Decision
from extlink.errors import InvalidInput
from tests.hosts import REDIRECT, SCOPES, SERVICE, Host, codes, refusal
from tests.operations import Stage


def explained(host: Host, link: str, **facts: Any) -> Decision:
    """Ask about a link, wherever its calls come from."""
    return host.admin.run(access.explain(link=link, **{"network": "not_applicable", **facts}))


def test_a_link_that_works_is_explained() -> None:
    """Every gate, and the link itself as the evidence."""
    host = Host.prepared()
    link = host.connect().link

    decision = explained(host, link)

    assert decision.allowed
    assert ["service.enabled", "grant.organization", "link.live"] == [reason.code for reason in decision.evidence]


def test_what_stands_in_the_way_of_a_link_is_explained() -> None:
    """A pause, an exclusion, a revocation: today's reasons, and each day's of the past."""
    host = Host.prepared()
    link = host.connect().link
    found: list[tuple[str, ...]] = []
    positions: list[int] = []
    for change in (
        links.suspend(link),
        links.resume(link),
        grants.exclude(SERVICE, users=["sato"], existing="suspend"),
        grants.include(SERVICE, users=["sato"]),
        users.suspend("sato", existing="suspend"),
        users.resume("sato"),
        services.disable(SERVICE),
        links.revoke(link),
    ):
        host.clock.advance(60)
        host.admin.run(change)
        found.append(codes(explained(host, link)))
        positions.append(host.position())

    assert [
        ("link.suspended",),
        (),
        ("grant.excluded",),
        (),
        ("user.suspended",),
        (),
        ("service.disabled",),
        ("service.disabled", "link.revoked"),
    ] == found
    question = access.explain(link=link, network="not_applicable")
    assert found == [
        codes(host.admin.run(ledger.as_of(question, position=one, directory=host.directory))) for one in positions
    ]


def test_a_link_is_asked_for_what_it_covers() -> None:
    """All of it, unless something else is named; what it does not cover is said."""
    host = Host.prepared()
    link = host.connect(scopes=SCOPES[:1]).link

    assert explained(host, link)
    assert ("scope.not_covered",) == codes(explained(host, link, scope=SCOPES[1]))


def test_where_a_link_calls_from_counts() -> None:
    """The address, and the flow behind the call, are facts of the question as in any other."""
    host = Host.prepared()
    link = host.connect().link
    host.admin.run(networks.restrict(["203.0.113.0/24"]))

    assert explained(host, link, network="applies", address="203.0.113.9")
    assert ("network.address_not_allowed",) == codes(
        explained(host, link, network="applies", address="192.0.2.1", connectors=["shared_kintone"])
    )


def test_a_link_of_a_removed_client_is_explained() -> None:
    """No link that it made works any more."""
    stage = Stage.make()
    link = stage.endpoint.tokens.link
    stage.host.admin.run(clients.remove(stage.endpoint.registered.client.id))

    assert "client.removed" in codes(explained(stage.host, link))
    assert REDIRECT in stage.endpoint.registered.client.profile.redirect_uris


def test_a_link_that_nobody_has_is_unknown() -> None:
    """There is nothing to explain."""
    assert "link.unknown" == refusal(Host.prepared().admin, access.explain(link="AAAAAAAAAAAAAAAAAAAAAA")).code


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"link": "l", "user": "sato"}, "link: expected a link alone, or a service and a user"),
        ({"link": "l", "service": "slack"}, "link: expected a link alone, or a service and a user"),
        ({"service": "slack"}, "user: "),
        ({"user": "sato"}, "service: "),
        ({}, "service: "),
    ],
)
def test_a_link_or_a_service_and_a_user_are_asked_about(about: dict[str, Any], message: str) -> None:
    """Neither half of one nor both."""
    with pytest.raises(InvalidInput, match=message):
        access.explain(**about)
