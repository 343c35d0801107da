from __future__ import annotations

from typing import Any

import attrs
import pytest

from extlink import clients
from extlink.clients import RegisteredClient
from extlink.domain.client_registration import ClientKey, ClientProfile
from extlink.errors import InvalidInput
from tests.hosts import REDIRECT, SCOPES, SERVICE, Host, refusal
from tests.oauth.keys import pem

WAIVED: Any = "waived_for_confidential_client"


def profile(**fields: Any) -> ClientProfile:
    """Return a profile of Power Automate's client."""
    return ClientProfile(**{"service": SERVICE, "name": "Power Automate", "redirect_uris": [REDIRECT], **fields})


def registered(host: Host, **fields: Any) -> RegisteredClient:
    """Register a client."""
    return host.admin.run(clients.register(profile(**fields)))


def test_a_client_is_registered_with_a_secret_that_is_told_once() -> None:
    """Whoever asks later gets the client without it; a client that shows no secret gets none."""
    host = Host.prepared()
    made = registered(host)

    assert made.secret is not None
    assert made.secret.reveal().startswith("xl_sk_")
    assert made.client == host.admin.run(clients.show(made.client.id))
    assert made.secret.reveal() not in repr(made)
    for fields in ({"kind": "public"}, {"methods": ["private_key_jwt"]}):
        assert registered(host, **fields).secret is None
    assert 3 == len(host.admin.run(clients.registered()))


def test_a_client_belongs_to_a_service_and_its_scopes() -> None:
    """An unknown service, and operations that it does not define, are refused, when it is made and when it changes."""
    host = Host.prepared()
    client = registered(host).client

    assert "service.unknown" == refusal(host.admin, clients.register(profile(service="nowhere"))).code
    for fields in ({"scopes": ["made:up"]}, {"default_scopes": ["made:up"]}):
        assert "scope.unknown" == refusal(host.admin, clients.register(profile(**fields))).code
        assert "scope.unknown" == refusal(host.admin, clients.change(client.id, profile(**fields))).code


def test_only_so_many_clients_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is refused, and said so."""
    monkeypatch.setattr(clients, "MAX_CLIENTS", 1)
    host = Host.prepared()
    registered(host)

    assert "save.too_large" == refusal(host.admin, clients.register(profile())).code


def test_what_is_unknown_is_refused() -> None:
    """By every operation on one client; so is a client that was removed."""
    host = Host.prepared()
    gone = registered(host).client.id
    host.admin.run(clients.remove(gone))

    for name in ("nobody", gone):
        for operation in (
            clients.show(name),
            clients.remove(name),
            clients.add_secret(name),
            clients.remove_secret(name, secret_id="x"),
            clients.set_keys(name, []),
            clients.change(name, profile()),
        ):
            assert "client.unknown" == refusal(host.admin, operation).code
    assert () == host.admin.run(clients.registered())


def test_a_weakness_that_is_new_has_an_entry_of_its_own() -> None:
    """Leaving out PKCE, and a lenient refresh scope; once, by the name of the option."""
    host = Host.prepared()
    before = host.position()
    client = registered(host, pkce=WAIVED).client
    both = profile(pkce=WAIVED, refresh_scope="intersect_with_granted")
    host.admin.run(clients.change(client.id, both))
    host.admin.run(clients.change(client.id, attrs.evolve(both, name="Renamed")))
    host.admin.run(clients.change(client.id, profile()))
    entries = host.entries(before)

    assert ["client.added", "client.exempted", "client.changed", "client.exempted"] == [one.event for one in entries][
        :4
    ]
    assert ["client.changed", "client.changed"] == [one.event for one in entries][4:]
    assert ["pkce", "refresh_scope"] == [one.details["option"] for one in entries if one.event == "client.exempted"]


def test_a_change_says_what_was_and_what_is() -> None:
    """The fields that differ and no others; nothing where nothing differs."""
    host = Host.prepared()
    client = registered(host).client
    before = host.position()
    host.admin.run(clients.change(client.id, profile(scopes=[SCOPES[0]])))
    host.admin.run(clients.change(client.id, profile(scopes=[SCOPES[0]])))
    (entry,) = host.entries(before)

    assert ({"scopes": None}, {"scopes": [SCOPES[0]]}) == (entry.details["before"], entry.details["after"])


def test_service_and_kind_are_for_life() -> None:
    """Another service, and a public client under the same id, are another client."""
    host = Host.prepared()
    client = registered(host).client

    for fields in ({"service": "other"}, {"kind": "public"}):
        assert "client.another" == refusal(host.admin, clients.change(client.id, profile(**fields))).code


def test_what_a_client_no_longer_shows_is_forgotten() -> None:
    """Without a method by secret its secrets go, without `private_key_jwt` its keys."""
    host = Host.prepared()
    every: Any = ["client_secret_basic", "private_key_jwt"]
    client = registered(host, methods=every).client
    key = ClientKey(id="k1", algorithm="ES256", pem=pem("ES256"))
    assert (key,) == host.admin.run(clients.set_keys(client.id, [key])).keys
    before = host.position()
    host.admin.run(clients.set_keys(client.id, [key]))
    assert before == host.position()

    after = host.admin.run(clients.change(client.id, profile(methods=["private_key_jwt"])))
    assert ((), (key,)) == (after.secrets, after.keys)
    assert "client.no_secrets" == refusal(host.admin, clients.add_secret(client.id)).code
    after = host.admin.run(clients.change(client.id, profile()))
    assert () == after.keys
    assert "client.no_keys" == refusal(host.admin, clients.set_keys(client.id, [key])).code


def test_secrets_rotate_within_bounds() -> None:
    """At most five live at once; those that ran out make room; an end is never put off."""
    host = Host.prepared()
    client = registered(host).client
    for _ in range(4):
        host.admin.run(clients.add_secret(client.id))
    assert "client.too_many_secrets" == refusal(host.admin, clients.add_secret(client.id)).code
    first = client.secrets[0].id
    left = host.admin.run(clients.remove_secret(client.id, secret_id=first))
    assert 4 == len(left.secrets)
    assert "client.unknown_secret" == refusal(host.admin, clients.remove_secret(client.id, secret_id=first)).code
    host.admin.run(clients.add_secret(client.id, others_expire_in=60))
    host.clock.advance(30)
    assert "client.too_many_secrets" == refusal(host.admin, clients.add_secret(client.id)).code
    host.clock.advance(30)
    made = host.admin.run(clients.add_secret(client.id, others_expire_in=0))
    assert [host.clock.now(), None] == [one.expires for one in made.client.secrets]
    later = host.admin.run(clients.add_secret(client.id, others_expire_in=3_600))
    assert [host.clock.now() + 3_600, None] == [one.expires for one in later.client.secrets]


@pytest.mark.parametrize("seconds", [-1, 365 * 86_400 + 1, 1.5, True, "60"])
def test_an_overlap_is_a_number_of_seconds(seconds: Any) -> None:
    """At most a year."""
    with pytest.raises(InvalidInput, match="others_expire_in"):
        clients.add_secret("c1", others_expire_in=seconds)


def test_too_many_keys_are_refused() -> None:
    """Eleven are one too many, and nothing changes."""
    host = Host.prepared()
    client = registered(host, methods=["private_key_jwt"]).client
    keys = [ClientKey(id=f"k{number}", algorithm="ES256", pem=pem("ES256")) for number in range(11)]

    with pytest.raises(InvalidInput, match="keys: expected at most 10"):
        host.admin.run(clients.set_keys(client.id, keys))
    assert () == host.admin.run(clients.show(client.id)).keys
