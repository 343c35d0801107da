"""The one error tree: the type says whose fault it is, the code and the fields are for programs.

A message names the offending value (never a secret), what was expected, and what to do next; it is one lower-case
sentence without a final full stop and safe to log. A refusal to let a *service* in is not here: that is a value
(`Decision`); `AccessDenied` is raised only by `Decision.require()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

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
