# ruff: noqa: E501
# A sentence stays on one line, so that the three languages can be compared.
"""What the commands say, in ja, en and zh: one row a sentence, with its blanks by name.

Rules: the words are those of the product's help and of TERMS (IPアドレス制限, 行, 資料); numbers are written with commas;
a sentence that has nothing to say is left out by whoever prints, never printed empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from extlink.domain.localized import LocalizedText
from extlink.domain.messages import Language

__all__ = ["say"]


def _row(ja: str, en: str, zh: str) -> LocalizedText:
    return LocalizedText(ja=ja, en=en, zh=zh)


_WORDS: Final[Mapping[str, LocalizedText]] = MappingProxyType(
    {
        "service": _row("サービス：{service}", "Service: {service}", "服务：{service}"),
        "requirement": _row(
            "範囲の基準：{requirement}（{as_of}時点）",
            "Requirement: {requirement} (as of {as_of})",
            "范围依据：{requirement}（截至{as_of}）",
        ),
        "region": _row("地域：{region}", "Region: {region}", "地区：{region}"),
        "every_region": _row("地域：すべて", "Region: all", "地区：全部"),
        "file": _row(
            "資料：{source} {cloud} 版{version}{day}",
            "File: {source} {cloud} version {version}{day}",
            "资料：{source} {cloud} 版本{version}{day}",
        ),
        "day": _row("（{day}公開）", ", published {day}", "（{day}发布）"),
        "day_unknown": _row("（公開日は不明）", ", day of publication unknown", "（发布日期不明）"),
        "set_aside": _row(
            "資料のうち、使用しなかった項目：{count}件（{reasons}）",
            "Items of the file that were set aside: {count} ({reasons})",
            "资料中未使用的项目：{count}个（{reasons}）",
        ),
        "list": _row(
            "現在のIPアドレス制限：{rows}行（{edition}版の上限は{limit}行）",
            "IP address restriction now: {rows} rows (edition {edition} holds {limit})",
            "当前的IP地址限制：{rows}行（{edition}版上限为{limit}行）",
        ),
        "need": _row(
            "許可が必要なアドレス：{needed}個。うち許可済み：{admitted}個（{share}）",
            "Addresses that have to be allowed: {needed}; allowed already: {admitted} ({share})",
            "需要允许的地址：{needed}个，其中已允许：{admitted}个（{share}）",
        ),
        "document": _row(
            "　{document}：{admitted} / {needed}個（{share}）",
            "  {document}: {admitted} of {needed} ({share})",
            "　{document}：{admitted} / {needed}个（{share}）",
        ),
        "inexpressible": _row(
            "IPv6のため一覧に書けない範囲：{count}個。該当するアドレスからのアクセスは拒否されたままです。",
            "Ranges that the list cannot hold because they are IPv6: {count}. Access from them stays refused.",
            "因为是IPv6而无法写入列表的范围：{count}个。来自这些地址的访问将继续被拒绝。",
        ),
        "added": _row(
            "追加する行：{added}行。追加後の合計：{rows}行",
            "Rows to add: {added}; rows afterwards: {rows}",
            "要添加的行：{added}行；添加后合计：{rows}行",
        ),
        "nothing_to_add": _row(
            "追加する行はありません。必要なアドレスはすべて許可されています。",
            "There is nothing to add: every needed address is allowed.",
            "没有需要添加的行。所需地址已全部允许。",
        ),
        "extra": _row(
            "必要な範囲を超えて許可されるアドレス：{extra}個。これより少ない計画はありません。",
            "Addresses allowed beyond the need: {extra}. No plan allows fewer.",
            "超出所需范围而被允许的地址：{extra}个。不存在更少的方案。",
        ),
        "no_extra": _row(
            "必要な範囲を超えて許可されるアドレスはありません。",
            "No address is allowed beyond the need.",
            "没有超出所需范围而被允许的地址。",
        ),
        "owner": _row(
            "　うち{source}の範囲：{addresses}個",
            "  of them in {source}: {addresses}",
            "　其中属于{source}的：{addresses}个",
        ),
        "owner_unknown": _row(
            "　うち持ち主が資料からはわからないもの：{addresses}個",
            "  of them in none of the files: {addresses}",
            "　其中资料中无法确认归属的：{addresses}个",
        ),
        "more_owners": _row("　ほか{count}件の一覧", "  and {count} more lists", "　另有{count}个列表"),
        "advice": _row(
            "参考：「{requirement}」をすべて許可した場合、新たに許可されるアドレスは{opened}個です{times}。",
            "Compare: allowing all of “{requirement}” would newly allow {opened} addresses{times}.",
            "参考：如果允许“{requirement}”的全部范围，将新允许{opened}个地址{times}。",
        ),
        "times": _row("（この計画の{times}倍）", " ({times} times as many as this plan)", "（为本方案的{times}倍）"),
        "advice_incomplete": _row(
            "　（資料にない範囲を除く：{missing}）",
            "  (without the lists that are in none of the files: {missing})",
            "　（不含资料中没有的列表：{missing}）",
        ),
        "written": _row(
            "ファイルに保存しました：{path}（{rows}行、{encoding}）",
            "Written: {path} ({rows} rows, {encoding})",
            "已保存到文件：{path}（{rows}行，{encoding}）",
        ),
        "upload": _row(
            "次の手順：{console}の［IPアドレス制限］で、このファイルを読み込んでください。現在の一覧は、このファイルの内容に置き換わります。",
            "Next: import this file under [IP address restrictions] in {console}. It replaces the present list.",
            "下一步：请在{console}的［IP地址限制］中读取此文件。当前列表将被替换为此文件的内容。",
        ),
        "not_written": _row(
            "ファイルには保存していません。保存するには--writeを指定してください。",
            "Nothing was written; name a file with --write.",
            "未保存到文件。如需保存，请指定--write。",
        ),
        "notice": _row(
            "確認してください（{line}行目）：{range}は{reach}です。",
            "Please check (line {line}): {range} is {reach}.",
            "请确认（第{line}行）：{range}为{reach}。",
        ),
        "reach_duplicate": _row("ほかの行と重複しています", "a duplicate of another row", "与其他行重复"),
        "reach_private": _row("プライベートアドレス", "private", "私有地址"),
        "reach_loopback": _row("ループバックアドレス", "loopback", "回环地址"),
        "reach_link_local": _row("リンクローカルアドレス", "link-local", "链路本地地址"),
        "reach_shared": _row("通信事業者内の共有アドレス", "shared by a carrier's customers", "运营商共享地址"),
        "reach_documentation": _row("文書の例示用アドレス", "for documentation", "文档示例用地址"),
        "reach_benchmarking": _row("性能測定用アドレス", "for benchmarking", "性能测试用地址"),
        "reach_multicast": _row("マルチキャストアドレス", "multicast", "组播地址"),
        "reach_transition": _row("IPv6移行用アドレス", "for the transition to IPv6", "IPv6过渡用地址"),
        "reach_unspecified": _row("未指定アドレス", "unspecified", "未指定地址"),
        "reach_reserved": _row("予約済みのアドレス", "reserved", "保留地址"),
        "changes": _row(
            "版{before}から版{after}への変更",
            "Changes from version {before} to version {after}",
            "从版本{before}到版本{after}的变更",
        ),
        "no_changes": _row("この範囲に変更はありません。", "Nothing changed in these lists.", "这些范围没有变更。"),
        "group": _row(
            "　{name}：追加{added}個、削除{removed}個のアドレス",
            "  {name}: {added} addresses added, {removed} removed",
            "　{name}：新增{added}个地址，删除{removed}个地址",
        ),
        "range_added": _row("　　＋ {range}", "    + {range}", "　　＋ {range}"),
        "range_removed": _row("　　－ {range}", "    - {range}", "　　－ {range}"),
        "more_ranges": _row("　　ほか{count}件", "    and {count} more", "　　另有{count}个"),
        "complete": _row(
            "現在の一覧は、新しい資料の必要なアドレスをすべて許可しています。",
            "The present list allows every address that the newer file needs.",
            "当前列表已允许新资料所需的全部地址。",
        ),
        "missing": _row(
            "現在の一覧で許可されていないアドレス：{addresses}個（版{version}{day}から不足）",
            "Addresses that the present list does not allow: {addresses} (missing since version {version}{day})",
            "当前列表未允许的地址：{addresses}个（自版本{version}{day}起缺失）",
        ),
        "unneeded": _row(
            "資料の範囲として追加された行のうち、新しい資料で不要になったもの：{count}行",
            "Rows of published lists that the newer file no longer needs: {count}",
            "作为资料范围添加的行中，新资料不再需要的：{count}行",
        ),
        "stale": _row(
            "{days}日より古い資料による行：{count}行。最も古いもの：{oldest}",
            "Rows from files older than {days} days: {count}; the oldest: {oldest}",
            "来自早于{days}天的资料的行：{count}行；最早的：{oldest}",
        ),
        "ageless": _row(
            "資料の公開日がわからない行：{count}行",
            "Rows from files of unknown age: {count}",
            "资料发布日期不明的行：{count}行",
        ),
        "then_plan": _row(
            "不足を補うには、新しい資料を指定してextlink planを実行してください。",
            "To add what is missing, run extlink plan with the newer file.",
            "如需补足缺失的地址，请指定新资料并运行extlink plan。",
        ),
        "refused": _row("計画できません：{reason}", "There is no plan: {reason}", "无法制定方案：{reason}"),
        "remedy": _row("対処：{remedy}", "What to do: {remedy}", "处理方法：{remedy}"),
    }
)


def say(language: Language, sentence: str, **blanks: object) -> str:
    """Return a sentence with its blanks filled; whole numbers get commas.

    >>> say("en", "added", added=1200, rows=2900)
    'Rows to add: 1,200; rows afterwards: 2,900'
    """
    filled = {name: f"{value:,}" if isinstance(value, int) else value for name, value in blanks.items()}
    return _WORDS[sentence].text(language).format(**filled)
