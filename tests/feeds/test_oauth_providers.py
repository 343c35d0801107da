"""The reader of grant's `oauth.json`: every provider a definition or set aside, and any bytes at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import ExtLink, feeds, services
from extlink.domain.oauth_profile import OAuthProfile
from extlink.domain.service import to_fields
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds.definitions import NEVER_TAKEN, Definitions
from tests.feeds.definition_files import CANARY, PROVIDERS, outcome

Reader = Callable[[Any], Definitions]


def read(data: object) -> Definitions:
    """Read a document."""
    return feeds.read_oauth_providers(data if isinstance(data, str | bytes) else json.dumps(data))


def test_providers_become_definitions() -> None:
    """Addresses, the delimiter that the library joins by, and placeholders in braces; names until there are better."""
    found = read(PROVIDERS)
    github, aha = found.services

    assert ("npm-grant", "github", ()) == (found.source, github.id, github.scopes)
    assert {"outbound"} == github.directions
    assert (
        OAuthProfile(
            authorization_url="https://github.com/login/oauth/authorize",
            token_url="https://github.com/login/oauth/access_token",
            scope_delimiter=",",
        )
        == github.oauth
    )
    assert aha.oauth is not None
    assert ("https://{subdomain}.aha.io/oauth/token", ("subdomain",), " ") == (
        aha.oauth.token_url,
        aha.oauth.connection_parameters,
        aha.oauth.scope_delimiter,
    )
    assert ("ahaと連携します。", "Connects to aha.", "与aha联动。") == aha.descriptions.texts


def test_what_is_not_read_is_told() -> None:
    """OAuth 1 is set aside; a secret is never taken, and what else a provider has is told."""
    found = read(PROVIDERS)

    assert [("trello", "expected OAuth 2, got 1; OAuth 1 has no scopes and no bearer tokens")] == [
        (item.place, item.reason) for item in found.set_aside
    ]
    assert [("aha.client_secret", NEVER_TAKEN), ("aha.custom_parameters", "not read")] == [
        (item.place, item.reason) for item in found.unused
    ]
    with pytest.raises(InvalidInput, match=r"^id: expected a definition of npm-grant, got 'trello'; it was set aside"):
        found.service("trello")
    with pytest.raises(InvalidInput, match=r"got 'tralla'; the file gives 2$"):
        found.service("tralla")
    with pytest.raises(InvalidInput, match=r"^id: "):
        found.service(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"oauth": True}, "expected OAuth 2, got true or false"),
        ({"oauth": "2"}, "expected OAuth 2, got a text"),
        ({"oauth": None}, "expected OAuth 2, got nothing"),
        ({"authorize_url": None}, "authorize_url: expected an address in authorize_url, got nothing"),
        ({"authorize_url": "http://example.com"}, "authorize_url: expected an https address"),
        ({"access_url": "https://[sub domain].example.com"}, "access_url: expected text and placeholders"),
        ({"access_url": f"https://example.com/?client_secret={CANARY}"}, "access_url: expected no client_secret"),
        ({"scope_delimiter": ""}, "scope_delimiter: expected one of ' ', ',', '+', ';', '|'"),
        ({"scope_delimiter": ["a"]}, "scope_delimiter: expected one of"),
    ],
)
def test_a_malformed_provider_is_set_aside(changes: dict[str, object], problem: str) -> None:
    """By its name, with the field and what was expected."""
    found = read({"a": PROVIDERS["github"] | changes, "b": PROVIDERS["github"]})

    assert (["b"], ["a"]) == ([one.id for one in found.services], [item.place for item in found.set_aside])
    assert problem in found.set_aside[0].reason
    assert CANARY not in repr(found)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 256, "\ud800"])
def test_a_provider_whose_name_is_no_id_is_set_aside(name: str) -> None:
    """Nothing is renamed silently."""
    assert (0, 1) == (len(read({name: PROVIDERS["github"]}).services), len(read({name: PROVIDERS["github"]}).set_aside))


@pytest.mark.parametrize("document", [[], None, 5, "text"])
def test_another_shape_is_refused(document: object) -> None:
    """A document of another shape is no such file."""
    with pytest.raises(InvalidInput, match=r"^data: expected an object"):
        read(json.dumps(document))


def test_every_real_provider_is_a_definition_or_set_aside(realdata: Path) -> None:
    """Of 218 providers 191 speak OAuth 2 and are definitions; 22 of them ask for a subdomain."""
    data = (realdata / "connectors" / "grant_oauth.json").read_bytes()
    listed = json.loads(data)
    found = read(data)
    versions = Counter(provider["oauth"] for provider in listed.values())
    templates = [name for name, one in listed.items() if one["oauth"] == 2 and "[subdomain]" in one["access_url"]]
    delimiters = {name: one.get("scope_delimiter", ",") for name, one in listed.items() if one["oauth"] == 2}
    profiles = {service.id: service.oauth or OAuthProfile() for service in found.services}

    assert {2: 191, 1: 27} == versions
    assert len(listed) == len(found.services) + len(found.set_aside)
    assert versions[2] == len(found.services)
    assert () == found.unused
    assert templates == [name for name, profile in profiles.items() if profile.connection_parameters]
    assert delimiters == {name: profile.scope_delimiter for name, profile in profiles.items()}
    for name, profile in profiles.items():
        assert (listed[name]["authorize_url"], listed[name]["access_url"]) == tuple(
            str(url).replace("{subdomain}", "[subdomain]") for url in (profile.authorization_url, profile.token_url)
        )


def test_a_tenant_registers_every_real_provider(realdata: Path) -> None:
    """An administrator registers each of the 191 as it was read, and enables one of them with its scopes."""
    tenant = ExtLink.in_memory().open_tenant("acme", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    found = read((realdata / "connectors" / "grant_oauth.json").read_bytes())
    github = feeds.with_scopes(found.service("github"), ["repo", "gist"])

    assert list(found.services) == [admin.run(services.register(one)).service for one in found.services]
    assert github == admin.run(services.register(github)).service
    assert admin.run(services.enable("github")).service.scope("repo")


def test_counting_catches_a_reader_that_drops() -> None:
    """The broken twin: a reader that skips what it cannot read."""

    def silent(data: Any) -> Definitions:
        return attrs.evolve(read(data), set_aside=())

    counts = [len(found.services) + len(found.set_aside) for found in (read(PROVIDERS), silent(PROVIDERS))]

    assert [len(PROVIDERS), len(PROVIDERS) - 1] == counts


SMALL = json.dumps(PROVIDERS).encode()
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just("https://[a].example.com")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=8,
)
BROKEN = st.tuples(st.integers(0, len(SMALL)), st.integers(0, 40), st.binary(max_size=8)).map(
    lambda cut: SMALL[: cut[0]] + cut[2] + SMALL[cut[0] + cut[1] :]
)
NEARLY = st.dictionaries(
    st.text(max_size=5), st.dictionaries(st.sampled_from([*PROVIDERS["aha"]]), ANYTHING).map(PROVIDERS["aha"].__or__)
)


@given(data=st.one_of(st.binary(), st.text(), BROKEN, ANYTHING.map(json.dumps), NEARLY.map(json.dumps), ANYTHING))
def test_any_data_is_definitions_or_an_error(data: Any) -> None:
    """Law 13: definitions that can be kept, counts that add up, or an `ExtlinkError` of one printable line."""
    found = outcome(lambda: feeds.read_oauth_providers(data))
    if isinstance(found, ExtlinkError):
        assert str(found).isprintable()
        return
    assert len(json.loads(data)) == len(found.services) + len(found.set_aside)
    for service in found.services:
        assert CANARY not in json.dumps(to_fields(service))
    for item in (*found.set_aside, *found.unused):
        assert (item.place + item.reason).isprintable()
