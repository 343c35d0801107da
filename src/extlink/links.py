"""Operations on links: the whole life of a connection, from the consent page to its end (S4, S10, S11; DESIGN 6).

begin -> consent -> accept -> code -> redeem -> tokens -> refresh ...      refuse
of, users_of, members_of                                                   who uses what
revoke, revoke_all, revoke_members_of, narrow, suspend, resume             ending and pausing
reconcile                                                                  what rules ended
pin, unpin                                                                 calls from published ranges alone
"""

from __future__ import annotations

from extlink.link_answers import accept, refuse
from extlink.link_consent import begin
from extlink.link_ends import narrow, resume, revoke, revoke_all, suspend
from extlink.link_members import MemberPage, MembersRevoked, MemberUses, members_of, revoke_members_of
from extlink.link_pins import pin, unpin
from extlink.link_reconcile import Reconciled, reconcile
from extlink.link_tokens import redeem, refresh
from extlink.link_views import LinkView, ServiceUse, ServiceUser, ServiceUserPage, of, users_of

__all__ = [
    "LinkView",
    "MemberPage",
    "MemberUses",
    "MembersRevoked",
    "Reconciled",
    "ServiceUse",
    "ServiceUser",
    "ServiceUserPage",
    "accept",
    "begin",
    "members_of",
    "narrow",
    "of",
    "pin",
    "reconcile",
    "redeem",
    "refresh",
    "refuse",
    "resume",
    "revoke",
    "revoke_all",
    "revoke_members_of",
    "suspend",
    "unpin",
    "users_of",
]
