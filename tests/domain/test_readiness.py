"""The values of a checklist: what is green, what comes next, what the lines are called."""

from __future__ import annotations

from extlink.domain.identifier import ServiceId
from extlink.domain.localized import LocalizedText
from extlink.domain.readiness import Item, ItemState, Readiness, named
from extlink.domain.reason import Reason


def item(name: str, state: ItemState, *, gate: bool = False, waits: str | None = None) -> Item:
    """Return a line about nothing in particular."""
    return Item(
        name=name,
        titles=LocalizedText.same(name),
        state=state,
        who="user",
        reason=Reason("readiness.registered", {"service": "slack"}),
        gate="service" if gate else None,
        waits=waits,
    )


def checklist(*items: Item) -> Readiness:
    """Return a checklist of these lines."""
    return Readiness(service=ServiceId("slack"), edition="JP", user=None, items=items)


def test_an_empty_checklist_is_not_green() -> None:
    """Nothing was looked at, so nothing is known to be in order."""
    assert not checklist().would_pass
    assert not checklist().is_ready
    assert not checklist(item("consent", "done")).would_pass


def test_gates_are_green_without_what_is_outside() -> None:
    """Calls would pass, and yet the service may not work: a step outside is unknown."""
    found = checklist(item("enabled", "done", gate=True), item("step:app-side", "unknown"))

    assert (True, False) == (found.would_pass, found.is_ready)


def test_an_unknown_gate_is_not_green() -> None:
    """Neither are missing and impossible ones."""
    for state in ("missing", "cannot", "unknown"):
        assert not checklist(item("a", "done", gate=True), item("b", state, gate=True)).would_pass


def test_next_is_what_can_be_done_now() -> None:
    """Neither what is done, nor what nobody can do, nor what waits."""
    nobody = item("a", "cannot")

    assert None is checklist(nobody, item("b", "missing", waits="a"), item("c", "done")).next
    assert item("b", "unknown") == checklist(nobody, item("b", "unknown"), item("c", "missing")).next


def test_an_item_is_found_by_its_name() -> None:
    """None where the checklist has no such line."""
    found = checklist(item("a", "done"))

    assert ("a", None) == (found.items[0].title("ja"), found.item("b"))
    assert found.items[0] is found.item("a")


def test_lines_are_named_in_three_languages() -> None:
    """In the words of the product."""
    assert ("サービスが有効である", "The service is enabled", "服务已启用") == named("enabled", "US").texts
