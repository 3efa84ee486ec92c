"""Deadlines and news, through the verbs themselves and with a clock that can be moved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from tests.rooms.ratings.steps import SHOP, call_of

from civicmall import inbox, ratings
from civicmall.gateway import Gateway
from civicmall.identity import Caller, NotAllowed, Staff
from civicmall.kernel import ids
from civicmall.kernel.calendar import DueDate
from civicmall.kernel.clock import FixedClock
from civicmall.kernel.house import House
from civicmall.kernel.models import Delivery
from civicmall.kernel.outbox import Drain, Handlers, row
from civicmall.ratings import (
    Answer,
    Appeal,
    Confirmation,
    NewRating,
    RatingGiven,
    Reopening,
    Review,
    Subject,
    deadlines,
    rules,
)
from civicmall.shops import Registry

FILED = datetime(2026, 9, 28, 2, 0, tzinfo=UTC)
"""A Monday morning in the city, three days before the national holiday."""
DUE = date(2026, 10, 23)
"""15 working days later: 1 to 7 October are off, Saturday the 10th is worked."""
DESK = Staff(uuid4(), uuid4(), "王主任", "manager", SHOP)
OPERATOR = Staff(uuid4(), uuid4(), "李督办", "operator", None)


class Office:
    """The room without a server: a clock, its verbs, and the news in between."""

    def __init__(self, house: House, registry: Registry) -> None:
        self.clock = FixedClock(FILED)
        self.house = msgspec.structs.replace(house, clock=self.clock)
        self.registry = registry
        self.handlers = Handlers()
        ratings.listen(self.handlers, self.house, registry, Gateway(self.house, registry))
        self.drain = Drain(house.db, self.handlers)

    async def news(self) -> None:
        """Hand out every event."""
        while await self.drain.once():
            pass

    def someone(self) -> Caller:
        """A citizen in a bucket of any number."""
        return Caller(ids.new(uuid4().int % 256), uuid4(), 1)

    async def rated(self, who: Caller, stars: int = 1) -> UUID:
        """Rate something new."""
        call = UUID(await call_of(self.house, who.citizen_id))
        ask = NewRating(Subject("call", call), stars)
        found = await ratings.rate(self.house, self.registry, who, ask, str(call), "en")
        return found.id

    async def answer(self, ticket: UUID, kind: Any = "fixed") -> ratings.Rectification:
        """The department answers."""
        return await ratings.answer(self.house, DESK, ticket, Answer(kind, "Done."), "en")

    async def ticket(self, who: Caller, ticket: UUID) -> ratings.Rectification:
        """As its citizen sees it."""
        return await ratings.my_rectification(self.house, who, ticket, "en")

    async def index(self) -> ratings.Satisfaction:
        """The shop's index once all news is through."""
        await self.news()
        found = await ratings.satisfaction_of(self.house, self.registry, SHOP, "en")
        return found.index

    async def told(self, who: Caller) -> list[str]:
        """What the citizen was told, oldest first."""
        await self.news()
        found = await inbox.messages(self.house.db, who.citizen_id, "en", limit=100)
        return [m.kind.removeprefix("ratings.") for m in found.items][::-1]


def weekends_only(_: date, __: int = 0) -> DueDate:
    """What the calendar would say of FILED had the holidays not been published."""
    return DueDate(date(2026, 10, 16), provisional=True)


@pytest.fixture
def office(house: House, registry: Any) -> Office:
    return Office(house, registry)


async def test_the_due_date_lies_fifteen_working_days_off_over_a_holiday(office: Office) -> None:
    who = office.someone()
    found = await office.ticket(who, await office.rated(who))
    assert found.due == msgspec.structs.replace(
        found.due, on=DUE, counted_from=date(2026, 9, 28), provisional=False, overdue=False
    )


async def test_a_day_that_passed_is_noted_and_told_once(office: Office) -> None:
    who = office.someone()
    ticket = await office.rated(who)
    before = await office.index()
    office.clock.at = datetime(2026, 10, 23, 15, 0, tzinfo=UTC)  # still the due date in the city
    assert await ratings.overdue(office.house) == 0
    assert not (await office.ticket(who, ticket)).due.overdue

    office.clock.move(timedelta(hours=2))
    assert (await office.ticket(who, ticket)).due.overdue
    counts = await asyncio.gather(*(ratings.overdue(office.house) for _ in range(4)))
    assert sum(counts) >= 1
    await office.news()
    assert await ratings.overdue(office.house) == 0
    assert await office.told(who) == ["open", "overdue"]
    steps = (await office.ticket(who, ticket)).steps
    assert [(s.move, s.actor, s.who) for s in steps] == [
        ("open", "citizen", ""), ("overdue", "platform", ""),
    ]  # fmt: skip
    late = await ratings.desk_rectifications(office.house, OPERATOR, "en", overdue=True, limit=100)
    assert ticket in {row.id for row in late.items}

    await office.answer(ticket)
    after = await office.index()
    assert after.on_time is not None
    assert before.on_time is None or after.on_time < 1
    late = await ratings.desk_rectifications(office.house, OPERATOR, "en", overdue=True, limit=100)
    assert ticket not in {row.id for row in late.items}
    listed = await ratings.desk_rectifications(office.house, DESK, "en", state="fixed", limit=100)
    assert next(row for row in listed.items if row.id == ticket).late


