"""The package's statements."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import ConsentRow, GivenRow, PastRow

q = sql.load(__file__, ConsentRow, GivenRow, PastRow)
