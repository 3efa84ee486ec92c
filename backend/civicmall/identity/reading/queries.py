"""The statements of reading personal data."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import LookupRow

q = sql.load(__file__, LookupRow)
