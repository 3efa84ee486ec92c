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
    "devices_out": "All other devices are signed out.",
    "passkey_added": "The passkey is added. From now on you can sign in with it.",
    "passkey_removed": "The passkey is removed. Delete it on your device too.",
    "name_not_taken": "You are signed in. Your real name could not be taken over; verify it yourself.",
    "linked": "The account is connected.",
    "not_linked": "The accounts are not connected.",
    "unlinked": "That account doesn't sign you in any more.",
    "seen": "You proved that it is you.",
    "on": "Recommendations are on.",
    "off": "Recommendations are off.",
    "card_away": "This card is put away.",
    "acting_proved": "The register confirms it: you may act for them.",
    "acting_invited": "The request is on its way. It begins when it is accepted.",
    "acting_accepted": "Accepted.",
    "acting_ended": "Ended. Nothing more can be done by it.",
    "acting_stopped": "You act for yourself again.",
    "acting_over": "You may no longer act for them. This is your own account again.",
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
    "mandate_on": "Automatic debit is on.",
    "mandate_exists": "These bills are debited by this mandate already.",
    "mandate_caps": "The cap of a month is below that of one debit.",
    "mandate_soon": "The last day is too soon: each debit is announced 3 days before.",
    "mandate_paused": "Nothing is debited until you resume it.",
    "mandate_resumed": "Debits go on. What was announced before is announced anew.",
    "mandate_revoked": "Revoked. Nothing is debited any more.",
    "refund_wished": "Your request is with the department.",
    "not_insured": "The medical insurance pays nothing of this now.",
    "insurer_declined": "The medical insurance declined. Nothing was paid.",
    "fact_on": "Recommendations may look at it again.",
    "fact_off": "Recommendations don't look at it any more.",
    "objected": "Your objection is on its way to whoever attested this.",
    "objection_back": "Your objection is taken back.",
    "reading_objected": "Your objection is on its way to the platform.",
    "account_deleted": "Your account is deleted. Thank you for having been here.",
    "refund_amount": "Write an amount that is left of this line.",
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
REFUNDS: Final[dict[str, tuple[str, Tone]]] = {
    "wanted": ("The department decides", "warn"),
    "asked": ("A second person approves it", "warn"),
    "approved": ("On its way back", "calm"),
    "sent": ("On its way back", "calm"),
    "failed": ("Held up; the city looks after it", "bad"),
    "done": ("Money returned", "good"),
    "declined": ("Declined", "bad"),
}
REFUND_REASONS: Final[dict[str, str]] = {
    "not_provided": "I did not get the service",
    "wrong_charge": "The charge is wrong",
    "paid_twice": "I paid twice",
    "changed_mind": "I changed my mind",
    "other": "Another reason",
}
SPLITS: Final[dict[str, tuple[str, Tone]]] = {
    "quoted": ("Who pays what", "calm"),
    "dropped": ("Given up", "calm"),
    "deducting": ("Waiting for the insurance", "calm"),
    "refused": ("The medical insurance declined", "bad"),
    "deducted": ("The insurance has paid; your part is left", "warn"),
    "paid": ("Paid", "good"),
    "reversing": ("The insurance's part is going back", "warn"),
    "reversed": ("The insurance's part went back", "calm"),
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
    "level": "real-name level",
    "sign_in": "to be known there as the same person each time",
    "offline_access": "access while you are not there",
    "everything": "everything that we know of you",
    "material": "files that you handed in",
    "form": "what you filled in",
    "fact": "a fact about you",
    "objection": "your objection to it",
    "masked_profile": "name, phone and ID number, mostly covered",
    "bills": "bills",
    "uscc": "Unified social credit code",
}
READS: Final[dict[str, str]] = {
    "bills.list": "to list your bills",
    "bills.get": "to explain a bill",
    "mandate.bills.list": "to find bills that you let be debited",
    "mandate.charge.quote": "to tell what a bill costs on the day of its debit",
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
    "userinfo": "to know you where you signed in with your account of the city",
    "desk.open": "to work on it at the department",
    "desk.lookup": "to find you, with a colleague's consent",
    "counter.confirm": "to confirm at a counter that it is you",
}
"""What a shop read facts for, by operation."""
STAFF_ROLES: Final[dict[str, str]] = {
    "operator": "Platform operator",
    "auditor": "Auditor",
    "manager": "Department manager",
    "agent": "Department agent",
    "": "Somebody who works here",
}
"""Who looked, where it was a member of staff; the last where the account is gone."""
OF_NOBODY: Final[dict[str, str]] = {"staff": "the platform"}
"""Whose staff it is where it is no department's."""
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
    "late": ("Too late", "The bank tells nothing until the order is closed; the money goes back."),
    "away": ("Bank away", "No callback, and three questions without an answer; the fourth has one."),
    "out_of_order": ("Out of order", "The payment is told only after its first refund is."),
    "refund_pending": ("Slow refunds", "Refunds take their time; a callback tells of their end."),
    "refund_fails_later": ("Refunds fail later", "A refund is taken at first, and fails in the end."),
    "refund_fails": ("Refunds fail", "A refund is refused at once; the second try goes through."),
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

