"""The reader of `apiProperties.json`: every setting a definition or set aside, no credential taken, any bytes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import ExtLink, feeds, services
from extlink.domain.localized import LocalizedText
from extlink.domain.oauth_profile import OAuthProfile, RequestTemplates
from extlink.domain.service import Service, to_fields
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds.definitions import NEVER_TAKEN, Definitions
from tests.feeds.definition_files import CANARY, GRAPH, connector, generic, outcome, plain, setting, settings_of, wrap

Reader = Callable[[Any], Definitions]
NAME = LocalizedText.same("Boards")
TOKEN = "properties.connectionParameters.token.oAuthSettings"
KINDS = {"oauth2", "oauth2generic"}
# Whoever connects is asked for these; the first four are addresses or the beginnings of one.
CONNECTION = {
    "authorizationurl": "https://login.example.com/authorize",
    "tokenurl": "https://login.example.com/token",
    "refreshurl": "https://login.example.com/refresh",
    "bigevalurl": "https://eval.example.com",
    "env": "https://env.example.com",
    "customhost": "host.example.com",
    "customauth": "auth.example.com",
    "environment": "test.example.com",
    "us_domain": "vault.example.com",
    "au_domain": "",
    "eu_domain": "",
    "de_domain": "",
    "ducot_domain": "",
    "customscopes": "a b",
    "scope": "a b",
}
SENT = {
    "clientid": "client&1",
    "clientsecret": "secret+1",
    "redirecturl": "https://global.consent.azure-apim.net/redirect/x-5f",
    "state": "st/ate",
    "code": "co de",
    "refreshtoken": "ref=resh",
    "codechallenge": "challenge",
    "codeverifier": "verifier",
}


def read(data: object, **changes: Any) -> Definitions:
    """Read a document as the definitions of `boards`."""
    text = data if isinstance(data, str | bytes) else json.dumps(data)
    said: dict[str, Any] = {"id": "boards", "names": NAME}
    return feeds.read_api_properties(text, **said | changes)


def one(settings: object, **changes: Any) -> Service:
    """Read a document with one setting that is a definition."""
    return read(connector({"token": setting(settings)}), **changes).service("boards")


def profile(settings: object, **changes: Any) -> OAuthProfile:
    """Return the profile of a setting."""
    found = one(settings, **changes).oauth
    assert found is not None
    return found


# --- What becomes of a setting -------------------------------------------------------------------------------------


def test_a_plain_setting_becomes_a_definition() -> None:
    """Keys in any case, several scopes in one text, hosts in lower case; a path keeps its own."""
    service = one(plain())

    assert ("boards", NAME, NAME) == (service.id, service.names, service.descriptions)
    assert {"outbound"} == service.directions
    assert ["boards:read", "boards:write"] == [scope.name for scope in service.scopes]
    assert ["write", "read"] == [scope.direction for scope in service.scopes]
    assert OAuthProfile(
        authorization_url="https://example.com/oauth/Authorize",
        token_url="https://api.example.com/oauth/token",
        refresh_url="https://api.example.com/oauth/refresh",
    ) == profile(plain())


def test_a_generic_setting_keeps_its_templates() -> None:
    """Templates are kept as they are, placeholders keep their case, a null says nothing."""
    found = profile(generic())

    assert (
        OAuthProfile(
            authorization_url="https://{Region}.example.com/oauth/authorize",
            token_url="https://{Region}.example.com/oauth/token",
            scope_delimiter=",",
            client_authentication="body",
            templates=RequestTemplates(
                authorization_query="?client_id={clientId}&state={State}&scope={Scopes}&prompt=consent",
                token_body="code={Code}&client_id={ClientId}&client_secret={ClientSecret}&scope={Scopes}",
                refresh_body="code={Code}&refresh_token={RefreshToken}&client_secret={ClientSecret}",
            ),
        )
        == found
    )
    assert ("Region",) == found.connection_parameters


def test_a_connector_of_the_host_is_inbound() -> None:
    """Then the redirect address is the client's, no challenge is sent, and scopes are the host's own."""
    settings = plain(scopes=["k:app_record:read", "k:app_record:write"])
    service = one(settings, direction="inbound", product="kintone")
    challenging = generic(authorizationUrlQueryStringTemplate="?code_challenge={CodeChallenge}&state={State}")

    assert {"inbound"} == service.directions
    assert [("kintone", "read"), ("kintone", "write")] == [(s.product, s.direction) for s in service.scopes]
    assert ("https://global.consent.azure-apim.net/redirect",) == profile(settings, direction="inbound").redirect_uris
    assert "waived_for_confidential_client" == profile(settings, direction="inbound").pkce
    assert "required" == profile(challenging, direction="inbound").pkce
    assert "required" == profile(settings).pkce


def test_a_redirect_address_among_the_parameters_counts_too() -> None:
    """One real connector has it there alone."""
    settings = plain(redirectUrl="")
    settings["customParameters"]["RedirectUrl"] = {"value": "https://global.consent.azure-apim.net/redirect/mine"}
    aside = [item.place for item in read(connector({"token": setting(settings)})).unused]

    assert ("https://global.consent.azure-apim.net/redirect/mine",) == profile(
        settings, direction="inbound"
    ).redirect_uris
    assert {f"{TOKEN}.customParameters.RedirectUrl", f"{TOKEN}.redirectUrl"} <= set(aside)


@pytest.mark.parametrize(
    ("scopes", "delimiter", "found"),
    [
        (["a b  c"], " ", ["a", "b", "c"]),
        (["a,b"], ",", ["a", "b"]),
        (["a,b c"], " ", ["a,b", "c"]),
        ("a b", " ", ["a", "b"]),
        (["a", "b"], " ", ["a", "b"]),
        (["View Surveys", "b"], " ", ["b"]),
        (["{Scope}"], " ", []),
        (["a a"], " ", ["a"]),
        ([], " ", []),
        ([""], " ", []),
        (None, " ", []),
        ([7, "é", "b"], " ", ["b"]),
    ],
)
def test_scopes_in_their_spellings(scopes: object, delimiter: str, found: list[str]) -> None:
    """One text alone may hold several; in a list of several each is one, and one with a blank is none."""
    service = one(plain(scopes=scopes))
    assert service.oauth is not None

    assert (delimiter, found) == (service.oauth.scope_delimiter, [scope.name for scope in service.scopes])


def test_a_stated_delimiter_splits_one_text() -> None:
    """What the file states is used, and what is no delimiter is said to be none."""
    settings = generic(ScopeListDelimiter="+") | {"scopes": ["a+b"]}
    strange = read(connector({"token": setting(generic(ScopeListDelimiter="and"))}))

    assert ("+", ["a", "b"]) == (profile(settings).scope_delimiter, [scope.name for scope in one(settings).scopes])
    assert "expected one of ' ', ',', '+', ';', '|'" in [item.reason for item in strange.unused]


def test_every_part_is_taken_or_told() -> None:
    """Of a setting that is taken, each field is in the definition or among the unused, with its reason."""
    found = read(connector({"token": setting(generic() | {"clientId": CANARY, "redirectMode": "Global"})}))

    assert {
        "clientId": NEVER_TAKEN,
        "redirectMode": "not read",
        "customParameters.refreshUrlTemplate": "it says nothing",
        "customParameters.eU_clientId": NEVER_TAKEN,
        "customParameters.eU_domain": (
            "no field of such a provider; a template that names it is given its value when it is rendered"
        ),
    } == {item.place.removeprefix(f"{TOKEN}."): item.reason for item in found.unused}


def test_sets_of_parameters_become_definitions_of_their_own() -> None:
    """The set's name comes after the id, and a parameter's that is not `token`; what is no setting is set aside."""
    sets = [
        {"name": "EU", "parameters": {"token": setting(plain()), "token:host": {"type": "string"}}},
        {"name": "US", "parameters": {"oauth": setting(generic())}},
        {"name": "none"},
    ]
    found = read(connector({"token": setting(plain()), "api_key": {"type": "securestring"}, "x": {}}, sets))
    inside = "properties.connectionParameterSets.values[0].parameters"

    assert ["boards", "boards:EU", "boards:US:oauth"] == [service.id for service in found.services]
    assert [
        (
            "properties.connectionParameters.api_key",
            "expected an OAuth setting, got a parameter of type 'securestring'",
        ),
        ("properties.connectionParameters.x", "expected an OAuth setting, got a parameter of type nothing"),
        (f"{inside}.token:host", "expected an OAuth setting, got a parameter of type 'string'"),
    ] == [(item.place, item.reason) for item in found.set_aside]


def test_two_definitions_never_share_an_id() -> None:
    """Where names run together the second is set aside."""
    sets = [{"name": "a:b", "parameters": {"token": setting(plain())}}] * 2
    found = read(connector({}, sets))

    assert ["boards:a:b"] == [service.id for service in found.services]
    assert ["its definition's id is that of another: 'boards:a:b'"] == [item.reason for item in found.set_aside]


def test_scopes_are_labelled_where_the_vendors_labels_are_known() -> None:
    """With the vendor's file the scopes read as it says; without a label they read as they are called."""
    labels = feeds.read_graph_scopes(json.dumps(GRAPH))
    settings = plain(scopes=["https://graph.microsoft.com/Mail.Read", "Files.Read", "openid"])
    service = one(settings, labels=[labels])

    assert ["Read your mail", "Read user files", "openid"] == [scope.labels.ja for scope in service.scopes]


