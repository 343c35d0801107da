from __future__ import annotations

from typing import Any, get_args

import psycopg
import pytest

from extlink.adapters._schema import scripts
from extlink.adapters._schema_cli import Answer, Verb, run
from extlink.errors import InvalidInput
from tests.clusters import Cluster

NAMES = [script.name for script in scripts("postgres")]


def test_a_database_is_brought_up_from_the_command_line(server: Cluster) -> None:
    """Lacking, applied, verified; the exit code says whether a deployment may go on."""
    schema = server.fresh_name()

    def ask(verb: Verb) -> Answer:
        return run(verb, server.conninfo, schema=schema)

    assert ("\n".join(f"lacking {name}" for name in NAMES), 1) == ask("status")
    assert ("\n".join(f"file {name} is not applied" for name in NAMES), 1) == ask("verify")
    assert ("\n".join(f"applied {name}" for name in NAMES), 0) == ask("upgrade")
    assert ("nothing to do", 0) == ask("upgrade")
    assert ("\n".join(f"applied {name}" for name in NAMES), 0) == ask("status")
    assert 0 == ask("verify").code
    with psycopg.connect(server.conninfo, autocommit=True) as connection:
        connection.execute(f"DROP INDEX {schema}.entry_batch".encode())
    lacking = "table entry lacks a unique index on tenant, batch, position; make it as `extlink schema sql` does"
    assert (lacking, 1) == ask("verify")


def test_the_sql_needs_no_server() -> None:
    """An administrator reads it before anything is applied."""
    answer = run("sql", schema="links", phase="pre")

    assert answer.text.startswith("CREATE SCHEMA IF NOT EXISTS links;")
    assert 0 == answer.code


@pytest.mark.parametrize("verb", ["", "drop", None])
def test_another_verb_is_refused(verb: Any) -> None:
    """There are four."""
    with pytest.raises(InvalidInput, match="expected status, upgrade, verify or sql"):
        run(verb)
    assert 4 == len(get_args(Verb))
