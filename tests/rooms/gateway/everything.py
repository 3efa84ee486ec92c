"""A shop that does everything that the contract knows, and keeps what it was called with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from shopkit import (
    ApplyForm,
    BadForm,
    Basis,
    Bill,
    BillDetail,
    BillLine,
    BillsQuery,
    BookAsk,
    Booking,
    BookingsQuery,
    Calculation,
    Call,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Enquiry,
    Event,
    Figure,
    Filled,
    FormQuery,
    NotFound,
    Outcome,
    Place,
    Prefill,
    Progress,
    ProgressQuery,
    RawAnswer,
    RawAsk,
    Reason,
    Receipt,
    RefundNoted,
    Refused,
    Shop,
    Slot,
    Slots,
    SlotsQuery,
    Step,
    Submission,
    Supplement,
    Text,
    Unavailable,
    Withdrawal,
)
from shopkit.forms import Field, Form

shop = Shop(__package__)
seen: list[Call] = []
events: list[Event] = []
DAY = date(2026, 10, 1)
NOON = datetime(2026, 10, 1, 4, tzinfo=UTC)
WORDS: Text = {"zh-CN": "账单", "en": "Bill"}
SOURCE = Basis(WORDS, "https://example.org/rules")
HALL = Place("hall", WORDS, WORDS)
FORM = Form("object", {"end": Field("string", WORDS, "accept", max_length=20)}, ["end"])


def one(bill_id: str = "b1") -> Bill:
    return Bill(bill_id, WORDS, WORDS, "2026-10", 100, "owed", DAY, DAY)


def receipt(payment_id: str = "p1", amount: int = 100) -> Receipt:
    return Receipt("R1", payment_id, amount, NOON, WORDS)


def known(said: str) -> None:
    """What an id asks for instead of an answer."""
    match said:
        case "gone":
            raise NotFound("no such thing")
        case "no":
            raise Refused("周一不办公")
        case "away":
            raise Unavailable("the mainframe sleeps", retry_after_s=7)
        case "broken":
            raise ValueError("the phone number is 19900009001")
        case _:
            return


@shop.progress("all")
async def progress(call: Call, query: ProgressQuery) -> list[Progress]:
    seen.append(call)
    ids = [query.id] if query.id else ["m1", "m2"]
    ids = [known_id for known_id in ids if known_id in {"m1", "m2"}]
    step = Step(WORDS, "current")
    return [Progress(matter, WORDS, "running", DAY, [step]) for matter in ids][: query.limit]


@shop.bills("all")
@shop.bills("guarded")
async def bills(call: Call, query: BillsQuery) -> list[Bill]:
    seen.append(call)
    return [one()]


@shop.bill("all")
@shop.bill("guarded")
async def bill(call: Call, bill_id: str) -> BillDetail:
    seen.append(call)
    known(bill_id)
    return BillDetail(one(bill_id), [BillLine(WORDS, 100)], receipt=receipt())


@shop.quote("all")
@shop.quote("guarded")
async def quote(call: Call, charge: str) -> Charge:
    seen.append(call)
    known(charge)
    until = datetime(2099, 1, 1, tzinfo=UTC)
    return Charge(charge, WORDS, "all.fee", WORDS, "2026-10", 100, until)


@shop.charge_paid("all")
@shop.charge_paid("guarded")
async def charge_paid(call: Call, paid: ChargePaid) -> Receipt:
    seen.append(call)
    return receipt(paid.payment_id, paid.amount_minor)


@shop.charge_refunded("all")
@shop.charge_refunded("guarded")
async def charge_refunded(call: Call, refunded: ChargeRefunded) -> RefundNoted:
    seen.append(call)
    return RefundNoted(refunded.refund_id, refunded.amount_minor, NOON)


@shop.apply_form("all")
async def apply_form(call: Call, query: FormQuery) -> ApplyForm:
    seen.append(call)
    return ApplyForm(WORDS, FORM, prefill={"end": Prefill("accept", WORDS)}, basis=[SOURCE])


def outcome(end: Any) -> Outcome:
    match end:
        case "pending":
            return Outcome("pending", callback_by=NOON)
        case "refuse":
            return Outcome("refused", reasons=[Reason(WORDS, "end")])
        case "bad":
            raise BadForm(Reason(WORDS, "end"))
        case _:
            return Outcome("accepted", "N-1", due_on=DAY)


@shop.apply_submit("all")
async def submit(call: Call, ask: Submission) -> Outcome:
    seen.append(call)
    return outcome(ask.form["end"])


@shop.apply_supplement("all")
async def supplement(call: Call, ask: Supplement) -> Outcome:
    seen.append(call)
    return outcome(ask.form.get("end"))


@shop.apply_withdraw("all")
async def withdraw(call: Call, ask: Withdrawal) -> Outcome:
    seen.append(call)
    return Outcome("accepted", ask.reference)


def hour(query: SlotsQuery) -> datetime:
    return datetime(query.from_on.year, query.from_on.month, query.from_on.day, 2, tzinfo=UTC)


@shop.slots("all")
async def slots(call: Call, query: SlotsQuery) -> Slots:
    seen.append(call)
    begins = hour(query)
    return Slots([Slot("s1", HALL, begins, begins + timedelta(hours=1), 3)])


def booking(booking_id: str, state: Any = "booked") -> Booking:
    return Booking(booking_id, HALL, NOON, NOON + timedelta(hours=1), state, "A17")


@shop.book("all")
async def book(call: Call, ask: BookAsk) -> Booking:
    seen.append(call)
    return booking("k1")


@shop.cancel("all")
async def cancel(call: Call, booking_id: str) -> Booking:
    seen.append(call)
    known(booking_id)
    return booking(booking_id, "cancelled")


@shop.bookings("all")
async def bookings(call: Call, query: BookingsQuery) -> list[Booking]:
    seen.append(call)
    return [booking("k1")]


def figure(asked: Filled) -> Figure:
    if asked.values["end"] == "bad":
        raise BadForm(Reason(WORDS, "end"))
    return Figure("sum", WORDS, "money", 12_345)


@shop.calculate("all")
async def calculate(call: Call, asked: Filled) -> Calculation:
    seen.append(call)
    return Calculation([figure(asked)], WORDS, [SOURCE])


@shop.enquire("all")
async def enquire(call: Call, asked: Filled) -> Enquiry:
    seen.append(call)
    return Enquiry(figures=[figure(asked)], as_of=NOON)


ANSWERS = {
    "odd": RawAnswer(b"x", "text/plain\r\nset-cookie: a=b"),
    "moved": RawAnswer(b"", status=302),
    "large": RawAnswer(bytes(9 * 1024 * 1024), "application/octet-stream"),
    "nothing": RawAnswer(b"", status=204),
}


def file(call: Call, ask: RawAsk) -> RawAnswer:
    seen.append(call)
    name = ask.params["name"]
    known(name)
    said = f"{ask.method} {name} {ask.query} {ask.media} ".encode()
    return ANSWERS.get(name) or RawAnswer(said + ask.body, "text/plain", 201)


@shop.raw("all", "GET", "/files/{name}")
@shop.raw("all", "POST", "/files/{name}")
@shop.raw("guarded", "GET", "/private/{name}")
async def files(call: Call, ask: RawAsk) -> RawAnswer:
    return file(call, ask)


@shop.raw("all", "PUT", "/big/{name}")
async def big(call: Call, ask: RawAsk) -> RawAnswer:
    seen.append(call)
    return RawAnswer(ask.body, ask.media or "application/octet-stream")


@shop.event("consent.withdrawn")
async def withdrawn(call: Call, event: Event) -> None:
    seen.append(call)
    events.append(event)
