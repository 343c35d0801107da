"""Opening tenants, and the check of the host's keys: what happens before anything else."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from extlink.domain.edition import Edition
from extlink.domain.event import Detail, Event
from extlink.domain.reason import Reason
from extlink.domain.tenant import Tenant
from extlink.errors import Misconfigured, Refused
from extlink.operation import HOSTS, Call, Commit, Operation, Steps, operation, put, read
from extlink.records import key_checks_key, tenant_key

__all__ = ["check_keys", "open_tenant"]


@operation("tenants.open", by=HOSTS, records=("tenant.opened",))
def _open(call: Call, *, edition: Edition, products: frozenset[str]) -> Steps[Commit[Tenant]]:
    at = tenant_key(call.tenant)
    known = (yield from read(at)).get(at)
    wanted = Tenant(id=call.tenant, edition=edition, products=products)
    if known is None:
        details: dict[str, Detail] = {"edition": str(edition), "products": tuple(sorted(products))}
        return Commit(wanted, (put(at, wanted),), (Event("tenant.opened", details),))
    if (known.edition, known.products) != (edition, products):
        raise Refused(Reason("tenant.opened_differently", {"tenant": call.tenant}))
    return Commit(known)


def open_tenant(*, edition: Edition, products: frozenset[str]) -> Operation[Tenant]:
    """Open a tenant with its edition and products; opening it again alike changes nothing.

    Raises when run:
        Refused: `tenant.opened_differently` if it is open with another edition or other products.
    """
    return _open(edition=edition, products=products)


@operation("tenants.check_keys", by=HOSTS, records=("keys.registered",))
def _check_keys(call: Call, *, checks: Mapping[str, str]) -> Steps[Commit[None]]:
    at = key_checks_key(call.tenant)
    known = (yield from read(at)).get(at) or {}
    for key_id, check in checks.items():
        if key_id in known and not hmac.compare_digest(known[key_id], check):
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
    """Compare the host's keys with those this store was made with, and remember new ones (DESIGN 6).

    Raises when run:
        Misconfigured: a key under a known id is another one; going on would make every link look forged.
    """
    return _check_keys(checks=checks)
