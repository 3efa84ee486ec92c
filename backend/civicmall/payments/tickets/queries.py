"""The statements of tickets."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import Going, OpenCounts, Ticket

q = sql.load(__file__, Ticket, Going, OpenCounts)
