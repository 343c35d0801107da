"""Checks of `list`: prefix, order, pages, and the ledger's numbers."""

from __future__ import annotations

from extlink.errors import Conflict, InvalidInput
from extlink.ports import MAX_LIST, Entries, Guard, Position, Records, Stored, Write, key, prefix
from extlink.testing.probes import ACME, OpenStore, at, batch, expect, ledger, pages, paths, put, refused, values

__all__: list[str] = []


def check_a_list_holds_key_version_and_value(open_store: OpenStore) -> None:
    """Every item is the record as a read would answer it."""
    store = open_store()
    records = [(at(name), b"value of " + name) for name in (b"a", b"b")]
    expected = [Stored(key, put(store, key, value), value) for key, value in records]
    expect(expected, pages(store, Records(ACME, b"")), "the items")


def check_a_list_follows_the_bytes(open_store: OpenStore) -> None:
    """Unsigned bytes, shorter before longer; no collation, no numbers, no case."""
    names = [b"\x00", b"\x00\x01", b" ", b"10", b"9", b"A", b"Z", b"a", b"a\x00", b"a\x00\x01", b"aa", b"\x7f", b"\x80"]
    names += ["é".encode(), "e\u0301".encode(), b"\xff", b"\xff\x00", b"\xff\xff"]
    store = open_store()
    store.commit(batch(*[Write(at(name), b"x") for name in reversed(names)]))
    expect(sorted(names), paths(store), "the order")


def check_a_list_keeps_to_its_prefix(open_store: OpenStore) -> None:
    """Every path that begins with the prefix, and no other; nothing in a prefix is a wildcard."""
    names = [
        b"a",
        b"a%",
        b"a%b",
        b"a_",
        b"ab",
        b"abc",
        b"a*",
        b"b",
        b"a\xff",
        b"a\xff\xff",
        b"\xff",
        b"\xff\xff",
        b"\xff\xffa",
    ]
    store = open_store()
    store.commit(batch(*[Write(at(name), b"x") for name in names]))
    for wanted in (b"", b"a", b"a%", b"a_", b"a*", b"ab", b"abcd", b"a\xff", b"\xff", b"\xff\xff", b"c", b"A", b"\x00"):
        expect(sorted(name for name in names if name.startswith(wanted)), paths(store, wanted), f"below {wanted!r}")


def check_a_list_of_components_holds_nothing_else(open_store: OpenStore) -> None:
    """Below `prefix("g", "slack")` lies what `key` put there, in the order of the last component."""
    store = open_store()
    below = ["ab", "a", "a\x00", "b", "", "a b", "é"]
    beside = [("g", "slack2", "a"), ("g", "slac"), ("g", "slack\x00", "a"), ("gs", "lack", "a"), ("g",)]
    store.commit(batch(*[Write(key("acme", "g", "slack", name), name.encode()) for name in below]))
    store.commit(batch(*[Write(key("acme", *names), b"beside") for names in beside]))
    found = [item.value for item in pages(store, Records(ACME, prefix("g", "slack")))]
    expect(sorted(name.encode() for name in below), found, "the grants of slack")


def check_pages_hold_every_record_once(open_store: OpenStore) -> None:
    """Walked with any limit, the pages skip none and repeat none."""
    names = sorted({b"p" + bytes([number % 7, number]) for number in range(60)})
    store = open_store()
    store.commit(batch(*[Write(at(name), name) for name in names]))
    put(store, at(b"q"), b"beside")
    for limit in (1, 2, 7, 59, 60, 61, 1000):
        found = pages(store, Records(ACME, b"p", limit=limit))
        expect(names, [item.key.path for item in found], f"the paths in pages of {limit}")
        expect(names, [item.value for item in found], f"the values in pages of {limit}")


def check_more_says_whether_anything_follows(open_store: OpenStore) -> None:
    """Exact at the border: a last page that is full says that nothing follows, also where other records follow."""
    store = open_store()
    store.commit(batch(*[Write(at(b"p%d" % number), b"x") for number in range(4)], Write(at(b"q"), b"x")))
    for limit, more in ((3, True), (4, False), (5, False)):
        expect(more, store.list(Records(ACME, b"p", limit=limit)).more, f"more, with a limit of {limit}")
    last, nothing = store.list(Records(ACME, b"p", after=b"p0", limit=3)), store.list(Records(ACME, b"none"))
    expect((False, False), (last.more, nothing.more), "more, in a second page and of nothing")


