"""One fault for each check of what a shop answers, put into the sound shop's functions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

from tests.contract.sound import desk_of, sound_shop
from tests.contract.spoiling import (
    ZH,
    Fault,
    Handler,
    Wrong,
    again,
    answers,
    at,
    changed,
    detail_of,
    each,
    instead_of,
    shared,
    shared_bill,
    shared_matter,
    tells_foreign,
    unlimited,
    wants_claims,
    without_claims,
)

from shopkit import (
    BadForm,
    Booking,
    Call,
    NotFound,
    Outcome,
    Prefill,
    Reason,
    Receipt,
    RefundNoted,
    Refused,
    Shop,
)
from shopkit.sandbox import households
from shopkit.texts import both


def one_language(shop: Shop) -> None:
    shop.manifest = changed(shop.manifest, summary=ZH)


def no_code(shop: Shop) -> None:
    del shop.answering.raw["files", "GET", "/lists/{name}"]


def seeds_anew(shop: Shop) -> None:
    seeds: list[int] = []

    async def fill(db: Any, secret: bytes, today: date) -> None:
        seeds.append(1)

    shop.seeder = fill
    answers("matters", "progress.list", "progress.get")(
        lambda found: each(found, lambda m: changed(m, where=both(str(len(seeds)), "n")))
    )(shop)


LEAK: Final = households()[0].id_number


def leaks(shop: Shop) -> None:
    """Its own way of keeping a visitor, in clear; the test's database is the module's own."""

    async def fill(db: Any, secret: bytes, today: date) -> None:
        await db.execute(sound_shop.SQL["add"], b"leak", LEAK)

    shop.seeder = fill


def matters_wrong(change: Callable[[Any], Any]) -> Fault:
    """Changes matters in the list and by id."""
    return answers("matters", "progress.list", "progress.get")(lambda found: each(found, change))


def bills_wrong(change: Callable[[Any], Any]) -> Fault:
    """Changes bills in the list and in their details."""
    return answers("dues", "bills.list", "bills.get")(
        lambda found: each(found, lambda one: _bill(one, change))
    )


def _bill(one: Any, change: Callable[[Any], Any]) -> Any:
    """A bill of a list, or of a detail."""
    return changed(one, bill=change(one.bill)) if hasattr(one, "bill") else change(one)


def leaves_out_an_owed_one(right: Handler) -> Handler:
    async def answer(call: Call, asked: Any) -> Any:
        found = await right(call, asked)
        owed = [b for b in found if b.state != "paid"]
        return [b for b in found if b != owed[-1]] if asked.paid and len(owed) > 1 else found

    return answer


def booked_twice(*, at_once: bool) -> Wrong:
    """Another receipt for news that comes again: at the same moment, or later."""

    def wrong(right: Handler) -> Handler:
        inside: Counter[str] = Counter()
        together: set[str] = set()
        times: Counter[str] = Counter()

        async def answer(call: Call, asked: Any) -> Any:
            one = asked.payment_id
            inside[one] += 1
            await asyncio.sleep(0)
            if inside[one] > 1:
                together.add(one)
            await asyncio.sleep(0)
            found = await right(call, asked)
            times[one] += 1
            inside[one] -= 1
            if times[one] > 1 and (one in together) == at_once:
                return changed(found, number=f"{found.number}-{times[one]}")
            return found

        return answer

    return wrong


def receipt_for(shop: Shop, call: Call, news: Any) -> Receipt:
    return Receipt("R-1", news.payment_id, news.amount_minor, call.now, both("馆", "office"))


def note_for(shop: Shop, call: Call, news: Any) -> RefundNoted:
    return RefundNoted(news.refund_id, news.amount_minor, call.now)


def quote_for(shop: Shop, call: Call, one: str) -> Any:
    from shopkit import Charge

    bill = sound_shop.bill(call, desk_of(shop), one)
    until = call.now + timedelta(minutes=1)
    return Charge(
        one, bill.title, "sound.fee", bill.beneficiary, bill.period, bill.amount_minor, until
    )


def keeps_paid(shop: Shop) -> None:
    right = shop.answering.handlers["dues", "charge.refunded"]

    async def answer(call: Call, news: Any) -> Any:
        before = dict(desk_of(shop).paid)
        found = await right(call, news)
        desk_of(shop).paid = before
        return found

    shop.answering.handlers["dues", "charge.refunded"] = answer


def foreign_case(shop: Shop, call: Call, asked: Any) -> Outcome | None:
    known = any(case.reference == asked.reference for case in desk_of(shop).cases.values())
    return Outcome("accepted", asked.reference) if known else None


def any_booking(shop: Shop, call: Call, asked: Any) -> Booking:
    slot = desk_of(shop).slots(call.today, call.today + timedelta(days=30), None)[0]
    return Booking("V-0", slot.place, slot.begins_at, slot.ends_at, "booked", "0")


def never_free(shop: Shop) -> None:
    right = shop.answering.handlers["visit", "appointments.slots"]

    async def answer(call: Call, asked: Any) -> Any:
        taken = Counter(t.slot for t in desk_of(shop).bookings.values())
        found = await right(call, asked)
        slots = [changed(s, left=3 - taken[s.id]) for s in found.slots if taken[s.id] < 3]
        return changed(found, slots=slots)

    shop.answering.handlers["visit", "appointments.slots"] = answer


def drops_first_by_place(right: Handler) -> Handler:
    async def answer(call: Call, asked: Any) -> Any:
        found = await right(call, asked)
        return changed(found, slots=found.slots[1:]) if asked.place else found

    return answer


def asked_again(right: Handler) -> Handler:
    asked_for: set[str] = set()

    async def answer(call: Call, asked: Any) -> Any:
        if asked.request_id in asked_for:
            raise Refused("已预约")
        found = await right(call, asked)
        asked_for.add(asked.request_id)
        return found

    return answer


def earlier(found: Any) -> Any:
    return each(found, lambda b: changed(b, begins_at=b.begins_at - timedelta(hours=1)))


def refuses_the_example(right: Handler) -> Handler:
    async def answer(call: Call, asked: Any) -> Any:
        raise BadForm(Reason(both("不符", "It doesn't fit"), None))

    return answer


def finds_nothing(right: Handler) -> Handler:
    async def answer(call: Call, asked: Any) -> Any:
        await right(call, asked)
        raise NotFound

    return answer


def wants(member: str, but: object) -> Wrong:
    """Code that can't do without a field, or with one of its choices."""

    def wrong(right: Handler) -> Handler:
        async def answer(call: Call, asked: Any) -> Any:
            if asked.values.get(member, but) == but:
                raise KeyError(member)
            return await right(call, asked)

        return answer

    return wrong


