"""Programs that race one another on one store, for tests that need several processes (`python -m`).

Each opens the store, says that it is ready, waits for a line, sends its requests from as many threads at once, and
prints how often it got which answer.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from extlink.adapters.postgres import PostgresStorage
from extlink.adapters.sqlite import SQLiteStorage
from extlink.http import Request
from tests.oauth.attacked import Party, reunited
from tests.schedules.world import TENANT, hub_over

__all__ = ["main"]


def _opened(where: str, schema: str) -> SQLiteStorage | PostgresStorage:
    return PostgresStorage(where, schema=schema, timeout=60) if schema else SQLiteStorage(where, timeout=60)


def main(where: str, schema: str, body: str, count: str, seed: str) -> None:
    """Send the request whose body lies in a file so many times at once.

    Args:
        where: a SQLite file, or a server as libpq reads it.
        schema: there; empty for a file.
    """
    with _opened(where, schema) as storage:
        target = reunited(storage, {"flow": Party(id="unused")})
        node = hub_over(storage, seed=int(seed)).tenant(TENANT)
        asked = Request(
            method="POST",
            path="/oauth2/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=Path(body).read_bytes(),
        )
        os.write(1, b"ready\n")
        sys.stdin.readline()
        with ThreadPoolExecutor(int(count)) as threads:
            answers = list(threads.map(lambda _: target.server.serve(node, asked), range(int(count))))
    counted = Counter((answer.status, answer.body.decode()) for answer in answers)
    os.write(1, json.dumps([[*key, number] for key, number in counted.items()]).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
