"""The room's statements; each module of the room calls them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import (
    DeskPayment,
    DueOrder,
    LineRow,
    OrderRow,
    ShopTotal,
)

q = sql.load(__file__, OrderRow, LineRow, DueOrder, DeskPayment, ShopTotal)
