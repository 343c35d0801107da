"""Help pages that exist once for each edition, at the edition's own help site."""

from __future__ import annotations

from typing import Final

from extlink.domain.edition import EDITIONS
from extlink.domain.localized import LocalizedText
from extlink.domain.service import DocumentKind, DocumentLink

__all__ = ["ACCOUNT_PAGES", "IP_RESTRICTION_PAGES", "on_every_help_site"]


def on_every_help_site(kind: DocumentKind, path: str, title: LocalizedText) -> tuple[DocumentLink, ...]:
    """Return one link per edition to the page under `path`."""
    return tuple(
        DocumentLink(kind=kind, url=f"{profile.help_site}{path}", title=title, editions=frozenset({edition}))
        for edition, profile in EDITIONS.items()
    )


# How users confirm and end the services they use (page B).
ACCOUNT_PAGES: Final = on_every_help_site(
    "account_page",
    "/general/ja/user/list_personal/cooperation.html",
    LocalizedText(
        ja="利用中の外部連携サービスを確認・解除する",
        en="Confirm and end the external services in use",
        zh="确认和解除使用中的外部联动服务",
    ),
)

# Where to set the IP address restriction; CN has no such page (TRACE T1, T10).
IP_RESTRICTION_PAGES: Final = tuple(
    DocumentLink(
        kind="ip_restriction",
        url=profile.ip_page,
        title=LocalizedText(ja="IPアドレス制限とは", en="About IP address restrictions", zh="关于IP地址限制"),
        editions=frozenset({edition}),
    )
    for edition, profile in EDITIONS.items()
    if profile.ip_page is not None
)
