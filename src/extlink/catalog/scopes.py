"""The six kintone and the seventeen Garoon scopes (S1).

Source of the names and Japanese labels: the product's developer site, pages scope-kintone and scope-garoon. A scope
that ends in `:read` carries the host's data to the service, one that ends in `:write` the service's data to the host.
"""

from __future__ import annotations

from typing import Final

from extlink.domain.identifier import Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import ScopeDefinition

__all__ = ["GAROON_SCOPES", "KINTONE_SCOPES"]

_KINTONE: Final = (
    ("k:app_record:read", "レコードの取得", "Get records", "获取记录"),
    (
        "k:app_record:write",
        "レコードの登録/更新/削除",
        "Add, update and delete records",
        "添加、更新、删除记录",
    ),
    ("k:app_settings:read", "アプリの設定の取得", "Get app settings", "获取应用设置"),
    ("k:app_settings:write", "アプリの設定の変更", "Change app settings", "更改应用设置"),
    ("k:file:read", "ファイルのダウンロード", "Download files", "下载文件"),
    ("k:file:write", "ファイルのアップロード", "Upload files", "上传文件"),
)

_GAROON: Final = (
    (
        "g:schedule:read",
        "予定、施設、施設グループの取得",
        "Get appointments, facilities and facility groups",
        "获取日程、设备和设备组",
    ),
    (
        "g:schedule:write",
        "予定の登録/更新/削除",
        "Add, update and delete appointments",
        "添加、更新、删除日程",
    ),
    (
        "g:schedule.facility:read",
        "管理者による施設または施設グループの取得",
        "Get facilities or facility groups as an administrator",
        "由管理员获取设备或设备组",
    ),
    (
        "g:schedule.facility:write",
        "管理者による施設または施設グループの登録/更新/削除",
        "Add, update and delete facilities or facility groups as an administrator",
        "由管理员添加、更新、删除设备或设备组",
    ),
    ("g:workflow:read", "ワークフロー申請データの取得", "Get workflow requests", "获取工作流的申请数据"),
    (
        "g:workflow.form:read",
        "ワークフロー申請フォームを構成している項目の取得",
        "Get the items of workflow request forms",
        "获取工作流申请表单的项目",
    ),
    ("g:notification:read", "通知の取得", "Get notifications", "获取通知"),
    ("g:notification:write", "通知の登録", "Add notifications", "添加通知"),
    (
        "g:base:read",
        "ユーザー、組織情報の取得",
        "Get information on users and departments",
        "获取用户和组织的信息",
    ),
    ("g:presence:read", "在席情報の取得", "Get presence information", "获取在席信息"),
    ("g:presence:write", "在席情報の更新", "Update presence information", "更新在席信息"),
    ("g:todo:read", "ToDoの取得", "Get to-dos", "获取待办事项"),
    (
        "g:todo.category:read",
        "ToDoリストのカテゴリーの取得",
        "Get the categories of the to-do list",
        "获取待办事项列表的类别",
    ),
    ("g:todo:write", "ToDoの登録", "Add to-dos", "添加待办事项"),
    ("g:system.api.proxy:read", "プロキシAPI設定の取得", "Get proxy API settings", "获取代理API设置"),
    (
        "g:system.api.proxy:write",
        "プロキシAPI設定の登録/更新/削除",
        "Add, update and delete proxy API settings",
        "添加、更新、删除代理API设置",
    ),
    (
        "g:system.plugin:read",
        "プラグインの基本設定の取得",
        "Get the basic settings of plug-ins",
        "获取插件的基本设置",
    ),
)


def _definitions(product: str, rows: tuple[tuple[str, str, str, str], ...]) -> tuple[ScopeDefinition, ...]:
    return tuple(
        ScopeDefinition(
            name=Scope(name),
            labels=LocalizedText(ja=ja, en=en, zh=zh),
            product=product,
            direction="read" if name.endswith(":read") else "write",
        )
        for name, ja, en, zh in rows
    )


KINTONE_SCOPES: Final = _definitions("kintone", _KINTONE)
GAROON_SCOPES: Final = _definitions("garoon", _GAROON)