STAFF: Final[dict[str, tuple[str, str]]] = {
    "operator": (
        "Platform operator",
        "Runs the platform: releases, refunds, reconciliation, clients, looking a citizen up. Many steps take a second operator.",
    ),
    "auditor": (
        "Auditor",
        "Reads the ledger, reconciliation and staff accounts; changes nothing and sees no citizen.",
    ),
    "manager": (
        "Manager",
        "Works on the department's cases, ratings and objections, confirms people at the counter, and decides about its refunds.",
    ),
}
"""What the sandbox's staff are, and what they may do."""
EVENTS: Final[dict[str, str]] = {
    "pregnant": "Pregnant",
    "child_born": "A child was born",
    "married": "Married",
    "divorced": "Divorced",
    "widowed": "Widowed",
    "moved": "Moved home",
    "graduated": "Graduated",
    "started_work": "Started a job",
    "lost_work": "Lost a job",
    "started_business": "Started a business",
    "retired": "Retired",
    "bought_home": "Bought a home",
    "discharged": "Discharged from the army",
}
UNFINISHED: Final[dict[str, str]] = {
    "order": "An order that is not at an end",
    "mandate": "An automatic debit that holds",
    "case": "An application that is under way",
}
"""What stands in the way of deleting an account."""

MANDATES: Final[dict[str, State]] = {
    "waiting": State(
        "Waiting for your confirmation", "Confirm it at the bank within a day.", "warn"
    ),
    "active": State("In force", "Each debit is announced at least 3 days before.", "good"),
    "paused": State("Paused", "Nothing is debited until you resume it.", "warn"),
    "revoked": State("Revoked", "Nothing is debited any more.", "calm"),
    "ended": State("Over", "Nothing is debited any more.", "calm"),
}
MANDATE_WHY: Final[dict[str, str]] = {
    "consent": "You took back your consent to this app.",
    "level": "Your real-name level is too low.",
    "app_gone": "The app has closed.",
    "agreement_ended": "The agreement was ended at the bank.",
    "ended_on": "Its last day has passed.",
    "refused": "You declined at the bank.",
    "not_confirmed": "It was not confirmed within a day.",
}
DEBITS: Final[dict[str, tuple[str, Tone]]] = {
    "found": ("Being announced", "calm"),
    "announced": ("Announced", "warn"),
    "debiting": ("Being debited", "calm"),
    "paid": ("Debited", "good"),
    "skipped": ("Nothing to debit", "calm"),
    "held": ("Not debited: please look", "warn"),
    "stopped": ("Stopped", "calm"),
    "failed": ("Debit failed: please pay yourself", "bad"),
}
DEBIT_WHY: Final[dict[str, str]] = {
    "over_cap": "Above the cap of one debit.",
    "over_month": "Above the month's cap.",
    "amount_changed": "Its amount is not the announced one any more.",
    "in_order": "The bill is in an order of yours.",
    "not_owed": "The bill is not owed any more.",
    "order_closed": "You cancelled its order.",
    "no_funds": "There is not enough money in the account.",
    "no_answer": "The bank did not answer.",
    "returned": "The money came too late and is on its way back.",
    "agreement_ended": "The agreement was ended at the bank.",
}
AGREEMENTS: Final[dict[str, tuple[str, Tone]]] = {
    "waiting": ("Waiting for your agreement", "warn"),
    "signed": ("Agreed", "good"),
    "refused": ("Declined", "bad"),
    "ended": ("Over", "calm"),
}
MOODS: Final[dict[str, str]] = {
    "works": "The account has money",
    "no_funds": "The account is empty",
    "callback_only": "The bank tells by its callback only",
}

SIGNED_IN_BY: Final[dict[str, str]] = {
    "hwk": "with a passkey",
    "swk": "with a passkey",
    "federated": "through another account",
    "sms": "with a code",
    "pwd": "with a password",
}
"""How a device signed in, by RFC 8176's names; the first that fits is told."""

RIGHTS: Final[dict[str, str]] = {"view": "look", "apply": "apply and book", "pay": "pay"}
DELEGATION_KINDS: Final[dict[str, dict[str, str]]] = {
    "child": {"agent": "your child", "principal": "your parent"},
    "relative": {"agent": "agreed with you", "principal": "agreed with you"},
    "representative": {
        "agent": "you are the legal representative",
        "principal": "the legal representative",
    },
    "agent": {"agent": "you are an agent", "principal": "an agent"},
}
"""By which right, as each side is told."""
DELEGATION_STATES: Final[dict[str, tuple[str, Tone]]] = {
    "invited": ("not accepted yet", "warn"),
    "active": ("in force", "good"),
    "ended": ("ended", "calm"),
}
DELEGATION_ENDS: Final[dict[str, str]] = {
    "agent": "by who acted",
    "principal": "by whom it is about",
    "declined": "declined",
    "lapsed": "not accepted in time",
    "expired": "its time was over",
    "of_age": "of age since the eighteenth birthday",
    "register": "no longer in the register",
}
"""How a delegation ended."""
