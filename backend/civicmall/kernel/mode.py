"""Sandbox or real city: a database is one or the other for ever.

A sandbox has well-known staff passwords and people who don't exist; none of that may turn real
because a setting changed.
"""

from __future__ import annotations

from . import sql
from .config import BadSetting
from .db import Db
from .models import Delivery, KeyRow, OutboxCounts

q = sql.load(__file__, Delivery, KeyRow, OutboxCounts)


async def keep(db: Db, *, sandbox: bool) -> None:
    """Note what this database is, or refuse to use it as the other. Raises BadSetting."""
    was: bool | None = None
    while was is None:  # of two first starts, one waits for the other, and sees it the next time
        was = await q.keep_mode(db, sandbox=sandbox)
    if was != sandbox:
        made, asked = ("a sandbox", "a real city") if was else ("a real city", "a sandbox")
        raise BadSetting(
            "CIVICMALL_SANDBOX", f"this database was made as {made}; {asked} needs one of its own"
        )
