"""What passes between a case and its shop: telling it, asking how it stands, hearing its news.

The intent is stored before a shop is called, so whoever comes after a crash asks again with the
same case; every answer is written by one guarded statement, so it counts once.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg

from civicmall import identity
from civicmall.gateway import FormRefused, Gateway, NoSuchThing, ShopRefused
from civicmall.identity import Caller
from civicmall.kernel import i18n, logs
from civicmall.kernel.clock import CITY
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.kernel.house import House
from shopkit.answers import WrongAnswer, fits
from shopkit.contract import CaseNews, Outcome, Progress, Reason, Submission, Supplement

from . import materials, rules, views
from .errors import NoSuchCase
from .models import CaseRow, DueCase, Said, SupplementRow
from .queries import q
from .steps import Step, case, move

log = logs.get("cases")
LOOK_S: Final = 5.0
"""Seconds of one look in which a shop's next case is begun; what is left has its turn later."""
AT_ONCE: Final = 40
"""Cases per look; with its beat this is at most eight questions a second to all shops."""
NEWS_LANG: Final = "zh-CN"
"""What a shop is asked in where no citizen waits."""


async def tell(house: House, gateway: Gateway, row: CaseRow, caller: Caller, lang: str) -> CaseRow:
    """Hand an application to its shop and write down the answer; the case as it is then.

    A shop that doesn't answer leaves it as it is, for the next look. Raises FormRefused.
    """
    papers = await materials.of_case(house.db, row)
    submission = Submission(
        case_id=str(row.id),
        form=views.values(house.keys, row.form),
        variant=row.variant,
        materials=materials.handed(papers, 0),
    )
    outcome = await _outcome(gateway, row, caller, "apply.submit", submission, lang)
    return row if outcome is None else await take(house, row, outcome)


async def _outcome(
    gateway: Gateway, row: CaseRow, caller: Caller, operation: str, asked: Any, lang: str
) -> Outcome | None:
    """A shop's answer; None while it gives none. Raises FormRefused."""
    try:
        outcome: Outcome = await gateway.ask(caller, row.shop, row.app, operation, asked, lang)
    except FormRefused:
        raise
    except (ShopRefused, NoSuchThing) as refusal:
        return refused(refusal.detail or i18n.translate(lang, refusal.title))
    except Problem as problem:
        log.warning("case.unanswered", case=str(row.id), shop=row.shop, operation=operation,
                    problem=problem.type)  # fmt: skip
        return None
    return outcome


def refused(words: str) -> Outcome:
    """A refusal that came as words alone."""
    return Outcome("refused", reasons=[Reason({"zh-CN": words or "—"})])


async def take(house: House, row: CaseRow, outcome: Outcome) -> CaseRow:
    """Write down a department's answer to an application: once, however often it comes."""
    by = rules.verdict(outcome)
    waits_until = outcome.callback_by if by == "defer" else None
    return await move(
        house,
        row,
        Step(
            by,
            said=Said(outcome.message, outcome.reasons),
            reference=outcome.reference,
            due_on=outcome.due_on,
            responsible=outcome.responsible,
            callback_by=waits_until,
            next_at=waits_until and max(waits_until, house.clock.now()),
        ),
    )


async def bring(house: House, gateway: Gateway, row: CaseRow, caller: Caller, lang: str) -> CaseRow:
    """Hand the open supplement of a case to its shop, if there is one. Raises FormRefused."""
    brought: SupplementRow | None = await q.open_supplement(
        house.db, bucket=row.bucket, case_id=row.id
    )
    if brought is None or row.reference is None:
        return row
    papers = await materials.of_case(house.db, row)
    asked = Supplement(
        case_id=str(row.id),
        reference=row.reference,
        seq=brought.seq,
        form=views.values(house.keys, brought.form, views.SUPPLEMENT),
        materials=materials.handed(papers, brought.seq),
    )
    try:
        outcome = await _outcome(gateway, row, caller, "apply.supplement", asked, lang)
    except FormRefused as problem:
        await move(house, row, Step("ask", said=_as_said(problem), seq=brought.seq))
        raise
    if outcome is None:
        return row
    said = Said(outcome.message, outcome.reasons)
    by: rules.Move = "ask" if outcome.state == "refused" else "take"
    return await move(house, row, Step(by, said=said, seq=brought.seq, due_on=outcome.due_on))


def _as_said(problem: FormRefused) -> Said:
    """The wrong fields as a department's words in the timeline."""
    errors: list[dict[str, str]] = problem.extra.get("errors", [])
    return Said(reasons=[Reason({"zh-CN": e["problem"] or "—"}, e["field"]) for e in errors])


