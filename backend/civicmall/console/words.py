"""What codes are called on the console's pages. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from typing import Final, Literal

from civicmall.payments import REFUND_ALONE_MINOR

from .models import Doing

State = Literal[
    "open", "registered", "fixed", "explained", "reopened", "confirmed", "appealed", "excluded"
]
"""The states of a ticket, as the rating centre has them."""

CaseState = Literal[
    "submitted",
    "pending",
    "running",
    "waiting_for_citizen",
    "ready",
    "finished",
    "refused",
    "withdrawn",
]
"""The states of a case that its department sees."""
CASES: Final[dict[CaseState, tuple[str, str]]] = {
    "submitted": ("On its way to the department", "warn"),
    "pending": ("To be accepted", "warn"),
    "running": ("In progress", "idle"),
    "waiting_for_citizen": ("Waiting for the citizen", "idle"),
    "ready": ("Ready to collect", "good"),
    "finished": ("Finished", "good"),
    "refused": ("Refused", "bad"),
    "withdrawn": ("Taken back", "idle"),
}
"""State → its name and tone, in the order of the filter."""
OPENED: Final = {"open": "It is open for you; the citizen sees that you opened it, and why."}
"""Notices after a reason was given."""
OVER: Final = "The quarter of an hour is over. Open it anew; nothing was sent."
DISPUTE_DONE: Final = {
    "open": "It is open for you; the citizen sees that you opened it, and why.",
    "answer": "The answer was sent to the citizen.",
}
DISPUTES: Final = {
    "kept": ("It stays", "idle"),
    "withdrawn": ("Record withdrawn", "good"),
    "corrected": ("Attested anew", "good"),
    "taken_back": ("Taken back", "idle"),
}
"""How an objection ended → its name and tone."""
VERDICTS: Final = {
    "kept": ("It is right and stays", "It may be used for recommendations again."),
    "withdrawn": (
        "It is wrong: withdraw it",
        "It goes at once. What your system attests up to the same day isn't taken again: correct it there too.",
    ),
}
SUFFIXES: Final = {"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}
"""How a paper's file is called when it is saved."""
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
MONEY_TICKETS: Final = {
    "amount_differs": "The amount differs from the order's",
    "unknown_order": "Fits no order",
    "late": "Came after the order was closed",
    "double": "Paid a second time",
    "missing_here": "The channel has a payment that we don't have",
    "missing_there": "We have a payment that the channel doesn't have",
    "statement_amount_differs": "The channel's statement has another amount",
    "refund_missing_here": "The channel sent money back that we know nothing of",
    "refund_missing_there": "The channel did not send money back that we booked",
    "refund_amount_differs": "The channel sent another amount back",
    "refund_failed": "The channel could not send money back",
    "bad_row": "A line of the statement can't be read",
    "statement_unreadable": "A day's statement can't be taken",
}
MONEY_ADVICE: Final = {
    "amount_differs": "The money lies in suspense. Send it back, or clear it up with the channel.",
    "unknown_order": "The money lies in suspense. Send it back, or clear it up with the channel.",
    "late": "It goes back by itself; if not, see the refund.",
    "double": "It goes back by itself; if not, see the refund.",
    "missing_here": "Ask the channel whose payment it is. Where it fits an order, it was paid in by itself.",
    "missing_there": "Ask the channel: we were told of this payment, and its statement hasn't it.",
    "statement_amount_differs": "Ask the channel which amount moved.",
    "refund_missing_here": "Ask the channel who sent it, and book it.",
    "refund_missing_there": "Ask the channel where the money is.",
    "refund_amount_differs": "Ask the channel which amount moved.",
    "refund_failed": "Try the refund again, or decline it; then this ticket settles itself.",
    "bad_row": "Get the line from the channel, and look it up by hand.",
    "statement_unreadable": "It is tried again by itself. If it stays so, get the file and run civicmall reconcile.",
}
MONEY_NOTES: Final = {
    "returned": "The money went back.",
    "matched": "A later look found that it fits.",
    "done": "The refund is done.",
    "declined": "The refund was declined.",
}
"""What the system writes where it settles one itself."""
RECONCILED: Final = {
    "matched": "Both have it",
    "other_day": "On the day before or after",
    "waits": "Waits for the next day's statement",
    "repaired": "Missing here, paid in by itself",
    "missing_here": "The channel has a payment that we don't have",
    "missing_there": "We have a payment that the channel doesn't have",
    "statement_amount_differs": "The channel's statement has another amount",
    "refund_matched": "Refund: both have it",
    "refund_other_day": "Refund: on another day",
    "refund_waits": "Refund: waits for the next day's statement",
    "refund_repaired": "Refund: done there, booked by itself",
    "refund_begun": "Refund: under way",
    "refund_pending": "Refund: being asked after",
    "refund_void": "Refund: failed on both sides",
    "refund_missing_here": "The channel sent money back that we know nothing of",
    "refund_missing_there": "The channel did not send money back that we booked",
    "refund_amount_differs": "The channel sent another amount back",
}
"""How movements of a day ended."""
STATEMENT_STATES: Final = {
    "reading": ("Not read to the end", "bad"),
    "read": ("Being matched", "warn"),
    "matched": ("Matched", "good"),
}
SETTLED: Final = {
    "resolve": "The ticket is settled.",
    "return": "The money is on its way back, or waits for a second operator.",
    "approve": "It is on its way, or waits for a second person.",
    "decline": "The refund is declined.",
}
CLAIMS: Final = {
    "id_number": "ID number",
    "name": "Name",
    "phone": "Phone",
    "birth_date": "Date of birth",
    "sex": "Sex",
    "uscc": "Unified social credit code",
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
ROLES: Final = {
    "operator": "Platform operator",
    "auditor": "Auditor",
    "manager": "Manager",
    "agent": "Agent",
}
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
    "attests_added": "Tells the platform more about citizens",
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
    "attests_changed": "Names another record for what it tells",
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
    "attests_removed": "Tells the platform less about citizens",
    "egress_removed": "Calls one host less",
    "raw_removed": "Raw address left out",
    "other_changed": "Other words or settings",
}
WEIGHTS: Final = {"grave": "Look closely", "notable": "Notable", "plain": "Minor"}
RESULTS: Final = {"passed": "Passed", "failed": "Failed", "skipped": "Skipped"}

