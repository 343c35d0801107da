"""A PgBouncer of our own in front of a cluster: in its folder, as its user, reached by a Unix socket alone."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest

from tests.clusters import NOBODY, Cluster

__all__ = ["binary", "pooled", "require_pooler", "version"]

_PORT: Final = 6432
_WAIT_SECONDS: Final = 20


def binary() -> str | None:
    """Return the path of the program, that of EXTLINK_PGBOUNCER before any other."""
    return os.environ.get("EXTLINK_PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


def require_pooler() -> None:
    """Skip the test, with the reason, where there is none."""
    if binary() is None:
        pytest.skip("no PgBouncer: apt-get install pgbouncer")


def version() -> tuple[int, int]:
    """Return the version of the program."""
    require_pooler()
    told = subprocess.run([str(binary()), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", told)
    assert found, told
    return int(found[1]), int(found[2])


@contextlib.contextmanager
def pooled(cluster: Cluster, **more: object) -> Iterator[str]:
    """Run a PgBouncer in transaction mode before a cluster; yield the connection string that goes through it.

    Args:
        more: further settings of `[pgbouncer]`.
    """
    require_pooler()
    folder = Path(tempfile.mkdtemp(prefix="extlink-bouncer-", dir=cluster.folder))
    settings = {
        "listen_addr": "",
        "listen_port": _PORT,
        "unix_socket_dir": folder,
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": 3,
        "max_client_conn": 100,
        "logfile": folder / "log",
        "pidfile": folder / "pid",
        **more,
    }
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    text = f"[databases]\npostgres = host={cluster.folder} user=extlink dbname=postgres\n[pgbouncer]\n{''.join(lines)}"
    (folder / "ini").write_text(text, encoding="utf-8")
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, NOBODY)
        user = {"user": NOBODY, "group": "nogroup", "extra_groups": []}
    # In the foreground: it ends with its process id, which is ours, and nobody else's.
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [str(binary()), "-q", str(folder / "ini")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user
    )
    conninfo = f"host={folder} port={_PORT} user=extlink dbname=postgres"
    try:
        _wait_for(process, conninfo, folder)
        yield conninfo
    finally:
        process.terminate()
        process.wait(_WAIT_SECONDS)


def _wait_for(process: subprocess.Popen[bytes], conninfo: str, folder: Path) -> None:
    for _ in range(_WAIT_SECONDS * 20):
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(conninfo):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    log = folder / "log"
    raise AssertionError(log.read_text(encoding="utf-8") if log.exists() else f"{binary()} did not start")
