"""What an attacker must not tell apart is answered alike: status, every header and every byte of the body.

Each group is a question that somebody could ask in order to learn which part of a credential was right. The twin at
the end tells one case apart by a single description, and is caught.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import pytest

from extlink import clients, grants, links, services, users
from extlink.adapters.memory import MemoryStorage
from extlink.domain.identifier import TenantId
from extlink.domain.token import TokenKind
from extlink.errors import OAuthError
from extlink.http import Response
from tests.fakes import FrozenClock
from tests.oauth.attacked import (
    INTROSPECT,
    REVOKE,
    TOKEN,
    Attacked,
    attacked,
    basic,
    in_memory,
    members,
    request,
)
from tests.schedules.world import KEYS, REDIRECT, SERVICE, TENANT, VERIFIER

Case = Callable[[Attacked], Response]


class ToldApart(AssertionError):
    """Two answers differ that must not."""


def require_alike(cases: Mapping[str, Case], make: Callable[[], Attacked] = in_memory) -> Response:
    """Require the same answer in each case, each asked of a server of its own; return it."""
    answers = {name: case(make()) for name, case in cases.items()}
    first, *others = answers
    for name in others:
        if answers[name] != answers[first]:
            raise ToldApart(f"{first}: {_shown(answers[first])}; {name}: {_shown(answers[name])}")
    return answers[first]


def _shown(answer: Response) -> str:
    return f"{answer.status} {answer.headers} {answer.body!r}"


# --- Clients -----------------------------------------------------------------------------------------------------


def _ask(path: str, target: Attacked, client: str, secret: str, how: str) -> Response:
    form = {"grant_type": "refresh_token", "refresh_token": "xl_rt_junk", "token": "xl_at_junk"}
    if how == "header":
        return target.server.serve(target.tenant, request(path, form, basic(client, secret)))
    return target.server.serve(target.tenant, request(path, {**form, "client_id": client, "client_secret": secret}))


def _by_old_secret(path: str, how: str, target: Attacked) -> Response:
    flow = target.parties["flow"]
    target.admin.run(clients.add_secret(flow.id, others_expire_in=0))
    return _ask(path, target, flow.id, flow.secret, how)


def _by_removed(path: str, how: str, target: Attacked) -> Response:
    flow = target.parties["flow"]
    target.admin.run(clients.remove(flow.id))
    return _ask(path, target, flow.id, flow.secret, how)


def _clients(path: str, how: str) -> Mapping[str, Case]:
    wrong = "xl_sk_" + "A" * 43
    return {
        "unknown client": lambda target: _ask(path, target, "nobody", wrong, how),
        "wrong secret": lambda target: _ask(path, target, target.parties["flow"].id, wrong, how),
        "another client's secret": lambda target: _ask(
            path, target, target.parties["flow"].id, target.parties["other"].secret, how
        ),
        "a secret cut short": lambda target: _ask(
            path, target, target.parties["flow"].id, target.parties["flow"].secret[:-1], how
        ),
        "a secret that expired": lambda target: _by_old_secret(path, how, target),
        "a client that was removed": lambda target: _by_removed(path, how, target),
        "a public client with a secret": lambda target: _ask(path, target, target.parties["browser"].id, wrong, how),
        "a method that is not the client's": lambda target: _ask(
            path, target, target.parties["signing"].id, wrong, how
        ),
        "a client of another tenant": lambda target: _ask(
            path, _elsewhere(target), target.parties["flow"].id, wrong, how
        ),
        "an id of 2,000 characters": lambda target: _ask(path, target, "n" * 2_000, wrong, how),
        "an id that is none": lambda target: _ask(path, target, "\N{SNOWMAN}\x01", wrong, how),
        "failing for the second time": lambda target: (
            _ask(path, target, target.parties["flow"].id, wrong, how),
            _ask(path, target, target.parties["flow"].id, wrong, how),
        )[1],
    }


def _elsewhere(target: Attacked) -> Attacked:
    return attrs.evolve(target, tenant=target.hub.open_tenant("elsewhere", edition="JP", products={"kintone"}))


@pytest.mark.parametrize("how", ["header", "body"])
@pytest.mark.parametrize("path", [TOKEN, REVOKE, INTROSPECT])
def test_a_client_that_is_not_let_in(path: str, how: str) -> None:
    """Unknown, removed, wrong, expired: `invalid_client`, and nothing that tells which."""
    answer = require_alike(_clients(path, how))

    assert 401 == answer.status
    assert {"error": "invalid_client"} == members(answer)
    assert ("WWW-Authenticate" in dict(answer.headers)) is (how == "header")


def test_a_client_that_shows_nothing() -> None:
    """Without a secret, a client that has one and one that there is not are refused alike."""
    form = {"grant_type": "refresh_token", "refresh_token": "xl_rt_junk"}
    answer = require_alike(
        {
            "unknown": lambda target: target.call(TOKEN, None, client_id="nobody", **form),
            "confidential": lambda target: target.call(TOKEN, None, client_id=target.parties["flow"].id, **form),
            "signing": lambda target: target.call(TOKEN, None, client_id=target.parties["signing"].id, **form),
        }
    )

    assert (401, {"error": "invalid_client"}) == (answer.status, members(answer))


# --- Tokens ------------------------------------------------------------------------------------------------------


def _forged(token: str) -> str:
    return token[:-1] + ("A" if token[-1] != "A" else "B")


def _of_another_tenant(target: Attacked, kind: TokenKind) -> str:
    """Return an authentic token of another tenant that names a link of this one."""
    token: str = target.connected()["access_token"]
    opened = KEYS.open(TenantId(TENANT), token)
    assert opened is not None
    return KEYS.mint(TenantId("elsewhere"), opened.token._replace(kind=kind), bytes(20)).reveal()


def _refresh(target: Attacked, token: str) -> Response:
    return target.server.serve(target.tenant, target.refreshing(token))


def _after(target: Attacked, *operations: object) -> str:
    token: str = target.connected()["refresh_token"]
    for operation in operations:
        target.admin.run(operation)  # type: ignore[arg-type] # of any result
    return token


def _reused(target: Attacked) -> Response:
    first = target.connected()
    second = members(_refresh(target, first["refresh_token"]))
    members(_refresh(target, second["refresh_token"]))
    return _refresh(target, first["refresh_token"])


def _other_scope(target: Attacked) -> Response:
    token = target.connected()["refresh_token"]
    _refresh(target, token)
    return target.server.serve(target.tenant, target.refreshing(token, scope="k:app_record:read"))


REFRESHES: Mapping[str, Case] = {
    "junk": lambda target: _refresh(target, "junk"),
    "a forged MAC": lambda target: _refresh(target, _forged(target.connected()["refresh_token"])),
    "another client's": lambda target: _refresh(target, target.connected("other")["refresh_token"]),
    "a public client's": lambda target: _refresh(target, target.connected("browser")["refresh_token"]),
    "an access token": lambda target: _refresh(target, target.connected()["access_token"]),
    "a code": lambda target: _refresh(target, target.code()),
    "another tenant's": lambda target: _refresh(target, _of_another_tenant(target, TokenKind.REFRESH)),
    "a revoked link": lambda target: _refresh(target, _after(target, links.revoke_all(user="sato"))),
    "a disabled service": lambda target: _refresh(target, _after(target, services.disable(SERVICE))),
    "a suspended user": lambda target: _refresh(target, _after(target, users.suspend("sato"))),
    "a deleted user": lambda target: _refresh(target, _after(target, users.delete("sato"))),
    "a withdrawn grant": lambda target: _refresh(
        target, _after(target, grants.withdraw(SERVICE, organizations=["sales"]))
    ),
    "a quarantine": lambda target: _refresh(target, _after(target, services.quarantine(SERVICE, "leak"))),
    "one that was used long ago": _reused,
    "the wrong scope for a repetition": _other_scope,
}


def test_a_refresh_token_that_is_worth_nothing() -> None:
    """Whose it is, whether it ever was one, what ended it: `invalid_grant` says nothing of it."""
    answer = require_alike(REFRESHES)

    assert (400, {"error": "invalid_grant"}) == (answer.status, members(answer))


def _redeem(target: Attacked, code: str, **other: str) -> Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return target.call(TOKEN, "flow", **{**form, **other})


def _twice(target: Attacked) -> Response:
    code = target.code()
    _redeem(target, code)
    return _redeem(target, code)


def _late() -> Response:
    clock = FrozenClock()
    target = attacked(MemoryStorage(), clock=clock)
    code = target.code()
    clock.advance(61)
    return _redeem(target, code)


CODES: Mapping[str, Case] = {
    "junk": lambda target: _redeem(target, "junk"),
    "a forged MAC": lambda target: _redeem(target, _forged(target.code())),
    "another client's": lambda target: _redeem(target, target.code("other")),
    "a refresh token": lambda target: _redeem(target, target.connected()["refresh_token"]),
    "used": _twice,
    "expired": lambda target: _late(),
    "another redirect URI": lambda target: _redeem(target, target.code(), redirect_uri=REDIRECT + "/other"),
    "another verifier": lambda target: _redeem(target, target.code(), code_verifier="a" * 43),
    "a short verifier": lambda target: _redeem(target, target.code(), code_verifier="a"),
    "a verifier of 64 KiB": lambda target: _redeem(target, target.code(), code_verifier="a" * 60_000),
    "no verifier": lambda target: _redeem(target, target.code(), code_verifier=""),
}


def test_a_code_that_is_worth_nothing() -> None:
    """Which of code, client, redirect URI and verifier was wrong is not told (RFC 7636 section 4.6)."""
    answer = require_alike(CODES)

    assert (400, {"error": "invalid_grant"}) == (answer.status, members(answer))


def _introspect(target: Attacked, token: str, party: str = "flow", **more: str) -> Response:
    return target.call(INTROSPECT, party, token=token, **more)


INTROSPECTIONS: Mapping[str, Case] = {
    "junk": lambda target: _introspect(target, "junk"),
    "64 characters": lambda target: _introspect(target, "a" * 64),
    "a forged MAC": lambda target: _introspect(target, _forged(target.connected()["access_token"])),
    "another client's": lambda target: _introspect(target, target.connected("other")["access_token"]),
    "another tenant's": lambda target: _introspect(target, _of_another_tenant(target, TokenKind.ACCESS)),
    "a code": lambda target: _introspect(target, target.code()),
    "a code, as an API": lambda target: _introspect(target, target.code(), "api"),
    "revoked": lambda target: _introspect(target, _ended(target)),
    "revoked, as an API": lambda target: _introspect(target, _ended(target), "api"),
    "disabled": lambda target: _introspect(target, _after(target, services.disable(SERVICE))),
    "superseded": lambda target: _introspect(target, _superseded(target)),
    "a hint that lies": lambda target: _introspect(target, "junk", token_type_hint="refresh_token"),
    "a hint that is none": lambda target: _introspect(target, "junk", token_type_hint="x" * 1_000),
}


def _ended(target: Attacked) -> str:
    token: str = target.connected()["access_token"]
    target.admin.run(links.revoke_all(user="sato"))
    return token


def _superseded(target: Attacked) -> str:
    token: str = target.connected()["refresh_token"]
    _refresh(target, token)
    return token


def test_a_token_that_is_inactive() -> None:
    """Unknown, somebody else's, over or refused by a gate: inactive, and no other member (RFC 7662 section 2.2)."""
    answer = require_alike(INTROSPECTIONS)

    assert (200, {"active": False}) == (answer.status, members(answer))


