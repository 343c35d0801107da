"""The command `extlink`: what an administrator does with published files, without writing a program (floor 6).

    extlink plan      a vendor's file and the tenant's CSV -> the CSV to upload
    extlink changes   an older and a newer file -> what changed, and what the tenant's list lacks today
    extlink schema    the tables of a PostgreSQL store: status, upgrade, verify, sql
    extlink gc        clear away what tenants no longer need, of a file or of a PostgreSQL store
    extlink end-links       after a restore: end every link of every tenant
    extlink remove-tenant   remove a tenant for good

Exit codes: 0 done; 1 refused, with the reason; 2 a file or an argument is wrong; 3 done, and something is missing.
"""

from __future__ import annotations

from extlink.cli.main import main

__all__ = ["main"]
