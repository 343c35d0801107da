"""The one error tree: the type says whose fault it is, the code and the fields are for programs.

A message names the offending value (never a secret), what was expected, and what to do next; it is one lower-case
sentence without a final full stop and safe to log. A refusal to let a *service* in is not here: that is a value
(`Decision`); `AccessDenied` is raised only by `Decision.require()`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from extlink.domain.decision import Decision
    from extlink.domain.reason import Reason

__all__ = [
    "AccessDenied",
    "Conflict",
    "Contention",
    "CorruptRecord",
    "ExtlinkError",
    "InvalidInput",
    "Misconfigured",
    "OAuthError",
    "Refused",
    "StorageError",
    "Unavailable",
]


class ExtlinkError(Exception):
    """The base of every exception that extlink raises on purpose; `code` is stable across releases."""

    code: ClassVar[str] = "extlink"


class InvalidInput(ExtlinkError, ValueError):
    """The host handed over a malformed value: `field` names the argument, `problem` says what was expected.

    >>> error = InvalidInput("service", "expected text, got an int")
    >>> error.field, str(error)
    ('service', 'service: expected text, got an int')
    """

    code = "invalid_input"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type[InvalidInput], tuple[str, str]]:
        return type(self), (self.field, self.problem)


class Refused(ExtlinkError):
    """The tenant's state or rules refuse an operation; nothing was changed. `reason` says why and what to do."""

    code = "refused"

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"{reason.code}: {reason.text('en')}")
        self.reason = reason

    def __reduce__(self) -> tuple[type[Refused], tuple[Reason]]:
        return type(self), (self.reason,)


class AccessDenied(ExtlinkError):
    """Raised by `Decision.require()` alone; `decision` holds every reason."""

    code = "access_denied"

    def __init__(self, decision: Decision) -> None:
        super().__init__(", ".join(reason.code for reason in decision.reasons))
        self.decision = decision

    def __reduce__(self) -> tuple[type[AccessDenied], tuple[Decision]]:
        return type(self), (self.decision,)


# The HTTP status of each error code: RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 7009 section 2.2.1, RFC 8707
# section 2. Errors of the authorization endpoint travel in a redirect; their status is that of a page that shows them.
_STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "access_denied": 403,
        "insufficient_scope": 403,
        "invalid_client": 401,
        "invalid_grant": 400,
        "invalid_request": 400,
        "invalid_scope": 400,
        "invalid_target": 400,
        "invalid_token": 401,
        "server_error": 500,
        "temporarily_unavailable": 503,
        "unauthorized_client": 400,
        "unsupported_grant_type": 400,
        "unsupported_response_type": 400,
        "unsupported_token_type": 400,
    }
)
_DESCRIPTION: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{0,200}")


class OAuthError(ExtlinkError):
    """A message that breaks a rule of OAuth: `error` and `description` are what the caller may be told, and no more.

    Args:
        error: a code of the RFCs, such as `invalid_request`.
        description: a sentence for the client's developer, in the characters that RFC 6749 section 5.2 allows; it
            repeats nothing that the caller sent.

    >>> error = OAuthError("invalid_request", "code is missing")
    >>> error.error, error.status, str(error)
    ('invalid_request', 400, 'invalid_request: code is missing')
    """

    code = "oauth"

    def __init__(self, error: str, description: str = "") -> None:
        if error not in _STATUS or not _DESCRIPTION.fullmatch(description):
            raise InvalidInput("error", "expected an error code of the RFCs and a description in their characters")
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error
        self.description = description

    @property
    def status(self) -> int:
        """The HTTP status to answer with."""
        return _STATUS[self.error]

    def __reduce__(self) -> tuple[type[OAuthError], tuple[str, str]]:
        return type(self), (self.error, self.description)


class StorageError(ExtlinkError):
    """A store could not answer; adapters wrap every foreign exception in one of the subclasses."""

    code = "storage"


class Conflict(StorageError):
    """A guarded record changed since it was read; the runner starts the operation anew."""

    code = "storage.conflict"


class Contention(StorageError):
    """Too many conflicts in a row; nothing was changed, the same call may be made again."""

    code = "storage.contention"


class Unavailable(StorageError):
    """The store cannot be reached, or the outcome of a commit is unknown and could not be settled."""

    code = "storage.unavailable"


class CorruptRecord(StorageError):
    """A stored record cannot be read back, or a newer release wrote it; it is never guessed at."""

    code = "storage.corrupt_record"


class Misconfigured(ExtlinkError):
    """The host built extlink wrongly (a missing or wrong key, say); raised before anything is served."""

    code = "misconfigured"
