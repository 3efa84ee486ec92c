"""The contract's nouns: what goes into a shop and what comes out, capability by capability.

Every answer of a shop is checked against these Structs (and against `answers`) by the gateway
before anybody else sees it.
"""

from .apply import (
    ApplyForm,
    CaseNews,
    FormQuery,
    Handed,
    Material,
    Media,
    Outcome,
    Prefill,
    Reason,
    Submission,
    Supplement,
    Values,
    Withdrawal,
)
from .appointments import (
    BookAsk,
    Booking,
    BookingsQuery,
    Matter,
    Place,
    Slot,
    SlotKind,
    Slots,
    SlotsQuery,
)
from .attributes import (
    DECLARABLE,
    NAMES,
    TYPES,
    Attestation,
    Attested,
    AttributeName,
    fault,
)
from .base import (
    CONTRACT,
    CONTRACTS,
    Basis,
    Cell,
    Column,
    Figure,
    Id,
    Kind,
    Limit,
    Line,
    Minor,
    SignedMinor,
    Table,
    Text,
)
from .bills import (
    Bill,
    BillDetail,
    BillLine,
    BillsQuery,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Reading,
    Receipt,
    RefundNoted,
)
from .enquire import Calculation, Enquiry, Filled
from .events import Event, EventType
from .progress import Document, Progress, ProgressQuery, Result, Step
from .raw import RawAnswer, RawAsk

__all__ = [
    "CONTRACT", "CONTRACTS", "DECLARABLE", "NAMES", "TYPES", "ApplyForm", "Attestation", "Attested", "AttributeName", "Basis", "Bill", "BillDetail", "BillLine", "BillsQuery",
    "BookAsk", "Booking", "BookingsQuery", "Calculation", "CaseNews", "Cell", "Charge", "ChargePaid",
    "ChargeRefunded", "Column", "Document", "Enquiry", "Event", "EventType", "Figure", "Filled",
    "FormQuery", "Handed", "Id", "Kind", "Limit", "Line", "Material", "Matter", "Media", "Minor",
    "Outcome", "Place", "Prefill", "Progress", "ProgressQuery", "RawAnswer", "RawAsk", "Reading", "Reason",
    "Receipt", "RefundNoted", "Result", "SignedMinor", "Slot", "SlotKind", "Slots", "SlotsQuery",
    "Step", "Submission", "Supplement", "Table", "Text", "Values", "Withdrawal", "fault",
]  # fmt: skip
