"""The statements of exchange."""

from __future__ import annotations

from civicmall.kernel import sql

q = sql.load(__file__)