# --- What is set aside ---------------------------------------------------------------------------------------------

ASIDE: Mapping[str, object] = {
    f"{TOKEN}.identityProvider": plain(identityProvider="aad"),
    f"{TOKEN}.customParameters": plain(customParameters={}),
    f"{TOKEN}.customParameters.tokenUrl": plain(customParameters={"tokenUrl": {"value": "/oauth/token"}}),
    f"{TOKEN}.customParameters.TokenUrl": plain(customParameters={"TokenUrl": "https://example.com"}),
    f"{TOKEN}.customParameters.refreshUrl": plain(customParameters={"refreshUrl": {"value": 7}}),
    f"{TOKEN}.customParameters.tokenBodyTemplate": generic(tokenBodyTemplate=f"client_secret={CANARY}"),
    f"{TOKEN}.customParameters.refreshBodyTemplate": generic(refreshBodyTemplate="{{Body}}"),
    f"{TOKEN}.customParameters.tokenUrlTemplate": generic(tokenUrlTemplate=f"https://u:{CANARY}@example.com/"),
    f"{TOKEN}.customParameters.authorizationUrlQueryStringTemplate": generic(
        authorizationUrlQueryStringTemplate="client_id={ClientId}"
    ),
    f"{TOKEN}.scopes": plain(scopes={}),
    TOKEN: {"clientid": 1, "ClientID": 2},
    "properties.connectionParameters.token": plain(scopes=[f"s{number}" for number in range(1_001)]),
}


