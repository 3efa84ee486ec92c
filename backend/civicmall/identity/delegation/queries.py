"""The statements of acting for others."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import Due, Row

q = sql.load(__file__, Row, Due)
