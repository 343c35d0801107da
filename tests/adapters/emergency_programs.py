"""What runs in processes of its own in the middle of an emergency stop on one SQLite store."""

from __future__ import annotations

from extlink import links, services
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.token_ledger import TokenSet
from extlink.runtime import ExtLink, Tenant
from extlink.testing import FrozenClock
from tests.processes import goes_on, say
from tests.schedules.world import ADDRESS, CHALLENGE, CLIENT, KEYS, PEOPLE, REDIRECT, SCOPES, SERVICE, TENANT, VERIFIER

__all__ = ["knock", "stop"]


def _tenant(store: SQLiteStorage) -> Tenant:
    return ExtLink(store, keys=KEYS, directory=PEOPLE, clock=FrozenClock()).tenant(TENANT)


def stop(path: str) -> None:
    """Stop the service and end its links; print how many have ended after each run, and at last what is left."""
    with SQLiteStorage(path, timeout=60) as store:
        admin = _tenant(store).acting_as("admin", roles={"common_administrator"})
        admin.run(services.quarantine(SERVICE, "a leak"))
        say("stopped 0")
        purge = admin.run(services.purge(SERVICE))
        while purge.done is None:
            say(f"ended {purge.toll.ended}")
            purge = admin.run(services.purge(SERVICE))
        say(f"ended {purge.toll.ended}")
        say(f"left {admin.run(services.remaining(SERVICE)).count}")


def knock(path: str) -> None:
    """Consent, redeem and refresh for ever; print what was given: the verb, the link, and the refresh token."""
    with SQLiteStorage(path, timeout=60) as store:
        tenant = _tenant(store)
        sato = tenant.acting_as("sato", address=ADDRESS)
        held: TokenSet | None = None
        number = 0
        # SQLite has no queue of writers: without a pause nobody else would get a turn.
        while goes_on(0.01):
            consent = sato.run(
                links.begin(SERVICE, client=CLIENT, redirect_uri=REDIRECT, scopes=SCOPES, code_challenge=CHALLENGE)
            )
            accepted = sato.run(links.accept(consent)) if isinstance(consent, Consent) else None
            if isinstance(accepted, Acceptance):
                say(f"accept {accepted.link} -")
                # Every other code is never redeemed.
                redeem = links.redeem(accepted.code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER)
                given = tenant.run(redeem) if number % 2 else None
                held = _held("redeem", given) or held
            if held is not None:
                held = _held("refresh", tenant.run(links.refresh(held.refresh_token, client=CLIENT))) or held
            if number == 1:
                say("ready")
            number += 1


def _held(verb: str, given: object) -> TokenSet | None:
    if not isinstance(given, TokenSet):
        return None
    say(f"{verb} {given.link} {given.refresh_token.reveal()}")
    return given
