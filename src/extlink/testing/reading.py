"""Checks of `read`: what comes back for each key, and what a known version saves."""

from __future__ import annotations

from functools import partial

import attrs

from extlink.errors import InvalidInput
from extlink.ports import ABSENT, MAX_READ_KEYS, MAX_VALUE_BYTES, Key, Stored, Version, Write
from extlink.testing.probes import (
    HOST,
    NOTHING_KNOWN,
    OpenStore,
    at,
    batch,
    expect,
    look,
    put,
    refused,
    values,
    version,
    versions,
)

__all__: list[str] = []


def check_an_absent_record_has_version_0(open_store: OpenStore) -> None:
    """Nothing was written: version 0, no value, also in a tenant that never was."""
    for key in (at(b"a"), Key(b"never", b"a"), Key(b"", b"")):
        expect([Stored(key, ABSENT, None)], look(open_store(), key), "an absent record")


def check_a_written_record_has_the_batch_id_as_version(open_store: OpenStore) -> None:
    """The version of a record is the id of the batch that wrote it last."""
    store = open_store()
    for value in (b"first", b"second"):
        written = put(store, at(b"a"), value)
        expect([Stored(at(b"a"), written, value)], look(store, at(b"a")), "the record just written")


def check_all_records_of_a_batch_share_its_version(open_store: OpenStore) -> None:
    """Two records written together have one version."""
    store = open_store()
    both = batch(Write(at(b"a"), b"1"), Write(at(b"b"), b"2"))
    store.commit(both)
    expect([(both.id, b"1"), (both.id, b"2")], [found[1:] for found in look(store, at(b"a"), at(b"b"))], "both records")


def check_a_version_of_63_bits_survives(open_store: OpenStore) -> None:
    """The largest and the smallest version come back as they were."""
    for written in (1, 2**63 - 1, 2**53 + 1):
        store = open_store()
        store.commit(attrs.evolve(batch(Write(at(b"a"), b"x")), id=Version(written)))
        expect(written, look(store, at(b"a"))[0].version, "a version at the edge")


def check_answers_come_in_the_order_of_the_keys(open_store: OpenStore) -> None:
    """One answer per key, in the order asked for, present or not."""
    store = open_store()
    for name in (b"a", b"b", b"c"):
        put(store, at(name), b"value of " + name)
    asked = [at(b"c"), at(b"missing"), at(b"a"), Key(b"other", b"a"), at(b"b")]
    expect(asked, [found.key for found in look(store, *asked)], "the keys of the answers")
    expect([b"value of c", None, b"value of a", None, b"value of b"], values(store, *asked), "the values")


def check_a_key_asked_for_twice_is_answered_twice(open_store: OpenStore) -> None:
    """One answer per key asked for, repeated ones included."""
    store = open_store()
    put(store, at(b"a"), b"x")
    expect([b"x", None, b"x"], values(store, at(b"a"), at(b"b"), at(b"a")), "a key asked for twice")


def check_asking_for_nothing_answers_nothing(open_store: OpenStore) -> None:
    """No key, no answer."""
    expect([], look(open_store()), "a read of no key")


def check_a_known_version_comes_without_its_value(open_store: OpenStore) -> None:
    """A record whose version the caller knows comes back as unchanged: with the version, without the value."""
    store = open_store()
    known, new = put(store, at(b"a"), b"old"), put(store, at(b"b"), b"new")
    answers = look(store, at(b"a"), at(b"b"), known={at(b"a"): known, at(b"b"): version()})
    expect([Stored(at(b"a"), known, None), Stored(at(b"b"), new, b"new")], answers, "one record known, one not")


def check_a_changed_record_is_never_unchanged(open_store: OpenStore) -> None:
    """Knowing the version before the last write does not save the value of the last write."""
    store = open_store()
    before = put(store, at(b"a"), b"old")
    look(store, at(b"a"), known={at(b"a"): before})
    after = put(store, at(b"a"), b"new")
    expect([Stored(at(b"a"), after, b"new")], look(store, at(b"a"), known={at(b"a"): before}), "a record changed since")


