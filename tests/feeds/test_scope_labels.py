"""Labels of scopes: which language is shown, which were there, and what the vendors' files give."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from extlink import feeds
from extlink.domain.localized import LocalizedText
from extlink.errors import ExtlinkError, InvalidInput
from extlink.feeds import ScopeLabels, Unused
from tests.feeds.definition_files import GRAPH, outcome

Reader = Callable[..., ScopeLabels]
READERS: tuple[Reader, ...] = (
    feeds.read_graph_scopes,
    feeds.read_google_scopes,
    feeds.read_slack_scopes,
    feeds.read_cybozu_scopes,
)
ALL = ScopeLabels(
    source="example",
    texts={"all": {"ja": "J", "en": "E", "zh": "Z"}, "ja": {"ja": "J"}, "en": {"en": "E"}, "zh": {"zh": "Z"}},
    set_aside=(),
    prefixes=("https://api.example.com/",),
)


# --- Languages -----------------------------------------------------------------------------------------------------


SHOWN = {
    "all": ("J", "E", "Z"),
    "ja": ("J", "ja", "ja"),
    "en": ("E", "E", "E"),
    "zh": ("zh", "zh", "Z"),
    "none": ("none", "none", "none"),
    "https://api.example.com/all": ("J", "E", "Z"),
}


def check_chain(label: Callable[[str, str], str]) -> None:
    """Require that every reader is shown the next language of the chain."""
    for scope, shown in SHOWN.items():
        assert shown == tuple(label(scope, language) for language in ("ja-JP", "en-US", "zh-TW"))
        assert shown[1] == label(scope, "pt-BR")


def test_a_reader_gets_the_next_language_of_the_chain() -> None:
    """Japanese and Chinese fall back to English, English to the scope's own name, and never to one another."""
    check_chain(ALL.label)
    for scope, (ja, en, zh) in SHOWN.items():
        assert LocalizedText(ja=ja, en=en, zh=zh) == ALL.definition(scope, "", "read").labels


def test_labels_in_any_language_at_hand_are_caught() -> None:
    """The broken twin: an English reader is shown Japanese, since that is there."""

    def at_hand(scope: str, language: str) -> str:
        texts = list(ALL.texts.get(scope, {}).values())
        return ALL.label(scope, language) if len(texts) != 1 else texts[0]

    with pytest.raises(AssertionError):
        check_chain(at_hand)


def test_which_languages_were_there_is_known() -> None:
    """What is shown by fallback is not taken for a translation."""
    assert {"ja", "en", "zh"} == ALL.languages("all")
    assert {"ja"} == ALL.languages("ja")
    assert set() == ALL.languages("none")
    assert [True, True, False, False] == [name in ALL for name in ("zh", "https://api.example.com/zh", "none", 7)]


def test_a_definition_has_product_and_direction_as_told() -> None:
    """And refuses what is no scope."""
    found = ALL.definition("all", "kintone", "write")

    assert ("all", "kintone", "write") == (found.name, found.product, found.direction)
    for scope in ("a b", "", None):
        with pytest.raises(InvalidInput):
            ALL.definition(scope, "", "read")  # type: ignore[arg-type]


def test_files_of_two_languages_are_joined() -> None:
    """All scopes of both; where both speak, the first one's text stands."""
    more = ScopeLabels(
        source="more", texts={"ja": {"ja": "other", "en": "more"}, "new": {"zh": "N"}}, set_aside=(Unused("x", "y"),)
    )
    both = ALL.joined(more)

    assert [*ALL.texts, "new"] == list(both.texts)
    assert ({"ja": "J", "en": "more"}, {"zh": "N"}) == (both.texts["ja"], both.texts["new"])
    assert ("example + more", more.set_aside, ALL.prefixes) == (both.source, both.set_aside, both.prefixes)
    assert ALL == ALL.joined(ALL)
    with pytest.raises(InvalidInput, match=r"^other: expected a ScopeLabels, got str"):
        ALL.joined("more")  # type: ignore[arg-type]


def test_labels_are_a_value() -> None:
    """They cannot be changed, and survive pickling."""
    assert ALL == pickle.loads(pickle.dumps(ALL))  # noqa: S301 - our own bytes
    with pytest.raises(TypeError):
        ALL.texts["all"]["ja"] = "other"  # type: ignore[index]


# --- The formats ---------------------------------------------------------------------------------------------------


def test_microsofts_lists_are_two() -> None:
    """The text for users, else the one for administrators, as one line; one name means two things in two lists."""
    text = json.dumps(GRAPH)
    labels = feeds.read_graph_scopes(text)

    assert {"Mail.Read": {"en": "Read your mail"}, "Files.Read": {"en": "Read user files"}} == labels.texts
    assert "Read mail in all mailboxes" == feeds.read_graph_scopes(text, permissions="application").label(
        "Mail.Read", "en"
    )
    assert "Read your mail" == labels.label("https://microsoftgraph.chinacloudapi.cn/Mail.Read", "zh")


