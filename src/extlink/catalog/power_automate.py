# ruff: noqa: E501
# A text stays on one line, so that the three languages can be compared.
"""Microsoft Power Automate: users link kintone with many services as they like (page A).

Data alone. Texts spell the product kintone; `EditionProfile.spell` gives an edition's own spelling. Sources: the two
help pages; the pages' roots from the help site's configuration; the triggers from Microsoft's reference of the kintone
connector; the redirect address from Microsoft's public connectors.
"""

from __future__ import annotations

from typing import Final

from extlink.catalog.connectors import KINTONE
from extlink.catalog.pages import ACCOUNT_PAGES, IP_RESTRICTION_PAGES, on_every_help_site
from extlink.catalog.requirements import POWER_AUTOMATE_REQUIREMENTS
from extlink.catalog.scopes import GAROON_SCOPES, KINTONE_SCOPES
from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import DocumentKind, DocumentLink, OAuthProfile, Service, SetupStep, Trigger

__all__ = ["POWER_AUTOMATE"]

_RECORD_READ: Final = Scope("k:app_record:read")


def _everywhere(kind: DocumentKind, url: str, ja: str, en: str, zh: str) -> DocumentLink:
    return DocumentLink(kind=kind, url=url, title=LocalizedText(ja=ja, en=en, zh=zh))


_VENDOR_DOCUMENTS: Final = (
    _everywhere(
        "service",
        "https://flow.microsoft.com/ja-jp/",
        "Microsoft Power Automate",
        "Microsoft Power Automate",
        "Microsoft Power Automate",
    ),
    _everywhere(
        "addresses",
        "https://docs.microsoft.com/ja-jp/flow/limits-and-config#ip-address-configuration",
        "Microsoft Power Automateでの制限事項と構成",
        "Limits and configuration in Microsoft Power Automate",
        "Microsoft Power Automate中的限制和配置",
    ),
    _everywhere(
        "addresses",
        "https://support.office.com/ja-jp/article/office-365-url-%E3%81%8A%E3%82%88%E3%81%B3-ip-%E3%82%A2%E3%83%89%E3%83%AC%E3%82%B9%E7%AF%84%E5%9B%B2-8548a211-3fe7-47cb-abb1-355ea5aa88a2?ui=ja-JP&rs=ja-JP&ad=JP",
        "Office 365 URL および IP アドレス範囲",
        "Office 365 URLs and IP address ranges",
        "Office 365 URL和IP地址范围",
    ),
    _everywhere(
        "addresses",
        "https://www.microsoft.com/en-us/download/details.aspx?id=41653",
        "Microsoft Azure Datacenter IP Ranges",
        "Microsoft Azure Datacenter IP Ranges",
        "Microsoft Azure Datacenter IP Ranges",
    ),
    # What replaced the file above, which Microsoft no longer offers (TRACE T4).
    _everywhere(
        "addresses",
        "https://www.microsoft.com/en-us/download/details.aspx?id=56519",
        "Azure IP Ranges and Service Tags – Public Cloud",
        "Azure IP Ranges and Service Tags – Public Cloud",
        "Azure IP Ranges and Service Tags – Public Cloud",
    ),
    _everywhere(
        "data_group",
        "https://docs.microsoft.com/ja-jp/flow/introduction-to-data-groups",
        "データグループのすべて",
        "All about data groups",
        "关于数据组的一切",
    ),
)

_LINKS: Final = (
    *_VENDOR_DOCUMENTS,
    *IP_RESTRICTION_PAGES,
    *on_every_help_site(
        "app_side",
        "/k/ja/user/oauth/msflow.html",
        LocalizedText(
            ja="Microsoft Power Automateとkintoneを連携する",
            en="Connect Microsoft Power Automate with kintone",
            zh="将Microsoft Power Automate与kintone联动",
        ),
    ),
    DocumentLink(
        kind="app_side",
        url="https://developer.cybozu.io/hc/ja/articles/115005486166",
        title=LocalizedText(
            ja="Microsoft Power Automateのkintoneコネクタで特定のツイートをkintoneに登録する",
            en="Add certain tweets to kintone with the kintone connector of Microsoft Power Automate",
            zh="使用Microsoft Power Automate的kintone连接器将特定推文添加到kintone",
        ),
        editions=frozenset({"JP"}),
    ),
    *ACCOUNT_PAGES,
    DocumentLink(
        kind="see_also",
        url="https://developer.cybozu.io/hc/ja/articles/360000361506-help",
        title=LocalizedText(
            ja="kintoneコネクタ（Microsoft Power Automate）を使う前に知っておきたいこと11選",
            en="11 things to know before using the kintone connector of Microsoft Power Automate",
            zh="使用kintone连接器（Microsoft Power Automate）前需要了解的11件事",
        ),
        editions=frozenset({"JP"}),
    ),
    DocumentLink(
        kind="see_also",
        url="https://www.kintone.com/ms-power-automate-things-to-know/",
        title=LocalizedText(
            ja="Microsoft Power Automateでkintoneを使う前に知っておきたいこと11選",
            en="11 Things to Know Before Using kintone with Microsoft Power Automate",
            zh="将kintone与Microsoft Power Automate配合使用前需要了解的11件事",
        ),
        editions=frozenset({"US"}),
    ),
)

