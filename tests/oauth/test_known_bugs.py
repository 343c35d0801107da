"""What went wrong in the field, each tried against us: one test a bug, named after the project, the source beside it.

The list is that of the libraries and servers that do the same work; the numbers are those of their own trackers, the
identifiers those of the advisories. Where several projects had one bug, each has its test, since each came to it by
another way.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import attrs
import pytest

from extlink import access, clients, links
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client_registration import ClientProfile
from extlink.domain.consent import Consent
from extlink.errors import CorruptRecord, InvalidInput
from extlink.http import Request, Response
from extlink.oauth.authorization import match_redirect_uri
from extlink.ports import Batch, Position, prefix
from extlink.testing.probes import paths
from tests.fakes import FrozenClock
from tests.oauth.attacked import (
    AUTHORIZE,
    INTROSPECT,
    REVOKE,
    SESSION,
    TOKEN,
    Attacked,
    attacked,
    basic,
    in_memory,
    members,
    request,
    reunited,
)
from tests.oauth.test_interleavings import exploration
from tests.people import CountingStorage
from tests.schedules.scheduler import copied
from tests.schedules.world import ADDRESS, REDIRECT, SCOPE, SCOPES, SERVICE, VERIFIER

VERIFIED = {"code_verifier": VERIFIER}


def _redeem(target: Attacked, code: str, party: str = "flow", **other: str) -> Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **VERIFIED, **other}
    return target.call(TOKEN, party, **{name: value for name, value in form.items() if value})


def _refresh(target: Attacked, token: str, party: str = "flow", **more: str) -> Response:
    return target.server.serve(target.tenant, target.refreshing(token, party, **more))


def _error(answer: Response) -> object:
    return members(answer).get("error")


def _waived(target: Attacked) -> str:
    """Register a confidential client that may leave PKCE out; return its name among the parties."""
    profile = ClientProfile(
        service=SERVICE, name="Power", redirect_uris=[REDIRECT], pkce="waived_for_confidential_client"
    )
    made = target.admin.run(clients.register(profile))
    assert made.secret is not None
    other = attrs.evolve(target.parties["flow"], id=made.client.id, secret=made.secret.reveal())
    target.parties["power"] = other  # type: ignore[index] # a dictionary, of this test's own
    return "power"


@pytest.fixture
def target() -> Attacked:
    """Return a server of the test's own."""
    made = in_memory()
    return attrs.evolve(made, parties=dict(made.parties))


# --- node-oidc-provider ------------------------------------------------------------------------------------------


def test_node_oidc_provider_consume_is_check_then_act() -> None:
    """Its adapter's `consume` has no compare-and-set, so that exactly-once is up to the store (ASVS 15.4.2)."""
    for run in exploration("redeem", "redeem").runs():
        assert 1 == sum(hasattr(outcome.result, "access_token") for outcome in run.outcomes)


# --- fosite (Ory Hydra) ------------------------------------------------------------------------------------------


def test_fosite_reuse_ends_the_family_before_the_client_is_compared(target: Attacked) -> None:
    """flow_refresh.go revokes on reuse before the client binding: another authenticated client kills a family."""
    first = target.connected()
    second = members(_refresh(target, first["refresh_token"]))
    third = members(_refresh(target, second["refresh_token"]))

    for party in ("other", "browser"):
        assert "invalid_grant" == _error(_refresh(target, first["refresh_token"], party))
    assert target.is_active(third["access_token"])


def test_fosite_replay_ends_the_tokens_before_the_verifier_is_compared(target: Attacked) -> None:
    """flow_authorize_code_token.go revokes on replay before PKCE; a bad verifier is enough (OAuth 2.1, 7.5.3)."""
    code = target.code()
    tokens = members(_redeem(target, code))

    assert "invalid_grant" == _error(_redeem(target, code, code_verifier="b" * 43))
    assert "invalid_grant" == _error(_redeem(target, code, redirect_uri=REDIRECT + "x"))
    assert "invalid_grant" == _error(_redeem(target, code, "other"))
    assert target.is_active(tokens["access_token"])


