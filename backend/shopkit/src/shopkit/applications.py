"""Applications: what every shop with the capability `apply` needs.

A department says how its applications go (`Course`) and which it takes (a judge)::

    moves = Applications(COURSE, judge, taken=Reason(words.ONE_AT_A_TIME))
    moves.serve(shop)

and keeps them in its own schema: its migration has the text of `TABLES`. The application's row
says whose it is (a keyed hash), what the department needs to know, and its state; every thing that
happened is a row that is only ever added to, and progress is reckoned from those (course.py).
Whatever comes twice or at once is decided by the database: a case is one row, and the n-th event
of an application can only be written once, so whoever comes second decides again on what is there.

The department moves an application on with `advance`. In a sandbox nobody sits behind the counter:
there a clerk (`steadily`), whom only the seeder employs, does what is due by `call.now` whenever
the applicant looks, through the same `advance`.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from . import sql
from .call import Call, ShopDb
from .contract import (
    Material,
    Outcome,
    Progress,
    ProgressQuery,
    Reason,
    Submission,
    Supplement,
    Text,
    Withdrawal,
)
from .course import (
    Act,
    Application,
    BadMove,
    Clerk,
    Course,
    Happened,
    Stage,
    Standing,
    State,
    What,
    due_on,
    follow,
    steadily,
    tell,
)
from .errors import NotFound, Unavailable
from .shop import Shop
from .texts import both, listed, say

__all__ = [
    "TABLES", "TABLES_BACK", "Act", "Application", "Applications", "BadMove", "Clerk", "Course",
    "Entry", "Happened", "Judge", "Planted", "Stage", "applicant", "steadily", "unhanded",
]  # fmt: skip

HERE: Final = Path(__file__).parent
TABLES: Final = (HERE / "applications_tables.sql").read_text(encoding="utf-8")
"""What a shop's migration applies."""
TABLES_BACK: Final = (HERE / "applications_tables_back.sql").read_text(encoding="utf-8").strip()
"""What its rollback has."""
q: Final = sql.load(HERE / "applications.sql")

ONE: Final = 1
OPEN_MAX: Final = 100
"""Applications of one citizen in one app that the clerk looks at; nobody has more."""
TRIES: Final = 8
"""How often a verb decides anew because something else happened in between."""
ACTS_MAX: Final = 50
"""What a clerk does to one application at a time: more is a clerk that goes in circles."""

UNKNOWN: Final = both("没有您提交的这项申请", "You have handed in no such application.")
BUSY: Final = both("这项申请正在处理，请稍后再试", "The application is being worked on; try again.")
NOT_ASKED: Final = both("目前不需要补充材料", "Nothing is asked for at the moment.")
TOO_LATE: Final = both("已经办理到不能撤回的环节", "It has gone too far to be withdrawn.")
ENDED: Final = both("这项申请已经办结", "The application has come to its end.")
NEEDED: Final = both("请提供这份材料", "This is needed.")
TAKEN_BACK: Final = both("已撤回", "Withdrawn")


class Entry(Struct, frozen=True):
    """How an application is taken: what is kept of it, what it alone may hold, and the codes of
    what must still be brought.
    """

    kept: dict[str, Any] = {}
    held: str | None = None
    asked: tuple[str, ...] = ()


class Planted(Struct, frozen=True):
    """An application for the sandbox, with its whole history."""

    reference: str
    applicant: bytes
    events: tuple[Happened, ...]
    kept: dict[str, Any] = {}
    held: str | None = None


Judge: TypeAlias = Callable[[Call, Submission], Awaitable[Entry | list[Reason]]]
"""Takes an application, or refuses it with reasons by field."""
_Matter: TypeAlias = tuple[Application, list[Happened]]


class _Row(Struct, frozen=True):
    """One event of one application, and whether a clerk is at work."""

    reference: str
    app: str
    case_id: str
    kept: str
    state: State
    applied_at: datetime
    what: What
    at: datetime
    step: str | None
    about: list[str]
    key: str | None
    employed: bool

    def application(self) -> Application:
        kept = msgspec.json.decode(self.kept)
        return Application(
            self.reference, self.app, self.case_id, kept, self.state, self.applied_at
        )

    def event(self) -> Happened:
        return Happened(self.what, self.at, self.step, tuple(self.about), self.key)


def applicant(call: Call) -> bytes:
    """Whose an application is: the keyed hash of the ID number, whose check digit may be an x."""
    return call.keyed_hash(call.citizen.claim("id_number").upper())


def unhanded(materials: Iterable[Material], submission: Submission) -> tuple[str, ...]:
    """The codes of required materials that weren't handed in: what an Entry asks for."""
    codes = {handed.code for handed in submission.materials}
    return tuple(m.code for m in materials if m.required and m.code not in codes)