@pytest.mark.parametrize(("place", "settings"), ASIDE.items())
def test_what_cannot_be_read_is_set_aside_by_its_place(place: str, settings: object) -> None:
    """The setting is no definition, the others of the file are; the reason shows no secret."""
    found = read(connector({"token": setting(settings), "other": setting(plain())}))

    assert ["boards:other"] == [service.id for service in found.services]
    assert [place] == [item.place for item in found.set_aside]
    assert CANARY not in repr(found)


@pytest.mark.parametrize("value", [None, 7, "aad", []], ids=repr)
def test_other_identity_providers_are_set_aside(value: object) -> None:
    """Those have addresses that the file does not tell."""
    found = read(connector({"token": setting(plain(identityProvider=value))}))

    assert [f"{TOKEN}.identityProvider"] == [item.place for item in found.set_aside]


def test_an_inbound_setting_with_a_bad_redirect_address_is_set_aside() -> None:
    """A redirect address is examined where it is taken."""
    found = read(connector({"token": setting(plain(redirectUrl="http://example.com"))}), direction="inbound")

    assert [f"{TOKEN}.redirectUrl"] == [item.place for item in found.set_aside]


def test_what_no_record_could_hold_is_set_aside() -> None:
    """A definition that is read can be registered."""
    many = plain(scopes=[f"{number:03}" + "x" * 200 for number in range(300)])
    found = read(connector({"token": setting(many)}))

    assert () == found.services
    assert "expected at most 65,536 bytes as JSON" in found.set_aside[0].reason


