"""The statements of passkeys."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import KeyRow, PasskeyRow

q = sql.load(__file__, KeyRow, PasskeyRow)
