"""Editions of the product as data: what a domain sold in Japan, the US or China has (S12, TRACE T1, T10).

Rule: whatever differs by edition is read from `EDITIONS`, never asked with `if edition == ...`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

from extlink.domain.help_pages import HELP_SITES, IP_RESTRICTION
from extlink.domain.identifier import parse_ids, plain_text
from extlink.domain.localized import LocalizedText
from extlink.domain.messages import Language
from extlink.domain.network import IPProfile, Proof
from extlink.errors import InvalidInput

__all__ = ["ALL_EDITIONS", "EDITIONS", "Edition", "EditionProfile", "parse_edition", "parse_editions", "parse_products"]

Edition = Literal["JP", "US", "CN"]
ALL_EDITIONS: Final[frozenset[Edition]] = frozenset({"JP", "US", "CN"})
_ORDER: Final = "JP, US, CN"
PRODUCTS: Final = frozenset({"kintone", "garoon"})

# The word alone, not a part of an address, a path or an identifier.
_KINTONE: Final = re.compile(r"(?<![A-Za-z0-9_./:@-])kintone(?!\.?[A-Za-z0-9_/:@-])")


def parse_edition(value: object, field: str = "edition") -> Edition:
    """Return `value` if it names an edition.

    Raises:
        InvalidInput: anything else; editions are upper case.

    >>> parse_edition("JP")
    'JP'
    """
    text = plain_text(value)
    if text is None:
        raise InvalidInput(field, f"expected one of {_ORDER}, got {type(value).__name__}")
    if text not in ALL_EDITIONS:
        raise InvalidInput(field, f"expected one of {_ORDER}, got {ascii(text)[:64]}")
    return text


def parse_editions(values: object, field: str = "editions") -> frozenset[Edition]:
    """Return a set of editions.

    Raises:
        InvalidInput: not a collection, or an item that names no edition.

    >>> sorted(parse_editions(["US", "CN"]))
    ['CN', 'US']
    """
    return frozenset(parse_edition(item, field) for item in parse_ids(values, field))


def parse_products(values: object, field: str = "products", *, edition: Edition | None = None) -> frozenset[str]:
    """Return a set of the host's products: `kintone`, `garoon`.

    Args:
        edition: if given, only what is sold in it (TRACE T10: no Garoon in the US).

    Raises:
        InvalidInput: not a collection, an unknown product, or one that the edition does not have.

    >>> sorted(parse_products({"kintone", "garoon"}))
    ['garoon', 'kintone']
    """
    sold = PRODUCTS if edition is None else EDITIONS[edition].products
    products = parse_ids(values, field)
    for product in products:
        if product not in sold:
            where = "" if edition is None else f" in edition {edition}"
            raise InvalidInput(field, f"expected some of {', '.join(sorted(sold))}{where}, got {ascii(product)[:64]}")
    return frozenset(products)


@attrs.frozen(kw_only=True)
class EditionProfile:
    """What one edition has.

    Args:
        console: the name of the common administration.
        administrator: what its administrators are called.
        product: how the edition spells kintone.
        domain: under which its customers' domains are.
        help_site: the root of its help pages.
        system_language: of mails and texts that have no reader, by default.
        products: ids of the products that are sold.
        network: what its IP restriction can hold, and who may set it.
        ip_page: the help page of the IP restriction; None: no page tells a customer (TRACE T1).
        basic_authentication: `before_migration`: only domains that were not moved yet.
        client_certificates: whether secure access is sold.
        two_factor: whether two-factor authentication is offered.
    """

    edition: Edition
    console: LocalizedText
    administrator: LocalizedText
    product: str
    domain: str
    help_site: str
    system_language: Language
    products: frozenset[str]
    network: IPProfile
    ip_page: str | None
    basic_authentication: Literal["available", "before_migration", "never"]
    client_certificates: bool
    two_factor: bool

    def proofs(self, *, before_migration: bool) -> frozenset[Proof]:
        """Return what an IP restriction can accept beside an address (TRACE T10, T16).

        Args:
            before_migration: whether this domain is one of those that were not moved yet.

        >>> sorted(EDITIONS["JP"].proofs(before_migration=False)), sorted(EDITIONS["US"].proofs(before_migration=False))
        (['basic', 'client_certificate'], [])
        """
        basic = {"available": True, "before_migration": before_migration, "never": False}[self.basic_authentication]
        offered: dict[Proof, bool] = {"basic": basic, "client_certificate": self.client_certificates}
        return frozenset(proof for proof, is_offered in offered.items() if is_offered)

    def spell(self, text: str) -> str:
        """Return a text with kintone spelt as the edition spells it; addresses and identifiers stay as they are.

        >>> EDITIONS["US"].spell("Connect Slack with kintone. See https://example.kintone.com/kintone.")
        'Connect Slack with Kintone. See https://example.kintone.com/kintone.'
        """
        return text if self.product == "kintone" else _KINTONE.sub(self.product, text)


EDITIONS: Final[Mapping[Edition, EditionProfile]] = MappingProxyType(
    {
        "JP": EditionProfile(
            edition="JP",
            console=LocalizedText(ja="cybozu.com共通管理", en="Users & System Administration", zh="cybozu.com共通管理"),
            administrator=LocalizedText(
                ja="cybozu.com共通管理者", en="cybozu.com Administrator", zh="cybozu.com共通管理员"
            ),
            product="kintone",
            domain="cybozu.com",
            help_site=HELP_SITES["JP"],
            system_language="ja",
            products=frozenset({"kintone", "garoon"}),
            network=IPProfile(row_limit=2_900, ipv4_only=True, self_service=True),
            ip_page=IP_RESTRICTION.get("JP"),
            basic_authentication="available",
            client_certificates=True,
            two_factor=False,
        ),
        "US": EditionProfile(
            edition="US",
            # There is no Chinese help site in the US; its Chinese screens follow the Japanese name.
            console=LocalizedText(
                ja="Kintone共通管理", en="Kintone Users & System Administration", zh="Kintone共通管理"
            ),
            administrator=LocalizedText(
                ja="Kintone共通管理者", en="Kintone Users & System Administrator", zh="Kintone共通管理员"
            ),
            product="Kintone",
            domain="kintone.com",
            help_site=HELP_SITES["US"],
            system_language="en",
            products=frozenset({"kintone"}),
            # "A reset URL, valid for one hour after its issue" (TRACE T1).
            network=IPProfile(row_limit=2_900, ipv4_only=True, self_service=True, reset_lifetime=3_600),
            ip_page=IP_RESTRICTION.get("US"),
            basic_authentication="before_migration",
            client_certificates=False,
            two_factor=True,
        ),
        "CN": EditionProfile(
            edition="CN",
            console=LocalizedText(ja="cybozu.cn共通管理", en="cybozu.cn Administration", zh="cybozu.cn共通管理"),
            administrator=LocalizedText(
                ja="cybozu.cn共通管理者", en="cybozu.cn Administrator", zh="cybozu.cn共通管理员"
            ),
            product="kintone",
            domain="cybozu.cn",
            help_site=HELP_SITES["CN"],
            system_language="zh",
            products=frozenset({"kintone", "garoon"}),
            # No page states a limit for CN or tells a customer how to set the restriction.
            network=IPProfile(row_limit=None, ipv4_only=True, self_service=False),
            ip_page=IP_RESTRICTION.get("CN"),
            basic_authentication="never",
            client_certificates=True,
            two_factor=False,
        ),
    }
)