async def test_late_stays_late_whether_or_not_a_job_saw_it(office: Office) -> None:
    who = office.someone()
    ticket = await office.rated(who)
    office.clock.at = datetime(2026, 10, 26, 2, 0, tzinfo=UTC)
    await office.answer(ticket)
    back = await ratings.reopen(office.house, who, ticket, Reopening("Still wrong."), "en")
    assert (back.due.counted_from, back.due.overdue) == (date(2026, 10, 26), False)
    assert back.due.on == date(2026, 11, 16)
    await office.answer(ticket)
    await office.news()
    listed = await ratings.desk_rectifications(office.house, DESK, "en", state="fixed", limit=100)
    assert next(row for row in listed.items if row.id == ticket).late


async def test_the_clock_stands_still_during_a_review(office: Office) -> None:
    who = office.someone()
    ticket = await office.rated(who)
    office.clock.at = datetime(2026, 9, 29, 2, 0, tzinfo=UTC)
    await ratings.appeal(office.house, DESK, ticket, Appeal("Mistaken."), "en")
    office.clock.at = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)  # long past the day it was due
    await office.news()
    assert await ratings.overdue(office.house) == 0
    assert not (await office.ticket(who, ticket)).due.overdue
    found = await ratings.review(
        office.house, OPERATOR, ticket, Review("rejected", "It's true."), "en"
    )
    # 30 September; 8, 9 and Saturday 10 October; 12 to 30 October; 2 November.
    assert found.due.paused_days == 1 + 3 + 15 + 1
    assert found.due.working_days == 15 + 20
    assert found.due.counted_from == date(2026, 9, 28)
    assert not found.due.overdue
    assert [s.move for s in found.steps] == ["open", "appeal", "reject"]


