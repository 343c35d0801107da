"""Decision: the answer over all gates, with every reason (DESIGN 3).

Each of the five gates answers *passed*, *refused*, *not applicable* or *not evaluated*. A request is allowed if no gate
refused and no required gate was left unevaluated. A refusal is a value, never an exception; only `require()` raises.
A refusal knows its remedies; they are looked for when somebody asks, so that nobody else pays for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, cast

import attrs

from extlink.domain.identifier import ClientId, LinkId, ServiceId, UserId, plain_text
from extlink.domain.reason import Param, Reason, known_reason
from extlink.domain.remedy import Remedy
from extlink.domain.unfixable import UNFIXABLE
from extlink.errors import AccessDenied, InvalidInput

if TYPE_CHECKING:
    from types import MemberDescriptorType


__all__ = [
    "GATES",
    "Admission",
    "Answer",
    "Curable",
    "Cure",
    "Decision",
    "Finding",
    "Gate",
    "GateResult",
    "Note",
    "Refusal",
    "answered",
]

Gate = Literal["service", "user", "network", "data_group", "link"]
GATES: Final[tuple[Gate, ...]] = ("service", "user", "network", "data_group", "link")


class Answer(StrEnum):
    """What one gate says."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_APPLICABLE = "not_applicable"
    NOT_EVALUATED = "not_evaluated"


# In Python 3.11 to ask an enumeration for its member costs more than to ask a gate; these are the members themselves.
_PASSED: Final = Answer.PASSED
_REFUSED: Final = Answer.REFUSED
_NOT_EVALUATED: Final = Answer.NOT_EVALUATED

# The evaluator works on plain tuples: a Reason costs more than a whole gate, and half of all decisions are never read.
Note = tuple[str, Mapping[str, Param]]
Finding = tuple[Answer, tuple[Note, ...]]


class GateResult(NamedTuple):
    """One gate's answer; the reasons of a passed gate are its evidence (which grant, which row, which link)."""

    gate: Gate
    answer: Answer
    reasons: tuple[Reason, ...]


class Cure(NamedTuple):
    """What puts a refusal right; nothing, if nothing is refused or if something cannot be put right."""

    remedies: tuple[Remedy, ...] = ()
    unfixable: tuple[Reason, ...] = ()


class Curable(Protocol):
    """What a decision answers, as far as it must know: that remedies can be looked for in it."""

    def cure(self) -> Cure:
        """Return what puts the refusal right, judged by what refused it."""
        ...


