"""Papers about money: receipts that anybody can verify, settlement statements, payouts.

A receipt is made anew each time, of what stands at that moment: one payment has one number and one
code for ever. A statement takes its sums from the ledger and its rows from what events told, and
there is none where the two differ.
"""

from __future__ import annotations

from . import payouts, receipts, statement_csv, statement_pdf, statements, views
from .codes import grouped
from .errors import (
    AccountShared,
    BadPeriod,
    CodeForged,
    CodeMistyped,
    MoreThanOwed,
    NoSettlementAccount,
    NotSettledYet,
    PeriodNotOver,
    SettlementDiffers,
    StatementTooLong,
)
from .feed import listen
from .models import CheckedReceipt, NewPayout, Payout, Settlement
from .routes import routers

__all__ = [
    "AccountShared", "BadPeriod", "CheckedReceipt", "CodeForged", "CodeMistyped", "MoreThanOwed",
    "NewPayout", "NoSettlementAccount", "NotSettledYet", "Payout", "PeriodNotOver", "Settlement",
    "SettlementDiffers", "StatementTooLong", "grouped", "listen", "payouts", "receipts", "routers",
    "statement_csv", "statement_pdf", "statements", "views",
]  # fmt: skip
