"""Operations on the tenant's IP restriction: allow all, deny all, allow some (S5; TRACE T1, T15, T16).

What an edition lets a customer set is data (`EDITIONS`); beyond it, nothing is changed. A restriction that would lock
out the administrator who sets it needs a named override; where the edition has it, each saved change yields a token
that resets the restriction. Host bits set in a range, zone ids and the like are refused where the range is parsed, with
what was probably meant.

restrict, allow_all, deny_all, add, remove, accept_proofs -> Saved      reset
show, find                                                              pin, unpin, show_pin
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import attrs

from extlink import facts, link_endings
from extlink.domain.address import AddressRange
from extlink.domain.edition import EDITIONS
from extlink.domain.event import Detail, Event
from extlink.domain.existing import parse_choice
from extlink.domain.grant import Existing
from extlink.domain.identifier import parse_items
from extlink.domain.network import IPRestriction, Proof, Row, check_against, parse_proofs
from extlink.domain.reason import Reason
from extlink.domain.reset import Reset
from extlink.domain.secret import Secret
from extlink.domain.tenant import Tenant
from extlink.errors import Refused
from extlink.inputs import MAX_ROWS, exactly, flag, given_row, given_rows, presented_secret
from extlink.network_pins import Found, find, pin, show_pin, unpin
from extlink.network_plans import (
    Difference,
    DocumentCoverage,
    ServiceCoverage,
    ServicePlan,
    Staleness,
    coverage,
    plan,
    stale,
)
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    NETWORK_ADMINISTRATORS_AND_HOST,
    Call,
    Commit,
    Ledger,
    Now,
    Operation,
    Steps,
    ask,
    denied,
    operation,
    put,
    read,
)
from extlink.records import network_key, resets_key, tenant_key

__all__ = [
    "Difference",
    "DocumentCoverage",
    "Found",
    "Saved",
    "ServiceCoverage",
    "ServicePlan",
    "Staleness",
    "accept_proofs",
    "add",
    "allow_all",
    "coverage",
    "deny_all",
    "find",
    "pin",
    "plan",
    "remove",
    "reset",
    "restrict",
    "show",
    "show_pin",
    "stale",
    "unpin",
]

_NO_RESTRICTION: Final = IPRestriction()
_TIGHTENED: Final = ("network.changed", "tenant.links_ended")


@attrs.frozen
class Saved:
    """What a saved change came to.

    Args:
        restriction: as it is now.
        reset: what allows all again, without any role and from any address, for whoever is locked out (`reset`); None
            where the edition has no such thing, or where nothing was changed.
    """

    restriction: IPRestriction
    reset: Secret | None = None


@attrs.frozen
class _Loaded:
    tenant: Tenant
    network: IPRestriction
    resets: int


def _load(call: Call) -> Steps[_Loaded]:
    at, counted = network_key(call.tenant), resets_key(call.tenant)
    answers = yield from read(tenant_key(call.tenant), at, counted)
    tenant = facts.opened(answers, call.tenant)
    return _Loaded(tenant, answers.get(at) or _NO_RESTRICTION, answers.get(counted) or 0)


def _save(
    call: Call, loaded: _Loaded, wanted: IPRestriction, *, lock_out: bool, existing: Existing = "keep"
) -> Steps[Commit[Saved]]:
    """Return the commit of a restriction, if the edition and the actor's own address allow it.

    Args:
        lock_out: whether the actor's own address may be refused.
        existing: `revoke`: every link of the tenant ends with it.

    Raises:
        Refused: `network.not_self_service`, `network.row_limit`, `network.ipv4_only`, `network.locks_out_actor`.
    """
    if not link_endings.is_permitted(call, existing):
        return (yield from denied(call, "tenants.end_links", ADMINISTRATORS_AND_HOST))
    if wanted == loaded.network:
        return Commit(Saved(loaded.network))
    profile = EDITIONS[loaded.tenant.edition].network
    obstacles = check_against(wanted, profile, edition=loaded.tenant.edition)
    if "host" in call.actor.roles:
        # Where an edition does not let customers set it, its provider does (TRACE T1).
        obstacles = tuple(one for one in obstacles if one.code != "network.not_self_service")
    if obstacles:
        raise Refused(obstacles[0])
    address = call.actor.address
    # Whoever comes in by a proof is not known to have it the next time: the address alone counts.
    if address is not None and not lock_out and not wanted.admits_text(address):
        raise Refused(Reason("network.locks_out_actor", {"address": ascii(address[:64])[1:-1]}))
    token = None if profile.reset_lifetime is None else (yield from _reset_token(call, loaded.resets))
    event = Event("network.changed", {**_details(call, loaded.network, wanted), "existing": existing})
    ends, more = link_endings.of_tenant(call, loaded.tenant, "network.changed") if existing == "revoke" else ((), ())
    return Commit(Saved(wanted, token), (put(network_key(call.tenant), wanted), *ends), (event, *more))


def _details(call: Call, now: IPRestriction, wanted: IPRestriction) -> dict[str, Detail]:
    before, after = set(now.rows), set(wanted.rows)
    address = call.actor.address
    return {
        "before": now.mode,
        "after": wanted.mode,
        "added": tuple(sorted(row.text for row in after - before)),
        "removed": tuple(sorted(row.text for row in before - after)),
        "rows": len(wanted.rows),
        "sources": tuple(sorted({f"{row.source} {row.version}".strip() for row in after - before} - {""})),
        "proofs": tuple(sorted(wanted.proofs)),
        "locks_out_actor": address is not None and not wanted.admits_text(address),
    }


def _reset_token(call: Call, resets: int) -> Steps[Secret]:
    ledger = yield from ask(Ledger())
    at = yield from ask(Now())
    return ledger.keys.sign_reset(call.tenant, Reset(at, resets).pack())


@operation("networks.allow_all", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _allow_all(call: Call) -> Steps[Commit[Saved]]:
    loaded = yield from _load(call)
    # Admitting everybody locks nobody out, not even somebody whose address the host got wrong.
    return (yield from _save(call, loaded, IPRestriction("allow_all", loaded.network.rows), lock_out=True))


def allow_all() -> Operation[Saved]:
    """Admit every address; the rows are kept for the day the restriction is switched on again, proofs are not.

    Source: S5. Needs `common_administrator`, `access_administrator` or `host`, as everything here.

    >>> allow_all()
    networks.allow_all()
    """
    return _allow_all()


@operation("networks.deny_all", by=NETWORK_ADMINISTRATORS_AND_HOST, records=_TIGHTENED)
def _deny_all(call: Call, *, even_if_it_locks_me_out: bool, existing: Existing) -> Steps[Commit[Saved]]:
    loaded = yield from _load(call)
    wanted = attrs.evolve(loaded.network, mode="deny_all")
    return (yield from _save(call, loaded, wanted, lock_out=even_if_it_locks_me_out, existing=existing))


def deny_all(
    *, even_if_it_locks_me_out: bool = False, existing: Literal["keep", "revoke"] = "keep"
) -> Operation[Saved]:
    """Refuse every address; the rows are kept.

    Args:
        even_if_it_locks_me_out: needed where the host stated the acting administrator's own address.
        existing: what happens to links with the change. `keep`: they stay, and calls pass again when the rule is
            loosened; `revoke`: every link of the tenant ends, in O(1), which takes `common_administrator` or `host`.

    Raises when run:
        Refused: `network.locks_out_actor`, `network.not_self_service`, `actor.not_permitted`.

    >>> deny_all(even_if_it_locks_me_out=True)
    networks.deny_all(even_if_it_locks_me_out=True, existing='keep')
    """
    return _deny_all(
        even_if_it_locks_me_out=flag(even_if_it_locks_me_out, "even_if_it_locks_me_out"),
        existing=parse_choice("networks.deny_all", existing),
    )


@operation("networks.restrict", by=NETWORK_ADMINISTRATORS_AND_HOST, records=_TIGHTENED)
def _restrict(
    call: Call,
    *,
    rows: tuple[Row, ...],
    expected: IPRestriction | None,
    even_if_it_locks_me_out: bool,
    existing: Existing,
) -> Steps[Commit[Saved]]:
    loaded = yield from _load(call)
    if expected is not None and expected != loaded.network:
        raise Refused(Reason("version.stale", {"what": "network"}))
    wanted = IPRestriction("allow_some", rows, loaded.network.proofs)
    return (yield from _save(call, loaded, wanted, lock_out=even_if_it_locks_me_out, existing=existing))


def restrict(
    rows: Iterable[Row | AddressRange | str],
    *,
    expected: IPRestriction | None = None,
    even_if_it_locks_me_out: bool = False,
    including_all_addresses: bool = False,
    existing: Literal["keep", "revoke"] = "keep",
) -> Operation[Saved]:
    """Admit only the addresses of these rows, in place of all rows there are.

    Source: S5, page A. The empty list admits nobody.

    Args:
        rows: CIDR texts, ranges, or rows with memo and source.
        expected: the restriction that the rows were made from, as `show` gave it; if somebody else has changed it since
            then, nothing is overwritten.
        even_if_it_locks_me_out: needed where the acting administrator's own address is in none of them.
        including_all_addresses: needed for a row that is the whole of IPv4 or IPv6 (TRACE T15).
        existing: as in `deny_all`.

    Raises:
        InvalidInput: a malformed range, with what was probably meant.
        Refused: when run: `version.stale`, `network.row_limit`, `network.ipv4_only`, `network.not_self_service`,
            `network.locks_out_actor`, `actor.not_permitted`.

    >>> restrict(["203.0.113.0/24"]).name
    'networks.restrict'
    """
    everything = flag(including_all_addresses, "including_all_addresses")
    return _restrict(
        rows=given_rows(rows, everything=everything),
        expected=None if expected is None else exactly(expected, IPRestriction, "expected"),
        even_if_it_locks_me_out=flag(even_if_it_locks_me_out, "even_if_it_locks_me_out"),
        existing=parse_choice("networks.restrict", existing),
    )


@operation("networks.add", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _add(call: Call, *, rows: tuple[Row, ...]) -> Steps[Commit[Saved]]:
    loaded = yield from _load(call)
    wanted = attrs.evolve(loaded.network, rows=(*loaded.network.rows, *rows))
    # Adding rows admits more, so nobody can be locked out by it who was not before.
    return (yield from _save(call, loaded, wanted, lock_out=True))


def add(rows: Iterable[Row | AddressRange | str], *, including_all_addresses: bool = False) -> Operation[Saved]:
    """Add rows to the list, whatever the mode; nobody who was admitted is refused by it (law 5).

    Raises:
        InvalidInput: a malformed range.
        Refused: when run: `network.row_limit`, `network.ipv4_only`, `network.not_self_service`.

    >>> add(["20.37.194.0/24"]).name
    'networks.add'
    """
    return _add(rows=given_rows(rows, everything=flag(including_all_addresses, "including_all_addresses")))


@operation("networks.remove", by=NETWORK_ADMINISTRATORS_AND_HOST, records=_TIGHTENED)
def _remove(
    call: Call, *, ranges: tuple[AddressRange, ...], even_if_it_locks_me_out: bool, existing: Existing
) -> Steps[Commit[Saved]]:
    loaded = yield from _load(call)
    present = {row.range for row in loaded.network.rows}
    for one in ranges:
        if one not in present:
            raise Refused(Reason("network.unknown_row", {"row": one.text}))
    kept = tuple(row for row in loaded.network.rows if row.range not in frozenset(ranges))
    wanted = attrs.evolve(loaded.network, rows=kept)
    return (yield from _save(call, loaded, wanted, lock_out=even_if_it_locks_me_out, existing=existing))


def remove(
    ranges: Iterable[AddressRange | str],
    *,
    even_if_it_locks_me_out: bool = False,
    existing: Literal["keep", "revoke"] = "keep",
) -> Operation[Saved]:
    """Take rows out of the list, by their ranges.

    Args:
        even_if_it_locks_me_out: as in `restrict`.
        existing: as in `deny_all`.

    Raises:
        InvalidInput: a malformed range, or another word about existing links.
        Refused: when run: `network.unknown_row`, `network.locks_out_actor`, `network.not_self_service`,
            `actor.not_permitted`.

    >>> remove(["203.0.113.0/24"]).name
    'networks.remove'
    """
    items = tuple(given_row(item, everything=True).range for item in parse_items(ranges, "ranges", MAX_ROWS))
    return _remove(
        ranges=items,
        even_if_it_locks_me_out=flag(even_if_it_locks_me_out, "even_if_it_locks_me_out"),
        existing=parse_choice("networks.remove", existing),
    )


@operation("networks.show", by=NETWORK_ADMINISTRATORS_AND_HOST)
def _show(call: Call) -> Steps[Commit[IPRestriction]]:
    return Commit((yield from _load(call)).network)


def show() -> Operation[IPRestriction]:
    """Return the tenant's restriction; a tenant that never set one allows all (TRACE T1).

    >>> show()
    networks.show()
    """
    return _show()


@operation("networks.accept_proofs", by=NETWORK_ADMINISTRATORS_AND_HOST, records=("network.changed",))
def _accept_proofs(
    call: Call, *, proofs: frozenset[Proof], before_migration: bool, even_if_it_locks_me_out: bool
) -> Steps[Commit[Saved]]:
    loaded = yield from _load(call)
    missing = sorted(proofs - EDITIONS[loaded.tenant.edition].proofs(before_migration=before_migration))
    if missing:
        raise Refused(Reason("network.proof_not_in_edition", {"proof": missing[0], "edition": loaded.tenant.edition}))
    if proofs and loaded.network.mode == "allow_all":
        raise Refused(Reason("network.proof_needs_restriction", {"proofs": tuple(sorted(proofs))}))
    wanted = attrs.evolve(loaded.network, proofs=proofs)
    # To accept more admits more, so nobody can be locked out by it who was not before.
    more = proofs >= loaded.network.proofs
    return (yield from _save(call, loaded, wanted, lock_out=more or even_if_it_locks_me_out))


def accept_proofs(
    proofs: Iterable[Proof],
    *,
    before_migration: bool = False,
    even_if_it_locks_me_out: bool = False,
    existing: Literal["keep"] = "keep",
) -> Operation[Saved]:
    """Say what lets a person in from any other address: Basic authentication, a client certificate; none: nothing.

    Source: TRACE T10, T16. The host checks the proof and states it (`network_proof`); no login name or password ever
    comes here, and calls of a service have no proof.

    Args:
        proofs: some of `basic` and `client_certificate`, in place of what was accepted before.
        before_migration: states that this domain of the US edition was not moved yet, so that it still has Basic
            authentication.
        even_if_it_locks_me_out: needed to accept less where the acting administrator's own address is in no row.
        existing: `keep` alone: no call over a link rests on what people show on the consent page.

    Raises:
        InvalidInput: an unknown proof.
        Refused: when run: `network.proof_not_in_edition`, `network.proof_needs_restriction` with "allow all",
            `network.not_self_service`, `network.locks_out_actor`.

    >>> accept_proofs(["basic"]).name
    'networks.accept_proofs'
    """
    parse_choice("networks.accept_proofs", existing)
    return _accept_proofs(
        proofs=parse_proofs(proofs),
        before_migration=flag(before_migration, "before_migration"),
        even_if_it_locks_me_out=flag(even_if_it_locks_me_out, "even_if_it_locks_me_out"),
    )


@operation("networks.reset", records=("network.reset",))
def _reset(call: Call, *, token: Secret) -> Steps[Commit[None]]:
    ledger = yield from ask(Ledger())
    body = ledger.keys.open_reset(call.tenant, token)
    asked = None if body is None else Reset.unpack(body)
    if asked is None:
        raise Refused(Reason("network.reset_unknown"))
    loaded = yield from _load(call)
    at = yield from ask(Now())
    lifetime = EDITIONS[loaded.tenant.edition].network.reset_lifetime
    if not asked.is_good(at=at, resets=loaded.resets, lifetime=lifetime):
        raise Refused(Reason("network.reset_unknown"))
    details: dict[str, Detail] = {
        "before": loaded.network.mode,
        "after": "allow_all",
        "issued": asked.issued,
        "number": loaded.resets + 1,
    }
    changes = (
        put(network_key(call.tenant), IPRestriction("allow_all", loaded.network.rows)),
        put(resets_key(call.tenant), loaded.resets + 1),
    )
    return Commit(None, changes, (Event("network.reset", details),))


def reset(token: Secret | str) -> Operation[None]:
    """Allow all addresses again with the token that a saved change yielded: without any role, from any address.

    Source: TRACE T1. It is for somebody who is locked out. Good for one hour after that change, and until the first
    reset with any token; the rows are kept.

    Args:
        token: `Saved.reset`, however it was kept.

    Raises when run:
        Refused: `network.reset_unknown`, the one answer to a token that is altered, another tenant's, too old or used.

    >>> reset("xl_rs_...").name
    'networks.reset'
    """
    return _reset(token=presented_secret(token))
