"""`extlink schema status | upgrade | verify | sql`, as a function from options to a text and an exit code.

Rules: nothing is printed and no argument is parsed here; the command line does both. The exit code is 0 where all is
well and 1 where something is lacking or wrong, so that a deployment can stop. Errors leave as they were raised.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from extlink.adapters.postgres_schema import Phase, sql, status, upgrade, verify
from extlink.errors import InvalidInput

__all__ = ["Answer", "Verb", "run"]

_SOUND: Final = "all tables and indexes are as this release needs them"

Verb = Literal["status", "upgrade", "verify", "sql"]


class Answer(NamedTuple):
    """What to print, without a final line end, and how to exit."""

    text: str
    code: int


def run(verb: Verb, conninfo: str = "", *, schema: str = "extlink", phase: Phase = "all") -> Answer:
    """Carry one verb out.

    Args:
        verb: `status`: which files a database has; `upgrade`: apply the others; `verify`: compare the tables with what
            this release needs; `sql`: the text of the files, without a server.
        conninfo: as libpq reads it; what it leaves out comes from the environment (PGHOST, PGDATABASE ...).
        schema: the schema of the tables.
        phase: for `upgrade` and `sql`: `pre`, `post` or `all`.

    Raises:
        InvalidInput: no verb, or no phase.
        Misconfigured: as the functions of `postgres_schema`.
        StorageError: as these.

    >>> run("upgrade", "dbname=links").text.splitlines()[0]
    'applied 0001_records_and_ledger_pre.sql'
    >>> run("upgrade", "dbname=links"), run("verify", "dbname=links").text
    (Answer(text='nothing to do', code=0), 'all tables and indexes are as this release needs them')
    """
    match verb:
        case "status":
            files = status(conninfo, schema=schema)
            lines = [f"{'applied' if one.is_applied else 'lacking':8}{one.name}" for one in files]
            return Answer("\n".join(lines), int(not all(one.is_applied for one in files)))
        case "upgrade":
            names = upgrade(conninfo, schema=schema, phase=phase)
            return Answer("\n".join(f"applied {name}" for name in names) or "nothing to do", 0)
        case "verify":
            problems = verify(conninfo, schema=schema)
            return Answer(
                "\n".join(problems) or "all tables and indexes are as this release needs them", bool(problems)
            )
        case "sql":
            return Answer(sql(schema=schema, phase=phase).rstrip("\n"), 0)
        case _:  # pyright: ignore[reportUnnecessaryComparison] - it comes from a command line
            raise InvalidInput("verb", f"expected status, upgrade, verify or sql, got {ascii(verb)[:64]}")
