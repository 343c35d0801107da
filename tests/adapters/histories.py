"""What several processes saw of one link, and whether one order explains it.

The stamps of different processes can be compared: they are of CLOCK_MONOTONIC, of which a Linux machine has one. Each
begins before its call and ends after it, so that an order between two calls of different processes is never made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

__all__ = ["LEAD_NANOSECONDS", "Call", "calls_of", "is_linearizable"]

# Processes that are told to begin at an instant get so much time to hear of it: 1 ms.
LEAD_NANOSECONDS = 1_000_000


class Call(NamedTuple):
    """One call of a history: when it began and ended, what was asked, whether it was granted."""

    began: int
    ended: int
    what: str
    granted: bool

    def overlaps(self, other: Call) -> bool:
        """Return whether both were under way at some moment."""
        return self.began < other.ended and other.began < self.ended


def calls_of(asked: str, answered: str) -> list[Call]:
    """Return the calls that a program was asked for, with what it answered of each: `<began>/<ended>/<granted>`."""
    answers = [answer.split("/") for answer in answered.split(" ")]
    return [
        Call(int(began), int(ended), what, granted == "1")
        for what, (began, ended, granted) in zip(asked.split(" "), answers, strict=True)
    ]


def is_linearizable(history: Sequence[Call]) -> bool:
    """Return whether one order explains a history: each call at one moment between its begin and its end.

    The model: a link lives until it is revoked; a check and a refresh are granted if and only if it lives.
    """

    @cache
    def explains(left: frozenset[Call], lives: bool) -> bool:
        first_end = min((call.ended for call in left), default=0)
        return not left or any(
            explains(left - {call}, lives and call.what != "revoke")
            for call in left
            if call.began <= first_end and (call.what == "revoke" or call.granted == lives)
        )

    return explains(frozenset(history), True)