def test_fosite_a_wrong_verifier_takes_the_challenge_away(target: Attacked) -> None:
    """pkce/handler.go deletes the PKCE session before it compares, so a second try needs no verifier any more."""
    code = target.code()

    assert "invalid_grant" == _error(_redeem(target, code, code_verifier="b" * 43))
    assert "invalid_grant" == _error(_redeem(target, code, code_verifier=""))
    assert 200 == _redeem(target, code).status


def test_fosite_ghsa_7mqr_2v3q_v2wm_revocation_ignores_the_store(target: Attacked) -> None:
    """GHSA-7mqr-2v3q-v2wm: a revocation that could not be stored was answered with 200."""

    class Full(MemoryStorage):
        def commit(self, batch: Batch) -> Position:
            raise CorruptRecord("nothing can be written")

    token = target.connected()["refresh_token"]
    assert isinstance(target.storage, MemoryStorage)
    broken = reunited(copied(target.storage, Full()), target.parties)
    broken.hub._started = True

    assert 503 == broken.call(REVOKE, "flow", token=token).status


def test_fosite_ghsa_v3q9_2p3m_7g43_assertion_replayed(target: Attacked) -> None:
    """GHSA-v3q9-2p3m-7g43: the `jti` of an assertion was not remembered in every case."""
    shown = {"token": "x", **target.proof("once")}

    statuses = [target.server.serve(target.tenant, request(INTROSPECT, shown)).status for _ in range(3)]

    assert [200, 401, 401] == statuses


@pytest.mark.parametrize("uri", [REDIRECT.upper(), REDIRECT.title(), REDIRECT + "?a=b", REDIRECT + "?"])
def test_fosite_redirect_uri_in_other_letters_or_without_query(target: Attacked, uri: str) -> None:
    """CHANGELOG 836 to 866: matched in lower case and without the query."""
    assert 400 == getattr(target.asked(redirect_uri=uri), "status", None)


# --- Doorkeeper --------------------------------------------------------------------------------------------------


def test_doorkeeper_1790_reuse_is_looked_for_outside_the_lock() -> None:
    """#1790: two refreshes at once both pass the check and make two families."""
    for run in exploration("refresh", "refresh").runs():
        one, other = (outcome.result for outcome in run.outcomes)
        assert one == other


def test_doorkeeper_1865_replay_of_a_code_ends_nothing(target: Attacked) -> None:
    """#1865: only since 2026 does a second redemption revoke what the first got."""
    code = target.code()
    tokens = members(_redeem(target, code))

    assert "invalid_grant" == _error(_redeem(target, code))
    assert not target.is_active(tokens["access_token"])
    assert "invalid_grant" == _error(_refresh(target, tokens["refresh_token"]))


def test_doorkeeper_1841_two_ways_to_authenticate(target: Attacked) -> None:
    """#1841: header and body at once were accepted; whichever was right counted."""
    flow, other = target.parties["flow"], target.parties["other"]
    for shown in (flow, other):
        form = {**shown.form, "grant_type": "refresh_token", "refresh_token": "x"}
        answer = target.server.serve(target.tenant, request(TOKEN, form, basic(flow.id, flow.secret)))
        assert (400, "invalid_request") == (answer.status, _error(answer))


def test_doorkeeper_1884_a_wrong_hint_finds_nothing(target: Attacked) -> None:
    """#1884: a refresh token revoked with the hint `access_token` lived on."""
    tokens = target.connected()

    assert 200 == target.call(REVOKE, token=tokens["refresh_token"], token_type_hint="access_token").status
    assert "invalid_grant" == _error(_refresh(target, tokens["refresh_token"]))


def test_doorkeeper_1876_scope_as_array(target: Attacked) -> None:
    """#1876: `scope[a]=b` was a 500."""
    token = target.connected()["refresh_token"]
    for name in ("scope[a]", "scope[]", "refresh_token[]", "client_id[x]"):
        form = {**target.parties["flow"].form, "grant_type": "refresh_token", "refresh_token": token, name: "b"}
        assert 200 == target.server.serve(target.tenant, request(TOKEN, form)).status
    consent = target.asked(**{"scope[a]": "b"})
    assert isinstance(consent, Consent)


