"""Which schema files a PostgreSQL database has, and which of them this release needs before it serves.

Rules for rolling upgrades
    A file called `..._pre.sql` only adds, so that the release before goes on working beside it: it is applied before
    the first process of the new release starts. A file called `..._post.sql` may take away: it is applied after the
    last process of the release before has ended.
    So a release needs every `pre` file it knows; it may find `pre` files of a newer release, and never a `post` file.
    A file that was applied never changes: its checksum is recorded and compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from extlink.adapters._postgres import Row, Statement
from extlink.adapters._schema import Script, scripts
from extlink.errors import Misconfigured

__all__ = ["applied", "lacking", "require_files"]

_APPLIED: Final = "SELECT number, name, checksum FROM {}.schema_file ORDER BY number"


def applied(schema: str) -> Statement:
    """Return the statement that asks which files a database has.

    >>> applied("extlink").text
    b'SELECT number, name, checksum FROM extlink.schema_file ORDER BY number'
    """
    return Statement(_APPLIED.format(schema).encode(), ())


def lacking(rows: Sequence[Row], known: Sequence[Script] | None = None) -> tuple[Script, ...]:
    """Return the files that a database lacks, in order.

    Args:
        rows: number, name and checksum of every file that it has.
        known: the files of this release.

    Raises:
        Misconfigured: it has a `post` file of another release, or a known one with another content.
    """
    files = scripts("postgres") if known is None else tuple(known)
    numbers = {script.number: script for script in files}
    for number, name, checksum in rows:
        script = numbers.get(number)
        if script is None and name.endswith("_post.sql"):
            raise Misconfigured(
                f"the database has schema file {ascii(name)[:64]}, which this release does not know and cannot work "
                "with; use the newer release of extlink that wrote it"
            )
        if script is not None and (name, checksum) != (script.name, script.checksum):
            raise Misconfigured(
                f"schema file {script.name} is not the one the database was made with; install a released extlink"
            )
    has = {number for number, _, _ in rows}
    return tuple(script for script in files if script.number not in has)


def require_files(rows: Sequence[Row]) -> None:
    """Require that a database has every `pre` file of this release.

    Raises:
        Misconfigured: one is lacking, or as `lacking`.
    """
    for script in lacking(rows):
        if not script.is_post:
            raise Misconfigured(f"the database lacks schema file {script.name}; run: extlink schema upgrade")
