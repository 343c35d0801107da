"""The vocabulary of the ledger against the list of events it was made from, and against what operations do record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import get_args

import pytest

from extlink.domain.event import VOCABULARY, Kind, Level, Module, Result
from extlink.operation import USERS, Definition
from tests.every_change import Committed, tell
from tests.operations import Stage, arguments, constructors, definition_of, definitions

S: Module = "System Administration"
I: Module = "Integrations"  # noqa: E741 - the letter that the list of events uses

# The list of audit events, transcribed: the eight of the product's help page first, then those it lacks.
LISTED: Mapping[str, Kind] = {
    "service.enabled": Kind("important", S, "enable integration"),
    "service.disabled": Kind("important", S, "disable integration"),
    "link.authorized": Kind("information", I, "authorize integration"),
    "grant.changed": Kind("important", S, "update permitted users"),
    "service.registered": Kind("important", S, "add integration"),
    "service.redefined": Kind("important", S, "update integration"),
    "service.unregistered": Kind("important", S, "delete integration"),
    "service.quarantined": Kind("important", S, "quarantine integration"),
    "service.released": Kind("important", S, "release integration"),
    "service.purged": Kind("important", S, "revoke all of integration"),
    "default.changed": Kind("important", S, "update integration default"),
    "grant.subject_vanished": Kind("important", S, "permitted subject deleted"),
    "request.made": Kind("information", I, "request integration"),
    "request.approved": Kind("important", S, "approve request"),
    "request.declined": Kind("important", S, "decline request"),
    "request.expired": Kind("information", S, "expire request"),
    "consent.denied": Kind("information", I, "deny authorization"),
    "link.revoked": Kind("important", I, "revoke integration"),
    "link.scopes_changed": Kind("information", I, "update authorization"),
    "link.dormant": Kind("information", I, "expire integration"),
    "link.suspended": Kind("important", I, "suspend integration"),
    "link.resumed": Kind("important", I, "resume integration"),
    "token.issued": Kind("information", I, "issue token"),
    "token.refreshed": Kind("information", I, "refresh token"),
    "token.refresh_repeated": Kind("information", I, "refresh token"),
    "token.reuse_detected": Kind("important", I, "token reuse detected", "FAILED"),
    "code.reuse_detected": Kind("important", I, "code reuse detected", "FAILED"),
    "access.refused": Kind("information", I, "use integration", "FAILED"),
    "network.changed": Kind("important", S, "update ip restriction"),
    "network.reset": Kind("important", S, "reset ip restriction"),
    "datagroup.changed": Kind("important", S, "update data group"),
    "client.added": Kind("important", S, "add oauth client"),
    "client.changed": Kind("important", S, "update oauth client"),
    "client.removed": Kind("important", S, "delete oauth client"),
    "client.secret_rotated": Kind("important", S, "update oauth client secret"),
    "client.authentication_failed": Kind("important", "Authentication", "authenticate client", "FAILED"),
    "user.suspended": Kind("important", I, "user status changed"),
    "user.resumed": Kind("important", I, "user status changed"),
    "user.deleted": Kind("important", I, "user status changed"),
}

# What the vocabulary says otherwise than the list, and why.
OTHERWISE: Mapping[str, tuple[Kind, str]] = {
    "link.revoked_by_user": (
        Kind("information", I, "revoke integration"),
        "the list has one name with three levels; a name has one level, so the three are three names",
    ),
    "link.revoked_by_administrator": (Kind("important", S, "revoke integration"), "as link.revoked_by_user"),
    "operation.denied": (
        Kind("important", S, "operation denied", "FAILED"),
        "the list wants module and action of the operation; the entry names the operation itself",
    ),
    "service.confirmed": (
        Kind("important", S, "confirm integration step"),
        "TRACE T8; the product does not know of steps outside",
    ),
    "service.unconfirmed": (Kind("important", S, "no longer confirm integration step"), "as service.confirmed"),
    "tenant.opened": (Kind("important", S, "open domain"), "a tenant's first entry; the product has no such moment"),
    "tenant.links_ended": (Kind("important", S, "revoke all integrations"), "the product cannot end all of a domain"),
    "tenant.setting_changed": (Kind("important", S, "update integration setting"), "a setting of the library's own"),
    "keys.registered": (Kind("important", S, "register key"), "keys come before they rotate (key.rotated is later)"),
    "network.pinned": (Kind("important", S, "update published ranges"), "a rule of the library's own (F5)"),
    "network.unpinned": (Kind("important", S, "delete published ranges"), "as network.pinned"),
    "link.pinned": (Kind("information", I, "require published ranges"), "as network.pinned, for one link"),
    "link.unpinned": (Kind("information", I, "no longer require published ranges"), "as link.pinned"),
    "client.exempted": (
        Kind("important", S, "update oauth client"),
        "the list has client.pkce_exempted; a lenient refresh scope is a dangerous option as well, and named alike",
    ),
    "subscription.added": (Kind("information", I, "add trigger"), "TRACE T3; the product records no triggers"),
    "subscription.removed": (Kind("information", I, "delete trigger"), "as subscription.added"),
}

# Of the list, what nothing records yet, and why. Their names are not in the vocabulary until something does.
LATER: Mapping[str, str] = {
    "client.pkce_exempted": "client.exempted names the option",
    **dict.fromkeys(["network.imported", "network.exported"], "CSV"),
    **dict.fromkeys(["network.feed_loaded", "network.stale"], "published ranges"),
    **dict.fromkeys(["ledger.sealed", "ledger.exported", "ledger.pruned", "ledger.setting_changed"], "sealing"),
    **dict.fromkeys(["notification.sent", "notification.refused", "notification.unknown"], "outbound (S8)"),
    **dict.fromkeys(["connection.made", "connection.ended", "link.needs_reconnect"], "outbound"),
    **dict.fromkeys(["vendor.event_received", "service.setting_changed"], "outbound"),
    **dict.fromkeys(["personal_data.shredded", "key.rotated", "schema.upgraded"], "the provable ledger"),
    "grant.expired": "an end date is asked for at each decision; nothing runs then",
    "service.availability_changed": "a definition changes as a whole: service.redefined names the fields",
    "flow.refused": "access.check_flow is asked ahead of a flow and writes nothing, as access.explain",
    "directory.reorganized": "the prospective directory (TRACE T17)",
    "remedy.applied": "verified remedies (N1)",
    "operation.invalid": "a refused operation changes nothing; only a missing role is recorded",
}

# What each entry tells at least, beside who, when and the records as they are now: the list's column "supplement".
TOLD: Mapping[str, frozenset[str]] = {
    "tenant.opened": frozenset({"edition", "products"}),
    "tenant.links_ended": frozenset({"cause", "epoch"}),
    "tenant.setting_changed": frozenset({"setting", "before", "after"}),
    "keys.registered": frozenset({"ids"}),
    "service.registered": frozenset({"service"}),
    "service.redefined": frozenset({"service", "before", "after"}),
    "service.unregistered": frozenset({"service"}),
    "service.enabled": frozenset({"service", "before"}),
    "service.disabled": frozenset({"service", "before", "existing"}),
    "service.quarantined": frozenset({"service", "cause", "epoch"}),
    "service.released": frozenset({"service", "epoch"}),
    "service.purged": frozenset({"service", "stop", "began", "ended", "codes", "refresh_tokens", "unreadable"}),
    "service.confirmed": frozenset({"service", "step"}),
    "service.unconfirmed": frozenset({"service", "step", "confirmed_by", "confirmed"}),
    "default.changed": frozenset({"before", "after"}),
    "grant.changed": frozenset({"service", "edit"}),
    "grant.subject_vanished": frozenset({"service", "organization"}),
    "request.made": frozenset({"service", "user", "scopes", "expires"}),
    "request.approved": frozenset({"service", "user", "scopes", "granted"}),
    "request.declined": frozenset({"service", "user", "scopes", "cause"}),
    "request.expired": frozenset({"service", "user", "scopes"}),
    "network.changed": frozenset(
        {"before", "after", "added", "removed", "rows", "sources", "proofs", "locks_out_actor"}
    ),
    "network.reset": frozenset({"before", "after", "issued", "number"}),
    "network.pinned": frozenset({"service", "before", "after", "added", "removed", "rows", "source", "version"}),
    "network.unpinned": frozenset({"service", "before", "rows"}),
    "datagroup.changed": frozenset({"policy", "before", "after"}),
    "client.added": frozenset({"service", "client", "name"}),
    "client.changed": frozenset({"service", "client", "name", "before", "after"}),
    "client.removed": frozenset({"service", "client", "name"}),
    "client.exempted": frozenset({"service", "client", "name", "option"}),
    "client.secret_rotated": frozenset({"service", "client", "name", "others"}),
    "client.authentication_failed": frozenset({"service", "client", "cause", "address"}),
    "user.suspended": frozenset({"user", "before", "existing"}),
    "user.resumed": frozenset({"user"}),
    "user.deleted": frozenset({"user", "before"}),
    "consent.denied": frozenset({"service", "user", "scopes"}),
    "link.authorized": frozenset({"service", "user", "link", "scopes", "client"}),
    "link.revoked": frozenset({"service", "user", "link", "by"}),
    "link.revoked_by_user": frozenset({"service", "user", "link"}),
    "link.revoked_by_administrator": frozenset({"service", "user", "link"}),
    "link.scopes_changed": frozenset({"service", "user", "link", "before", "after"}),
    "link.dormant": frozenset({"service", "user", "link", "last_use"}),
    "link.suspended": frozenset({"service", "user", "link"}),
    "link.resumed": frozenset({"service", "user", "link"}),
    "link.pinned": frozenset({"service", "user", "link"}),
    "link.unpinned": frozenset({"service", "user", "link"}),
    "token.issued": frozenset({"service", "user", "link", "generation", "scopes", "expires"}),
    "token.refreshed": frozenset({"service", "user", "link", "generation", "scopes", "expires"}),
    "token.refresh_repeated": frozenset({"service", "user", "link", "generation", "scopes", "expires"}),
    "token.reuse_detected": frozenset({"service", "user", "link"}),
    "code.reuse_detected": frozenset({"service", "user", "link"}),
    "subscription.added": frozenset({"service", "user", "link", "trigger"}),
    "subscription.removed": frozenset({"service", "user", "link", "trigger"}),
    "access.refused": frozenset({"service", "user", "link", "reasons", "address", "scopes"}),
    "operation.denied": frozenset({"operation", "roles"}),
}

# What hints at an attack is important, whoever sets it off; so is what a rule ends on its own, and what lifts a rule
# without a role.
ALARMS = frozenset(
    {
        "client.authentication_failed",
        "token.reuse_detected",
        "code.reuse_detected",
        "operation.denied",
        "link.revoked",
        "network.reset",
    }
)
# Anybody may revoke a link; which of the two names it gets says who did.
BY_HAND = frozenset({"link.revoked_by_user", "link.revoked_by_administrator"})

READS = frozenset(
    {
        "access.check_flow",
        "access.explain",
        "access.explain_many",
        "access.readiness",
        "access.services",
        "access.users",
        "datagroups.remedy",
        "clients.registered",
        "clients.show",
        "datagroups.show",
        "endpoints.authorize",
        "grants.candidates",
        "grants.requests",
        "grants.show",
        "ledger.as_of",
        "ledger.entries",
        "ledger.history",
        "links.begin",
        "links.members_of",
        "links.of",
        "links.users_of",
        "networks.coverage",
        "networks.find",
        "networks.plan",
        "networks.show",
        "networks.stale",
        "networks.show_pin",
        "services.purges",
        "previews.more",
        "previews.preview",
        "services.registered",
        "services.remaining",
        "triggers.check_delivery",
        "triggers.listed",
        "users.state",
    }
)


@pytest.fixture(scope="module")
def told() -> tuple[Committed, ...]:
    """Return everything the story of all changes committed."""
    return tell()[1]


def recorders(every: Mapping[str, Definition[..., object]]) -> dict[str, set[str]]:
    """Return, for each event name, the operations that may record it."""
    found: dict[str, set[str]] = {}
    for name, definition in every.items():
        for event in definition.records:
            found.setdefault(event, set()).add(name)
    return found


def unlisted(vocabulary: Mapping[str, Kind]) -> set[str]:
    """Return the names at which a vocabulary and the list of events disagree without saying why."""
    wanted = {**LISTED, **{name: kind for name, (kind, _why) in OTHERWISE.items()}}
    return {name for name in vocabulary.keys() | wanted.keys() if vocabulary.get(name) != wanted.get(name)}


def misjudged(every: Mapping[str, Definition[..., object]], vocabulary: Mapping[str, Kind]) -> set[str]:
    """Return the names whose level is not the one that the rule of levels gives.

    What only administrators or the host can set off changes who may do what: important. What anybody may set off is
    information, unless it hints at an attack.
    """
    found: set[str] = set()
    for event, operations in recorders(every).items():
        if event in BY_HAND:
            continue
        guarded = all(every[name].by and not every[name].by >= USERS for name in operations)
        important = guarded or event in ALARMS
        if (vocabulary[event].level == "important") != important:
            found.add(event)
    return found


def test_the_vocabulary_is_the_list_of_events() -> None:
    """Names, levels, modules, actions and results are those of the list; what differs is named with its reason."""
    assert set() == unlisted(VOCABULARY)


@pytest.mark.parametrize(
    "twin",
    [
        {**VOCABULARY, "service.enabled": Kind("information", S, "enable integration")},
        {**VOCABULARY, "service.enabled": Kind("important", S, "switch integration on")},
        {**VOCABULARY, "made.up": Kind("important", S, "make up")},
        {name: kind for name, kind in VOCABULARY.items() if name != "access.refused"},
    ],
    ids=["level", "action", "more", "less"],
)
def test_another_vocabulary_is_found(twin: Mapping[str, Kind]) -> None:
    """The broken twins: another level, another action, a name too many, a name too few."""
    assert 1 == len(unlisted(twin))


def test_what_comes_later_is_not_in_the_vocabulary() -> None:
    """A name is in the vocabulary only if something records it; each that is listed and missing has its reason."""
    assert set() == LATER.keys() & VOCABULARY.keys()
    assert set() == LATER.keys() & (LISTED.keys() | OTHERWISE.keys())
    assert all(LATER.values())


def test_every_operation_records_names_of_the_vocabulary() -> None:
    """No operation announces an event that the table does not have."""
    assert recorders(definitions()).keys() <= VOCABULARY.keys()


def test_every_name_is_recorded_by_some_operation(told: tuple[Committed, ...]) -> None:
    """Each name of the table is announced by an operation, and was seen in a commit of every operation that does."""
    seen: dict[str, set[str]] = {}
    for one in told:
        for entry in one.batch.entries:
            seen.setdefault(json.loads(entry)["event"], set()).add(one.operation)
    seen.pop("operation.denied")
    announced = recorders(definitions())
    announced.pop("operation.denied")

    assert VOCABULARY.keys() == {*announced, "operation.denied"}
    assert announced == seen


def test_an_operation_that_asks_for_a_role_may_be_denied() -> None:
    """`operation.denied` is announced by exactly the operations that need a role."""
    every = definitions()

    assert {name for name, one in every.items() if one.by} == recorders(every)["operation.denied"]


def test_the_level_follows_the_rule() -> None:
    """What changes who may do what, or hints at an attack, is important; what users do within the rules is not."""
    assert set() == misjudged(definitions(), VOCABULARY)


def test_a_misjudged_level_is_found() -> None:
    """The broken twins: an administrator's change called information, a user's routine called important."""
    twin = {
        **VOCABULARY,
        "network.changed": Kind("information", S, "update ip restriction"),
        "token.issued": Kind("important", I, "issue token"),
    }

    assert {"network.changed", "token.issued"} == misjudged(definitions(), twin)


def test_who_revoked_a_link_decides_its_level() -> None:
    """A user who ends an own link is routine; an administrator who ends somebody's is not."""
    assert {"link.revoked_by_user": "information", "link.revoked_by_administrator": "important"} == {
        name: VOCABULARY[name].level for name in sorted(BY_HAND, reverse=True)
    }


