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
DOINGS: Final[dict[Doing, str]] = {
    "live": "In service",
    "trial": "On trial",
    "held": "Held back",
    "broken": "Broken",
    "suspended": "Suspended",
    "retired": "Closed for good",
}
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
CAPABILITIES: Final = {
    "bills": "Bills",
    "progress": "Progress of matters",
    "apply": "Applications",
    "appointments": "Appointments",
    "calculate": "Calculators",
    "enquire": "Enquiries",
    "raw": "Its own addresses",
}
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
RELEASES: Final = {
    "submitted": "Waiting for review",
    "approved": "Found good",
    "rejected": "Sent back to its author",
    "canary": "On trial",
    "live": "Live",
    "replaced": "Replaced",
    "suspended": "Suspended",
    "retired": "Closed for good",
    "withdrawn": "Taken out of service",
}
"""The states of a release, in the order of the filter."""
KINDS: Final = {
    "folder": "Deployed by whoever runs the city",
    "submitted": "Handed in by the department",
}
MOVES: Final = {
    "approve": ("Find it good", "A second operator can then put it before citizens."),
    "reject": (
        "Send the release back",
        "The department reads the reason and hands in a higher version.",
    ),
    "canary": (
        "Try it with a share of the citizens",
        "Each citizen meets the same version every time; a higher share keeps those who have it.",
    ),
    "publish": ("Put it before all citizens", "The version that is live is replaced and kept."),
    "rollback": (
        "Take it back",
        "The version before serves again at once; calls that are running are finished.",
    ),
    "suspend": ("Close the shop for now", "Citizens read that it is closed; nothing calls it."),
    "resume": ("Open the shop again", "All citizens can use it again at once."),
    "retire": ("Close the shop for good", "This can't be undone; only a new version opens it."),
}
"""What an operator may do with a release: the button, and what it means."""
TAKEN: Final = {
    "submit": "Handed in",
    "deploy": "Deployed",
    "approve": "Found good",
    "reject": "Sent back to its author",
    "canary": "On trial",
    "publish": "Published",
    "suspend": "Suspended",
    "resume": "Opened again",
    "retire": "Closed for good",
    "rollback": "Rolled back",
    "restore": "Live again",
    "replace": "Replaced",
    "drop": "Taken out of service",
}
"""A step of a release's history."""
CHANGES: Final = {
    "claim_added": "Asks more of citizens",
    "level_lowered": "Needs a lower real-name level",
    "account_changed": "Money goes to another account",
    "address_changed": "Runs at another address",
    "key_changed": "Signs with another key",
    "department_changed": "Belongs to another department",
    "egress_added": "May call one more host",
    "raw_added": "One more raw address",
    "raw_changed": "A raw address has other limits",
    "fee_added": "One more fee",
    "fee_changed": "A fee is described otherwise",
    "purpose_changed": "Asks for another purpose",
    "app_removed": "App left out",
    "capability_removed": "Capability left out",
    "app_added": "New app",
    "capability_added": "New capability",
    "form_changed": "Another form",
    "limits_changed": "Other limits",
    "webhooks_changed": "Hears of other events",
    "contract_changed": "Another contract version",
    "contacts_changed": "Other contacts",
    "level_raised": "Needs a higher real-name level",
    "claim_removed": "Asks less of citizens",
    "fee_removed": "Fee left out",
    "egress_removed": "Calls one host less",
    "raw_removed": "Raw address left out",
    "other_changed": "Other words or settings",
}
WEIGHTS: Final = {"grave": "Look closely", "notable": "Notable", "plain": "Minor"}
RESULTS: Final = {"passed": "Passed", "failed": "Failed", "skipped": "Skipped"}
