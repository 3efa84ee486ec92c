"""The four verbs of a counter, and the one of its check-in.

What several citizens, or one citizen at once, could spoil is decided inside one call of the
database (`counter_book`, `cancel`); nothing is read first and relied on later.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from .. import sql  # noqa: TID252 (the package is one thing)
from ..call import Call, ShopDb  # noqa: TID252
from ..contract import (  # noqa: TID252
    BookAsk,
    Booking,
    BookingsQuery,
    Place,
    Slot,
    SlotKind,
    Slots,
    SlotsQuery,
    Text,
)
from ..errors import NotFound, Refused  # noqa: TID252
from ..local import CITY  # noqa: TID252 (the package is one thing)
from ..shop import Shop  # noqa: TID252
from ..texts import both, say  # noqa: TID252
from .timetable import Opening, Timetable, serves

HERE: Final = Path(__file__).parent
DDL: Final = (HERE / "tables.sql").read_text(encoding="utf-8")
"""What a shop's migration applies."""
DDL_BACK: Final = (HERE / "tables_back.sql").read_text(encoding="utf-8")
"""What its rollback has."""
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter is taken for a digit when a code is read out."""

q: Final = sql.load(HERE / "statements.sql")

UNKNOWN: Final = both("您没有这项预约。", "You have no such booking.")
NO_SLOT: Final = both("没有这个可预约的时段。", "There is no such time to book.")
NOT_NOW: Final = both("这个时段已过或尚未开放预约。", "This time is over, or can't be booked yet.")
NO_MATTER: Final = both("请选择该网点办理的事项。", "Choose a matter that is done at this place.")
WHY: Final[dict[str, Text]] = {
    "full": both("这个时段已约满，请选择其他时段。", "This time is fully booked; choose another."),
    "overlap": both("您在这个时间已有另一项预约。", "You have another booking at this time."),
    "too_many": both(
        "您尚未到期的预约已达上限，请先取消一项。",
        "You have as many bookings as one may have; cancel one first.",
    ),
}
OTHER: Final = both("这次请求已用于另一项预约。", "This request was used for another booking.")
OVER: Final = both("这项预约已取消或已过期。", "This booking was cancelled, or its time is over.")
TOO_LATE: Final = both("已过可取消的时间。", "It is too late to cancel this booking.")
NO_ADDRESS: Final = both("网点已停办", "This place has closed")


class Kept(Struct, frozen=True):
    """A booking as it is kept."""

    id: str
    slot: str
    place: str
    kind: SlotKind
    begins_at: datetime
    ends_at: datetime
    matter: str | None
    code: str
    state: Literal["booked", "cancelled", "attended"]


class Taken(Struct, frozen=True):
    """How many places of a slot are taken."""

    slot: str
    taken: int


class Desk:
    """One app's counters."""

    def __init__(self, app: str, timetable: Timetable) -> None:
        self.app = app
        self.timetable = timetable

    async def slots(self, call: Call, asked: SlotsQuery) -> Slots:
        """The free times of the days asked, earliest first, as far as they can be booked now."""
        table = self.timetable
        since = max(asked.from_on, call.today)
        until = min(asked.until_on, call.today + timedelta(days=table.days_ahead))
        found: list[Slot] = []
        if since <= until and (asked.matter is None or table.matter(asked.matter)):
            rows = await q["taken"].rows(
                call.db, Taken, app=self.app,
                since=datetime.combine(since, time(), CITY),
                until=datetime.combine(until + timedelta(days=1), time(), CITY),
            )  # fmt: skip
            taken = {row.slot: row.taken for row in rows}
            days = (since + timedelta(days=n) for n in range((until - since).days + 1))
            for day in days:
                found += [
                    self._slot(slot, left)
                    for slot in table.times(day, asked.place, asked.matter)
                    if (left := slot.capacity - taken.get(slot.id, 0)) > 0
                    and table.may_book(slot, call.now, call.today)
                ]
                if len(found) >= asked.limit:
                    break
        places = [c.place for c in table.counters if c.hours and serves(c, asked.matter)]
        return Slots(found[: asked.limit], table.matters, places)

    async def book(self, call: Call, asked: BookAsk) -> Booking:
        """Book, once however often the same request comes. Raises NotFound, Refused."""
        digest = self._digest(call, asked)
        kept = await self._find(call, digest.hex()[:24])
        if kept is not None:
            return self._same(call, kept, asked)
        slot = self._wanted(call, asked)
        wanted = Kept(
            digest.hex()[:24], slot.id, slot.place, slot.kind, slot.begins_at, slot.ends_at,
            asked.matter, _code(digest), "booked",
        )  # fmt: skip
        word = await q["book"].row(  # booked, known, or why not
            call.db, str, booking=wanted.id, app=self.app, citizen=call.citizen.sub,
            slot=wanted.slot, place=wanted.place, kind=wanted.kind, begins_at=wanted.begins_at,
            ends_at=wanted.ends_at, matter=wanted.matter, code=wanted.code, now=call.now,
            capacity=slot.capacity, open_max=self.timetable.open_max,
        )  # fmt: skip
        if word == "known":
            kept = await self._find(call, wanted.id)
            return self._same(call, kept or wanted, asked)
        if word != "booked":
            raise Refused(say(WHY[word or ""], call.lang))
        return self._booking(wanted, call.now)

    async def cancel(self, call: Call, booking_id: str) -> Booking:
        """Give a booking back and free its place, once however often. Raises NotFound, Refused."""
        await q["cancel"].run(
            call.db, booking=booking_id, citizen=call.citizen.sub, app=self.app, now=call.now,
            cancel_minutes=self.timetable.cancel_minutes,
        )  # fmt: skip
        kept = await self._find(call, booking_id)
        if kept is None:
            raise NotFound(say(UNKNOWN, call.lang))
        if kept.state != "cancelled":
            raise Refused(say(TOO_LATE, call.lang))
        return self._booking(kept, call.now)

    async def bookings(self, call: Call, asked: BookingsQuery) -> list[Booking]:
        """Those to come, the next one first; then, if asked, the others, newest first."""
        rows = await q["bookings"].rows(
            call.db, Kept, citizen=call.citizen.sub, app=self.app, now=call.now,
            past=asked.past, limit=asked.limit,
        )  # fmt: skip
        return [self._booking(row, call.now) for row in rows]

    async def attend(self, db: ShopDb, booking_id: str) -> None:
        """Somebody came: what the place's check-in calls, twice as well as once. Raises NotFound."""
        if await q["attend"].row(db, str, booking=booking_id, app=self.app) is None:
            raise NotFound(UNKNOWN["en"])

    def _wanted(self, call: Call, asked: BookAsk) -> Opening:
        """The slot asked for. Raises NotFound, Refused."""
        table = self.timetable
        slot = table.find(asked.slot)
        counter = table.counter(slot.place) if slot else None
        if slot is None or counter is None:
            raise NotFound(say(NO_SLOT, call.lang))
        offered = table.matter(asked.matter) is not None or not (table.matters or asked.matter)
        if not offered or not serves(counter, asked.matter):
            raise Refused(say(NO_MATTER, call.lang))
        if not table.may_book(slot, call.now, call.today):
            raise Refused(say(NOT_NOW, call.lang))
        return slot

    def _digest(self, call: Call, asked: BookAsk) -> bytes:
        """What booking and code are called; nobody guesses it without the shop's secret."""
        return call.keyed_hash(f"counters\0{self.app}\0{call.citizen.sub}\0{asked.request_id}")

    async def _find(self, call: Call, booking_id: str) -> Kept | None:
        return await q["find"].row(
            call.db, Kept, booking=booking_id, citizen=call.citizen.sub, app=self.app
        )

    def _same(self, call: Call, kept: Kept, asked: BookAsk) -> Booking:
        """What the same request gave before. Raises Refused."""
        if (kept.slot, kept.matter) != (asked.slot, asked.matter):
            raise Refused(say(OTHER, call.lang))
        booking = self._booking(kept, call.now)
        if booking.state != "booked":
            raise Refused(say(OVER, call.lang))
        return booking

    def _place(self, place: str) -> Place:
        counter = self.timetable.counter(place)
        return counter.place if counter else Place(place, both(place, place), NO_ADDRESS)

    def _slot(self, slot: Opening, left: int) -> Slot:
        note = self.timetable.green_note if slot.kind == "green_channel" else None
        return Slot(
            slot.id, self._place(slot.place), slot.begins_at.astimezone(UTC),
            slot.ends_at.astimezone(UTC), left, slot.kind, note,
        )  # fmt: skip

    def _booking(self, kept: Kept, now: datetime) -> Booking:
        matter = self.timetable.matter(kept.matter)
        missed = kept.state == "booked" and kept.ends_at <= now
        return Booking(
            id=kept.id,
            place=self._place(kept.place),
            begins_at=kept.begins_at.astimezone(UTC),
            ends_at=kept.ends_at.astimezone(UTC),
            state="missed" if missed else kept.state,
            code=kept.code,
            kind=kept.kind,
            matter=matter.name if matter else None,
            bring=matter.bring if matter else [],
            cancel_until=self.timetable.cancel_until(kept.begins_at).astimezone(UTC),
        )


def serve(shop: Shop, app: str, timetable: Timetable) -> Desk:
    """Let an app's four operations be answered by its counters."""
    desk = Desk(app, timetable)
    shop.slots(app)(desk.slots)
    shop.book(app)(desk.book)
    shop.cancel(app)(desk.cancel)
    shop.bookings(app)(desk.bookings)
    return desk


def _code(digest: bytes) -> str:
    """Eight characters that are shown at the counter: forty bits of the booking's digest."""
    letters = [ALPHABET[byte % len(ALPHABET)] for byte in digest[-8:]]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"
