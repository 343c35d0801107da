"""Opening tenants, the check of the host's keys, and ending all links of a tenant at once."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Final, cast

import attrs

from extlink import facts
from extlink.domain.edition import Edition, parse_edition, parse_products
from extlink.domain.event import Detail, Event
from extlink.domain.reason import Reason
from extlink.domain.tenant import HOST, Tenant
from extlink.errors import InvalidInput, Misconfigured, Refused
from extlink.inputs import exactly, text
from extlink.operation import (
    ADMINISTRATORS_AND_HOST,
    HOSTS,
    Call,
    Commit,
    List,
    Operation,
    Peek,
    Steps,
    ask,
    operation,
    put,
    read,
)
from extlink.ports import Entries, Records
from extlink.records import key_checks_key, tenant_key

__all__ = ["check_keys", "end_links", "open_tenant"]

_MAX_TEXT: Final = 255


@operation("tenants.open", by=HOSTS, records=("tenant.opened",))
def _open(call: Call, *, edition: Edition, products: frozenset[str]) -> Steps[Commit[Tenant]]:
    if call.tenant == HOST:
        raise InvalidInput("tenant", "expected a customer's id; the host itself has no edition and no products")
    at = tenant_key(call.tenant)
    known = (yield from read(at)).get(at)
    wanted = Tenant(id=call.tenant, edition=edition, products=products)
    if known is None:
        # Otherwise links from before, whose records a removal that broke off has left, would live again.
        if (yield from _remains(call)):
            raise Refused(Reason("tenant.incomplete", {"tenant": call.tenant}))
        details: dict[str, Detail] = {"edition": str(edition), "products": tuple(sorted(products))}
        return Commit(wanted, (put(at, wanted),), (Event("tenant.opened", details),))
    if (known.edition, known.products) != (edition, products):
        raise Refused(Reason("tenant.opened_differently", {"tenant": call.tenant}))
    return Commit(known)


def _remains(call: Call) -> Steps[bool]:
    """Return whether anything is stored of a tenant that is not open, nor opened by another process meanwhile.

    Entries without a record are something as well: a new ledger would go on after them.
    """
    name = call.tenant.encode()
    page = yield from ask(List(Records(name, b"", limit=1)))
    if not page.items:
        page = yield from ask(List(Entries(name, limit=1)))
    at = tenant_key(call.tenant)
    return bool(page.items) and (yield from ask(Peek((at,)))).get(at) is None


def open_tenant(*, edition: str, products: Iterable[str]) -> Operation[Tenant]:
    """Open a tenant with its edition and products; opening it again alike changes nothing. Needs `host`.

    Raises:
        InvalidInput: an unknown edition, or a product that it does not have.
        Refused: when run: `tenant.opened_differently` if it is open with another edition or other products;
            `tenant.incomplete` if its removal, or its move here, broke off or is still under way.

    >>> open_tenant(edition="US", products={"kintone"})
    tenants.open(edition='US', products=frozenset({'kintone'}))
    """
    where = parse_edition(edition)
    return _open(edition=where, products=parse_products(products, edition=where))


@operation("tenants.check_keys", by=HOSTS, records=("keys.registered",))
def _check_keys(call: Call, *, checks: Mapping[str, str]) -> Steps[Commit[None]]:
    if call.tenant != HOST:
        raise InvalidInput("tenant", "expected the host itself; run it on hub.host()")
    at = key_checks_key(call.tenant)
    known = (yield from read(at)).get(at) or {}
    for key_id, check in checks.items():
        if key_id in known and not hmac.compare_digest(known[key_id].encode(), check.encode()):
            raise Misconfigured(
                f"keys: key {key_id} is not the one this store was made with; configure the right key, "
                f"or give the new one another id and keep the old"
            )
    new = {key_id: check for key_id, check in checks.items() if key_id not in known}
    if not new:
        return Commit(None)
    return Commit(
        None,
        (put(at, {**known, **new}),),
        (Event("keys.registered", {"ids": tuple(sorted(new))}),),
    )


def check_keys(checks: Mapping[str, str]) -> Operation[None]:
    """Compare the host's keys with those this store was made with, and remember new ones (DESIGN 6); for `hub.host()`.

    Args:
        checks: what a key ring says of each of its keys, by id.

    Raises:
        InvalidInput: not texts by ids.
        Misconfigured: when run: a key under a known id is another one; going on would make every link look forged.

    >>> check_keys({"k1": "00ff"}).name
    'tenants.check_keys'
    """
    given = cast("Mapping[object, object]", exactly(checks, dict, "checks"))
    return _check_keys(
        checks={text(key_id, "checks", _MAX_TEXT): text(check, "checks", _MAX_TEXT) for key_id, check in given.items()}
    )


@operation("tenants.end_links", by=ADMINISTRATORS_AND_HOST, records=("tenant.links_ended",))
def _end_links(call: Call, *, cause: str) -> Steps[Commit[Tenant]]:
    at = tenant_key(call.tenant)
    known = facts.opened((yield from read(at)), call.tenant)
    changed = attrs.evolve(known, epoch=known.epoch + 1)
    event = Event("tenant.links_ended", {"cause": cause, "epoch": changed.epoch})
    return Commit(changed, (put(at, changed),), (event,))


def end_links(cause: str) -> Operation[Tenant]:
    """End every link of a tenant for good, with all codes and tokens, by one record: the tenant's epoch.

    For what concerns a whole tenant: a restore from a backup, after which a link could go on in two lines, or a leak
    of unknown extent. Services, grants and rules stay as they are; users connect again. Needs `common_administrator`
    or `host`.

    Args:
        cause: what the ledger keeps as the reason, at most 255 characters.

    Raises:
        InvalidInput: no text.
        Refused: when run: `tenant.not_open`, `actor.not_permitted`.

    >>> end_links("restored from a backup")
    tenants.end_links(cause='restored from a backup')
    """
    return _end_links(cause=text(cause, "cause", _MAX_TEXT))
