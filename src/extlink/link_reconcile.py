"""Links brought in line with today's rules: what a rule has ended is ended in its own record too (F11).

Rules:

* A rule ends links at the next check by an epoch or an edit number, without looking for them (`domain.existing`). The
  walk makes that last: a link that has ended is marked so, and nothing that is decided later is asked about it again -
  no grant, no setting, no move of its owner into another organization.
* It ends no link that a rule only pauses, or refuses for now; and none on the word of a directory that does not answer,
  or does not know the owner.
* Only what had ended for good can be met twice, and it is the same both times: a walk that is begun again, by whomever,
  ends what the first would have ended, and one that follows a walk finds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain.access import Policy, link_notes
from extlink.domain.instant import Instant
from extlink.domain.link import Link, LinkEvent
from extlink.domain.link_job import Toll
from extlink.link_batches import Order, Verdict, sweep
from extlink.link_policies import policy_of
from extlink.operation import ADMINISTRATORS_AND_HOST, Call, Commit, Operation, Steps, operation
from extlink.records import job_key

__all__ = ["Reconciled", "reconcile", "verdict"]

# Why a link never works again -> what it keeps as the cause, and the ledger records. What is not here may pass.
_CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "link.ended": "ended",
        "client.removed": "client_removed",
        "link.expired": "expired",
        "link.dormant": "dormant",
    },
)


@attrs.frozen(kw_only=True)
class Reconciled:
    """How far a tenant's links have been brought in line; once it is done, what that came to.

    Args:
        began, done: the instants; `done` None: run it again. What a rule had ended by `began` is ended then.
        toll: what it ended so far: links, codes, tokens, subscriptions, and what could not be read.

    >>> Reconciled(began=Instant(0), done=Instant(60), toll=Toll(ended=2)).toll.ended
    2
    """

    began: Instant
    done: Instant | None
    toll: Toll


def verdict(policy: Policy, link: Link, at: Instant) -> Verdict | None:
    """Judge that a link ends if by today's rules it never works again.

    Grants are asked only of somebody whom the directory knows: what other grant a person had is not seen without the
    memberships.
    """
    person = None if link.owner is None else policy.people.get(link.owner)
    seen = policy if person is not None and person.member is not None else attrs.evolve(policy, grants={})
    found = [_CAUSES[code] for code, _ in link_notes(seen, link, at) if code in _CAUSES]
    return Verdict(LinkEvent.REVOKE, found[0]) if found else None


# What has ended stays so: rules that change on the way make no link live that was dead, so a walk need not begin again.
_ORDER: Final = Order(ground="", judge=verdict, load=policy_of, repeats=True)


@operation("links.reconcile", by=ADMINISTRATORS_AND_HOST, records=("link.revoked",))
def _reconcile(call: Call) -> Steps[Commit[Reconciled]]:
    swept = yield from sweep(call, job_key(call.tenant, "reconcile"), _ORDER)
    job = swept.job
    return Commit(Reconciled(began=job.began, done=job.done, toll=job.toll), swept.changes, swept.events)


def reconcile() -> Operation[Reconciled]:
    """Bring links in line with today's rules, at most 50 in each run; run it until `done` says when.

    Source: F11. Needs `common_administrator` or `host`. Every link that a rule has ended is ended in its own record,
    with its entry in the ledger: of a service, user, client or tenant whose links ended, by a withdrawn grant or an
    exclusion, expired or dormant ones. Others are not touched. Killed at any point it goes on where it was, from any
    process; once it is done, the next run begins anew, and finds nothing unless rules have changed.

    Run it after a withdrawal from an organization, a group or everyone, before people move: from then on nothing
    revives the links that it ended.

    Raises when run:
        Refused: `actor.not_permitted`, `tenant.not_open`.

    >>> reconcile()
    links.reconcile()
    """
    return _reconcile()
