"""The statements of reconciliation."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import BadLine, Gap, GapSum, Part, StatementRow

q = sql.load(__file__, StatementRow, BadLine, Gap, GapSum, Part)
