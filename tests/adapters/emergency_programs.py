"""Processes in the middle of an emergency stop on one SQLite store, for tests that kill them (`python -m`)."""

from __future__ import annotations

import os
import sys
import time
from itertools import count
from typing import NoReturn

from extlink import links, services
from extlink.adapters.sqlite import SQLiteStorage
from extlink.domain.consent import Acceptance, Consent
from extlink.domain.token_ledger import TokenSet
from extlink.runtime import ExtLink, Tenant
from extlink.testing import FrozenClock
from tests.schedules.world import ADDRESS, CHALLENGE, CLIENT, KEYS, PEOPLE, REDIRECT, SCOPES, SERVICE, TENANT, VERIFIER


def _tenant(store: SQLiteStorage) -> Tenant:
    return ExtLink(store, keys=KEYS, directory=PEOPLE, clock=FrozenClock()).tenant(TENANT)


def nursery(path: str) -> None:
    """Fork a child for every line, and say which and when it is dead: it imported everything, and opened nothing."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            stop(path)
        os.write(1, b"child %d\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"dead\n")


def stop(path: str) -> NoReturn:
    """Stop the service and end its links; print how many have ended after each run, and at last what is left."""
    with SQLiteStorage(path, timeout=60) as store:
        admin = _tenant(store).acting_as("admin", roles={"common_administrator"})
        admin.run(services.quarantine(SERVICE, "a leak"))
        os.write(1, b"stopped 0\n")
        purge = admin.run(services.purge(SERVICE))
        while purge.done is None:
            os.write(1, b"ended %d\n" % purge.toll.ended)
            purge = admin.run(services.purge(SERVICE))
        os.write(1, b"ended %d\n" % purge.toll.ended)
        os.write(1, b"left %d\n" % admin.run(services.remaining(SERVICE)).count)
    os._exit(0)


def knock(path: str) -> None:
    """Consent, redeem and refresh for ever; print what was given: the verb, the link, and the refresh token."""
    with SQLiteStorage(path, timeout=60) as store:
        tenant = _tenant(store)
        sato = tenant.acting_as("sato", address=ADDRESS)
        held: TokenSet | None = None
        for number in count():
            consent = sato.run(
                links.begin(SERVICE, client=CLIENT, redirect_uri=REDIRECT, scopes=SCOPES, code_challenge=CHALLENGE)
            )
            accepted = sato.run(links.accept(consent)) if isinstance(consent, Consent) else None
            if isinstance(accepted, Acceptance):
                _give(b"accept", accepted.link, "-")
                # Every other code is never redeemed.
                redeem = links.redeem(accepted.code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER)
                given = tenant.run(redeem) if number % 2 else None
                held = _held(b"redeem", given) or held
            if held is not None:
                held = _held(b"refresh", tenant.run(links.refresh(held.refresh_token, client=CLIENT))) or held
            if number == 1:
                os.write(1, b"ready - -\n")
            # SQLite has no queue of writers: without a pause nobody else would get a turn.
            time.sleep(0.01)


def _held(verb: bytes, given: object) -> TokenSet | None:
    if not isinstance(given, TokenSet):
        return None
    _give(verb, given.link, given.refresh_token.reveal())
    return given


def _give(verb: bytes, link: str, token: str) -> None:
    os.write(1, b"%s %s %s\n" % (verb, link.encode(), token.encode()))


if __name__ == "__main__":
    {each.__name__: each for each in (nursery, knock)}[sys.argv[1]](*sys.argv[2:])
