"""The client's address behind proxies: read from the right, past trusted proxies alone, and None rather than a guess.

The cases of realclientip-go (0BSD) each have a stated answer here; where that library is lenient, ours is strict.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from extlink.domain.address import parse_range
from extlink.errors import InvalidInput
from extlink.proxies import TrustedProxies

Case = Mapping[str, Any]

# Who connects to the host, in the cases that do not say.
PROXY = "10.255.255.1"
UNSPECIFIED = str(ipaddress.IPv4Address(0))
# What their "many kinds of ranges" and "Cloudflare ranges" are, which the list of cases does not hold.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7", "fe80::/10")
MANY = ("2.2.2.2", "64:ff9b::/96", "3.3.0.0/16", "2001:db7::/64", "2607:f8b0:4004:83f::200e", "4.4.4.0/24")
CLOUDFLARE = ("2400:cb00::/32",)
SETS = {"Many kinds of ranges": MANY, "Cloudflare ranges": CLOUDFLARE}

ERROR = "error"
# Where our answer is another one than theirs, and why. None: nobody is certain to be the client.
ZONE = "a zone id means another network on every machine"
UNQUOTED = "a colon or a bracket stands in quotes only (RFC 7239 section 4)"
BARE = "IPv6 has brackets (RFC 7239 section 6)"
STOPS = "what a trusted hop wrote is no address: nothing to the left of it is looked at"
PEER = "from whom the header is cannot be told, so it is not believed"
NEVER = "the address on the left is anybody's own word"
BLANK = "no blank stands around a semicolon or an equals sign (RFC 7239 section 4)"
OTHERWISE: Mapping[tuple[str, str], tuple[str | None, str]] = {
    ("RemoteAddr", "IPv6 with zone and no port"): (None, ZONE),
    ("RemoteAddr", "IPv6 with zone and port"): (None, ZONE),
    ("LeftmostNonPrivate", "IPv4 with port"): ("4.4.4.4", NEVER),
    ("LeftmostNonPrivate", "IPv4 with no port"): ("6.6.6.6", NEVER),
    ("LeftmostNonPrivate", "IPv6 with port"): ("4.4.4.4", NEVER),
    ("LeftmostNonPrivate", "IPv6 with no port"): (None, BARE),
    ("LeftmostNonPrivate", "IPv6 with port and zone"): ("6.6.6.6", NEVER),
    ("LeftmostNonPrivate", "IPv6 with port and zone, no quotes"): ("6.6.6.6", NEVER),
    ("LeftmostNonPrivate", "IPv4-mapped IPv6"): ("4.4.4.4", NEVER),
    ("LeftmostNonPrivate", "IPv4-mapped IPv6 with port"): ("4.4.4.4", NEVER),
    ("LeftmostNonPrivate", "IPv4-mapped IPv6 in IPv6 (hex) form"): ("6.6.6.6", NEVER),
    ("LeftmostNonPrivate", "NAT64 IPv4-mapped IPv6"): ("4.4.4.4", NEVER),
    ("LeftmostNonPrivate", "XFF: leftmost not desirable"): ("5.5.5.5", NEVER),
    ("LeftmostNonPrivate", "Forwarded: leftmost not desirable"): (None, BARE),
    ("SingleIPHeader", "Error: X-Forwarded-For header"): ("3.3.3.3", "one address is a list of one as well"),
    ("RightmostNonPrivate", "Fail: XFF: no header"): ("9.9.9.9", "who connects is no proxy, and so is the client"),
    ("RightmostTrustedCount", "Fail: header too short/count too large"): (ERROR, "nobody has fifty proxies"),
    ("RightmostNonPrivate", "IPv6 with no port"): (None, BARE),
    ("RightmostNonPrivate", "IPv6 with port and zone"): (None, ZONE),
    ("RightmostNonPrivate", "IPv6 with port and zone, no quotes"): (None, UNQUOTED),
    ("RightmostNonPrivate", "IPv4-mapped IPv6 in IPv6 (hex) form"): (None, BARE),
    ("RightmostNonPrivate", "XFF: rightmost not desirable"): (None, STOPS),
    ("RightmostNonPrivate", "Forwarded: rightmost not desirable"): (None, STOPS),
    ("RightmostTrustedRange", "Many kinds of ranges"): (None, UNQUOTED),
    ("RightmostTrustedRange", "Peer untrusted IPv6 with zone: returns peer with zone"): (None, ZONE),
    ("RightmostTrustedRange", "Peer Unix socket: walks header as normal"): (None, PEER),
    ("RightmostTrustedRange", "Peer empty: walks header as normal"): (None, PEER),
    ("RightmostTrustedRange", "Peer garbage: walks header as normal"): (None, PEER),
    ("RightmostTrustedRange", "Peer unspecified IP: walks header as normal"): (None, PEER),
    ("ForwardedListItem", "IPv6 with quotes, no brackets, and no port"): (None, BARE),
    ("ForwardedListItem", "IPv6 with brackets, no quotes, and no port"): (None, UNQUOTED),
    ("ForwardedListItem", "IPv6 with port and no quotes"): (None, UNQUOTED),
    ("ForwardedListItem", "IPv6 with port, quotes, and zone"): (None, ZONE),
    ("ForwardedListItem", "IPv6 with zone, no quotes, no port"): (None, ZONE),
    ("ForwardedListItem", "IPv4 with port"): (None, UNQUOTED),
    ("ForwardedListItem", "Multiple IPv4 directives"): (None, BLANK),
    ("ForwardedListItem", "Multiple IPv6 directives"): (None, UNQUOTED),
    ("ForwardedListItem", "Multiple mixed directives"): (None, UNQUOTED),
    ("ForwardedListItem", "RFC deviation: Incorrect whitespace"): (None, BLANK),
}

# The nine cases in which that library leaves RFC 7239: what the RFC wants of each element, and what we say.
DEVIATIONS: Mapping[str, list[str | None]] = {
    # The RFC: nobody and 4.4.4.4. A comma in quotes is how a client takes in what a proxy appends: nobody at all.
    "Comma in quotes": [None],
    "Unmatched quote": [None],
    "Invalid characters": [None, "2.2.2.2"],
    "Duplicate token": [None, "3.3.3.3"],
    "Escaped character": ["3.3.3.3"],
    "Equal sign spaces": [None, None],
    "Disallowed characters in unquoted value (like colons and square brackets": [None],
    "IPv6 brackets": [None],
    "IPv4 brackets": [None],
}


@pytest.fixture(scope="module")
def cases(realdata: Path) -> list[Case]:
    """Return the cases of realclientip-go."""
    text = (realdata / "ip_vectors" / "xff_realclientip.json").read_text(encoding="utf-8")
    found: list[Case] = json.loads(text)["cases"]
    return found


def answered(case: Case) -> str | None:
    """Return our answer to a case, as the host would ask for it."""
    match case["strategy"]:
        case "RemoteAddr":
            return TrustedProxies(trusted=[]).client_address(case["remoteAddr"], case["headers"])
        case "ForwardedListItem":
            return TrustedProxies(hops=1, header="forwarded").client_address(None, {"Forwarded": case["forwarded"]})
        case "RightmostTrustedCount":
            made = _made(case, lambda header: TrustedProxies(hops=case["trustedCount"], header=header))
        case "RightmostTrustedRange":
            ranges = SETS.get(case["name"], tuple(case["trustedRanges"]))
            made = _made(case, lambda header: TrustedProxies(trusted=[*ranges, PROXY], header=header))
        case _:
            made = _made(case, lambda header: TrustedProxies(trusted=[*PRIVATE, PROXY], header=header))
    return ERROR if made is None else made.client_address(case.get("remoteAddr", PROXY), case["headers"])


def _made(case: Case, make: Callable[[Any], TrustedProxies]) -> TrustedProxies | None:
    try:
        return make(case["headerName"].lower())
    except InvalidInput:
        return None


def expected(case: Case) -> str | None:
    """Return the answer that is stated for a case."""
    known = OTHERWISE.get((case["strategy"], case["name"]))
    if known is not None:
        return known[0]
    if case.get("wantErr") or case["strategy"] == "SingleIPHeader":
        return ERROR  # one address in a header of another name, as of a proxy that overwrites it, is not offered
    return str(ipaddress.ip_address(case["want"])) if case["want"] else None


def test_every_case_has_its_stated_answer(cases: list[Case]) -> None:
    """All 129 cases of addresses: theirs, or the stricter one that is stated with its reason."""
    asked = [case for case in cases if case["strategy"] != "ForwardedRFCDeviation"]

    assert 129 == len(asked)
    assert [] == [
        (case["strategy"], case["name"], expected(case), answered(case))
        for case in asked
        if expected(case) != answered(case)
    ]


def test_no_stricter_answer_is_stated_in_vain(cases: list[Case]) -> None:
    """Each exception is a case that there is, and another answer than theirs."""
    theirs = {(case["strategy"], case["name"]): case.get("want", ERROR) or None for case in cases}

    assert [] == [name for name, (answer, _) in OTHERWISE.items() if answer == theirs[name]]


def test_each_deviation_from_the_rfc_has_its_strict_answer(cases: list[Case]) -> None:
    """The nine headers that RFC 7239 and that library read differently: element by element, from the right."""
    found: dict[str, list[str | None]] = {}
    for case in cases:
        if case["strategy"] == "ForwardedRFCDeviation":
            wanted = DEVIATIONS[case["name"]]
            headers = {"Forwarded": case["forwarded"]}
            found[case["name"]] = [
                TrustedProxies(trusted=[PROXY, *passed], header="forwarded").client_address(PROXY, headers)
                for passed in _passing(wanted)
            ]

    assert {name: list(reversed(wanted)) for name, wanted in DEVIATIONS.items()} == found


def _passing(wanted: list[str | None]) -> Iterator[list[str]]:
    """Yield the proxies to trust so that each element in turn, from the right, is the one that is asked about."""
    for count in range(len(wanted)):
        yield [one for one in wanted[len(wanted) - count :] if one is not None]


X = TrustedProxies(trusted=["10.0.0.0/8"], header="x-forwarded-for")
F = TrustedProxies(trusted=["10.0.0.0/8"], header="forwarded")
BOTH = TrustedProxies(trusted=["10.0.0.0/8"])


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("for=192.0.2.43, for=198.51.100.17", "198.51.100.17"),
        ('for=192.0.2.43, for="[2001:db8:cafe::17]"', "2001:db8:cafe::17"),
        ('For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('for="192.0.2.43:47011"', "192.0.2.43"),
        ('for="192.0.2.43:_port"', "192.0.2.43"),
        ("for=192.0.2.43;", "192.0.2.43"),
        ('for="192.0.2.43";;proto=http', "192.0.2.43"),
        ('proto="a;for=6.6.6.6";for=192.0.2.43', "192.0.2.43"),
        (r'for="192.0.2.\43"', "192.0.2.43"),
        (" for=192.0.2.43\t, for=10.0.0.1 ", "192.0.2.43"),
        ("for=_gazonk", None),
        ("for=unknown", None),
        ('for="_hidden:123"', None),
        ("for=192.0.2.43, for=unknown, for=10.0.0.1", None),
        ("proto=http", None),
        ("for=192.0.2.43;for=192.0.2.43", None),
        ("for=192.0.2.43;FOR=198.51.100.7", None),
        ("for=192.0.2.43;by=1;by=2", None),
        ("for=192.0.2.43,", None),
        ("", None),
        (",", None),
        ("for = 192.0.2.43", None),
        ("for=192.0.2.43 ;proto=http", None),
        ('for="192.0.2.43', None),
        ('for=192.0.2.43"', None),
        ('for="192.0.2.43"x', None),
        ('for=""', None),
        ("for=", None),
        ("=192.0.2.43", None),
        ("192.0.2.43", None),
        ("for=192.0.2.43;host=a b", None),
        ('for="fe80::1%eth0"', None),
        ("for=0.0.0.0", None),
        ('for="[::]"', None),
        ('for="[::ffff:192.0.2.43]"', "192.0.2.43"),
        ("for=010.0.0.1", None),
        ("for=192.0.2.43\x00", None),
        ("for=192.0.2.43\n", None),
        ("for=１92.0.2.43", None),
    ],
)
def test_forwarded_is_read_as_the_rfc_writes_it(value: str, client: str | None) -> None:
    """RFC 7239 sections 4 and 6: pairs, quoted strings, brackets, ports, obfuscated names; nothing else."""
    assert client == F.client_address("10.0.0.5", {"Forwarded": value})


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:443", "192.0.2.7"),
        ("2001:DB8::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("6.6.6.6,192.0.2.7 ,\t10.0.0.1", "192.0.2.7"),
        ("<script>, 192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, unknown", None),
        ("192.0.2.7,", None),
        ("192.0.2.7,,10.0.0.1", None),
        ("10.0.0.1, 10.0.0.2", None),
        ("[192.0.2.7]", None),
        ("192.0.2.7:", None),
        ("192.0.2.7:99999999", None),
        ('"192.0.2.7"', None),
        ("192.0.2.7 10.0.0.1", None),
        ("for=192.0.2.7", None),
        ("fe80::1%eth0", None),
        (UNSPECIFIED, None),
        ("127.1", None),
        ("192.0.2.256", None),
        ("", None),
    ],
)
def test_x_forwarded_for_is_read_from_the_right(value: str, client: str | None) -> None:
    """The first address that is no trusted proxy, whatever stands to its left; None where it is no address."""
    assert client == X.client_address("10.0.0.5", {"X-Forwarded-For": value})


def test_a_client_cannot_take_in_what_a_proxy_appends() -> None:
    """A quoted string that a client opens, and that the proxy's own text would close, ends the whole header."""
    own = 'for=6.6.6.6;x="'
    for appended in ("for=192.0.2.7", 'for="[2001:db8::7]"', 'for=192.0.2.7;host=",for=6.6.6.6;y="'):
        assert F.client_address("10.0.0.5", {"Forwarded": f"{own}, {appended}"}) is None
        assert F.client_address("10.0.0.5", {"Forwarded": [own, appended]}) is None


