"""The statements of staff's accounts."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import EnrolmentRow, ResetRow, SignInRow, StaffAccount, StandingRow, TotpRow

q = sql.load(__file__, SignInRow, StandingRow, TotpRow, EnrolmentRow, StaffAccount, ResetRow)
