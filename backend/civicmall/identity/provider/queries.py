"""The statements of the OpenID Provider."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import Client, CodeRow, Grant, TicketRow

q = sql.load(__file__, Client, CodeRow, Grant, TicketRow)
