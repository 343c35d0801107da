"""Questions about access: check a token, explain a case, check a flow (DESIGN 3; S7, TRACE T3).

check, admit                 what a service presents, at every call of it
readiness                    what still has to be done before a service works
explain, check_flow          without a token: why somebody would be refused, and whether a flow may run
explain_many, check_many     many of these questions at once, over one snapshot
users, services              who may use a service, and what may somebody use, in pages
evaluate, is_allowed         the decision itself, for whoever has a policy and a request at hand
"""

from __future__ import annotations

from extlink.access_batches import check_many, explain_many
from extlink.access_checks import admit, check
from extlink.access_lists import ServiceAccess, ServiceAccessPage, UserAccess, UserAccessPage, services, users
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
    "ServiceAccess",
    "ServiceAccessPage",
    "UserAccess",
    "UserAccessPage",
    "admit",
    "check",
    "check_flow",
    "check_many",
    "evaluate",
    "explain",
    "explain_many",
    "is_allowed",
    "readiness",
    "services",
    "users",
]
