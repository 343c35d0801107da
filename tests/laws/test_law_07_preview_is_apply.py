"""Law 7: a preview says what applying does, for every operation there is, and leaves the store as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import access, datagroups, grants, links, networks, previews, services, users
from extlink.adapters.directory import InMemoryDirectory
from extlink.adapters.memory import MemoryStorage
from extlink.domain.client import Client
from extlink.domain.consent import Consent
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision, Refusal
from extlink.domain.impact import Impact
from extlink.domain.instant import Instant, to_datetime
from extlink.domain.reason import Reason
from extlink.errors import ExtlinkError, Refused
from extlink.hub import drawn_keys
from extlink.operation import Operation
from extlink.ports import Entropy
from extlink.runtime import ExtLink, Tenant
from extlink.testing.strategies import TenantPlan, tenants
from tests.fakes import CountingEntropy, FrozenClock
from tests.hosts import ACME, ALL_ROLES, CHALLENGE, SERVICE, VERIFIER, dump, people
from tests.laws.previewing import Effects, Seen, difference, seen, told
from tests.operations import definition_of
from tests.schedules.scheduler import copied
from tests.testing.rehearsal import NAMES, dumped, operation, prepared, stage

Previewing = Callable[[Tenant, Operation[object]], Impact]
Asking = Callable[[Tenant, InMemoryDirectory], Impact]
# Two hubs over one store must not draw the same versions.
_SEEDS: Final = count(5_000_000)

# What had happened before, so that every operation finds something that it changes.
SCENES: Final[Mapping[str, tuple[Callable[[], Operation[object]], ...]]] = {
    "as it is": (),
    "restricted": (
        lambda: access.check(stage().tokens.access_token, scope="k:app_record:read", address="203.0.113.7"),
        lambda: networks.restrict(["203.0.113.0/24", "198.51.100.0/24"]),
        lambda: links.pin(stage().tokens.link),
        lambda: networks.pin(SERVICE, ["203.0.113.0/25"], applies="service"),
    ),
    "shut": (networks.deny_all, lambda: services.disable("slack")),
    "under a policy": (
        lambda: datagroups.set_policy(DataPolicy(id="standard", blocked={"shared_kintone"})),
        lambda: grants.exclude(SERVICE, users=["sato"], organizations=["dev"], existing="suspend"),
        lambda: services.disable(SERVICE),
    ),
    "on leave": (
        lambda: users.suspend("suzuki", existing="suspend"),
        lambda: links.suspend(stage().tokens.link),
        lambda: services.quarantine("slack", "a leak"),
    ),
}


class NoEntropy:
    """A source that nobody may ask."""

    def draw(self, size: int) -> bytes:
        raise AssertionError(f"{size} bytes were asked for")


@attrs.frozen(kw_only=True)
class Scene:
    """A store in which something happened, and who looks at it."""

    store: MemoryStorage
    days: int = 0

    @classmethod
    def of(cls, name: str) -> Scene:
        """Return a copy of a scene."""
        return cls(store=copied(_set(name).store))

    def seen(self, directory: InMemoryDirectory | None = None) -> Seen:
        """Return how the tenant is, as its pages show it."""
        staff = directory or stage().host.directory
        tenant = self.hub(directory=staff).tenant(ACME).acting_as("admin-1", roles=ALL_ROLES)
        return seen(tenant, self.store, staff)

    def hub(self, entropy: Entropy | None = None, directory: InMemoryDirectory | None = None) -> ExtLink:
        """Return a hub that has cached nothing."""
        host = stage().host
        clock = FrozenClock(Instant(host.clock.now() + 86_400 * self.days))
        drawn = CountingEntropy(next(_SEEDS)) if entropy is None else entropy
        return ExtLink(
            self.store, keys=host.hub._keys, directory=directory or host.directory, clock=clock, entropy=drawn
        )

    def where(self, name: str, entropy: Entropy | None = None) -> Tenant:
        """Return where an operation runs."""
        hub = self.hub(entropy)
        place = hub.host() if _is_hosts(name) else hub.tenant("another" if name == "tenants.open_tenant" else ACME)
        return place.acting_as("sato", roles=ALL_ROLES)


@cache
def _is_hosts(name: str) -> bool:
    return name != "tenants.open_tenant" and definition_of(name).by == {"host"}


@cache
def _set(name: str) -> Scene:
    scene = Scene(store=copied(prepared()))
    for one in SCENES[name]:
        scene.hub().tenant(ACME).acting_as("admin-1", roles=ALL_ROLES).run(one())
    return scene


@cache
def at_first(name: str) -> Seen:
    """Return how a scene was before anything was done in it."""
    return _set(name).seen()


def honest(tenant: Tenant, one: Operation[object]) -> Impact:
    """Preview."""
    return tenant.preview(one)


def looking_ahead(tenant: Tenant, directory: InMemoryDirectory) -> Impact:
    """Preview other people."""
    return tenant.preview(directory=directory)


def _day(days: int) -> datetime:
    return to_datetime(stage().host.clock.now()) + timedelta(days=days)


def answer_of(tenant: Tenant, one: Operation[object], expected: int) -> tuple[Reason, ...]:
    """Run an operation and return why it was refused."""
    try:
        result = tenant.run(one, expected=expected)
    except Refused as refused:
        return (refused.reason,)
    return result.reasons if isinstance(result, Refusal | Decision) else ()


def secrets_in(impact: Impact) -> list[str]:
    """Return what in an impact looks like something that a caller could present, or like a result."""
    return re.findall(r"xl_|Secret\(|Consent\(|Acceptance\(|TokenSet\(|Saved\(|Redirect\(", repr(impact))


def broken_promises(
    name: str, scene: str, previewing: Previewing = honest, one: Operation[object] | None = None
) -> tuple[list[str], Effects]:
    """Preview an operation, then apply it, and return in what the preview was wrong, and what it told."""
    here = Scene.of(scene)
    before = dumped(here.store)
    one = operation(name) if one is None else one
    impact = previewing(here.where(name, NoEntropy()), one)
    wrong = [] if dumped(here.store) == before else ["something was written"]
    wrong += [f"it shows {what}" for what in secrets_in(impact)]
    place = here.where(name)
    effects = told(place, impact, lambda cursor: previews.more(cursor, one, limit=1))
    refusal = answer_of(here.where(name), one, impact.position)
    after = dumped(here.store)
    # Where nothing was written, the pages are what they were.
    became = difference(at_first(scene), here.seen() if after != before else at_first(scene))
    if place.id == ACME and effects != became:
        wrong.append(f"it told {effects}, and became {became}")
    if refusal != impact.refusal:
        wrong.append(f"it told {impact.refusal}, and was refused {refusal}")
    added = len(after[1]) - len(before[1])
    if added != len(impact.events):
        wrong.append(f"it told {len(impact.events)} events, and recorded {added}")
    return wrong, effects


# What only asks does so in every scene alike.
_ASKING: Final = frozenset(name for name in NAMES if not definition_of(name).records - {"operation.denied"})
CASES: Final = tuple((name, scene) for name in NAMES for scene in SCENES if name not in _ASKING or scene == "shut")


@pytest.mark.parametrize(("name", "scene"), CASES)
def test_a_preview_says_what_applying_does(name: str, scene: str) -> None:
    """Every operation: the preview equals what the hub's pages show afterwards, and it wrote nothing."""
    assert [] == broken_promises(name, scene)[0]


