"""`access.admit`: the decision of `check`, and for whom a call that is let in acts."""

from __future__ import annotations

import pytest

from extlink import access, services
from extlink.access import Admission
from extlink.domain.decision import Decision
from tests.hosts import CLIENT, SERVICE, Host, codes

READ = "k:app_record:read"


def test_an_admission_says_for_whom_a_call_acts() -> None:
    """User, service, link and client are those of the token; the decision is the one of `check`."""
    host = Host.prepared()
    tokens = host.connect("sato")

    admitted = host.tenant.run(access.admit(tokens.access_token, scope=READ))

    assert isinstance(admitted, Admission)
    assert ("sato", SERVICE, tokens.link, CLIENT.id) == (
        admitted.user,
        admitted.service,
        admitted.link,
        admitted.client,
    )
    assert host.check(tokens.access_token) == admitted.decision


@pytest.mark.parametrize("presented", ["junk", "", 7])
def test_what_is_no_token_is_refused(presented: object) -> None:
    """Whatever a caller presents, the answer is a decision that refuses, as `check`'s."""
    refused = Host.prepared().tenant.run(access.admit(presented, scope=READ))  # type: ignore[arg-type] # hostile input

    assert isinstance(refused, Decision)
    assert not refused.allowed


def test_a_refusal_is_that_of_check_and_is_recorded_once() -> None:
    """A gate that refuses `check` refuses `admit` for the same reason, and one of the two writes it down."""
    host = Host.prepared()
    token = host.connect("sato").access_token
    host.admin.run(services.disable(SERVICE))
    before = host.position()

    refused = host.tenant.run(access.admit(token, scope=READ))

    assert isinstance(refused, Decision)
    assert ("service.disabled",) == codes(refused)
    assert refused == host.check(token)
    assert ("access.refused",) == host.events(before)


def test_the_first_admission_confirms_the_answer_as_check_does() -> None:
    """A new access token that is used shows that it arrived, which is written once (DESIGN 6)."""
    host = Host.prepared()
    token = host.connect("sato").access_token
    before = host.dump()

    host.tenant.run(access.admit(token, scope=READ))
    confirmed = host.dump()
    host.tenant.run(access.admit(token, scope=READ))

    assert before != confirmed
    assert confirmed == host.dump()
