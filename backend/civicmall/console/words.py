"""What codes are called on the console's pages. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from typing import Final, Literal

from .models import Doing

State = Literal[
    "open", "registered", "fixed", "explained", "reopened", "confirmed", "appealed", "excluded"
]
"""The states of a ticket, as the rating centre has them."""

STATES: Final[dict[State, str]] = {
    "open": "To be answered",
    "reopened": "Sent back",
    "registered": "Registered",
    "fixed": "Put right",
    "explained": "Explained",
    "appealed": "Under review",
    "confirmed": "Confirmed",
    "excluded": "Not counted",
}
"""Short names, in the order of the filter."""
TURNS: Final = {
    "department": "The department's turn",
    "citizen": "The citizen's turn",
    "operator": "The platform's turn",
    "nobody": "Closed",
}
ACTORS: Final = {
    "citizen": "Citizen",
    "department": "Department",
    "operator": "Platform operator",
    "platform": "Platform",
}
ANSWERS: Final = {
    "fix": ("fixed", "It is put right", "The citizen is asked to confirm."),
    "register": (
        "registered",
        "Registered, will be done",
        "A complex matter; the due date stays.",
    ),
    "explain": (
        "explained",
        "It can't be done otherwise",
        "There is no legal basis to do otherwise; say which rule applies.",
    ),
}
"""Move → what is posted, its name, and what it means."""
DONE: Final = {
    "answer": "The answer was sent to the citizen.",
    "appeal": "The review was asked for.",
    "remind": "The department was reminded.",
    "review": "The verdict was recorded.",
}
"""Notices after a form, by the form's name."""
DOINGS: Final[dict[Doing, str]] = {"live": "In service", "held": "Held back", "broken": "Broken"}
BREAKERS: Final = {
    "closed": "Calls pass",
    "open": "No calls pass for now",
    "half-open": "One call at a time is tried",
}
LINES: Final = {
    "waiting": "Waiting for the shop",
    "fulfilled": "Receipt issued",
    "refused": "Refused, on its way back",
    "refunded": "Refunded",
}
OUTCOMES: Final = {
    "amount_differs": "The amount differs from the order's",
    "late": "Came after the order was closed",
    "double": "Paid a second time",
    "unknown_order": "Fits no order",
}
CLAIMS: Final = {
    "id_number": "ID number",
    "name": "Name",
    "phone": "Phone",
    "birth_date": "Date of birth",
    "sex": "Sex",
}
CAPABILITIES: Final = {"bills": "Bills", "progress": "Progress of matters"}
STAGES: Final = {
    "birth": "Birth",
    "school": "School",
    "work": "Work",
    "marriage": "Marriage",
    "retirement": "Retirement",
}
ROLES: Final = {"operator": "Platform operator", "department": "Department"}
DAYS: Final = (7, 30, 90, 365)
"""Periods that the totals can be asked for."""
