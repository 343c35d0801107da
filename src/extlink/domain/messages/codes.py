"""What every catalogue has to hold: the reason codes with their parameters, and who may apply the remedy.

Rules: one row a code; a text names exactly the parameters of its row, a remedy only some of them; what a catalogue
holds beside that is an error that the tests find. Roles are those of TRACE T11, and `host` for what only the host's own
engineers can put right. Where `who` is "nobody" there is nothing to do or nothing that would help.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, get_args

__all__ = ["LANGUAGES", "PARAMS", "ROLES", "WHO", "Language", "Message", "Who"]

Language = Literal["ja", "en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("ja", "en", "zh")

Who = Literal[
    "user",
    "common_administrator",
    "access_administrator",
    "app_administrator",
    "service_administrator",
    "vendor",
    "host",
    "nobody",
]
ROLES: Final[tuple[Who, ...]] = get_args(Who)


class Message(NamedTuple):
    """What one catalogue says for one code: what is so, and what to do about it (empty where nothing is to be done)."""

    text: str
    remedy: str = ""


# The roles, shortened so that a row stays a line.
_U: Final = "user"
_C: Final = "common_administrator"
_A: Final = "access_administrator"
_P: Final = "app_administrator"
_S: Final = "service_administrator"
_V: Final = "vendor"
_H: Final = "host"
_N: Final = "nobody"

_ROWS: Final[tuple[tuple[str, Who, str], ...]] = (
    # The service gate.
    ("service.enabled", _N, "service"),
    ("service.enabled_by_default", _N, "service"),
    ("service.unknown", _C, "service"),
    ("service.unidentified", _N, ""),
    ("service.not_in_edition", _N, "service edition"),
    ("service.product_missing", _C, "service products"),
    ("service.unavailable", _N, "service cause"),
    ("service.not_enabled", _C, "service"),
    ("service.disabled", _C, "service"),
    ("service.quarantined", _C, "service cause"),
    ("service.quarantined_everywhere", _H, "service cause"),
    ("service.blocked_by_links", _C, "service"),
    ("service.step_unknown", _C, "service step"),
    # The user gate.
    ("grant.user", _N, "service user"),
    ("grant.organization", _N, "service user organization path"),
    ("grant.group", _N, "service user group"),
    ("grant.everyone", _N, "service"),
    ("grant.kept", _N, "service user"),
    ("grant.not_applicable", _N, "service"),
    ("user.unidentified", _N, ""),
    ("user.unknown", _C, "user"),
    ("user.suspended", _C, "user"),
    ("user.deleted", _N, "user"),
    ("user.product_missing", _C, "user product scope"),
    ("grant.missing", _C, "service user"),
    ("grant.over", _C, "service user until"),
    ("grant.scope_not_granted", _C, "service user scope"),
    ("grant.excluded", _C, "service user by"),
    ("directory.unavailable", _H, ""),
    ("membership.unknown", _C, "service user"),
    # The network gate.
    ("network.allow_all", _N, ""),
    ("network.row", _N, "address row memo source"),
    ("network.proof", _N, "address proof"),
    ("network.published", _N, "address service row source version"),
    ("network.not_applicable", _N, ""),
    ("network.address_unknown", _H, ""),
    ("network.address_invalid", _H, "address problem"),
    ("network.address_not_allowed", _A, "address"),
    ("network.deny_all", _A, "address"),
    ("network.not_published", _A, "address service source version"),
    ("network.ranges_unknown", _A, "service"),
    # The data group gate.
    ("datagroup.no_policy", _N, ""),
    ("datagroup.same_group", _N, "connectors"),
    ("datagroup.flow_unknown", _H, ""),
    ("datagroup.not_applicable", _N, ""),
    ("datagroup.blocked", _S, "connector policies"),
    ("datagroup.mixed", _S, "policy business non_business"),
    ("datagroup.action_blocked", _S, "connector action policies"),
    ("datagroup.endpoint_denied", _S, "connector endpoint policies"),
    # The link gate.
    ("link.live", _N, "link"),
    ("link.not_asked", _N, ""),
    ("link.missing", _U, "service user"),
    ("link.revoked", _U, "link by"),
    ("link.ended", _U, "link cause"),
    ("link.suspended", _C, "link"),
    ("link.not_redeemed", _U, "link"),
    ("link.expired", _U, "link"),
    ("link.dormant", _U, "link days"),
    ("token.unknown", _U, ""),
    ("token.expired", _V, "link"),
    ("token.superseded", _V, "link"),
    ("token.wrong_kind", _V, "kind expected"),
    ("token.wrong_audience", _V, "audience"),
    ("token.wrong_client", _V, ""),
    ("scope.not_covered", _U, "scope granted"),
    ("scope.unknown", _H, "scope service"),
    ("scope.not_requested", _H, ""),
    ("code.used", _U, "link"),
    ("code.expired", _U, "link"),
    ("code.redirect_mismatch", _V, ""),
    ("code.verifier_missing", _V, ""),
    ("code.verifier_mismatch", _V, ""),
    ("code.verifier_unexpected", _V, ""),
    ("refresh.scope_wider", _V, "scope"),
    ("refresh.other_request", _V, ""),
    ("refresh.reused", _U, "link"),
    ("refresh.expired", _U, "link"),
    # Operations.
    ("actor.not_permitted", _C, "operation roles"),
    ("actor.not_owner", _U, "link"),
    ("tenant.not_open", _H, "tenant"),
    ("tenant.opened_differently", _H, "tenant"),
    ("tenant.incomplete", _H, "tenant"),
    ("tenant.moved_on", _C, "tenant"),
    ("version.stale", _C, "what"),
    ("save.too_large", _C, "count limit"),
    ("request.already_granted", _N, "service user"),
    ("request.unknown", _C, "service user"),
    ("request.expired", _U, "service user"),
    ("request.too_many", _C, "limit"),
    ("record.too_large", _C, "what"),
    ("subject.unknown", _C, "kind id"),
    ("consent.unknown", _U, ""),
    ("consent.expired", _U, ""),
    ("consent.other_user", _U, ""),
    ("consent.used", _U, ""),
    ("consent.other_session", _U, ""),
    # Registered clients and what they send.
    ("authorization.malformed", _V, ""),
    ("authorization.redirect_uri", _C, "client"),
    ("authorization.scope", _C, "client"),
    ("resource.not_granted", _V, ""),
    ("client.unknown", _C, "client"),
    ("client.removed", _C, "client"),
    ("client.another", _C, "client"),
    ("client.wrong_secret", _V, ""),
    ("client.wrong_method", _V, ""),
    ("client.no_secrets", _C, "client"),
    ("client.no_keys", _C, "client"),
    ("client.too_many_secrets", _C, "client limit"),
    ("client.unknown_secret", _C, "client secret"),
    ("client.assertion_malformed", _V, ""),
    ("client.assertion_signature", _V, ""),
    ("client.assertion_audience", _V, ""),
    ("client.assertion_expired", _V, ""),
    ("client.assertion_replayed", _V, ""),
    ("client.too_many_assertions", _V, ""),
    ("link.unknown", _U, "link"),
    ("link.too_many", _U, "service limit"),
    ("link.transition", _C, "link state event"),
    ("network.row_limit", _A, "rows limit edition"),
    ("network.ipv4_only", _A, "range edition"),
    ("network.not_self_service", _V, "edition"),
    ("network.locks_out_actor", _A, "address"),
    ("network.unknown_row", _A, "row"),
    ("network.proof_not_in_edition", _A, "proof edition"),
    ("network.proof_needs_restriction", _A, "proofs"),
    ("network.reset_unknown", _A, ""),
    ("network.no_requirement", _C, "service requirement known"),
    ("network.data_missing", _A, "requirement lists"),
    ("network.plan_no_data", _A, ""),
    ("network.plan_limit_unknown", _V, ""),
    ("network.plan_ipv6_only", _V, "range"),
    ("network.plan_not_global", _A, "range"),
    ("network.plan_rows", _A, "rows limit fewest"),
    ("network.plan_opens_too_much", _A, "extra most rows"),
    ("datagroup.unblockable", _S, "connector policy"),
    ("datagroup.unblockable_actions", _S, "connector policy"),
    ("datagroup.unknown_policy", _S, "policy"),
    ("subscription.unknown", _V, "subscription"),
    ("subscription.too_many", _U, "link limit"),
    ("subscription.trigger_unknown", _V, "trigger service"),
    ("ledger.position_unknown", _C, "position"),
    # The checklist of a service.
    ("readiness.available", _N, "service edition"),
    ("readiness.definition_unknown", _C, "service"),
    ("readiness.registered", _N, "service"),
    ("readiness.no_user", _C, "service"),
    ("readiness.covered", _N, "service count source"),
    ("readiness.not_covered", _A, "service count percent source"),
    ("readiness.not_pinned", _A, "service count"),
    ("readiness.ranges_unknown", _A, "service"),
    ("readiness.inexpressible", _V, "service edition"),
    ("readiness.partly_inexpressible", _V, "count edition"),
    ("readiness.data_old", _A, "service days limit"),
    ("readiness.data_undated", _A, "service"),
    ("readiness.differs", _N, "requirement other count"),
    ("readiness.two_factor", _C, "edition"),
    ("readiness.client", _N, "client"),
    ("readiness.client_unusable", _C, "client"),
    ("readiness.no_client", _C, "service"),
    ("readiness.confirmed", _N, "step user at"),
    ("readiness.seen", _N, "step at"),
    ("readiness.unconfirmed", _P, "step"),
    ("readiness.connected", _N, "service user"),
    ("readiness.nobody_connected", _U, "service"),
    ("readiness.links_unseen", _C, "service"),
    ("readiness.called", _N, "service at"),
    ("readiness.never_called", _U, "service"),
)

PARAMS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {code: tuple(names.split()) for code, _, names in _ROWS}
)
WHO: Final[Mapping[str, Who]] = MappingProxyType({code: who for code, who, _ in _ROWS})
