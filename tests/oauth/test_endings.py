"""What changes takes effect at the next message: a client removed, a redirect URI withdrawn, a directory gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import pytest

from extlink import access, clients, endpoints, links, triggers
from extlink.domain.client_registration import ClientProfile
from extlink.domain.consent import Consent
from extlink.domain.decision import Decision
from extlink.domain.identifier import ServiceId
from extlink.domain.subscription import Subscription
from extlink.errors import InvalidInput, Refused
from extlink.http import Request, Response
from extlink.oauth.credentials import ClientCredentials
from tests.oauth.attacked import INTROSPECT, REVOKE, TOKEN, Attacked, in_memory, members, request
from tests.people import POWER, ShakyDirectory, codes, world
from tests.schedules.world import ADDRESS, CHALLENGE, CLIENT, KEYS, PEOPLE, REDIRECT, SCOPE, SERVICE, TENANT


class NotEnded(AssertionError):
    """Something of a client that was removed is still taken."""


def _remove(target: Attacked) -> None:
    target.admin.run(clients.remove(target.parties["flow"].id))


def _check(target: Attacked, token: str) -> Decision:
    return target.tenant.run(access.check(token, scope=SCOPE, address=ADDRESS))


def require_ended(target: Attacked, tokens: Mapping[str, str]) -> None:
    """Require that no token of the link is worth anything to anybody."""
    if _check(target, tokens["access_token"]):
        raise NotEnded("a check lets it in")
    if target.is_active(tokens["access_token"], "api") or target.is_active(tokens["refresh_token"], "api"):
        raise NotEnded("an introspection calls it active")
    if target.server.serve(target.tenant, target.refreshing(tokens["refresh_token"])).status == 200:
        raise NotEnded("it can be refreshed")


def test_a_removed_client_takes_its_tokens_along() -> None:
    """From the next message on: checks, introspection by anybody and refreshes, for good."""
    target = in_memory()
    tokens = target.connected()
    _remove(target)

    require_ended(target, tokens)
    assert ("client.removed",) == codes(_check(target, tokens["access_token"]))


def test_a_removed_client_gets_no_deliveries() -> None:
    """A trigger that its link subscribed to is not called any more."""
    made = world()
    made.allow("sato")
    profile = ClientProfile(service=ServiceId(POWER), name="Power Automate", redirect_uris=(REDIRECT,))
    registered = made.run(clients.register(profile))
    tokens = made.connect("sato", client=registered.client.client)
    subscribed = made.tenant.run(
        triggers.subscribe(tokens.access_token, trigger="record_added", connectors=["shared_kintone"])
    )
    assert isinstance(subscribed, Subscription)
    delivery = triggers.check_delivery(tokens.link, subscribed.id)

    assert made.tenant.run(delivery)
    made.run(clients.remove(registered.client.id))
    assert ("client.removed",) == codes(made.tenant.run(delivery))


def test_the_other_clients_keep_theirs() -> None:
    """Only what the removed client made ends."""
    target = in_memory()
    tokens = target.connected("other")
    _remove(target)

    assert _check(target, tokens["access_token"])


def test_a_check_that_forgets_the_client_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: what a removed client holds lives on until it expires."""
    target = in_memory()
    tokens = target.connected()
    _remove(target)
    monkeypatch.setattr("extlink.facts._removed", lambda *_: frozenset())

    with pytest.raises(NotEnded, match="a check"):
        require_ended(target, tokens)


def _withdraw(target: Attacked) -> None:
    flow = target.admin.run(clients.show(target.parties["flow"].id))
    other = ("https://client.example/new",)
    target.admin.run(clients.change(flow.id, attrs.evolve(flow.profile, redirect_uris=other)))


@pytest.mark.parametrize("change", [_remove, _withdraw], ids=["client removed", "redirect URI withdrawn"])
@pytest.mark.parametrize("answer", ["accept", "refuse"])
def test_a_page_that_was_open_meanwhile(change: Callable[[Attacked], None], answer: str) -> None:
    """Neither a code nor an error goes to a client or a redirect URI that is not registered any more."""
    target = in_memory()
    consent = target.asked()
    assert isinstance(consent, Consent)
    change(target)
    answered = target.answer(consent, answer)

    assert (400, None) == (answered.status, dict(answered.headers).get("Location"))


