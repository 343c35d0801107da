"""Reading a whole service-tags file: every item judged, beside what the standard library and netaddr do with it."""

from __future__ import annotations

import gzip
import ipaddress
import json
from collections.abc import Callable, Sequence

from extlink.feeds.service_tags import read_service_tags
from tests.benchmarks.measure import Batch, compare
from tests.benchmarks.report import Section, at_least, plain, without
from tests.conftest import find_realdata

__all__ = ["reading"]

_FILE = "servicetags/ServiceTags_Public_cn342_2025-01-23.json.gz"


def _made_up(lists: int, items: int) -> bytes:
    """Return a file in which, as in the vendor's, regional lists repeat the items of the whole."""
    texts = [f"20.{number >> 8 & 255}.{number & 255}.0/24" for number in range(items)]
    values = [
        {"name": f"Tag{number}", "properties": {"changeNumber": 1, "region": "", "addressPrefixes": texts}}
        for number in range(lists)
    ]
    return json.dumps({"changeNumber": 1, "cloud": "Public", "values": values}).encode()


def _file(*, smoke: bool) -> tuple[bytes, str]:
    folder = find_realdata()
    if smoke or folder is None or not (folder / _FILE).is_file():
        return _made_up(10, 200), "made up, of the same shape"
    return gzip.decompress((folder / _FILE).read_bytes()), "Microsoft's of 2025-01-23"


def _texts(data: bytes) -> list[list[str]]:
    return [value["properties"]["addressPrefixes"] for value in json.loads(data)["values"]]


def _parsing(data: bytes, parse: Callable[[str], object]) -> Batch:
    """Return a reader that does the least with it: each item of each list becomes a network."""

    def run() -> int:
        for items in _texts(data):
            for item in items:
                parse(item)
        return 1

    return run


def _require_agreement(data: bytes) -> Sequence[int]:
    """Require that nothing was lost on the way; return how many lists and items there are."""
    groups, texts = read_service_tags(data).groups, _texts(data)
    for group, items in zip(groups.values(), texts, strict=True):
        if len(group.ranges) + len(group.set_aside) != len(items):
            raise SystemExit(f"{group.name}: {len(items)} items were not all taken or set aside")
        if {item.text for item in group.ranges} != {str(ipaddress.ip_network(item.text)) for item in group.ranges}:
            raise SystemExit(f"{group.name}: ranges differ from the standard library's")
    return len(groups), sum(map(len, texts))


def reading(rounds: int, *, smoke: bool) -> Section:
    """Return how long the whole file takes."""
    data, origin = _file(smoke=smoke)
    lists, items = _require_agreement(data)

    def ours() -> int:
        read_service_tags(data)
        return 1

    def parsed() -> int:
        json.loads(data)
        return 1

    contenders: dict[str, Batch] = {
        "ours": ours,
        "json": parsed,
        "ipaddress": _parsing(data, ipaddress.ip_network),
    }
    missing = ""
    try:
        import netaddr
    except ImportError as error:
        missing = f"{error}"
    else:
        contenders["netaddr"] = _parsing(data, netaddr.IPNetwork)
    samples = compare(contenders, rounds)
    return Section(
        "Reading a whole service-tags file",
        f"{lists:,} lists with {items:,} items ({origin}). `read_service_tags` refuses a file of another shape, takes each "
        "item or sets it aside with its reason, and finds what is there twice and what reaches nobody. The others only "
        "parse the JSON and make a network of each item. Before anything is measured, the items are counted.",
        (
            plain("`read_service_tags`", samples, "ours"),
            plain("`json.loads` alone", samples, "json"),
            at_least("`ipaddress`, each item parsed", samples, "ours", "ipaddress", None, "`ipaddress`"),
            without("netaddr", missing)
            if missing
            else at_least("netaddr, each item parsed", samples, "ours", "netaddr", None, "netaddr"),
        ),
    )
