"""The example host of docs/examples, served on a loopback address, for clients that know nothing of extlink."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, cast

import attrs

from extlink import ExtLink, InMemoryDirectory, catalog, clients, grants, services
from extlink.clients import ClientProfile
from extlink.domain.client_registration import AuthenticationMethod
from extlink.domain.secret import Secret
from extlink.runtime import Tenant
from tests.architecture.source import ROOT

__all__ = ["REDIRECT", "SCOPES", "Deployment", "Example", "Registered", "deployment", "example"]

REDIRECT = "https://client.example/cb"
SCOPES = ("k:app_record:read", "k:file:read")
PROGRAM = ROOT / "docs" / "examples" / "wsgi_host.py"


class Example(Protocol):
    """What the tests use of the example."""

    mount: Callable[..., object]

    def running(self, tenant: Tenant, scopes: tuple[str, ...]) -> AbstractContextManager[str]:
        """Serve, and yield the issuer."""
        ...

    def agree(self, issuer: str, address: str) -> str:
        """Be the user's browser: agree, and return the redirect."""
        ...

    def send(
        self, issuer: str, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request."""
        ...


def example(path: Path = PROGRAM) -> Example:
    """Return the example as a module; it is a program, and no package has it."""
    spec = importlib.util.spec_from_file_location("wsgi_host", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Example", module)


@attrs.frozen(kw_only=True)
class Registered:
    """A client's credentials, as its developer has them."""

    id: str
    secret: str


@attrs.frozen(kw_only=True)
class Deployment:
    """The running host."""

    issuer: str
    admin: Tenant
    host: Example

    def register(self, method: AuthenticationMethod, *, pkce: bool) -> Registered:
        """Register a client that authenticates in one way, and may leave out PKCE only if it will."""
        profile = ClientProfile(
            service="power-automate",
            name="A client",
            redirect_uris=[REDIRECT],
            methods=[method],
            pkce="required" if pkce else "waived_for_confidential_client",
        )
        registered = self.admin.run(clients.register(profile))
        return Registered(id=registered.client.id, secret=(registered.secret or Secret("")).reveal())

    def agree(self, address: str) -> str:
        """Agree as the user's browser does, and return where it is sent."""
        return self.host.agree(self.issuer, address)

    def call(self, access_token: str) -> int:
        """Call the API with a token and return the status."""
        status, _, body = self.host.send(self.issuer, "/api/records", Authorization=f"Bearer {access_token}")
        assert status != 200 or json.loads(body) == {"records_of": "sato"}
        return status


@contextmanager
def deployment() -> Generator[Deployment]:
    """Run the example host with one service that one user may use."""
    people = InMemoryDirectory()
    people.add_user("sato", products={"kintone"})
    tenant = ExtLink.in_memory(directory=people).open_tenant("acme", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin-1", roles={"common_administrator"})
    admin.run(services.register(catalog.POWER_AUTOMATE))
    admin.run(services.enable("power-automate"))
    admin.run(grants.allow("power-automate", users=["sato"]))
    host = example()
    with host.running(tenant, SCOPES) as issuer:
        yield Deployment(issuer=issuer, admin=admin, host=host)