def test_doorkeeper_cve_2016_6582_revocation_without_authentication(target: Attacked) -> None:
    """CVE-2016-6582: whoever had a token could revoke it as nobody; and public clients could not revoke theirs."""
    tokens, mine = target.connected(), target.connected("browser")

    assert 401 == target.call(REVOKE, None, token=tokens["refresh_token"]).status
    assert 401 == target.call(REVOKE, None, token=tokens["refresh_token"], client_id=target.parties["flow"].id).status
    assert target.is_active(tokens["access_token"])
    assert 200 == target.call(REVOKE, "browser", token=mine["refresh_token"]).status
    assert "invalid_grant" == _error(_refresh(target, mine["refresh_token"], "browser"))


def test_doorkeeper_cve_2020_10187_secret_in_json(target: Attacked) -> None:
    """CVE-2020-10187: the application as JSON told its secret to every user who had allowed it."""
    flow = target.parties["flow"]
    seen = target.admin.run(clients.show(flow.id))
    listed = target.admin.run(clients.registered())

    for value in (seen, listed, target.asked()):
        shown = json.dumps(value, default=lambda one: attrs.asdict(one) if attrs.has(type(one)) else repr(one))
        assert flow.secret not in shown
        assert flow.secret[6:] not in shown


def test_doorkeeper_cve_2023_34246_public_client_without_consent(target: Attacked) -> None:
    """CVE-2023-34246 (#1646): who had consented to a public client once was not asked a second time."""
    target.connected("browser")

    assert isinstance(target.asked("browser"), Consent)
    assert isinstance(target.asked("browser", prompt="none"), Consent)


# --- Authlib -----------------------------------------------------------------------------------------------------


def test_authlib_saves_tokens_before_it_deletes_the_code() -> None:
    """`save_token`, then `delete_authorization_code`: two redemptions in between both win."""
    for run in exploration("redeem", "redeem").runs():
        assert ["", ""] == [outcome.error for outcome in run.outcomes]
        assert 1 == sum(not hasattr(outcome.result, "access_token") for outcome in run.outcomes)


def test_authlib_replay_ends_nothing(target: Attacked) -> None:
    """A code that is shown twice is refused, and the tokens of whoever came first work on."""
    code = target.code()
    tokens = members(_redeem(target, code))
    _redeem(target, code)

    assert not target.tenant.run(access.check(tokens["access_token"], scope=SCOPE, address=ADDRESS))


def test_authlib_a_narrower_refresh_narrows_the_refresh_token(target: Attacked) -> None:
    """RFC 6749 section 6: the new refresh token's scope is identical to the old one's; theirs was the narrower."""
    narrow = members(_refresh(target, target.connected()["refresh_token"], scope=SCOPE))
    wide = members(_refresh(target, narrow["refresh_token"]))

    assert (SCOPE, SCOPES) == (narrow["scope"], wide["scope"])


def test_authlib_pkce_downgrade(target: Attacked) -> None:
    """Before 1.7.0 a verifier was ignored where the challenge had been cut out of the authorization request."""
    power = _waived(target)
    code = target.code(power, code_challenge="", code_challenge_method="")

    assert "invalid_grant" == _error(_redeem(target, code, power))


def test_authlib_pkce_is_required_of_public_clients_alone(target: Attacked) -> None:
    """`required=True` held for public clients; a confidential one could leave it out without anybody's decision."""
    answer = target.asked(code_challenge="", code_challenge_method="")

    assert isinstance(answer, Response)
    assert "error=invalid_request" in dict(answer.headers)["Location"]


@pytest.mark.parametrize("method", ["plain", "", "s256", "S512"])
def test_authlib_plain_challenges(target: Attacked, method: str) -> None:
    """`plain` was on by default: whoever sees the request has the verifier."""
    answer = target.asked(code_challenge=VERIFIER, code_challenge_method=method)

    assert isinstance(answer, Response)
    assert "error=invalid_request" in dict(answer.headers)["Location"]


@pytest.mark.parametrize("more", [{"response_type": "token"}, {"response_type": "x"}, {"scope": "nonsense"}])
def test_authlib_error_redirect_to_an_unregistered_uri(target: Attacked, more: dict[str, str]) -> None:
    """1.6.10 (UnsupportedResponseType) and 1.7.1 (InvalidScope): errors went to any redirect_uri that was sent."""
    answer = target.asked(redirect_uri="https://evil.example/cb", **more)

    assert isinstance(answer, Response)
    assert "Location" not in dict(answer.headers)


