"""The closed ledger's statements; its modules call them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql
from civicmall.kernel.days import Standing

from .models import Balance, ClosedBucket, ClosedDay, Differs, Entry, Posting, Stray, Unled

q = sql.load(
    __file__, Posting, Standing, ClosedBucket, ClosedDay, Balance, Entry, Differs, Stray, Unled
)
