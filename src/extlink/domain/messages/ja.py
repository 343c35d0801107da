# ruff: noqa: E501
# A sentence stays on one line, so that the three catalogues can be compared; full-width punctuation is Japanese.
"""理由と対処方法の日本語の文 (reasons and remedies in Japanese).

Rules: です・ます; the words of the product's own help; screens in 「 」, buttons in [ ]; nothing that only one edition has.
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
        "service.enabled": Message("{service}は有効です。"),
        "service.enabled_by_default": Message(
            "{service}は個別に設定されていませんが、このドメインの既定の設定により許可されています。"
        ),
        "service.unknown": Message(
            "{service}は、このドメインに登録されていません。",
            "{service}をこのドメインに登録してから、[有効]にしてください。サービスのidが間違っていないかも確認してください。",
        ),
        "service.unidentified": Message("トークンがこのドメインのものではないため、サービスを特定できません。"),
        "service.not_in_edition": Message(
            "{service}は、{edition}では提供されていません。",
            "対処方法はありません。このドメインでは{service}を利用できません。",
        ),
        "service.product_missing": Message(
            "{service}の利用に必要な製品（{products}）を、このドメインでは使用していません。",
            "次の製品のうち1つ以上を、このドメインで使用できるようにしてください：{products}。",
        ),
        "service.unavailable": Message(
            "{service}との連携は、現在使用できません（{cause}）。",
            "対処方法はありません。提供が再開されるまで、{service}とは連携できません。",
        ),
        "service.not_enabled": Message(
            "{service}は、このドメインで有効になっていません。",
            "「共通管理」の「システム管理」で[外部連携]を開き、{service}を[有効]にしてください。",
        ),
        "service.disabled": Message(
            "{service}は、このドメインで無効になっています。",
            "「共通管理」の「システム管理」で[外部連携]を開き、{service}を[有効]にしてください。",
        ),
        "service.quarantined": Message(
            "{service}は、このドメインで緊急停止中です（理由：{cause}）。",
            "原因を取り除いてから、{service}の緊急停止を解除してください。終了した連携は元に戻らないため、ユーザーはもう一度連携する必要があります。",
        ),
        "service.quarantined_everywhere": Message(
            "{service}は、すべてのドメインで緊急停止中です（理由：{cause}）。",
            "システムの運用担当者が原因を取り除き、{service}の緊急停止を解除する必要があります。ドメイン側でできる対処はありません。",
        ),
        "service.blocked_by_links": Message(
            "{service}は、このドメインで設定または利用されたことがあるため、登録を削除できません。",
            "解除された連携が元に戻らないように、登録を削除する代わりに{service}を[無効]にしてください。",
        ),
        "service.step_unknown": Message(
            "{service}には、サービスの外で行う手順「{step}」がありません。",
            "{service}の定義にある手順の名前を指定してください。",
        ),
        # The user gate.
        "grant.user": Message("{user}は、{service}の利用を個別に許可されています。"),
        "grant.organization": Message(
            "{user}は、組織「{organization}」（{path}）を通じて{service}の利用を許可されています。"
        ),
        "grant.group": Message("{user}は、グループ「{group}」を通じて{service}の利用を許可されています。"),
        "grant.everyone": Message("{service}の利用は、Everyone（全員）に許可されています。"),
        "grant.kept": Message(
            "{user}への{service}の利用の許可は取り消されましたが、既存の連携はそのまま利用できます。"
        ),
        "grant.not_applicable": Message(
            "{service}との連携はユーザーではなくドメインのものなので、ユーザーへの許可は確認しません。"
        ),
        "user.unidentified": Message("トークンがこのドメインのものではないため、ユーザーを特定できません。"),
        "user.unknown": Message(
            "ユーザー「{user}」は見つかりません。",
            "「ユーザー管理」で{user}を追加するか、登録されているユーザーを指定してください。",
        ),
        "user.suspended": Message(
            "ユーザー「{user}」は停止中です。",
            "「ユーザー管理」で{user}を使用中に変更してください。停止したときに終了した連携は、ユーザー本人がもう一度連携する必要があります。",
        ),
        "user.deleted": Message(
            "ユーザー「{user}」は削除されています。",
            "対処方法はありません。削除したユーザー「{user}」は元に戻せません。",
        ),
        "user.product_missing": Message(
            "操作「{scope}」には{product}が必要ですが、{user}は{product}を使用できません。",
            "「ユーザー管理」で、{user}が{product}を使用できるように設定してください。",
        ),
        "grant.missing": Message(
            "{user}は、{service}の利用を許可されていません。",
            "「外部連携」の[連携利用ユーザーの設定]で、{user}か、{user}が所属する組織またはグループに{service}の利用を許可してください。",
        ),
        "grant.over": Message(
            "{user}への{service}の利用の許可は、{until}に終了しました。",
            "「外部連携」の[連携利用ユーザーの設定]で、{user}が{service}を利用できる期間を延長してください。",
        ),
        "grant.scope_not_granted": Message(
            "{user}は{service}の利用を許可されていますが、操作「{scope}」は許可されていません。",
            "操作「{scope}」の許可を申請するか、「外部連携」の[連携利用ユーザーの設定]で、{user}に操作を限定せずに{service}の利用を許可してください。",
        ),
        "grant.excluded": Message(
            "{user}は、{service}を利用できるユーザーから除外されています（除外の対象：{by}）。",
            "「外部連携」の[連携利用ユーザーの設定]で、除外（{by}）を取り消してください。",
        ),
        "directory.unavailable": Message(
            "ユーザーと組織の情報を取得できないため、利用の許可を確認できません。",
            "システムの運用担当者が、ユーザーと組織の情報を取得できる状態に戻す必要があります。その後、もう一度実行してください。",
        ),
        "membership.unknown": Message(
            "当時の{user}の所属組織とグループが不明なため、{service}を利用できたかどうかを判定できません。",
            "当時のユーザーと組織の情報（その日の控え）を指定して、もう一度確認してください。",
        ),
        # The network gate.
        "network.allow_all": Message("このドメインでは、IPアドレス制限ですべてのIPアドレスが許可されています。"),
        "network.row": Message(
            "{address}は、IPアドレス制限の行「{row}」（メモ：{memo}、登録元：{source}）で許可されています。"
        ),
        "network.proof": Message("{proof}を通過しているため、{address}からのアクセスが許可されています。"),
        "network.published": Message(
            "{address}は、{service}が公開しているIPアドレスの範囲「{row}」に含まれています（登録元：{source}、バージョン：{version}）。"
        ),
        "network.not_applicable": Message("この操作は、IPアドレス制限の対象ではありません。"),
        "network.address_unknown": Message(
            "IPアドレス制限が有効ですが、アクセス元のIPアドレスが不明です。",
            "システムの運用担当者が、アクセス元のIPアドレスを渡すように設定する必要があります。",
        ),
        "network.address_invalid": Message(
            "アクセス元のIPアドレス「{address}」は正しい形式ではありません（{problem}）。",
            "システムの運用担当者が、アクセス元のIPアドレスを正しい形式で渡すように設定する必要があります。",
        ),
        "network.address_not_allowed": Message(
            "{address}は、IPアドレス制限で許可されていません。",
            "「IPアドレス制限」で、{address}を含む範囲を許可してください。サービスからのアクセスの場合は、サービスが公開しているIPアドレスを許可してください。",
        ),
        "network.deny_all": Message(
            "IPアドレス制限が「すべて拒否」のため、{address}からはアクセスできません。",
            "「IPアドレス制限」を「一部許可」に変更し、{address}を含む範囲を許可してください。",
        ),
        "network.not_published": Message(
            "{address}は、{service}が公開しているIPアドレスに含まれていません（登録元：{source}、バージョン：{version}）。",
            "{service}が新しい一覧を公開している場合は、「サービスが公開しているIPアドレス」を登録し直してください。それ以外の場合、{service}からのアクセスではないため、使用された連携を解除してください。",
        ),
        "network.ranges_unknown": Message(
            "{service}が公開しているIPアドレスからのアクセスだけを許可する設定ですが、そのIPアドレスが登録されていません。",
            "{service}が公開しているIPアドレスを登録するか、この設定を解除してください。",
        ),
        # The data group gate.
        "datagroup.no_policy": Message("適用されるデータポリシーはありません。"),
        "datagroup.same_group": Message("フローのコネクタ（{connectors}）は、同じデータグループに属しています。"),
        "datagroup.flow_unknown": Message(
            "フローで使用するコネクタが不明なため、データグループを確認できません。",
            "システムの運用担当者が、フローで使用するコネクタをすべて渡すように設定する必要があります。",
        ),
        "datagroup.not_applicable": Message("この操作は、データグループの確認の対象ではありません。"),
        "datagroup.blocked": Message(
            "コネクタ「{connector}」は、データポリシー（{policies}）でブロックされています。",
            "Power Platformの管理者に依頼し、データポリシー（{policies}）でコネクタ「{connector}」をフローのほかのコネクタと同じデータグループに設定してください。",
        ),
        "datagroup.mixed": Message(
            "データポリシー「{policy}」では、ビジネスのコネクタ（{business}）と非ビジネスのコネクタ（{non_business}）を同じフローで使用できません。",
            "Power Platformの管理者に依頼し、データポリシー「{policy}」で、フローで使用するコネクタをすべて同じデータグループに設定してください。",
        ),
        "datagroup.action_blocked": Message(
            "コネクタ「{connector}」のアクション「{action}」は、データポリシー（{policies}）でブロックされています。",
            "Power Platformの管理者に依頼し、データポリシー（{policies}）でコネクタ「{connector}」のアクション「{action}」を許可してください。許可できない場合は、このアクションをフローから削除してください。",
        ),
        "datagroup.endpoint_denied": Message(
            "コネクタ「{connector}」からエンドポイント「{endpoint}」への接続は、データポリシー（{policies}）で拒否されています。",
            "Power Platformの管理者に依頼し、データポリシー（{policies}）でコネクタ「{connector}」のエンドポイント「{endpoint}」を許可してください。許可できない場合は、このエンドポイントをフローから削除してください。",
        ),
        # The link gate.
        "link.live": Message("連携「{link}」は使用中です。"),
        "link.not_asked": Message("トークンを使用しない確認のため、連携は確認していません。"),
        "link.missing": Message(
            "{user}は、{service}と連携していません。",
            "{service}の画面から連携を開始し、確認画面で[許可する]をクリックしてください。",
        ),
        "link.revoked": Message(
            "連携「{link}」は、{by}によって解除されています。",
            "引き続き利用する場合は、サービスの画面からもう一度連携してください。",
        ),
        "link.ended": Message(
            "連携「{link}」は終了しています（理由：{cause}）。",
            "終了の原因が解消されたことを管理者に確認し、サービスの画面からもう一度連携してください。",
        ),
        "link.suspended": Message(
            "連携「{link}」を停止中です。",
            "サービスを[有効]にするか、ユーザーを使用中に戻すなど、停止の原因を取り除いてください。連携は再開され、もう一度連携する必要はありません。",
        ),
        "link.not_redeemed": Message(
            "連携「{link}」は許可されましたが、サービスがまだトークンを受け取っていません。",
            "サービスの画面で、連携の手続きを最後まで進めてください。完了しない場合は、もう一度連携してください。",
        ),
        "link.expired": Message(
            "連携「{link}」の有効期限が切れています。",
            "サービスの画面から、もう一度連携してください。",
        ),
        "link.dormant": Message(
            "連携「{link}」は、{days}日間使用されなかったため終了しました。",
            "サービスの画面から、もう一度連携してください。",
        ),
        "token.unknown": Message(
            "トークンは、このドメインが発行したものではないか、すでに存在しません。",
            "サービスの画面から、もう一度連携してください。",
        ),
        "token.expired": Message(
            "連携「{link}」のアクセストークンの有効期限が切れています。",
            "サービスが、リフレッシュトークンを使用して新しいアクセストークンを取得する必要があります。取得できない場合は、もう一度連携してください。",
        ),
        "token.superseded": Message(
            "連携「{link}」のトークンは、すでに新しいトークンに置き換えられています。",
            "サービスが、最後に受け取ったトークンを使用する必要があります。解決しない場合は、もう一度連携してください。",
        ),
        "token.wrong_kind": Message(
            "{expected}が必要ですが、{kind}が渡されました。",
            "サービスの提供元に、{expected}を使用するように依頼してください。",
        ),
        "token.wrong_audience": Message(
            "トークンの宛先が一致しません（{audience}）。",
            "サービスの提供元に、このドメインを宛先とするトークンを使用するように依頼してください。",
        ),
        "token.wrong_client": Message(
            "トークンは、別のOAuthクライアントに発行されたものです。",
            "サービスの提供元に、自身に発行されたトークンを使用するように依頼してください。",
        ),
        "scope.not_covered": Message(
            "操作「{scope}」は、連携で許可している操作（{granted}）に含まれていません。",
            "サービスの画面からもう一度連携し、操作「{scope}」を許可してください。",
        ),
        "scope.unknown": Message(
            "{service}の定義に、操作「{scope}」はありません。",
            "システムの運用担当者が、操作の指定を修正するか、{service}の定義に操作「{scope}」を追加する必要があります。",
        ),
        "scope.not_requested": Message(
            "確認する操作が指定されていません。",
            "システムの運用担当者が、必要な操作を指定して確認するように修正する必要があります。",
        ),
        "code.used": Message(
            "連携「{link}」の認可コードは、すでに使用されています。",
            "サービスの画面から、もう一度連携してください。",
        ),
        "code.expired": Message(
            "連携「{link}」の認可コードの有効期限が切れています。",
            "サービスの画面から、もう一度連携してください。",
        ),
        "code.redirect_mismatch": Message(
            "リダイレクトエンドポイントが、認可を要求したときのものと一致しません。",
            "サービスの提供元に、認可を要求したときと同じリダイレクトエンドポイントを指定するように依頼してください。",
        ),
        "code.verifier_missing": Message(
            "認可コードの確認に必要なcode_verifierがありません。",
            "サービスの提供元に、認可を要求したときのcode_challengeに対応するcode_verifierを送信するように依頼してください。",
        ),
        "code.verifier_mismatch": Message(
            "code_verifierが、認可を要求したときのcode_challengeと一致しません。",
            "サービスの提供元に、認可を要求したときのcode_challengeに対応するcode_verifierを送信するように依頼してください。",
        ),
        "code.verifier_unexpected": Message(
            "認可の要求にcode_challengeがなかったため、code_verifierは使用できません。",
            "サービスの提供元に、認可を要求するときにcode_challengeを送信するように依頼してください。",
        ),
        "refresh.scope_wider": Message(
            "トークンの更新で、許可していない操作（{scope}）が要求されました。",
            "サービスの提供元に、許可されている操作だけを要求するように依頼してください。操作を追加するには、もう一度連携してください。",
        ),
        "refresh.other_request": Message(
            "同じリフレッシュトークンが、前回と異なる操作または宛先を指定して使用されました。",
            "サービスの提供元に、前回と同じ内容で要求し直すように依頼してください。",
        ),
        "refresh.reused": Message(
            "連携「{link}」の使用済みのリフレッシュトークンがもう一度使用されたため、安全のために連携を終了しました。",
            "心当たりがない場合は、管理者に連絡してください。引き続き利用する場合は、サービスの画面からもう一度連携してください。",
        ),
        "refresh.expired": Message(
            "連携「{link}」のリフレッシュトークンの有効期限が切れています。",
            "サービスの画面から、もう一度連携してください。",
        ),
        # Operations.
        "actor.not_permitted": Message(
            "操作「{operation}」を実行する権限がありません。実行できる人：{roles}。",
            "次のいずれかの権限を持つ人に実行を依頼してください：{roles}。",
        ),
        "actor.not_owner": Message(
            "連携「{link}」は、操作した人のものではありません。",
            "連携した本人が操作するか、共通管理者に依頼してください。",
        ),
        "tenant.not_open": Message(
            "ドメイン「{tenant}」の利用は開始されていません。",
            "システムの運用担当者が、エディションと製品を指定してドメイン「{tenant}」の利用を開始する必要があります。",
        ),
        "tenant.opened_differently": Message(
            "ドメイン「{tenant}」の利用は、別のエディションまたは製品ですでに開始されています。",
            "システムの運用担当者が、利用を開始したときと同じエディションと製品を指定する必要があります。",
        ),
        "tenant.incomplete": Message(
            "ドメイン「{tenant}」の削除または移行が完了しておらず、データの一部だけが保存されています。",
            "システムの運用担当者が、ドメイン「{tenant}」の削除または移行を完了してから、利用を開始する必要があります。",
        ),
        "tenant.moved_on": Message(
            "変更の影響を確認したあとに、ドメイン「{tenant}」の内容が変更されています。",
            "もう一度影響を確認し、問題がなければ変更を保存してください。",
        ),
        "version.stale": Message(
            "{what}は、ほかの人によって変更されています。",
            "最新の内容を表示し、もう一度変更してから保存してください。",
        ),
        "save.too_large": Message(
            "一度に保存できる変更は{limit}件までですが、{count}件あります。",
            "組織またはグループに許可するか、{limit}件以下に分けて保存してください。",
        ),
        "request.already_granted": Message("{user}は、すでに{service}の利用を許可されています。申請は不要です。"),
        "request.unknown": Message(
            "{user}からの{service}の未処理の申請は見つかりません。",
            "未処理の申請の一覧を表示し直してください。ほかの管理者が処理した可能性があります。",
        ),
        "request.expired": Message(
            "{user}からの{service}の申請は、期限までに処理されなかったため終了しました。",
            "もう一度{service}の利用を申請してください。",
        ),
        "request.too_many": Message(
            "このドメインの未処理の申請は{limit}件までで、すでに上限に達しています。",
            "未処理の申請を処理してから、もう一度申請してください。",
        ),
        "record.too_large": Message(
            "{what}が大きすぎるため、保存できません。",
            "内容を減らすか、分けて保存してください。",
        ),
        "subject.unknown": Message(
            "{kind}「{id}」は見つかりません。",
            "最新の一覧を表示し、登録されている{kind}を指定してください。",
        ),
        "consent.unknown": Message(
            "連携の確認画面の情報が正しくありません。",
            "サービスの画面から、連携をやり直してください。",
        ),
        "consent.expired": Message(
            "連携の確認画面を表示してから時間が経過したため、許可できません。",
            "サービスの画面から、連携をやり直してください。",
        ),
        "consent.other_user": Message(
            "この連携の確認画面は、ほかのユーザーに表示されたものです。",
            "自分のアカウントでログインし、サービスの画面から連携をやり直してください。",
        ),
        "consent.used": Message(
            "この連携の確認画面では、すでに許可しています。",
            "もう一度連携する場合は、サービスの画面からやり直してください。",
        ),
        "consent.other_session": Message(
            "この連携の確認画面は、別のログインセッションで表示されたものです。",
            "サービスの画面から連携をやり直し、同じブラウザーで回答してください。",
        ),
        "authorization.malformed": Message(
            "サービスからの要求に、どのOAuthクライアントからのものかが正しく示されていません。",
            "サービスの提供元に、client_idを1回だけ、redirect_uriを多くても1回だけ送るように依頼してください。",
        ),
        "authorization.redirect_uri": Message(
            "要求されたリダイレクトエンドポイントは、OAuthクライアント「{client}」に登録されていません。",
            "サービスに表示されているリダイレクトエンドポイントと登録済みのものを1文字ずつ比べ、同じものを登録してください。",
        ),
        "authorization.scope": Message(
            "OAuthクライアント「{client}」は、これらの操作の一部を要求できなくなりました。",
            "サービスをもう一度連携してください。これらの操作が必要な場合は、OAuthクライアントに操作を許可してください。",
        ),
        "resource.not_granted": Message(
            "連携で許可していない宛先のトークンが要求されました。",
            "サービスの提供元に、最初の要求と同じ宛先を指定するか、宛先を指定しないように依頼してください。",
        ),
        "client.unknown": Message(
            "このドメインに、OAuthクライアント「{client}」はありません。",
            "サービスに設定したクライアントIDを確認するか、OAuthクライアントを追加してください。",
        ),
        "client.removed": Message(
            "この連携を作成したOAuthクライアント「{client}」は削除されています。",
            "サービス用のOAuthクライアントを追加し、もう一度連携してください。",
        ),
        "client.another": Message(
            "OAuthクライアント「{client}」のサービスと種別は変更できません。",
            "別のOAuthクライアントを追加し、このクライアントを削除してください。",
        ),
        "client.wrong_secret": Message(
            "OAuthクライアントのシークレットが正しくないか、削除されたか、有効期限が切れています。",
            "有効なクライアントシークレットをサービスに設定してください。シークレットは管理者が追加できます。",
        ),
        "client.wrong_method": Message(
            "OAuthクライアントが、許可されていない方法で認証を行いました。",
            "このクライアントに許可されている認証方法をサービスに設定してください。",
        ),
        "client.no_secrets": Message(
            "OAuthクライアント「{client}」は、シークレットで認証するように設定されていません。",
            "先にシークレットによる認証方法を許可するか、鍵を使用してください。",
        ),
        "client.no_keys": Message(
            "OAuthクライアント「{client}」は、鍵で認証するように設定されていません。",
            "先にprivate_key_jwtを許可してください。",
        ),
        "client.too_many_secrets": Message(
            "OAuthクライアント「{client}」には、すでにシークレットが{limit}個あります。",
            "サービスで使用していないシークレットを削除してから、追加してください。",
        ),
        "client.unknown_secret": Message(
            "OAuthクライアント「{client}」に、シークレット「{secret}」はありません。",
            "画面を再読み込みしてください。ほかの管理者が削除した可能性があります。",
        ),
        "client.assertion_malformed": Message(
            "クライアントアサーションを読み取れません。",
            "サービスの提供元に、iss、sub、aud、exp、jtiを含む署名付きJWT（RFC 7523）を送るように依頼してください。",
        ),
        "client.assertion_signature": Message(
            "クライアントアサーションの署名が、登録されている鍵のものではありません。",
            "サービスが署名に使用している公開鍵を登録してください。",
        ),
        "client.assertion_audience": Message(
            "クライアントアサーションは、別のサーバー宛てに作成されたものです。",
            "サービスの提供元に、このサーバーの発行者IDだけを宛先（aud）に指定するように依頼してください。",
        ),
        "client.assertion_expired": Message(
            "クライアントアサーションの有効期限が切れているか、有効期間が10分を超えています。",
            "サービス側の時計を確認し、アサーションの有効期間を数分にしてください。",
        ),
        "client.assertion_replayed": Message(
            "クライアントアサーションは、すでに使用されています。",
            "サービスの提供元に、要求のたびに新しいアサーションを作成するように依頼してください。",
        ),
        "client.too_many_assertions": Message(
            "OAuthクライアントが、短時間に多くのアサーションを使用しました。",
            "数分待ってください。サービスの提供元には、トークンを都度要求せずに再利用するように依頼してください。",
        ),
        "link.unknown": Message(
            "連携「{link}」は見つかりません。",
            "最新の一覧を表示してください。連携は、すでに解除されている可能性があります。",
        ),
        "link.too_many": Message(
            "{service}との連携は、1人につき{limit}件までです。",
            "使用していない{service}との連携を解除してから、もう一度連携してください。",
        ),
        "link.transition": Message(
            "連携「{link}」の状態は「{state}」のため、「{event}」を実行できません。",
            "連携の状態を確認してください。終了した連携は元に戻らないため、もう一度連携する必要があります。",
        ),
        "network.row_limit": Message(
            "{edition}では、IPアドレス制限に登録できるのは{limit}行までですが、{rows}行あります。",
            "隣り合う範囲を1行にまとめるか、不要な行を削除して、{limit}行以下にしてください。",
        ),
        "network.ipv4_only": Message(
            "{edition}では、IPアドレス制限に登録できるのはIPv4アドレスだけですが、{range}が指定されました。",
            "{range}を除き、IPv4アドレスの範囲だけを指定してください。",
        ),
        "network.not_self_service": Message(
            "{edition}では、IPアドレス制限をお客様が設定することはできません。",
            "製品のサポート窓口に設定を依頼してください。",
        ),
        "network.locks_out_actor": Message(
            "この設定を保存すると、操作している人のIPアドレス（{address}）からアクセスできなくなります。",
            "{address}を含む範囲も許可してください。アクセスできなくなってもよい場合だけ、その旨を明示して保存してください。",
        ),
        "network.unknown_row": Message(
            "IPアドレス制限に、行「{row}」はありません。",
            "最新の一覧を表示し、登録されている行を指定してください。",
        ),
        "network.proof_not_in_edition": Message(
            "{edition}では、{proof}を利用できません。",
            "{proof}を除いて保存してください。米国版の移行前のドメインの場合だけ、その旨を明示して保存してください。",
        ),
        "network.proof_needs_restriction": Message(
            "IPアドレス制限が「すべて許可」のため、{proofs}を設定できません。",
            "先に「IPアドレス制限」を「一部許可」または「すべて拒否」に変更してください。",
        ),
        "network.reset_unknown": Message(
            "リセットURLが無効です。正しくないか、有効期限が切れているか、IPアドレス制限がすでにリセットされています。",
            "1時間以内に保存した変更のリセットURLを使用するか、アクセスできる管理者に依頼してください。",
        ),
        "network.no_requirement": Message(
            "{service}の定義には、必要な公開アドレスの基準「{requirement}」がありません（ある基準：{known}）。",
            "{service}の定義にある基準を指定するか、基準を含む定義を登録してください。",
        ),
        "network.data_missing": Message(
            "基準「{requirement}」が求める一覧（{lists}）が、指定した資料にそろっていません。必要なアドレスを判断できません。",
            "これらの一覧を含む公開資料を入手し、あわせて指定してください。",
        ),
        "network.plan_no_data": Message(
            "サービスが公開しているIPアドレスの情報がないため、許可する範囲を計画できません。",
            "サービスがIPアドレスを公開しているファイルを読み込んでから、もう一度実行してください。",
        ),
        "network.plan_limit_unknown": Message(
            "IPアドレス制限に登録できる行数の上限が不明なため、許可する範囲を計画できません。",
            "IPアドレス制限に登録できる行数を、製品のサポート窓口に確認してください。",
        ),
        "network.plan_ipv6_only": Message(
            "サービスが公開しているのはIPv6アドレスだけですが（例：{range}）、IPアドレス制限に登録できるのはIPv4アドレスだけです。",
            "IPv6アドレスからのアクセスを許可する方法を、製品のサポート窓口に確認してください。",
        ),
        "network.plan_not_global": Message(
            "サービスが公開しているIPアドレスに、グローバルIPアドレスではない範囲「{range}」が含まれています。",
            "サービスがIPアドレスを公開しているファイルを確認し、{range}を除いてから、もう一度実行してください。",
        ),
        "network.plan_rows": Message(
            "IPアドレス制限に登録できるのは{limit}行までで、すでに{rows}行あります。公開されているIPアドレスをすべて許可するには、少なくともあと{fewest}行が必要です。",
            "隣り合う範囲を1行にまとめるか、不要な行を削除して、{fewest}行以上の空きを作ってください。",
        ),
        "network.plan_opens_too_much": Message(
            "{rows}行までのリストで、公開されているIPアドレスをすべて許可すると、それ以外のIPアドレスも{extra}個許可されます。指定された上限は{most}個です。",
            "隣り合う範囲を1行にまとめるか、不要な行を削除して空きを増やすか、上限を引き上げてください。",
        ),
        "datagroup.unblockable": Message(
            "コネクタ「{connector}」はブロックできないため、データポリシー「{policy}」を保存できません。",
            "コネクタ「{connector}」を、ビジネスまたは非ビジネスに設定してください。",
        ),
        "datagroup.unblockable_actions": Message(
            "コネクタ「{connector}」はブロックできず、アクションのルールも設定できないため、データポリシー「{policy}」を保存できません。",
            "コネクタ「{connector}」のアクションのルールを削除してください。",
        ),
        "datagroup.unknown_policy": Message(
            "データポリシー「{policy}」は見つかりません。",
            "最新の一覧を表示し、登録されているデータポリシーを指定してください。",
        ),
        "subscription.too_many": Message(
            "連携「{link}」に登録できるトリガーは{limit}個までで、すでに上限に達しています。",
            "不要なトリガーを削除するか、連携を解除して、もう一度連携してください。",
        ),
        "subscription.unknown": Message(
            "トリガーの登録「{subscription}」は見つかりません。",
            "サービスが、トリガーを登録し直す必要があります。登録は、連携を解除すると一緒に削除されます。",
        ),
        "subscription.trigger_unknown": Message(
            "{service}の定義に、トリガー「{trigger}」はありません。",
            "サービスが、{service}の定義にあるトリガーを指定する必要があります。",
        ),
        "ledger.position_unknown": Message(
            "監査ログに、位置{position}の記録はありません。",
            "監査ログに記録されている位置を指定してください。",
        ),
        # The checklist of a service.
        "readiness.available": Message("{service}は、{edition}で利用できます。"),
        "readiness.definition_unknown": Message(
            "{service}の定義がないため、利用できるサービスかどうかを判断できません。",
            "{service}を登録してください。",
        ),
        "readiness.registered": Message("{service}は登録されています。"),
        "readiness.no_user": Message(
            "{service}を利用できるユーザーがいません。",
            "「連携利用ユーザーの設定」で、使用中のユーザーに{service}の利用を許可してください。",
        ),
        "readiness.covered": Message(
            "{service}が公開しているIPアドレス{count}個は、すべて許可されています（公開元：{source}）。"
        ),
        "readiness.not_covered": Message(
            "{service}が公開しているIPアドレスのうち、{count}個が許可されていません（許可済みの割合：{percent}%、公開元：{source}）。",
            "「IPアドレス制限」で、許可されていないIPアドレスを許可してください。",
        ),
        "readiness.not_pinned": Message(
            "{service}が公開しているIPアドレスのうち、{count}個が、登録済みの公開アドレスにありません。",
            "{service}の公開アドレスを、新しい資料で登録し直してください。",
        ),
        "readiness.ranges_unknown": Message(
            "{service}が使用するIPアドレスが不明なため、許可されているかどうかを判断できません。",
            "{service}の提供元が公開しているIPアドレスの資料を指定してください。",
        ),
        "readiness.inexpressible": Message(
            "{service}が公開しているIPアドレスは、{edition}のIPアドレス制限に登録できません。",
            "製品のサポート窓口に問い合わせてください。",
        ),
        "readiness.partly_inexpressible": Message(
            "公開されているIPアドレスのうち、IPv6の{count}個は、{edition}のIPアドレス制限に登録できません。",
            "サービスがIPv6で接続する場合は、製品のサポート窓口に問い合わせてください。",
        ),
        "readiness.data_old": Message(
            "{service}の公開アドレスの資料は{days}日前のものです（目安：{limit}日以内）。",
            "提供元から新しい資料を入手し、もう一度確認してください。",
        ),
        "readiness.data_undated": Message(
            "{service}の公開アドレスの資料の日付が不明です。",
            "提供元から新しい資料を入手し、もう一度確認してください。",
        ),
        "readiness.differs": Message("基準「{other}」には、基準「{requirement}」にないIPアドレスが{count}個あります。"),
        "readiness.two_factor": Message(
            "{edition}では、2要素認証をモバイルで使用するユーザーがいる場合、IPアドレス制限を「すべて許可」にする必要があります。",
            "2要素認証をモバイルで使用するユーザーがいないことを確認してください。",
        ),
        "readiness.client": Message("OAuthクライアント「{client}」を使用できます。"),
        "readiness.client_unusable": Message(
            "OAuthクライアント「{client}」には、有効なシークレットまたはリダイレクトエンドポイントがありません。",
            "OAuthクライアント「{client}」に、シークレットとリダイレクトエンドポイントを設定してください。",
        ),
        "readiness.no_client": Message(
            "{service}のOAuthクライアントが登録されていません。",
            "{service}のOAuthクライアントを登録し、クライアントIDとシークレットを{service}に設定してください。",
        ),
        "readiness.confirmed": Message("手順「{step}」は、{user}が{at}に完了を確認しました。"),
        "readiness.seen": Message("{at}にサービスからのアクセスが成功しているため、手順「{step}」は完了しています。"),
        "readiness.unconfirmed": Message(
            "手順「{step}」が完了しているかどうかは不明です。",
            "手順「{step}」を実施し、完了したことを確認済みにしてください。",
        ),
        "readiness.connected": Message("{user}は、{service}と連携しています。"),
        "readiness.nobody_connected": Message(
            "{service}と連携しているユーザーがいません。",
            "{service}の画面から連携し、操作を許可してください。",
        ),
        "readiness.links_unseen": Message(
            "{service}の連携が多いため、一部だけを確認しました。使用できる連携は見つかりませんでした。",
            "ユーザーを指定して、もう一度確認してください。",
        ),
        "readiness.called": Message("{service}からのアクセスが、{at}に成功しました。"),
        "readiness.never_called": Message(
            "{service}からのアクセスは、まだありません。",
            "{service}でフローを実行し、もう一度確認してください。",
        ),
    }
)