@attrs.frozen
class Decision:
    """The answer to one request, with every failing gate and the evidence of every passed one.

    `bool(decision)` is `decision.allowed`. Two decisions are equal if every gate answered alike for the same reasons.

    Args:
        findings: one per gate, in the order of `GATES`.
        required: gates that must be evaluated for a yes; a set of gate names.
        question: what it answers, where that is at hand: remedies are looked for in it.

    >>> from extlink.domain.decision import Answer, Decision
    >>> passed = (Answer.PASSED, ())
    >>> refused = (Answer.REFUSED, (("grant.missing", {"service": "slack", "user": "sato"}),))
    >>> decision = Decision((passed, refused, passed, passed, passed))
    >>> bool(decision), [reason.code for reason in decision.reasons]
    (False, ['grant.missing'])
    """

    findings: tuple[Finding, ...]
    required: frozenset[Gate] = frozenset()
    question: Curable | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def allowed(self) -> bool:
        """Whether no gate refused and no required gate was left unevaluated."""
        for answer, _ in self.findings:
            if answer is _REFUSED:
                return False
        return not self.required or self._lacks_nothing()

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def gates(self) -> tuple[GateResult, ...]:
        """Every gate's answer with its reasons, in the order of `GATES`."""
        return tuple(
            GateResult(gate, answer, tuple([known_reason(code, params) for code, params in notes]))
            for gate, (answer, notes) in zip(GATES, self.findings, strict=True)
        )

    @property
    def is_temporary(self) -> bool:
        """Whether the directory did not answer, so that the same request may be allowed in a moment."""
        return any(code == "directory.unavailable" for _, notes in self.findings for code, _ in notes)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing refuses, and memberships that nobody remembers would decide: of the past alone (law 1)."""
        return not any(answer is _REFUSED for answer, _ in self.findings) and any(
            code == "membership.unknown" for _, notes in self.findings for code, _ in notes
        )

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the request is refused: the reasons of every gate that stands in the way; empty if allowed."""
        found: list[Reason] = []
        required = self.required
        for place, (answer, notes) in enumerate(self.findings):
            if answer is _REFUSED or (required and answer is _NOT_EVALUATED and GATES[place] in required):
                found.extend([known_reason(code, params) for code, params in notes])
        return tuple(found)

    @property
    def evidence(self) -> tuple[Reason, ...]:
        """What the passed gates rest on: which grant, which row, which link."""
        found: list[Reason] = []
        for answer, notes in self.findings:
            if answer is _PASSED:
                found.extend([known_reason(code, params) for code, params in notes])
        return tuple(found)

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """What to do, in this order, until the request is allowed: nothing in it is superfluous, and no less does.

        Source: law 6. Verified step by step with the very function that refused. Empty if allowed; if some reason
        cannot be put right (`unfixable`); and where the question is not at hand: the token named nothing of ours, or
        the decision was read back from bytes. Switching a restriction off or lifting an emergency stop is no remedy.
        """
        return self._cure().remedies

    @property
    def unfixable(self) -> tuple[Reason, ...]:
        """Why no steps put it right: the reasons for which there are none, or what stands in the way of theirs."""
        return self._cure().unfixable

    def _cure(self) -> Cure:
        if self.question is None:
            return Cure(unfixable=tuple(one for one in self.reasons if one.code in UNFIXABLE))
        return self.question.cure()

    def gate(self, name: Gate) -> GateResult:
        """Return one gate's answer.

        Raises:
            InvalidInput: no gate has this name.
        """
        wanted = plain_text(name)
        for result in self.gates:
            if result.gate == wanted:
                return result
        raise InvalidInput("gate", f"expected one of {', '.join(GATES)}")

    def _lacks_nothing(self) -> bool:
        """Whether every required gate was evaluated."""
        for gate, (answer, _) in zip(GATES, self.findings, strict=True):
            if answer is _NOT_EVALUATED and gate in self.required:
                return False
        return True

    def require(self) -> None:
        """Raise `AccessDenied` unless allowed; the one place where a refusal becomes an exception."""
        if not self.allowed:
            raise AccessDenied(self)

    def __reduce__(self) -> tuple[type[Decision], tuple[tuple[Finding, ...], frozenset[Gate]]]:
        plain = tuple(
            (answer, tuple((code, dict(params)) for code, params in notes)) for answer, notes in self.findings
        )
        return Decision, (plain, self.required)


def answered(findings: tuple[Finding, ...], required: frozenset[Gate], question: Curable) -> Decision:
    """Return the evaluator's own decision, which needs no constructor: it costs what one without a question would."""
    decision: Decision = object.__new__(Decision)
    _set_findings(decision, findings)
    _set_required(decision, required)
    _set_question(decision, question)
    return decision


def _slot(name: str) -> Callable[[object, object], None]:
    return cast("MemberDescriptorType", Decision.__dict__[name]).__set__


_set_findings: Final = _slot("findings")
_set_required: Final = _slot("required")
_set_question: Final = _slot("question")


@attrs.frozen
class Refusal:
    """Why a link was not made or no tokens were issued: what the caller may know, and what the administrator may.

    `bool(refusal)` is False. A remote caller gets `error` alone (RFC 6749 sections 4.1.2.1 and 5.2); the reasons and
    the decision are for the host's own pages and log.

    Args:
        error: the OAuth error code, such as `invalid_grant` or `access_denied`.
        reasons: every reason, never shown to a remote caller.
        decision: the gates' answer, where the gates refused.

    >>> refusal = Refusal("invalid_grant", (Reason("token.unknown"),))
    >>> bool(refusal), refusal.error
    (False, 'invalid_grant')
    """

    error: str
    reasons: tuple[Reason, ...]
    decision: Decision | None = None

    def __bool__(self) -> Literal[False]:
        return False


@attrs.frozen(kw_only=True)
class Admission:
    """A call that is let in: for whom it acts, and by which link.

    Args:
        user: whose data it may touch; None: the tenant's own link.
        decision: with the evidence of every gate.

    >>> Admission(user="sato", service="slack", link="l1", client="c1", decision=Decision(())).user
    'sato'
    """

    user: UserId | None
    service: ServiceId
    link: LinkId
    client: ClientId
    decision: Decision
