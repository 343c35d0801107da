"""Commands that are carried out once, however often they are delivered (DESIGN 5, PROMISES P19).

Rules
    The key is the caller's, and each person has keys of their own. The same key with the same operation and the same
    arguments: the first result, and nothing is written again. With another operation: `InvalidInput`.

    What a command came to is written with it, in one batch, also where it changed nothing. What was refused without a
    trace is not kept, so the same key may be tried again, and nobody fills the store with tokens that are none. Two
    deliveries at once are settled by the guard on the record.

    No secret is kept. What a command draws follows from the host's key and a number drawn for it, so a code can be
    derived again; tokens follow from what was presented, as in a refresh that is repeated. Both only while nothing came
    after them: spent codes and tokens that were followed by others are not given out a second time, and the gates are
    asked again.

    What gives secrets that follow from nothing has no key: the operations on clients, and those on the restriction,
    which give what resets it; nor have the messages of the OAuth endpoints, which say themselves what is sent twice.

    What only asks has no key: its answer would be one of yesterday. `access.check` above all is never answered from
    what is kept.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Final, TypeVar, cast

import attrs

from extlink.domain.client import Client
from extlink.domain.consent import Acceptance
from extlink.domain.decision import Decision, Refusal
from extlink.domain.identifier import LinkId, TenantId, parse_id
from extlink.domain.outcome import CodeAgain, Outcome, TokensAgain
from extlink.domain.reason import Reason
from extlink.domain.secret import Secret
from extlink.domain.token import RANDOM_BYTES, KeyRing
from extlink.errors import InvalidInput, Misconfigured, Refused
from extlink.link_tokens import tokens_again
from extlink.operation import (
    Call,
    Commit,
    Definition,
    Draw,
    Ledger,
    Now,
    Operation,
    Steps,
    ask,
    put,
    read,
)
from extlink.outcomes import outcome_key, without_secrets
from extlink.records import link_key

__all__ = ["KEPT_SECONDS"]

T = TypeVar("T")

# What a command came to may be collected a day after it was written; nobody delivers a command again later than that.
KEPT_SECONDS: Final = 86_400
_NONCE_BYTES: Final = 16
_BLOCK_BYTES: Final = 32
_DENIED: Final = "operation.denied"
# What may write, and yet is a question: a check notes that a token was used, and must be answered from today.
_QUESTIONS: Final = frozenset(
    {
        "access.admit",
        "access.check",
        "access.check_flow",
        "access.check_many",
        "access.explain",
        "triggers.check_delivery",
    }
)
# Results with secrets that cannot be derived again (a client's secret, what resets a restriction), and messages of
# OAuth, which have rules of their own for what is sent twice.
_WITHOUT_KEYS: Final = frozenset({"clients", "endpoints", "networks"})


def takes_a_key(definition: Definition[..., object]) -> bool:
    """Whether operations of this name are commands, which may come with an idempotency key.

    >>> from extlink.services import enable
    >>> takes_a_key(enable("slack").definition)
    True
    """
    if definition.name in _QUESTIONS or definition.name.partition(".")[0] in _WITHOUT_KEYS:
        return False
    return bool(definition.records - {_DENIED})


def with_key(operation: Operation[T], idempotency_key: object) -> Operation[T]:
    """Return the operation that carries another one out once for a key.

    Raises:
        InvalidInput: a malformed key, or an operation that only asks.

    >>> from extlink.services import enable
    >>> with_key(enable("slack"), "7f1c").name
    'services.enable'
    """
    name = parse_id(idempotency_key, "idempotency_key")
    if not takes_a_key(operation.definition):
        raise InvalidInput(
            "idempotency_key",
            f"expected none for {operation.name}, which asks only or gives what cannot be given again; leave it out",
        )

    def once(call: Call, *, operation: Operation[T], idempotency_key: str) -> Steps[Commit[T]]:
        return (yield from _once(call, operation, idempotency_key))

    # The operation inside asks for the actor's roles itself, so that a denial is kept as well.
    definition = Definition(operation.name, frozenset(), operation.definition.records, once)
    return Operation(definition, {"operation": operation, "idempotency_key": name})


def _once(call: Call, operation: Operation[T], name: str) -> Steps[Commit[T]]:
    place = outcome_key(call.tenant, call.actor.user, name)
    known = (yield from read(place)).get(place)
    keys = (yield from ask(Ledger())).keys
    if known is not None:
        return (yield from _again(call, operation, known, keys))
    nonce = yield from ask(Draw(_NONCE_BYTES))
    commit = yield from _carried_out(call, operation, keys, nonce)
    if commit.error is not None and type(commit.error) is not Refused:
        raise Misconfigured(f"{operation.name} ends in a {type(commit.error).__name__}, which cannot be kept")
    if isinstance(commit.result, Refusal | Decision) and not (commit.changes or commit.events):
        return commit
    outcome = Outcome(
        fingerprint=_fingerprint(keys, keys.current, call.tenant, operation),
        key_id=keys.current,
        nonce=nonce,
        result=without_secrets(commit.result),
        error=None if commit.error is None else commit.error.reason,
    )
    return attrs.evolve(commit, changes=(*commit.changes, put(place, outcome)))


def _carried_out(call: Call, operation: Operation[T], keys: KeyRing, nonce: bytes) -> Steps[Commit[T]]:
    """Carry an operation out; what it draws follows from the number that was drawn for it."""
    steps = operation.start(call)
    answer: object = None
    draws = 0
    try:
        while True:
            step = steps.send(answer)
            if isinstance(step, Draw):
                answer = _drawn(keys, keys.current, call.tenant, nonce, draws, step.size)
                draws += 1
            else:
                answer = yield step
    except StopIteration as done:
        return cast("Commit[T]", done.value)
    finally:
        steps.close()


def _drawn(keys: KeyRing, key_id: str, tenant: TenantId, nonce: bytes, number: int, size: int) -> bytes:
    blocks = range(-(-size // _BLOCK_BYTES))
    data = [nonce + number.to_bytes(4) + block.to_bytes(4) for block in blocks]
    return b"".join([keys.once(tenant, key_id, "draw", one) for one in data])[:size]


def _again(call: Call, operation: Operation[T], known: Outcome, keys: KeyRing) -> Steps[Commit[T]]:
    """Return what the command came to the first time, and write nothing.

    Raises:
        InvalidInput: the key was used for another operation, or under a host key that is gone.
        Refused: `consent.used` for a code that was spent since.
    """
    if not keys.knows(known.key_id):
        raise InvalidInput("idempotency_key", "expected a new key, got one that was used under a host key that is gone")
    fingerprint = _fingerprint(keys, known.key_id, call.tenant, operation)
    if not hmac.compare_digest(fingerprint, known.fingerprint):
        raise InvalidInput(
            "idempotency_key",
            f"expected a new key for {operation.name}, got one that was used for another command or other arguments",
        )
    error = None if known.error is None else Refused(known.error)
    match known.result:
        case CodeAgain(link):
            result: object = yield from _accepted_again(call, link, known)
        case TokensAgain(link):
            arguments = operation.arguments
            presented = arguments["code"] if "code" in arguments else arguments["token"]
            address = cast("str | None", arguments["address"])
            client = cast("Client", arguments["client"])
            result = yield from tokens_again(call, link, cast("Secret", presented), client=client, address=address)
        case result:
            pass
    return Commit(cast("T", result), error=error)


def _accepted_again(call: Call, link: LinkId, known: Outcome) -> Steps[Acceptance]:
    place = link_key(call.tenant, link)
    held = (yield from read(place)).get(place)
    ledger = yield from ask(Ledger())
    at = yield from ask(Now())
    random = _drawn(ledger.keys, known.key_id, call.tenant, known.nonce, 0, RANDOM_BYTES)
    code = None if held is None else ledger.code_again(held, known.key_id, random)
    if held is None or code is None:
        raise Refused(Reason("consent.used"))
    left = max(0, held.code.expires - at)
    return Acceptance(code=code, redirect_uri=held.code.redirect_uri, link=link, expires_in=left)


def _fingerprint(keys: KeyRing, key_id: str, tenant: TenantId, operation: Operation[object]) -> bytes:
    """Return a keyed digest of an operation and its arguments: what they are is kept nowhere, secrets least of all."""
    text = json.dumps([operation.name, _plain(operation.arguments)], separators=(",", ":"))
    return keys.once(tenant, key_id, "operation", text.encode())


def _plain(value: object) -> object:
    """Return an argument as JSON has it: equal for equal arguments, different for different ones."""
    if value is None or isinstance(value, bool | int) or type(value) is str:
        return value
    if isinstance(value, Secret | Enum | bytes | date):
        return [type(value).__name__, _scalar(value)]
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return ["mapping", sorted([_text(name), _text(one)] for name, one in pairs)]
    if isinstance(value, frozenset | set):
        return ["set", sorted(_text(one) for one in cast("frozenset[object]", value))]
    if isinstance(value, tuple | list):
        return ["list", *[_plain(one) for one in cast("tuple[object, ...]", value)]]
    if attrs.has(type(value)):
        # What is not an argument of the class follows from what is.
        names = [field.name for field in attrs.fields(cast("type[attrs.AttrsInstance]", type(value))) if field.init]
        return [type(value).__name__, *[_plain(getattr(value, name)) for name in names]]
    raise Misconfigured(f"a {type(value).__name__} among the arguments cannot be told from another for a key")


def _scalar(value: Secret | Enum | bytes | date) -> str:
    match value:
        case Secret():
            return value.reveal()
        case Enum():
            return value.name
        case bytes():
            return value.hex()
        case _:
            return value.isoformat()


def _text(value: object) -> str:
    return json.dumps(_plain(value), separators=(",", ":"))
