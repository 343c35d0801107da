"""The parts of the reference that are read from the code: `python -m tests.docs.generated` writes them anew.

Rules: a generated part stands between two comments that name it; what stands around it is written by hand and stays as
it is. test_generated.py fails where a page and the code differ.
"""

from __future__ import annotations

import inspect
import pkgutil
import re
from importlib import import_module
from typing import TYPE_CHECKING, Final

import attrs

import extlink
from extlink.catalog import BUILT_IN
from extlink.domain import address, messages
from extlink.domain.edition import EDITIONS, EditionProfile
from extlink.domain.event import VOCABULARY
from extlink.domain.link import TRANSITIONS, LinkState
from extlink.operation import Definition
from extlink.testing import async_storage_checks
from tests.docs.compliance import compliance
from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["PARTS", "UNRESTRICTED", "definitions", "replaced", "stale_pages"]

REFERENCE: Final = ROOT / "docs" / "reference"
DENIED: Final = "operation.denied"
COLUMNS: Final = 100

# What runs without being named by a host.
INTERNAL: Final = {
    "tenants.open": "`hub.open_tenant(id, edition=, products=)`",
    "tenants.check_keys": "the hub itself, before its first operation",
}
# Who may run what no role guards: the operation itself looks, or the host stands for a caller it has authenticated.
UNRESTRICTED: Final = {
    "links.redeem": "the host, for a client that it has authenticated",
    "links.refresh": "the host, for a client that it has authenticated",
    "links.narrow": "the link's owner (`user`), `common_administrator` or `host`",
    "links.revoke": "the link's owner (`user`), `common_administrator` or `host`",
    "networks.reset": "whoever holds the token, from any address",
    **dict.fromkeys(
        ["endpoints.exchange", "endpoints.introspect", "endpoints.push", "endpoints.revoke"],
        "the host, for whoever sends the request; the operation authenticates the client",
    ),
    "triggers.subscribe": "the host, for whoever presents a token",
    "triggers.unsubscribe": "the link's owner (`user`), `common_administrator` or `host`",
    "triggers.listed": "the link's owner (`user`), `common_administrator` or `host`",
    "triggers.check_delivery": "the host",
    "access.admit": "the host, for whoever presents a token",
    "access.check": "the host, for whoever presents a token",
    "access.check_flow": "the host",
    "access.check_many": "the host, for whoever presents tokens",
    **dict.fromkeys(
        ["previews.more", "previews.preview"],
        "whoever may run the operation; without one, or with `directory` or `at`, `common_administrator` or `host`",
    ),
}
# Where the role `user` is good for the person's own things alone.
OWN: Final = frozenset({"links.of", "links.revoke_all"})
# The nouns in the order in which a reader meets them.
NOUNS: Final = (
    "tenants",
    "services",
    "grants",
    "networks",
    "datagroups",
    "users",
    "clients",
    "links",
    "endpoints",
    "access",
    "triggers",
    "previews",
    "ledger",
)

Operations = dict[str, Definition[..., object]]


def definitions() -> Operations:
    """Return every operation of the package by name, found by importing every module."""
    found: Operations = {}
    for module in pkgutil.walk_packages(extlink.__path__, "extlink."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, Definition):
                found[value.name] = value
    return found


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (header, ("---",) * len(header), *rows)
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


# What a docstring says for whoever works on the code: where a rule comes from.
_SOURCE: Final = re.compile(r"Source: .*?\.(?=\s|$)\s*", re.DOTALL)
_REFERENCE: Final = re.compile(r" \((?:[^()]*\b(?:TRACE|DESIGN|MISSION|DATAGROUPS|F\d|S\d|page [AB])\b[^()]*)\)")
_LAW: Final = re.compile(r" \(law \d+(?:: ([^()]*))?\)")
_SECTION: Final = re.compile(r"^(Args|Returns|Raises|Raises when run):\n", re.MULTILINE)
_ERROR: Final = re.compile(r"^(\w+): ")
_ENTRY: Final = re.compile(r"^    (?=\S)", re.MULTILINE)


def _plain(text: str) -> str:
    text = _LAW.sub(lambda found: f" ({found[1]})" if found[1] else "", _REFERENCE.sub("", _SOURCE.sub("", text)))
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _described(doc: str) -> str:
    """Return a docstring as Markdown: prose, then arguments, result and refusals; its example is left to the code."""
    prose, *sections = _SECTION.split(doc.partition("\n>>>")[0])
    parts = [_plain(prose)]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        entries = [_plain(entry) for entry in _ENTRY.split(body) if entry.strip()]
        if title == "Args":
            parts.append("\n".join("- " + re.sub(r"^([\w, ]+): ", _argument, entry) for entry in entries))
        elif title == "Returns":
            parts.append(f"Returns: {entries[0]}")
        else:
            parts.append("\n".join("- raises " + _ERROR.sub(r"`\1`: ", entry) for entry in entries))
    return "\n\n".join(parts)