def raw(method: str, path: str) -> Fault:
    """Code at a path that the manifest doesn't declare."""

    def spoil(shop: Shop) -> None:
        handlers = shop.answering.raw
        handlers["files", method, path] = handlers["files", "GET", "/lists/{name}"]

    return spoil


def breaks(shop: Shop) -> None:
    async def answer(call: Call, asked: Any) -> Any:
        raise RuntimeError("the file server is gone")

    shop.answering.raw["files", "GET", "/lists/{name}"] = answer


def deaf(*, once: bool) -> Fault:
    def spoil(shop: Shop) -> None:
        right = shop.answering.events["rating.given"]

        async def hear(call: Call, event: Any) -> None:
            if not once or event.id in desk_of(shop).heard:
                raise KeyError(event.id)
            await right(call, event)

        shop.answering.events["consent.withdrawn" if once else "rating.given"] = hear

    return spoil


def none_of_theirs(shop: Shop, call: Call, asked: Any) -> list[Any]:
    return []


def late_message(found: Any, times: int) -> Any:
    return changed(found, message=both(str(times), str(times))) if times else found


@at("matters", "progress.list")
def attests_amiss(right: Handler) -> Handler:
    async def answer(call: Call, asked: Any) -> Any:
        with suppress(ValueError):  # it takes no heed of being refused
            await call.attest("moved_on", "lately", call.today)
        return await right(call, asked)

    return answer


