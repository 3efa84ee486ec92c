"""The room's statements; each module of the room calls them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import AccessRow, CitizenRow, Consent, GivenRow, SessionRow, SessionView, StaffRow

q = sql.load(__file__, CitizenRow, GivenRow, SessionRow, SessionView, StaffRow, Consent, AccessRow)