_STEPS: Final = (
    SetupStep(
        id="global-cloud",
        stage="before",
        who="service_administrator",
        text=LocalizedText(
            ja="21Vianetが運営する中国のクラウドにはkintoneコネクタがないため、それ以外のリージョンのMicrosoft Power Automateを用意します。",
            en="Use Microsoft Power Automate of another region: the Chinese cloud operated by 21Vianet has no kintone connector.",
            zh="由世纪互联运营的中国云中没有kintone连接器，请使用其他区域的Microsoft Power Automate。",
        ),
        known_from="confirmation",
        editions=frozenset({"CN"}),
    ),
    SetupStep(
        id="allow-addresses",
        stage="before",
        who="access_administrator",
        text=LocalizedText(
            ja="IPアドレス制限が有効な場合は、「IPアドレス制限」で、Microsoft Power Automate、Office 365、Microsoft Azureが使用するIPアドレスを許可します。",
            en="If IP address restrictions are on, allow the addresses that Microsoft Power Automate, Office 365 and Microsoft Azure use.",
            zh="如果已启用IP地址限制，请在“IP地址限制”中允许Microsoft Power Automate、Office 365和Microsoft Azure使用的IP地址。",
        ),
        known_from="extlink",
        documents=frozenset({"addresses", "ip_restriction"}),
        editions=frozenset({"JP", "US"}),
    ),
    # CN customers cannot set the restriction themselves (TRACE T1).
    SetupStep(
        id="request-addresses",
        stage="before",
        who="vendor",
        text=LocalizedText(
            ja="IPアドレス制限が有効な場合は、Microsoft Power Automate、Office 365、Microsoft Azureが使用するIPアドレスの許可を、製品のサポート窓口に依頼します。",
            en="If IP address restrictions are on, ask the support of the product to allow the addresses that Microsoft Power Automate, Office 365 and Microsoft Azure use.",
            zh="如果已启用IP地址限制，请委托产品的支持窗口允许Microsoft Power Automate、Office 365和Microsoft Azure使用的IP地址。",
        ),
        known_from="extlink",
        documents=frozenset({"addresses"}),
        editions=frozenset({"CN"}),
    ),
    SetupStep(
        id="data-group",
        stage="before",
        who="service_administrator",
        text=LocalizedText(
            ja="Microsoft Power Automateで、連携するサービスとkintoneを同じデータグループに設定します。",
            en="In Microsoft Power Automate, put the services to be linked and kintone into the same data group.",
            zh="在Microsoft Power Automate中，将要联动的服务和kintone设置到同一个数据组。",
        ),
        known_from="confirmation",
        documents=frozenset({"data_group"}),
    ),
    SetupStep(
        id="enable",
        stage="step1",
        who="common_administrator",
        text=LocalizedText(
            ja="「共通管理」の「システム管理」で[外部連携]をクリックし、Microsoft Power Automateを[有効]にします。",
            en="Click [Integrations] under System administration and set Microsoft Power Automate to [Enabled].",
            zh="在“共通管理”的“系统管理”中点击[外部联动]，将Microsoft Power Automate设为[启用]。",
        ),
        known_from="extlink",
    ),
    SetupStep(
        id="permit-users",
        stage="step1",
        who="common_administrator",
        text=LocalizedText(
            ja="[連携利用ユーザーの設定]をクリックし、利用を許可するユーザーを選択して、[保存]をクリックします。",
            en="Click [Configure users], select the users who may use it, and click [Save].",
            zh="点击[设置可使用联动的用户]，选择允许使用的用户，然后点击[保存]。",
        ),
        known_from="extlink",
    ),
    SetupStep(
        id="app-side",
        stage="step2",
        who="app_administrator",
        text=LocalizedText(
            ja="kintoneアプリとMicrosoft Power Automateの連携を設定します。",
            en="Set up the connection between the kintone app and Microsoft Power Automate.",
            zh="设置kintone应用与Microsoft Power Automate的联动。",
        ),
        known_from="confirmation",
        documents=frozenset({"app_side"}),
    ),
)

_TRIGGERS: Final = tuple(
    Trigger(id=name, labels=LocalizedText(ja=ja, en=en, zh=zh), scope=_RECORD_READ)
    for name, ja, en, zh in (
        ("record_added", "レコードが登録されたとき", "When a record is added", "添加记录时"),
        ("record_updated", "レコードが更新されたとき", "When a record is updated", "更新记录时"),
        ("record_deleted", "レコードが削除されたとき", "When a record is deleted", "删除记录时"),
        ("comment_added", "コメントが書き込まれたとき", "When a comment is posted", "发表评论时"),
        (
            "status_changed",
            "プロセス管理のステータスが変更されたとき",
            "When the process management status is updated",
            "流程管理的状态变更时",
        ),
    )
)

POWER_AUTOMATE: Final = Service(
    id="power-automate",
    names=LocalizedText.same("Microsoft Power Automate"),
    descriptions=LocalizedText(
        ja="kintone、SharePoint、Dropbox、Slack、メール、Excelなど多数のサービスを、ユーザーが好きな形で連携させることができるWebサービスです。kintoneのデータを連携するサービスに反映することも、連携するサービスのデータをkintoneに反映することもできます。",
        en="A web service in which users link many services as they like, such as kintone, SharePoint, Dropbox, Slack, mail and Excel. Data of kintone can be passed to the linked services, and their data to kintone.",
        zh="一种Web服务，用户可以按自己喜欢的方式将kintone、SharePoint、Dropbox、Slack、邮件、Excel等众多服务联动起来。既可以将kintone的数据反映到联动的服务，也可以将联动的服务的数据反映到kintone。",
    ),
    directions=frozenset({"inbound"}),
    scopes=(*KINTONE_SCOPES, *GAROON_SCOPES),
    connector=KINTONE,
    products=frozenset({"kintone", "garoon"}),
    links=_LINKS,
    steps=_STEPS,
    requirements=POWER_AUTOMATE_REQUIREMENTS,
    triggers=_TRIGGERS,
    # Power Automate keeps a secret and sends no code challenge.
    oauth=OAuthProfile(
        kind="confidential",
        pkce="waived_for_confidential_client",
        redirect_uris=("https://global.consent.azure-apim.net/redirect",),
    ),
)
