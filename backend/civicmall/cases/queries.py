"""The room's statements; each module of the room calls them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import CaseRow, DeskCase, DueCase, EventRow, MaterialRow, SupplementRow

q = sql.load(__file__, CaseRow, EventRow, MaterialRow, SupplementRow, DueCase, DeskCase)