FAULTS: Final[dict[str, Fault]] = {
    "manifest-in-both-languages": one_language,
    "attests-what-it-names": attests_amiss,
    "capabilities-served": no_code,
    "seeding-again-changes-nothing": seeds_anew,
    "no-personal-numbers-in-clear": leaks,
    "progress-newest-first": answers("matters", "progress.list")(lambda found: found[::-1]),
    "progress-in-both-languages": matters_wrong(lambda m: changed(m, title=ZH)),
    "progress-by-id": answers("matters", "progress.get")(lambda m: changed(m, where=both("窗", "w"))),
    "progress-limit-respected": unlimited("matters", "progress.list"),
    "progress-is-ones-own": shared("matters", "progress.list", "progress.get", shared_matter),
    "progress-unknown-and-foreign-alike": tells_foreign(
        "matters", "progress.get", lambda _, one: one.endswith("-1")
    ),
    "progress-needs-its-claims": without_claims("matters", "progress.list", none_of_theirs),
    "bills-in-order": answers("dues", "bills.list")(lambda found: found[::-1]),
    "bills-owed-are-never-left-out": at("dues", "bills.list")(leaves_out_an_owed_one),
    "bills-in-both-languages": bills_wrong(lambda b: changed(b, title=ZH)),
    "bills-agree-with-their-details": answers("dues", "bills.get")(
        lambda d: changed(d, bill=changed(d.bill, period="2000-01"))
    ),
    "bills-limit-respected": unlimited("dues", "bills.list"),
    "bills-are-ones-own": shared("dues", "bills.list", "bills.get", shared_bill),
    "bills-unknown-and-foreign-alike": tells_foreign(
        "dues", "bills.get", lambda _, one: "-b" in one
    ),
    "bills-need-their-claims": without_claims("dues", "bills.list", none_of_theirs),
    "bill-needs-its-claims": without_claims(
        "dues", "bills.get", lambda shop, call, one: detail_of(sound_shop.bill(call, desk_of(shop), one), call)
    ),
    "quote-agrees-with-its-bill": answers("dues", "charge.quote")(
        lambda c: changed(c, fee_code="other.fee")
    ),
    "quote-changes-nothing": again(
        "dues", "charge.quote", lambda c, times: changed(c, amount_minor=c.amount_minor + times)
    ),
    "quote-unknown-and-foreign-alike": tells_foreign(
        "dues", "charge.quote", lambda _, one: "-b" in one
    ),
    "quote-needs-its-claims": without_claims("dues", "charge.quote", quote_for),
    "quote-of-what-was-paid-is-refused": instead_of(Refused, "dues", "charge.quote")(
        lambda shop, call, one: quote_for(shop, call, one) if call.citizen.claims else None
    ),
    "paid-twice-is-one-receipt": at("dues", "charge.paid")(booked_twice(at_once=False)),
    "paid-at-once-is-one-receipt": at("dues", "charge.paid")(booked_twice(at_once=True)),
    "paid-is-paid": answers("dues", "bills.list")(lambda found: [b for b in found if b.state != "paid"]),
    "paid-keeps-its-receipt": answers("dues", "bills.get")(lambda d: changed(d, receipt=None)),
    "receipt-by-itself": answers("dues", "bills.receipt")(lambda r: changed(r, number="R-0")),
    "paid-by-another-payment-is-refused": instead_of(Refused, "dues", "charge.paid")(
        lambda shop, call, news: receipt_for(shop, call, news)
        if news.charge_id in desk_of(shop).paid else None
    ),
    "paid-a-wrong-amount-is-refused": instead_of(Refused, "dues", "charge.paid")(
        lambda shop, call, news: None
        if news.charge_id in desk_of(shop).paid else receipt_for(shop, call, news)
    ),
    "paid-an-unknown-charge-is-not-found": instead_of(NotFound, "dues", "charge.paid")(receipt_for),
    "paid-needs-no-claims": wants_claims("dues", "charge.paid"),
    "refunded-twice-is-one-note": again(
        "dues", "charge.refunded",
        lambda n, times: changed(n, noted_at=n.noted_at + timedelta(seconds=times)),
    ),
    "refunded-is-owed-again": keeps_paid,
    "refunded-without-a-payment-is-refused": instead_of(NotFound, "dues", "charge.refunded")(note_for),
    "refunded-too-much-is-refused": instead_of(Refused, "dues", "charge.refunded")(note_for),
    "refunded-needs-no-claims": wants_claims("dues", "charge.refunded"),
    "form-in-both-languages": answers("permit", "apply.form")(lambda f: changed(f, title=ZH)),
    "form-prefilled-with-what-fits": answers("permit", "apply.form")(
        lambda f: changed(f, prefill={"months": Prefill(99, both("旧", "old"))})
    ),
    "form-is-the-same-twice": again(
        "permit", "apply.form", lambda f, times: changed(f, working_days=times)
    ),
    "submit-needs-its-claims": without_claims(
        "permit", "apply.submit", lambda _, __, ___: Outcome("accepted", "P-0")
    ),
    "submit-says-one-of-three": answers("permit", "apply.submit")(lambda o: changed(o, message=ZH)),
    "submitted-twice-is-one-case": again("permit", "apply.submit", late_message),
    "submitted-can-be-followed": answers("permit", "progress.get")(lambda m: changed(m, title=ZH)),
    "submitted-is-private": tells_foreign(
        "permit", "progress.get", lambda _, reference: reference.startswith("P-")
    ),
    "supplemented-twice-is-the-same": again("permit", "apply.supplement", late_message),
    "supplement-of-another-is-not-found": instead_of(NotFound, "permit", "apply.supplement")(foreign_case),
    "withdrawn-twice-is-the-same": again("permit", "apply.withdraw", late_message),
    "withdrawn-is-over": answers("permit", "progress.get")(lambda m: changed(m, state="running")),
    "withdrawal-of-another-is-not-found": instead_of(NotFound, "permit", "apply.withdraw")(foreign_case),
    "slots-in-both-languages": answers("visit", "appointments.slots")(
        lambda s: changed(s, matters=[changed(s.matters[0], name=ZH)])
    ),
    "slots-limit-respected": unlimited("visit", "appointments.slots"),
    "slots-of-one-place": at("visit", "appointments.slots")(drops_first_by_place),
    "booked-twice-is-one-booking": at("visit", "appointments.book")(asked_again),
    "booked-is-listed": answers("visit", "appointments.list")(lambda _: []),
    "booked-takes-a-place": answers("visit", "appointments.book", "appointments.list")(earlier),
    "cancelled-frees-its-place": never_free,
    "cancelled-is-listed-as-such": answers("visit", "appointments.list")(
        lambda found: [changed(b, state="booked") for b in found]
    ),
    "cancelled-twice-is-the-same": again(
        "visit", "appointments.cancel", lambda b, times: changed(b, code=f"{b.code}-{times}")
    ),
    "cancel-unknown-and-foreign-alike": tells_foreign(
        "visit", "appointments.cancel", lambda _, one: one.startswith("V-")
    ),
    "book-an-unknown-slot-is-refused": instead_of(Refused, "visit", "appointments.book")(
        lambda shop, call, asked: any_booking(shop, call, asked) if call.citizen.claims else None
    ),
    "booking-needs-its-claims": without_claims("visit", "appointments.book", any_booking),
    "calculate-answers-its-example": at("sums", "calculate.run")(refuses_the_example),
    "calculate-in-both-languages": answers("sums", "calculate.run")(lambda c: changed(c, formula=ZH)),
    "calculate-twice-is-equal": again(
        "sums", "calculate.run", lambda c, times: changed(c, notes=[both(str(times), "n")])
    ),
    "calculate-at-its-edges": at("sums", "calculate.run")(wants("way", None)),
    "enquire-answers-its-example": at("records", "enquire.run")(finds_nothing),
    "enquire-in-both-languages": answers("records", "enquire.run")(lambda e: changed(e, notes=[ZH])),
    "enquire-twice-is-equal": again(
        "records", "enquire.run", lambda e, times: changed(e, notes=[both(str(times), "n")])
    ),
    "enquire-at-its-edges": at("records", "enquire.run")(wants("kind", "recent")),
    "enquire-needs-its-claims": without_claims(
        "records", "enquire.run", lambda _, __, ___: sound_shop.Enquiry(notes=[both("无", "none")])
    ),
    "raw-paths-are-answered": breaks,
    "raw-path-undeclared-is-not-found": raw("GET", "/{a}/{b}"),
    "raw-method-undeclared-is-not-found": raw("DELETE", "/lists/{name}"),
    "events-are-heard": deaf(once=False),
    "event-twice-is-no-fault": deaf(once=True),
}  # fmt: skip
"""By check: what to do to a shop that is right."""

ALSO: Final[dict[str, dict[str, str]]] = {
    "calculate-answers-its-example": dict.fromkeys(
        ("calculate-in-both-languages", "calculate-twice-is-equal", "calculate-at-its-edges"),
        "It looks at a result, and the example is the only question that is sure to have one.",
    ),
    "enquire-answers-its-example": dict.fromkeys(
        ("enquire-in-both-languages", "enquire-twice-is-equal", "enquire-at-its-edges"),
        "It looks at an answer, and the example is the only question that is sure to have one.",
    ),
}
"""By check: which others a shop with its fault can't but fail, and why."""
