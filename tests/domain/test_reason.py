"""Reason and Remedy: stable codes with parameters, read by programs and by people (T11, T14)."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping

import pytest
from hypothesis import given, strategies as st

from extlink.domain.messages import LANGUAGES, PARAMS, who
from extlink.domain.reason import Param, Reason, Remedy, known_reason
from extlink.errors import InvalidInput
from tests.strange import ANYTHING, MAKERS, Recipe

PARAMS_OF_A_REASON: st.SearchStrategy[Mapping[str, Param]] = st.dictionaries(
    st.sampled_from(["service", "user", "until", "path", "count"]),
    st.text(max_size=5) | st.integers() | st.booleans() | st.lists(st.text(max_size=3), max_size=3).map(tuple),
    max_size=3,
)


def test_a_reason_is_its_code_and_its_parameters() -> None:
    """Equal if both are; the order in which parameters were named does not matter."""
    one = Reason("grant.missing", {"service": "slack", "user": "sato"})

    assert one == Reason("grant.missing", {"user": "sato", "service": "slack"})
    assert one != Reason("grant.missing", {"service": "slack", "user": "suzuki"})
    assert one != Reason("grant.over", {"service": "slack", "user": "sato"})
    assert hash(one) == hash(Reason("grant.missing"))


def test_parameters_are_kept_apart_from_what_was_handed_over() -> None:
    """Changing the dictionary later changes no reason, and the reason's own cannot be changed."""
    given_params: dict[str, Param] = {"service": "slack"}
    reason = Reason("service.unknown", given_params)
    given_params["service"] = "other"

    assert {"service": "slack"} == dict(reason.params)
    with pytest.raises(TypeError):
        reason.params["service"] = "other"  # type: ignore[index]


@pytest.mark.parametrize("code", sorted(PARAMS))
def test_every_reason_has_a_text_and_knows_who_may_help(code: str) -> None:
    """In three languages; the remedy is of the same code, with the same parameters."""
    reason = Reason(code, dict.fromkeys(PARAMS[code], "x"))

    assert all(reason.text(language) for language in LANGUAGES)
    assert (code, reason.params) == (reason.remedy.code, reason.remedy.params)
    assert who(code) == reason.remedy.who
    assert all(isinstance(reason.remedy.text(language), str) for language in LANGUAGES)


def test_a_text_is_in_the_readers_language() -> None:
    """English unless said otherwise; Taiwan reads Chinese; what is no language is answered in English (T14)."""
    reason = Reason("service.not_enabled", {"service": "slack"})

    assert "slack is not enabled in this domain." == reason.text() == reason.text("en") == reason.text("pt-PT")
    assert reason.text("zh") == reason.text("zh-TW") != reason.text("ja") == reason.text("ja-JP")
    assert reason.remedy.text() == reason.remedy.text("en") != reason.remedy.text("ja")
    for make in MAKERS.values():
        assert reason.text() == reason.text(make())  # type: ignore[arg-type]
        assert reason.remedy.text() == reason.remedy.text(make())  # type: ignore[arg-type]


def test_an_unknown_code_is_shown_as_itself() -> None:
    """A reader of an older release sees something, and no exception."""
    assert ("made.up", "nobody") == (Reason("made.up").text(), Reason("made.up").remedy.who)


@given(st.sampled_from(sorted(PARAMS)), PARAMS_OF_A_REASON)
def test_a_reason_can_be_sent_elsewhere(code: str, params: Mapping[str, Param]) -> None:
    """Pickled and copied it is equal."""
    reason = Reason(code, params)

    assert reason == pickle.loads(pickle.dumps(reason))  # noqa: S301 - made in this line
    assert reason == copy.deepcopy(reason)


@given(st.sampled_from(sorted(PARAMS)), PARAMS_OF_A_REASON)
def test_the_evaluators_own_reasons_are_the_same(code: str, params: Mapping[str, Param]) -> None:
    """The short way to a reason gives what the constructor gives."""
    assert Reason(code, params) == known_reason(code, params)
    assert Reason(code, params).text("ja") == known_reason(code, params).text("ja")


@pytest.mark.parametrize("kind", [Reason, Remedy])
def test_a_code_is_text_and_parameters_have_names(kind: type[Reason | Remedy]) -> None:
    """Anything else is refused when the reason is made."""
    with pytest.raises(InvalidInput, match=r"code: expected a code such as grant.missing, got int"):
        kind(7)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="params: expected values by name, got int"):
        kind("grant.missing", 7)  # type: ignore[arg-type]


@given(ANYTHING, ANYTHING)
def test_any_objects_make_a_reason_that_can_be_read_or_are_invalid(code: Recipe, value: Recipe) -> None:
    """Law 13: whatever the code and whatever a parameter holds, a reader gets a text."""
    try:
        reason = Reason(code.make(), {"service": value.make()})  # type: ignore[arg-type,dict-item]
    except InvalidInput:
        return
    assert isinstance(reason.text("ja"), str)
    assert isinstance(Reason("grant.missing", reason.params).text("zh"), str)
    assert isinstance(Reason("service.unavailable", {"cause": (value.make(),) * 3}).text(), str)  # type: ignore[dict-item]