def test_authlib_state_that_is_not_bound_to_the_session(target: Attacked) -> None:
    """1.6.11: state in a shared cache let one browser finish what another had begun; so could our consent token."""
    consent = target.asked()
    assert isinstance(consent, Consent)
    form = request("/oauth2/consent", {"consent": consent.token.reveal(), "answer": "accept"})
    step = target.server.answer(form, session="the attacker's")

    assert not isinstance(step, Response)
    assert 400 == step.run(target.user).status


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:80@attacker.test/cb",
        "http://127.0.0.1:80@attacker.test/cb",
        "http://127.0.0.1.attacker.test/cb",
    ],
)
def test_authlib_1_8_0_loopback_that_is_none(uri: str) -> None:
    """1.8.0: `http://localhost:80@attacker.test/cb` passed as a loopback address."""
    with pytest.raises(InvalidInput):
        ClientProfile(service=SERVICE, name="x", redirect_uris=[uri])
    with pytest.raises(Exception, match="invalid_request"):
        match_redirect_uri(("http://127.0.0.1/cb",), uri)


def test_authlib_userinfo_in_redirect_uris(target: Attacked) -> None:
    """A name and a password before the host change where a reader thinks that the address leads."""
    with pytest.raises(InvalidInput):
        ClientProfile(service=SERVICE, name="x", redirect_uris=["https://global.consent@attacker.test/redirect"])

    assert 400 == getattr(target.asked(redirect_uri=REDIRECT.replace("//", "//a:b@")), "status", None)


# --- oauthlib ----------------------------------------------------------------------------------------------------


def test_oauthlib_saves_tokens_before_it_invalidates_the_code(target: Attacked) -> None:
    """`save_token` before `invalidate_authorization_code`: a store that fails in between leaves a code good twice."""

    class Once(MemoryStorage):
        commits = 0

        def commit(self, batch: Batch) -> Position:
            self.commits += 1
            if self.commits == 1:
                raise CorruptRecord("the second half was not written")
            return super().commit(batch)

    code = target.code()
    assert isinstance(target.storage, MemoryStorage)
    broken = reunited(copied(target.storage, Once()), target.parties)
    broken.hub._started = True

    assert [503, 200, 400] == [_redeem(broken, code).status for _ in range(3)]


def test_oauthlib_verifier_without_challenge(target: Attacked) -> None:
    """grant_types/authorization_code.py, `elif is_pkce_required`: where PKCE is optional a verifier is ignored."""
    power = _waived(target)
    code = target.code(power, code_challenge="", code_challenge_method="")

    assert "invalid_grant" == _error(_redeem(target, code, power))
    assert 200 == _redeem(target, code, power, code_verifier="").status


def test_oauthlib_code_twice_in_one_request(target: Attacked) -> None:
    """Duplicates of `code` are accepted, and readers disagree about which one counts."""
    asked = target.redemption(target.code())
    twice = attrs.evolve(asked, body=asked.body + b"&code=xl_ac_other")

    assert "invalid_request" == _error(target.server.serve(target.tenant, twice))


@pytest.mark.parametrize(
    "uri",
    ["http://[:::::::::::::::::::::::::]", "https://" + "a" * 3_000 + "!", "//[", "\x00", "a:" * 999],
)
def test_oauthlib_cve_2022_36087_redirect_uri_that_hangs_or_raises(target: Attacked, uri: str) -> None:
    """CVE-2022-36087: a malicious redirect_uri ran the regular expressions for URIs into an exception or for ever."""
    asked = Request(method="GET", path=AUTHORIZE, query=urlencode({"client_id": "x", "redirect_uri": uri}))
    step = target.server.authorize(asked, session=SESSION)

    assert 400 == (step if isinstance(step, Response) else step.run(target.user)).status
    assert 400 == _redeem(target, target.code(), redirect_uri=uri).status


# --- django-oauth-toolkit ----------------------------------------------------------------------------------------


