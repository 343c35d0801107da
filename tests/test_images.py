"""Images back to records: what the ledger keeps of a record is enough to rebuild it, digests and the like apart."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from extlink import images, records
from extlink.domain.client_registration import ClientRecord
from extlink.domain.event import encode
from extlink.domain.grant_request import GrantRequest
from extlink.domain.link import Link
from extlink.domain.tenant import HOST
from extlink.errors import CorruptRecord
from extlink.images import kind_at, path_of, read_image, rebuilt
from extlink.ports import key, prefix
from extlink.records import Kind
from tests.fakes import NOW
from tests.test_records import KINDS, LINKS, VALUES

IMAGED = sorted(name for name, kind in KINDS.items() if kind.image is not None)
SHOWN = st.sampled_from(IMAGED).flatmap(lambda name: st.tuples(st.just(name), VALUES[name]))


def image_of(kind: Kind[Any], value: object) -> object:
    """Return the image of a record as the ledger gives it back."""
    assert kind.image is not None
    return json.loads(encode(kind.image(value)))


# What is left out on purpose (law 12): digests and salts, whether an answer arrived, a user's own words.


def _link(link: Link) -> Link:
    code = attrs.evolve(link.code, digest=b"", challenge=None)
    rotation = attrs.evolve(link.rotation, current=b"", previous=b"", salt=b"", confirmed=False)
    access = tuple(attrs.evolve(one, digest=b"") for one in link.access)
    return attrs.evolve(link, code=code, rotation=rotation, access=access)


def _client(record: ClientRecord) -> ClientRecord:
    client = record.registration
    if client is None:
        return record
    return ClientRecord(attrs.evolve(client, secrets=tuple(attrs.evolve(one, digest=b"") for one in client.secrets)))


def _request(request: GrantRequest) -> GrantRequest:
    return attrs.evolve(request, message="")


LEFT_OUT: Mapping[str, Callable[[Any], object]] = MappingProxyType(
    {
        "CLIENT": _client,
        "KEY_CHECKS": lambda checks: dict.fromkeys(checks, ""),
        "LINK": _link,
        "REQUEST": _request,
        "REQUEST_ANSWER": _request,
    }
)


def differs(name: str, value: object, read: Callable[[Kind[object], object], object]) -> bool:
    """Whether a record is another one after it went through the ledger."""
    kind = KINDS[name]
    expected = LEFT_OUT[name](value) if name in LEFT_OUT else value
    found = read(kind, image_of(kind, value))
    return found != expected or image_of(kind, found) != image_of(kind, value)


@given(SHOWN)
def test_an_image_is_enough_to_rebuild_the_record(shown: tuple[str, object]) -> None:
    """Of every kind: the record comes back, without what was left out, and has the same image."""
    assert not differs(*shown, read_image)


def test_what_an_image_lacks_is_noticed() -> None:
    """The broken twin: a reader that forgets whether a link is pinned."""

    def forgetful(kind: Kind[object], image: object) -> object:
        link = read_image(kind, image)
        assert isinstance(link, Link)
        return attrs.evolve(link, pinned=False)

    found: list[bool] = []

    @given(LINKS)
    def noticed(link: Link) -> None:
        found.append(differs("LINK", link, forgetful))

    noticed()
    assert any(found)


def test_every_kind_that_the_ledger_tells_of_has_its_place() -> None:
    """A new kind of record with an image has a row: otherwise no past could be read any more."""
    known = {*images._KINDS.values(), images._HOST_SERVICE}

    assert {KINDS[name] for name in IMAGED} == known


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        (key("acme", "s", "slack"), records.SERVICE),
        (key(HOST, "s", "slack"), records.HOST_SERVICE),
        (key("acme", "p", "net"), records.NETWORK),
        (key("acme", "p", "pin", "slack"), records.PIN),
        (key("acme", "x", "slack", "sato"), records.LINKS_OF),
    ],
)
def test_a_key_says_what_lies_there(where: Any, kind: Kind[Any]) -> None:
    """The host's word on a service is another record than a tenant's, under the same path."""
    assert kind is kind_at(where)


def test_a_record_is_rebuilt_as_the_store_had_it() -> None:
    """The bytes are those that were written."""
    where = key("acme", "gv", "slack")

    assert records.GRANT_HEAD.encode(7, NOW) == rebuilt(where, 7, NOW)


@pytest.mark.parametrize("name", ["qq", "nu", "n"])
def test_a_kind_that_is_not_known_is_an_error(name: str) -> None:
    """Of a newer release, or one that no ledger tells of."""
    with pytest.raises(CorruptRecord, match=f"records of kind '{name}', which this release does not know"):
        kind_at(key("acme", name))


@pytest.mark.parametrize("image", [None, 1, "x", [], {}, {"removed": 1}, [[[]]]])
@pytest.mark.parametrize("name", ["LINK", "CLIENT", "SERVICE", "REQUEST", "KEY_CHECKS"])
def test_an_image_that_is_none_is_an_error(name: str, image: object) -> None:
    """Whatever stands there, it is read or refused (law 13)."""
    found: object = {}
    with contextlib.suppress(CorruptRecord):
        found = read_image(KINDS[name], image)

    assert found in (ClientRecord(None), {})


@pytest.mark.parametrize("name", ["", "u", "7", "{}", "[7]", '["\\ud800"]', "[" * 100_000])
def test_a_name_that_is_none_is_an_error(name: str) -> None:
    """A name is a list of texts that every store can hold."""
    with pytest.raises(CorruptRecord, match="which is no name of one"):
        path_of(name)


def test_images_of_links_of_older_releases_are_read() -> None:
    """They told neither when the code ended nor what the last rotation asked for."""
    found: list[object] = []

    @given(LINKS)
    def read(link: Link) -> None:
        image = image_of(records.LINK, link)
        assert isinstance(image, dict)
        for name in ("code_expires", "redirect_named", "rotated_scopes"):
            del image[name]
        known = read_image(KINDS["LINK"], image)
        assert isinstance(known, Link)
        found.append(known)
        assert (link.scopes, link.accepted_at, True) == (known.scopes, known.code.expires, known.code.redirect_named)

    read()
    assert found


def test_names_and_paths_are_inverse() -> None:
    """The name that an entry gives a record is its key's components."""
    where = key("acme", "g", "slack", "sato \u4f50\u85e4")

    assert where.path == path_of(records.name_of(where))
    assert prefix("t") == path_of('["t"]')