async def test_a_provisional_day_is_reckoned_anew_when_holidays_are_published(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = office.someone()
    with monkeypatch.context() as unpublished:
        unpublished.setattr(rules, "due", weekends_only)
        ticket = await office.rated(who)
    assert (await office.ticket(who, ticket)).due.provisional
    await office.news()

    assert await ratings.redate(office.house) == 1
    found = await office.ticket(who, ticket)
    assert (found.due.on, found.due.provisional) == (DUE, False)
    assert [(s.move, s.due_on) for s in found.steps] == [
        ("open", date(2026, 10, 16)), ("redate", DUE),
    ]  # fmt: skip
    assert await office.told(who) == ["open", "redate"]
    assert await ratings.redate(office.house) == 0


async def test_news_that_comes_twice_or_late_changes_nothing(office: Office) -> None:
    """Every event of a whole story is handed out three times, also in reverse."""
    kept: list[Delivery] = []
    await office.news()
    original = office.handlers.handle

    async def keeping(db: Any, delivery: Delivery) -> None:
        kept.append(delivery)
        await original(db, delivery)

    office.handlers.handle = keeping  # pyright: ignore[reportAttributeAccessIssue]
    who = office.someone()
    good, ticket = await office.rated(who, 4), await office.rated(who)
    await office.news()
    await office.answer(ticket)
    await office.news()
    await ratings.reopen(office.house, who, ticket, Reopening("No."), "en")
    await office.answer(ticket, "explained")
    again = Confirmation(ratings.Again(3))
    await ratings.confirm(office.house, who, ticket, again, "en")
    await office.news()
    assert {d.type for d in kept} == {"ratings.rating_given", "ratings.rectification_moved"}
    assert good != ticket

    index, told = await office.index(), await office.told(who)
    desk = await ratings.desk_ratings(office.house.db, DESK, "en", limit=100)
    for delivery in [*kept, *reversed(kept)]:
        await original(office.house.db, delivery)
    await asyncio.gather(*(original(office.house.db, d) for d in kept))
    assert await office.index() == index
    assert await office.told(who) == told
    assert sorted(told) == ["explain", "fix", "open", "reopen"]
    assert await ratings.desk_ratings(office.house.db, DESK, "en", limit=100) == desk


async def test_counts_are_what_the_rows_say_after_a_storm(office: Office) -> None:
    """Fifty stories at once with every event handed out twice, in any order."""
    original = office.handlers.handle

    async def doubled(db: Any, delivery: Delivery) -> None:
        await asyncio.gather(original(db, delivery), original(db, delivery))

    office.handlers.handle = doubled  # pyright: ignore[reportAttributeAccessIssue]

    async def story(number: int) -> None:
        who = office.someone()
        ticket = await office.rated(who, 1 + number % 5)
        if number % 5 < 2:
            await office.answer(ticket)
            if number % 10 < 5:
                again = Confirmation(ratings.Again(5))
                await ratings.confirm(office.house, who, ticket, again, "en")

    stories: list[Callable[[], Awaitable[None]]] = [lambda n=n: story(n) for n in range(50)]
    await asyncio.gather(*(run() for run in stories), office.news(), office.news())
    await office.news()
    counted: Any = await office.house.db.fetchrow(
        "select sum(s1) as s1, sum(s2) as s2, sum(s3) as s3, sum(s4) as s4, sum(s5) as s5,"
        " sum(opened) as opened, sum(answered) as answered, sum(confirmed) as confirmed"
        " from ratings.month where shop = $1",
        SHOP,
    )
    truth: Any = await office.house.db.fetchrow(
        "select count(*) filter (where counts = 1) as s1, count(*) filter (where counts = 2) as s2,"
        " count(*) filter (where counts = 3) as s3, count(*) filter (where counts = 4) as s4,"
        " count(*) filter (where counts = 5) as s5,"
        " (select count(*) from ratings.rectification where shop = $1 and state <> 'excluded')"
        "   as opened,"
        " (select count(*) from ratings.rectification where shop = $1"
        "   and state in ('fixed', 'explained', 'confirmed')) as answered,"
        " (select count(*) from ratings.rectification where shop = $1 and state = 'confirmed')"
        "   as confirmed"
        " from (select case when excluded_at is null then coalesce(again_stars, stars) end as counts"
        "       from ratings.rating where shop = $1) latest",
        SHOP,
    )
    assert dict(counted) == dict(truth)


async def test_pseudonyms_and_contacts_survive_a_shop_that_broke(office: Office) -> None:
    who = office.someone()
    call = UUID(await call_of(office.house, who.citizen_id, "gone_shop", "gone_app"))
    ask = NewRating(Subject("call", call), 1)
    given = await ratings.rate(office.house, office.registry, who, ask, "k", "en")
    found = await office.ticket(who, given.id)
    assert (found.responsible, found.phone) == ("the department's service desk", "12345")
    assert await office.told(who) == ["open"]


async def test_a_day_that_stays_provisional_is_left_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = office.someone()
    monkeypatch.setattr(rules, "due", weekends_only)
    monkeypatch.setattr(deadlines, "BATCH", 1)
    tickets = [await office.rated(who) for _ in range(3)]
    await office.news()
    assert await ratings.redate(office.house) == 0
    for ticket in tickets:
        assert [s.move for s in (await office.ticket(who, ticket)).steps] == ["open"]


async def test_only_operators_remind_and_only_citizens_confirm(office: Office) -> None:
    who = office.someone()
    ticket = await office.rated(who)
    with pytest.raises(NotAllowed):
        await ratings.remind(office.house, DESK, ticket, "en")
    with pytest.raises(NotAllowed):
        await ratings.review(office.house, DESK, ticket, Review("upheld", "Mine."), "en")
    with pytest.raises(ratings.NoSuchRectification):
        await ratings.confirm(office.house, office.someone(), ticket, Confirmation(), "en")


async def test_a_page_can_ask_what_was_said_of_an_order(office: Office) -> None:
    who = office.someone()
    subject = Subject("call", UUID(await call_of(office.house, who.citizen_id)))
    assert await ratings.rating_of(office.house.db, who, subject, "en") is None
    ask = NewRating(subject, 5)
    given = await ratings.rate(office.house, office.registry, who, ask, "k", "en")
    assert await ratings.rating_of(office.house.db, who, subject, "en") == given
    assert await ratings.rating_of(office.house.db, office.someone(), subject, "en") is None


async def test_news_of_what_isnt_there_harms_nobody(office: Office) -> None:
    nothing = ids.new(7)
    kind, body = row(RatingGiven(nothing, SHOP, "id_card", 1, opened=True))
    delivery = Delivery(7, ids.new(7), kind, body, FILED, 1)
    before = await office.index()
    await office.handlers.handle(office.house.db, delivery)
    assert await office.index() == before


@pytest.mark.parametrize(
    "statement",
    [
        "delete from ratings.rating", "delete from ratings.rectification",
        "delete from ratings.step", "update ratings.step set said = ''",
    ],
)  # fmt: skip
async def test_the_program_cant_take_back_what_was_said(office: Office, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await office.house.db.execute(statement)


async def test_jobs_are_named() -> None:
    house: Any = None
    assert [job.name for job in ratings.jobs(house)] == ["ratings.overdue", "ratings.redate"]