def test_a_japanese_file_is_joined_to_the_english_one() -> None:
    """Where Japanese is missing the reader gets English."""
    japanese = {"delegatedScopesList": [{"value": "Mail.Read", "consentDisplayName": "自分のメールの読み取り"}]}
    labels = feeds.read_graph_scopes(json.dumps(japanese), language="ja").joined(
        feeds.read_graph_scopes(json.dumps(GRAPH))
    )

    assert ("自分のメールの読み取り", "Read user files") == (
        labels.label("Mail.Read", "ja"),
        labels.label("Files.Read", "ja"),
    )


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"value": "A.Read", "consentDisplayName": "Read"}, "duplicate"),
        ({"value": "B.Read", "consentDisplayName": "Read", "isEnabled": False}, "the vendor has disabled it"),
        ({"value": "B.Read"}, "expected a text, got nothing"),
        ({"value": "B.Read", "consentDisplayName": " \n"}, "expected a text, got an empty one"),
        ({"value": "B.Read", "consentDisplayName": 7}, "expected a text, got a number"),
        ({"value": "B.Read", "consentDisplayName": "a\u202eb"}, "expected one line of visible characters"),
        ({"value": "B.Read", "consentDisplayName": "B.Read"}, "its text is its name again"),
        ({"value": "B Read", "consentDisplayName": "Read"}, "expected one scope"),
        ({"consentDisplayName": "Read"}, "expected text, got NoneType"),
        ({}, "expected text, got NoneType"),
    ],
)
def test_an_entry_without_a_label_is_set_aside(entry: dict[str, object], reason: str) -> None:
    """By its place, with the reason."""
    entries = [{"value": "A.Read", "consentDisplayName": "Read"}, entry]
    labels = feeds.read_graph_scopes(json.dumps({"delegatedScopesList": entries}))

    assert (["A.Read"], ["delegatedScopesList[1]"]) == (list(labels.texts), [one.place for one in labels.set_aside])
    assert labels.set_aside[0].reason.startswith(reason)


def test_slacks_texts_are_mostly_names() -> None:
    """A text that is the name again is no label, and `none` is no scope."""
    labels = feeds.read_slack_scopes('{"scopes": {"bot": "Bot", "a:read": "a:read", "none": "No scope required"}}')

    assert {"bot": {"en": "Bot"}} == labels.texts
    assert ["scopes.a:read", "scopes.none"] == [one.place for one in labels.set_aside]


@pytest.mark.parametrize(
    ("reader", "document", "place"),
    [
        (feeds.read_graph_scopes, [], "data"),
        (feeds.read_graph_scopes, {}, "delegatedScopesList"),
        (feeds.read_graph_scopes, {"delegatedScopesList": [7]}, "delegatedScopesList[0]"),
        (feeds.read_google_scopes, [], "data"),
        (feeds.read_slack_scopes, {}, "scopes"),
        (feeds.read_slack_scopes, {"scopes": []}, "scopes"),
        (feeds.read_cybozu_scopes, {}, "data"),
        (feeds.read_cybozu_scopes, {"garoon": 7}, "garoon"),
    ],
)
def test_another_shape_is_refused_by_its_place(reader: Reader, document: object, place: str) -> None:
    """A document of another shape is no such file; the error names where."""
    with pytest.raises(InvalidInput) as refusal:
        reader(json.dumps(document))

    assert place == refusal.value.field


@pytest.mark.parametrize("reader", READERS)
def test_the_language_is_one_of_three(reader: Reader) -> None:
    """A file does not say which it is in, so whoever reads it must."""
    with pytest.raises(InvalidInput, match=r"^language: expected one of ja, en, zh, got 'ja-JP'"):
        reader("{}", language="ja-JP")
    with pytest.raises(InvalidInput, match=r"^permissions: "):
        feeds.read_graph_scopes("{}", permissions="both")  # type: ignore[arg-type]


# --- The real files ------------------------------------------------------------------------------------------------


def scopes_file(realdata: Path, name: str) -> bytes:
    """Return one of the real files."""
    return (realdata / "scopes" / name).read_bytes()


@pytest.mark.parametrize(
    ("language", "permissions", "listed", "without"),
    [
        ("en", "delegated", 598, 0),
        ("en", "application", 534, 2),
        ("ja-JP", "delegated", 346, 0),
        ("ja-JP", "application", 282, 0),
    ],
)
def test_microsofts_real_files(realdata: Path, language: Any, permissions: Any, listed: int, without: int) -> None:
    """Every entry is a label or set aside: those alone that have no text, counted by another walk."""
    data = scopes_file(realdata, f"graph_permissions-descriptions.{language}.json")
    entries = json.loads(data)[f"{permissions}ScopesList"]
    texts = [entry.get("consentDisplayName") or entry.get("adminConsentDisplayName") for entry in entries]
    labels = feeds.read_graph_scopes(data, language=language[:2], permissions=permissions)

    assert listed == len(entries) == len(labels.texts) + len(labels.set_aside)
    assert without == sum(not (text or "").strip() for text in texts) == len(labels.set_aside)
    assert {text[language[:2]].isprintable() for text in labels.texts.values()} == {True}


