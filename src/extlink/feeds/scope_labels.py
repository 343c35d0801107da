"""ScopeLabels: what a vendor calls its scopes, in the languages that its files have (S1).

Rules: a label is the vendor's own text and never a translation of ours. Where a language is missing the reader gets the
next of its chain, and it is always known which languages were really there:

| asked | shown |
|---|---|
| ja | Japanese, else English, else the scope's own name |
| en | English, else the scope's own name |
| zh | Chinese, else English, else the scope's own name |
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain.identifier import plain_text
from extlink.domain.localized import LocalizedText
from extlink.domain.messages import LANGUAGES, Language, language
from extlink.domain.service import DataDirection, ScopeDefinition
from extlink.domain.service_parts import parse_part
from extlink.errors import InvalidInput
from extlink.feeds.unused import Unused

__all__ = ["FALLBACK", "ScopeLabels"]

FALLBACK: Final[Mapping[Language, tuple[Language, ...]]] = MappingProxyType(
    {"ja": ("ja", "en"), "en": ("en",), "zh": ("zh", "en")}
)


def _read_only(texts: Mapping[str, Mapping[Language, str]]) -> Mapping[str, Mapping[Language, str]]:
    return MappingProxyType({scope: MappingProxyType(dict(found)) for scope, found in texts.items()})


@attrs.frozen(kw_only=True)
class ScopeLabels:
    """The labels of a vendor's scopes; `scope in labels` tells whether there is one in any language.

    Args:
        source: the kind of file, such as `microsoft-graph`.
        texts: by scope, then by language, in the order of the file.
        set_aside: the items that give no label, in the order of the file.
        prefixes: what may stand before a scope's name on the wire, as `https://graph.microsoft.com/` does.

    >>> labels = ScopeLabels(source="example", texts={"a:read": {"en": "Read"}}, set_aside=())
    >>> labels.label("a:read", "ja-JP"), labels.label("b", "ja"), sorted(labels.languages("a:read"))
    ('Read', 'b', ['en'])
    """

    source: str
    texts: Mapping[str, Mapping[Language, str]] = attrs.field(converter=_read_only, hash=False)
    set_aside: tuple[Unused, ...]
    prefixes: tuple[str, ...] = ()

    def __contains__(self, scope: object) -> bool:
        return bool(self._texts(scope))

    def languages(self, scope: str) -> frozenset[Language]:
        """Return the languages that the source really has a label in; none: the scope's own name is shown."""
        return frozenset(self._texts(scope))

    def label(self, scope: str, language: str) -> str:
        """Return the label for a language tag, by the chain of its language, or the scope's own name."""
        texts = self._texts(scope)
        return next((texts[name] for name in FALLBACK[_language(language)] if name in texts), scope)

    def definition(self, scope: str, product: str, direction: DataDirection) -> ScopeDefinition:
        """Return the definition of a scope with its labels.

        Args:
            product: the host's product it belongs to; empty for a service's own scopes.
            direction: `read` carries the host's data to the service, `write` the service's data to the host.

        Raises:
            InvalidInput: no scope token, or not a product or direction.

        >>> labels = ScopeLabels(source="example", texts={"a:read": {"en": "Read", "ja": "読む"}}, set_aside=())
        >>> labels.definition("a:read", "", "write").labels.texts
        ('読む', 'Read', 'Read')
        """
        if plain_text(scope) is None:
            raise InvalidInput("scope", f"expected text, got {type(scope).__name__}")
        ja, en, zh = (self.label(scope, name) for name in LANGUAGES)
        return ScopeDefinition(  # the constructor examines the scope
            name=scope,  # type: ignore[arg-type]
            labels=LocalizedText(ja=ja, en=en, zh=zh),
            product=product,
            direction=direction,
        )

    def joined(self, other: ScopeLabels) -> ScopeLabels:
        """Return the labels of both, such as the Japanese file of a vendor and its English one.

        Where both have a text in one language, this one's stands.

        Raises:
            InvalidInput: not `ScopeLabels`.

        >>> en = ScopeLabels(source="en", texts={"a": {"en": "Read"}}, set_aside=())
        >>> ja = ScopeLabels(source="ja", texts={"a": {"ja": "読む"}}, set_aside=())
        >>> sorted(en.joined(ja).languages("a"))
        ['en', 'ja']
        """
        parse_part(other, ScopeLabels, "other")
        scopes = dict.fromkeys([*self.texts, *other.texts])
        return ScopeLabels(
            source=self.source if self.source == other.source else f"{self.source} + {other.source}",
            texts={scope: {**other.texts.get(scope, {}), **self.texts.get(scope, {})} for scope in scopes},
            set_aside=(*self.set_aside, *other.set_aside),
            prefixes=tuple(dict.fromkeys([*self.prefixes, *other.prefixes])),
        )

    def _texts(self, scope: object) -> Mapping[Language, str]:
        name = plain_text(scope)
        if name is None:
            return _NONE
        bare = next((name[len(prefix) :] for prefix in self.prefixes if name.startswith(prefix)), name)
        return self.texts.get(name) or self.texts.get(bare) or _NONE

    def __reduce__(self) -> tuple[object, ...]:
        texts = {scope: dict(found) for scope, found in self.texts.items()}
        return _restore, (self.source, texts, self.set_aside, self.prefixes)


_NONE: Final[Mapping[Language, str]] = MappingProxyType({})
# `label` names its argument `language`, as its callers do.
_language = language


def _restore(
    source: str, texts: dict[str, dict[Language, str]], set_aside: tuple[Unused, ...], prefixes: tuple[str, ...]
) -> ScopeLabels:  # a read-only view cannot be pickled
    return ScopeLabels(source=source, texts=texts, set_aside=set_aside, prefixes=prefixes)