def test_only_a_trusted_peer_is_believed() -> None:
    """Whoever connects from elsewhere is the client, whatever the header says; of nobody there is no address."""
    headers = {"X-Forwarded-For": "203.0.113.7"}

    assert "203.0.113.7" == X.client_address("10.0.0.5", headers)
    assert "198.51.100.9" == X.client_address("198.51.100.9:443", headers)
    assert "198.51.100.9" == X.client_address("::ffff:198.51.100.9", headers)
    for nobody in (None, "", "@", "unix:", UNSPECIFIED, "fe80::1%eth0"):
        assert X.client_address(nobody, headers) is None


def test_a_trusted_peer_without_a_header_is_no_client() -> None:
    """The proxy itself does not use the service."""
    every: Iterable[Any] = ({}, {"X-Forwarded-For": []}, {"Forwarded": "for=192.0.2.7"})
    for headers in every:
        assert X.client_address("10.0.0.5", headers) is None


def test_hops_are_counted_from_the_right() -> None:
    """With n proxies the n-th address from the right is the client; all of the n must be addresses."""
    chain = {"X-Forwarded-For": ["6.6.6.6, 192.0.2.7", "198.51.100.1, 198.51.100.2"]}

    def seen(hops: int) -> str | None:
        return TrustedProxies(hops=hops, header="x-forwarded-for").client_address(None, chain)

    assert ["198.51.100.2", "198.51.100.1", "192.0.2.7", "6.6.6.6", None] == [seen(hops) for hops in range(1, 6)]
    short = {"X-Forwarded-For": "192.0.2.7, unknown"}
    assert TrustedProxies(hops=2, header="x-forwarded-for").client_address(None, short) is None