def _reorganized() -> InMemoryDirectory:
    """Return the people after a reorganization: sato leaves sales, guest-1 joins it, tanaka is gone, mori is new."""
    directory = people()
    directory.change_user("sato", organizations=["dev"])
    directory.change_user("guest-1", organizations=["tokyo"])
    directory.change_user("tanaka", status="deleted")
    directory.add_user("mori", organizations=["sales"], products={"kintone"})
    return directory


def broken_promises_of_another_directory(scene: str, previewing: Asking = looking_ahead) -> tuple[list[str], Effects]:
    """Preview a reorganization, then let it take place, and return in what the preview was wrong, and what it told."""
    here, directory = Scene.of(scene), _reorganized()
    before = dumped(here.store)
    impact = previewing(here.where("services.disable", NoEntropy()), directory)
    wrong = [] if dumped(here.store) == before else ["something was written"]
    effects = told(here.where("services.disable"), impact, lambda cursor: previews.more(cursor, directory=directory))
    became = difference(here.seen(people()), here.seen(directory))
    return [*wrong, *([] if effects == became else [f"it told {effects}, and became {became}"])], effects


@pytest.mark.parametrize("scene", SCENES)
def test_a_preview_of_a_reorganization_says_who_gains_and_who_loses(scene: str) -> None:
    """Other people, the same rules: newcomers, those who leave, and the links of both."""
    assert [] == broken_promises_of_another_directory(scene)[0]


@pytest.mark.parametrize("days", [1, 40, 200])
def test_a_preview_of_another_day_says_what_expires(days: int) -> None:
    """A grant with an end, a link without use: what the clock alone changes is told before it does."""
    here = Scene.of("as it is")
    admin = here.where("services.disable")
    admin.run(grants.allow(SERVICE, users=["guest-1"], until=_day(30)))
    admin.run(services.set_dormancy(SERVICE, days=10))
    before = here.seen()

    effects = told(admin, admin.preview(at=_day(days)), lambda cursor: previews.more(cursor, at=_day(days)))

    later = attrs.evolve(here, days=days)
    assert difference(before, later.seen()) == effects
    assert (days > 1) is bool(effects["paused"] or effects["ended"])
    assert (days > 30) is bool(effects["lost"])