def test_django_oauth_toolkit_1816_grace_for_what_was_revoked(target: Attacked) -> None:
    """#1816: the grace period gave new tokens for a refresh token that somebody had revoked on purpose."""
    tokens = target.connected()
    new = members(_refresh(target, tokens["refresh_token"]))
    target.call(REVOKE, token=new["refresh_token"])

    for token in (tokens["refresh_token"], new["refresh_token"]):
        assert "invalid_grant" == _error(_refresh(target, token))


def test_django_oauth_toolkit_1617_a_token_of_several_generations_ago(target: Attacked) -> None:
    """#1617: within the grace period any older token was honoured, not only the last one."""
    first = target.connected()
    second = members(_refresh(target, first["refresh_token"]))
    third = members(_refresh(target, second["refresh_token"]))

    assert "invalid_grant" == _error(_refresh(target, first["refresh_token"]))
    assert not target.is_active(third["access_token"])


@pytest.mark.parametrize("party", ["other", "browser", "api"])
def test_django_oauth_toolkit_727_revoking_another_clients_token(target: Attacked, party: str) -> None:
    """#727: any client could revoke any token."""
    tokens = target.connected()

    for token in tokens["access_token"], tokens["refresh_token"]:
        assert 200 == target.call(REVOKE, party, token=token).status
    assert target.is_active(tokens["access_token"])


def test_django_oauth_toolkit_1510_user_revokes_and_the_refresh_token_lives(target: Attacked) -> None:
    """#1510: the user's page deleted the access token, and the refresh token made the next one."""
    tokens = target.connected()
    (use,) = target.user.run(links.of("sato"))
    for link in use.links:
        target.user.run(links.revoke(link.id))

    assert "invalid_grant" == _error(_refresh(target, tokens["refresh_token"]))
    assert not target.is_active(tokens["access_token"])


def test_django_oauth_toolkit_1719_prompt_none_redirects_before_it_validates(target: Attacked) -> None:
    """#1719: `prompt=none` sent the user on to a redirect URI that nobody had looked at."""
    for redirect in ("https://evil.example/cb", "https://evil.example"):
        answer = target.asked(redirect_uri=redirect, prompt="none")
        assert isinstance(answer, Response)
        assert (400, None) == (answer.status, dict(answer.headers).get("Location"))


def test_django_oauth_toolkit_1735_client_secret_in_the_log(target: Attacked, caplog: pytest.LogCaptureFixture) -> None:
    """#1735: client secrets were written to the log at level DEBUG."""
    with caplog.at_level(logging.DEBUG):
        _redeem(target, target.code())
        target.call(INTROSPECT, "flow", token="x")
        target.server.serve(target.tenant, request(TOKEN, {}, basic("flow", "xl_sk_wrong")))

    assert [] == caplog.records


def test_django_oauth_toolkit_1736_tokens_in_str_and_lists(target: Attacked) -> None:
    """#1736: `__str__` of a token was the token, and so were the lists of the administration."""
    tokens, code = target.connected(), target.code()
    answer = _redeem(target, code)
    listed = target.user.run(links.of("sato"))
    shown = f"{answer} {answer!r} {listed} {listed!r} {target.redemption(code)!r} {target.asked()!r}"

    for secret in (*tokens.values(), code, *members(answer).values(), target.parties["flow"].secret):
        assert not (isinstance(secret, str) and secret.startswith("xl_") and secret in shown)


def test_django_oauth_toolkit_1809_ending_a_family_costs_a_query_a_token() -> None:
    """#1809: revoking a family took a query for each token it ever had, and held a worker as long."""
    costs: list[tuple[int, int]] = []
    for generations in (1, 60):
        storage = CountingStorage()
        target = attacked(storage)
        tokens = target.connected()
        for _ in range(generations):
            tokens = members(_refresh(target, tokens["refresh_token"]))
        before = storage.calls
        assert 200 == target.call(REVOKE, token=tokens["refresh_token"]).status
        costs.append((storage.calls - before, len(paths(storage, prefix("l")))))

    # As many calls after sixty generations as after one, and one record.
    assert costs[0] == costs[1]
    assert 1 == costs[1][1]