async def follow(
    house: House, gateway: Gateway, row: CaseRow, caller: Caller, lang: str
) -> tuple[CaseRow, bool]:
    """Ask the shop how a case stands and take that over; the case, and whether that is stale.

    A supplement that the shop has not yet got keeps the state: what it says of it is older.
    """
    try:
        said: Progress = await gateway.ask(
            caller, row.shop, row.app, "progress.get", row.reference, lang
        )
    except Problem as problem:
        log.info("case.stale", case=str(row.id), shop=row.shop, problem=problem.type)
        return row, True
    by = rules.heard(row.state, said)
    if by and await q.open_supplement(house.db, bucket=row.bucket, case_id=row.id) is None:
        step = Step(
            by,
            progress=said,
            due_on=said.due_on,
            responsible=said.responsible,
            result=said.result,
        )
        return await move(house, row, step), False
    if said != views.progress_of(house.keys, row):
        now = house.clock.now()
        await q.keep_progress(
            house.db,
            bucket=row.bucket,
            id=row.id,
            progress=views.seal(house.keys, said, views.PROGRESS),
            due_on=said.due_on,
            responsible=said.responsible,
            now=now,
            next_at=now + rules.sync_wait(now - row.submitted_at),
        )
        return await case(house.db, row.id) or row, False
    return row, False


async def told(house: House, shop: str, case_id: UUID, news: CaseNews) -> None:
    """News that a shop signed: the answer that was pending, or that there is something to ask.

    Late and repeated news change nothing. Raises NoSuchCase (also for another shop's case),
    BadRequest for an answer against the contract.
    """
    row = await case(house.db, case_id)
    if row is None or row.shop != shop or row.state == "void":
        raise NoSuchCase
    if news.outcome is None:
        await q.look_soon(house.db, bucket=row.bucket, id=row.id, now=house.clock.now())
        return
    try:
        fits("apply.submit", None, news.outcome)
    except WrongAnswer as error:
        raise BadRequest(error.seen, field="outcome") from error
    if row.state in rules.UNANSWERED and not _same_promise(row, news.outcome):
        await take(house, row, news.outcome)


def _same_promise(row: CaseRow, outcome: Outcome) -> bool:
    """Whether a shop only says again that it answers by the day that it has named."""
    named = row.state == "pending" and outcome.state == "pending"
    by, before = outcome.callback_by, row.callback_by
    return named and by is not None and before is not None and _day(by) == _day(before)


def _day(at: datetime) -> date:
    return at.astimezone(CITY).date()


async def look_after(house: House, gateway: Gateway, slow: set[str] | None = None) -> None:
    """Cases whose shop didn't answer are told again; the others are asked how they stand.

    What goes wrong with one case keeps no other from its turn, and a shop that takes its time keeps
    no other shop: each has its own line. `slow` names those with cases left over; they sit out the
    next look, so that the others' cases come up.
    """
    rest = set[str]() if slow is None else slow
    but = list(rest)
    rest.clear()
    due: list[DueCase] = await q.due_cases(house.db, now=house.clock.now(), but=but, most=AT_ONCE)
    lines: dict[str, list[DueCase]] = {}
    for one in due:
        lines.setdefault(one.shop, []).append(one)
    until = house.clock.monotonic() + LOOK_S

    async def look_at(shop: str, line: list[DueCase]) -> None:
        for one in line:
            if house.clock.monotonic() > until:
                rest.add(shop)
                return
            try:
                await _look_at(house, gateway, one)
            except (Problem, asyncpg.PostgresError, OSError):
                log.warning("case.look_failed", case=str(one.id), exc_info=True)

    await asyncio.gather(*(look_at(*line) for line in lines.items()))


async def _look_at(house: House, gateway: Gateway, one: DueCase) -> None:
    row = await case(house.db, one.id)
    if row is None:
        return
    now = house.clock.now()
    pause = rules.retry_wait(row.tries)
    if row.state == "pending":
        pause = timedelta(seconds=rules.OVERDUE_ASK_S)
    mine = await q.claim(house.db, bucket=one.bucket, id=one.id, now=now, next_at=now + pause)
    if mine is None:
        return
    level = (await identity.row(house.db, row.citizen_id)).level
    caller = Caller(row.citizen_id, row.citizen_id, level)
    if row.state in rules.FOLLOWED:
        try:
            row = await bring(house, gateway, row, caller, NEWS_LANG)
        except FormRefused:
            return  # noted; the citizen finds it in the case
        await follow(house, gateway, row, caller, NEWS_LANG)
        return
    if row.state == "pending":
        row = await move(
            house,
            row,
            Step("overdue", actor="platform", overdue_on=house.clock.today(), next_at=now + pause),
        )
    try:
        await tell(house, gateway, row, caller, NEWS_LANG)
    except FormRefused as problem:
        reasons = _as_said(problem).reasons
        await take(house, row, Outcome("refused", reasons=reasons or refused("").reasons))
