"""Clients that others wrote do the whole cycle against the example host: those of npm, in the machine's Node.

`npm` fetches them once a run into a folder of its own, at the versions that tests/oauth/npm/package.json pins; there is
no lock file, which would name one registry's host. Without Node, npm or a registry these tests skip and say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from extlink.domain.client_registration import AuthenticationMethod
from tests.oauth.loopback import REDIRECT, SCOPES, Deployment, deployment

SOURCE = Path(__file__).parent / "npm"
FETCH_SECONDS = 120
RUN_SECONDS = 60


@pytest.fixture(scope="module")
def host() -> Generator[Deployment]:
    """Run one host for all clients."""
    with deployment() as running:
        yield running


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the programs and the packages they need, or skip and say what is missing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node or no npm on this machine: the clients of npm are not tried")
    folder = tmp_path_factory.mktemp("npm")
    for file in SOURCE.iterdir():
        shutil.copy(file, folder)
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, encoding="utf-8", timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not answer within {FETCH_SECONDS} s: the clients of npm are not tried")
    if done.returncode:
        pytest.skip(f"npm could not fetch the clients: {done.stderr.strip().splitlines()[:1]}")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "pkce", "pushed"),
    [
        ("client_secret_basic", True, False),
        ("client_secret_basic", False, False),
        ("client_secret_post", True, False),
        ("client_secret_post", False, False),
        ("private_key_jwt", True, False),
        ("none", True, False),
        ("client_secret_basic", True, True),
        ("private_key_jwt", True, True),
        ("none", True, True),
    ],
)
@pytest.mark.parametrize("program", ["openid_client.mjs", "oauth4webapi.mjs"])
def test_a_client_does_the_whole_cycle(
    node: Path, host: Deployment, program: str, method: AuthenticationMethod, pkce: bool, pushed: bool
) -> None:
    """Discovery, authorize, token, a call, refresh, introspect, revoke; afterwards none of it is worth anything."""
    client = host.register(method, pkce=pkce)
    told = {
        "issuer": host.issuer,
        "id": client.id,
        "secret": client.secret,
        "key": client.key,
        "method": method,
        "pkce": pkce,
        "pushed": pushed,
        "redirect": REDIRECT,
        "scope": " ".join(SCOPES),
    }

    done = subprocess.run(
        ["node", program],
        cwd=node,
        input=json.dumps(told),
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_SECONDS,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    asked = {"worth": [True, "sato", host.issuer], "afterwards": {"active": False}}
    assert {
        "scope": " ".join(sorted(SCOPES)),
        "first": 200,
        "second": 200,
        "refused": [401, 401],
        **({} if method == "none" else asked),
    } == json.loads(done.stdout)