def test_two_headers_are_refused_unless_it_is_said_which() -> None:
    """A client that sends the other header is not believed by it, and not let through either."""
    headers = {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=198.51.100.7"}

    assert BOTH.client_address("10.0.0.5", headers) is None
    assert "192.0.2.7" == X.client_address("10.0.0.5", headers)
    assert "198.51.100.7" == F.client_address("10.0.0.5", headers)
    assert "192.0.2.7" == BOTH.client_address("10.0.0.5", {"x-forwarded-for": "192.0.2.7"})
    assert "198.51.100.7" == BOTH.client_address("10.0.0.5", {"FORWARDED": "for=198.51.100.7"})
    assert BOTH.client_address("10.0.0.5", {}) is None


def test_headers_come_as_servers_give_them() -> None:
    """A mapping to a text or to lines, pairs of text, pairs of bytes as in ASGI; names in any case."""
    every: Iterable[Any] = (
        {"x-forwarded-for": "6.6.6.6, 192.0.2.7"},
        {"X-FORWARDED-FOR": ["6.6.6.6", "192.0.2.7"]},
        {b"X-Forwarded-For": b"192.0.2.7"},
        [("Host", "example.com"), ("X-Forwarded-For", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7")],
        [(b"host", b"example.com"), (b"x-forwarded-for", b"192.0.2.7")],
        (pair for pair in [("x-forwarded-for", "192.0.2.7")]),
    )
    for headers in every:
        assert "192.0.2.7" == X.client_address("10.0.0.5", headers)


def test_a_header_without_end_is_no_address() -> None:
    """Nobody has so many proxies; it costs nothing to say so."""
    assert X.client_address("10.0.0.5", {"X-Forwarded-For": "1.1.1.1, " * 1_000 + "192.0.2.7"}) is None


class Failing(dict[str, str]):
    """Headers that break when they are read."""

    def items(self) -> Any:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "headers",
    [
        None,
        7,
        "X-Forwarded-For: 192.0.2.7",
        [7],
        [("a",)],
        [["x-forwarded-for", "192.0.2.7"]],
        {7: "a"},
        {"x-forwarded-for": 7},
        {"x-forwarded-for": [7]},
        Failing(),
        iter(lambda: ("a", "b"), None),
    ],
    ids=["none", "number", "text", "numbers", "single", "list", "name", "value", "values", "failing", "endless"],
)
def test_what_is_no_headers_is_an_error(headers: Any) -> None:
    """A mistake of the host's is told to the host; it is no client's address, nor the lack of one."""
    with pytest.raises(InvalidInput) as caught:
        X.client_address("10.0.0.5", headers)

    assert "headers" == caught.value.field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "trusted"),
        ({"trusted": ["10.0.0.0/8"], "hops": 1}, "trusted"),
        ({"trusted": "10.0.0.0/8"}, "trusted"),
        ({"trusted": ["10.0.0.7/8"]}, "trusted"),
        ({"trusted": ["0.0.0.0/0"]}, "trusted"),
        ({"trusted": [7]}, "trusted"),
        ({"hops": 0}, "hops"),
        ({"hops": 21}, "hops"),
        ({"hops": True}, "hops"),
        ({"hops": "1"}, "hops"),
        ({"hops": 1, "header": "X-Forwarded-For"}, "header"),
        ({"hops": 1, "header": "x-real-ip"}, "header"),
        ({"hops": 1, "header": ""}, "header"),
        ({"hops": 1, "header": 7}, "header"),
    ],
)
def test_what_is_trusted_is_said_exactly(given: dict[str, Any], field: str) -> None:
    """Ranges or a number, and one of two headers: everything else is refused when the host starts."""
    with pytest.raises(InvalidInput) as caught:
        TrustedProxies(**given)

    assert field == caught.value.field


