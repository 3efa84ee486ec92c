"""Tickets of the payment centre: what an operator must look into, with the day by which."""

from __future__ import annotations

from .errors import NoSuchTicket, ReturnWaits, TicketResolved
from .models import Going, OpenCounts, Resolve, Sighting, Ticket, TicketKind, TicketState, Wanted
from .service import (
    due_on,
    failed,
    going_back,
    link,
    note,
    one,
    open_counts,
    overpaid,
    refund_ended,
    refund_of,
    resolve,
    returned,
    see,
    settled,
    some,
    unseen,
)

__all__ = [
    "Going", "NoSuchTicket", "OpenCounts", "Resolve", "ReturnWaits", "Sighting", "Ticket", "TicketKind",
    "TicketResolved", "TicketState", "Wanted", "due_on", "failed", "going_back", "link", "note", "one",
    "open_counts", "overpaid", "refund_ended", "refund_of", "resolve", "returned", "see", "settled",
    "some", "unseen",
]  # fmt: skip
