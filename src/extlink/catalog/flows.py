"""The two example flows of page A as values (S7, TRACE T3)."""

from __future__ import annotations

from typing import Final

import attrs

from extlink.catalog.connectors import GOOGLE_CALENDAR, KINTONE, OUTLOOK
from extlink.domain.identifier import ConnectorId, Scope
from extlink.domain.localized import LocalizedText
from extlink.domain.service import DataDirection

__all__ = ["EXAMPLE_FLOWS", "ExampleFlow"]


@attrs.frozen(kw_only=True)
class ExampleFlow:
    """A flow that page A gives as an example.

    Args:
        id: names the example.
        trigger_connector: where the flow starts.
        action_connector: what it does something in.
        scope: what the flow's link must permit in the host.
        direction: `write` if the host gets data, `read` if it gives data.
        trigger: the host's trigger the flow subscribes to, if it starts in the host.
        text: what the page says.

    >>> [(flow.id, flow.scope) for flow in EXAMPLE_FLOWS]
    [('mail-to-kintone', 'k:app_record:write'), ('record-to-calendar', 'k:app_record:read')]
    """

    id: str
    trigger_connector: ConnectorId
    action_connector: ConnectorId
    scope: Scope
    direction: DataDirection
    trigger: str | None = None
    text: LocalizedText

    @property
    def connectors(self) -> frozenset[ConnectorId]:
        """Both connectors: what a data policy sees of the flow."""
        return frozenset({self.trigger_connector, self.action_connector})


EXAMPLE_FLOWS: Final = (
    ExampleFlow(
        id="mail-to-kintone",
        trigger_connector=OUTLOOK,
        action_connector=KINTONE,
        scope=Scope("k:app_record:write"),
        direction="write",
        text=LocalizedText(
            ja="Outlookなどのメールクライアントでメールを受信したら、kintoneに通知する",
            en="When a mail arrives in Outlook or another mail client, notify kintone",
            zh="在Outlook等邮件客户端收到邮件时，通知kintone",
        ),
    ),
    ExampleFlow(
        id="record-to-calendar",
        trigger_connector=KINTONE,
        action_connector=GOOGLE_CALENDAR,
        scope=Scope("k:app_record:read"),
        direction="read",
        trigger="record_added",
        text=LocalizedText(
            ja="kintoneのアプリにレコードが登録されたら、Google Calendarに予定として登録する",
            en="When a record is added in a kintone app, add it to Google Calendar as an event",
            zh="在kintone应用中添加记录时，将其作为日程添加到Google Calendar",
        ),
    ),
)
