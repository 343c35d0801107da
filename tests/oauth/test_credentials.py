from __future__ import annotations

import base64

import pytest
from hypothesis import given, strategies as st

from extlink.errors import OAuthError
from extlink.oauth.credentials import ClientCredentials, read_credentials
from extlink.oauth.parameters import Parameters
from tests.oauth.kit import basic

EMPTY = Parameters()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("c1:s", ("c1", "s")),
        ("c%31:s", ("c1", "s")),
        ("c1:a%3Ab", ("c1", "a:b")),
        ("c1:a:b", ("c1", "a:b")),
        ("c+1:s", ("c 1", "s")),
    ],
)
def test_the_header_is_form_decoded(text: str, read: tuple[str, str]) -> None:
    """Each part by itself; the first colon divides (RFC 6749 section 2.3.1)."""
    header = "bAsIc  " + base64.b64encode(text.encode()).decode() + " "
    found = read_credentials(header, EMPTY)

    assert ("client_secret_basic", read[0]) == (found.method, found.client_id)
    assert found.proof is not None
    assert read[1] == found.proof.reveal()


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ", "Basic !!!", "Basic YQ", "Basic YTpi x", "Ba\u017fic YTpi", "Digest x"]
    + [basic(*one)[1] for one in (("", "s"), ("c", ""))]
    + ["Basic " + base64.b64encode(one).decode() for one in (b"c", b"\xff:s", b"c:%ff", b"a:" + b"x" * 4_096)],
)
def test_a_header_that_is_none_is_an_invalid_client(header: str) -> None:
    """No scheme of ours, no base64, no two parts, no UTF-8, too long."""
    with pytest.raises(OAuthError, match="invalid_client"):
        read_credentials(header, EMPTY)


def test_without_secret_there_is_only_the_name() -> None:
    """`none` says who; without a name there is nobody."""
    assert ClientCredentials(method="none", client_id="c1", proof=None) == read_credentials(
        None, Parameters({"client_id": ("c1",)})
    )
    with pytest.raises(OAuthError, match="does not say who"):
        read_credentials(None, Parameters({"client_secret": ("s",)}))


@pytest.mark.parametrize("form", [{"client_assertion": ("a.b.c",)}, {"client_assertion_type": ("jwt-bearer",)}])
def test_an_assertion_comes_with_its_type(form: dict[str, tuple[str, ...]]) -> None:
    """Either alone, or another type, is an invalid client."""
    with pytest.raises(OAuthError, match="invalid_client"):
        read_credentials(None, Parameters(form))


@given(
    st.none() | st.text(max_size=40),
    st.dictionaries(st.sampled_from(["client_id", "client_secret"]), st.text(max_size=5).map(lambda one: (one,))),
)
def test_any_header_and_form_are_credentials_or_an_error_of_oauth(
    header: str | None, form: dict[str, tuple[str]]
) -> None:
    """Never another exception; what is read is never shown."""
    try:
        found = read_credentials(header, Parameters(form))
    except OAuthError:
        return
    assert "proof=Secret(***)" in repr(found) or found.proof is None
