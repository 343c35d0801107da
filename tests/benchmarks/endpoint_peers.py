"""The endpoints of Authlib and django-oauth-toolkit, each given what it needs to answer as many requests as ours.

Authlib leaves storing to whoever integrates it; here that is a dictionary, which nothing can beat. Django-oauth-toolkit
has its own tables, on a SQLite file. Both get the client's secret in the body and PKCE by S256. The toolkit's secret is
kept as it is, not hashed like a password, which is its default and would be all that is measured.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from tests.benchmarks.measure import Batch
from tests.benchmarks.toolkit import SCOPE, set_up

__all__ = ["CHALLENGE", "REDIRECT", "VERIFIER", "Peer", "authlib", "batches", "toolkit"]

REDIRECT: Final = "https://client.example/cb"
# RFC 7636, appendix B.
VERIFIER: Final = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE: Final = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

# The four batches, by what they do.
Peer = dict[str, Batch]


def _taken(items: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), count):
        yield items[start : start + count]


def batches(
    codes: Sequence[str],
    count: int,
    exchange: Callable[[dict[str, str]], dict[str, Any]],
    introspect: Callable[[str], bool],
    check: Callable[[str], bool],
) -> Peer:
    """Return the batches over three questions: each code is exchanged once, each refresh token is the last one's."""
    fresh = _taken(codes[count:], count)
    held = [exchange(_code(code)) for code in codes[:count]]
    tokens = [one["access_token"] for one in (exchange(_code(code)) for code in next(fresh))]
    refreshed = [one["refresh_token"] for one in held]

    def exchanging() -> int:
        return len([exchange(_code(code)) for code in next(fresh)])

    def refreshing() -> int:
        refreshed[:] = [
            exchange({"grant_type": "refresh_token", "refresh_token": token})["refresh_token"] for token in refreshed
        ]
        return len(refreshed)

    def introspecting() -> int:
        assert all(introspect(token) for token in tokens)
        return len(tokens)

    def checking() -> int:
        assert all(check(token) for token in tokens)
        return len(tokens)

    return {"exchange": exchanging, "refresh": refreshing, "introspection": introspecting, "check": checking}


def _code(code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }


def authlib(codes: int, count: int) -> Peer:  # noqa: C901 - the classes that an integrator writes, in one place
    """Return Authlib's batches, over dictionaries."""
    from authlib.oauth2 import rfc6749, rfc6750, rfc7636, rfc7662
    from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

    class Client(rfc6749.ClientMixin):  # type: ignore[misc] # untyped
        client_id, secret = "client", secrets.token_urlsafe(32)

        def get_client_id(self) -> str:
            return self.client_id

        def get_allowed_scope(self, scope: str) -> str:
            return scope

        def check_client_secret(self, client_secret: str) -> bool:
            return secrets.compare_digest(self.secret, client_secret)

        def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
            return method == "client_secret_post"

        def check_grant_type(self, grant_type: str) -> bool:
            return True

    class Token(rfc6749.TokenMixin):  # type: ignore[misc] # untyped
        def __init__(self, token: dict[str, Any]) -> None:
            self.token, self.until = token, time.time() + 3_600

        def check_client(self, client: object) -> bool:
            return client is registered

        def get_scope(self) -> str:
            return str(self.token["scope"])

        def get_expires_in(self) -> int:
            return 3_600

        def is_expired(self) -> bool:
            return time.time() > self.until

        def is_revoked(self) -> bool:
            return False

    class Code(rfc6749.AuthorizationCodeMixin):  # type: ignore[misc] # untyped
        code_challenge, code_challenge_method = CHALLENGE, "S256"

        def __init__(self, code: str) -> None:
            self.code = code

        def get_redirect_uri(self) -> str:
            return REDIRECT

        def get_scope(self) -> str:
            return SCOPE

    registered = Client()
    made = [secrets.token_urlsafe(32) for _ in range(codes)]
    waiting = {code: Code(code) for code in made}
    by_access: dict[str, Token] = {}
    by_refresh: dict[str, Token] = {}

    class CodeGrant(rfc6749.grants.AuthorizationCodeGrant):  # type: ignore[misc] # untyped
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)

        def query_authorization_code(self, code: str, client: object) -> Code | None:
            return waiting.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del waiting[authorization_code.code]

        def authenticate_user(self, authorization_code: object) -> str:
            return "user"

    class RefreshGrant(rfc6749.grants.RefreshTokenGrant):  # type: ignore[misc] # untyped
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_post",)
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
            return by_refresh.get(refresh_token)

        def authenticate_user(self, refresh_token: object) -> str:
            return "user"

        def revoke_old_credential(self, refresh_token: Token) -> None:
            del by_refresh[refresh_token.token["refresh_token"]]

    class Introspection(rfc7662.IntrospectionEndpoint):  # type: ignore[misc] # untyped
        CLIENT_AUTH_METHODS = ("client_secret_post",)

        def check_permission(self, token: Token, client: object, request: object) -> bool:
            return True

        def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
            return by_access.get(token_string) or by_refresh.get(token_string)

        def introspect_token(self, token: Token) -> dict[str, Any]:
            return {"active": True, "client_id": "client", "scope": token.get_scope(), "exp": int(token.until)}

    class Validator(rfc6750.BearerTokenValidator):  # type: ignore[misc] # untyped
        def authenticate_token(self, token_string: str) -> Token | None:
            return by_access.get(token_string)

    class Asked(rfc6749.OAuth2Request):  # type: ignore[misc] # untyped
        def __init__(self, form: dict[str, str]) -> None:
            super().__init__("POST", "https://example.com/token", None, {})
            self.payload = BasicOAuth2Payload(form)
            self._form = form

        @property
        def form(self) -> dict[str, str]:
            return self._form

    class Server(rfc6749.AuthorizationServer):  # type: ignore[misc] # untyped
        def query_client(self, client_id: str) -> Client | None:
            return registered if client_id == "client" else None

        def save_token(self, token: dict[str, Any], request: object) -> None:
            kept = Token(token)
            by_access[token["access_token"]] = by_refresh[token["refresh_token"]] = kept

        def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
            pass

        def create_oauth2_request(self, request: Asked) -> Asked:
            return request

        def handle_response(self, status: int, body: Any, headers: object) -> tuple[int, Any]:
            return status, body

    server, validator = Server(), Validator()
    server.register_token_generator(
        "default",
        rfc6750.BearerTokenGenerator(
            lambda **_: secrets.token_urlsafe(32), refresh_token_generator=lambda **_: secrets.token_urlsafe(32)
        ),
    )
    server.register_grant(CodeGrant, [rfc7636.CodeChallenge(required=True)])
    server.register_grant(RefreshGrant)
    server.register_endpoint(Introspection)
    shown = {"client_id": "client", "client_secret": registered.secret}

    def exchange(form: dict[str, str]) -> dict[str, Any]:
        status, body = server.create_token_response(Asked({**shown, **form}))
        assert status == 200, body
        found: dict[str, Any] = body
        return found

    def introspect(token: str) -> bool:
        _, body = server.create_endpoint_response("introspection", Asked({**shown, "token": token}))
        return bool(body["active"])

    def check(token: str) -> bool:
        found = validator.authenticate_token(token)
        validator.validate_token(found, [SCOPE], None)
        return found is not None

    return batches(made, count, exchange, introspect, check)