REFUNDS: Final[dict[str, tuple[str, str]]] = {
    "wanted": ("The citizen asks", "warn"),
    "asked": ("Needs a second person", "warn"),
    "approved": ("On its way", "idle"),
    "sent": ("On its way", "idle"),
    "failed": ("The channel could not", "bad"),
    "done": ("Refunded", "good"),
    "declined": ("Declined", "idle"),
}
"""State → its name and tone."""
REFUND_REASONS: Final = {
    "not_provided": "Service not provided",
    "wrong_charge": "Wrong charge",
    "paid_twice": "Paid twice",
    "changed_mind": "Changed their mind",
    "other": "Another reason",
    "refused": "The department refused it",
}
ASKERS: Final = {"citizen": "the citizen", "staff": "staff", "system": "the platform"}
REFUNDED: Final = {
    "give": "The refund is on the list.",
    "approve": "It is on its way, or waits for a second person.",
    "decline": "The refund is declined.",
}
REFUND_TABS: Final = {"open": "Open", "all": "All"}
ALONE_MINOR: Final = REFUND_ALONE_MINOR
PASSKEYS: Final = {
    "add": "The passkey is added. From now on you can sign in with it.",
    "name": "The name is saved.",
    "remove": "The passkey is removed. Delete it on your device too.",
}
"""Notices after a form of the page of passkeys."""
ACCOUNT: Final = {"password": "The password is changed; your other sessions have ended."}
"""Notices of one's own account, by the form's name."""
UNFIT: Final = {
    "short": "A password has 12 characters or more.",
    "name": "A password doesn't hold the account's or the person's name.",
    "repeated": "That password repeats itself.",
    "sequence": "That password is keys in a row.",
    "common": "That password is one of those tried first.",
    "same": "That is the present password.",
}
"""Why a password isn't taken."""
STAFF_DONE: Final = {
    "disable": "The account is closed; its sessions have ended.",
    "reset": "The reset waits for another operator.",
    "approve": "The factor is taken off; the account sets up a new one.",
    "decline": "The factor stays as it is.",
}
OBJECTION_DONE: Final = {"answer": "The answer was sent to the citizen."}
LOOKUP_DONE: Final = {
    "ask": "The look-up waits for another operator.",
    "approve": "Your colleague may look for a quarter of an hour.",
    "decline": "The look-up is closed.",
}
WHYS: Final = {
    "citizen_asked": "The citizen asked for help",
    "case": "A matter is worked on",
    "complaint": "A complaint is looked into",
    "safety": "Somebody is in danger",
    "law": "Another authority asks, by law",
}
"""Why a record is opened."""
LOOKUPS: Final = {
    "asked": ("Waits for another operator", "warn"),
    "approved": ("Agreed to", "good"),
    "declined": ("Not agreed to", "bad"),
}