def _argument(found: re.Match[str]) -> str:
    return f"{_code(found[1].split(', '))}: "


def _signature(name: str, function: Callable[..., object]) -> str:
    """Return how an operation is written, with the type of its result."""
    signature = inspect.signature(function)
    shown = [_parameter(each) for each in signature.parameters.values()]
    keyword = next((i for i, each in enumerate(signature.parameters.values()) if each.kind is each.KEYWORD_ONLY), None)
    if keyword is not None:
        shown.insert(keyword, "*")
    result = re.fullmatch(r"Operation\[(.*)\]", str(signature.return_annotation))
    end = f") -> {result[1] if result else signature.return_annotation}"
    line = f"{name}({', '.join(shown)}{end}"
    if len(line) <= COLUMNS:
        return line
    listed = ",\n    ".join(shown)
    return f"{name}(\n    {listed},\n{end}"


def _parameter(parameter: inspect.Parameter) -> str:
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{parameter.name}: {parameter.annotation}{default}"


def _who(definition: Definition[..., object]) -> str:
    if not definition.by:
        return UNRESTRICTED[definition.name]
    return _code(sorted(definition.by)) + ("; a `user` for themselves alone" if definition.name in OWN else "")


def _records(definition: Definition[..., object]) -> str:
    return _code(sorted(definition.records - {DENIED})) or "nothing"


def operations() -> str:
    """Return a table of all operations and a section for each: who may run it, what it records, what it takes."""
    known = definitions()
    parts: list[str] = []
    for noun in NOUNS:
        module = import_module(f"extlink.{noun}")
        names = [
            f"{noun}.{function}"
            for function in module.__all__
            if f"{noun}.{function}" in known.keys() - INTERNAL.keys()
        ]
        parts.append(f"## {noun}\n")
        parts.append(
            _table(
                ("operation", "who may run it", "what it records"),
                ((f"[`{name}`](#{name.replace('.', '')})", _who(known[name]), _records(known[name])) for name in names),
            )
        )
        for name in names:
            function = getattr(module, name.partition(".")[2])
            parts.append(f"### {name}\n")
            parts.append(f"```text\n{_signature(name, function)}\n```\n")
            parts.append(f"{_described(inspect.getdoc(function) or '')}\n")
    inside = ((f"`{name}`", _who(known[name]), _records(known[name]), INTERNAL[name]) for name in INTERNAL)
    parts.append("## Run by the hub\n")
    parts.append(_table(("operation", "who may run it", "what it records", "run by"), inside))
    return "\n".join(parts)


def reason_codes() -> str:
    """Return every reason code with its parameters, who may apply the remedy, and its texts in three languages."""
    parts: list[str] = []
    group = ""
    for code, params in messages.PARAMS.items():
        if code.partition(".")[0] != group:
            group = code.partition(".")[0]
            parts.append(f"## {group}\n")
        who = messages.who(code)
        parts.append(f"### {code}\n")
        parts.append(f"Parameters: {_code(params) or 'none'}. Who may put it right: `{who}`.\n")
        rows = ((tongue, table[code].text, table[code].remedy) for tongue, table in messages.CATALOGUES.items())
        parts.append(_table(("", "text", "remedy"), rows))
    return "\n".join(parts)


def link_states() -> str:
    """Return the life of a link as a diagram and as a table, both read from the transition table."""
    arrows = [
        f"    {state} --> {after}: {event}\n" for state, row in TRANSITIONS.items() for event, after in row.items()
    ]
    start = f"    [*] --> {LinkState.CONSENTED}: accept\n"
    diagram = f"```mermaid\nstateDiagram-v2\n{start}{''.join(arrows)}```\n"
    events = list(dict.fromkeys(event for row in TRANSITIONS.values() for event in row))
    rows = ((f"*{state}*", *(f"*{row[event]}*" if event in row else "" for event in events)) for state, row in _rows())
    return f"{diagram}\n{_table(('from', *map(str, events)), rows)}"


def _rows() -> Iterable[tuple[str, Mapping[str, str]]]:
    return (
        (str(state), {str(event): str(after) for event, after in row.items()}) for state, row in TRANSITIONS.items()
    )


def ledger_events() -> str:
    """Return the ledger's vocabulary with the operations that may write each event."""
    known = definitions()

    def writers(event: str) -> str:
        if event == DENIED:
            return "every operation that needs a role"
        return _code(sorted(name for name, definition in known.items() if event in definition.records)) or "none yet"

    rows = (
        (f"`{event}`", kind.level, kind.module, kind.action, kind.result, writers(event))
        for event, kind in VOCABULARY.items()
    )
    return _table(("event", "level", "module", "action", "result", "written by"), rows)