def test_every_part_of_an_impact_is_seen() -> None:
    """The scenes are worth their time: together they show people, links, flows and ranges change in every way."""
    some: tuple[tuple[str, Operation[object]], ...] = (
        ("as it is", grants.allow(SERVICE, everyone=True)),
        ("as it is", users.delete("sato")),
        ("as it is", services.disable(SERVICE)),
        ("as it is", datagroups.set_policy(DataPolicy(id="standard", blocked={"shared_kintone"}))),
        ("under a policy", datagroups.remove_policy("standard")),
        ("shut", networks.allow_all()),
        ("restricted", networks.restrict(["203.0.113.0/26"])),
    )
    found = [broken_promises(one.name, scene, one=one) for scene, one in some]
    effects = [effect for _, effect in found]

    assert [[]] * len(some) == [wrong for wrong, _ in found]
    assert set() == set(effects[0]) - {part for one in effects for part, items in one.items() if items}


@given(plan=tenants(), last=st.integers(0, 20), existing=st.sampled_from(["revoke", "suspend", "keep"]))
def test_in_any_tenant_a_preview_says_what_applying_does(plan: TenantPlan, last: int, existing: Any) -> None:
    """Generated editions, people, services and rules: one change of the plan's own, or one that takes away."""
    directory, store = plan.directory(), MemoryStorage()
    hub = ExtLink(store, keys=drawn_keys(), directory=directory, clock=FrozenClock())
    plan.open(hub)
    tenant = hub.tenant("acme").acting_as("admin", roles=ALL_ROLES)
    _connect(tenant, plan)
    service = plan.definitions[last % len(plan.definitions)].id
    changes: tuple[Operation[object], ...] = (
        *plan.setup,
        services.disable(service),
        services.enable(service),
        grants.withdraw(service, organizations=["sales"], everyone=True, existing=existing),
        grants.exclude(service, users=[plan.people[0].id], existing=existing),
        users.suspend(plan.people[0].id),
        networks.deny_all(),
    )
    one = changes[last % len(changes)]
    before, written = seen(tenant, store, directory), dump(store)
    impact = tenant.preview(one)
    assert written == dump(store)

    effects = told(tenant, impact, lambda cursor: previews.more(cursor, one))
    assert impact.refusal == answer_of(tenant, one, impact.position)
    assert difference(before, seen(tenant, store, directory)) == effects


def _connect(tenant: Tenant, plan: TenantPlan) -> None:
    """Connect whoever may connect."""
    client, redirect = Client("client-1"), "https://client.example/redirect"
    for person in plan.people:
        user = tenant.acting_as(person.id)
        for service in plan.definitions:
            asked = links.begin(
                service.id,
                client=client,
                redirect_uri=redirect,
                scopes=[scope.name for scope in service.scopes[:1]],
                code_challenge=CHALLENGE,
                network="not_applicable",
            )
            try:
                consent = user.run(asked)
            except ExtlinkError:
                continue
            if isinstance(consent, Consent):
                code = user.run(links.accept(consent, network="not_applicable")).code  # type: ignore[union-attr]
                tenant.run(links.redeem(code, client=client, redirect_uri=redirect, code_verifier=VERIFIER))


def _behind(tenant: Tenant) -> Scene:
    store = tenant._hub._storage
    assert isinstance(store, MemoryStorage)
    return Scene(store=store)


def writing(tenant: Tenant, one: Operation[object]) -> Impact:
    """A broken twin: it applies the operation to see what it does."""
    impact = tenant.preview(one)
    _behind(tenant).where(one.name).run(one)
    return impact


def denying(tenant: Tenant, one: Operation[object]) -> Impact:
    """A broken twin: it records that somebody was not permitted to look."""
    impact = tenant.preview(one)
    with pytest.raises(Refused):
        _behind(tenant).where(one.name).acting_as("mallory").run(one)
    return impact


def showing(tenant: Tenant, one: Operation[object]) -> Impact:
    """A broken twin: it shows what the operation gave, a code say, which whoever reads the preview could redeem."""
    impact = tenant.preview(one)
    result: Any = Scene(store=copied(_behind(tenant).store)).where(one.name).run(one)
    return attrs.evolve(impact, refusal=(*impact.refusal, result))


def halving(tenant: Tenant, one: Operation[object]) -> Impact:
    """A broken twin: it tells of links, and forgets people."""
    return attrs.evolve(tenant.preview(one), services=())


def ignoring(tenant: Tenant, directory: InMemoryDirectory) -> Impact:
    """A broken twin: it asks today's people whatever it is told."""
    return tenant.preview(at=_day(0))


@pytest.mark.parametrize(
    ("twin", "name", "complaint"),
    [
        (writing, "services.disable", "something was written"),
        (denying, "services.disable", "something was written"),
        (showing, "links.accept", "it shows Acceptance("),
        (halving, "services.disable", "it told {'gained': frozenset(), 'lost': frozenset()"),
    ],
)
def test_a_preview_that_breaks_the_law_is_found(twin: Previewing, name: str, complaint: str) -> None:
    """The broken twins: the same check notices each."""
    found = broken_promises(name, "as it is", twin)[0]

    assert any(one.startswith(complaint) for one in found), found


def test_a_preview_that_ignores_the_directory_is_found() -> None:
    """The broken twin: nobody would gain or lose anything by a reorganization."""
    assert len(broken_promises_of_another_directory("as it is", ignoring)[0]) == 1
