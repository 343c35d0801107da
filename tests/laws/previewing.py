"""What an operation did to a tenant, told without the preview's own code: every page of the hub, before and after.

`seen` asks the real operations about every user, link and trigger there is; `difference` compares two such answers;
`told` brings an `Impact`, with all its pages, into the same form.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from extlink import access, links, networks, previews, services, triggers
from extlink.adapters.directory import InMemoryDirectory
from extlink.domain.decision import Answer, Decision
from extlink.domain.identifier import TenantId
from extlink.domain.impact import AffectedFlow, AffectedLink, Impact, Sample
from extlink.domain.link import Link, LinkState
from extlink.operation import Operation
from extlink.ports import Records, Storage, prefix
from extlink.records import LINK
from extlink.runtime import Tenant

__all__ = ["Effects", "Pager", "Seen", "all_of", "difference", "seen", "told"]

Effects = Mapping[str, frozenset[object]]
_PASSED = Answer.PASSED


@attrs.frozen(kw_only=True)
class Seen:
    """A tenant as its pages show it: who may use what, which links work or are paused, which flows are legal."""

    uses: frozenset[tuple[str, str]]
    links: Mapping[str, str]
    not_yet: frozenset[str]
    flows: Mapping[tuple[str, str], bool]
    lacking: frozenset[str]
    held: frozenset[tuple[str, str]]


def seen(tenant: Tenant, store: Storage, directory: InMemoryDirectory) -> Seen:
    """Ask the hub about everybody and everything."""
    records: dict[str, Link] = {link.id: link for link in _records(store, tenant.id)}
    people = tuple(directory._people)
    known = [one.service for one in tenant.run(services.registered())]
    uses = {
        (service.id, user)
        for service in known
        for user in people
        if _may_use(tenant.run(access.explain(service.id, user=user, network="not_applicable")))
    }
    found: dict[str, str] = {}
    for user in people:
        for use in tenant.run(links.of(user)):
            for view in use.links:
                reached = _is_reached(tenant, records[view.id], view.used_from)
                found[view.id] = "works" if view.state == "in_use" and reached else "paused"
    flows: dict[tuple[str, str], bool] = {
        (link, one.id): _is_legal(tenant, link, one.id) for link in found for one in tenant.run(triggers.listed(link))
    }
    restriction = tenant.run(networks.show())
    pins = {service.id: tenant.run(networks.show_pin(service.id)) for service in known}
    lacking = {
        service
        for service, pin in pins.items()
        if pin is not None
        and not all(restriction.admits(str(one)) for row in pin.rows for one in ipaddress.ip_network(row.text))
    }
    held = {
        (link, str(records[link].service))
        for link in found
        if (pin := pins[records[link].service]) is not None and (records[link].pinned or pin.applies == "service")
    }
    not_yet = frozenset(link.id for link in records.values() if link.state is LinkState.CONSENTED)
    return Seen(
        uses=frozenset(uses),
        links=found,
        not_yet=not_yet,
        flows=flows,
        lacking=frozenset(lacking),
        held=frozenset(held),
    )


def _records(store: Storage, tenant: str) -> Iterator[Link]:
    page = store.list(Records(TenantId(tenant).encode(), prefix("l"), b"", 1_000))
    assert not page.more
    for item in page.items:
        assert item.value is not None
        yield LINK.decode(item.value)[0]


def _may_use(decision: Decision) -> bool:
    return decision.gate("service").answer is _PASSED and decision.gate("user").answer is _PASSED


def _is_reached(tenant: Tenant, link: Link, address: str | None) -> bool:
    """Whether the network lets the service in where it was seen last."""
    if address is None:
        restriction = tenant.run(networks.show())
        return restriction.mode == "allow_all" or (restriction.mode == "allow_some" and bool(restriction.rows))
    found = tenant.run(networks.find(address, service=link.service))
    return found.allowed and (not link.pinned or found.published is not None)


def _is_legal(tenant: Tenant, link: str, subscription: str) -> bool:
    decision = tenant.run(triggers.check_delivery(link, subscription))
    answer = decision.gate("data_group").answer
    return answer is not Answer.REFUSED and not (answer is Answer.NOT_EVALUATED and "data_group" in decision.required)


def difference(before: Seen, after: Seen) -> Effects:
    """Return what became of everybody and everything that was there before."""
    links = {link: (before.links.get(link), after.links.get(link)) for link in {*before.links, *after.links}}
    old = {link: states for link, states in links.items() if link not in before.not_yet}
    both = before.flows.keys() & after.flows.keys()
    found: dict[str, set[object]] = {
        "gained": set(after.uses - before.uses),
        "lost": set(before.uses - after.uses),
        "ended": {link for link, (was, state) in old.items() if was is not None and state is None},
        "paused": {link for link, states in old.items() if states == ("works", "paused")},
        "resumed": {link for link, (was, state) in old.items() if was != "works" and state == "works"},
        "illegal": {flow for flow in both if before.flows[flow] and not after.flows[flow]},
        "legal": {flow for flow in both if after.flows[flow] and not before.flows[flow]},
        "unadmitted": {
            link for link, service in after.held if link in old and service in after.lacking - before.lacking
        },
    }
    return {part: frozenset(items) for part, items in found.items()}


Pager = Callable[[str], Operation[Sample[previews.Affected]]]


def all_of(tenant: Tenant, sample: Sample[Any], page: Pager) -> list[object]:
    """Return every one of a sample, page by page."""
    items: list[object] = list(sample.examples)
    cursor = sample.cursor
    while cursor is not None:
        found = tenant.run(page(cursor))
        items += found.examples
        cursor = found.cursor
    assert sample.count == len(items) == len(set(map(repr, items)))
    return items


def told(tenant: Tenant, impact: Impact, page: Pager) -> Effects:
    """Return what a preview told, with all its pages."""
    found: dict[str, frozenset[object]] = {}
    for part in ("gained", "lost"):
        found[part] = frozenset(
            (one.service, user)
            for one in impact.services
            for user in all_of(tenant, one.gained if part == "gained" else one.lost, page)
        )
    for part in ("ended", "paused", "resumed", "unadmitted", "illegal", "legal"):
        found[part] = frozenset(map(_name, all_of(tenant, getattr(impact, part), page)))
    return found


def _name(one: object) -> object:
    match one:
        case AffectedLink():
            return str(one.link)
        case AffectedFlow():
            return (one.link, one.subscription)
        case _:
            raise TypeError(one)
