"""Pinning one link to the ranges that its service publishes (F5): who may, and that it holds at the next check."""

from __future__ import annotations

import pytest

from extlink import links, networks
from extlink.domain.link import LinkState
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.runtime import Tenant
from tests.hosts import CLIENT, SERVICE, Host, codes, refusal

INSIDE = "20.37.194.9"
AWAY = "198.51.100.9"


def connected(*, applies: str = "links") -> tuple[Host, str, Secret]:
    """Return a host whose service publishes a range, with a link and its token."""
    host = Host.prepared()
    tokens = host.connect()
    host.admin.run(networks.pin(SERVICE, ["20.37.194.0/24"], applies=applies))  # type: ignore[arg-type]
    return host, tokens.link, tokens.access_token


def by(host: Host, who: str) -> Tenant:
    """Return the tenant for the owner, an administrator or the host."""
    return {"owner": host.user(), "administrator": host.admin}.get(who) or host.tenant.acting_as("ops", roles={"host"})


@pytest.mark.parametrize("who", ["owner", "administrator", "host"])
def test_a_pinned_link_works_from_the_published_ranges_alone(who: str) -> None:
    """And from anywhere again once it is unpinned; each is recorded once."""
    host, link, token = connected()
    before = codes(host.check(token, address=AWAY))
    pinned = by(host, who).run(links.pin(link))
    held = codes(host.check(token, address=AWAY)), codes(host.check(token, address=INSIDE))
    assert pinned == by(host, who).run(links.pin(link))
    lifted = by(host, who).run(links.unpin(link))
    assert lifted == by(host, who).run(links.unpin(link))

    assert (True, False) == (pinned.pinned, lifted.pinned)
    assert () == before == codes(host.check(token, address=AWAY))
    assert (("network.not_published",), ()) == held
    details = {"service": SERVICE, "user": "sato", "link": link}
    assert [("link.pinned", details), ("link.unpinned", details)] == [
        (entry.event, entry.details) for entry in host.entries() if entry.event in {"link.pinned", "link.unpinned"}
    ]


def test_a_link_without_ranges_is_refused() -> None:
    """Forgotten ranges end no link: it is refused until there are some again."""
    host, link, token = connected()
    host.user().run(links.pin(link))
    host.admin.run(networks.unpin(SERVICE))
    without = codes(host.check(token, address=INSIDE))
    host.admin.run(networks.pin(SERVICE, ["20.37.194.0/24"], applies="links"))

    assert ("network.ranges_unknown",) == without
    assert host.check(token, address=INSIDE)


def test_a_link_cannot_be_pinned_to_nothing() -> None:
    """Before the ranges are known it would only stop."""
    host = Host.prepared()
    link = host.connect().link

    assert Reason("network.ranges_unknown", {"service": SERVICE}) == refusal(host.user(), links.pin(link))
    assert not host.user().run(links.unpin(link)).pinned


def test_unpinning_a_link_leaves_the_rule_of_its_service() -> None:
    """What an administrator requires of all calls no owner lifts."""
    host, link, token = connected(applies="service")
    host.user().run(links.pin(link))
    host.user().run(links.unpin(link))

    assert ("network.not_published",) == codes(host.check(token, address=AWAY))


def test_somebody_elses_link_is_unknown() -> None:
    """To who is neither owner nor administrator."""
    host, link, _ = connected()
    before = host.dump()

    for operation in (links.pin(link), links.unpin(link)):
        assert Reason("link.unknown", {"link": link}) == refusal(host.user("tanaka"), operation)
    assert before == host.dump()


def test_a_link_that_has_ended_stays_as_it_is() -> None:
    """Revoked is final: nothing is written any more."""
    host, link, _ = connected()
    host.user().run(links.revoke(link))
    before = host.dump()
    ended = host.user().run(links.pin(link))

    assert (LinkState.REVOKED, False) == (ended.state, ended.pinned)
    assert before == host.dump()


def test_a_link_stays_pinned_when_its_tokens_are_renewed() -> None:
    """The requirement belongs to the link, not to a token."""
    host = Host.prepared()
    tokens = host.connect()
    host.admin.run(networks.pin(SERVICE, ["20.37.194.0/24"], applies="links"))
    host.user().run(links.pin(tokens.link))
    renewed = host.tenant.run(links.refresh(tokens.refresh_token, client=CLIENT, address=INSIDE))
    refused = host.tenant.run(links.refresh(tokens.refresh_token, client=CLIENT, address=AWAY))

    assert not refused
    assert ("network.not_published",) == tuple(reason.code for reason in refused.reasons)  # type: ignore[union-attr]
    assert ("network.not_published",) == codes(host.check(renewed.access_token, address=AWAY))  # type: ignore[union-attr]
