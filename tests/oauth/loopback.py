"""The example host of docs/examples, served on a loopback address, for clients that know nothing of extlink."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, cast

import attrs
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from extlink import ExtLink, InMemoryDirectory, catalog, clients, grants, services
from extlink.clients import ClientKey, ClientProfile
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
    """A client's credentials, as its developer has them: the secret, or the private key in its place, or neither."""

    id: str
    secret: str
    key: str = ""


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
            kind="public" if method == "none" else "confidential",
            redirect_uris=[REDIRECT],
            methods=[method],
            pkce="required" if pkce else "waived_for_confidential_client",
        )
        registered = self.admin.run(clients.register(profile))
        key = self._key(registered.client.id) if method == "private_key_jwt" else ""
        return Registered(id=registered.client.id, secret=(registered.secret or Secret("")).reveal(), key=key)

    def _key(self, client: str) -> str:
        """Draw a key for a client as its developer would, register the public half and return the private one."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        self.admin.run(clients.set_keys(client, [ClientKey(id="k1", algorithm="ES256", pem=public)]))
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

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