def address_texts() -> str:
    """Return the table of address texts and their answers, as the parser's own module states it."""
    doc = inspect.getdoc(address) or ""
    return "".join(f"{_REFERENCE.sub('', line)}\n" for line in doc.splitlines() if line.startswith("|"))


def editions() -> str:
    """Return what one edition has and another has not."""

    def row(name: str, value: Callable[[EditionProfile], str]) -> tuple[str, ...]:
        return (name, *(value(profile) for profile in EDITIONS.values()))

    rows = (
        row("console (ja)", lambda profile: profile.console.ja),
        row("console (en)", lambda profile: profile.console.en),
        row("products", lambda profile: _code(sorted(profile.products))),
        row("system language", lambda profile: f"`{profile.system_language}`"),
        row("rows of the IP restriction", lambda profile: _limit(profile.network.row_limit)),
        row("IPv4 only", lambda profile: _yes(profile.network.ipv4_only)),
        row("Basic authentication beside it", lambda profile: profile.basic_authentication.replace("_", " ")),
        row("client certificates beside it", lambda profile: _yes(profile.client_certificates)),
        row("reset token of a saved change", lambda profile: _lifetime(profile.network.reset_lifetime)),
        row("customers set the restriction themselves", lambda profile: _yes(profile.network.self_service)),
    )
    return _table(("", *EDITIONS), rows)


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _limit(rows: int | None) -> str:
    return "no stated limit" if rows is None else f"at most {rows:,}"


def _lifetime(seconds: int | None) -> str:
    return "no" if seconds is None else f"good for {seconds // 60} minutes"


def catalogue() -> str:
    """Return the built-in services: what each is, whether it can be used, and its scopes with their labels."""
    parts: list[str] = []
    for service in BUILT_IN:
        usable = service.availability
        parts.append(f"## {service.names.en}\n")
        parts.append(f"Id: `{service.id}`. Directions: {_code(sorted(service.directions))}.")
        parts.append(f"Available: {'yes' if usable.state == 'available' else f'no ({usable.cause.en})'}.")
        parts.append(f"Triggers: {_code(trigger.id for trigger in service.triggers) or 'none'}.\n")
        if service.scopes:
            rows = (
                (f"`{scope.name}`", scope.product or "-", scope.direction, *scope.labels.texts)
                for scope in service.scopes
            )
            parts.append(_table(("scope", "product", "data", "ja", "en", "zh"), rows))
    return "\n".join(parts)


def storage_contract() -> str:
    """Return every check of the storage contract with its promise, by what it belongs to."""
    parts: list[str] = []
    checks = async_storage_checks(durable=True)
    for theme in dict.fromkeys(check.theme for check in checks):
        parts.append(f"## {theme.capitalize()}\n")
        rows = ((f"`{check.name}`", check.promise) for check in checks if check.theme == theme)
        parts.append(_table(("check", "promise"), rows))
    return "\n".join(parts)


@attrs.frozen
class Part:
    """A generated part of a page."""

    page: Path
    text: Callable[[], str]


PARTS: Final[Mapping[str, Part]] = {
    "operations": Part(REFERENCE / "operations.md", operations),
    "reason-codes": Part(REFERENCE / "reason-codes.md", reason_codes),
    "link-states": Part(REFERENCE / "link-states.md", link_states),
    "ledger-events": Part(REFERENCE / "ledger-events.md", ledger_events),
    "editions": Part(REFERENCE / "editions.md", editions),
    "catalogue": Part(REFERENCE / "catalogue.md", catalogue),
    "storage-contract": Part(REFERENCE / "storage-contract.md", storage_contract),
    "compliance": Part(REFERENCE / "compliance.md", compliance),
    "address-texts": Part(ROOT / "docs" / "howto" / "address-texts.md", address_texts),
}


def replaced(page: str, name: str, text: str) -> str:
    """Return a page with a generated part in the place of the old one.

    Raises:
        ValueError: the page does not have the part's two comments, in this order, once.
    """
    start, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
    if page.count(start) != 1 or page.count(end) != 1 or page.index(start) > page.index(end):
        raise ValueError(f"expected one part {name} between its two comments")
    before, _, rest = page.partition(start)
    return f"{before}{start}\n{text}\n{end}{rest.partition(end)[2]}"


def stale_pages(parts: Mapping[str, Part] = PARTS) -> list[str]:
    """Return the names of the parts that no longer say what the code says."""
    found: list[str] = []
    for name, part in parts.items():
        page = part.page.read_text(encoding="utf-8")
        if page != replaced(page, name, part.text()):
            found.append(name)
    return found


def _write() -> None:
    for name, part in PARTS.items():
        page = part.page.read_text(encoding="utf-8")
        part.page.write_text(replaced(page, name, part.text()), encoding="utf-8")


if __name__ == "__main__":
    _write()