def test_ranges_may_be_parsed_already() -> None:
    """As rows of a restriction may be."""
    assert X == TrustedProxies(trusted=[parse_range("10.0.0.0/8")], header="x-forwarded-for")


# --- Properties, each with a twin that breaks it -------------------------------------------------------------------

Reader = Callable[[TrustedProxies, str, Any], str | None]
ADDRESSES = st.one_of(
    st.integers(1, 2**32 - 1).map(lambda one: str(ipaddress.IPv4Address(one))),
    st.sampled_from(["10.0.0.1", "10.9.9.9", "192.0.2.7", "6.6.6.6"]),
)
PROXIES = st.sampled_from(["10.0.0.1", "10.1.2.3", "10.255.0.255:80"])
TEXTS = st.text(st.sampled_from('for=;,"\\ []:.%_01a\t\x00é'), max_size=30)


def ours(proxies: TrustedProxies, peer: str, headers: Any) -> str | None:
    """Return our answer."""
    return proxies.client_address(peer, headers)


def leftmost(proxies: TrustedProxies, peer: str, headers: Any) -> str | None:
    """Return the broken twin's answer: the first address, as the client wrote it."""
    del proxies, peer
    first = headers["X-Forwarded-For"].split(",")[0].strip()
    try:
        return str(ipaddress.ip_address(first))
    except ValueError:
        return None


