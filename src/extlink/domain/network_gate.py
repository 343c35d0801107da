"""The network gate: the tenant's IP restriction, and the service's own published ranges where that rule is on (S5, F5).

Rules: both must let the address pass. A person whose proof the restriction accepts passes it from any address, a
service never does (TRACE T16): it has no proof, and a pin is asked of services alone. An address that is unknown is
refused as soon as there is something to ask of it; one that is none is refused always. The short answer and the long
one are equal (law 3).
"""

from __future__ import annotations

from typing import Final

from extlink.domain.address import parse_address
from extlink.domain.decision import Answer, Finding, Note
from extlink.domain.network import IPRestriction
from extlink.domain.pin import Pin
from extlink.domain.policy import AccessRequest, Policy
from extlink.errors import InvalidInput

__all__ = ["is_network_allowed", "network_finding", "restriction_finding"]

# In Python 3.11 to ask an enumeration for its member costs more than to compare it; these are the members themselves.
_PASSED: Final = Answer.PASSED
_REFUSED: Final = Answer.REFUSED
_NOT_APPLICABLE: Final[Finding] = (Answer.NOT_APPLICABLE, (("network.not_applicable", {}),))
_ALLOW_ALL: Final[Finding] = (Answer.PASSED, (("network.allow_all", {}),))
_UNKNOWN: Final[Note] = ("network.address_unknown", {})


def is_network_allowed(policy: Policy, request: AccessRequest) -> bool:
    """Return whether the gate lets a request pass: the short form of `network_finding`."""
    address, network = request.address, policy.network
    if address is None:
        if network.mode != "allow_all":
            return False
    elif not network.admits_text(address) and not (_is_proved(network, request) and _is_address(address)):
        return False
    pin = policy.pins.get(request.service) if policy.pins and request.service is not None else None
    if not _is_pinned(pin, request):
        return True
    return pin is not None and address is not None and pin.contains_text(address)


def network_finding(policy: Policy, request: AccessRequest) -> Finding:
    """Return what the gate says, with every reason."""
    if request.network != "applies":
        return _NOT_APPLICABLE
    answer, notes = restriction_finding(policy.network, request)
    service = request.service
    if service is None:
        return answer, notes
    pin = policy.pins.get(service)
    if not _is_pinned(pin, request):
        return answer, notes
    published, more = _pin_finding(pin, service, request.address)
    if answer is published:
        return answer, notes + tuple(note for note in more if note not in notes)
    return (answer, notes) if answer is _REFUSED else (published, more)


def restriction_finding(network: IPRestriction, request: AccessRequest) -> Finding:
    """Return what the tenant's restriction alone says of a request's address."""
    text = request.address
    if text is None:
        return _ALLOW_ALL if network.mode == "allow_all" else (_REFUSED, (_UNKNOWN,))
    try:
        row = network.row_for(text)
    except InvalidInput as error:
        return _REFUSED, (_invalid(text, error),)
    if network.mode == "allow_all":
        return _ALLOW_ALL
    if row is not None:
        evidence = {"address": text, "row": row.text, "memo": row.memo, "source": row.source}
        return _PASSED, (("network.row", evidence),)
    if _is_proved(network, request):
        return _PASSED, (("network.proof", {"address": text, "proof": request.network_proof}),)
    code = "network.deny_all" if network.mode == "deny_all" else "network.address_not_allowed"
    return _REFUSED, ((code, {"address": text}),)


def _is_proved(network: IPRestriction, request: AccessRequest) -> bool:
    return request.network_proof in network.proofs and request.caller == "user"


def _is_address(text: str) -> bool:
    try:
        parse_address(text)
    except InvalidInput:
        return False
    return True


def _is_pinned(pin: Pin | None, request: AccessRequest) -> bool:
    """Whether a request must come from the service's published ranges, whether or not there are any."""
    if request.caller != "service":
        return False
    if pin is not None and pin.applies == "service":
        return True
    link = None if request.credential is None else request.credential.link
    return link is not None and link.pinned


def _pin_finding(pin: Pin | None, service: str, text: str | None) -> Finding:
    if pin is None or not pin.rows:
        return _REFUSED, (("network.ranges_unknown", {"service": service}),)
    if text is None:
        return _REFUSED, (_UNKNOWN,)
    try:
        row = pin.row_for(text)
    except InvalidInput as error:
        return _REFUSED, (_invalid(text, error),)
    if row is None:
        params = {"address": text, "service": service, "source": pin.source, "version": pin.version}
        return _REFUSED, (("network.not_published", params),)
    evidence = {"address": text, "service": service, "row": row.text, "source": row.source, "version": row.version}
    return _PASSED, (("network.published", evidence),)


def _invalid(text: str, error: InvalidInput) -> Note:
    shown = text[:64].encode("ascii", "backslashreplace").decode()
    return "network.address_invalid", {"address": shown, "problem": error.problem}
