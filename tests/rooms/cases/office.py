"""The office's code: the field `end` of its form says what becomes of an application.

`accept`, `pending`, `refuse`, `bad` (values that don't fit each other), `away` (nobody answers until
the `doors` are open), `words` (a refusal in words alone). What it was told is counted; `said` is what
it says of a case by its reference, `calm` unless a test puts something else.
"""

from __future__ import annotations

import threading
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from shopkit import (
    ApplyForm,
    BadForm,
    Basis,
    BookAsk,
    Booking,
    BookingsQuery,
    Calculation,
    Call,
    Column,
    Enquiry,
    Figure,
    Filled,
    FormQuery,
    Material,
    Matter,
    NotFound,
    Outcome,
    Place,
    Prefill,
    Progress,
    Reason,
    Refused,
    Result,
    Shop,
    Slot,
    Slots,
    SlotsQuery,
    Step,
    Submission,
    Supplement,
    Table,
    Text,
    Unavailable,
    Withdrawal,
)
from shopkit.forms import Field, Form

shop = Shop(__package__)
doors = threading.Event()
doors.set()
told: Counter[str] = Counter()
taken: dict[str, Submission] = {}
read: dict[str, bytes] = {}
brought: dict[tuple[str, int], Supplement] = {}
said: dict[str, dict[str, Any]] = {}
booked: dict[str, Booking] = {}
CHOICES = ("accept", "pending", "refuse", "bad", "away", "words")


def text(zh: str, en: str) -> Text:
    return {"zh-CN": zh, "en": en}


FORM = Form(
    "object",
    {
        "name": Field("string", text("姓名", "Name"), "张三", max_length=20, min_length=1),
        "amount": Field(
            "integer", text("金额", "Amount"), 12345, minimum=1, maximum=10_000_00, kind="money"
        ),
        "end": Field(
            "string", text("结局", "Ending"), "accept", enum=list(CHOICES),
            labels={c: text(f"选{c}", f"end {c}") for c in CHOICES},
        ),
        "since": Field("string", text("起始日期", "Since"), "2026-01-31", format="date"),
        "urgent": Field("boolean", text("加急", "Urgent"), example=True),
        "copies": Field("integer", text("份数", "Copies"), 1, minimum=1, maximum=9),
    },
    required=["name", "end"],
)  # fmt: skip
PHOTO = Material("photo", text("照片", "A photo"), required=True, media=["image/png", "image/jpeg"])
PAPER = Material("paper", text("证明", "A paper"), required=False)


def apply_form(call: Call) -> ApplyForm:
    known = {"copies": Prefill(1, text("上次申请", "your last application"))}
    title = text("许可申请", "Permit application")
    basis = [Basis(text("许可办法", "Permit rules"), "https://example.org/rules")]
    papers = [PHOTO, PAPER] if call.app == "permit" else []
    return ApplyForm(title, FORM, papers, known, [text("一年一次", "Once a year")], basis, 15)


def outcome(call: Call, ask: Submission) -> Outcome:
    match ask.form["end"]:
        case "pending":
            return Outcome("pending", callback_by=call.now + timedelta(days=2))
        case "refuse":
            reason = Reason(text("不符合条件", "not entitled"), "name")
            return Outcome("refused", reasons=[reason])
        case _:
            who = text("王科长", "Ms Wang")
            due = call.today + timedelta(days=15)
            return Outcome("accepted", f"N-{ask.case_id}", due_on=due, responsible=who)


async def submit(call: Call, ask: Submission) -> Outcome:
    told[ask.case_id] += 1
    if not doors.is_set():
        raise Unavailable("back soon")
    if ask.form["end"] == "bad":
        raise BadForm(Reason(text("日期在将来", "a day to come"), "since"))
    if ask.form["end"] == "words":
        raise Refused("office closed for good")
    taken[ask.case_id] = ask
    for paper in ask.materials:
        read[paper.id] = await call.material(ask.case_id, paper)
    return outcome(call, ask)


async def supplement(call: Call, ask: Supplement) -> Outcome:
    told[f"{ask.case_id}/{ask.seq}"] += 1
    if not doors.is_set():
        raise Unavailable("back soon")
    brought[ask.case_id, ask.seq] = ask
    if ask.form.get("copies") == 9:
        return Outcome("refused", reasons=[Reason(text("太多了", "too many"), "copies")])
    said.pop(ask.reference, None)
    return Outcome("accepted", ask.reference)


async def withdraw(call: Call, ask: Withdrawal) -> Outcome:
    if said.get(ask.reference, {}).get("stuck"):
        return Outcome("refused", reasons=[Reason(text("已制证", "made already"))])
    return Outcome("accepted", ask.reference)


