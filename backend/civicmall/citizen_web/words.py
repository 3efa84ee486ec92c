"""What the app calls things. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

Tone = Literal["calm", "good", "warn", "bad"]


class State(Struct, frozen=True):
    """A state in words: a name, a sentence that says what follows, and how it feels."""

    name: str
    means: str
    tone: Tone


SAID: Final[dict[str, str]] = {
    "signed_in": "You are signed in.",
    "signed_out": "You are signed out.",
    "verified": "Your identity is verified.",
    "saved": "Saved.",
    "forgotten": "Forgotten.",
    "agreed": "Thank you. You can take your consent back at any time under “Me”.",
    "revoked": "Your consent is taken back.",
    "device_out": "That device is signed out.",
    "on": "Recommendations are on.",
    "off": "Recommendations are off.",
    "card_away": "This card is put away.",
    "in_order": "This bill stands in this order already.",
    "not_payable": "This order can't be paid any more.",
    "nothing_chosen": "Choose at least one bill.",
    "too_many": "At most 20 bills fit into one order.",
    "cancelled": "The order is cancelled; its bills are free again.",
    "thanks": "Thank you for your rating.",
    "followed_up": "Thank you. Your rating opened a ticket, and the department must answer it.",
    "confirmed": "Thank you. The ticket is closed.",
    "reopened": "The answer went back to the department.",
    "all_read": "All messages are marked as read.",
    "declined": "The bank declined. Nothing was paid.",
    "applied": "Your application is handed in.",
    "supplemented": "Your supplement is handed in.",
    "withdrawn": "The application is taken back.",
    "not_withdrawn": "The department did not agree to the withdrawal.",
    "case_moved_on": "The application has moved on meanwhile; this is how it stands now.",
    "booked": "The time is yours.",
    "booking_cancelled": "The appointment is given back.",
}
"""Notices after a form, by the name that the cookie carries."""

ORDERS: Final[dict[str, State]] = {
    "created": State("To be paid", "Pay it before it closes by itself.", "warn"),
    "paying": State("To be paid", "Pay it before it closes by itself.", "warn"),
    "paid": State("Paid", "The department is being told; its receipt follows in a moment.", "calm"),
    "fulfilled": State("Done", "Paid, and the department has given its receipt.", "good"),
    "closed": State("Closed unpaid", "It was not paid. Its bills are free again.", "calm"),
    "refunding": State("Going back", "The department could not take it; your money is on its way back.", "warn"),
    "refunded": State("Money returned", "Your money went back the way it came.", "calm"),
    "part_refunded": State("Partly returned", "Part of your money went back the way it came.", "calm"),
}  # fmt: skip
AWAITED: Final = State(
    "Waiting for the bank",
    "The bank has not told us yet. You need not pay again; this page looks by itself.",
    "calm",
)
"""An order whose payer has just come back from the cashier."""
CASES: Final[dict[str, State]] = {
    "submitted": State("Handed in", "The department is being told. If its service is away, the platform tells it again by itself.", "calm"),
    "pending": State("With the department", "It has your application and will say whether it accepts it.", "calm"),
    "running": State("In progress", "The department has accepted it and works on it.", "calm"),
    "waiting_for_citizen": State("Waiting for you", "Something is missing; the department goes on once you bring it.", "warn"),
    "ready": State("Ready to collect", "It is done; the department tells where to collect it.", "good"),
    "finished": State("Finished", "It is done.", "good"),
    "refused": State("Refused", "The department refused it; its reasons stand below.", "bad"),
    "withdrawn": State("Taken back", "You took it back.", "calm"),
}  # fmt: skip
DOORS: Final[dict[str, str]] = {
    "apply": "Apply",
    "appointments": "Make an appointment",
    "calculate": "Calculate",
    "enquire": "Look up",
}
"""What an app's page leads to, by capability, which is its address too."""
WRONG: Final[dict[str, str]] = {
    "required": "Fill this in.",
    "number": "A number is needed here.",
    "between": "A number is needed here: {limits}.",
    "day": "A day is needed here, as in {example}.",
    "long": "At most {n} characters.",
    "pattern": "This does not have the right form; an example: {example}",
    "choice": "Choose one of these.",
    "file": "Choose a file.",
    "kind": "This kind of file is not taken here.",
    "again": "Choose the file again.",
}
"""What is wrong with what was filled in."""
SLOTS: Final[dict[str, str]] = {
    "after_hours": "after hours",
    "green_channel": "for the old, the ill and the disabled",
}
LINES: Final[dict[str, str]] = {
    "waiting": "waiting for the department",
    "fulfilled": "receipt given",
    "refused": "declined by the department",
    "refunded": "money returned",
}
BILLS: Final[dict[str, tuple[str, Tone]]] = {
    "owed": ("To pay", "calm"),
    "overdue": ("Overdue", "bad"),
    "paid": ("Paid", "good"),
}
MATTERS: Final[dict[str, tuple[str, Tone]]] = {
    "running": ("In progress", "calm"),
    "waiting_for_citizen": ("Waiting for you", "warn"),
    "ready": ("Ready to collect", "good"),
    "finished": ("Finished", "good"),
    "refused": ("Refused", "bad"),
}
STEPS: Final[dict[str, str]] = {
    "done": "done",
    "current": "now",
    "waiting": "to come",
    "failed": "failed",
}
TILES: Final[dict[str, str]] = {
    "stale": "Recovering; what you see is the last answer",
    "unavailable": "Recovering; try again soon",
    "consent_needed": "Shown once you agree",
    "level_too_low": "Needs your real name",
}
"""States of a tile that has something to tell."""
LEVELS: Final[dict[int, tuple[str, str]]] = {
    1: ("Level 1: phone", "We know your phone number."),
    2: ("Level 2: real name", "Your name and ID number were checked against the register."),
    3: ("Level 3: in person", "You were seen in person or by your face."),
}
CLAIMS: Final[dict[str, str]] = {
    "id_number": "ID number",
    "name": "name",
    "phone": "phone number",
    "birth_date": "date of birth",
    "sex": "sex",
    "material": "files that you handed in",
}
READS: Final[dict[str, str]] = {
    "bills.list": "to list your bills",
    "bills.get": "to explain a bill",
    "charge.quote": "to tell what a bill costs now",
    "charge.paid": "to book your payment",
    "progress.list": "to find your matters",
    "progress.get": "to tell where a matter stands",
    "bills.receipt": "to give you a receipt",
    "apply.form": "to fill in a form for you",
    "apply.submit": "to take your application",
    "apply.supplement": "to take your supplement",
    "apply.withdraw": "to give your application back",
    "apply.material": "to read what you handed in",
    "appointments.slots": "to offer you times",
    "appointments.book": "to book a time for you",
    "appointments.cancel": "to give your appointment back",
    "appointments.list": "to find your appointments",
    "calculate.run": "to calculate for you",
    "enquire.run": "to look up your records",
}
"""What a shop read facts for, by operation."""
CARDS: Final[dict[str, str]] = {
    "duty": "Must do",
    "entitlement": "You may claim",
    "suggestion": "Worth knowing",
}
TURNS: Final[dict[str, str]] = {
    "department": "It is the department's turn.",
    "citizen": "It is your turn: accept the answer, or send it back.",
    "operator": "The platform is reviewing it.",
    "nobody": "It is closed.",
}
ACTORS: Final[dict[str, str]] = {
    "citizen": "You",
    "department": "Department",
    "operator": "Platform",
    "platform": "Platform",
}
GUIDE: Final[dict[str, str]] = {
    "conditions": "Who it is for",
    "window": "When",
    "materials": "Materials",
    "steps": "Steps",
    "time": "How long it takes",
    "fee": "What it costs",
}
"""Parts of a service guide, in the order that people ask for them."""
CASHIER: Final[dict[str, str]] = {
    "waiting": "Waiting for your choice",
    "paid": "Paid at the bank",
    "declined": "Declined; you can try again",
    "cancelled": "Closed: the order was cancelled",
}
FAULTS: Final[dict[str, tuple[str, str]]] = {
    "twice": ("Tell it twice", "The callback comes two times; the order is paid once."),
    "wrong_amount": ("Another amount", "The callback names a fen too much; the money waits in suspense."),
    "no_callback": ("No callback", "The bank never calls; the platform asks it after a while."),
}  # fmt: skip
"""What the sandbox's bank does wrongly on request."""
PERSONAS: Final[dict[str, str]] = {
    "newborn_mother": "Mother of a child born yesterday",
    "newborn_father": "Father of a child born yesterday",
    "school_mother": "Mother of a child about to start school",
    "graduate": "Graduate looking for work",
    "newlywed_wife": "Newly-wed wife",
    "newlywed_husband": "Newly-wed husband",
    "near_retirement_man": "Man of 59",
    "near_retirement_woman": "Woman of 59, retired",
}
