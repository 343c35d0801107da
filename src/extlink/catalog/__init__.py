"""The built-in services as data: Microsoft Power Automate, Slack and Google Hangouts Chat (S1, DESIGN floor 4).

Rules: nothing here runs; a host registers what it wants, and its own definitions beside it. `BUILT_IN` is in catalogue
order, the order of the account page (TRACE T9). Names of services are never translated.

>>> [service.id for service in BUILT_IN]
['power-automate', 'slack', 'google-hangouts-chat']
"""

from __future__ import annotations

from typing import Final

from extlink.catalog.flows import EXAMPLE_FLOWS, ExampleFlow
from extlink.catalog.google_hangouts_chat import GOOGLE_HANGOUTS_CHAT
from extlink.catalog.power_automate import POWER_AUTOMATE
from extlink.catalog.scopes import GAROON_SCOPES, KINTONE_SCOPES
from extlink.catalog.slack import SLACK
from extlink.domain.service import Service

__all__ = [
    "BUILT_IN",
    "EXAMPLE_FLOWS",
    "GAROON_SCOPES",
    "GOOGLE_HANGOUTS_CHAT",
    "KINTONE_SCOPES",
    "POWER_AUTOMATE",
    "SLACK",
    "ExampleFlow",
]

BUILT_IN: Final[tuple[Service, ...]] = (POWER_AUTOMATE, SLACK, GOOGLE_HANGOUTS_CHAT)