def believes_anybody(proxies: TrustedProxies, peer: str, headers: Any) -> str | None:
    """Return the broken twin's answer: the header of whoever connects."""
    del peer
    return proxies.client_address("10.0.0.5", headers)


def skips(proxies: TrustedProxies, peer: str, headers: Any) -> str | None:
    """Return the broken twin's answer: what is no address is passed over."""
    kept = [one for one in headers["X-Forwarded-For"].split(",") if leftmost(proxies, "", {"X-Forwarded-For": one})]
    return proxies.client_address(peer, {"X-Forwarded-For": ",".join(kept)})


def forged(reader: Reader, forgery: str, client: str, hops: list[str]) -> bool:
    """Whether what a client sends ahead changes who it is taken for."""
    real = ", ".join([client, *hops])
    plain, more = {"X-Forwarded-For": real}, {"X-Forwarded-For": f"{forgery}, {real}"}
    return reader(X, "10.0.0.5", plain) != reader(X, "10.0.0.5", more)


@given(TEXTS | ADDRESSES, ADDRESSES.filter(lambda one: not one.startswith("10.")), st.lists(PROXIES, max_size=3))
def test_nothing_a_client_sends_ahead_is_believed(forgery: str, client: str, hops: list[str]) -> None:
    """Whatever stands to the left of the client's address, also a line of its own, changes nothing."""
    assert not forged(ours, forgery, client, hops)
    lines = {"X-Forwarded-For": [forgery, ", ".join([client, *hops])]}
    assert client == X.client_address("10.0.0.5", lines)


