"""Service definitions: illegal ones cannot be built, and their form for JSON loses nothing."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink.domain.edition import ALL_EDITIONS, PRODUCTS
from extlink.domain.identifier import ConnectorId, Scope
from extlink.domain.messages import ROLES
from extlink.domain.oauth_profile import SCOPE_DELIMITERS
from extlink.domain.requirement import PublishedForm, Region, RequiredDocument, Requirement
from extlink.domain.service import (
    AVAILABLE,
    Availability,
    DocumentLink,
    LocalizedText,
    OAuthProfile,
    RequestTemplates,
    ScopeDefinition,
    Service,
    SetupStep,
    Trigger,
    from_fields,
    to_fields,
)
from extlink.domain.service_parts import DOCUMENT_KINDS
from extlink.errors import InvalidInput

Write = Callable[[Service], dict[str, Any]]

NAME = LocalizedText.same("Chat")
READ = ScopeDefinition(name=Scope("k:app_record:read"), labels=NAME, product="kintone", direction="read")
REQUIRED = Requirement(
    id="vendor-current",
    titles=NAME,
    documents=[
        RequiredDocument(
            id="tags",
            titles=NAME,
            page="https://example.com/",
            forms=[PublishedForm(source="azure-service-tags", groups=["AzureConnectors"])],
        )
    ],
    as_of="2026-05-13",
)
OWN = ScopeDefinition(name=Scope("chat:write"), labels=NAME, product="", direction="read")


def service(**changes: object) -> Service:
    """Return a small legal definition with some fields changed."""
    fields: dict[str, Any] = {"id": "chat", "names": NAME, "descriptions": NAME, "directions": {"inbound"}}
    return Service(**fields | changes)


# --- What is compiled and asked ------------------------------------------------------------------------------------


def test_what_a_check_asks_is_compiled() -> None:
    """The scopes there are, and the product each asks of the user; a scope without a product asks none."""
    definition = service(scopes=(READ, OWN))

    assert {"k:app_record:read", "chat:write"} == definition.scope_names
    assert {"k:app_record:read": "kintone"} == definition.scope_products


def test_documents_and_steps_are_those_of_the_edition() -> None:
    """An edition sees its own documents and steps, in their order."""
    url = "https://example.com/"
    everywhere = DocumentLink(kind="see_also", url=url, title=NAME)
    japan = DocumentLink(kind="see_also", url=url + "jp", title=NAME, editions=frozenset({"JP"}))
    step = SetupStep(id="b", stage="before", who="vendor", text=NAME, known_from="extlink", editions=frozenset({"CN"}))
    other = attrs.evolve(step, id="a", editions=ALL_EDITIONS)
    definition = service(links=(everywhere, japan), steps=(step, other))

    assert (everywhere, japan) == definition.documents("see_also", "JP")
    assert (everywhere,) == definition.documents("see_also", "CN")
    assert () == definition.documents("app_side", "JP")
    assert (step, other) == definition.steps_in("CN")
    assert (other,) == definition.steps_in("US")


def test_scopes_and_triggers_are_found_by_name() -> None:
    """An unknown name finds nothing."""
    trigger = Trigger(id="record_added", labels=NAME, scope=Scope("k:app_record:read"))
    definition = service(scopes=(READ,), triggers=(trigger,))

    assert (READ, None) == (definition.scope("k:app_record:read"), definition.scope("k:file:read"))
    assert (trigger, None) == (definition.trigger("record_added"), definition.trigger("record_removed"))


def test_collections_of_any_kind_make_the_same_definition() -> None:
    """A host may write lists and sets; the value holds tuples and frozensets."""
    lists = service(directions=["inbound", "inbound"], scopes=[READ], products=["kintone"], editions=["JP", "US", "CN"])
    sets = service(directions={"inbound"}, scopes=(READ,), products={"kintone"})

    assert lists == sets
    assert hash(lists) == hash(sets)


# --- What cannot be built ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"id": ""}),
        ("names", {"names": "Chat"}),
        ("names", {"names": LocalizedText.same("")}),
        ("descriptions", {"descriptions": None}),
        ("directions", {"directions": set()}),
        ("directions", {"directions": {"sideways"}}),
        ("directions", {"directions": "inbound"}),
        ("scopes", {"scopes": ["k:app_record:read"]}),
        ("scopes", {"scopes": [READ, READ]}),
        ("connector", {"connector": ""}),
        ("products", {"products": ["office"]}),
        ("products", {"products": ["garoon"], "scopes": [READ]}),
        ("editions", {"editions": []}),
        ("editions", {"editions": ["EU"]}),
        ("availability", {"availability": "available"}),
        ("links", {"links": ["https://example.com/"]}),
        ("steps", {"steps": [NAME]}),
        ("requirements", {"requirements": [REQUIRED, REQUIRED]}),
        ("triggers", {"triggers": [Trigger(id="t", labels=NAME, scope=Scope("k:file:read"))], "scopes": [READ]}),
        ("oauth", {"oauth": {}}),
    ],
)
def test_an_illegal_definition_is_refused(field: str, changes: dict[str, Any]) -> None:
    """The field is named."""
    with pytest.raises(InvalidInput) as caught:
        service(**changes)

    assert field == caught.value.field


def test_a_step_names_documents_that_there_are() -> None:
    """A step that sends people to a document the definition lacks is refused."""
    step = SetupStep(
        id="a", stage="step2", who="user", text=NAME, known_from="confirmation", documents=frozenset({"app_side"})
    )

    with pytest.raises(InvalidInput, match=r"^steps: expected documents among the links, got app_side"):
        service(steps=[step])


@pytest.mark.parametrize(
    ("field", "build"),
    [
        ("name", lambda: ScopeDefinition(name=Scope("a b"), labels=NAME, product="", direction="read")),
        (
            "labels",
            lambda: ScopeDefinition(name=Scope("a"), labels=LocalizedText.same(""), product="", direction="read"),
        ),
        ("product", lambda: ScopeDefinition(name=Scope("a"), labels=NAME, product="office", direction="read")),
        ("direction", lambda: ScopeDefinition(name=Scope("a"), labels=NAME, product="", direction="both")),  # type: ignore[arg-type]
        ("state", lambda: Availability(state="gone", cause=NAME)),  # type: ignore[arg-type]
        ("cause", lambda: Availability(state="unavailable")),
        ("cause", lambda: Availability(cause=NAME)),
        ("cause", lambda: Availability(state="unavailable", cause="gone")),  # type: ignore[arg-type]
        ("kind", lambda: DocumentLink(kind="video", url="https://example.com", title=NAME)),  # type: ignore[arg-type]
        ("title", lambda: DocumentLink(kind="service", url="https://example.com", title=LocalizedText.same(""))),
        ("editions", lambda: DocumentLink(kind="service", url="https://example.com", title=NAME, editions=[])),
        ("id", lambda: Trigger(id="", labels=NAME, scope=Scope("a"))),
        ("scope", lambda: Trigger(id="t", labels=NAME, scope=Scope(""))),
        ("kind", lambda: OAuthProfile(kind="secret")),  # type: ignore[arg-type]
        ("pkce", lambda: OAuthProfile(pkce="off")),  # type: ignore[arg-type]
        ("pkce", lambda: OAuthProfile(kind="public", pkce="waived_for_confidential_client")),
        ("redirect_uris", lambda: OAuthProfile(redirect_uris=["https://example.com/#fragment"])),
        ("redirect_uris", lambda: OAuthProfile(redirect_uris=["myapp:callback"])),
    ],
    ids=range(18),
)
def test_an_illegal_part_is_refused(field: str, build: Callable[[], object]) -> None:
    """The field is named."""
    with pytest.raises(InvalidInput) as caught:
        build()

    assert field == caught.value.field


@pytest.mark.parametrize("field", ["id", "stage", "who", "text", "known_from", "documents"])
def test_an_illegal_step_is_refused(field: str) -> None:
    """Each field of a step is examined."""
    fields: dict[str, Any] = {"id": "a", "stage": "step1", "who": "user", "text": NAME, "known_from": "extlink"}

    with pytest.raises(InvalidInput) as caught:
        SetupStep(**fields | {field: ["nonsense"]})

    assert field == caught.value.field


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "javascript:alert(1)",
        "https://user@example.com/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://example.com/<script>",
        "https://例え.jp/",
        "https://" + "a" * 3_000,
        "https:///path",
        None,
        7,
    ],
)
def test_a_link_is_a_plain_https_address(url: object) -> None:
    """What a page shows as a link can do nothing but lead to a page."""
    fields: dict[str, Any] = {"kind": "service", "url": url, "title": NAME}

    with pytest.raises(InvalidInput, match=r"^url: expected an https address in ASCII"):
        DocumentLink(**fields)


# --- The form for JSON ---------------------------------------------------------------------------------------------

IDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])
FILLED = st.text(LETTERS, min_size=1, max_size=20).filter(str.strip)
LOCALIZED = st.builds(LocalizedText, ja=FILLED, en=FILLED, zh=FILLED)
SCOPE_NAMES = st.from_regex(r"[a-z:._]{1,12}", fullmatch=True).map(Scope)
EDITION_SETS = st.frozensets(st.sampled_from(sorted(ALL_EDITIONS)), min_size=1)
URLS = st.from_regex(r"https://[a-z]{1,9}\.example(/[a-z0-9%?=&]{0,9})?", fullmatch=True)
LINKS = st.builds(DocumentLink, kind=st.sampled_from(DOCUMENT_KINDS), url=URLS, title=LOCALIZED, editions=EDITION_SETS)
SCOPES = st.builds(
    ScopeDefinition,
    name=SCOPE_NAMES,
    labels=LOCALIZED,
    product=st.sampled_from(["", *sorted(PRODUCTS)]),
    direction=st.sampled_from(["read", "write"]),
)
AVAILABILITIES = st.one_of(st.just(AVAILABLE), st.builds(Availability, state=st.just("unavailable"), cause=LOCALIZED))
ENDPOINTS = (
    st.none()
    | st.from_regex(r"https://[a-z]{1,9}\.example(/[a-z0-9=&]{0,9})?", fullmatch=True)
    | st.just("https://{subdomain}.example.com/oauth/token")
)
PAIRS = st.lists(st.sampled_from(["a=b", "code={Code}", "scope={Scopes}", "client_id={ClientId}"]), min_size=1)
BODIES = st.just("") | PAIRS.map("&".join)
QUERIES = st.sampled_from(["", "?scope={Scopes}&state={State}", "/new?client_id={ClientId}"])
TEMPLATES = st.builds(
    RequestTemplates,
    authorization_query=QUERIES,
    token_query=QUERIES,
    token_body=BODIES,
    refresh_query=QUERIES,
    refresh_body=BODIES,
)


def profiles(kind: str, methods: list[str | None], pkce: list[str]) -> st.SearchStrategy[OAuthProfile]:
    """Return profiles of one kind of client."""
    return st.builds(
        OAuthProfile,
        kind=st.just(kind),
        pkce=st.sampled_from(pkce),
        redirect_uris=st.lists(URLS, max_size=3),
        authorization_url=ENDPOINTS,
        token_url=ENDPOINTS,
        refresh_url=ENDPOINTS,
        revocation_url=ENDPOINTS,
        scope_delimiter=st.sampled_from(SCOPE_DELIMITERS),
        client_authentication=st.sampled_from(methods),
        templates=TEMPLATES,
    )


PROFILES = st.one_of(
    st.none(),
    profiles("public", [None, "none"], ["required"]),
    profiles("confidential", [None, "basic", "body"], ["required", "waived_for_confidential_client"]),
)
DOCUMENTS = st.builds(
    RequiredDocument,
    id=IDS,
    titles=LOCALIZED,
    page=URLS,
    forms=st.lists(st.builds(PublishedForm, source=IDS, groups=st.lists(IDS, max_size=2)), min_size=1, max_size=2),
)
REGIONS = st.builds(
    Region, id=IDS, titles=LOCALIZED, cloud=st.just("") | IDS, places=st.lists(IDS, max_size=2, unique=True)
)
REQUIREMENTS = st.builds(
    Requirement,
    id=IDS,
    titles=LOCALIZED,
    documents=st.lists(DOCUMENTS, min_size=1, max_size=2, unique_by=lambda document: document.id),
    as_of=st.dates().map(str),
    regions=st.lists(REGIONS, max_size=2, unique_by=lambda region: region.id),
)


@st.composite
def services(draw: st.DrawFn) -> Service:
    """Return legal definitions: steps name documents that there are, triggers scopes that there are."""
    scopes = draw(st.lists(SCOPES, max_size=4, unique_by=lambda scope: scope.name))
    links = draw(st.lists(LINKS, max_size=4))
    kinds = sorted({link.kind for link in links})
    steps = st.builds(
        SetupStep,
        id=IDS,
        stage=st.sampled_from(["before", "step1", "step2"]),
        who=st.sampled_from(ROLES),
        text=LOCALIZED,
        known_from=st.sampled_from(["extlink", "confirmation"]),
        documents=st.frozensets(st.sampled_from(kinds)) if kinds else st.just(frozenset()),
        editions=EDITION_SETS,
    )
    triggers = (
        st.builds(Trigger, id=IDS, labels=LOCALIZED, scope=st.sampled_from([scope.name for scope in scopes]))
        if scopes
        else None
    )
    needed = {scope.product for scope in scopes} - {""}
    return Service(
        id=draw(IDS),
        names=draw(LOCALIZED),
        descriptions=draw(LOCALIZED),
        directions=draw(st.sets(st.sampled_from(["inbound", "outbound"]), min_size=1)),
        scopes=scopes,
        connector=draw(st.one_of(st.none(), IDS.map(ConnectorId))),
        products=draw(st.sampled_from([frozenset[str](), PRODUCTS, frozenset(needed)])),
        editions=draw(EDITION_SETS),
        availability=draw(AVAILABILITIES),
        links=links,
        steps=draw(st.lists(steps, max_size=3, unique_by=lambda step: step.id)),
        requirements=draw(st.lists(REQUIREMENTS, max_size=2, unique_by=lambda one: one.id)),
        triggers=draw(st.lists(triggers, max_size=3, unique_by=lambda trigger: trigger.id))
        if triggers is not None
        else (),
        oauth=draw(PROFILES),
    )


def check_lossless(write: Write, definition: Service) -> None:
    """Require that a definition survives JSON."""
    read = from_fields(json.loads(json.dumps(write(definition))))

    assert definition == read
    assert (definition.scope_names, definition.scope_products) == (read.scope_names, read.scope_products)


@given(services())
def test_the_form_for_json_is_lossless(definition: Service) -> None:
    """Any definition comes back equal, compiled parts included, and is written alike again."""
    check_lossless(to_fields, definition)
    assert to_fields(definition) == to_fields(from_fields(to_fields(definition)))


def test_a_lossy_form_is_caught() -> None:
    """The broken twin: a form that forgets in which order the scopes are shown."""

    def sorted_scopes(definition: Service) -> dict[str, Any]:
        fields: dict[str, Any] = to_fields(definition)
        return fields | {"scopes": sorted(fields["scopes"], key=lambda scope: scope["name"])}

    check_lossless(sorted_scopes, service(scopes=(OWN, READ)))
    with pytest.raises(AssertionError):
        check_lossless(sorted_scopes, service(scopes=(READ, OWN)))


@given(services(), st.data())
def test_a_damaged_form_is_refused_or_means_something_else(definition: Service, data: st.DataObject) -> None:
    """A field missing, added or replaced by anything gives a legal definition or InvalidInput, never another error."""
    fields: dict[str, Any] = json.loads(json.dumps(to_fields(definition)))
    objects: list[dict[str, Any]] = [fields]
    for value in objects:
        for inner in value.values():
            objects.extend(item for item in (inner if isinstance(inner, list) else [inner]) if isinstance(item, dict))
    damaged = data.draw(st.sampled_from(objects))
    name = data.draw(st.sampled_from([*damaged, "new"]))
    if data.draw(st.booleans()):
        damaged.pop(name, None)
    else:
        damaged[name] = data.draw(JSON_VALUES)
    with suppress(InvalidInput):
        check_lossless(to_fields, from_fields(fields))


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5,
)


@given(JSON_VALUES)
def test_anything_is_read_or_refused(data: object) -> None:
    """Any JSON value gives InvalidInput: none of these is a definition."""
    with pytest.raises(InvalidInput):
        from_fields(data)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda fields: fields.pop("scopes"), "service: expected the field scopes, got none"),
        (lambda fields: fields.update({"color": "red"}), "got 'color'"),
        (lambda fields: fields["names"].pop("zh"), "names: expected the field zh, got none"),
        (lambda fields: fields.update({"names": None}), "names: expected a LocalizedText, got NoneType"),
        (lambda fields: fields.update({"availability": None}), "availability: expected a Availability, got NoneType"),
        (lambda fields: fields["oauth"].pop("token_url"), "oauth: expected the field token_url, got none"),
        (
            lambda fields: fields["oauth"].update({"templates": None}),
            "templates: expected a RequestTemplates, got NoneT",
        ),
        (lambda fields: fields["oauth"]["templates"].pop("token_body"), "templates: expected the field token_body"),
        (lambda fields: fields.update({"names": ["a"]}), "names: expected an object with named fields, got list"),
    ],
)
def test_what_is_wrong_with_a_form_is_told(change: Callable[[dict[str, Any]], object], problem: str) -> None:
    """A missing, unknown or malformed field is named."""
    fields: dict[str, Any] = to_fields(service(oauth=OAuthProfile()))
    change(fields)

    with pytest.raises(InvalidInput) as caught:
        from_fields(fields)

    assert problem in str(caught.value)


def test_a_definition_fits_into_a_record() -> None:
    """At most 64 KiB as UTF-8 JSON; a larger one is refused when it is written."""
    text = LocalizedText.same("あ" * 1_000)
    scopes = [ScopeDefinition(name=Scope(f"s{n}"), labels=text, product="", direction="read") for n in range(8)]

    with pytest.raises(InvalidInput, match=r"^service: expected at most 65,536 bytes as JSON, got "):
        to_fields(service(scopes=scopes))
    assert 8 == len(to_fields(service(scopes=scopes[:7], descriptions=NAME))["scopes"]) + 1  # type: ignore[arg-type]


@given(services())
def test_a_definition_can_be_copied_and_pickled(definition: Service) -> None:
    """The compiled parts are made anew."""
    for again in (copy.deepcopy(definition), pickle.loads(pickle.dumps(definition))):  # noqa: S301 - our own bytes
        assert definition == again
        assert definition.scope_products == again.scope_products
