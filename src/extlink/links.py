"""Operations on links: the whole life of a connection, from the consent page to its end (S4, S10, S11; DESIGN 6).

begin -> consent -> accept -> code -> redeem -> tokens -> refresh ...      refuse
of, users_of                                                               who uses what
revoke, revoke_all, suspend, resume                                        ending and pausing
pin, unpin                                                                 calls from published ranges alone
"""

from __future__ import annotations

from extlink.link_answers import accept, refuse
from extlink.link_consent import begin
from extlink.link_ends import resume, revoke, revoke_all, suspend
from extlink.link_pins import pin, unpin
from extlink.link_tokens import redeem, refresh
from extlink.link_views import LinkView, ServiceUse, ServiceUser, ServiceUserPage, of, users_of

__all__ = [
    "LinkView",
    "ServiceUse",
    "ServiceUser",
    "ServiceUserPage",
    "accept",
    "begin",
    "of",
    "pin",
    "redeem",
    "refresh",
    "refuse",
    "resume",
    "revoke",
    "revoke_all",
    "suspend",
    "unpin",
    "users_of",
]
