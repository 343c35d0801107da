"""OAuthProfile: what a definition knows of a service's OAuth client or server, and what is sent there (S1).

Rules: addresses are https and may have placeholders, which are kept (`domain.template`); only the authorization address
may have a fragment, which RFC 6749 section 3.1 forbids and some vendors' sign-in pages nevertheless need, since none
but a browser goes there. A definition holds no credential: where a template sends one it names a placeholder, and no
credential but the client's id is sent in an address (RFC 6749 section 2.3.1), where logs would keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal, cast

import attrs

from extlink.domain.identifier import parse_items, plain_text
from extlink.domain.secret import Secret
from extlink.domain.service_parts import parse_choice, parse_part, parse_url
from extlink.domain.template import parse_template, placeholders, render
from extlink.errors import InvalidInput

__all__ = [
    "SCOPE_DELIMITERS",
    "ClientAuthentication",
    "FormPost",
    "OAuthProfile",
    "RequestTemplates",
    "parse_body",
    "parse_endpoint",
    "parse_query",
]

ClientAuthentication = Literal["basic", "body", "none"]
ClientKind = Literal["confidential", "public"]
Pkce = Literal["required", "waived_for_confidential_client"]

# One blank is RFC 6749 section 3.3; the others are what vendors ask for instead.
SCOPE_DELIMITERS: Final = (" ", ",", "+", ";", "|")
_METHODS: Final[tuple[ClientAuthentication, ...]] = ("basic", "body", "none")
_PKCE: Final[tuple[Pkce, ...]] = ("required", "waived_for_confidential_client")

# The parameters that carry a credential (RFC 6749, 7521, 7523, 7636).
_CREDENTIALS: Final = frozenset(
    {
        "access_token",
        "assertion",
        "client_assertion",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "password",
        "refresh_token",
        "username",
    }
)
_NOT_IN_ADDRESSES: Final = _CREDENTIALS - {"client_id", "username"}
_ONLY_PLACEHOLDERS: Final = re.compile(r"(?:\{[A-Za-z0-9_]+\})*")
_SECRET_NAMES: Final = re.compile(r".*secret|.*password|code|codeverifier|refreshtoken|accesstoken")
_HTTPS_START: Final = re.compile(r"https://[a-z0-9{]|\{")
_HOST: Final = re.compile(r"https://(?P<host>[^/?#]*)")
_HOST_TEXT: Final = re.compile(r"(?:[a-z0-9.:-]|\{[A-Za-z0-9_]+\})+")

# What the protocol itself gives; every other placeholder is a parameter of the connection.
_PROTOCOL: Final = frozenset(
    {
        "clientid",
        "clientsecret",
        "code",
        "codechallenge",
        "codeverifier",
        "redirecturl",
        "refreshtoken",
        "scopes",
        "state",
    }
)
_BY_METHOD: Final[Mapping[ClientAuthentication | None, str]] = {
    None: "",
    "basic": "",
    "body": "&client_id={ClientId}&client_secret={ClientSecret}",
    "none": "&client_id={ClientId}",
}
_AUTHORIZE: Final = "?response_type=code&client_id={ClientId}&redirect_uri={RedirectUrl}&scope={Scopes}&state={State}"
_TOKEN: Final = "grant_type=authorization_code&code={Code}&redirect_uri={RedirectUrl}"  # noqa: S105 - names, no secret
_REFRESH: Final = "grant_type=refresh_token&refresh_token={RefreshToken}"
_CHALLENGE: Final = "&code_challenge={CodeChallenge}&code_challenge_method=S256"
_VERIFIER: Final = "&code_verifier={CodeVerifier}"


def parse_endpoint(value: object, field: str, *, fragment: bool = False) -> str:
    """Return `value` if it is an https address, or a template of one.

    Args:
        fragment: allow one, as for the address that only a browser goes to.

    Raises:
        InvalidInput: something else, user information in it, a credential as text, or a credential at all but the id.

    >>> parse_endpoint("https://{subdomain}.example.com/oauth/token", "token_url")
    'https://{subdomain}.example.com/oauth/token'
    """
    text = parse_template(value, field)
    host = _HOST.match(text)
    if not _HTTPS_START.match(text) or (host and not _HOST_TEXT.fullmatch(host["host"])):
        raise InvalidInput(
            field, "expected an https address with its host in lower case, or a template of one, got another text"
        )
    if "#" in text and not fragment:
        raise InvalidInput(field, "expected an address without a fragment (RFC 6749 section 3.2); remove it")
    _check_credentials(text.partition("?")[2], field, _NOT_IN_ADDRESSES)
    _check_names(text, field)
    return text


def parse_query(value: object, field: str) -> str:
    """Return `value` if it is the template of a query: `?` and pairs, with a path before it or not.

    Raises:
        InvalidInput: something else, a credential as text, or a credential at all but the client's id.

    >>> parse_query("?client_id={ClientId}&state={State}", "authorization_query")
    '?client_id={ClientId}&state={State}'
    """
    text = parse_template(value, field)
    if not text.startswith(("?", "/")) or "#" in text:
        raise InvalidInput(field, "expected a query that begins with '?', or with a path before it, got another text")
    _check_credentials(text.partition("?")[2], field, _NOT_IN_ADDRESSES)
    _check_names(text, field)
    return text


def parse_body(value: object, field: str) -> str:
    """Return `value` if it is the template of a form body: pairs of a fixed name and a value.

    Raises:
        InvalidInput: something else, or a credential as text.

    >>> parse_body("client_secret=letmein", "token_body")
    Traceback (most recent call last):
    ...
    extlink.errors.InvalidInput: token_body: expected a placeholder for client_secret, got text; a definition holds no credentials
    """  # noqa: E501 - the whole message is the example
    text = parse_template(value, field)
    for pair in text.split("&"):
        name, equals, _ = pair.partition("=")
        if not equals or not name or "{" in name or set(name) & set("?/#"):
            raise InvalidInput(field, "expected a form: name=value, joined by '&', got another text")
    _check_credentials(text, field, frozenset())
    return text


def _check_credentials(pairs: str, field: str, forbidden: frozenset[str]) -> None:
    for pair in re.split(r"[&;#?]", pairs):
        name, _, value = pair.partition("=")
        name = re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), name).lower()
        if name in forbidden:
            raise InvalidInput(field, f"expected no {name} in an address, where logs keep it; send it in the body")
        if name in _CREDENTIALS and not _ONLY_PLACEHOLDERS.fullmatch(value):
            raise InvalidInput(field, f"expected a placeholder for {name}, got text; a definition holds no credentials")


def _check_names(text: str, field: str) -> None:
    for name in placeholders(text):
        if _SECRET_NAMES.fullmatch(name.lower()):
            raise InvalidInput(field, f"expected no {name} in an address, where logs keep it; send it in the body")


def _optional_query(value: str, field: str) -> str:
    return "" if plain_text(value) == "" else parse_query(value, field)


def _optional_body(value: str, field: str) -> str:
    return "" if plain_text(value) == "" else parse_body(value, field)


def _authorization_query(value: str) -> str:
    return _optional_query(value, "authorization_query")


def _token_query(value: str) -> str:
    return _optional_query(value, "token_query")


def _token_body(value: str) -> str:
    return _optional_body(value, "token_body")


def _refresh_query(value: str) -> str:
    return _optional_query(value, "refresh_query")


def _refresh_body(value: str) -> str:
    return _optional_body(value, "refresh_body")


@attrs.frozen(kw_only=True)
class RequestTemplates:
    """What is sent at authorize, token and refresh, as templates; an empty one is not told.

    Source: the fields of Power Platform's `oauth2generic`, which names them `authorizationUrlQueryStringTemplate`,
    `tokenUrlQueryStringTemplate`, `tokenBodyTemplate`, `refreshUrlQueryStringTemplate` and `refreshBodyTemplate`.

    Args:
        authorization_query, token_query, refresh_query: what is added to the address, from its `?` or a path on.
        token_body, refresh_body: the form that is posted.

    >>> RequestTemplates(refresh_body="grant_type=refresh_token&refresh_token={RefreshToken}").token_body
    ''
    """

    authorization_query: str = attrs.field(default="", converter=_authorization_query)
    token_query: str = attrs.field(default="", converter=_token_query)
    token_body: str = attrs.field(default="", converter=_token_body)
    refresh_query: str = attrs.field(default="", converter=_refresh_query)
    refresh_body: str = attrs.field(default="", converter=_refresh_body)


@attrs.frozen
class FormPost:
    """A request to the token endpoint: where it is sent, and the form that is posted, which carries credentials.

    >>> FormPost("https://example.com/token", Secret("client_secret=s3cret"))
    FormPost(url='https://example.com/token', body=Secret(***))
    """

    url: str
    body: Secret


def _client_kind(value: ClientKind) -> ClientKind:
    return cast("ClientKind", parse_choice(value, ("confidential", "public"), "kind"))


def _pkce(value: Pkce) -> Pkce:
    return cast("Pkce", parse_choice(value, _PKCE, "pkce"))


def _redirect_uris(values: Iterable[str]) -> tuple[str, ...]:
    uris = tuple(parse_url(item, "redirect_uris") for item in parse_items(values, "redirect_uris"))
    if any("#" in uri for uri in uris):
        raise InvalidInput("redirect_uris", "expected addresses without a fragment (RFC 6749 section 3.1.2)")
    return tuple(dict.fromkeys(uris))


def _authorization_url(value: str | None) -> str | None:
    return None if value is None else parse_endpoint(value, "authorization_url", fragment=True)


def _token_url(value: str | None) -> str | None:
    return None if value is None else parse_endpoint(value, "token_url")


def _refresh_url(value: str | None) -> str | None:
    return None if value is None else parse_endpoint(value, "refresh_url")


def _revocation_url(value: str | None) -> str | None:
    return None if value is None else parse_endpoint(value, "revocation_url")


def _delimiter(value: str) -> str:
    text = plain_text(value)
    if text is None or text not in SCOPE_DELIMITERS:
        got = type(value).__name__ if text is None else ascii(text)[:64]
        raise InvalidInput("scope_delimiter", f"expected one of {', '.join(map(repr, SCOPE_DELIMITERS))}, got {got}")
    return text


def _method(value: ClientAuthentication | None) -> ClientAuthentication | None:
    return (
        None if value is None else cast("ClientAuthentication", parse_choice(value, _METHODS, "client_authentication"))
    )


def _templates(value: RequestTemplates) -> RequestTemplates:
    return parse_part(value, RequestTemplates, "templates")


@attrs.frozen(kw_only=True)
class OAuthProfile:
    """What is known of a service's OAuth client, where it calls the host, or of its server, where the host calls it.

    Args:
        kind: `confidential` if the client can keep a secret.
        pkce: whether it sends a code challenge (RFC 7636).
        redirect_uris: the vendor's published ones; a registered client names its own.
        authorization_url, token_url, refresh_url, revocation_url: https addresses, or templates of such; None: not
            known. Refreshing goes to the token endpoint where no other is named (RFC 6749 section 6).
        scope_delimiter: what stands between scopes in one text.
        client_authentication: how the client shows who it is at the token endpoint: HTTP `basic`, its secret in the
            `body`, or `none` of both, as public clients do (RFC 6749 section 2.3.1); None: not known.
        templates: what is sent where it differs from RFC 6749; `sent()` says it in full.

    Raises:
        InvalidInput: a part is malformed, holds a credential, or contradicts another.

    >>> profile = OAuthProfile(authorization_url="https://{subdomain}.example.com/authorize", scope_delimiter=",")
    >>> profile.connection_parameters, profile.scope_text(["read", "write"])
    (('subdomain',), 'read,write')
    """

    kind: ClientKind = attrs.field(default="confidential", converter=_client_kind)
    pkce: Pkce = attrs.field(default="required", converter=_pkce)
    redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=_redirect_uris)
    authorization_url: str | None = attrs.field(default=None, converter=_authorization_url)
    token_url: str | None = attrs.field(default=None, converter=_token_url)
    refresh_url: str | None = attrs.field(default=None, converter=_refresh_url)
    revocation_url: str | None = attrs.field(default=None, converter=_revocation_url)
    scope_delimiter: str = attrs.field(default=" ", converter=_delimiter)
    client_authentication: ClientAuthentication | None = attrs.field(default=None, converter=_method)
    templates: RequestTemplates = attrs.field(factory=RequestTemplates, converter=_templates)

    def __attrs_post_init__(self) -> None:
        if self.kind == "public" and self.pkce != "required":
            raise InvalidInput("pkce", "expected 'required' for a public client: nothing else protects its code")
        if self.client_authentication and (self.client_authentication == "none") != (self.kind == "public"):
            raise InvalidInput(
                "client_authentication",
                f"expected 'none' for a public client alone, got {self.client_authentication!r} for a {self.kind} one",
            )

    @property
    def connection_parameters(self) -> tuple[str, ...]:
        """The placeholders that the protocol does not fill in, each once: whoever connects is asked for them."""
        texts = (
            self.authorization_url,
            self.token_url,
            self.refresh_url,
            self.revocation_url,
            *attrs.astuple(self.templates),
        )
        found: dict[str, str] = {}
        for text in filter(None, texts):
            for name in placeholders(text):
                found.setdefault(name.lower(), name)
        return tuple(name for folded, name in found.items() if folded not in _PROTOCOL)

    def scope_text(self, scopes: Iterable[str]) -> str:
        """Return scopes as the one text that is sent."""
        return self.scope_delimiter.join(scopes)

    def sent(self) -> RequestTemplates:
        """Return what is sent in full: the definition's own templates, and for the rest RFC 6749 4.1.1, 4.1.3 and 6.

        Only the defaults carry PKCE; a vendor's own template is sent as it is.

        >>> OAuthProfile(client_authentication="body").sent().refresh_body
        'grant_type=refresh_token&refresh_token={RefreshToken}&client_id={ClientId}&client_secret={ClientSecret}'
        """
        own, client = self.templates, _BY_METHOD[self.client_authentication]
        challenge, verifier = (_CHALLENGE, _VERIFIER) if self.pkce == "required" else ("", "")
        return RequestTemplates(
            authorization_query=own.authorization_query or _AUTHORIZE + challenge,
            token_query=own.token_query,
            token_body=own.token_body or _TOKEN + client + verifier,
            refresh_query=own.refresh_query,
            refresh_body=own.refresh_body or _REFRESH + client,
        )

    def authorization_request(self, values: Mapping[str, str | Secret]) -> str:
        """Return the address that the browser is sent to.

        Args:
            values: `ClientId`, `RedirectUrl`, `Scopes`, `State`, `CodeChallenge`, and the connection parameters.

        Raises:
            InvalidInput: the definition names no such address, or a value is missing or malformed.
        """
        return render(_joined(self.authorization_url, self.sent().authorization_query, "authorization_url"), values)

    def token_request(self, values: Mapping[str, str | Secret]) -> FormPost:
        """Return what is posted to exchange a code: `Code`, `RedirectUrl`, `ClientId`, `ClientSecret`, `CodeVerifier`.

        Raises:
            InvalidInput: the definition names no such address, or a value is missing or malformed.
        """
        sent = self.sent()
        return FormPost(
            render(_joined(self.token_url, sent.token_query, "token_url"), values),
            Secret(render(sent.token_body, values)),
        )

    def refresh_request(self, values: Mapping[str, str | Secret]) -> FormPost:
        """Return what is posted to refresh: `RefreshToken`, `ClientId`, `ClientSecret`; some vendors' want the `Code`.

        Raises:
            InvalidInput: the definition names no such address, or a value is missing or malformed.
        """
        sent = self.sent()
        return FormPost(
            render(_joined(self.refresh_url or self.token_url, sent.refresh_query, "refresh_url"), values),
            Secret(render(sent.refresh_body, values)),
        )


def _joined(url: str | None, query: str, field: str) -> str:
    """Return an address with more of a query; what it has is kept (RFC 6749 section 3.1)."""
    if url is None:
        raise InvalidInput(field, "expected an address in the definition, got none; the vendor's pages name it")
    if "?" not in url or not query.startswith("?"):
        return url + query
    return url + ("" if url.endswith(("?", "&")) else "&") + query[1:]
