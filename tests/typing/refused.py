"""What a host must not write: never executed; each `ignore` is an error that mypy and pyright must both report.

Both are told to complain about an `ignore` that ignores nothing, so a line that began to type-check fails the check.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from extlink.adapters.directory import AsyncInMemoryDirectory, InMemoryDirectory
from extlink.domain.decision import Decision
from extlink.domain.identifier import Scope, ServiceId, TenantId, UserId
from extlink.domain.instant import Instant, parse_instant
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.errors import InvalidInput
from extlink.runtime import AsyncTenant, Tenant


def of_a_user(user: UserId) -> None: ...


def of_a_tenant(tenant: TenantId) -> None: ...


def of_text(text: str) -> None: ...


def at(instant: Instant) -> None: ...


def one_identifier_is_not_another(text: str, tenant: TenantId, service: ServiceId, scope: Scope) -> None:
    of_a_user(tenant)  # type: ignore[arg-type]
    of_a_user(service)  # type: ignore[arg-type]
    of_a_user(text)  # type: ignore[arg-type]
    of_a_tenant(scope)  # type: ignore[arg-type]


def a_number_is_no_instant(number: int) -> None:
    at(number)  # type: ignore[arg-type]
    parse_instant("2030-01-01")  # type: ignore[call-arg]


def a_secret_is_no_text(secret: Secret) -> None:
    of_text(secret)  # type: ignore[arg-type]
    Secret(b"bytes")  # type: ignore[arg-type]
    secret.value  # type: ignore[attr-defined]


class Louder(Secret):  # type: ignore[misc]
    """A secret is final: no subclass may print it."""


def values_do_not_change(decision: Decision, reason: Reason) -> None:
    decision.allowed = True  # type: ignore[misc]
    reason.code = "other"  # type: ignore[misc]


def gates_have_names(decision: Decision) -> None:
    decision.gate("ip")  # type: ignore[arg-type]


def an_error_names_its_field() -> None:
    InvalidInput("only the problem")  # type: ignore[call-arg]


async def a_preview_takes_an_operation_of_its_own_colour(tenant: Tenant, other: AsyncTenant) -> None:
    tenant.preview("services.disable")  # type: ignore[arg-type]
    tenant.preview(directory=AsyncInMemoryDirectory())  # type: ignore[arg-type]
    await other.preview(directory=InMemoryDirectory())  # type: ignore[arg-type]
    tenant.run("services.disable", expected="3")  # type: ignore[arg-type]