def test_reads_announce_nothing() -> None:
    """The operations that only answer are these; the most that a ledger hears of them is a denial."""
    silent = {name for name in constructors() if not definition_of(name).records - {"operation.denied"}}

    assert READS == silent


@pytest.mark.parametrize("name", sorted(READS))
def test_reads_write_nothing(name: str) -> None:
    """An operation that only answers leaves the store as it was, byte by byte."""
    stage = Stage.make()
    before = stage.host.dump()
    stage.where(name).run(constructors()[name](**arguments(stage)[name]))

    assert before == stage.host.dump()


def test_an_operation_that_writes_is_seen_to_write() -> None:
    """The broken twin: the same comparison notices the smallest change."""
    stage = Stage.make()
    before = stage.host.dump()
    stage.where("users.suspend").run(constructors()["users.suspend"](**arguments(stage)["users.suspend"]))

    assert before != stage.host.dump()


def test_entries_tell_what_the_list_asks_for(told: tuple[Committed, ...]) -> None:
    """Each entry carries what the list's column "supplement" names; every name of the vocabulary is looked at."""
    missing = {
        (fields["event"], wanted)
        for one in told
        for fields in map(json.loads, one.batch.entries)
        for wanted in TOLD[fields["event"]] - fields["details"].keys()
    }

    assert set() == missing
    assert VOCABULARY.keys() == TOLD.keys()


def test_words_of_the_table_are_known() -> None:
    """Levels, modules and results are the product's own words."""
    assert {kind.level for kind in VOCABULARY.values()} <= set(get_args(Level))
    assert {kind.module for kind in VOCABULARY.values()} <= set(get_args(Module))
    assert {kind.result for kind in VOCABULARY.values()} <= set(get_args(Result))
