"""The room's statements; each module of the room calls them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import (
    DeskRatingRow,
    DeskTicketRow,
    DueTicket,
    MineRow,
    MonthRow,
    RatingRow,
    StepRow,
    TicketRow,
)

q = sql.load(
    __file__, RatingRow, TicketRow, StepRow, MineRow, DeskRatingRow, DeskTicketRow, DueTicket,
    MonthRow,
)  # fmt: skip