PLACES: Mapping[str, object] = {
    "data": [],
    "properties": {"properties": []},
    "properties.connectionParameters": connector([]),
    "properties.connectionParameterSets": {"properties": {"connectionParameterSets": []}},
    "properties.connectionParameterSets.values": connector({}, {}),
    "properties.connectionParameterSets.values[0]": connector({}, ["EU"]),
    "properties.connectionParameterSets.values[0].name": connector({}, [{"parameters": {}}]),
    "properties.connectionParameterSets.values[0].parameters": connector({}, [{"name": "EU", "parameters": []}]),
}


@pytest.mark.parametrize(("place", "document"), PLACES.items())
def test_another_shape_is_refused_by_its_place(place: str, document: object) -> None:
    """A document of another shape is no such file; the error names where."""
    with pytest.raises(InvalidInput) as refusal:
        read(document)

    assert place == refusal.value.field


def test_keys_that_differ_in_case_alone_are_refused() -> None:
    """Readers would disagree about which one counts."""
    with pytest.raises(InvalidInput, match=r"^data: expected each key once whatever its case, got 'Properties' twice"):
        read({"properties": {}, "Properties": {}})


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"id": ""}),
        ("names", {"names": "Boards"}),
        ("descriptions", {"descriptions": LocalizedText.same("")}),
        ("direction", {"direction": "both"}),
        ("product", {"product": "office"}),
        ("labels", {"labels": ["en"]}),
        ("labels", {"labels": None}),
    ],
)
def test_what_the_host_says_is_examined_first(field: str, changes: dict[str, Any]) -> None:
    """A mistake in the call is the caller's, and no item of the file is set aside for it."""
    with pytest.raises(InvalidInput) as refusal:
        read(connector({"token": setting(plain())}), **changes)

    assert field == refusal.value.field


# --- No credential -------------------------------------------------------------------------------------------------


def check_no_credential(reader: Reader) -> None:
    """Require that nothing of a result holds what the file has as client id or secret, wherever and however spelled."""
    spellings = ["clientId", "ClientSecret", "CLIENTSECRET", "client_secret", "appSecret", "password"]
    for name in spellings:
        settings = plain(**{name: CANARY}) if name.lower() not in {"clientid", "clientsecret"} else plain()
        custom = generic(**{name: CANARY})
        for some in (settings, custom):
            found = reader(connector({"token": setting(some)}))
            kept = [json.dumps(to_fields(service)) for service in found.services]

            assert 1 == len(kept)
            assert CANARY not in "".join(kept) + repr(found)


def test_no_credential_is_taken() -> None:
    """Ids and secrets of a file, dummies or not, are nowhere in what is read."""
    check_no_credential(read)


def test_no_credential_of_a_real_setting_is_taken(realdata: Path) -> None:
    """Whatever the real files have as client id and secret, with a canary in its place nothing of it is kept."""
    for row in settings_of(realdata):
        settings = row["oAuthSettings"] | {"clientId": CANARY, "clientSecret": CANARY}
        found = read(wrap(row | {"oAuthSettings": settings}))

        assert CANARY not in "".join(json.dumps(to_fields(service)) for service in found.services) + repr(found)


def greedy(data: Any) -> Definitions:
    """Broken twin: keeps the file's client secret where a definition has room for a text."""
    found = read(data)
    settings = data["properties"]["connectionParameters"]["token"]["oAuthSettings"]
    secret = settings.get("clientSecret", CANARY)
    taken = attrs.evolve(found.services[0], descriptions=LocalizedText.same(f"client secret {secret}"))
    return attrs.evolve(found, services=(taken,))


def telling(data: Any) -> Definitions:
    """Broken twin: says of what it sets aside what it was."""
    found = read(data)
    return attrs.evolve(found, unused=(*found.unused, feeds.Unused("clientSecret", f"not taken: {CANARY}")))


@pytest.mark.parametrize("reader", [greedy, telling])
def test_a_reader_that_takes_credentials_is_caught(reader: Reader) -> None:
    """The broken twins."""
    with pytest.raises(AssertionError):
        check_no_credential(reader)


# --- The real files ------------------------------------------------------------------------------------------------


