"""What a host may write: never executed, read by mypy and pyright, which must agree on every type."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from extlink import InMemoryDirectory, access, ledger, services
from extlink.domain.decision import Decision, Gate, GateResult, Refusal
from extlink.domain.identifier import Scope, TenantId, UserId, parse_id, parse_ids, parse_scope, parse_scopes
from extlink.domain.impact import AffectedLink, Impact, Sample
from extlink.domain.instant import Instant, parse_instant, to_datetime
from extlink.domain.reason import Reason, Remedy
from extlink.domain.registry import RegisteredService
from extlink.domain.secret import Secret
from extlink.errors import AccessDenied, Conflict, ExtlinkError, InvalidInput, StorageError
from extlink.operation import Operation
from extlink.remedies import operation_of
from extlink.runtime import AsyncTenant, Tenant


def identifiers(anything: object) -> None:
    assert_type(parse_id(anything, "user"), str)
    assert_type(parse_ids(anything, "users"), tuple[str, ...])
    assert_type(parse_scope(anything), Scope)
    assert_type(parse_scopes(anything), frozenset[Scope])
    assert_type(UserId("sato"), UserId)
    assert_type(TenantId("acme"), TenantId)


def instants(anything: object) -> None:
    assert_type(parse_instant(anything, "until"), Instant)
    assert_type(parse_instant(datetime.now(UTC), "until") + 60, int)
    assert_type(to_datetime(Instant(0)), datetime)


def secrets(secret: Secret) -> None:
    assert_type(Secret("text"), Secret)
    assert_type(secret.reveal(), str)
    assert_type(secret == secret, bool)  # noqa: PLR0124 - the type of the answer is the point


def reasons(reason: Reason) -> None:
    assert_type(reason.code, str)
    assert_type(reason.text("ja"), str)
    assert_type(reason.remedy, Remedy)
    assert_type(reason.remedy.text("zh"), str)


def decisions(decision: Decision, refusal: Refusal, gate: Gate) -> None:
    assert_type(bool(decision), bool)
    assert_type(decision.allowed, bool)
    assert_type(decision.reasons, tuple[Reason, ...])
    assert_type(decision.evidence, tuple[Reason, ...])
    assert_type(decision.gate(gate), GateResult)
    assert_type(decision.remedies, tuple[Remedy, ...])
    assert_type(decision.unfixable, tuple[Reason, ...])
    assert_type([operation_of(one) for one in decision.remedies], list[Operation[object] | None])
    assert_type(refusal.error, str)
    assert_type(refusal.decision, Decision | None)
    if decision:  # a decision is the one value that may stand where a bool does
        decision.require()


def errors(error: ExtlinkError) -> None:
    assert_type(error.code, str)
    match error:
        case InvalidInput(field=field, problem=problem):
            assert_type(field, str)
            assert_type(problem, str)
        case AccessDenied(decision=decision):
            assert_type(decision, Decision)
        case Conflict() | StorageError():
            pass
        case _:
            pass


def the_past(admin: Tenant, people: InMemoryDirectory) -> None:
    question = ledger.as_of(services.registered(), position=7, directory=people)
    assert_type(admin.run(question), tuple[RegisteredService, ...])
    assert_type(admin.run(ledger.as_of(access.explain(link="l"), at=datetime.now(UTC))), Decision)
    assert_type([entry.line for entry in admin.run(ledger.history(user="sato")).entries], list[str])


async def previews_of(tenant: Tenant, other: AsyncTenant, operation: Operation[Decision]) -> None:
    assert_type(tenant.preview(operation), Impact)
    assert_type(tenant.preview(at=datetime.now(UTC)).position, int)
    assert_type(tenant.run(operation, expected=3), Decision)
    assert_type(await other.preview(operation), Impact)
    assert_type(tenant.preview(operation).ended, Sample[AffectedLink])
