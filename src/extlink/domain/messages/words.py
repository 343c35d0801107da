# ruff: noqa: E501
# A row stays on one line, so that the three languages can be compared; full-width punctuation is Japanese and Chinese.
"""Words beside the reasons: names of gates, answers, states, roles and buttons, and the consent page's sentences.

Rules: one row a key, in the order ja, en, zh, so the keys are equal in the three languages; a parameter stands in all
three or in none. `SPOKEN` says which reason parameters are words of a fixed list and under which keys those stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["SPOKEN", "WORDS"]

WORDS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        # The five gates and the four answers of a decision.
        "gate.service": ("サービス", "Service", "服务"),
        "gate.user": ("ユーザー", "User", "用户"),
        "gate.network": ("IPアドレス制限", "IP address restrictions", "IP地址限制"),
        "gate.data_group": ("データグループ", "Data group", "数据组"),
        "gate.link": ("連携", "Connection", "联动"),
        "answer.passed": ("通過", "Passed", "通过"),
        "answer.refused": ("拒否", "Refused", "拒绝"),
        "answer.not_applicable": ("対象外", "Not applicable", "不适用"),
        "answer.not_evaluated": ("未確認", "Not evaluated", "未检查"),
        # A link on the account page and on the user's edit screen.
        "state.in_use": ("使用中", "In use", "使用中"),
        "state.unused": ("未使用", "Unused", "未使用"),
        "state.suspended": ("連携を停止中", "Suspended", "联动已暂停"),
        "state.needs_reconnect": ("再連携が必要です", "Reconnection required", "需要重新联动"),
        "state.revoked": ("解除済み", "Disconnected", "已解除"),
        # The consent page.
        "consent.title": (
            "{client}が、あなたに代わって{product}を利用する許可を求めています",
            "{client} asks to use {product} on your behalf",
            "{client}请求代表您使用{product}",
        ),
        "consent.domain": ("ドメイン：{domain}", "Domain: {domain}", "域：{domain}"),
        "consent.account": ("ユーザー：{user}", "User: {user}", "用户：{user}"),
        "consent.operations": ("許可する操作", "Operations to permit", "要允许的操作"),
        "consent.lifetime": (
            "この連携は、解除するまで有効です。",
            "The connection stays in effect until you disconnect it.",
            "此联动在解除之前一直有效。",
        ),
        "consent.lifetime_until": (
            "この連携は、解除しない場合も{until}に終了します。",
            "The connection ends at {until}, unless you disconnect it earlier.",
            "即使不解除，此联动也将于{until}结束。",
        ),
        "consent.lifetime_unused": (
            "{days}日間使用されない場合、この連携は終了します。",
            "The connection ends if it is not used for {days} days.",
            "如果连续{days}天未使用，此联动将结束。",
        ),
        "consent.end": (
            "連携は、「アカウント設定」の「外部連携サービス」で[連携を解除]をクリックすると、いつでも終了できます。",
            "You can end the connection at any time: click [Disconnect] under External services in Account settings.",
            "您可以随时在“账户设置”的“外部联动服务”中点击[解除联动]来结束联动。",
        ),
        "consent.no_credentials": (
            "{client}に、ログイン名やパスワードが渡されることはありません。",
            "Your login name and password are not passed to {client}.",
            "您的登录名称和密码不会传递给{client}。",
        ),
        "consent.allow": ("許可する", "Allow", "允许"),
        "consent.refuse": ("許可しない", "Deny", "不允许"),
        # Ending a link.
        "end.confirm": (
            "{service}との連携を解除しますか？",
            "Disconnect {service}?",
            "是否解除与{service}的联动？",
        ),
        "end.effect": (
            "この連携を使用するフローは動作しなくなります。登録済みのデータは削除されません。もう一度利用するには、サービスの画面から連携してください。",
            "Flows that use this connection stop working. Data that was added stays. To use the service again, connect again from the service.",
            "使用此联动的流将停止运行。已添加的数据不会被删除。如需再次使用，请从服务的页面重新联动。",
        ),
        # The checklist of a service: its lines, and their states.
        "ui.readiness": ("利用開始の準備状況", "Readiness", "准备情况"),
        "readiness.available": ("利用できるサービスである", "The service is available", "服务可以使用"),
        "readiness.registered": ("サービスが登録されている", "The service is registered", "服务已注册"),
        "readiness.enabled": ("サービスが有効である", "The service is enabled", "服务已启用"),
        "readiness.users": ("利用できるユーザーがいる", "Users are permitted", "有允许使用的用户"),
        "readiness.network": (
            "サービスが公開しているIPアドレスが許可されている",
            "The published IP addresses are allowed",
            "服务公布的IP地址已允许",
        ),
        "readiness.data_group": ("データグループで許可されている", "The data groups allow it", "数据组已允许"),
        "readiness.client": ("OAuthクライアントを使用できる", "An OAuth client can be used", "OAuth客户端可以使用"),
        "readiness.consent": ("ユーザーが連携している", "A user is connected", "用户已联动"),
        "readiness.last_call": ("サービスからのアクセスが成功している", "A call has succeeded", "服务的访问已成功"),
        "ready.done": ("完了", "Done", "完成"),
        "ready.missing": ("未完了", "Missing", "未完成"),
        "ready.cannot": ("実施できません", "Not possible", "无法进行"),
        "ready.unknown": ("不明", "Unknown", "不明"),
        # Screens, switches and buttons.
        "ui.external_integration": ("外部連携", "Integrations", "外部联动"),
        "ui.external_services": ("外部連携サービス", "External services", "外部联动服务"),
        "ui.services_in_use": ("利用中の外部連携サービス", "External services in use", "使用中的外部联动服务"),
        "ui.account_settings": ("アカウント設定", "Account settings", "账户设置"),
        "ui.allow_integration": ("連携を許可する", "Allow integration", "允许联动"),
        "ui.enabled": ("有効", "Enabled", "启用"),
        "ui.disabled": ("無効", "Disabled", "禁用"),
        "ui.quarantined": ("緊急停止中", "Emergency stop", "紧急停用"),
        "ui.unavailable": ("現在使用できません", "Currently unavailable", "目前无法使用"),
        "ui.set_permitted_users": ("連携利用ユーザーの設定", "Configure users", "设置可使用联动的用户"),
        "ui.permitted_users": ("連携を利用できるユーザー", "Permitted users", "允许使用的用户"),
        "ui.permitted_operations": ("許可している操作", "Permitted operations", "已允许的操作"),
        "ui.end_integration": ("連携を解除", "Disconnect", "解除联动"),
        "ui.save": ("保存", "Save", "保存"),
        "ui.cancel": ("キャンセル", "Cancel", "取消"),
        # Who may do a thing (TRACE T11).
        "who.user": ("ユーザー", "User", "用户"),
        "who.common_administrator": ("共通管理者", "Users & System administrator", "共通管理员"),
        "who.access_administrator": ("アクセス制限の管理者", "Access control administrator", "访问限制的管理员"),
        "who.app_administrator": ("アプリ管理者", "App administrator", "应用管理员"),
        "who.service_administrator": ("外部サービスの管理者", "External service administrator", "外部服务的管理员"),
        "who.vendor": ("提供元", "Vendor", "提供方"),
        "who.host": ("システムの運用担当者", "System engineer", "系统运维人员"),
        "who.nobody": ("対処できる人はいません", "Nobody", "无人可以处理"),
        # Values of reason parameters.
        "kind.user": ("ユーザー", "User", "用户"),
        "kind.organization": ("組織", "Department", "组织"),
        "kind.group": ("グループ", "Group", "组"),
        "by.user": ("ユーザー", "the user", "用户"),
        "by.administrator": ("管理者", "an administrator", "管理员"),
        "by.client": ("連携先のサービス", "the service itself", "服务自身"),
        "by.system": ("システム", "the system", "系统"),
        "by.ended": ("システム（許可の取り消し）", "the system (the permission was withdrawn)", "系统（许可已被撤回）"),
        "by.superseded": ("新しい連携", "a newer connection", "新的联动"),
        "by.quarantine": ("システム（緊急停止）", "the system (emergency stop)", "系统（紧急停用）"),
        "by.dormant": ("システム（長期間の未使用）", "the system (not used for long)", "系统（长期未使用）"),
        "by.token_reuse": (
            "システム（トークンの不正使用の検知）",
            "the system (a token was reused)",
            "系统（检测到令牌被重复使用）",
        ),
        "by.code_reuse": (
            "システム（認可コードの不正使用の検知）",
            "the system (an authorization code was reused)",
            "系统（检测到授权码被重复使用）",
        ),
        "by.expired": ("システム（有効期限切れ）", "the system (it expired)", "系统（已过期）"),
        "by.client_removed": (
            "システム（OAuthクライアントの削除）",
            "the system (the OAuth client was removed)",
            "系统（OAuth客户端已删除）",
        ),
        "cause.tenant": (
            "ドメインのすべての連携の終了",
            "all connections of the domain were ended",
            "本域的所有联动已结束",
        ),
        "cause.service": (
            "サービスのすべての連携の終了",
            "all connections of the service were ended",
            "该服务的所有联动已结束",
        ),
        "cause.user": ("ユーザーの停止または削除", "the user was deactivated or deleted", "用户已被停用或删除"),
        "cause.host": ("すべてのドメインでの緊急停止", "an emergency stop in all domains", "所有域的紧急停用"),
        "cause.grant": ("利用の許可の取り消し", "the permission was withdrawn", "使用许可已被撤销"),
        "token.at": ("アクセストークン", "an access token", "访问令牌"),
        "token.rt": ("リフレッシュトークン", "a refresh token", "刷新令牌"),
        "token.ac": ("認可コード", "an authorization code", "授权码"),
        "link.consented": ("トークンの受け取り待ち", "waiting for the service to fetch its tokens", "等待获取令牌"),
        "link.live": ("使用中", "in use", "使用中"),
        "link.suspended": ("連携を停止中", "suspended", "联动已暂停"),
        "link.revoked": ("解除済み", "disconnected", "已解除"),
        "event.redeem": ("トークンの受け取り", "fetch tokens", "获取令牌"),
        "event.refresh": ("トークンの更新", "refresh tokens", "刷新令牌"),
        "event.suspend": ("連携の停止", "suspend", "暂停联动"),
        "event.resume": ("連携の再開", "resume", "恢复联动"),
        "event.revoke": ("連携の解除", "disconnect", "解除联动"),
        "edition.JP": ("日本版（cybozu.com）", "the Japanese edition (cybozu.com)", "日本版（cybozu.com）"),
        "edition.US": ("米国版（kintone.com）", "the US edition (kintone.com)", "美国版（kintone.com）"),
        "edition.CN": ("中国版（cybozu.cn）", "the Chinese edition (cybozu.cn)", "中国版（cybozu.cn）"),
        "product.kintone": ("kintone", "kintone", "kintone"),
        "product.garoon": ("Garoon", "Garoon", "Garoon"),
        "what.grants": ("連携を利用できるユーザー", "the permitted users", "允许使用的用户"),
        "what.network": ("IPアドレス制限", "the IP address restrictions", "IP地址限制"),
        "what.policy": ("データポリシー", "the data policy", "数据策略"),
        "proof.basic": ("Basic認証", "Basic authentication", "Basic认证"),
        "proof.client_certificate": (
            "セキュアアクセス（クライアント証明書）",
            "Secure Access (client certificate)",
            "SecureAccess（客户端证书）",
        ),
        # How values are written.
        "value.named": ("{kind}「{id}」", "{kind} {id}", "{kind}“{id}”"),
        "value.none": ("なし", "none", "无"),
        "value.true": ("はい", "yes", "是"),
        "value.false": ("いいえ", "no", "否"),
        "value.separator": ("、", ", ", "、"),
    }
)

SPOKEN: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("service.not_in_edition", "edition"): "edition",
        ("service.product_missing", "products"): "product",
        ("user.product_missing", "product"): "product",
        ("grant.excluded", "by"): "kind",
        ("link.revoked", "by"): "by",
        ("link.ended", "cause"): "cause",
        ("token.wrong_kind", "kind"): "token",
        ("token.wrong_kind", "expected"): "token",
        ("actor.not_permitted", "roles"): "who",
        ("subject.unknown", "kind"): "kind",
        ("version.stale", "what"): "what",
        ("record.too_large", "what"): "what",
        ("link.transition", "state"): "link",
        ("link.transition", "event"): "event",
        ("network.row_limit", "edition"): "edition",
        ("network.ipv4_only", "edition"): "edition",
        ("network.not_self_service", "edition"): "edition",
        ("readiness.available", "edition"): "edition",
        ("readiness.inexpressible", "edition"): "edition",
        ("readiness.partly_inexpressible", "edition"): "edition",
        ("readiness.two_factor", "edition"): "edition",
        ("network.proof", "proof"): "proof",
        ("network.proof_not_in_edition", "proof"): "proof",
        ("network.proof_not_in_edition", "edition"): "edition",
        ("network.proof_needs_restriction", "proofs"): "proof",
    }
)