def test_a_leftmost_reader_is_caught() -> None:
    """The broken twin that most frameworks were: the address on the left."""
    assert forged(leftmost, "6.6.6.6", "192.0.2.7", [])


@given(st.text(max_size=40) | TEXTS, ADDRESSES.filter(lambda one: not one.startswith("10.")))
@example("for=6.6.6.6", "192.0.2.7")
def test_whoever_is_no_proxy_is_the_client(value: str, peer: str) -> None:
    """No header of theirs makes them another."""
    for proxies in (X, F, BOTH):
        assert peer == proxies.client_address(peer, {"X-Forwarded-For": value, "Forwarded": value})


def test_a_reader_that_believes_anybody_is_caught() -> None:
    """The broken twin: the peer is not asked about."""
    headers = {"X-Forwarded-For": "6.6.6.6"}

    assert "192.0.2.7" == ours(X, "192.0.2.7", headers) != believes_anybody(X, "192.0.2.7", headers)


def test_a_reader_that_skips_is_caught() -> None:
    """The broken twin: an address that a proxy hid is passed over, and the one that the client wrote is taken."""
    headers = {"X-Forwarded-For": "6.6.6.6, unknown, 10.0.0.1"}

    assert (None, "6.6.6.6") == (ours(X, "10.0.0.5", headers), skips(X, "10.0.0.5", headers))


@given(st.text(max_size=60) | TEXTS, st.sampled_from(["X-Forwarded-For", "Forwarded"]), st.integers(1, 4))
def test_any_text_is_an_address_or_none(value: str, name: str, hops: int) -> None:
    """Whatever a header holds, the answer is a canonical address or None, never an exception."""
    every = (BOTH, TrustedProxies(hops=hops), TrustedProxies(trusted=["10.0.0.5"]))
    for proxies in every:
        found = proxies.client_address("10.0.0.5", {name: value})
        assert found is None or found == str(ipaddress.ip_address(found))


@given(st.lists(st.tuples(ADDRESSES, st.sampled_from(["{}", '"{}"', '"{}:80"'])), min_size=1, max_size=5))
def test_both_headers_say_the_same(chain: list[tuple[str, str]]) -> None:
    """A chain of addresses has one client, however it is written down."""
    forwarded = ", ".join("proto=https;for=" + form.format(one) for one, form in chain)
    listed = ", ".join(one for one, _ in chain)

    assert X.client_address("10.0.0.5", {"X-Forwarded-For": listed}) == F.client_address(
        "10.0.0.5", {"Forwarded": forwarded}
    )
