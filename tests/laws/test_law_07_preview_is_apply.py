"""Law 7: a preview says what applying does, for every operation there is, and leaves the store as it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from typing import Final

import attrs
import pytest

from extlink import access, datagroups, grants, links, networks, previews, services, users
from extlink.adapters.memory import MemoryStorage
from extlink.domain.datapolicy import DataPolicy
from extlink.domain.decision import Decision, Refusal
from extlink.domain.impact import Impact
from extlink.domain.reason import Reason
from extlink.errors import Refused
from extlink.operation import Operation
from extlink.ports import Entropy
from extlink.runtime import ExtLink, Tenant
from tests.fakes import CountingEntropy
from tests.hosts import ACME, ALL_ROLES, SERVICE
from tests.laws.previewing import Effects, Seen, difference, seen, told
from tests.operations import definition_of
from tests.schedules.scheduler import copied
from tests.testing.rehearsal import NAMES, dumped, operation, prepared, stage

Previewing = Callable[[Tenant, Operation[object]], Impact]
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
    "shut": (networks.deny_all, lambda: services.disable(SERVICE), lambda: services.disable("slack")),
    "under a policy": (
        lambda: datagroups.set_policy(DataPolicy(id="standard", blocked={"shared_kintone"})),
        lambda: grants.exclude(SERVICE, users=["sato"], organizations=["dev"], existing="suspend"),
    ),
    "on leave": (
        lambda: users.suspend("sato", existing="suspend"),
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

    @classmethod
    def of(cls, name: str) -> Scene:
        """Return a copy of a scene."""
        return cls(store=copied(_set(name).store))

    def seen(self) -> Seen:
        """Return how the tenant is now, as its pages show it."""
        tenant = self.hub().tenant(ACME).acting_as("admin-1", roles=ALL_ROLES)
        return seen(tenant, self.store, stage().host.directory)

    def hub(self, entropy: Entropy | None = None) -> ExtLink:
        """Return a hub that has cached nothing."""
        host = stage().host
        drawn = CountingEntropy(next(_SEEDS)) if entropy is None else entropy
        return ExtLink(self.store, keys=host.hub._keys, directory=host.directory, clock=host.clock, entropy=drawn)

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


def answer_of(tenant: Tenant, one: Operation[object], **how: int) -> tuple[Reason, ...]:
    """Run an operation and return why it was refused."""
    try:
        result = tenant.run(one, **how)
    except Refused as refused:
        return (refused.reason,)
    return result.reasons if isinstance(result, Refusal | Decision) else ()


def secrets_in(impact: Impact) -> list[str]:
    """Return what in an impact looks like something that a caller could present, or like a result."""
    return re.findall(r"xl_|Secret\(|Consent\(|Acceptance\(|TokenSet\(|Saved\(|Redirect\(", repr(impact))


def broken_promises(name: str, scene: str, previewing: Previewing = honest) -> tuple[list[str], Effects]:
    """Preview an operation, then apply it, and return in what the preview was wrong, and what it told."""
    here = Scene.of(scene)
    before = dumped(here.store)
    one = operation(name)
    impact = previewing(here.where(name, NoEntropy()), one)
    wrong = [] if dumped(here.store) == before else ["something was written"]
    wrong += [f"it shows {what}" for what in secrets_in(impact)]
    place = here.where(name)
    effects = told(place, impact, lambda cursor: previews.more(cursor, one, limit=1))
    refusal = answer_of(here.where(name), one, expected=impact.position)
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


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", NAMES)
def test_a_preview_says_what_applying_does(name: str, scene: str) -> None:
    """Every operation: the preview equals what the hub's pages show afterwards, and it wrote nothing."""
    assert [] == broken_promises(name, scene)[0]
