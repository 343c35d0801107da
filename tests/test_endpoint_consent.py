from __future__ import annotations

from typing import Any

import pytest

from extlink import endpoints, links, networks
from extlink.domain.decision import Refusal
from extlink.errors import InvalidInput
from extlink.oauth.parameters import Parameters
from tests.hosts import CHALLENGE, CLIENT, REDIRECT, SCOPES, SERVICE
from tests.oauth.kit import ISSUER, SESSION, Site
from tests.operations import asking


@pytest.mark.parametrize("session", ["", None, 7, "x" * 1_001, "\ud800"])
def test_a_consent_needs_a_session(session: Any) -> None:
    """What binds nothing is refused at each of the three."""
    with pytest.raises(InvalidInput, match="session"):
        endpoints.authorize(Parameters(), issuer=ISSUER, session=session)
    for answer in (endpoints.consent, endpoints.decline):
        with pytest.raises(InvalidInput, match="session"):
            answer("xl_cs_", issuer=ISSUER, session=session)


def test_a_redirect_says_why_to_the_host_alone() -> None:
    """The reasons and the error are beside the address, which is a Secret."""
    site = Site.make()
    found = site.authorize(site.query(scope="k:nothing"))
    assert isinstance(found, endpoints.Redirect)

    assert "invalid_scope" == found.error
    assert "Secret(***)" in repr(found)
    assert "client.example" not in repr(found)


def test_a_consent_that_no_registered_client_asked_for_is_not_answered_here() -> None:
    """A token of `links.begin` belongs to a client of the host's own."""
    site = Site.make()
    asked = links.begin(
        SERVICE,
        client=CLIENT,
        redirect_uri=REDIRECT,
        scopes=SCOPES,
        code_challenge=CHALLENGE,
        network="not_applicable",
        session=SESSION,
    )
    consent = site.host.user().run(asked)
    for answer in (endpoints.consent, endpoints.decline):
        found = site.host.user().run(answer(consent.token, issuer=ISSUER, session=SESSION))  # type: ignore[union-attr]
        assert isinstance(found, Refusal)
        assert ("client.unknown",) == tuple(reason.code for reason in found.reasons)


@pytest.mark.parametrize("uris", [[REDIRECT], [REDIRECT, "https://client.example/other"]])
def test_the_ceiling_of_today_is_asked_at_the_answer(uris: list[str]) -> None:
    """Scopes that the user kept are compared, not those that were asked for."""
    site = Site.make()
    consent = site.asked(scope=" ".join(SCOPES))
    site.change(scopes=[SCOPES[0]], redirect_uris=uris)

    assert 400 == site.answer(consent).status
    assert 303 == site.answer(consent, scope=SCOPES[0]).status


def test_the_page_may_stand_beside_the_restriction() -> None:
    """With `network="not_applicable"` no address is asked for; otherwise the one that is stated counts."""
    site = Site.make()
    site.host.admin.run(networks.restrict(["192.0.2.0/24"]))

    def found(**fields: Any) -> str:
        asked = endpoints.authorize(asking(site.client), issuer=ISSUER, session=SESSION, **fields)
        return type(site.host.user().run(asked)).__name__

    assert "Consent" == found(network="not_applicable")
    assert "Consent" == found(address="192.0.2.7")
    assert "Redirect" == found(address="203.0.113.7")
    assert "Redirect" == found()
