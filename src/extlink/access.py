"""Questions about access: check a token, explain a case, check a flow (DESIGN 3; S7, TRACE T3).

check, admit                 what a service presents, at every call of it
readiness                    what still has to be done before a service works
explain, check_flow          without a token: why somebody would be refused, and whether a flow may run
evaluate, is_allowed         the decision itself, for whoever has a policy and a request at hand
"""

from __future__ import annotations

from extlink.access_checks import admit, check
from extlink.access_questions import check_flow, explain
from extlink.access_readiness import readiness
from extlink.domain.access import AccessRequest, Credential, Person, Policy, evaluate, is_allowed
from extlink.domain.decision import Admission

__all__ = [
    "AccessRequest",
    "Admission",
    "Credential",
    "Person",
    "Policy",
    "admit",
    "check",
    "check_flow",
    "evaluate",
    "explain",
    "is_allowed",
    "readiness",
]
