"""The statements of papers."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import Difference, DoneRefund, EntryRow, KindSum, PaidOut, Payout

q = sql.load(__file__, DoneRefund, KindSum, Difference, EntryRow, Payout, PaidOut)
