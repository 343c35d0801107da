"""Operations on users: suspend, resume, delete - one record each, and it holds at the next check (F8; TRACE T12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from extlink import links, users
from extlink.domain.reason import Reason
from extlink.domain.tenant import UserState
from extlink.errors import InvalidInput
from extlink.operation import Operation
from tests.every_change import Recording
from tests.hosts import CLIENT, REDIRECT, VERIFIER, Host, codes, refusal

OPERATIONS: Mapping[str, Callable[[str], Operation[UserState]]] = {
    "suspend": users.suspend,
    "resume": users.resume,
    "delete": users.delete,
    "state": users.state,
}


def last(host: Host) -> tuple[str, str | None, Mapping[str, object]]:
    """Return the newest entry: what, who, details."""
    entry = host.entries()[-1]
    return entry.event, entry.user, entry.details


def unchanged(host: Host, operation: Operation[object]) -> object:
    """Run an operation that has nothing to do and return its result: nothing is written, nothing recorded."""
    before = host.dump()
    result = host.admin.run(operation)
    assert before == host.dump()
    return result


def test_a_user_nobody_spoke_of_is_active() -> None:
    """Also one whom the directory does not know: extlink keeps only what it was told."""
    host = Host.make()

    assert UserState("active", 0) == host.admin.run(users.state("sato")) == host.admin.run(users.state("nobody"))


def test_suspending_refuses_at_the_next_check_and_ends_the_links() -> None:
    """Every link, code and token of the user is refused, and stays ended after resuming."""
    host = Host.prepared()
    tokens = host.connect()
    suspended = host.admin.run(users.suspend("sato"))

    assert UserState("suspended", 1) == suspended == host.admin.run(users.state("sato"))
    assert ("user.suspended", "admin-1", {"user": "sato", "before": "active", "existing": "revoke"}) == last(host)
    assert ("user.suspended", "link.ended") == codes(host.check(tokens.access_token))
    assert ("user.suspended",) == codes(host.explain())
    assert host.explain("suzuki")
    assert UserState("active", 1) == host.admin.run(users.resume("sato"))
    assert ("user.resumed", "admin-1", {"user": "sato"}) == last(host)
    assert Reason("link.ended", {"link": tokens.link, "cause": "user"}) == host.check(tokens.access_token).reasons[0]
    assert host.check(host.connect().access_token)


def test_suspending_stops_codes_and_refresh_tokens_too() -> None:
    """A code that was not redeemed yet, and a refresh token, are refused at their next use, and for good."""
    host = Host.prepared()
    refresh = host.connect().refresh_token
    code = host.accept().code
    redeem = links.redeem(code, client=CLIENT, redirect_uri=REDIRECT, code_verifier=VERIFIER)
    host.admin.run(users.suspend("sato"))

    assert not host.tenant.run(redeem)
    assert not host.tenant.run(links.refresh(refresh, client=CLIENT))
    host.admin.run(users.resume("sato"))
    assert not host.tenant.run(redeem)
    assert not host.tenant.run(links.refresh(refresh, client=CLIENT))


def test_a_leave_pauses_the_links() -> None:
    """With `suspend` they work again after resuming, if every gate passes then."""
    host = Host.prepared()
    token = host.connect().access_token
    suspended = host.admin.run(users.suspend("sato", existing="suspend"))

    assert UserState("suspended", 0) == suspended
    assert {"user": "sato", "before": "active", "existing": "suspend"} == last(host)[2]
    assert ("user.suspended",) == codes(host.check(token))
    host.admin.run(users.resume("sato"))
    assert host.check(token)


def test_a_leave_can_become_final() -> None:
    """Suspending a suspended user with `revoke` ends what was only paused."""
    host = Host.prepared()
    token = host.connect().access_token
    host.admin.run(users.suspend("sato", existing="suspend"))
    ended = host.admin.run(users.suspend("sato"))
    host.admin.run(users.resume("sato"))

    assert UserState("suspended", 1) == ended
    assert {"user": "sato", "before": "suspended", "existing": "revoke"}.items() <= host.entries()[-2].details.items()
    assert ("link.ended",) == codes(host.check(token))


def test_a_suspended_user_whose_leave_is_told_again_is_as_before() -> None:
    """Pausing what is paused, or ended, changes nothing."""
    host = Host.prepared()
    for existing in ("suspend", "revoke"):
        host.admin.run(users.suspend("sato", existing=existing))
        unchanged(host, users.suspend("sato", existing="suspend"))


def test_resuming_an_active_user_changes_nothing() -> None:
    """There is nothing to lift."""
    host = Host.prepared()

    assert UserState() == unchanged(host, users.resume("sato"))


def test_deleting_ends_everything_for_good() -> None:
    """The record stays as a tombstone, so that nothing can be revived, whatever the directory says."""
    host = Host.prepared()
    tokens = host.connect()
    deleted = host.admin.run(users.delete("sato"))

    assert UserState("deleted", 1) == deleted == host.admin.run(users.state("sato"))
    assert ("user.deleted", "admin-1", {"user": "sato", "before": "active"}) == last(host)
    assert ("user.deleted", "link.ended") == codes(host.check(tokens.access_token))
    assert ("user.deleted",) == codes(host.explain())


def test_deleting_again_changes_nothing() -> None:
    """A deleted user who is deleted again is as before."""
    host = Host.prepared()
    host.admin.run(users.delete("sato"))

    assert UserState("deleted", 1) == unchanged(host, users.delete("sato"))


@pytest.mark.parametrize("make", [users.suspend, users.resume], ids=["suspend", "resume"])
def test_a_deleted_user_does_not_come_back(make: Callable[[str], Operation[UserState]]) -> None:
    """Neither suspended nor resumed: refused, and nothing changes."""
    host = Host.prepared()
    host.admin.run(users.delete("sato"))
    before = host.dump()

    assert Reason("user.deleted", {"user": "sato"}) == refusal(host.admin, make("sato"))
    assert before == host.dump()


def test_a_suspended_user_can_be_deleted() -> None:
    """The entry says what the user was before."""
    host = Host.prepared()
    host.admin.run(users.suspend("sato"))

    assert UserState("deleted", 2) == host.admin.run(users.delete("sato"))
    assert "suspended" == last(host)[2]["before"]


@pytest.mark.parametrize("operation", [users.suspend("sato"), users.delete("sato")], ids=lambda one: one.name)
def test_everything_of_a_user_ends_by_one_record(operation: Operation[UserState]) -> None:
    """However many links there are, one record is written (F8: in O(1))."""
    store = Recording()
    host = Host.prepared(store=store)
    for _ in range(3):
        host.connect()
    host.admin.run(operation)

    assert [b"u\x00\x01sato\x00\x01"] == [write.key.path for write in store.batches[-1].writes]


def test_what_the_directory_says_counts_as_well() -> None:
    """A user whom the directory calls suspended is refused, even if nobody told extlink; the links come back then."""
    host = Host.prepared()
    token = host.connect().access_token
    host.directory.suspend("sato")

    assert UserState() == host.admin.run(users.state("sato"))
    assert ("user.suspended",) == codes(host.check(token))
    host.directory.resume("sato")
    assert host.check(token)


def test_a_user_whom_extlink_was_told_of_before_the_directory_did() -> None:
    """Suspending an id that the directory does not know is possible: the host may tell the two in any order."""
    host = Host.prepared()
    host.admin.run(users.suspend("newcomer"))

    assert ("user.unknown", "user.suspended", "grant.missing") == codes(host.explain("newcomer"))


@pytest.mark.parametrize("role", ["common_administrator", "host"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_administrators_and_the_host_may(name: str, role: str) -> None:
    """The host tells of its users; an administrator may as well. Users may not."""
    host = Host.prepared()
    host.tenant.acting_as("ops", roles={role}).run(OPERATIONS[name]("sato"))

    assert "actor.not_permitted" == refusal(host.user("sato"), OPERATIONS[name]("sato")).code


@pytest.mark.parametrize("existing", ["keep", "", None, True])
def test_what_becomes_of_links_is_one_of_two_words(existing: object) -> None:
    """Links of a suspended user are never kept (issue: keep has a meaning for grants and scopes only)."""
    with pytest.raises(InvalidInput, match="existing: expected one of revoke, suspend"):
        users.suspend("sato", existing=existing)  # type: ignore[arg-type]


@pytest.mark.parametrize("user", ["", None, 7, "x" * 256, "\ud800"], ids=["empty", "none", "number", "long", "half"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_user_is_an_identifier(name: str, user: object) -> None:
    """Anything else is refused when the operation is made."""
    with pytest.raises(InvalidInput, match="user: expected"):
        OPERATIONS[name](user)  # type: ignore[arg-type]