@pytest.mark.parametrize(
    "uri", [REDIRECT + "?x=1", REDIRECT + ";a=b", REDIRECT.replace("//", "//u@"), REDIRECT + "#a", REDIRECT + "/./"]
)
def test_django_oauth_toolkit_redirect_uri_that_is_nearly_registered(target: Attacked, uri: str) -> None:
    """3.4: a subset of the query, path parameters, user information and a fragment were not compared."""
    assert 400 == getattr(target.asked(redirect_uri=uri), "status", None)


def test_django_oauth_toolkit_hashed_tokens_and_grace(target: Attacked) -> None:
    """docs/security.rst: with hashed tokens at rest a lost answer cannot be repeated. Ours is, from digests alone."""
    token = target.connected()["refresh_token"]
    answers = {_refresh(target, token).body for _ in range(3)}
    (body,) = answers
    assert isinstance(target.storage, MemoryStorage)
    stored = b"".join(value for one in target.storage._tenants.values() for _, value in one.records.values())

    for name in ("access_token", "refresh_token"):
        assert json.loads(body)[name].encode() not in stored


def test_django_oauth_toolkit_1687_none_within_the_grace_period() -> None:
    """#1687: a repetition after the access token had gone was a 500."""
    clock = FrozenClock()
    target = attacked(MemoryStorage(), clock=clock)
    token = target.connected()["refresh_token"]
    first = _refresh(target, token)
    clock.advance(2 * 86_400)
    again = _refresh(target, token)

    assert 200 == again.status
    assert {**members(first), "expires_in": 0} == members(again)


# --- aioauth -----------------------------------------------------------------------------------------------------


def test_aioauth_redirect_uri_of_the_token_request(target: Attacked) -> None:
    """It was compared with the registered ones, never with the one of the authorization request (RFC 6749 4.1.3)."""
    other = "https://client.example/other"
    flow = target.admin.run(clients.show(target.parties["flow"].id))
    target.admin.run(clients.change(flow.id, attrs.evolve(flow.profile, redirect_uris=(REDIRECT, other))))
    code = target.code()

    assert "invalid_grant" == _error(_redeem(target, code, redirect_uri=other))
    assert 200 == _redeem(target, code).status


def test_aioauth_pkce_downgrade(target: Attacked) -> None:
    """A verifier for a code without a challenge was taken, and so was none for a code with one."""
    power = _waived(target)
    without, with_one = target.code(power, code_challenge="", code_challenge_method=""), target.code(power)

    assert "invalid_grant" == _error(_redeem(target, without, power))
    assert "invalid_grant" == _error(_redeem(target, with_one, power, code_verifier=""))


def test_aioauth_mismatch_has_an_error_of_its_own(target: Attacked) -> None:
    """A mismatch was `mismatching_state`, which RFC 6749 section 5.2 does not know."""
    assert "invalid_grant" == _error(_redeem(target, target.code(), redirect_uri=REDIRECT + "x"))
    assert "invalid_grant" == _error(_redeem(target, target.code(), code_verifier="c" * 43))


def test_aioauth_code_is_deleted_after_the_tokens_are_made(target: Attacked) -> None:
    """Tokens first, the code afterwards, and a replay ends nothing."""
    code = target.code()
    tokens = members(_redeem(target, code))
    _redeem(target, code)

    assert not target.is_active(tokens["access_token"])


def test_aioauth_no_reuse_detection(target: Attacked) -> None:
    """An old refresh token was just unknown; whoever held the newest went on."""
    first = target.connected()
    second = members(_refresh(target, first["refresh_token"]))
    newest = members(_refresh(target, second["refresh_token"]))
    _refresh(target, first["refresh_token"])

    assert "invalid_grant" == _error(_refresh(target, newest["refresh_token"]))


def test_aioauth_scope_is_silently_intersected(target: Attacked) -> None:
    """A refresh for more than was granted got what there was; only a named client of ours may be answered so."""
    narrow = target.connected(scope=SCOPE)

    assert "invalid_scope" == _error(_refresh(target, narrow["refresh_token"], scope=SCOPES))
    assert 200 == _refresh(target, narrow["refresh_token"]).status


