"""What a command came to, as JSON-able fields and back: one row for every kind of result that a command may have.

Rules: a result that is a record has the record's own form; a result that holds a secret has none, so that a new kind of
result is either given a row here or refused. It is apart
from the ledger, and packed: a data policy names many connectors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

import attrs

from extlink import codec, link_codec, request_codec
from extlink.domain.consent import Acceptance
from extlink.domain.datagroup import DataGroupPolicy
from extlink.domain.decision import GATES, Answer, Decision, Finding, Refusal
from extlink.domain.grant_request import GrantRequest
from extlink.domain.identifier import LinkId, ServiceId, TenantId, UserId
from extlink.domain.instant import Instant
from extlink.domain.link import Link
from extlink.domain.outcome import CodeAgain, Outcome, TokensAgain
from extlink.domain.readiness import Confirmation
from extlink.domain.reason import Param, Reason
from extlink.domain.registry import HostService, RegisteredService
from extlink.domain.subscription import Subscription
from extlink.domain.tenant import Tenant, UserState
from extlink.domain.token_ledger import TokenSet
from extlink.errors import Misconfigured
from extlink.fields import as_bytes, as_instant, as_list, as_map, as_text, as_whole, base64_text
from extlink.grant_edits import Saved
from extlink.link_members import MembersRevoked
from extlink.link_reconcile import Reconciled
from extlink.ports import key
from extlink.records import Kind, RecordKey
from extlink.service_purge import Purge

__all__ = ["outcome_key", "without_secrets"]


def _write_reason(reason: Reason) -> object:
    return [reason.code, dict(reason.params)]


def _read_reason(value: object) -> Reason:
    code, params = as_list(value)
    return Reason(as_text(code), _read_params(params))


def _read_params(value: object) -> Mapping[str, Param]:
    return {name: _param(param) for name, param in as_map(value).items()}


def _param(value: object) -> Param:
    if isinstance(value, bool | str | int):
        return value
    return tuple(as_text(one) for one in as_list(value))


def _write_decision(decision: Decision) -> object:
    findings = [[str(answer), [[code, dict(params)] for code, params in notes]] for answer, notes in decision.findings]
    return [findings, sorted(decision.required)]


def _read_decision(value: object) -> Decision:
    findings, required = as_list(value)
    names = {as_text(gate) for gate in as_list(required)}
    return Decision(
        tuple(_read_finding(one) for one in as_list(findings)), frozenset(one for one in GATES if one in names)
    )


def _read_finding(value: object) -> Finding:
    answer, notes = as_list(value)
    pairs = [as_list(note) for note in as_list(notes)]
    return Answer(as_text(answer)), tuple((as_text(code), _read_params(params)) for code, params in pairs)


def _write_refusal(refusal: Refusal) -> object:
    decision = None if refusal.decision is None else _write_decision(refusal.decision)
    return [refusal.error, [_write_reason(reason) for reason in refusal.reasons], decision]


def _read_refusal(value: object) -> Refusal:
    error, reasons, decision = as_list(value)
    found = None if decision is None else _read_decision(decision)
    return Refusal(as_text(error), tuple(_read_reason(one) for one in as_list(reasons)), found)


def _write_saved(saved: Saved) -> object:
    return [saved.version, saved.changed]


def _read_saved(value: object) -> Saved:
    version, changed = as_list(value)
    return Saved(as_whole(version), as_whole(changed))


def _write_members(revoked: MembersRevoked) -> object:
    return [list(revoked.users), revoked.next]


def _read_members(value: object) -> MembersRevoked:
    users, after = as_list(value)
    found = tuple(UserId(as_text(one)) for one in as_list(users))
    return MembersRevoked(users=found, next=None if after is None else as_text(after))


def _write_purge(purge: Purge) -> object:
    return [purge.service, purge.stop, purge.began, purge.done, link_codec.write_toll(purge.toll)]


def _read_purge(value: object) -> Purge:
    service, stop, began, done, toll = as_list(value)
    return Purge(
        service=ServiceId(as_text(service)),
        stop=as_text(stop),
        began=Instant(as_whole(began)),
        done=as_instant(done),
        toll=link_codec.read_toll(toll),
    )


def _write_reconciled(found: Reconciled) -> object:
    return [found.began, found.done, link_codec.write_toll(found.toll)]


def _read_reconciled(value: object) -> Reconciled:
    began, done, toll = as_list(value)
    return Reconciled(began=Instant(as_whole(began)), done=as_instant(done), toll=link_codec.read_toll(toll))


def _write_nothing(_: None) -> object:
    return None


def _read_nothing(_: object) -> None:
    return None


def _write_again(again: CodeAgain | TokensAgain) -> object:
    return again.link


def _read_code(value: object) -> CodeAgain:
    return CodeAgain(LinkId(as_text(value)))


def _read_tokens(value: object) -> TokensAgain:
    return TokensAgain(LinkId(as_text(value)))


@attrs.frozen
class _Form:
    name: str
    write: Callable[[object], object]
    read: Callable[[object], object]


def _form(name: str, write: object, read: Callable[[object], object]) -> _Form:
    return _Form(name, cast("Callable[[object], object]", write), read)


_FORMS: Final[Mapping[type, _Form]] = {
    type(None): _form("nothing", _write_nothing, _read_nothing),
    CodeAgain: _form("code", _write_again, _read_code),
    TokensAgain: _form("tokens", _write_again, _read_tokens),
    Confirmation: _form("confirmation", codec.write_confirmation, codec.read_confirmation),
    DataGroupPolicy: _form("data groups", codec.write_data_groups, codec.read_data_groups),
    Decision: _form("decision", _write_decision, _read_decision),
    GrantRequest: _form("grant request", request_codec.write_request, request_codec.read_request),
    HostService: _form("host service", codec.write_host_service, codec.read_host_service),
    MembersRevoked: _form("members", _write_members, _read_members),
    Link: _form("link", link_codec.write_link, link_codec.read_link),
    Purge: _form("purge", _write_purge, _read_purge),
    Reconciled: _form("reconciled", _write_reconciled, _read_reconciled),
    Refusal: _form("refusal", _write_refusal, _read_refusal),
    RegisteredService: _form("service", codec.write_service, codec.read_service),
    Saved: _form("saved", _write_saved, _read_saved),
    Subscription: _form("subscription", codec.write_subscription, codec.read_subscription),
    Tenant: _form("tenant", codec.write_tenant, codec.read_tenant),
    UserState: _form("user", codec.write_user, codec.read_user),
}
_BY_NAME: Final = {form.name: form for form in _FORMS.values()}


def without_secrets(result: object) -> object:
    """Return what is kept of a result: itself, or what its secrets follow from.

    Raises:
        Misconfigured: a kind of result that has no form here.
    """
    if type(result) is Acceptance:
        return CodeAgain(result.link)
    if type(result) is TokenSet:
        return TokensAgain(result.link)
    if type(result) not in _FORMS:
        raise Misconfigured(f"a {type(result).__name__} cannot be kept for an idempotency key; give it a form")
    return result


def _write(outcome: Outcome) -> object:
    """Fields of what a command came to."""
    form = _FORMS[type(outcome.result)]
    return [
        base64_text(outcome.fingerprint),
        outcome.key_id,
        base64_text(outcome.nonce),
        form.name,
        form.write(outcome.result),
        None if outcome.error is None else _write_reason(outcome.error),
    ]


def _read(value: object) -> Outcome:
    """Read what `_write` wrote."""
    fingerprint, key_id, nonce, name, result, error = as_list(value)
    return Outcome(
        fingerprint=as_bytes(fingerprint),
        key_id=as_text(key_id),
        nonce=as_bytes(nonce),
        result=_BY_NAME[as_text(name)].read(result),
        error=None if error is None else _read_reason(error),
    )


OUTCOME: Final = Kind[Outcome]("i", _write, _read, None, packed=True)


def outcome_key(tenant: TenantId, user: UserId | None, name: str) -> RecordKey[Outcome]:
    """Return where it is kept what a command came to: a key is its person's own, so that nobody can take another's."""
    return RecordKey(OUTCOME, key(tenant, "i", user or "", name))
