# ruff: noqa: E501
# A sentence stays on one line, so that the three catalogues can be compared; full-width punctuation is Chinese.
"""原因与处理方法的简体中文文本 (reasons and remedies in simplified Chinese).

Rules: the words of the product's own Chinese help (an audit log is 监控日志); screens in “ ”, buttons in [ ]; nothing
that only one edition has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from extlink.domain.messages.codes import Message

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        # The service gate.
        "service.enabled": Message("{service}已启用。"),
        "service.enabled_by_default": Message("{service}未单独设置，但本域的默认设置允许使用。"),
        "service.unknown": Message(
            "{service}未在本域中注册。",
            "请先在本域中注册{service}，然后将其设为[启用]。同时请确认服务的id是否正确。",
        ),
        "service.unidentified": Message("令牌不属于本域，因此无法确定是哪个服务。"),
        "service.not_in_edition": Message(
            "{edition}不提供{service}。",
            "没有处理方法。本域无法使用{service}。",
        ),
        "service.product_missing": Message(
            "本域未使用{service}所需的产品（{products}）。",
            "请使本域可以使用以下产品中的至少一个：{products}。",
        ),
        "service.unavailable": Message(
            "目前无法与{service}联动（{cause}）。",
            "没有处理方法。在恢复提供之前，无法与{service}联动。",
        ),
        "service.not_enabled": Message(
            "{service}在本域中尚未启用。",
            "请在“共通管理”的“系统管理”中打开[外部联动]，将{service}设为[启用]。",
        ),
        "service.disabled": Message(
            "{service}在本域中已禁用。",
            "请在“共通管理”的“系统管理”中打开[外部联动]，将{service}设为[启用]。",
        ),
        "service.quarantined": Message(
            "{service}在本域中已紧急停用（原因：{cause}）。",
            "请在消除原因后，解除{service}的紧急停用。已结束的联动不会恢复，用户需要重新联动。",
        ),
        "service.quarantined_everywhere": Message(
            "{service}在所有域中已紧急停用（原因：{cause}）。",
            "需由系统运维人员消除原因并解除{service}的紧急停用。在本域内无法处理。",
        ),
        "service.blocked_by_links": Message(
            "{service}已在本域中设置或使用过，因此无法取消注册。",
            "为避免已解除的联动恢复，请将{service}设为[禁用]，不要取消注册。",
        ),
        "service.step_unknown": Message(
            "{service}没有在外部进行的步骤“{step}”。",
            "请指定{service}的定义中的步骤。",
        ),
        # The user gate.
        "grant.user": Message("{user}已被单独允许使用{service}。"),
        "grant.organization": Message("{user}通过组织“{organization}”（{path}）被允许使用{service}。"),
        "grant.group": Message("{user}通过组“{group}”被允许使用{service}。"),
        "grant.everyone": Message("Everyone（所有人）已被允许使用{service}。"),
        "grant.kept": Message("{user}使用{service}的许可已被撤销，但现有的联动可以继续使用。"),
        "grant.not_applicable": Message("与{service}的联动属于本域而不属于某个用户，因此不检查用户的使用许可。"),
        "user.unidentified": Message("令牌不属于本域，因此无法确定是哪个用户。"),
        "user.unknown": Message(
            "找不到用户“{user}”。",
            "请在“用户管理”中添加{user}，或指定已注册的用户。",
        ),
        "user.suspended": Message(
            "用户“{user}”处于停用中。",
            "请在“用户管理”中将{user}恢复为使用中。停用时已结束的联动，需由用户本人重新联动。",
        ),
        "user.deleted": Message(
            "用户“{user}”已被删除。",
            "没有处理方法。已删除的用户“{user}”无法恢复。",
        ),
        "user.product_missing": Message(
            "操作“{scope}”需要{product}，但{user}无法使用{product}。",
            "请在“用户管理”中设置，使{user}可以使用{product}。",
        ),
        "grant.missing": Message(
            "{user}未被允许使用{service}。",
            "请在“外部联动”的[设置可使用联动的用户]中，允许{user}或其所属的组织、组使用{service}。",
        ),
        "grant.over": Message(
            "{user}使用{service}的许可已于{until}到期。",
            "请在“外部联动”的[设置可使用联动的用户]中，延长{user}可使用{service}的期限。",
        ),
        "grant.scope_not_granted": Message(
            "{user}已被允许使用{service}，但未被允许执行操作“{scope}”。",
            "请申请操作“{scope}”的许可，或在“外部联动”的[设置可使用联动的用户]中，不限定操作地允许{user}使用{service}。",
        ),
        "grant.excluded": Message(
            "{user}已从可使用{service}的用户中排除（排除对象：{by}）。",
            "请在“外部联动”的[设置可使用联动的用户]中，取消该排除（{by}）。",
        ),
        "directory.unavailable": Message(
            "无法获取用户和组织的信息，因此无法确认使用许可。",
            "需由系统运维人员恢复用户和组织信息的获取。恢复后请重试。",
        ),
        "membership.unknown": Message(
            "当时{user}所属的组织和组不明，因此无法判断其是否可以使用{service}。",
            "请指定当时的用户和组织信息（当日的备份），然后重新确认。",
        ),
        # The network gate.
        "network.allow_all": Message("本域的IP地址限制允许所有IP地址。"),
        "network.row": Message("{address}已由IP地址限制的行“{row}”允许（备注：{memo}；来源：{source}）。"),
        "network.proof": Message("用户已通过{proof}，因此允许从{address}访问。"),
        "network.published": Message(
            "{address}属于{service}公布的IP地址范围“{row}”（来源：{source}；版本：{version}）。"
        ),
        "network.not_applicable": Message("此操作不受IP地址限制的约束。"),
        "network.address_unknown": Message(
            "已启用IP地址限制，但访问来源的IP地址不明。",
            "需由系统运维人员进行设置，传递访问来源的IP地址。",
        ),
        "network.address_invalid": Message(
            "访问来源的IP地址“{address}”格式不正确（{problem}）。",
            "需由系统运维人员进行设置，以正确的格式传递访问来源的IP地址。",
        ),
        "network.address_not_allowed": Message(
            "IP地址限制未允许{address}。",
            "请在“IP地址限制”中允许包含{address}的范围。如果是来自服务的访问，请允许该服务公布的IP地址。",
        ),
        "network.deny_all": Message(
            "IP地址限制为“全部拒绝”，因此无法从{address}访问。",
            "请将“IP地址限制”改为“部分允许”，并允许包含{address}的范围。",
        ),
        "network.not_published": Message(
            "{address}不属于{service}公布的IP地址（来源：{source}；版本：{version}）。",
            "如果{service}已公布新的列表，请重新设置服务公布的IP地址。否则，该访问并非来自{service}，请解除所使用的联动。",
        ),
        "network.ranges_unknown": Message(
            "已设置为仅允许来自{service}公布的IP地址的访问，但尚未注册这些IP地址。",
            "请注册{service}公布的IP地址，或取消此设置。",
        ),
        # The data group gate.
        "datagroup.no_policy": Message("没有适用的数据策略。"),
        "datagroup.same_group": Message("流中的连接器（{connectors}）属于同一个数据组。"),
        "datagroup.flow_unknown": Message(
            "流中使用的连接器不明，因此无法检查数据组。",
            "需由系统运维人员进行设置，传递流中使用的所有连接器。",
        ),
        "datagroup.not_applicable": Message("此操作不属于数据组检查的对象。"),
        "datagroup.blocked": Message(
            "连接器“{connector}”已被数据策略（{policies}）阻止。",
            "请联系Power Platform管理员，在数据策略（{policies}）中将连接器“{connector}”设置到与流中其他连接器相同的数据组。",
        ),
        "datagroup.mixed": Message(
            "数据策略“{policy}”不允许在同一个流中同时使用业务连接器（{business}）和非业务连接器（{non_business}）。",
            "请联系Power Platform管理员，在数据策略“{policy}”中将流使用的所有连接器设置到同一个数据组。",
        ),
        "datagroup.action_blocked": Message(
            "连接器“{connector}”的操作“{action}”已被数据策略（{policies}）阻止。",
            "请联系Power Platform管理员，在数据策略（{policies}）中允许连接器“{connector}”的操作“{action}”。如果无法允许，请从流中删除此操作。",
        ),
        "datagroup.endpoint_denied": Message(
            "数据策略（{policies}）拒绝连接器“{connector}”连接终结点“{endpoint}”。",
            "请联系Power Platform管理员，在数据策略（{policies}）中允许连接器“{connector}”连接终结点“{endpoint}”。如果无法允许，请从流中删除此终结点。",
        ),
        # The link gate.
        "link.live": Message("联动“{link}”正在使用中。"),
        "link.not_asked": Message("未出示令牌，因此未检查联动。"),
        "link.missing": Message(
            "{user}尚未与{service}联动。",
            "请从{service}的页面开始联动，并在确认页面中点击[允许]。",
        ),
        "link.revoked": Message(
            "联动“{link}”已由{by}解除。",
            "如需继续使用，请从服务的页面重新联动。",
        ),
        "link.ended": Message(
            "联动“{link}”已结束（原因：{cause}）。",
            "请向管理员确认原因已消除，然后从服务的页面重新联动。",
        ),
        "link.suspended": Message(
            "联动“{link}”已暂停。",
            "请消除暂停的原因，例如将服务设为[启用]，或将用户恢复为使用中。之后联动会自动恢复，无需重新联动。",
        ),
        "link.not_redeemed": Message(
            "联动“{link}”已被允许，但服务尚未获取令牌。",
            "请在服务的页面完成联动步骤。如果无法完成，请重新联动。",
        ),
        "link.expired": Message(
            "联动“{link}”已过期。",
            "请从服务的页面重新联动。",
        ),
        "link.dormant": Message(
            "联动“{link}”已有{days}天未使用，现已终止。",
            "请从服务的页面重新联动。",
        ),
        "token.unknown": Message(
            "令牌不是由本域签发的，或已不存在。",
            "请从服务的页面重新联动。",
        ),
        "token.expired": Message(
            "联动“{link}”的访问令牌已过期。",
            "服务需要使用刷新令牌获取新的访问令牌。如果无法获取，请重新联动。",
        ),
        "token.superseded": Message(
            "联动“{link}”的令牌已被新的令牌取代。",
            "服务需要使用最后收到的令牌。如果仍未解决，请重新联动。",
        ),
        "token.wrong_kind": Message(
            "需要{expected}，但收到的是{kind}。",
            "请联系服务的提供方，使用{expected}。",
        ),
        "token.wrong_audience": Message(
            "令牌的接收方不一致（{audience}）。",
            "请联系服务的提供方，使用以本域为接收方的令牌。",
        ),
        "token.wrong_client": Message(
            "令牌是签发给其他OAuth客户端的。",
            "请联系服务的提供方，使用签发给其自身的令牌。",
        ),
        "scope.not_covered": Message(
            "操作“{scope}”不在联动已允许的操作（{granted}）之内。",
            "请从服务的页面重新联动，并允许操作“{scope}”。",
        ),
        "scope.unknown": Message(
            "{service}的定义中没有操作“{scope}”。",
            "需由系统运维人员修正所指定的操作，或在{service}的定义中添加操作“{scope}”。",
        ),
        "scope.not_requested": Message(
            "未指定要检查的操作。",
            "需由系统运维人员进行修正，在检查时指定所需的操作。",
        ),
        "code.used": Message(
            "联动“{link}”的授权码已被使用。",
            "请从服务的页面重新联动。",
        ),
        "code.expired": Message(
            "联动“{link}”的授权码已过期。",
            "请从服务的页面重新联动。",
        ),
        "code.redirect_mismatch": Message(
            "重定向端点与请求授权时的不一致。",
            "请联系服务的提供方，指定与请求授权时相同的重定向端点。",
        ),
        "code.verifier_missing": Message(
            "缺少验证授权码所需的code_verifier。",
            "请联系服务的提供方，发送与请求授权时的code_challenge对应的code_verifier。",
        ),
        "code.verifier_mismatch": Message(
            "code_verifier与请求授权时的code_challenge不一致。",
            "请联系服务的提供方，发送与请求授权时的code_challenge对应的code_verifier。",
        ),
        "code.verifier_unexpected": Message(
            "请求授权时没有code_challenge，因此不能使用code_verifier。",
            "请联系服务的提供方，在请求授权时发送code_challenge。",
        ),
        "refresh.scope_wider": Message(
            "刷新令牌时请求了未允许的操作（{scope}）。",
            "请联系服务的提供方，仅请求已允许的操作。如需增加操作，请重新联动。",
        ),
        "refresh.other_request": Message(
            "同一个刷新令牌被再次使用，但指定的操作或接收方与上次不同。",
            "请联系服务的提供方，以与上次相同的内容重新请求。",
        ),
        "refresh.reused": Message(
            "联动“{link}”中已使用过的刷新令牌被再次使用，为安全起见已结束该联动。",
            "如果不清楚原因，请联系管理员。如需继续使用，请从服务的页面重新联动。",
        ),
        "refresh.expired": Message(
            "联动“{link}”的刷新令牌已过期。",
            "请从服务的页面重新联动。",
        ),
        # Operations.
        "actor.not_permitted": Message(
            "没有执行操作“{operation}”的权限。可执行者：{roles}。",
            "请委托拥有以下任一权限的人执行：{roles}。",
        ),
        "actor.not_owner": Message(
            "联动“{link}”不属于执行操作的人。",
            "请由联动的本人操作，或委托共通管理员。",
        ),
        "tenant.not_open": Message(
            "域“{tenant}”尚未开始使用。",
            "需由系统运维人员指定版本和产品，开始使用域“{tenant}”。",
        ),
        "tenant.opened_differently": Message(
            "域“{tenant}”已以其他版本或产品开始使用。",
            "需由系统运维人员指定与域“{tenant}”开始使用时相同的版本和产品。",
        ),
        "tenant.incomplete": Message(
            "域“{tenant}”的删除或迁移尚未完成，只存有部分数据。",
            "需由系统运维人员先完成域“{tenant}”的删除或迁移，再开始使用。",
        ),
        "tenant.moved_on": Message(
            "在确认更改的影响之后，域“{tenant}”的内容已被更改。",
            "请重新确认影响，确认无误后再保存更改。",
        ),
        "version.stale": Message(
            "{what}已被其他人更改。",
            "请显示最新内容，重新更改后再保存。",
        ),
        "save.too_large": Message(
            "一次最多可保存{limit}项更改，但现有{count}项。",
            "请改为允许组织或组使用，或分批保存，每次不超过{limit}项。",
        ),
        "request.already_granted": Message("{user}已被允许使用{service}，无需申请。"),
        "request.unknown": Message(
            "找不到{user}对{service}的待处理申请。",
            "请重新显示待处理申请的列表。该申请可能已由其他管理员处理。",
        ),
        "request.expired": Message(
            "{user}对{service}的申请未在期限内得到处理，已失效。",
            "请重新申请使用{service}。",
        ),
        "request.too_many": Message(
            "本域的待处理申请最多为{limit}项，现已达到上限。",
            "请先处理待处理的申请，然后重新申请。",
        ),
        "record.too_large": Message(
            "{what}过大，无法保存。",
            "请减少内容，或分批保存。",
        ),
        "subject.unknown": Message(
            "找不到{kind}“{id}”。",
            "请显示最新的列表，并指定已注册的{kind}。",
        ),
        "consent.unknown": Message(
            "联动确认页面的信息不正确。",
            "请从服务的页面重新开始联动。",
        ),
        "consent.expired": Message(
            "联动确认页面显示的时间过长，无法允许。",
            "请从服务的页面重新开始联动。",
        ),
        "consent.other_user": Message(
            "此联动确认页面是显示给其他用户的。",
            "请使用自己的账户登录，并从服务的页面重新开始联动。",
        ),
        "consent.used": Message(
            "此联动确认页面已被使用。",
            "如需再次联动，请从服务的页面重新开始。",
        ),
        "consent.other_session": Message(
            "此联动确认页面是在其他登录会话中显示的。",
            "请从服务的页面重新开始联动，并在同一浏览器中作答。",
        ),
        "authorization.malformed": Message(
            "服务的请求未正确表明来自哪个OAuth客户端。",
            "请联系服务的提供方，仅发送一次client_id，且最多发送一次redirect_uri。",
        ),
        "authorization.redirect_uri": Message(
            "请求的重定向端点未在OAuth客户端“{client}”中注册。",
            "请逐字比较服务显示的重定向端点与已注册的端点，并注册完全相同的端点。",
        ),
        "authorization.scope": Message(
            "OAuth客户端“{client}”已不能请求其中的部分操作。",
            "请重新联动该服务。如需要这些操作，请为OAuth客户端允许这些操作。",
        ),
        "resource.not_granted": Message(
            "请求了联动未允许的接收方的令牌。",
            "请联系服务的提供方，指定与最初请求相同的接收方，或不指定。",
        ),
        "client.unknown": Message(
            "此域中没有OAuth客户端“{client}”。",
            "请确认服务中设置的客户端ID，或添加OAuth客户端。",
        ),
        "client.removed": Message(
            "建立此联动的OAuth客户端“{client}”已被删除。",
            "请为服务添加OAuth客户端，并重新联动。",
        ),
        "client.another": Message(
            "OAuth客户端“{client}”的服务和类型无法更改。",
            "请添加其他OAuth客户端，并删除此客户端。",
        ),
        "client.wrong_secret": Message(
            "OAuth客户端的密钥不正确、已被删除或已过期。",
            "请在服务中设置有效的客户端密钥；管理员可以添加密钥。",
        ),
        "client.wrong_method": Message(
            "OAuth客户端使用了未允许的认证方式。",
            "请在服务中设置此客户端允许的认证方式。",
        ),
        "client.no_secrets": Message(
            "OAuth客户端“{client}”未设置为使用密钥（secret）认证。",
            "请先允许使用密钥（secret）的认证方式，或使用其公钥。",
        ),
        "client.no_keys": Message(
            "OAuth客户端“{client}”未设置为使用公钥认证。",
            "请先允许private_key_jwt。",
        ),
        "client.too_many_secrets": Message(
            "OAuth客户端“{client}”已有{limit}个密钥。",
            "请先删除服务不再使用的密钥，然后再添加。",
        ),
        "client.unknown_secret": Message(
            "OAuth客户端“{client}”没有密钥“{secret}”。",
            "请重新加载页面；可能已被其他管理员删除。",
        ),
        "client.assertion_malformed": Message(
            "无法读取客户端断言。",
            "请联系服务的提供方，发送包含iss、sub、aud、exp、jti的已签名JWT（RFC 7523）。",
        ),
        "client.assertion_signature": Message(
            "客户端断言未使用已注册的密钥签名。",
            "请注册服务用于签名的公钥。",
        ),
        "client.assertion_audience": Message(
            "客户端断言是为其他服务器生成的。",
            "请联系服务的提供方，仅将此服务器的签发者标识指定为接收方（aud）。",
        ),
        "client.assertion_expired": Message(
            "客户端断言已过期，或有效期超过10分钟。",
            "请确认服务端的时钟，并将断言的有效期设为几分钟。",
        ),
        "client.assertion_replayed": Message(
            "客户端断言已被使用过。",
            "请联系服务的提供方，为每个请求生成新的断言。",
        ),
        "client.too_many_assertions": Message(
            "OAuth客户端在短时间内使用了过多断言。",
            "请等待几分钟，并请服务的提供方重复使用令牌，而不是每次重新请求。",
        ),
        "link.unknown": Message(
            "找不到联动“{link}”。",
            "请显示最新的列表。该联动可能已被解除。",
        ),
        "link.too_many": Message(
            "每个用户与{service}的联动最多为{limit}个。",
            "请解除不使用的与{service}的联动，然后重新联动。",
        ),
        "link.transition": Message(
            "联动“{link}”的状态为“{state}”，因此无法执行“{event}”。",
            "请确认联动的状态。已结束的联动不会恢复，需要重新联动。",
        ),
        "network.row_limit": Message(
            "{edition}的IP地址限制最多可注册{limit}行，但现有{rows}行。",
            "请将相邻的范围合并为一行，或删除不需要的行，使其不超过{limit}行。",
        ),
        "network.ipv4_only": Message(
            "{edition}的IP地址限制只能注册IPv4地址，但指定了{range}。",
            "请去掉{range}，仅指定IPv4地址的范围。",
        ),
        "network.not_self_service": Message(
            "{edition}的客户无法自行设置IP地址限制。",
            "请委托产品的支持窗口进行设置。",
        ),
        "network.locks_out_actor": Message(
            "保存此设置后，将无法从操作者的IP地址（{address}）访问。",
            "请同时允许包含{address}的范围。仅在确实允许无法访问的情况下，明确指定后再保存。",
        ),
        "network.unknown_row": Message(
            "IP地址限制中没有行“{row}”。",
            "请显示最新的列表，并指定已注册的行。",
        ),
        "network.proof_not_in_edition": Message(
            "{edition}不能使用{proof}。",
            "请去掉{proof}后保存。仅在美国版中尚未迁移的域，请明确指定后再保存。",
        ),
        "network.proof_needs_restriction": Message(
            "IP地址限制为“全部允许”，因此无法设置{proofs}。",
            "请先将“IP地址限制”改为“部分允许”或“全部拒绝”。",
        ),
        "network.reset_unknown": Message(
            "重置URL无效：不正确、已过期，或IP地址限制已被重置。",
            "请使用一小时内保存的更改的重置URL，或委托能够访问的管理员。",
        ),
        "network.no_requirement": Message(
            "{service}的定义中没有所需公开地址的依据“{requirement}”（已有的依据：{known}）。",
            "请指定{service}定义中已有的依据，或注册包含依据的定义。",
        ),
        "network.data_missing": Message(
            "指定的资料中缺少依据“{requirement}”所要求的列表（{lists}），因此无法判断所需的地址。",
            "请获取包含这些列表的公开资料，并一并指定。",
        ),
        "network.plan_no_data": Message(
            "没有服务公布的IP地址的信息，因此无法规划要允许的范围。",
            "请先读入服务公布IP地址的文件，然后重试。",
        ),
        "network.plan_limit_unknown": Message(
            "IP地址限制可注册的行数上限不明，因此无法规划要允许的范围。",
            "请向产品的支持窗口确认IP地址限制可注册的行数。",
        ),
        "network.plan_ipv6_only": Message(
            "服务仅公布了IPv6地址（例如{range}），但IP地址限制只能注册IPv4地址。",
            "请向产品的支持窗口确认如何允许来自IPv6地址的访问。",
        ),
        "network.plan_not_global": Message(
            "服务公布的IP地址中包含非全局IP地址的范围“{range}”。",
            "请检查服务公布IP地址的文件，去掉{range}后重试。",
        ),
        "network.plan_rows": Message(
            "IP地址限制最多可注册{limit}行，现已有{rows}行。要允许公布的所有IP地址，至少还需要{fewest}行。",
            "请将相邻的范围合并为一行，或删除不需要的行，以留出至少{fewest}行。",
        ),
        "network.plan_opens_too_much": Message(
            "在最多{rows}行的列表中，要允许公布的所有IP地址，还会同时开放另外{extra}个IP地址，超过了指定的上限{most}个。",
            "请将相邻的范围合并为一行，或删除不需要的行，以留出更多的行，或者提高上限。",
        ),
        "datagroup.unblockable": Message(
            "连接器“{connector}”不能被阻止，因此无法保存数据策略“{policy}”。",
            "请将连接器“{connector}”设置为业务或非业务。",
        ),
        "datagroup.unblockable_actions": Message(
            "连接器“{connector}”不能被阻止，也不能设置操作规则，因此无法保存数据策略“{policy}”。",
            "请删除连接器“{connector}”的操作规则。",
        ),
        "datagroup.unknown_policy": Message(
            "找不到数据策略“{policy}”。",
            "请显示最新的列表，并指定已注册的数据策略。",
        ),
        "subscription.too_many": Message(
            "联动“{link}”已订阅{limit}个触发器，达到上限。",
            "请删除不再需要的触发器，或者解除联动后重新联动。",
        ),
        "subscription.unknown": Message(
            "找不到触发器的订阅“{subscription}”。",
            "服务需要重新订阅触发器。解除联动时，其订阅会一并删除。",
        ),
        "subscription.trigger_unknown": Message(
            "{service}的定义中没有触发器“{trigger}”。",
            "服务需要指定{service}的定义中已有的触发器。",
        ),
        "ledger.position_unknown": Message(
            "监控日志中没有位置{position}的记录。",
            "请指定监控日志中已有的位置。",
        ),
        # The checklist of a service.
        "readiness.available": Message("{service}可在{edition}中使用。"),
        "readiness.definition_unknown": Message(
            "没有{service}的定义，无法判断是否可以使用。",
            "请注册{service}。",
        ),
        "readiness.registered": Message("{service}已注册。"),
        "readiness.no_user": Message(
            "还没有可以使用{service}的用户。",
            "请在“设置可使用联动的用户”中，允许使用中的用户使用{service}。",
        ),
        "readiness.covered": Message("{service}公布的{count}个IP地址均已允许（来源：{source}）。"),
        "readiness.not_covered": Message(
            "{service}公布的IP地址中，有{count}个未被允许（已允许{percent}%，来源：{source}）。",
            "请在“IP地址限制”中允许这些IP地址。",
        ),
        "readiness.not_pinned": Message(
            "{service}公布的IP地址中，有{count}个不在已登记的公布地址中。",
            "请用新的资料重新登记{service}公布的IP地址。",
        ),
        "readiness.ranges_unknown": Message(
            "{service}使用的IP地址不明，无法判断是否已允许。",
            "请指定{service}的提供方公布IP地址的资料。",
        ),
        "readiness.inexpressible": Message(
            "{service}公布的IP地址无法登记到{edition}的IP地址限制中。",
            "请咨询产品的支持窗口。",
        ),
        "readiness.partly_inexpressible": Message(
            "公布的IP地址中，有{count}个是IPv6，无法登记到{edition}的IP地址限制中。",
            "如果服务通过IPv6连接，请咨询产品的支持窗口。",
        ),
        "readiness.data_old": Message(
            "{service}公布的IP地址资料是{days}天前的（有效期为{limit}天）。",
            "请从提供方获取新的资料，并再次检查。",
        ),
        "readiness.data_undated": Message(
            "{service}公布的IP地址资料日期不明。",
            "请从提供方获取新的资料，并再次检查。",
        ),
        "readiness.differs": Message("依据“{other}”中有{count}个IP地址不在依据“{requirement}”中。"),
        "readiness.two_factor": Message(
            "在{edition}中，如果有用户在移动端使用双重验证，IP地址限制必须设为“全部允许”。",
            "请确认没有用户在移动端使用双重验证。",
        ),
        "readiness.client": Message("可以使用OAuth客户端“{client}”。"),
        "readiness.client_unusable": Message(
            "OAuth客户端“{client}”没有有效的密钥或重定向端点。",
            "请为OAuth客户端“{client}”设置密钥和重定向端点。",
        ),
        "readiness.no_client": Message(
            "未注册{service}的OAuth客户端。",
            "请注册{service}的OAuth客户端，并在{service}中设置客户端ID和密钥。",
        ),
        "readiness.confirmed": Message("步骤“{step}”已由{user}于{at}确认完成。"),
        "readiness.seen": Message("{at}服务的访问已成功，因此步骤“{step}”已完成。"),
        "readiness.unconfirmed": Message(
            "步骤“{step}”是否完成不明。",
            "请执行步骤“{step}”，并确认已完成。",
        ),
        "readiness.connected": Message("{user}已与{service}联动。"),
        "readiness.nobody_connected": Message(
            "还没有用户与{service}联动。",
            "请从{service}的页面联动，并允许操作。",
        ),
        "readiness.links_unseen": Message(
            "{service}的联动过多，只检查了一部分，未找到可用的联动。",
            "请指定用户，再次检查。",
        ),
        "readiness.called": Message("{service}的访问于{at}成功。"),
        "readiness.never_called": Message(
            "还没有{service}的访问。",
            "请在{service}中运行流，并再次检查。",
        ),
    }
)
