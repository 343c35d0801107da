"""An API of the host behind bearer tokens: who is let in, and what the others are told (RFC 6750, RFC 9728).

Rules: a caller without a token is told no error (RFC 6750 section 3.1); `invalid_token` is only what a new token can
mend, so a client that is kept out by an administrator or a network does not throw its tokens away; a store that fails
is 503, never a yes; no answer says which gate refused, since that is for the administrator.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import attrs

from extlink import access
from extlink.access import Admission
from extlink.domain.decision import Decision
from extlink.domain.identifier import parse_scopes
from extlink.errors import ExtlinkError, InvalidInput, OAuthError
from extlink.http import Request, Response, error_response
from extlink.oauth.bearer import challenge, read_bearer
from extlink.oauth.metadata import metadata_path, parse_issuer, protected_resource_metadata
from extlink.operation import Operation
from extlink.runtime import AsyncTenant, Tenant

__all__ = ["ProtectedResource"]

_KIND: Final = "oauth-protected-resource"
_JSON: Final = ("Content-Type", "application/json;charset=UTF-8")
_NO_STORE: Final = ("Cache-Control", "no-store")
# What another token would mend, but for a link that an administrator suspended and may resume.
_OF_THE_TOKEN: Final = ("token.", "link.")
_SUSPENDED: Final = "link.suspended"
_NOT_COVERED: Final = frozenset({"scope.not_covered"})


def _resource(value: str) -> str:
    resource = parse_issuer(value, "resource")
    if resource.endswith("/"):
        raise InvalidInput("resource", "expected no slash at the end: clients do not agree on what it means")
    return resource


def _issuer(value: str) -> str:
    return parse_issuer(value)


def _scopes(values: str | Iterable[str]) -> frozenset[str]:
    return frozenset(parse_scopes(values, "scopes"))


@attrs.frozen(kw_only=True)
class ProtectedResource:
    """An API that services call with bearer tokens.

    Args:
        resource: its identifier, which is the audience of tokens made for it alone (RFC 8707): https, no slash at the
            end.
        issuer: the authorization server whose tokens it takes.
        scopes: those that its metadata names.

    Raises:
        InvalidInput: malformed addresses or scopes.

    >>> api = ProtectedResource(resource="https://example.com/api", issuer="https://example.com")
    >>> api.metadata_path
    '/.well-known/oauth-protected-resource/api'
    """

    resource: str = attrs.field(converter=_resource)
    issuer: str = attrs.field(converter=_issuer)
    scopes: frozenset[str] = attrs.field(default=frozenset[str](), converter=_scopes)

    @property
    def metadata_path(self) -> str:
        """Where its metadata lies (RFC 9728 section 3.1)."""
        return metadata_path(self.resource, _KIND)

    @property
    def metadata_url(self) -> str:
        """The address of its metadata, which every challenge names (RFC 9728 section 5.1)."""
        return "/".join(self.resource.split("/")[:3]) + self.metadata_path

    def metadata(self, request: Request) -> Response | None:
        """Answer a request for the metadata, or return None where the request is for something else.

        >>> api = ProtectedResource(resource="https://example.com/api", issuer="https://example.com")
        >>> api.metadata(Request(method="GET", path="/")) is None
        True
        """
        if request.path != self.metadata_path:
            return None
        if request.method not in {"GET", "HEAD"}:
            return Response(status=405, headers=(("Allow", "GET, HEAD"),))
        members = protected_resource_metadata(self.resource, issuer=self.issuer, scopes=self.scopes)
        public = (("Cache-Control", "public, max-age=3600"), ("Access-Control-Allow-Origin", "*"))
        return Response(status=200, headers=(_JSON, *public), body=json.dumps(members).encode())

    def admit(
        self,
        tenant: Tenant,
        request: Request,
        *,
        scope: str | Iterable[str],
        connectors: Iterable[str] | None = None,
    ) -> Admission | Response:
        """Say for whom a request that is let in acts, or return the answer to one that is kept out.

        Do nothing of what the request asks unless the result is an `Admission`. Source: `access.admit`, RFC 6750
        section 3.1. Tokens in the query or the body are not looked at.

        Args:
            scope: the operation, or all operations, that this request needs.
            connectors: all connectors of the flow, where the caller states them (TRACE T2).

        Raises:
            InvalidInput: malformed arguments of the host's own, such as no scope.
        """
        needed = frozenset[str](parse_scopes(scope, "scope"))
        step = self._question(request, needed, connectors)
        if isinstance(step, Response):
            return step
        try:
            return self._answer(tenant.run(step), needed)
        except ExtlinkError as error:
            return error_response(error)

    async def admit_async(
        self,
        tenant: AsyncTenant,
        request: Request,
        *,
        scope: str | Iterable[str],
        connectors: Iterable[str] | None = None,
    ) -> Admission | Response:
        """Do as `admit` does, for a host on asyncio."""
        needed = frozenset[str](parse_scopes(scope, "scope"))
        step = self._question(request, needed, connectors)
        if isinstance(step, Response):
            return step
        try:
            return self._answer(await tenant.run(step), needed)
        except ExtlinkError as error:
            return error_response(error)

    def _question(
        self, request: Request, scopes: frozenset[str], connectors: Iterable[str] | None
    ) -> Operation[Admission | Decision] | Response:
        try:
            token = read_bearer(value for name, value in request.headers if name == "authorization")
        except OAuthError as error:
            return self._refused(error)
        if token is None:
            return self._refused(None)
        return access.admit(token, scope=scopes, address=request.address, connectors=connectors, resource=self.resource)

    def _answer(self, result: Admission | Decision, scopes: frozenset[str]) -> Admission | Response:
        if isinstance(result, Admission):
            return result
        codes = frozenset(reason.code for reason in result.reasons)
        if any(code.startswith(_OF_THE_TOKEN) and code != _SUSPENDED for code in codes):
            return self._refused(OAuthError("invalid_token"))
        if codes == _NOT_COVERED:
            return self._refused(OAuthError("insufficient_scope"), " ".join(sorted(scopes)))
        return error_response(OAuthError("access_denied"))

    def _refused(self, error: OAuthError | None, scope: str = "") -> Response:
        said = challenge(error, scope=scope, resource_metadata=self.metadata_url)
        headers = (("WWW-Authenticate", said), _NO_STORE)
        if error is None:
            return Response(status=401, headers=headers)
        body = json.dumps({"error": error.error}).encode()
        return Response(status=error.status, headers=(_JSON, *headers), body=body)
