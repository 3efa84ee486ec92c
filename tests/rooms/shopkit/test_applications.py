"""Applications on a real database: taken once, moved on in order, told as they stand."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.rooms.shopkit.schema import role_of, schema, write

from civicmall.kernel import embedded
from shopkit import (
    Call,
    Citizen,
    Handed,
    NotFound,
    ProgressQuery,
    Reason,
    Refused,
    Result,
    ShopDb,
    Submission,
    Supplement,
    Withdrawal,
)
from shopkit.answers import checked
from shopkit.applications import (
    TABLES,
    TABLES_BACK,
    Applications,
    BadMove,
    Course,
    Entry,
    Happened,
    Planted,
    Stage,
    applicant,
    steadily,
)
from shopkit.texts import both

PLUGINS = Path(__file__).parents[3] / "plugins"
WEDNESDAY = datetime(2026, 11, 18, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
COURSE = Course(
    "move",
    "MV",
    lambda a: both(f"搬迁{a.kept.get('room', '')}", f"Move {a.kept.get('room', '')}"),
    (
        Stage("accepted", both("受理", "Accepted")),
        Stage("checked", both("核查", "Checked"), responsible=both("核查科", "Checkers")),
        Stage("decided", both("决定", "Decided"), where=both("三楼", "Third floor")),
    ),
    working_days=5,
    responsible=both("窗口", "The desk"),
    words={"deed": both("房产证", "The deed"), "photo": both("照片", "A photo"), "late": both("逾期", "Too late")},
    withdraw_until="checked",
    result=lambda a: Result(both("同意", f"Granted: {a.kept['room']}")),
)  # fmt: skip
TAKEN = Reason(both("已有申请", "There is one already"), "room")
PEOPLE = count()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(
    server: embedded.Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[ShopDb]:
    """With the tables as they are given out."""
    revoked = f"revoke update, delete on application_event from {role_of('moves')};\n"
    folder = tmp_path_factory.mktemp("moves")
    write(folder, "moves", f"{TABLES}\n{revoked}", TABLES_BACK)
    async with schema(server, "moves", folder) as found:
        yield found


class Citizens:
    """Calls of one citizen, at an instant that the test moves."""

    def __init__(self, db: ShopDb) -> None:
        self.db = db
        self.id_number = f"99000119900101{next(PEOPLE):04d}"
        self.now = WEDNESDAY

    def call(self, **more: Any) -> Call:
        who = Citizen("sub", 2, {"id_number": self.id_number})
        today = self.now.astimezone(UTC).date()
        return Call(who, "en", self.now, today, "t", 2.0, self.db, b"s" * 32, "move", **more)


@pytest.fixture
def citizen(db: ShopDb) -> Citizens:
    return Citizens(db)


async def take(_: Call, submission: Submission) -> Entry | list[Reason]:
    """Rooms below 100 are no rooms; the room itself can be held; what is absent must be brought."""
    room = submission.form["room"]
    if room < 100:
        return [Reason(both("没有这个房间", "No such room"), "room")]
    asked = tuple(submission.form.get("asked", ()))
    return Entry({"room": room}, held=submission.form.get("holds"), asked=asked)


def moves(**more: Any) -> Applications:
    return Applications(COURSE, take, taken=TAKEN, **more)


async def submit(who: Citizens, desk: Applications | None = None, **form: Any) -> Any:
    case = form.pop("case", f"case-{next(PEOPLE)}")
    asked = Submission(case, {"room": 101, **form})
    return checked("apply.submit", asked, await (desk or moves()).submit(who.call(), asked))


async def stands(who: Citizens, reference: str, desk: Applications | None = None) -> Any:
    found = await (desk or moves()).matter(who.call(), reference)
    return checked("progress.get", reference, found)


def handed(code: str) -> Handed:
    return Handed(code, f"m-{code}", "application/pdf", 3, "0" * 64)


async def test_it_is_accepted_with_a_date_in_working_days(citizen: Citizens) -> None:
    outcome = await submit(citizen)

    assert (outcome.state, outcome.due_on) == ("accepted", date(2026, 11, 25))
    progress = await stands(citizen, outcome.reference)
    assert (progress.state, progress.title["en"]) == ("running", "Move 101")
    assert [step.state for step in progress.steps] == ["done", "current", "waiting"]
    assert (progress.due_on, progress.responsible["en"]) == (date(2026, 11, 25), "Checkers")
    assert progress.steps[-1].due_on == progress.due_on


async def test_the_national_holiday_is_no_working_day(citizen: Citizens) -> None:
    citizen.now = datetime(2026, 9, 30, 2, tzinfo=UTC)

    assert (await submit(citizen)).due_on > date(2026, 10, 8)


async def test_reasons_refuse_and_nothing_is_kept(citizen: Citizens) -> None:
    outcome = await submit(citizen, room=7)

    assert (outcome.state, outcome.reasons[0].field) == ("refused", "room")
    assert await moves().listing(citizen.call(), ProgressQuery()) == []


async def test_a_case_that_comes_many_times_at_once_is_one(citizen: Citizens) -> None:
    answers = await asyncio.gather(*(submit(citizen, case="twice") for _ in range(20)))

    assert len({answer.reference for answer in answers}) == 1
    assert all(answer == answers[0] for answer in answers)
    assert len(await moves().listing(citizen.call(), ProgressQuery())) == 1


async def test_the_answer_stays_the_same_after_things_happened(citizen: Citizens) -> None:
    first = await submit(citizen, case="again", asked=["deed"])
    await moves().advance(citizen.db, first.reference, "refused", WEDNESDAY, about=("late",))
    citizen.now += DAY

    async def not_asked(_: Call, __: Submission) -> Entry | list[Reason]:
        pytest.fail("judged twice")

    later = Applications(COURSE, not_asked, taken=TAKEN)
    assert await submit(citizen, later, case="again", asked=["deed"]) == first


async def test_what_one_holds_no_other_gets_even_at_once(citizen: Citizens) -> None:
    answers = await asyncio.gather(*(submit(citizen, holds="flat-1") for _ in range(12)))

    assert [a.state for a in answers].count("accepted") == 1
    assert all(a.reasons == [TAKEN] for a in answers if a.state == "refused")


@pytest.mark.parametrize("end", ["withdrawn", "refused", "finished"])
@pytest.mark.parametrize("keeps", [False, True])
async def test_what_was_held_is_free_after_the_end(
    citizen: Citizens, end: str, *, keeps: bool
) -> None:
    import msgspec

    course = msgspec.structs.replace(COURSE, holds_when_finished=keeps)
    desk = Applications(course, take, taken=TAKEN)
    holds = f"flat-{end}-{keeps}"
    first = await submit(citizen, desk, holds=holds)
    if end == "withdrawn":
        await desk.advance(citizen.db, first.reference, "withdrawn", citizen.now)
    elif end == "refused":
        await desk.advance(citizen.db, first.reference, "refused", citizen.now, about=("late",))
    else:
        for step in ("checked", "decided"):
            await desk.advance(citizen.db, first.reference, "done", citizen.now, step=step)

    again = await submit(citizen, desk, holds=holds)

    assert again.state == ("refused" if (end, keeps) == ("finished", True) else "accepted")


async def test_unknown_and_foreign_look_alike(db: ShopDb, citizen: Citizens) -> None:
    mine = await submit(citizen, case="mine")
    other = Citizens(db)
    said: set[str] = set()
    for reference in (mine.reference, "MV20260101-NONE"):
        asks: list[Callable[[], Awaitable[Any]]] = [
            lambda r=reference: moves().matter(other.call(), r),
            lambda r=reference: moves().listing(other.call(), ProgressQuery(id=r)),
            lambda r=reference: moves().withdraw(other.call(), Withdrawal("mine", r)),
            lambda r=reference: moves().supplement(other.call(), Supplement("mine", r, 1)),
        ]
        for ask in asks:
            with pytest.raises(NotFound) as caught:
                await ask()
            said.add(caught.value.detail)
    with pytest.raises(NotFound) as caught:
        await moves().withdraw(citizen.call(), Withdrawal("another case", mine.reference))

    assert said == {caught.value.detail}


async def test_without_the_claim_it_refuses(citizen: Citizens) -> None:
    call = citizen.call()
    silent = Call(Citizen("sub", 2), *[getattr(call, name) for name in call.__struct_fields__[1:]])
    with pytest.raises(Refused, match="id_number"):
        await moves().submit(silent, Submission("c", {"room": 101}))


async def test_the_clock_stands_still_while_it_waits(citizen: Citizens) -> None:
    outcome = await submit(citizen, asked=["deed", "photo"], case="waits")
    assert (outcome.due_on, outcome.message["en"]) == (None, "Still to bring: The deed; A photo")
    waiting = await stands(citizen, outcome.reference)
    assert (waiting.state, waiting.due_on) == ("waiting_for_citizen", None)
    assert [text["en"] for text in waiting.missing] == ["The deed", "A photo"]

    citizen.now = WEDNESDAY + 7 * DAY
    part = Supplement("waits", outcome.reference, 1, materials=[handed("deed")])
    first = await moves().supplement(citizen.call(), part)
    assert (first.state, first.message) == (
        "accepted",
        both("请补齐：照片", "Still to bring: A photo"),
    )
    citizen.now = WEDNESDAY + 8 * DAY
    rest = Supplement("waits", outcome.reference, 2, {"photo": "seen"})
    second = await moves().supplement(citizen.call(), rest)

    assert second.message is None
    assert second.due_on == date(2026, 12, 3)  # 25 November and the six working days of waiting
    assert (await stands(citizen, outcome.reference)).due_on == second.due_on
    citizen.now += DAY
    assert await moves().supplement(citizen.call(), part) == first
    assert await moves().supplement(citizen.call(), rest) == second


async def test_a_supplement_that_brings_nothing_asked_is_refused(citizen: Citizens) -> None:
    outcome = await submit(citizen, asked=["deed"], case="nothing")
    empty = Supplement("nothing", outcome.reference, 1, materials=[handed("photo")])

    refused = await moves().supplement(citizen.call(), empty)

    assert [(r.field, refused.state) for r in refused.reasons] == [("deed", "refused")]
    done = Supplement("nothing", outcome.reference, 2, materials=[handed("deed")])
    assert (await moves().supplement(citizen.call(), done)).state == "accepted"
    late = Supplement("nothing", outcome.reference, 3, materials=[handed("deed")])
    assert (await moves().supplement(citizen.call(), late)).state == "refused"


async def test_the_same_supplement_at_once_is_one(citizen: Citizens) -> None:
    outcome = await submit(citizen, asked=["deed"], case="flood")
    asked = Supplement("flood", outcome.reference, 1, materials=[handed("deed")])

    answers = await asyncio.gather(*(moves().supplement(citizen.call(), asked) for _ in range(8)))

    assert all(answer == answers[0] for answer in answers)
    assert answers[0].state == "accepted"


async def test_withdrawing_in_time_and_again(citizen: Citizens) -> None:
    outcome = await submit(citizen, case="back")
    asked = Withdrawal("back", outcome.reference)

    answers = [await moves().withdraw(citizen.call(), asked) for _ in range(2)]

    assert (answers[0].state, answers[0]) == ("accepted", answers[1])
    progress = await stands(citizen, outcome.reference)
    assert (progress.state, progress.steps[-1].state) == ("finished", "failed")
    assert progress.result.summary["en"] == "Withdrawn by the applicant"
    with pytest.raises(BadMove):
        await moves().advance(citizen.db, outcome.reference, "done", citizen.now, step="checked")


async def test_withdrawing_too_late_is_refused(citizen: Citizens) -> None:
    outcome = await submit(citizen, case="late")
    await moves().advance(citizen.db, outcome.reference, "done", citizen.now, step="checked")

    refused = await moves().withdraw(citizen.call(), Withdrawal("late", outcome.reference))

    assert refused.state == "refused"
    assert (await stands(citizen, outcome.reference)).state == "running"


async def test_of_withdrawing_and_deciding_at_once_one_wins(citizen: Citizens) -> None:
    for n in range(10):
        case = f"race-{n}"
        reference = (await submit(citizen, case=case)).reference
        outcome, decided = await asyncio.gather(
            moves().withdraw(citizen.call(), Withdrawal(case, reference)),
            moves().advance(citizen.db, reference, "done", citizen.now, step="checked"),
            return_exceptions=True,
        )
        assert not isinstance(outcome, BaseException)
        assert isinstance(decided, BadMove) is (outcome.state == "accepted")


async def test_a_refusal_tells_the_reason_and_ends_it(citizen: Citizens) -> None:
    reference = (await submit(citizen)).reference
    await moves().advance(citizen.db, reference, "refused", citizen.now, about=("late",))

    progress = await stands(citizen, reference)

    assert (progress.state, progress.result.summary["en"]) == ("refused", "Too late")
    assert [step.state for step in progress.steps] == ["done", "failed"]
    assert (progress.due_on, progress.responsible) == (None, None)


@pytest.mark.parametrize(
    ("what", "step", "about"),
    [("done", "decided", ()), ("done", None, ()), ("supplied", None, ("deed",)), ("asked", None, ()),
     ("asked", None, ("nothing_known",)), ("refused", None, ())],
)  # fmt: skip
async def test_what_cannot_follow_is_a_bad_move(
    citizen: Citizens, what: Any, step: str | None, about: tuple[str, ...]
) -> None:
    reference = (await submit(citizen)).reference
    before = await stands(citizen, reference)
    with pytest.raises(BadMove):
        await moves().advance(citizen.db, reference, what, citizen.now, step=step, about=about)

    assert await stands(citizen, reference) == before


async def test_nothing_happens_before_what_it_follows(citizen: Citizens) -> None:
    reference = (await submit(citizen)).reference
    with pytest.raises(BadMove, match="before"):
        await moves().advance(citizen.db, reference, "done", citizen.now - MINUTE, step="checked")
    with pytest.raises(NotFound):
        await moves().advance(citizen.db, "MV-NONE", "done", citizen.now, step="checked")


async def test_a_clerk_works_only_where_it_is_employed(citizen: Citizens) -> None:
    desk = moves(clerk=steadily(COURSE, 3 * MINUTE))
    reference = (await submit(citizen, desk, case="clerk")).reference
    citizen.now += DAY
    assert (await stands(citizen, reference, desk)).steps[1].state == "current"

    await desk.employ(citizen.db, date(2026, 11, 18))
    try:
        citizen.now = WEDNESDAY + 2 * MINUTE
        assert (await stands(citizen, reference, desk)).steps[1].state == "current"
        citizen.now = WEDNESDAY + 4 * MINUTE
        assert [s.state for s in (await stands(citizen, reference, desk)).steps] == [
            "done", "done", "current",
        ]  # fmt: skip
        late = await desk.withdraw(citizen.call(), Withdrawal("clerk", reference))
        assert late.state == "refused"
        citizen.now = WEDNESDAY + DAY
        many = await asyncio.gather(*(stands(citizen, reference, desk) for _ in range(8)))
        assert all(found == many[0] for found in many)
        assert (many[0].state, many[0].result.summary["en"]) == ("finished", "Granted: 101")
        assert [s.done_at for s in many[0].steps] == [WEDNESDAY + n * MINUTE for n in (0, 3, 6)]
    finally:
        owner = await citizen.db.execute("delete from application_clerk")
        assert owner == "DELETE 1"


async def test_the_newest_come_first_and_no_more_than_asked(citizen: Citizens) -> None:
    for day in range(3):
        citizen.now = WEDNESDAY + day * DAY
        await submit(citizen, room=200 + day)

    found = await moves().listing(citizen.call(), ProgressQuery(limit=2))

    assert [p.title["en"] for p in found] == ["Move 202", "Move 201"]


async def test_planting_again_changes_nothing(citizen: Citizens) -> None:
    who = applicant(citizen.call())
    history = (
        Happened("done", WEDNESDAY, "accepted"),
        Happened("asked", WEDNESDAY + DAY, about=("deed", "photo")),
    )
    new = [Planted(f"MV-planted-{n}", who, history, {"room": n}) for n in range(50)]
    await moves().plant(citizen.db, new)
    first = await moves().listing(citizen.call(), ProgressQuery(limit=100))
    await moves().plant(citizen.db, new)
    await moves().plant(citizen.db, [])

    assert await moves().listing(citizen.call(), ProgressQuery(limit=100)) == first
    assert (len(first), first[0].state) == (50, "waiting_for_citizen")
    assert len(first[0].missing) == 2


@pytest.mark.parametrize(
    "statement", ["update application_event set step = null", "delete from application_event"]
)
async def test_history_can_only_be_added_to(db: ShopDb, statement: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await db.execute(statement)


async def test_no_id_number_is_kept(citizen: Citizens) -> None:
    await submit(citizen)
    kept = await citizen.db.fetchval("select string_agg(a::text, ' ') from application a")

    assert citizen.id_number not in kept


def test_every_shop_that_keeps_applications_has_the_tables_as_given_out() -> None:
    with_them = [
        text
        for path in sorted(PLUGINS.glob("*/migrations/*.sql"))
        if re.search(r"create table application_event\b", text := path.read_text(encoding="utf-8"))
    ]
    assert with_them
    for text in with_them:
        assert TABLES.strip() in text
        assert TABLES_BACK in text
        assert "revoke update, delete on application_event" in text
