# A text stays on one line, so that the three languages can be compared.
"""What has to be admitted so that Power Automate reaches the host: three requirements, with source and date (T4).

`vendor-current`: what Microsoft asks for today where only connectors are used; the default. `vendor-current-http`: the
same, and what flows with HTTP actions call from. `seed`: the three documents of the help page, in the forms in which
they are published now. Source of the first two: MicrosoftDocs/power-automate-docs, articles/ip-address-configuration.md
at 00466be2 of 2026-05-13; of the third: page A.

Preview regions (EUAP, stage) belong to no region here; whoever uses one takes the lists for the whole cloud.
"""

from __future__ import annotations

from typing import Final

from extlink.domain.localized import LocalizedText
from extlink.domain.requirement import PublishedForm, Region, RequiredDocument, Requirement

__all__ = ["POWER_AUTOMATE_REQUIREMENTS"]

_SERVICE_TAGS: Final = "azure-service-tags"
_DOWNLOAD: Final = "https://www.microsoft.com/en-us/download/details.aspx?id=56519"
_READ_ON: Final = "2026-05-13"

# The names are those of the service tags, then of the datacenter XML where it has others, then of the page of limits:
# in English, in Japanese, in Portuguese and in Chinese.
REGIONS: Final = (
    Region(
        id="japan",
        titles=LocalizedText(ja="日本", en="Japan", zh="日本"),
        cloud="Public",
        places=("japaneast", "japanwest", "Japan", "日本", "Japão"),
    ),
    Region(
        id="united-states",
        titles=LocalizedText(ja="米国", en="United States", zh="美国"),
        cloud="Public",
        places=(
            "centralus",
            "eastus",
            "eastus2",
            "northcentralus",
            "southcentralus",
            "westcentralus",
            "westus",
            "westus2",
            "westus3",
            "uscentral",
            "useast",
            "useast2",
            "usnorth",
            "ussouth",
            "uswest",
            "uswest2",
            "uswestcentral",
            "United States",
            "米国",
            "Estados Unidos",
            "美国",
        ),
    ),
    # The cloud that 21Vianet operates is apart from the public one; there, all of it is China.
    Region(id="china", titles=LocalizedText(ja="中国", en="China", zh="中国"), cloud="China"),
)


def _tags(id: str, ja: str, en: str, zh: str, *groups: str) -> RequiredDocument:  # noqa: A002 - the word of the definition
    return RequiredDocument(
        id=id,
        titles=LocalizedText(ja=ja, en=en, zh=zh),
        page=_DOWNLOAD,
        forms=(PublishedForm(source=_SERVICE_TAGS, groups=groups),),
    )


_CONNECTORS: Final = _tags(
    "connectors", "コネクタの送信元", "Calls of connectors", "连接器的调用来源", "AzureConnectors"
)
_HTTP_ACTIONS: Final = _tags(
    "http-actions",
    "HTTPアクションの送信元",
    "Calls of HTTP actions",
    "HTTP操作的调用来源",
    "LogicApps",
    "PowerPlatformPlex",
    "PowerPlatformInfra",
)

_HELP_PAGE: Final = (
    RequiredDocument(
        id="power-automate",
        titles=LocalizedText(
            ja="Microsoft Power Automateでの制限事項と構成",
            en="Limits and configuration in Microsoft Power Automate",
            zh="Microsoft Power Automate中的限制和配置",
        ),
        page="https://docs.microsoft.com/ja-jp/flow/limits-and-config#ip-address-configuration",
        forms=(PublishedForm(source="power-automate-page"),),
    ),
    RequiredDocument(
        id="office-365",
        titles=LocalizedText(
            ja="Office 365 URL および IP アドレス範囲",
            en="Office 365 URLs and IP address ranges",
            zh="Office 365 URL和IP地址范围",
        ),
        page="https://learn.microsoft.com/en-us/microsoft-365/enterprise/urls-and-ip-address-ranges",
        forms=(PublishedForm(source="office-365-endpoints"),),
    ),
    RequiredDocument(
        id="azure",
        titles=LocalizedText.same("Microsoft Azure Datacenter IP Ranges"),
        page=_DOWNLOAD,
        forms=(
            PublishedForm(source=_SERVICE_TAGS, groups=("AzureCloud",)),
            PublishedForm(source="azure-datacenter-xml"),
        ),
    ),
)

POWER_AUTOMATE_REQUIREMENTS: Final = (
    Requirement(
        id="vendor-current",
        titles=LocalizedText(
            ja="Microsoftが現在求めている範囲（コネクタ）",
            en="What Microsoft asks for today (connectors)",
            zh="Microsoft目前要求的范围（连接器）",
        ),
        documents=(_CONNECTORS,),
        as_of=_READ_ON,
        regions=REGIONS,
    ),
    Requirement(
        id="vendor-current-http",
        titles=LocalizedText(
            ja="Microsoftが現在求めている範囲（コネクタとHTTPアクション）",
            en="What Microsoft asks for today (connectors and HTTP actions)",
            zh="Microsoft目前要求的范围（连接器和HTTP操作）",
        ),
        documents=(_CONNECTORS, _HTTP_ACTIONS),
        as_of=_READ_ON,
        regions=REGIONS,
    ),
    Requirement(
        id="seed",
        titles=LocalizedText(
            ja="ヘルプが求めている3つの資料の範囲",
            en="The three documents that the help page asks for",
            zh="帮助页面要求的三份资料的范围",
        ),
        documents=_HELP_PAGE,
        as_of="2020-06-09",
        regions=REGIONS,
    ),
)