def check_a_deleted_record_is_never_unchanged(open_store: OpenStore) -> None:
    """Knowing a version does not hide that the record is gone."""
    store = open_store()
    before = put(store, at(b"a"), b"old")
    look(store, at(b"a"), known={at(b"a"): before})
    put(store, at(b"a"), None)
    expect([Stored(at(b"a"), ABSENT, None)], look(store, at(b"a"), known={at(b"a"): before}), "a record deleted since")


def check_knowing_version_0_changes_nothing(open_store: OpenStore) -> None:
    """An absent record is absent whatever the caller knows."""
    expect([Stored(at(b"a"), ABSENT, None)], look(open_store(), at(b"a"), known={at(b"a"): ABSENT}), "an absent record")


def check_many_known_versions(open_store: OpenStore) -> None:
    """The caller may know more versions than it asks for keys."""
    store = open_store()
    known = put(store, at(b"a"), b"x")
    crowd = {at(b"other" + number.to_bytes(2)): version() for number in range(5_000)}
    both = {**crowd, at(b"a"): known}
    expect([Stored(at(b"a"), known, None)], look(store, at(b"a"), known=both), "one known among thousands")
    expect([Stored(at(b"a"), known, b"x")], look(store, at(b"a"), known=crowd), "unknown to thousands")


def check_a_version_is_known_for_its_own_key_alone(open_store: OpenStore) -> None:
    """Records of one batch share its version; knowing one of them says nothing about the others."""
    store = open_store()
    written = batch(Write(at(b"a"), b"1"), Write(at(b"b"), b"2"))
    store.commit(written)
    answers = look(store, at(b"a"), at(b"b"), known={at(b"a"): written.id})
    expect([Stored(at(b"a"), written.id, None), Stored(at(b"b"), written.id, b"2")], answers, "one of two is known")


def check_64_keys_are_read_and_65_refused(open_store: OpenStore) -> None:
    """A read has at most 64 keys; one more is the caller's mistake."""
    store = open_store()
    keys = [at(b"%03d" % number) for number in range(MAX_READ_KEYS)]
    store.commit(batch(*[Write(key, key.path) for key in keys]))
    expect([key.path for key in keys], values(store, *keys), "64 keys")
    refused(InvalidInput, "65 keys", partial(store.read, [*keys, at(b"one more")]), NOTHING_KNOWN)


def check_one_read_reaches_the_tenant_and_the_host(open_store: OpenStore) -> None:
    """Records of the tenant and of `~host` come from one read."""
    store = open_store()
    put(store, at(b"s"), b"tenant's")
    put(store, at(b"s", HOST), b"host's")
    expect([b"tenant's", b"host's"], values(store, at(b"s"), at(b"s", HOST)), "the same path in two tenants")


def check_every_value_comes_back(open_store: OpenStore) -> None:
    """Empty values, NUL bytes, bytes that are no text and 64 KiB come back byte for byte."""
    store = open_store()
    every_byte = bytes(range(256))
    large = every_byte * (MAX_VALUE_BYTES // 256)
    for value in (b"", b"\x00", b"a\x00b", every_byte, b"\xff\xfe", "\U0001f511".encode(), b" blank ", b"'; --", large):
        put(store, at(b"a"), value)
        expect([value], values(store, at(b"a")), "a value")


def check_an_empty_value_is_not_absence(open_store: OpenStore) -> None:
    """A record with an empty value is there."""
    store = open_store()
    written = put(store, at(b"a"), b"")
    expect([Stored(at(b"a"), written, b"")], look(store, at(b"a")), "an empty record")


def check_a_shorter_value_replaces_a_longer_one(open_store: OpenStore) -> None:
    """Nothing of the old value is left."""
    store = open_store()
    put(store, at(b"a"), b"x" * MAX_VALUE_BYTES)
    put(store, at(b"a"), b"y")
    expect([b"y"], values(store, at(b"a")), "a shorter value")


def check_reading_changes_nothing(open_store: OpenStore) -> None:
    """A record read is neither made nor changed."""
    store = open_store()
    written = put(store, at(b"a"), b"x")
    for _ in range(3):
        look(store, at(b"a"), at(b"b"))
        expect([written, ABSENT], versions(store, at(b"a"), at(b"b")), "the versions, read again")
