"""The pages of the host's own help, by edition: what the two pages of the trace link, and nothing else (TRACE T1, T10).

Rule: every edition's help site has one page under one path. CN has no page on how to set the IP restriction.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["HELP_SITES", "INTEGRATIONS", "IP_RESTRICTION"]

HELP_SITES: Final[Mapping[str, str]] = MappingProxyType(
    {"JP": "https://jp.cybozu.help", "US": "https://get.kintone.help", "CN": "https://help.cybozu.cn"}
)


def _pages(path: str, *but: str) -> Mapping[str, str]:
    return MappingProxyType({name: f"{site}{path}" for name, site in HELP_SITES.items() if name not in but})


# Page A, STEP 1: how a service is enabled, and how its users are chosen.
INTEGRATIONS: Final = _pages("/general/ja/admin/list_externalservices/oauth.html")
IP_RESTRICTION: Final = _pages("/general/ja/admin/list_security/list_access/ip_restrictions.html", "CN")