def check_a_page_starts_after_its_path(open_store: OpenStore) -> None:
    """`after` itself is left out, and need not be there any more, nor lie below the prefix."""
    store = open_store()
    store.commit(batch(*[Write(at(name), b"x") for name in (b"b", b"b1", b"b2", b"b3", b"c")]))

    def after(path: bytes) -> list[bytes]:
        return [item.key.path for item in store.list(Records(ACME, b"b", after=path)).items]

    expect([b"b2", b"b3"], after(b"b1"), "after a record")
    expect([b"b2", b"b3"], after(b"b1zzz"), "after a path that is not there")
    expect([b"b1", b"b2", b"b3"], after(b"b"), "after the path that is the prefix")
    expect([b"b", b"b1", b"b2", b"b3"], after(b"a"), "after a path before the prefix")
    expect([], after(b"b3"), "after the last")
    expect([], after(b"c"), "after a path beyond the prefix")


def check_a_page_goes_on_while_records_come_and_go(open_store: OpenStore) -> None:
    """Between two pages, deleting what was shown and adding before it shifts nothing."""
    store = open_store()
    store.commit(batch(*[Write(at(b"%d" % number), b"x") for number in range(1, 7)]))
    first = store.list(Records(ACME, b"", limit=3)).items
    store.commit(batch(Write(first[-1].key, None), Write(at(b"0"), b"x"), Write(at(b"31"), b"x")))
    rest = pages(store, Records(ACME, b"", after=first[-1].key.path, limit=3))
    expect([b"31", b"4", b"5", b"6"], [item.key.path for item in rest], "the pages after the first")


def check_a_limit_is_1_to_1000(open_store: OpenStore) -> None:
    """A page is bounded; any other limit is the caller's mistake."""
    store = open_store()
    for number in (0, 1):
        writes = [Write(at(b"%d%03d" % (number, each)), b"") for each in range(1000)]
        store.commit(batch(*writes, entries=[b"x"] * 1000))
    expect(MAX_LIST, len(store.list(Records(ACME, b"", limit=MAX_LIST)).items), "records in the largest page")
    expect(MAX_LIST, len(store.list(Entries(ACME, limit=MAX_LIST)).items), "entries in the largest page")
    for limit in (0, -1, MAX_LIST + 1):
        refused(InvalidInput, f"{limit} records", store.list, Records(ACME, b"", limit=limit))
        refused(InvalidInput, f"{limit} entries", store.list, Entries(ACME, limit=limit))


def check_a_list_keeps_to_its_tenant(open_store: OpenStore) -> None:
    """Records and entries of other tenants never show, also where tenants' names begin alike."""
    store = open_store()
    for tenant in (b"acm", b"acme", b"acme\x00", b"acmee", b"ACME"):
        store.commit(batch(Write(at(b"of " + tenant, tenant), b"x"), tenant=tenant, entries=[b"of " + tenant]))
    expect([b"of acme"], paths(store), "the records")
    expect([(1, b"of acme")], ledger(store), "the entries")
    expect([], paths(store, tenant=b"never"), "the records of a tenant that never was")
    expect([], ledger(store, b"never"), "the entries of a tenant that never was")


def check_the_empty_path_is_read_and_never_listed(open_store: OpenStore) -> None:
    """Every page starts after a path, and the empty path is before all of them; it can still be read."""
    store = open_store()
    store.commit(batch(Write(at(b""), b"empty"), Write(at(b"a"), b"x")))
    expect([b"empty"], values(store, at(b"")), "the record with the empty path")
    expect([b"a"], paths(store), "the list")
    store.commit(batch(Write(at(b""), None)))
    expect([None], values(store, at(b"")), "the empty path, deleted")


def check_entries_are_numbered_from_1_without_gaps(open_store: OpenStore) -> None:
    """In the order of the batches, and within a batch in the order of its entries."""
    store = open_store()
    bodies = [b"%d" % number for number in range(30)]
    done = 0
    for size in (1, 3, 0, 10, 2, 14):
        position = store.commit(batch(entries=bodies[done : done + size]))
        done += size
        expect(done, position, "the position is the number of the last entry")
    expect([(number + 1, body) for number, body in enumerate(bodies)], ledger(store), "the ledger")


