from __future__ import annotations

from typing import Any

import pytest

from extlink import endpoints, grants, networks
from extlink.domain.decision import Refusal
from extlink.domain.token import link_id
from extlink.errors import InvalidInput
from extlink.oauth.credentials import ClientCredentials
from tests.hosts import ACME, SCOPES, SERVICE
from tests.oauth.kit import ISSUER, Site, error, members
from tests.operations import redemption

NOBODY = ClientCredentials(method="none", client_id="c1", proof=None)


@pytest.mark.parametrize("request_", [None, 7, "refresh_token", object()])
def test_a_request_is_one_of_two(request_: Any) -> None:
    """Anything else is an error of ours."""
    with pytest.raises(InvalidInput, match="request: expected a RefreshRequest"):
        endpoints.exchange(request_, NOBODY, issuer=ISSUER)


def test_an_introspection_is_worth_its_answer() -> None:
    """`bool` of it is whether the token is active."""
    site = Site.make()
    tokens = site.tokens()
    shown = ClientCredentials(method="client_secret_basic", client_id=site.client, proof=site.registered.secret)
    worth = [
        bool(site.host.tenant.run(endpoints.introspect(token, shown, issuer=ISSUER)))
        for token in (tokens["access_token"], "junk")
    ]

    assert [True, False] == worth


def test_a_token_that_no_record_knows_is_inactive() -> None:
    """Authentic, of this tenant, and of a link that is not there, as after a store was set back."""
    site = Site.make()
    ledger = site.host.hub._token_ledger(ACME)
    code, _ = ledger.issue_code(link_id(bytes(16)), bytes(20))

    assert {"active": False} == site.introspect(code.reveal())
    assert 200 == site.post("revoke", token=code.reveal()).status
    assert "invalid_grant" == error(site.redeem(code.reveal()))


def test_a_gate_that_closes_for_one_operation_takes_it_out_of_the_answer() -> None:
    """Of two scopes, the one whose product the user lost is not told to be worth anything."""
    site = Site.make()
    tokens = site.tokens(scope=" ".join(SCOPES))
    assert set(SCOPES) == set(site.introspect(tokens["access_token"])["scope"].split())
    site.host.admin.run(grants.exclude(SERVICE, users=["sato"]))

    assert {"active": False} == site.introspect(tokens["access_token"])


def test_the_first_question_about_a_token_shows_that_it_arrived() -> None:
    """As the first call does: from then on, a public client's old refresh token is reuse (DESIGN 6)."""
    site = Site.make(kind="public")
    asking = site.another(introspects=True)
    shown: Any = {"headers": (), "client_id": site.client}
    first = members(site.redeem(site.code(), **shown))
    refresh: Any = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **shown}
    second = members(site.post("token", **refresh))
    assert second == members(site.post("token", **refresh))
    assert asking.introspect(second["access_token"])["active"]

    assert "invalid_grant" == error(site.post("token", **refresh))
    assert not asking.introspect(second["access_token"])["active"]


def test_the_restriction_holds_at_the_token_endpoint_where_an_address_is_stated() -> None:
    """From outside no tokens; without an address it is left to the calls."""
    site = Site.make()
    code = site.code()
    site.host.admin.run(networks.restrict(["192.0.2.0/24"]))
    credentials = ClientCredentials(method="client_secret_basic", client_id=site.client, proof=site.registered.secret)
    for address, refused in (("203.0.113.7", True), ("192.0.2.7", False)):
        operation = endpoints.exchange(redemption(code), credentials, issuer=ISSUER, address=address)
        assert isinstance(site.host.tenant.run(operation), Refusal) is refused