async def matter(call: Call, reference: str) -> Progress:
    if not doors.is_set():
        raise Unavailable("back soon")
    known = said.get(reference, {})
    state = known.get("state", "running")
    done = state in {"finished", "refused"}
    step = Step(text("审核", "Review"), "done" if done else "current")
    result = Result(text("准予许可", "Granted")) if done else None
    missing = [text("照片不清楚", "The photo is blurred")] if state == "waiting_for_citizen" else []
    return Progress(
        reference, text("许可", "Permit"), state, call.today, [step], missing=missing, result=result
    )


async def form(call: Call, query: FormQuery) -> ApplyForm:
    if query.variant not in {None, "plain"}:
        raise NotFound
    return apply_form(call)


for app in ("permit", "plain", "private"):
    shop.apply_form(app)(form)
    shop.apply_submit(app)(submit)
    shop.apply_supplement(app)(supplement)
    shop.apply_withdraw(app)(withdraw)
    shop.matter(app)(matter)

HALL = Place("hall", text("政务大厅", "City hall"), text("人民路 1 号", "1 Renmin Road"))
MATTERS = [Matter("change", text("变更户口", "Change a record"), [text("户口簿", "The booklet")])]


def slot(call: Call, day: date, hour: int) -> Slot:
    begins = datetime.fromisoformat(f"{day}T{hour:02d}:00:00+08:00")
    left = 0 if hour == 11 else 2
    kind = "after_hours" if hour == 18 else "normal"
    return Slot(f"{day}-{hour}", HALL, begins, begins + timedelta(hours=1), left, kind)


@shop.slots("visits")
async def slots(call: Call, query: SlotsQuery) -> Slots:
    days = [call.today + timedelta(days=n) for n in range(1, 15)]
    found = [
        slot(call, day, hour)
        for day in days
        if query.from_on <= day <= query.until_on
        for hour in (9, 11, 18)
    ]
    return Slots(found[: query.limit], MATTERS, [HALL])


@shop.book("visits")
async def book(call: Call, ask: BookAsk) -> Booking:
    told[ask.request_id] += 1
    if ask.request_id not in booked:
        day, _, hour = ask.slot.rpartition("-")
        if hour == "11":
            raise Refused("已约满" if call.lang == "zh-CN" else "full")
        at = slot(call, date.fromisoformat(day), int(hour))
        booked[ask.request_id] = Booking(
            f"b-{len(booked)}", HALL, at.begins_at, at.ends_at, "booked", "A17",
            matter=MATTERS[0].name if ask.matter else None,
        )  # fmt: skip
    return booked[ask.request_id]


@shop.cancel("visits")
async def cancel(call: Call, booking: str) -> Booking:
    for key, known in booked.items():
        if known.id == booking:
            booked[key] = Booking(
                known.id, HALL, known.begins_at, known.ends_at, "cancelled", known.code
            )
            return booked[key]
    raise NotFound


@shop.bookings("visits")
async def bookings(call: Call, query: BookingsQuery) -> list[Booking]:
    return [b for b in booked.values() if b.state == "booked"][: query.limit]


@shop.calculate("sums")
async def calculate(call: Call, ask: Filled) -> Calculation:
    if ask.values["months"] == 13:
        raise BadForm(Reason(text("没有第十三个月", "no thirteenth month"), "months"))
    each = ask.values["amount"] // ask.values["months"]
    columns = [
        Column("no", text("期", "No"), "integer"), Column("pay", text("应还", "Pay"), "money"),
        Column("rate", text("利率", "Rate"), "percent"), Column("on", text("日期", "On"), "date"),
    ]  # fmt: skip
    rows: list[list[str | int | None]] = [
        [n, each, "3.10", f"2026-01-{n % 28 + 1:02d}"] for n in range(ask.values["months"])
    ]
    return Calculation(
        [Figure("each", text("每月", "Each month"), "money", each)],
        text("总额 ÷ 月数", "total ÷ months"),
        [Basis(text("算法规定", "Rule of sums"), "https://example.org/sums", example=True)],
        Table(columns, rows),
        [text("不足一分舍去", "fractions of a fen are dropped")],
    )


@shop.enquire("records")
async def enquire(call: Call, ask: Filled) -> Enquiry:
    if ask.values["year"] == 1999:
        raise NotFound
    if ask.values["year"] == 2000:
        return Enquiry(notes=[text("没有记录", "no records")], as_of=call.now)
    table = Table([Column("year", text("年", "Year"), "integer")], [[ask.values["year"]], [None]])
    return Enquiry(table, as_of=call.now)
