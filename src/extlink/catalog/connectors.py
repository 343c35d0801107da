"""The connectors that page A names, by the ids that Power Platform's data policies use (TRACE T3, A6).

Source of the ids: the public data policies of the test data; kintone's follows the address of its reference page.
"""

from __future__ import annotations

from typing import Final

from extlink.domain.identifier import ConnectorId

__all__ = ["DROPBOX", "EXCEL", "GOOGLE_CALENDAR", "KINTONE", "OUTLOOK", "OUTLOOK_COM", "SHAREPOINT", "SLACK"]

KINTONE: Final = ConnectorId("shared_kintone")
SHAREPOINT: Final = ConnectorId("shared_sharepointonline")
DROPBOX: Final = ConnectorId("shared_dropbox")
SLACK: Final = ConnectorId("shared_slack")
# Mail of an organization (Office 365 Outlook) and of a person (Outlook.com) are two connectors.
OUTLOOK: Final = ConnectorId("shared_office365")
OUTLOOK_COM: Final = ConnectorId("shared_outlook")
EXCEL: Final = ConnectorId("shared_excelonlinebusiness")
GOOGLE_CALENDAR: Final = ConnectorId("shared_googlecalendar")
