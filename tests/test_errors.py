"""The one error tree: the type says whose fault it is, the code and the fields are for programs (DESIGN 8)."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from extlink import errors
from extlink.domain.decision import Answer, Decision
from extlink.domain.reason import Reason
from extlink.errors import (
    AccessDenied,
    Conflict,
    Contention,
    CorruptRecord,
    ExtlinkError,
    InvalidInput,
    Misconfigured,
    OAuthError,
    Refused,
    StorageError,
    Unavailable,
)

REASON = Reason("service.unknown", {"service": "slack"})
DENIED = Decision(((Answer.REFUSED, (("service.unknown", {"service": "slack"}), ("user.unknown", {"user": "x"}))),))
EXAMPLES: tuple[ExtlinkError, ...] = (
    ExtlinkError("something"),
    InvalidInput("service", "expected text, got int"),
    Refused(REASON),
    AccessDenied(DENIED),
    StorageError("a store failed"),
    Conflict("a record changed"),
    Contention("too many conflicts"),
    Unavailable("cannot be reached"),
    CorruptRecord("cannot be read back"),
    Misconfigured("no keys"),
    OAuthError("invalid_request", "code is missing"),
)
CODES = {
    "AccessDenied": "access_denied",
    "Conflict": "storage.conflict",
    "Contention": "storage.contention",
    "CorruptRecord": "storage.corrupt_record",
    "ExtlinkError": "extlink",
    "InvalidInput": "invalid_input",
    "Misconfigured": "misconfigured",
    "OAuthError": "oauth",
    "Refused": "refused",
    "StorageError": "storage",
    "Unavailable": "storage.unavailable",
}


def test_every_error_has_a_code_of_its_own() -> None:
    """Codes are stable across releases: programs read them."""
    found = {name: getattr(errors, name) for name in errors.__all__}

    assert CODES == {name: kind.code for name, kind in found.items()}
    assert len(set(CODES.values())) == len(CODES)


def test_there_is_one_tree() -> None:
    """Every error is an `ExtlinkError`; those of stores `StorageError`s; a malformed value is a `ValueError`."""
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__}

    assert kinds == {getattr(errors, name) for name in errors.__all__} == {type(error) for error in EXAMPLES}
    assert all(issubclass(kind, ExtlinkError) for kind in kinds)
    assert {Conflict, Contention, CorruptRecord, Unavailable} == {
        kind for kind in kinds if issubclass(kind, StorageError) and kind is not StorageError
    }
    assert {InvalidInput} == {kind for kind in kinds if issubclass(kind, ValueError)}


def test_an_invalid_input_names_field_and_problem() -> None:
    """Both are fields for programs, and together the message."""
    error = InvalidInput("service", "expected text, got int")

    assert ("service", "expected text, got int", "service: expected text, got int") == (
        error.field,
        error.problem,
        str(error),
    )


def test_a_refusal_carries_its_reason() -> None:
    """The message is the code and the English text."""
    error = Refused(REASON)

    assert REASON is error.reason
    assert "service.unknown: slack is not registered in this domain." == str(error)


@pytest.mark.parametrize(
    ("error", "description"), [("invalid", ""), ("invalid_request", 'a "quote"'), ("invalid_request", "日本")]
)
def test_an_oauth_error_says_what_the_rfcs_let_it_say(error: str, description: str) -> None:
    """Another code, or a letter that no header may hold, is a mistake of ours."""
    with pytest.raises(InvalidInput, match="error: expected an error code of the RFCs"):
        OAuthError(error, description)


def test_a_denial_carries_its_decision() -> None:
    """The message is the codes alone: what a remote caller may see is another text."""
    error = AccessDenied(DENIED)

    assert DENIED is error.decision
    assert "service.unknown, user.unknown" == str(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_can_be_sent_elsewhere(error: ExtlinkError) -> None:
    """Pickled and copied, for task queues and process pools, with its fields."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - made in this line
        assert type(error) is type(other)
        assert str(error) == str(other)
        assert vars(error) == vars(other)