def test_every_real_setting_is_a_definition_or_set_aside(realdata: Path) -> None:
    """Of 213 settings 151 are of the two kinds, and 148 of those are definitions; the three others are malformed."""
    rows = list(settings_of(realdata))
    ours = [row for row in rows if str(row["oAuthSettings"].get("identityProvider")).lower() in KINDS]
    results = {row["path"].split("/")[1] + row["parameterSet"]: read(wrap(row)) for row in ours}
    reasons = {name: found.set_aside[0].reason for name, found in results.items() if found.set_aside}

    assert (213, 151) == (len(rows), len(ours))
    assert len(ours) == len(results) == sum(len(found.services) + len(found.set_aside) for found in results.values())
    assert {
        "CandidateZip": "expected text and placeholders such as {Code}, got '<' at character 9",
        "CobbleStone - Contract Insight": (
            "expected an https address with its host in lower case, or a template of one, got another text"
        ),
        "Fitbit": "expected the authorization url, got none",
    } == reasons
    others = Counter(read(wrap(row)).set_aside[0].reason for row in rows if row not in ours)
    assert {
        "expected oauth2 or oauth2generic, got 'aad'": 51,
        "expected oauth2 or oauth2generic, got 'aadcertificate'": 8,
        "expected oauth2 or oauth2generic, got 'DocuSign'": 2,
        "expected oauth2 or oauth2generic, got 'facebook'": 1,
    } == others


def test_every_part_of_a_real_setting_is_taken_or_told(realdata: Path) -> None:
    """Counted by another walk: fields of the settings = those of the definition + those that are unused."""
    taken = {"identityprovider", "customparameters", "scopes"}
    fields = re.compile(r"(?i:(authorization|token|refresh)url(template)?|.*querystringtemplate|.*bodytemplate)")
    for row in settings_of(realdata):
        found = read(wrap(row))
        if not found.services:
            continue
        settings = row["oAuthSettings"]
        custom = settings["customParameters"]
        expected = [name for name in settings if name.lower() not in taken]
        expected += [name for name, item in custom.items() if not (fields.fullmatch(name) and item["value"])]
        names = [item.place.rpartition(".")[2] for item in found.unused if ".scopes[" not in item.place]
        kept = [name for name in custom if name.lower() == "scopelistdelimiter" and custom[name]["value"]]

        assert Counter(expected) == Counter(names) + Counter(kept)


def test_scopes_are_sent_as_the_file_has_them(realdata: Path) -> None:
    """Joined by the delimiter, the scopes of a definition are the text that Power Platform would send."""
    different = {}
    for row in settings_of(realdata):
        for service in read(wrap(row)).services:
            assert service.oauth is not None
            delimiter = service.oauth.scope_delimiter
            text = delimiter.join(item.strip() for item in row["oAuthSettings"].get("scopes") or [])
            if text != service.oauth.scope_text(scope.name for scope in service.scopes):
                different[row["path"].split("/")[1]] = text[:12]

    # Names that are no scope tokens and are never sent; a placeholder; a scope that is listed twice.
    assert {
        "SurveyMonkey": "View Surveys",
        "Cognite Data Fusion": "{Scope}",
        "Google Photos": "https://www.",
    } == different


def reference(template: str, values: Mapping[str, str]) -> str:
    """Render a query or a body as plainly as can be."""
    return re.sub(r"\{(\w+)\}", lambda found: quote(values[found[1].lower()], safe=""), template)


def test_every_real_template_is_rendered(realdata: Path) -> None:
    """All 148 run authorize, token and refresh; queries and bodies equal a plain rendering of the file's own text."""
    own: Counter[str] = Counter()
    lost: list[str] = []
    for row in settings_of(realdata):
        for service in read(wrap(row)).services:
            assert service.oauth is not None
            told = service.oauth
            scopes = told.scope_text(scope.name for scope in service.scopes)
            names = {name.lower(): "x1" for name in told.connection_parameters}
            values = names | CONNECTION | SENT | {"scopes": scopes}
            custom = {name.lower(): item["value"] for name, item in row["oAuthSettings"]["customParameters"].items()}
            query = custom.get("authorizationurlquerystringtemplate")
            asked = told.authorization_request(values)
            if query:
                assert asked.endswith(reference(query.split("?")[1], values))
            assert dict(parse_qsl(asked.partition("?")[2]))["state"] == SENT["state"]
            for name, post in (("token", told.token_request(values)), ("refresh", told.refresh_request(values))):
                body = custom.get(f"{name}bodytemplate")
                own[name] += bool(body)
                assert "https" == urlsplit(post.url).scheme
                if body:
                    assert reference(body, values) == post.body.reveal()
                    assert "client_secret" in dict(parse_qsl(body, strict_parsing=True))
            if "refresh_token" not in dict(parse_qsl(told.refresh_request(values).body.reveal())):
                lost.append(row["path"].split("/")[1])

    assert {"token": 15, "refresh": 17} == own
    assert ["Cognite Data Fusion", "WorkSpan", "Coupa"] == lost


