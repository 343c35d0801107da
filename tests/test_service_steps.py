"""Steps that are done outside: confirmed by somebody, taken back, kept with who and when (TRACE T8)."""

from __future__ import annotations

import pytest

from extlink import catalog, services
from extlink.domain.identifier import ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.readiness import Confirmation
from extlink.domain.reason import Reason
from extlink.records import confirmations_key
from tests.fakes import NOW
from tests.hosts import ACME, SERVICE, Host, refusal


def test_who_confirmed_a_step_and_when_is_kept() -> None:
    """The first word counts: confirming again writes nothing, whoever does it."""
    host = Host.prepared()
    app = host.tenant.acting_as("suzuki", roles={"app_administrator"})
    said = app.run(services.confirm(SERVICE, "app-side"))
    host.clock.advance(60)
    before = host.dump()

    assert said == host.admin.run(services.confirm(SERVICE, "app-side"))
    assert before == host.dump()
    assert Confirmation(by=UserId("suzuki"), at=NOW) == said
    entry = host.entries()[-1]
    assert ("service.confirmed", "suzuki", {"service": SERVICE, "step": "app-side"}) == (
        entry.event,
        entry.user,
        entry.details,
    )


def test_what_was_confirmed_can_be_taken_back() -> None:
    """Once; the entry tells whose word it was, and somebody may confirm the step anew."""
    host = Host.prepared()
    host.admin.run(services.confirm(SERVICE, "app-side"))
    host.clock.advance(60)
    host.tenant.acting_as("ops", roles={"host"}).run(services.unconfirm(SERVICE, "app-side"))
    entry, before = host.entries()[-1], host.dump()
    host.admin.run(services.unconfirm(SERVICE, "app-side"))

    assert before == host.dump()
    details = {"service": SERVICE, "step": "app-side", "confirmed_by": "admin-1", "confirmed": NOW}
    assert ("service.unconfirmed", "ops", details) == (entry.event, entry.user, entry.details)
    assert Confirmation(by=UserId("admin-1"), at=Instant(NOW + 60)) == host.admin.run(
        services.confirm(SERVICE, "app-side")
    )


def test_a_step_that_nobody_confirmed_is_not_taken_back() -> None:
    """There is nothing to take back, so nothing is written."""
    host = Host.prepared()
    before = host.dump()
    host.admin.run(services.unconfirm(SERVICE, "app-side"))

    assert before == host.dump()


@pytest.mark.parametrize("step", ["enable", "allow-addresses", "global-cloud", "nonsense"])
def test_only_steps_outside_are_confirmed(step: str) -> None:
    """What policy tells is looked up, never confirmed; a step of another edition is none."""
    host = Host.prepared()
    expected = Reason("service.step_unknown", {"service": SERVICE, "step": step})

    assert expected == refusal(host.admin, services.confirm(SERVICE, step))
    assert expected == refusal(host.admin, services.unconfirm(SERVICE, step))


def test_only_known_services_have_steps() -> None:
    """One that is not registered has none, whatever the built-in catalogue says."""
    assert "service.unknown" == refusal(Host.make().admin, services.confirm(SERVICE, "app-side")).code


def test_users_confirm_nothing() -> None:
    """A person without a role is no witness; the attempt is recorded."""
    host = Host.prepared()

    assert "actor.not_permitted" == refusal(host.user(), services.confirm(SERVICE, "app-side")).code
    assert "actor.not_permitted" == refusal(host.user(), services.unconfirm(SERVICE, "app-side")).code
    assert ("operation.denied", "operation.denied") == host.events()[-2:]


def test_a_service_that_is_forgotten_takes_its_confirmations_along() -> None:
    """Registered anew, nothing is green that somebody said of the one before."""
    host = Host.make()
    host.admin.run(services.register(catalog.SLACK))
    host.admin.run(services.confirm("slack", "same-email"))
    host.admin.run(services.unregister("slack"))

    assert host.dump()[0].get((ACME.encode(), confirmations_key(ACME, ServiceId("slack")).key.path)) is None
