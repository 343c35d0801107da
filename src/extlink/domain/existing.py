"""What happens to existing links when a rule tightens: one table, for every operation that can tighten (F11).

Rules: an operation *tightens* if after it a call may be refused that was allowed before, everything else being the
same. Each is a row of `TIGHTENING`, acts on links themselves and so says itself what becomes of them (`ON_LINKS`), or
holds a client to more at the token endpoint (`ON_CLIENTS`); no other ever turns an allow into a refusal (a test proves
it). The three words mean the same everywhere:

    keep      nothing is done to links. Where the rule lets it, a link goes on as before; where each call is asked, it
              is refused while the rule is as tight, and works again when it loosens
    suspend   the links pause: every call is refused until the rule is loosened, then they work again
    revoke    the links end with the change, for good; nothing that is loosened later brings them back

A word that makes no sense for an operation, or is not safe, is refused with the reason: nothing is taken for another
word. What does end links ends them at the next check in every process, whatever their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from extlink.domain.grant import Existing
from extlink.domain.identifier import plain_text
from extlink.errors import InvalidInput

__all__ = ["ON_CLIENTS", "ON_LINKS", "TIGHTENING", "Tightening", "parse_choice"]

_MAX_SHOWN: Final = 64
_WORDS: Final[Mapping[str, Existing]] = MappingProxyType({"keep": "keep", "suspend": "suspend", "revoke": "revoke"})


_NOTHING: Final[Mapping[Existing, str]] = MappingProxyType({})


def _frozen(words: Mapping[Existing, str]) -> Mapping[Existing, str]:
    return MappingProxyType(dict(words))


@attrs.frozen(kw_only=True)
class Tightening:
    """What becomes of existing links under one kind of operation.

    Args:
        offered: what each word that may be said means; the first is the default.
        refused: why each of the other words may not be said.
    """

    offered: Mapping[Existing, str] = attrs.field(converter=_frozen)
    refused: Mapping[Existing, str] = attrs.field(factory=dict[Existing, str], converter=_frozen)

    @property
    def default(self) -> Existing:
        """The word that holds where none is said."""
        return next(iter(self.offered))


_GRANT: Final = Tightening(
    offered={
        "revoke": "links of those left without any grant end for good, also if the grant is given again",
        "suspend": "links of those left without any grant are refused until one is given again",
        "keep": "links made before go on; new ones are refused",
    },
)
_REACH: Final = Tightening(
    offered={
        "revoke": "links of those whom a narrower scope leaves without any grant end for good",
        "suspend": "links of those whom a narrower scope leaves without any grant are refused until one is given again",
        "keep": "links of those whom a narrower scope leaves out go on; new ones are refused",
    },
)
_ORGANIZATION: Final = Tightening(
    offered={
        "revoke": "links of those left without any grant end for good",
        "suspend": "links of those left without any grant are refused until another one is given",
    },
    refused={"keep": "once the organization is gone, nothing tells whose links were kept; grant its people by name"},
)
_SERVICE: Final = Tightening(
    offered={
        "suspend": "links are refused while the service is off, and work again after it is on",
        "revoke": "links to the service end for good",
    },
    refused={"keep": "a service that is off is refused as a whole; with suspend its links work again when it is on"},
)
_USER: Final = Tightening(
    offered={
        "revoke": "the user's links end for good",
        "suspend": "the user's links are refused until the user is resumed",
    },
    refused={"keep": "a suspended user is refused everywhere; with suspend the links work again after resume"},
)
_CALLS: Final = Tightening(
    offered={
        "keep": "links stay; a call that the rule refuses is refused, and allowed again when the rule is loosened",
        "revoke": "every link of the tenant ends for good",
    },
    refused={"suspend": "the rule is asked of each call and pauses no link; others go on. links.suspend pauses one"},
)
_CALLS_OF_A_SERVICE: Final = Tightening(
    offered={
        "keep": "links stay; a call that the rule refuses is refused, and allowed again when the rule is loosened",
        "revoke": "every link to the service ends for good",
    },
    refused=_CALLS.refused,
)
_ASKED_OF_PEOPLE: Final = "no call over a link rests on what people show on the consent page"
_IN_PERSON: Final = Tightening(
    offered={"keep": "links stay as they are: what people show on the consent page, no call of a service can show"},
    refused={
        "suspend": f"{_ASKED_OF_PEOPLE}; links.suspend pauses one link",
        "revoke": f"{_ASKED_OF_PEOPLE}; tenants.end_links ends them all",
    },
)
_DORMANT: Final = Tightening(
    offered={"revoke": "a link unused for so long is refused; the first check that meets it ends it for good"},
    refused={
        "suspend": "a dormant link is one that nobody misses; its user connects anew",
        "keep": "the setting is about links that exist; without it they live on",
    },
)
_FINAL: Final = "it ends links for good, nothing revives them"
_STOP: Final = Tightening(
    offered={"revoke": "links end for good; nothing revives them"},
    refused={
        "suspend": f"{_FINAL}; services.disable pauses them",
        "keep": f"{_FINAL}; services.disable pauses them",
    },
)
_DELETED: Final = Tightening(
    offered={"revoke": "the user's links end for good"},
    refused={
        "suspend": f"{_FINAL}; users.suspend pauses them for a leave",
        "keep": f"{_FINAL}; users.suspend pauses them for a leave",
    },
)
_CLIENT: Final = Tightening(
    offered={"revoke": "links that the client made end for good"},
    refused={
        "suspend": f"{_FINAL}: a client is removed for good; links.suspend pauses one link",
        "keep": f"{_FINAL}: without its client nobody holds a link",
    },
)

TIGHTENING: Final[Mapping[str, Tightening]] = MappingProxyType(
    {
        "clients.remove": _CLIENT,
        "datagroups.require_flow_connectors": _CALLS,
        "datagroups.set_policy": _CALLS,
        "datagroups.set_unblockable": _CALLS,
        "grants.allow": _REACH,
        "grants.edit": _GRANT,
        "grants.exclude": _GRANT,
        "grants.organization_removed": _ORGANIZATION,
        "grants.withdraw": _GRANT,
        "networks.accept_proofs": _IN_PERSON,
        "networks.deny_all": _CALLS,
        "networks.pin": _CALLS_OF_A_SERVICE,
        "networks.remove": _CALLS,
        "networks.restrict": _CALLS,
        "networks.unpin": _CALLS_OF_A_SERVICE,
        "services.disable": _SERVICE,
        "services.quarantine": _STOP,
        "services.quarantine_everywhere": _STOP,
        "services.register": _CALLS_OF_A_SERVICE,
        "services.set_default": _SERVICE,
        "services.set_dormancy": _DORMANT,
        "users.delete": _DELETED,
        "users.suspend": _USER,
    },
)

# What is done to links themselves, and the life of their tokens: the operation is the answer.
ON_LINKS: Final = frozenset(
    {
        "endpoints.consent",
        "endpoints.exchange",
        "endpoints.revoke",
        "links.accept",
        "links.narrow",
        "links.pin",
        "links.reconcile",
        "links.redeem",
        "links.refresh",
        "links.revoke",
        "links.revoke_all",
        "links.revoke_members_of",
        "links.suspend",
        "services.purge",
        "tenants.end_links",
        "triggers.unsubscribe",
    },
)

# What a client must show from its next message on; the calls over its links are not asked for it.
ON_CLIENTS: Final = frozenset({"clients.add_secret", "clients.change", "clients.remove_secret", "clients.set_keys"})


def parse_choice(operation: str, value: object) -> Existing:
    """Return what shall become of existing links under an operation of the table.

    Raises:
        InvalidInput: another word, or one that makes no sense there or is not safe, with the reason.

    >>> parse_choice("services.disable", "revoke")
    'revoke'
    >>> parse_choice("services.quarantine", "keep")
    Traceback (most recent call last):
        ...
    extlink.errors.InvalidInput: existing: expected revoke, got 'keep': it ends links for good, nothing revives them; \
services.disable pauses them
    """
    row = TIGHTENING[operation]
    text = plain_text(value)
    word = None if text is None else _WORDS.get(text)
    if word is not None and word in row.offered:
        return word
    words = ", ".join(row.offered)
    expected = f"expected one of {words}" if len(row.offered) > 1 else f"expected {words}"
    if word is not None:
        raise InvalidInput("existing", f"{expected}, got {word!r}: {row.refused[word]}")
    got = type(value).__name__ if text is None else ascii(text[:_MAX_SHOWN])[:_MAX_SHOWN]
    raise InvalidInput("existing", f"{expected}, got {got}")