def check_a_conflict_numbers_nothing(open_store: OpenStore) -> None:
    """Refused batches leave no gap in the numbers."""
    store = open_store()
    read = put(store, at(b"a"), b"x")
    for _ in range(3):
        stale = batch(guards=[Guard(at(b"a"), read), Guard(at(b"b"), read)], entries=[b"refused"] * 5)
        refused(Conflict, "a stale batch", store.commit, stale)
    put(store, at(b"a"), b"y")
    expect([(1, b"entry"), (2, b"entry")], ledger(store), "the ledger after three conflicts")


def check_every_tenant_has_its_own_numbers(open_store: OpenStore) -> None:
    """Two tenants' ledgers, written in turns, are both without gaps."""
    store = open_store()
    for number in range(1, 6):
        for tenant in (b"acme", b"other", b"~host"):
            expect(number, store.commit(batch(tenant=tenant, entries=[b"%d" % number])), "the position")
    for tenant in (b"acme", b"other", b"~host"):
        expect([(number, b"%d" % number) for number in range(1, 6)], ledger(store, tenant), "the ledger")


def check_an_entry_shows_number_batch_and_body(open_store: OpenStore) -> None:
    """The key is the tenant and the number as 8 bytes, the version is the batch's id."""
    store = open_store()
    for _ in range(255):
        put(store, at(b"a"), b"x")
    one = batch(entries=[b"last of one byte", b"first of two", b""])
    store.commit(one)
    zeros = b"\x00" * 6
    numbers = [zeros + b"\x01\x00", zeros + b"\x01\x01", zeros + b"\x01\x02"]
    expected = [Stored(at(number), one.id, body) for number, body in zip(numbers, one.entries, strict=True)]
    expect(expected, list(store.list(Entries(ACME, after=Position(255))).items), "the entries from 256 on")


def check_entries_come_in_pages(open_store: OpenStore) -> None:
    """Walked with any limit, the ledger's pages skip none and repeat none; `more` is exact."""
    store = open_store()
    bodies = [b"%d" % number for number in range(25)]
    store.commit(batch(entries=bodies))
    for limit in (1, 2, 24, 25, 26):
        found = [item.value for item in pages(store, Entries(ACME, limit=limit))]
        expect(bodies, found, f"the ledger in pages of {limit}")
    for after, limit, more in ((0, 24, True), (0, 25, False), (20, 5, False), (25, 5, False)):
        page = store.list(Entries(ACME, after=Position(after), limit=limit))
        expect((min(limit, 25 - after), more), (len(page.items), page.more), f"{limit} entries after {after}")
    for after in (26, 2**63 - 1, 2**63, 2**70):
        expect(((), False), tuple(store.list(Entries(ACME, after=Position(after)))), "after the last entry")


def check_entries_are_kept_byte_for_byte(open_store: OpenStore) -> None:
    """Any bytes, equal ones twice, empty and large ones."""
    bodies = [b"", b"\x00", b"\x00a", bytes(range(256)), b"same", b"same", b"x" * 65_536]
    store = open_store()
    store.commit(batch(entries=bodies))
    expect(bodies, [body for _, body in ledger(store)], "the bodies")


def check_entries_outlive_the_records(open_store: OpenStore) -> None:
    """Overwriting or deleting a record changes no entry."""
    store = open_store()
    store.commit(batch(Write(at(b"a"), b"1"), entries=[b"created"]))
    store.commit(batch(Write(at(b"a"), b"2"), entries=[b"changed"]))
    store.commit(batch(Write(at(b"a"), None), entries=[b"deleted"]))
    expect([(1, b"created"), (2, b"changed"), (3, b"deleted")], ledger(store), "the ledger")


def check_entries_and_records_do_not_mix(open_store: OpenStore) -> None:
    """A record whose path looks like a number is no entry, and entries are not listed as records."""
    store = open_store()
    number_one = b"\x00\x00\x00\x00\x00\x00\x00\x01"
    store.commit(batch(Write(at(number_one), b"record"), entries=[b"entry"]))
    expect([number_one], paths(store), "the records")
    expect([(1, b"entry")], ledger(store), "the entries")
    expect([b"record"], values(store, at(number_one)), "the record")