def test_a_client_of_the_hosts_own_needs_no_record() -> None:
    """Who calls the operations on links without the endpoints has clients of their own, and answers for them."""
    target = in_memory()
    begin = links.begin(
        SERVICE, client=CLIENT, redirect_uri=REDIRECT, scopes=SCOPE, code_challenge=CHALLENGE, network="not_applicable"
    )
    consent = target.user.run(begin)

    assert isinstance(consent, Consent)
    assert target.user.run(links.accept(consent, network="not_applicable"))


def test_an_accepted_page_of_the_hosts_own_client_after_it_was_registered_and_removed() -> None:
    """Told by the operation itself, with the reason."""
    target = in_memory()
    consent = target.asked()
    assert isinstance(consent, Consent)
    _remove(target)
    with pytest.raises(Refused, match=r"client\.removed"):
        target.user.run(links.accept(consent.token, session="session-of-sato", network="not_applicable"))


def test_a_directory_that_does_not_answer() -> None:
    """Clients are told to come back, since `invalid_grant` would make them give their tokens up; nothing is given."""
    target = in_memory()
    tokens, code = target.connected(), target.code()
    directory = ShakyDirectory(PEOPLE)
    hub = type(target.hub)(target.storage, keys=KEYS, directory=directory, clock=target.clock)
    tenant = hub.tenant(TENANT)
    directory.down = True
    for asked in (target.redemption(code), target.refreshing(tokens["refresh_token"])):
        answer = target.server.serve(tenant, asked)
        assert (503, {"error": "temporarily_unavailable"}) == (answer.status, members(answer))
        assert "1" == dict(answer.headers)["Retry-After"]

    directory.down = False
    assert 200 == target.server.serve(tenant, target.redemption(code)).status


def test_a_public_client_ends_its_own_link() -> None:
    """Revocation names who ended it: the service itself, in words."""
    target = in_memory()
    tokens = target.connected("browser")
    target.call(REVOKE, "browser", token=tokens["refresh_token"])
    decision = _check(target, tokens["access_token"])
    (reason,) = decision.reasons

    assert ("link.revoked", "client") == (reason.code, reason.params["by"])
    assert "the service itself" in reason.text("en")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", b"POST"),
        ("path", None),
        ("query", 7),
        ("headers", 7),
        ("headers", [(b"content-type", b"text/plain")]),
        ("headers", [("a", "b", "c")]),
        ("headers", {"a": None}),
        ("body", "text"),
        ("body", None),
    ],
)
def test_a_request_that_is_not_made_of_text(field: str, value: object) -> None:
    """The host is told which part its framework has in another type."""
    good = {"method": "POST", "path": TOKEN, "headers": (), "body": b""}
    with pytest.raises(InvalidInput, match=field):
        Request(**{**good, field: value})  # type: ignore[arg-type] # that is the test


def test_headers_by_name_or_in_pairs() -> None:
    """Both are taken, and names are compared without regard to case."""
    by_name = Request(method="GET", path="/", headers={"X-A": "1"})

    assert by_name == Request(method="GET", path="/", headers=(("x-a", "1"),))


def test_the_token_endpoint_takes_no_other_kind_of_request() -> None:
    """An operation is built of what the parsers give, and of nothing else."""
    who = ClientCredentials(method="none", client_id="c", proof=None)
    with pytest.raises(InvalidInput, match="request"):
        endpoints.exchange(object(), who, issuer="https://example.com")  # type: ignore[arg-type] # that is the test


def test_a_503_of_every_kind_says_when_to_come_back() -> None:
    """Also where the server itself asks a client to wait, since it has shown too many assertions."""
    target = in_memory()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("extlink.client_authentication._MAX_ASSERTIONS", 1)
        answers = [
            target.server.serve(target.tenant, _introspecting(target, f"number {number}")) for number in range(2)
        ]

    assert [200, 503] == [answer.status for answer in answers]
    assert "1" == dict(answers[1].headers)["Retry-After"]


def _introspecting(target: Attacked, name: str) -> Request:
    return request(INTROSPECT, {"token": "x", **target.proof(name)})


def test_nothing_of_an_answer_is_printed() -> None:
    """The code travels in a header, the tokens in the body, and secrets come in queries where none belong."""
    answer = Response(status=303, headers=(("Location", "https://a.example?code=xl_ac_canary"),), body=b"xl_at_canary")
    asked = Request(
        method="GET", path="/", query="client_secret=canary", headers=(("authorization", "canary"),), body=b"canary"
    )

    assert "canary" not in f"{answer!r} {answer} {asked!r} {asked}"