def test_microsofts_real_files_joined(realdata: Path) -> None:
    """343 permissions read in both languages, three in Japanese alone; the rest falls back to English."""
    english = feeds.read_graph_scopes(scopes_file(realdata, "graph_permissions-descriptions.en.json"))
    data = scopes_file(realdata, "graph_permissions-descriptions.ja-JP.json")
    japanese = feeds.read_graph_scopes(data, language="ja")
    both = japanese.joined(english)
    counts = Counter("".join(sorted(both.languages(scope))) for scope in both.texts)

    assert len(set(english.texts) | set(japanese.texts)) == len(both.texts)
    assert {"enja": len(set(english.texts) & set(japanese.texts)), "en": 255, "ja": 3} == counts
    assert both.label("Mail.Read", "ja") == japanese.label("Mail.Read", "ja") != english.label("Mail.Read", "ja")


@pytest.mark.parametrize(
    ("reader", "name", "listed", "labelled"),
    [
        (feeds.read_google_scopes, "google", 525, 525),
        (feeds.read_slack_scopes, "slack", 67, 3),
        (feeds.read_cybozu_scopes, "cybozu", 23, 23),
    ],
)
def test_the_other_real_files(realdata: Path, reader: Reader, name: str, listed: int, labelled: int) -> None:
    """Every scope has a label or is set aside; of Slack's 67 texts 63 are the name again, and one is no scope."""
    data = scopes_file(realdata, f"{name}_scopes.json")
    document = json.loads(data)
    parts = [document["scopes"]] if name == "slack" else [document.get("kintone", document), document.get("garoon", {})]
    labels = reader(data)

    assert listed == sum(map(len, parts)) == len(labels.texts) + len(labels.set_aside)
    assert labelled == len(labels.texts)
    assert all(document.get(scope, labels.label(scope, "en")) for scope in labels.texts)


def test_the_products_own_scopes_read_as_in_the_catalogue(realdata: Path) -> None:
    """The Japanese labels are those that the built-in services have."""
    from extlink.catalog.scopes import GAROON_SCOPES, KINTONE_SCOPES  # noqa: PLC0415 - for this comparison alone

    labels = feeds.read_cybozu_scopes(scopes_file(realdata, "cybozu_scopes.json"))

    assert {scope.name: scope.labels.ja for scope in (*KINTONE_SCOPES, *GAROON_SCOPES)} == {
        scope: labels.label(scope, "ja") for scope in labels.texts
    }


# --- Anything at all -----------------------------------------------------------------------------------------------

SMALL = json.dumps(GRAPH | {"scopes": {"a": "b"}, "kintone": {"k:a": "b"}}).encode()
KEYS = st.sampled_from(["delegatedScopesList", "value", "consentDisplayName", "scopes", "kintone"])
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.sampled_from(["a", "a:read"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, st.text()), inner, max_size=4)
    ),
    max_leaves=12,
)
BROKEN = st.tuples(st.integers(0, len(SMALL)), st.integers(0, 40), st.binary(max_size=8)).map(
    lambda cut: SMALL[: cut[0]] + cut[2] + SMALL[cut[0] + cut[1] :]
)
NEARLY = st.lists(st.fixed_dictionaries({"value": ANYTHING, "consentDisplayName": ANYTHING})).map(
    lambda entries: {"delegatedScopesList": entries}
)


@given(
    st.sampled_from(READERS), st.one_of(st.binary(), BROKEN, ANYTHING.map(json.dumps), NEARLY.map(json.dumps), ANYTHING)
)
def test_any_data_is_labels_or_an_error(reader: Reader, data: Any) -> None:
    """Law 13: labels of which each makes a definition, or an `ExtlinkError` of one printable line."""
    labels = outcome(lambda: reader(data))
    if isinstance(labels, ExtlinkError):
        assert str(labels).isprintable()
        return
    for scope in labels.texts:
        assert labels.definition(scope, "", "read").labels
    for item in labels.set_aside:
        assert (item.place + item.reason).isprintable()


@given(NEARLY)
def test_no_entry_is_lost(document: dict[str, Any]) -> None:
    """Labels and entries set aside are as many as the file lists."""
    labels = feeds.read_graph_scopes(json.dumps(document))

    assert len(document["delegatedScopesList"]) == len(labels.texts) + len(labels.set_aside)
