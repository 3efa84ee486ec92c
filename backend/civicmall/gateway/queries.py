"""The room's statements, read once."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import FinishedCall

q = sql.load(__file__, FinishedCall)
