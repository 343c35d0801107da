# ruff: noqa: E501
# A text stays on one line, so that the three languages can be compared.
"""Slack: the user who becomes the assignee of a record is told by direct message (page A; TRACE T5).

Data alone. The link is the tenant's: one workspace connection. Scopes are Slack's own; chat:write opens the message,
the two of users find the recipient by the e-mail address (Slack's public interface description).
"""

from __future__ import annotations

from typing import Final

from extlink.catalog import connectors
from extlink.catalog.pages import ACCOUNT_PAGES, on_every_help_site
from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import DataDirection, DocumentLink, ScopeDefinition, Service, SetupStep, Trigger

__all__ = ["SLACK"]


def _scope(name: str, direction: DataDirection, ja: str, en: str, zh: str) -> ScopeDefinition:
    return ScopeDefinition(name=Scope(name), labels=LocalizedText(ja=ja, en=en, zh=zh), product="", direction=direction)


_SCOPES: Final = (
    _scope("chat:write", "read", "メッセージの送信", "Send messages", "发送消息"),
    _scope("im:write", "read", "ダイレクトメッセージの開始", "Start direct messages", "发起私信"),
    _scope("users:read", "write", "Slackのユーザーの取得", "Get the users of Slack", "获取Slack的用户"),
    _scope(
        "users:read.email",
        "write",
        "Slackのユーザーのメールアドレスの取得",
        "Get the e-mail addresses of the users of Slack",
        "获取Slack用户的邮箱地址",
    ),
)


_STEPS: Final = (
    SetupStep(
        id="same-email",
        stage="before",
        who="common_administrator",
        text=LocalizedText(
            ja="通知を受け取るユーザーについて、Slackと同じメールアドレスを「ユーザー管理」で設定します。",
            en="For the users who receive notifications, set the same e-mail address as in Slack in User administration.",
            zh="对于接收通知的用户，请在“用户管理”中设置与Slack相同的邮箱地址。",
        ),
        known_from="confirmation",
    ),
    SetupStep(
        id="enable",
        stage="step1",
        who="common_administrator",
        text=LocalizedText(
            ja="「共通管理」の「システム管理」で[外部連携]をクリックし、Slackを[有効]にします。",
            en="Click [Integrations] under System administration and set Slack to [Enabled].",
            zh="在“共通管理”的“系统管理”中点击[外部联动]，将Slack设为[启用]。",
        ),
        known_from="extlink",
    ),
    SetupStep(
        id="process-management",
        stage="step2",
        who="app_administrator",
        text=LocalizedText(
            ja="kintoneアプリの設定で、プロセス管理を有効にします。",
            en="Enable process management in the settings of the kintone app.",
            zh="在kintone应用的设置中启用流程管理。",
        ),
        known_from="confirmation",
    ),
    SetupStep(
        id="app-notification",
        stage="step2",
        who="app_administrator",
        text=LocalizedText(
            ja="kintoneアプリの設定で、Slackへの通知を有効にします。",
            en="Enable notifications to Slack in the settings of the kintone app.",
            zh="在kintone应用的设置中启用向Slack发送通知。",
        ),
        known_from="confirmation",
        documents=frozenset({"app_side"}),
    ),
)

SLACK: Final = Service(
    id="slack",
    names=LocalizedText.same("Slack"),
    descriptions=LocalizedText(
        ja="チャットサービスです。kintoneと連携すると、プロセス管理でレコードの作業者になったユーザーに、Slackのダイレクトメッセージで通知できます。",
        en="A chat service. Once it is connected with kintone, users who become the assignee of a record in process management are notified by a Slack direct message.",
        zh="一种聊天服务。与kintone联动后，可以通过Slack的私信通知在流程管理中成为记录执行者的用户。",
    ),
    directions=frozenset({"outbound"}),
    scopes=_SCOPES,
    connector=connectors.SLACK,
    products=frozenset({"kintone"}),
    links=(
        DocumentLink(kind="service", url="https://slack.com/intl/ja-jp/", title=LocalizedText.same("Slack")),
        *on_every_help_site(
            "app_side",
            "/k/ja/user/oauth/slack_integration.html",
            LocalizedText(ja="Slackとkintoneを連携する", en="Connect Slack with kintone", zh="将Slack与kintone联动"),
        ),
        *ACCOUNT_PAGES,
    ),
    steps=_STEPS,
    triggers=(
        Trigger(
            id="assignee_changed",
            labels=LocalizedText(
                ja="レコードの作業者になったとき",
                en="When somebody becomes the assignee of a record",
                zh="成为记录的执行者时",
            ),
            scope=Scope("chat:write"),
        ),
    ),
)
