"""The named checks by operation: each takes what was asked and the answer, and says what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

from .contract import (
    ApplyForm,
    Bill,
    BillDetail,
    BookAsk,
    Booking,
    Calculation,
    Cell,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Enquiry,
    Kind,
    Outcome,
    Progress,
    RawAnswer,
    Receipt,
    RefundNoted,
    Slots,
    SlotsQuery,
    Table,
)
from .forms import faults
from .local import local

YEARS: Final = range(1900, 2200)
"""Of a moment that is kept and counted with; others are slips, and some no database can hold."""
Check = Callable[[Any, Any], str]


def _no_id_twice(_: Any, items: Sequence[Bill | Progress | Booking]) -> str:
    ids = [item.id for item in items]
    return "an id stands twice" if len(ids) != len(set(ids)) else ""


def _within_limit(asked: Any, items: list[Any]) -> str:
    return f"{len(items)} items, {asked.limit} asked" if len(items) > asked.limit else ""


def _one_current(_: Any, items: list[Progress]) -> str:
    for item in items:
        states = [step.state for step in item.steps]
        if states.count("current") > 1:
            return f"{item.id}: more than one current step"
        if "current" in states and "done" in states[states.index("current") :]:
            return f"{item.id}: a done step after the current one"
    return ""


def _one_current_here(asked: Any, item: Progress) -> str:
    return _one_current(asked, [item])


def _asked_matter(asked: str, item: Progress) -> str:
    return "" if item.id == asked else "another matter than asked"


def _result_at_end(_: Any, items: list[Progress]) -> str:
    for item in items:
        if item.result is not None and item.state not in {"finished", "refused"}:
            return f"{item.id}: a result while {item.state}"
    return ""


def _result_at_end_here(asked: Any, item: Progress) -> str:
    return _result_at_end(asked, [item])


def _lines_sum(_: Any, detail: BillDetail) -> str:
    total = sum(line.amount_minor for line in detail.lines)
    owed = detail.bill.amount_minor
    return f"lines sum to {total}, the bill is {owed}" if total != owed else ""


def _asked_bill(asked: str, detail: BillDetail) -> str:
    return "" if detail.bill.id == asked else "another bill than asked"


def _asked_charge(asked: str, charge: Charge) -> str:
    return "" if charge.id == asked else "another charge than asked"


def _names_whom(_: Any, charge: Charge) -> str:
    return "" if "zh-CN" in charge.beneficiary else "the beneficiary has no zh-CN text"


def _asked_payment(asked: ChargePaid, receipt: Receipt) -> str:
    if receipt.payment_id != asked.payment_id:
        return "a receipt for another payment"
    if receipt.amount_minor != asked.amount_minor:
        return "a receipt over another amount"
    return ""


def _asked_refund(asked: ChargeRefunded, noted: RefundNoted) -> str:
    if noted.refund_id != asked.refund_id:
        return "another refund than told"
    return "" if noted.amount_minor == asked.amount_minor else "a refund of another amount"


def _form_sound(_: Any, form: ApplyForm) -> str:
    found = faults(form.schema)
    return f"{found[0].field}: {found[0].problem}" if found else ""


def _prefill_fits(_: Any, form: ApplyForm) -> str:
    unknown = form.prefill.keys() - form.schema.properties.keys()
    return f"no field {min(unknown)}" if unknown else ""


def _material_codes(_: Any, form: ApplyForm) -> str:
    codes = [material.code for material in form.materials]
    return "a material's code stands twice" if len(codes) != len(set(codes)) else ""


def _one_of_three(_: Any, outcome: Outcome) -> str:
    match outcome.state:
        case "accepted":
            wanted = outcome.reference is not None and not outcome.reasons
            return "" if wanted else "accepted needs a reference and no reasons"
        case "pending":
            at = outcome.callback_by
            if at is None or not at.tzinfo:
                return "pending needs an aware callback_by"
            return "" if at.year in YEARS else f"callback_by in the year {at.year}"
        case "refused":
            return "" if outcome.reasons else "refused needs a reason"


def _slots_asked(asked: SlotsQuery, found: Slots) -> str:
    for slot in found.slots:
        if slot.begins_at.tzinfo is None or slot.ends_at.tzinfo is None:
            return f"{slot.id}: an instant without an offset"
        day = local(slot.begins_at)
        if not asked.from_on <= day <= asked.until_on:
            return f"{slot.id}: {day} was not asked"
        if asked.place is not None and slot.place.id != asked.place:
            return f"{slot.id}: another place than asked"
        if slot.ends_at <= slot.begins_at:
            return f"{slot.id}: ends before it begins"
    if len(found.slots) > asked.limit:
        return f"{len(found.slots)} slots, {asked.limit} asked"
    return ""


def _slots_ordered(_: Any, found: Slots) -> str:
    ids = [slot.id for slot in found.slots]
    if len(ids) != len(set(ids)):
        return "an id stands twice"
    times = [slot.begins_at for slot in found.slots]
    return "" if all(a <= b for a, b in pairwise(times)) else "not in the order of time"


def _booked(_: BookAsk, booking: Booking) -> str:
    if booking.begins_at.tzinfo is None:
        return "an instant without an offset"
    return "" if booking.state == "booked" else f"the booking is {booking.state}"


def _cancelled(asked: str, booking: Booking) -> str:
    if booking.id != asked:
        return "another booking than asked"
    return "" if booking.state == "cancelled" else f"the booking is {booking.state}"


def misfit(kind: Kind, cell: Cell) -> bool:
    """Whether a cell is no value of its kind."""
    if cell is None:
        return False
    if kind in {"money", "integer"}:
        return not isinstance(cell, int)
    if not isinstance(cell, str):
        return True
    if kind == "date":
        try:
            date.fromisoformat(cell)
        except ValueError:
            return True
    if kind in {"decimal", "percent"}:
        return not cell.removeprefix("-").replace(".", "", 1).isdecimal()
    return False


def _table_fits(table: Table | None) -> str:
    if table is None:
        return ""
    kinds: list[Kind] = [column.kind for column in table.columns]
    for number, row in enumerate(table.rows):
        if len(row) != len(kinds):
            return f"row {number} has {len(row)} cells for {len(kinds)} columns"
        for column, kind, cell in zip(table.columns, kinds, row, strict=True):
            if misfit(kind, cell):
                return f"row {number}, {column.key}: no {kind}"
    return ""


def _figures(_: Any, found: Calculation | Enquiry) -> str:
    keys = [figure.key for figure in found.figures]
    if len(keys) != len(set(keys)):
        return "a figure's key stands twice"
    bad = next((f.key for f in found.figures if misfit(f.kind, f.value)), None)
    return f"{bad}: not a value of its kind" if bad else ""


def _table(_: Any, found: Calculation | Enquiry) -> str:
    return _table_fits(found.table)


def _says_something(_: Any, found: Enquiry) -> str:
    return (
        "" if found.table or found.figures or found.notes else "neither table nor figure nor note"
    )


def _raw_status(_: Any, answer: RawAnswer) -> str:
    known = 200 <= answer.status < 600 and not 300 <= answer.status < 400  # noqa: PLR2004 (RFC 9110 classes)
    return "" if known else f"status {answer.status}"


CHECKS: Final[dict[str, dict[str, Check]]] = {
    "progress.list": {
        "ids-differ": _no_id_twice, "within-limit": _within_limit, "one-current-step": _one_current,
        "result-at-end": _result_at_end,
    },
    "progress.get": {
        "matter-asked": _asked_matter, "one-current-step": _one_current_here,
        "result-at-end": _result_at_end_here,
    },
    "bills.list": {"ids-differ": _no_id_twice, "within-limit": _within_limit},
    "bills.get": {"bill-asked": _asked_bill, "bills-sum": _lines_sum},
    "charge.quote": {"charge-asked": _asked_charge, "charge-beneficiary": _names_whom},
    "charge.paid": {"receipt-fits": _asked_payment},
    "charge.refunded": {"refund-fits": _asked_refund},
    "apply.form": {
        "form-sound": _form_sound, "prefill-fits": _prefill_fits, "material-codes": _material_codes,
    },
    "apply.submit": {"one-of-three": _one_of_three},
    "apply.supplement": {"one-of-three": _one_of_three},
    "apply.withdraw": {"one-of-three": _one_of_three},
    "appointments.slots": {"slots-asked": _slots_asked, "slots-ordered": _slots_ordered},
    "appointments.book": {"booked": _booked},
    "appointments.cancel": {"cancelled": _cancelled},
    "appointments.list": {"ids-differ": _no_id_twice, "within-limit": _within_limit},
    "calculate.run": {"figures-fit": _figures, "table-fits": _table},
    "enquire.run": {"says-something": _says_something, "figures-fit": _figures, "table-fits": _table},
    "raw": {"raw-status": _raw_status},
}  # fmt: skip
"""By operation: name → what is wrong with an answer, empty if nothing."""