# --- Others ------------------------------------------------------------------------------------------------------


def test_workers_oauth_provider_cve_2025_4143_redirect_uri_not_validated(target: Attacked) -> None:
    """CVE-2025-4143: the authorization endpoint took any redirect_uri."""
    answer = target.asked(redirect_uri="https://evil.example/cb")

    assert isinstance(answer, Response)
    assert (400, None) == (answer.status, dict(answer.headers).get("Location"))


def test_workers_oauth_provider_cve_2025_4144_pkce_skipped(target: Attacked) -> None:
    """CVE-2025-4144: a token request without a verifier passed although there had been a challenge."""
    assert "invalid_grant" == _error(_redeem(target, target.code(), code_verifier=""))
    assert "invalid_grant" == _error(_redeem(target, target.code("browser"), "browser", code_verifier=""))


def test_spring_authorization_server_cve_2024_22258_pkce_downgrade(target: Attacked) -> None:
    """CVE-2024-22258: with confidential clients a challenge could be cut out, and the verifier was then ignored."""
    power = _waived(target)
    code = target.code(power, code_challenge="", code_challenge_method="")
    assert "invalid_grant" == _error(_redeem(target, code, power))

    # One that has no waiver does not even get a code.
    answer = target.asked(code_challenge="", code_challenge_method="")
    assert isinstance(answer, Response)
    assert "code" not in parse_qs(urlsplit(dict(answer.headers)["Location"]).query)


def test_idpyoidc_advertises_pkce_and_does_not_verify(target: Attacked) -> None:
    """It announced S256 and compared nothing until an add-on was enabled."""
    metadata = target.server.serve(target.tenant, Request(method="GET", path=target.server.metadata_path))

    assert ["S256"] == members(metadata)["code_challenge_methods_supported"]
    assert "invalid_grant" == _error(_redeem(target, target.code(), code_verifier="d" * 43))


def test_hydra_1831_and_2022_grace_and_reuse_detection_at_once(target: Attacked) -> None:
    """ory/hydra#1831 wants lost answers repeated, #2022 reuse detected; the first must not undo the second."""
    first = target.connected()
    lost, again = _refresh(target, first["refresh_token"]), _refresh(target, first["refresh_token"])
    assert lost.body == again.body
    _refresh(target, members(again)["refresh_token"])

    assert "invalid_grant" == _error(_refresh(target, first["refresh_token"]))
    assert not target.is_active(members(again)["access_token"])


def test_f3_nation_692_a_grace_window_preserves_a_stolen_replacement() -> None:
    """Its review: within the window a thief shows the old token and gets the new one; ours ends after its first use."""
    clock = FrozenClock()
    target = attacked(MemoryStorage(), clock=clock)
    stolen = target.connected("browser")
    mine = members(_refresh(target, stolen["refresh_token"], "browser"))
    target.tenant.run(access.check(mine["access_token"], scope=SCOPE, address=ADDRESS))
    clock.advance(1)

    assert "invalid_grant" == _error(_refresh(target, stolen["refresh_token"], "browser"))
    assert "invalid_grant" == _error(_refresh(target, mine["refresh_token"], "browser"))


def test_the_certified_server_one_success_and_a_dead_family(target: Attacked) -> None:
    """Twenty refreshes of one token against it: one success, and the family is dead. Ours: twenty times the same."""
    token = target.connected()["refresh_token"]
    answers: Sequence[Response] = [_refresh(target, token) for _ in range(20)]

    assert 1 == len({answer.body for answer in answers})
    assert target.is_active(members(answers[0])["access_token"])


# --- The helpers above -------------------------------------------------------------------------------------------


def test_what_the_tests_send_is_good_but_for_the_bug(target: Attacked) -> None:
    """The control: without the one thing that is wrong, each of the requests above is let in."""
    tokens = members(_redeem(target, target.code()))
    power = _waived(target)
    asked = dict(parse_qsl(target.redemption("c").body.decode()))

    assert 200 == _refresh(target, tokens["refresh_token"]).status
    assert 200 == _redeem(target, target.code(power), power).status
    assert {"code", "redirect_uri", "code_verifier", "grant_type", "client_id", "client_secret"} == asked.keys()