def toolkit(folder: Path, codes: int, count: int) -> Peer:
    """Return django-oauth-toolkit's batches, over SQLite."""
    set_up(folder)
    from django.contrib.auth import get_user_model
    from django.test import RequestFactory
    from django.utils import timezone
    from oauth2_provider.models import get_application_model, get_grant_model
    from oauth2_provider.oauth2_validators import OAuth2Validator
    from oauth2_provider.views import IntrospectTokenView
    from oauthlib.oauth2 import Server

    secret, name = secrets.token_urlsafe(32), "client-of-endpoints"
    client = get_application_model().objects.create(
        name=name,
        client_id=name,
        client_secret=secret,
        hash_client_secret=False,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=REDIRECT,
    )
    people = get_user_model().objects.bulk_create(
        [get_user_model()(username=f"{name}-{number}") for number in range(codes)], batch_size=1_000
    )
    made = [secrets.token_urlsafe(32) for _ in range(codes)]
    later = timezone.now() + timezone.timedelta(days=1)
    get_grant_model().objects.bulk_create(
        [
            get_grant_model()(
                user=person,
                code=code,
                application=client,
                expires=later,
                redirect_uri=REDIRECT,
                scope=SCOPE,
                code_challenge=CHALLENGE,
                code_challenge_method="S256",
            )
            for person, code in zip(people, made, strict=True)
        ],
        batch_size=1_000,
    )
    server, validator = Server(OAuth2Validator()), OAuth2Validator()
    introspection, requests = IntrospectTokenView.as_view(), RequestFactory()
    shown = {"client_id": name, "client_secret": secret}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    class Request:
        """What the validator writes its findings to."""

    def exchange(form: dict[str, str]) -> dict[str, Any]:
        _, body, status = server.create_token_response(
            "https://example.com/token", "POST", urlencode({**shown, **form}), headers
        )
        assert status == 200, body
        found: dict[str, Any] = json.loads(body)
        return found

    def introspect(token: str) -> bool:
        answer = introspection(requests.post("/introspect/", {**shown, "token": token}))
        return b'"active": true' in answer.content

    def check(token: str) -> bool:
        return bool(validator.validate_bearer_token(token, [SCOPE], Request()))

    return batches(made, count, exchange, introspect, check)
