"""Google Hangouts Chat: listed, greyed, and currently unavailable (page A, note; TRACE T9)."""

from __future__ import annotations

from typing import Final

from extlink.domain.localized import LocalizedText
from extlink.domain.service import Availability, Service

__all__ = ["GOOGLE_HANGOUTS_CHAT"]

GOOGLE_HANGOUTS_CHAT: Final = Service(
    id="google-hangouts-chat",
    names=LocalizedText.same("Google Hangouts Chat"),
    descriptions=LocalizedText(
        ja="チャットサービスです。",
        en="A chat service.",
        zh="一种聊天服务。",
    ),
    directions=frozenset({"outbound"}),
    products=frozenset({"kintone"}),
    availability=Availability(
        state="unavailable",
        cause=LocalizedText(
            ja="連携の提供を停止しています",
            en="the integration is not being offered",
            zh="已停止提供该联动",
        ),
    ),
)
