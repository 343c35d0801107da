"""The reader of "Azure Datacenter IP Ranges", the XML that the help page's third link meant (TRACE A16, T4).

The format, as the vendor published it weekly until August 2020 (download 41653; service tags are its successor):

| place | content |
|---|---|
| `AzurePublicIpAddresses` | the whole |
| `Region`, attribute `Name` | a region, such as `japaneast` |
| `IpRange`, attribute `Subnet` | a CIDR text of IPv4 |

Rules: no document type, hence no entities and nothing from outside is ever read: a document that has one is refused
before it is looked into (the "billion laughs", external entities). The text is UTF-8, whatever it declares. Namespaces
and further attributes mean nothing; another element, or text between them, is another document and refused by its line.
"""

from __future__ import annotations

from datetime import date
from typing import Final
from xml.parsers import expat

import attrs

from extlink.errors import InvalidInput
from extlink.feeds._given import read_day
from extlink.feeds._items import Sorter
from extlink.feeds._json import decode, read_text
from extlink.feeds.published import Group, PublishedRanges

__all__ = ["SOURCE", "read_datacenter_xml"]

SOURCE: Final = "azure-datacenter-xml"

# The elements from the outside in; none has others, so that depth is bounded by this table.
_ELEMENTS: Final = ("AzurePublicIpAddresses", "Region", "IpRange")


def read_datacenter_xml(data: str | bytes, *, published: date | None = None, cloud: str = "Public") -> PublishedRanges:
    """Return the ranges of a datacenter file, a group for each region.

    Args:
        data: the whole file, unpacked.
        published: the day of the file, as its name `PublicIPs_20200601.xml` says; also its version, as it has no other.
        cloud: the cloud that the file is for, which it does not say.

    Raises:
        InvalidInput: no such file; the field names the line.

    >>> example = '''<AzurePublicIpAddresses><Region Name="japaneast"><IpRange Subnet="13.71.128.0/19" />
    ...     <IpRange Subnet="10.0.0.0/8" /></Region></AzurePublicIpAddresses>'''
    >>> group = read_datacenter_xml(example).groups["japaneast"]
    >>> [item.text for item in group.ranges], [(item.text, item.reason) for item in group.set_aside]
    (['13.71.128.0/19'], [('10.0.0.0/8', 'private')])
    """
    day = read_day(published)
    version = day.isoformat() if day else ""
    sorter = Sorter()
    groups: dict[str, Group] = {}
    for region, items in _read_regions(decode(data)).items():
        ranges, aside = sorter.sort(items)
        groups[region] = Group(name=region, version=version, region=region, ranges=ranges, set_aside=aside)
    return PublishedRanges(
        source=SOURCE, cloud=read_text(cloud, "cloud"), version=version, published=day, groups=groups
    )


def _read_regions(text: str) -> dict[str, list[object]]:
    parser = expat.ParserCreate(namespace_separator=" ")
    document = _Document(parser)
    parser.StartDoctypeDeclHandler = document.refuse_doctype
    parser.StartElementHandler = document.start
    parser.EndElementHandler = document.end
    parser.CharacterDataHandler = document.refuse_text
    try:
        parser.Parse(text, True)  # noqa: FBT003 - the standard library's own order of arguments: this is the end
    except expat.ExpatError as exc:
        problem = f"expected XML, got something else at column {exc.offset + 1}: {expat.ErrorString(exc.code)}"
        raise InvalidInput(f"line {exc.lineno}", problem) from exc
    except UnicodeEncodeError as exc:
        raise InvalidInput("data", "expected text in Unicode, got a lone surrogate") from exc
    return document.regions


@attrs.define(eq=False)
class _Document:
    """What was read of a document so far."""

    _parser: expat.XMLParserType
    regions: dict[str, list[object]] = attrs.field(factory=dict[str, "list[object]"], init=False)
    _depth: int = attrs.field(default=0, init=False)
    _items: list[object] = attrs.field(factory=list[object], init=False)

    @property
    def _place(self) -> str:
        return f"line {self._parser.CurrentLineNumber}"

    def refuse_doctype(self, *_: object) -> None:
        raise InvalidInput(self._place, "expected no document type; entities are not read")

    def refuse_text(self, text: str) -> None:
        if not text.isspace():
            raise InvalidInput(self._place, f"expected ranges in attributes, got the text {text[:64]!a}")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        wanted = _ELEMENTS[self._depth] if self._depth < len(_ELEMENTS) else "nothing"
        if local != wanted:
            raise InvalidInput(self._place, f"expected {wanted}, got the element {local[:64]!a}")
        self._depth += 1
        if local == "Region":
            self._start_region(read_text(attributes.get("Name"), f"{self._place}, Name"))
        elif local == "IpRange":
            self._items.append(attributes.get("Subnet"))

    def _start_region(self, name: str) -> None:
        if name in self.regions:
            raise InvalidInput(f"{self._place}, Name", f"expected each region once, got {name[:64]!a} twice")
        self._items = self.regions[name] = []

    def end(self, _name: str) -> None:
        self._depth -= 1
