"""Numbered SQL files in the wheel: which of them a database still lacks.

Rules: files are called `0001_what_it_does.sql`, are applied in the order of their numbers and never change once
released; a database records number and checksum of each. A database that records a file this release does not have,
or the same number with another content, was made by someone else, and nothing is guessed about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

from extlink.errors import Misconfigured

__all__ = ["Script", "pending", "scripts", "statements"]


class Script(NamedTuple):
    """One numbered SQL file; `checksum` is the SHA-256 of its text in hexadecimal."""

    number: int
    name: str
    text: str
    checksum: str

    @property
    def is_post(self) -> bool:
        """Whether it may take something away that the release before still needs."""
        return self.name.endswith("_post.sql")


def scripts(engine: str) -> tuple[Script, ...]:
    """Return the numbered files of an engine in order.

    >>> [script.name for script in scripts("sqlite")]
    ['0001_records_and_ledger.sql']
    """
    folder = files("extlink.adapters").joinpath("schema", engine)
    found = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return tuple(_script(name, folder.joinpath(name).read_text(encoding="utf-8")) for name in found)


def _script(name: str, text: str) -> Script:
    return Script(int(name.partition("_")[0]), name, text, hashlib.sha256(text.encode()).hexdigest())


def pending(known: tuple[Script, ...], applied: Mapping[int, str]) -> tuple[Script, ...]:
    """Return the files that a database still lacks.

    Args:
        known: the files of this release.
        applied: number -> checksum, as the database recorded them.

    Raises:
        Misconfigured: the database records a number this release does not know, or another content of a known one.

    >>> first = Script(1, "0001_first.sql", "...", "aa")
    >>> pending((first,), {}) == (first,), pending((first,), {1: "aa"})
    (True, ())
    """
    unknown = sorted(applied.keys() - {script.number for script in known})
    if unknown:
        raise Misconfigured(
            f"the database has schema file {unknown[-1]:04d}, this release knows {known[-1].number:04d} as the last; "
            "use the newer release of extlink that wrote it"
        )
    for script in known:
        if applied.get(script.number, script.checksum) != script.checksum:
            raise Misconfigured(
                f"schema file {script.name} is not the one the database was made with; install a released extlink"
            )
    return tuple(script for script in known if script.number not in applied)


def statements(script: Script) -> tuple[str, ...]:
    r"""Return the statements of a file: each ends with a semicolon at the end of a line.

    >>> statements(Script(1, "0001_two.sql", "CREATE TABLE a (b);\nDROP\n TABLE a;\n", ""))
    ('CREATE TABLE a (b);', 'DROP\n TABLE a;')
    """
    return tuple(f"{part.strip()};" for part in script.text.split(";\n") if part.strip())