class Applications:
    """The applications of one app. `taken` is said where another holds what must be held."""

    def __init__(
        self, course: Course, judge: Judge, *, taken: Reason, clerk: Clerk | None = None
    ) -> None:
        self.course = course
        self.judge = judge
        self.taken = taken
        self.clerk = clerk

    def serve(self, shop: Shop) -> None:
        """Answer for the app: all but its form. Raises BadManifest."""
        app = self.course.app
        shop.apply_submit(app)(self.submit)
        shop.apply_supplement(app)(self.supplement)
        shop.apply_withdraw(app)(self.withdraw)
        declared = shop.manifest.app(app)
        if declared is not None and "progress" in declared.capabilities:
            shop.progress(app)(self.listing)
        shop.matter(app)(self.matter)

    async def submit(self, call: Call, submission: Submission) -> Outcome:
        """Take an application, or refuse it. The same case gets the same answer."""
        holder = applicant(call)
        if known := await self._case(call, holder, submission.case_id):
            return self._accepted(*known)
        entry = await self.judge(call, submission)
        if not isinstance(entry, Entry):
            return Outcome("refused", reasons=entry)
        events = [Happened("done", call.now, self.course.stages[0].code)]
        if entry.asked:
            events.append(Happened("asked", call.now, about=entry.asked, key="entry"))
        reference = self._reference(call, submission.case_id)
        new = Planted(reference, holder, tuple(events), entry.kept, entry.held)
        await self._enter(call.db, [(submission.case_id, new)])
        if known := await self._case(call, holder, submission.case_id):
            return self._accepted(*known)
        return Outcome("refused", reasons=[self.taken])

    async def supplement(self, call: Call, supplement: Supplement) -> Outcome:
        """Take what was missing, or a part of it. The same `seq` gets the same answer."""
        key = f"supplement:{supplement.seq}"
        brought = {handed.code for handed in supplement.materials} | supplement.form.keys()
        for _ in range(TRIES):
            application, events = await self._theirs(call, supplement.reference, supplement.case_id)
            keys = [event.key for event in events]
            if key in keys:
                return self._outcome(application, events[: keys.index(key) + 1])
            missing = follow(self.course, events).missing
            about = tuple(code for code in missing if code in brought)
            if not about:
                reasons = [Reason(NEEDED, code) for code in missing] or [Reason(NOT_ASKED)]
                return Outcome("refused", application.reference, reasons=reasons)
            await self._append(
                call.db, events, application, Happened("supplied", call.now, None, about, key)
            )
        raise Unavailable(say(BUSY, call.lang), retry_after_s=1)

    async def withdraw(self, call: Call, withdrawal: Withdrawal) -> Outcome:
        """Take an application back, unless it is too late. Again: the same answer."""
        for _ in range(TRIES):
            application, events = await self._theirs(call, withdrawal.reference, withdrawal.case_id)
            now = follow(self.course, events)
            if now.state == "withdrawn":
                return Outcome("accepted", application.reference, message=TAKEN_BACK)
            if now.state != "open" or self.course.withdraw_until in now.done:
                reason = Reason(TOO_LATE if now.state == "open" else ENDED)
                return Outcome("refused", application.reference, reasons=[reason])
            await self._append(call.db, events, application, Happened("withdrawn", call.now))
        raise Unavailable(say(BUSY, call.lang), retry_after_s=1)

    async def matter(self, call: Call, reference: str) -> Progress:
        """How one application stands. Raises NotFound for an unknown or foreign one."""
        return tell(self.course, *await self._theirs(call, reference))

    async def listing(self, call: Call, query: ProgressQuery) -> list[Progress]:
        """The citizen's applications, newest first. Raises NotFound for an unknown `query.id`."""
        found = await self._worked(call, query.id, query.limit)
        if query.id is not None and not found:
            raise NotFound(say(UNKNOWN, call.lang))
        return [tell(self.course, *one) for one in found]

    async def find(self, call: Call, reference: str) -> Application:
        """One application of the citizen. Raises NotFound."""
        return (await self._theirs(call, reference))[0]

    async def catch_up(self, call: Call) -> None:
        """In a sandbox: let the clerk do what is due on the citizen's applications."""
        if self.clerk is not None:
            await self._worked(call, None, OPEN_MAX)

    async def advance(
        self, db: ShopDb, reference: str, what: What, at: datetime, *,
        step: str | None = None, about: tuple[str, ...] = (),
    ) -> Application:  # fmt: skip
        """The department's side: what happened to an application, and how it stands then.

        Raises NotFound, BadMove where it can't follow, Unavailable.
        """
        for _ in range(TRIES):
            found, _employed = await self._load(db, reference=reference)
            if not found:
                raise NotFound(UNKNOWN["en"])
            application, events = found[0]
            if after := await self._append(
                db, events, application, Happened(what, at, step, about)
            ):
                return after
        raise Unavailable(BUSY["en"], retry_after_s=1)

    async def employ(self, db: ShopDb, today: date) -> None:
        """For the seeder: from now on the clerk works, for there is no department behind it."""
        await q["employ"].run(db, app=self.course.app, today=today)

    async def plant(self, db: ShopDb, planted: Iterable[Planted]) -> None:
        """For the seeder: many at once; what is there already stays as it is. Raises BadMove."""
        if rows := [(one.reference, one) for one in planted]:
            await self._enter(db, rows)

    def _reference(self, call: Call, case_id: str) -> str:
        """The same for the same case, and not to be guessed."""
        code = base64.b32encode(call.keyed_hash(f"{self.course.app}:{case_id}")[:10]).decode()
        return f"{self.course.prefix}{call.today:%Y%m%d}-{code}"

    def _accepted(self, application: Application, events: Sequence[Happened]) -> Outcome:
        """The answer of the first time, whatever has happened since."""
        first = events[:2] if any(event.key == "entry" for event in events[:2]) else events[:1]
        return self._outcome(application, first)

    def _outcome(self, application: Application, events: Sequence[Happened]) -> Outcome:
        now = follow(self.course, events)
        return Outcome(
            "accepted",
            application.reference,
            due_on=due_on(self.course, now),
            responsible=self.course.responsible,
            message=self._still(now.missing) if now.missing else None,
        )

    def _still(self, missing: Sequence[str]) -> Text:
        papers = listed(self.course.words[code] for code in missing)
        return both(f"请补齐：{papers['zh-CN']}", f"Still to bring: {papers['en']}")

    async def _case(self, call: Call, holder: bytes, case_id: str) -> _Matter | None:
        found, _ = await self._load(call.db, holder=holder, case_id=case_id)
        return found[0] if found else None

    async def _theirs(self, call: Call, reference: str, case_id: str | None = None) -> _Matter:
        """One application of the citizen, worked on. Raises NotFound."""
        found = await self._worked(call, reference, ONE)
        if not found or case_id not in {None, found[0][0].case_id}:
            raise NotFound(say(UNKNOWN, call.lang))
        return found[0]

    async def _worked(self, call: Call, reference: str | None, limit: int) -> list[_Matter]:
        """The citizen's applications, after the clerk did what is due."""
        holder = applicant(call)
        for _ in range(ACTS_MAX):
            found, employed = await self._load(
                call.db, holder=holder, reference=reference, limit=limit
            )
            due = [
                (events, application, event) for application, events in found
                if employed and (event := self._due(application, events, call.now))
            ]  # fmt: skip
            if not due:
                return found
            for one in due:
                await self._append(call.db, *one)
        raise BadMove(f"{self.course.app}: the clerk goes in circles")

    def _due(
        self, application: Application, events: Sequence[Happened], now: datetime
    ) -> Happened | None:
        """What the clerk has done by now, as of when it did so."""
        if self.clerk is None or application.state != "open":
            return None
        act = self.clerk(application, events)
        at = events[-1].at + act.after if act else now
        return Happened(act.what, at, act.step, act.about) if act and at <= now else None

    async def _load(
        self, db: ShopDb, *, holder: bytes | None = None, reference: str | None = None,
        case_id: str | None = None, limit: int = ONE,
    ) -> tuple[list[_Matter], bool]:  # fmt: skip
        """Applications with their events, and whether a clerk is at work."""
        rows = await q["matters"].rows(
            db, _Row, app=self.course.app, applicant=holder, reference=reference, case_id=case_id,
            limit=limit,
        )  # fmt: skip
        groups = [list(group) for _, group in groupby(rows, key=lambda row: row.reference)]
        found = [(group[0].application(), [row.event() for row in group]) for group in groups]
        return found, bool(rows) and rows[0].employed

    async def _append(
        self, db: ShopDb, events: Sequence[Happened], application: Application, event: Happened
    ) -> Application | None:
        """Add one event after those that were read, or None where another came first.

        Raises BadMove.
        """
        now = follow(self.course, [*events, event])
        row = await q["append"].row(
            db, str, reference=application.reference, seq=len(events), what=event.what,
            step=event.step, about=",".join(event.about), key=event.key, happened=event.at,
            state=now.state, frees=self._frees(now),
        )  # fmt: skip
        return None if row is None else msgspec.structs.replace(application, state=now.state)

    def _frees(self, now: Standing) -> bool:
        """Whether what was held is free again."""
        return now.state in {"refused", "withdrawn"} or (
            now.state == "finished" and not self.course.holds_when_finished
        )

    async def _enter(self, db: ShopDb, new: Sequence[tuple[str, Planted]]) -> None:
        """New applications by case, with what happened to them. Raises BadMove."""
        now = [follow(self.course, one.events) for _, one in new]
        events = [
            (one.reference, n, e.what, e.step, ",".join(e.about), e.key, e.at)
            for _, one in new for n, e in enumerate(one.events)
        ]  # fmt: skip
        names = ("event_references", "seqs", "whats", "steps", "abouts", "keys", "happened")
        await q["enter"].run(
            db,
            app=self.course.app,
            references=[one.reference for _, one in new],
            case_ids=[case_id for case_id, _ in new],
            applicants=[one.applicant for _, one in new],
            helds=[
                None if self._frees(n) else one.held for n, (_, one) in zip(now, new, strict=True)
            ],
            kepts=[msgspec.json.encode(one.kept).decode() for _, one in new],
            states=[n.state for n in now],
            applied=[one.events[0].at for _, one in new],
            **sql.columns(names, events),
        )
