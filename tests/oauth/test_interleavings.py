"""Every interleaving of the endpoints' operations comes to what one after another comes to (PROMISES P8 to P12).

Refresh, refresh, revoke and disable are what the field gets wrong; with them everything else that a client or an
administrator can do to a link at the same moment. Results, records and ledgers are compared, and then the property
itself: what was ended before or beside a refresh never works again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations_with_replacement, product
from types import MappingProxyType

import attrs
import pytest

from extlink import clients, endpoints, services
from extlink.adapters.memory import MemoryStorage
from extlink.domain.consent import Consent
from extlink.domain.identifier import Scope
from extlink.domain.secret import Secret
from extlink.domain.token_ledger import TokenSet
from extlink.oauth.credentials import ClientCredentials
from extlink.oauth.token import CodeRequest, RefreshRequest
from extlink.operation import Operation
from extlink.testing import Exploration, NotLinearizable, Run, Worker, linearizable
from tests.oauth.attacked import ISSUER, SESSION, Attacked, in_memory, reunited
from tests.schedules.scheduler import TornReads, copied, exploration as explored, unguarded
from tests.schedules.world import REDIRECT, SERVICE, VERIFIER

CORE = ("refresh", "revoke", "disable", "introspect", "redeem")
BESIDE = ("narrower refresh", "remove client", "rotate secret", "revoke by access token", "consent", "wrong secret")


class ComesBack(AssertionError):
    """What had ended works again."""


@attrs.frozen(kw_only=True)
class Stage:
    """A live link with tokens, a code that is not redeemed yet, a consent that is not answered yet."""

    target: Attacked
    tokens: Mapping[str, str]
    code: str
    consent: Consent


@cache
def stage() -> Stage:
    """Return what the operations of every schedule find."""
    target = in_memory()
    tokens = target.connected()
    code = target.code()
    consent = target.asked()
    assert isinstance(consent, Consent)
    return Stage(target=target, tokens=tokens, code=code, consent=consent)


def _proof(party: str) -> ClientCredentials:
    known = stage().target.parties[party]
    return ClientCredentials(method="client_secret_post", client_id=known.id, proof=Secret(known.secret))


@cache
def cast() -> Mapping[str, Worker]:
    """Return the operations by name."""
    made = stage()
    flow, proof = made.target.parties["flow"], _proof("flow")
    wrong = attrs.evolve(proof, proof=Secret("xl_sk_wrong"))
    refresh = RefreshRequest(refresh_token=Secret(made.tokens["refresh_token"]), scopes=None)
    narrower = attrs.evolve(refresh, scopes=frozenset({Scope("k:app_record:read")}))
    redeem = CodeRequest(code=Secret(made.code), redirect_uri=REDIRECT, code_verifier=Secret(VERIFIER))
    access, renewing = made.tokens["access_token"], made.tokens["refresh_token"]
    by_client: dict[str, Operation[object]] = {
        "refresh": endpoints.exchange(refresh, proof, issuer=ISSUER),
        "narrower refresh": endpoints.exchange(narrower, proof, issuer=ISSUER),
        "redeem": endpoints.exchange(redeem, proof, issuer=ISSUER),
        "wrong secret": endpoints.exchange(refresh, wrong, issuer=ISSUER),
        "revoke": endpoints.revoke(renewing, proof, issuer=ISSUER),
        "revoke by access token": endpoints.revoke(access, proof, issuer=ISSUER),
        "introspect": endpoints.introspect(access, proof, issuer=ISSUER),
        "introspect as an API": endpoints.introspect(access, _proof("api"), issuer=ISSUER),
    }
    by_administrator: dict[str, Operation[object]] = {
        "disable": services.disable(SERVICE, existing="revoke"),
        "remove client": clients.remove(flow.id),
        "rotate secret of the API": clients.add_secret(made.target.parties["api"].id, others_expire_in=0),
        "rotate secret": clients.add_secret(flow.id, others_expire_in=0),
    }
    consent = endpoints.consent(made.consent.token, issuer=ISSUER, session=SESSION)
    return MappingProxyType(
        {
            "consent": Worker(consent, "sato"),
            **{name: Worker(one, "service") for name, one in by_client.items()},
            **{name: Worker(one, "admin", ("common_administrator",)) for name, one in by_administrator.items()},
        }
    )


def exploration(*names: str, reduce: bool = True) -> Exploration:
    """Return all interleavings of some operations by name."""
    storage = stage().target.storage
    assert isinstance(storage, MemoryStorage)
    return explored(workers=tuple(cast()[name] for name in names), storage=storage, reduce=reduce)


def ended(run: Run, names: tuple[str, ...]) -> set[str]:
    """Return which operations ended something for good: a revocation by a client that was let in, or the rest."""
    came = {name for name, outcome in zip(names, run.outcomes, strict=True) if outcome.result is None}
    return (came & {"revoke", "revoke by access token"}) | (set(names) & {"disable", "remove client"})


def require_no_return(run: Run, names: tuple[str, ...]) -> None:
    """Require that no token works, of whatever answer, of a link that one of the operations ended for good."""
    if any(outcome.error for outcome in run.outcomes):
        raise ComesBack(f"{run.schedule}: {[outcome.error for outcome in run.outcomes]}")
    ends = ended(run, names)
    if not ends:
        return
    target = reunited(copied(run.storage), stage().target.parties)
    if "disable" in names:
        target.admin.run(services.enable(SERVICE))
    shown = [stage().tokens[kind] for kind in ("access_token", "refresh_token")]
    for name, outcome in zip(names, run.outcomes, strict=True):
        # A revocation ends the link that it names, and not the one that a code makes.
        mine = "refresh" in name or (name == "redeem" and ends & {"disable", "remove client"})
        if mine and isinstance(outcome.result, TokenSet):
            shown += [outcome.result.access_token.reveal(), outcome.result.refresh_token.reveal()]
    for token in shown:
        if target.is_active(token, "api"):
            raise ComesBack(f"{run.schedule}: a token of a link that was ended is active")
        if target.server.serve(target.tenant, target.refreshing(token)).status == 200:
            raise ComesBack(f"{run.schedule}: a token of a link that was ended can be exchanged")


def explore(*names: str, reduce: bool = True) -> int:
    """Require both of every interleaving, and return how many there were."""
    asked = exploration(*names, reduce=reduce)
    for run in asked.runs():
        require_no_return(run, names)
    return linearizable(asked)


@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(CORE, 2)))
def test_the_endpoints_in_pairs(one: str, other: str) -> None:
    """In every schedule of two requests, both come to what they come to in one of the two orders."""
    assert explore(one, other) >= 1


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), list(product(CORE, BESIDE)))
def test_the_endpoints_beside_everything_else(one: str, other: str) -> None:
    """So they do with whatever else happens to the same client, link or consent."""
    assert explore(one, other) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["revoke", "disable"])
def test_two_refreshes_and_an_end(ending: str) -> None:
    """Every schedule of three that anybody can tell from another: nothing that was ended comes back."""
    assert explore("refresh", "refresh", ending) > 30


@pytest.mark.slow
def test_refresh_refresh_revoke_and_disable(deep: bool) -> None:
    """The four at once, in every schedule that anybody can tell from another; the short tier plays each fourth."""
    names = ("refresh", "refresh", "revoke", "disable")
    played = 0
    for run in exploration(*names).runs():
        if deep or played % 4 == 0:
            require_no_return(run, names)
        played += 1

    assert played > 1_000


@pytest.mark.slow
def test_refresh_refresh_and_revoke_in_every_schedule(deep: bool) -> None:
    """The three without leaving out any schedule."""
    if not deep:
        pytest.skip("the long tier plays all of them; the tests above leave out what nobody can tell apart")

    assert explore("refresh", "refresh", "revoke", reduce=False) > 1_000


# --- Broken twins ------------------------------------------------------------------------------------------------


def test_a_store_without_guards_is_caught() -> None:
    """The broken twin: a refresh that overlooks a revocation writes the link back."""
    broken = unguarded(exploration("refresh", "revoke", reduce=False))

    with pytest.raises((ComesBack, NotLinearizable)):
        for run in broken.runs():
            require_no_return(run, ("refresh", "revoke"))
    with pytest.raises(NotLinearizable):
        linearizable(broken)


def test_reads_that_are_torn_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: a request that reads its client first and the rest later, and never asks again.

    It is let in by a secret that was taken away before the service was disabled, and sees the service disabled.
    """
    monkeypatch.setattr("extlink.runtime.Attempt", TornReads)

    with pytest.raises(NotLinearizable):
        linearizable(exploration("introspect as an API", "rotate secret of the API", "disable"))