def test_a_tenant_registers_every_real_definition(realdata: Path) -> None:
    """An administrator registers each of the 148 as it was read, and each comes back as it was."""
    tenant = ExtLink.in_memory().open_tenant("acme", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    given = [
        service
        for number, row in enumerate(settings_of(realdata))
        for service in read(wrap(row), id=f"connector-{number}").services
    ]

    assert given == [admin.run(services.register(service)).service for service in given]
    assert 148 == len(given)


MALFORMED = {
    "Shopranos": "line 22, column 4",
    "SigningHub": "line 24, column 13",
    "gofileroom": "line 91, column 1",
}


@pytest.mark.parametrize(("name", "place"), MALFORMED.items())
def test_the_malformed_real_files_are_refused_by_line_and_column(realdata: Path, name: str, place: str) -> None:
    """Files that are no JSON say where it ends to be."""
    data = (realdata / "connectors" / "malformed" / f"{name}.apiProperties.json").read_bytes()

    with pytest.raises(InvalidInput, match=f"^data: expected JSON, got something else at {place}$"):
        read(data)


# --- Anything at all -----------------------------------------------------------------------------------------------

SMALL = json.dumps(
    connector({"token": setting(plain())}, [{"name": "EU", "parameters": {"token": setting(generic())}}])
).encode()
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.sampled_from(["oauthSetting", "oauth2", "a b"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["properties", "connectionParameters", "token", "type", "oAuthSettings", "value", "name"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
BROKEN = st.tuples(st.integers(0, len(SMALL)), st.integers(0, 40), st.binary(max_size=8)).map(
    lambda cut: SMALL[: cut[0]] + cut[2] + SMALL[cut[0] + cut[1] :]
)
NEARLY = st.builds(
    lambda settings, custom: connector({"token": setting(plain(**settings)), "x": setting(generic(**custom))}),
    st.dictionaries(st.sampled_from([*plain(), "other"]), ANYTHING, max_size=3),
    st.dictionaries(st.sampled_from([*generic()["customParameters"], "other"]), ANYTHING, max_size=3),
)


def check_told(data: Any) -> None:
    """Require definitions that can be kept and reasons that can be shown, or an error of one printable line."""
    found = outcome(lambda: feeds.read_api_properties(data, id="boards", names=NAME))
    if isinstance(found, ExtlinkError):
        assert str(found).isprintable()
        assert str(found).isascii()
        return
    for service in found.services:
        to_fields(service)
    for item in (*found.set_aside, *found.unused):
        assert (item.place + item.reason).isprintable()
        assert item.place.isascii()


@given(data=st.one_of(st.binary(), st.text(), BROKEN, ANYTHING.map(json.dumps), NEARLY.map(json.dumps), ANYTHING))
def test_any_data_is_definitions_or_an_error(data: Any) -> None:
    """Law 13, for any bytes, and for a file with any of its parts replaced."""
    check_told(data)


@given(data=st.data())
def test_a_mutated_real_file_is_definitions_or_an_error(realdata: Path, data: st.DataObject) -> None:
    """A real setting with some bytes cut out, replaced or put in."""
    rows = list(settings_of(realdata))
    whole = wrap(data.draw(st.sampled_from(rows)))
    start = data.draw(st.integers(0, len(whole)))
    check_told(whole[:start] + data.draw(st.binary(max_size=6)) + whole[start + data.draw(st.integers(0, 30)) :])


def silent(data: Any) -> Definitions:
    """Broken twin: drops what it cannot read."""
    return attrs.evolve(read(data), set_aside=())


def test_counting_catches_a_reader_that_drops() -> None:
    """Items of a file = definitions + items set aside; the twin loses one."""
    document = connector({"token": setting(plain()), "api_key": {"type": "securestring"}})
    listed = len(document["properties"]["connectionParameters"])
    counts = [len(found.services) + len(found.set_aside) for found in (read(document), silent(document))]

    assert [listed, listed - 1] == counts
