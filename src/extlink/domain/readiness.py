"""Readiness: what still has to be done before a service works, as a checklist in order (S9, N3; TRACE T8).

Rules: an item is green only on evidence. What extlink decides by itself is looked up in the same policy that decides
about calls; what is done outside is *confirmed* by somebody, *seen* (a call succeeded) or *unknown*, never guessed. An
item waits while an earlier one is missing; each says who may do it (TRACE T11).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

from extlink.domain.decision import Gate
from extlink.domain.edition import EDITIONS, Edition
from extlink.domain.event import Detail
from extlink.domain.identifier import ServiceId, UserId
from extlink.domain.instant import Instant
from extlink.domain.localized import LocalizedText
from extlink.domain.messages import LANGUAGES, Who, words
from extlink.domain.reason import Reason
from extlink.domain.remedy import Action
from extlink.domain.service_parts import DocumentLink

__all__ = ["Action", "Confirmation", "Item", "ItemState", "Readiness"]

ItemState = Literal["done", "missing", "cannot", "unknown"]
_NOTHING: Final[Mapping[str, Detail]] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class Confirmation:
    """What somebody last said of a step that is done outside.

    Args:
        by: who; None: the host itself.
        holds: False once it was taken back: calls before that moment show nothing any more.
    """

    by: UserId | None
    at: Instant
    holds: bool = True


@attrs.frozen(kw_only=True)
class Item:
    """One line of the checklist.

    Args:
        name: `available`, `registered`, `enabled`, `users`, `network`, `data_group`, `client`, `consent`, `last_call`,
            and `step:` with its id for a step of the service's definition that is done outside.
        titles: what the line is called.
        state: `done`; `missing`; `cannot`: nobody in this domain can do it; `unknown`: nothing shows whether it is.
        who: the role that may do it.
        reason: why the state is what it is; where it is not done, `reason.remedy.text("ja")` says what to do.
        gate: the gate that asks for it at every call; None: advice that no gate asks for.
        waits: the earlier item that has to be done first.
        links: pages that explain it, those of the tenant's edition.
        evidence: figures, such as the share of the published addresses that come in.
        advice: what is no obstacle today and should be known.
        remedy: the operation that helps; None: none does, or the step is outside.
    """

    name: str
    titles: LocalizedText
    state: ItemState
    who: Who
    reason: Reason
    gate: Gate | None = None
    waits: str | None = None
    links: tuple[DocumentLink, ...] = ()
    evidence: Mapping[str, Detail] = attrs.field(default=_NOTHING, hash=False)
    advice: tuple[Reason, ...] = ()
    remedy: Action | None = None

    def title(self, language: str = "en") -> str:
        """Return what the line is called, in ja, en or zh."""
        return self.titles.text(language)


@attrs.frozen(kw_only=True)
class Readiness:
    """Whether a service works, item by item.

    Args:
        user: whom the answer is about; None: anybody who is permitted.

    >>> Readiness(service="slack", edition="JP", user=None, items=()).would_pass
    False
    """

    service: ServiceId
    edition: Edition
    user: UserId | None
    items: tuple[Item, ...]

    @property
    def would_pass(self) -> bool:
        """Whether a permitted user would be let in from every published address that the edition can express (law 8).

        The link gate and everything outside are left out.
        """
        asked = [item for item in self.items if item.gate is not None]
        return bool(asked) and all(item.state == "done" for item in asked)

    @property
    def is_ready(self) -> bool:
        """Whether every item is done, those outside included."""
        return bool(self.items) and all(item.state == "done" for item in self.items)

    @property
    def next(self) -> Item | None:
        """The first item that can be worked on now; None: nothing is left, or nothing can be done."""
        return next((item for item in self.items if item.state in {"missing", "unknown"} and item.waits is None), None)

    def item(self, name: str) -> Item | None:
        """Return the item of this name, or None where the checklist has none."""
        return next((item for item in self.items if item.name == name), None)


def spelled(text: LocalizedText, edition: Edition) -> LocalizedText:
    """Return a text with kintone spelt as the edition spells it."""
    ja, en, zh = map(EDITIONS[edition].spell, text.texts)
    return LocalizedText(ja=ja, en=en, zh=zh)


def named(name: str, edition: Edition) -> LocalizedText:
    """Return what an item of extlink's own is called in an edition.

    >>> named("enabled", "JP").text("en")
    'The service is enabled'
    """
    ja, en, zh = (words(f"readiness.{name}", language) for language in LANGUAGES)
    return spelled(LocalizedText(ja=ja, en=en, zh=zh), edition)
