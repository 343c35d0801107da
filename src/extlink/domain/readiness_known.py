"""What a checklist rests on: the policy that decides about calls, and what was found of people, links and clients.

Rule: the question that is put to the gates is the one that a call of the service would put, without a token and without
an address; who is permitted is found with the user gate itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain import membership
from extlink.domain.access import AccessRequest, Policy, evaluate, link_notes
from extlink.domain.client_registration import ClientRegistration
from extlink.domain.decision import GATES, Answer, Finding, Note
from extlink.domain.flow import Flow
from extlink.domain.identifier import ClientId, ConnectorId, Scope, ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.last_use import LastUse
from extlink.domain.link import Link
from extlink.domain.readiness import Confirmation
from extlink.domain.readiness_network import Published
from extlink.domain.reason import Reason
from extlink.domain.service import Service

__all__ = ["Known", "usable_scopes", "what_is_wrong"]

# Where the findings of these gates stand.
USER: Final = GATES.index("user")
DATA_GROUP: Final = GATES.index("data_group")
# What nobody answered decides nothing, and nothing is done or missing for it.
NOT_KNOWN: Final = frozenset({"directory.unavailable", membership.UNKNOWN})
_NO_CONFIRMATIONS: Final[Mapping[str, Confirmation]] = MappingProxyType({})
_NOTHING_PUBLISHED: Final = Published()


@attrs.frozen(kw_only=True)
class Known:
    """Everything a checklist rests on.

    Args:
        policy: at least of this service, and of the people that are named here.
        definition: the registered one, or one that is to be registered; None: nobody knows what the service is.
        at: the operation's instant.
        asked: whom the answer is about; None: anybody who is permitted.
        permitted: somebody who is let in by the user gate; None: there is nobody.
        answered: False if the directory failed before somebody was found.
        published: what the service calls from.
        flow: what is known of the flow that shall run: its connectors; None: the service's own alone.
        clients: those registered for the service.
        confirmations: what was said of steps outside.
        links: links to the service that were looked at: one that lives, if any does; all of the asked user's.
        live_client: whose links live, whether or not it is registered: hosts may have clients of their own.
        last_call: the newest call over any of them that was seen.
        unseen: why it is not known that no link lives, of all users, where none was found.
    """

    service: ServiceId
    policy: Policy
    definition: Service | None
    at: Instant
    asked: UserId | None = None
    permitted: UserId | None = None
    answered: bool = True
    published: Published = _NOTHING_PUBLISHED
    flow: frozenset[ConnectorId] | Flow | None = None
    clients: tuple[ClientRegistration, ...] = ()
    confirmations: Mapping[str, Confirmation] = _NO_CONFIRMATIONS
    links: tuple[Link, ...] = ()
    live_client: ClientId | None = None
    last_call: LastUse | None = None
    unseen: Reason | None = None

    @property
    def request(self) -> AccessRequest:
        """The question of law 8, without address and operation."""
        own = None if self.definition is None or self.definition.connector is None else self.definition.connector
        return AccessRequest(
            service=self.service,
            user=self.asked if self.asked is not None else self.permitted,
            at=self.at,
            connectors=self.flow if self.flow is not None else None if own is None else frozenset({own}),
            network="not_applicable",
        )

    def finding(self, gate: int) -> Finding:
        """Return what a gate says of the request."""
        return evaluate(self.policy, self.request).findings[gate]

    @property
    def calls_in(self) -> bool:
        """Whether the service calls the host, as far as anybody knows."""
        return self.definition is None or "inbound" in self.definition.directions


def usable_scopes(policy: Policy, service: ServiceId, user: UserId, at: Instant) -> frozenset[Scope] | None:
    """Return operations of a service that the user gate lets a person use: one, or none where it defines none.

    None: the person may use nothing. Of a person who may use one thing alone, that is found.
    """
    known = policy.registry.services.get(service)
    plain = AccessRequest(service=service, user=user, at=at, network="not_applicable", flow="not_applicable")
    if evaluate(policy, plain).findings[USER][0] is not Answer.PASSED:
        return None
    scopes = () if known is None else tuple(scope.name for scope in known.service.scopes)
    if not scopes:
        return frozenset()
    tried = (frozenset({scope}) for scope in scopes)
    requests = ((one, attrs.evolve(plain, scopes=one)) for one in tried)
    return next((one for one, asked in requests if evaluate(policy, asked).findings[USER][0] is Answer.PASSED), None)


def what_is_wrong(policy: Policy, link: Link, at: Instant) -> tuple[Note, ...]:
    """Return why a link is not live, none if it is; of what a directory that failed would have decided, that it did.

    A call is refused by the user gate then. A checklist has nothing but the link to go by, and guesses nothing green.
    """
    owner = link.owner
    person = None if owner is None else policy.people.get(owner)
    if owner is None or person is None or person.answered:
        return link_notes(policy, link, at)
    unknown = attrs.evolve(policy, people={**policy.people, owner: attrs.evolve(person, remembered=False)})
    failed: Note = ("directory.unavailable", {})
    return tuple(failed if note[0] == membership.UNKNOWN else note for note in link_notes(unknown, link, at))
