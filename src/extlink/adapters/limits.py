"""FailureLimit: so many failed authentications per client and minute, in one process (OAuth 2.1 section 2.4.1).

Secrets are drawn and of 256 bits, so what is limited is noise and load, not a way in: a limit that is forgotten when
the process ends, and counted per process, is enough.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from extlink.adapters.system import SystemClock
from extlink.domain.instant import Instant
from extlink.errors import Misconfigured
from extlink.ports import Clock

__all__ = ["FailureLimit"]

# Names are the caller's, so only so many are kept, the ones that failed last.
_MAX_CLIENTS: Final = 10_000


class FailureLimit:
    """At most `failures` per client within `seconds`; then everything of this client waits for the window to end.

    Whoever knows a client's id can make it wait; who does not want that leaves the limit out.

    Args:
        failures: 1 to 10,000.
        seconds: the window; 1 to 3,600.
        clock: only tests replace it.

    Raises:
        Misconfigured: numbers outside these bounds.

    >>> limit = FailureLimit(failures=1)
    >>> limit.failed("c1")
    >>> limit.admits("c1"), limit.admits("c2")
    (False, True)
    """

    def __init__(self, *, failures: int = 20, seconds: int = 60, clock: Clock | None = None) -> None:
        if not (1 <= failures <= 10_000 and 1 <= seconds <= 3_600):  # noqa: PLR2004 - the bounds the docstring states
            raise Misconfigured("limit: expected 1 to 10,000 failures in 1 to 3,600 seconds")
        self._failures, self._seconds = failures, seconds
        self._clock = SystemClock() if clock is None else clock
        self._counts: OrderedDict[str, tuple[Instant, int]] = OrderedDict()
        self._lock = threading.Lock()

    def admits(self, client: str) -> bool:
        """Return whether a client has failures left in this window."""
        with self._lock:
            since, count = self._counts.get(client, (Instant(0), 0))
            return count < self._failures or not since <= self._clock.now() < since + self._seconds

    def failed(self, client: str) -> None:
        """Count a failure; the first one after a window begins the next."""
        with self._lock:
            now = self._clock.now()
            since, count = self._counts.pop(client, (now, 0))
            # A clock that was set back begins a window as well, lest a client wait until it has caught up.
            self._counts[client] = (since, count + 1) if since <= now < since + self._seconds else (now, 1)
            while len(self._counts) > _MAX_CLIENTS:
                self._counts.popitem(last=False)
