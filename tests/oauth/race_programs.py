"""What races in processes of its own on one store."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from extlink.http import Request
from tests.adapters.places import Place
from tests.oauth.attacked import Party, reunited
from tests.processes import asked, say
from tests.schedules.world import TENANT, hub_over

__all__ = ["race"]


def race(where: str, schema: str, body: str, count: str, seed: str) -> None:
    """For a line, send the request whose body lies in a file so many times at once; print how often which answer came.

    Args:
        where: a SQLite file, or a server as libpq reads it.
        schema: there; empty for a file.
    """
    with Place(where, schema).open() as storage:
        target = reunited(storage, {"flow": Party(id="unused")})
        node = hub_over(storage, seed=int(seed)).tenant(TENANT)
        request = Request(
            method="POST",
            path="/oauth2/token",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=Path(body).read_bytes(),
        )
        say("ready")
        next(asked())
        with ThreadPoolExecutor(int(count)) as threads:
            answers = list(threads.map(lambda _: target.server.serve(node, request), range(int(count))))
    counted = Counter((answer.status, answer.body.decode()) for answer in answers)
    say(json.dumps([[*key, number] for key, number in counted.items()]))