def _revoke(target: Attacked, token: str, **more: str) -> Response:
    return target.call(REVOKE, "flow", token=token, **more)


def _revoked_twice(target: Attacked) -> Response:
    token = target.connected()["refresh_token"]
    _revoke(target, token)
    return _revoke(target, token)


REVOCATIONS: Mapping[str, Case] = {
    "junk": lambda target: _revoke(target, "junk"),
    "its own": lambda target: _revoke(target, target.connected()["refresh_token"]),
    "its own access token": lambda target: _revoke(target, target.connected()["access_token"]),
    "with a hint that lies": lambda target: _revoke(
        target, target.connected()["access_token"], token_type_hint="refresh_token"
    ),
    "with a hint that is none": lambda target: _revoke(target, "junk", token_type_hint="saml2"),
    "a forged MAC": lambda target: _revoke(target, _forged(target.connected()["refresh_token"])),
    "another client's": lambda target: _revoke(target, target.connected("other")["refresh_token"]),
    "another tenant's": lambda target: _revoke(target, _of_another_tenant(target, TokenKind.REFRESH)),
    "a code": lambda target: _revoke(target, target.code()),
    "twice": _revoked_twice,
}


def test_a_revocation_of_anything() -> None:
    """200 and nothing else, whatever was shown (RFC 7009 section 2.2)."""
    answer = require_alike(REVOCATIONS)

    assert (200, b"") == (answer.status, answer.body)


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "code", "xyz", ""])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_hint_decides_nothing(kind: str, hint: str) -> None:
    """Right, wrong or unknown, a hint changes neither what is found nor what ends (RFC 7009 section 2.1)."""
    target = in_memory()
    tokens = target.connected()
    seen = members(_introspect(target, tokens[kind], token_type_hint=hint))

    assert seen["active"]
    assert ("token_type" in seen) is (kind == "access_token")
    _revoke(target, tokens[kind], token_type_hint=hint)
    assert not target.is_active(tokens["access_token"])
    assert not target.is_active(tokens["refresh_token"])


# --- Broken twin -------------------------------------------------------------------------------------------------


def test_an_answer_that_tells_more_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the answer to a wrong secret says that it was the secret."""

    def talkative(error: str, description: str = "") -> OAuthError:
        return OAuthError(error, description or "the secret is wrong" if error == "invalid_client" else description)

    group = _clients(TOKEN, "body")

    def wrong(target: Attacked) -> Response:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("extlink.http.OAuthError", talkative)
            return group["wrong secret"](target)

    with pytest.raises(ToldApart, match="the secret is wrong"):
        require_alike({**group, "wrong secret": wrong})
