"""The package's statements."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import DeskRow, Kept, ObjectionRow, Standing

q = sql.load(__file__, DeskRow, Kept, ObjectionRow, Standing)
