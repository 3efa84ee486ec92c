"""The citizen's verbs: what to fill in, hand it in, follow it, supplement it, take it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.gateway import FormRefused, Gateway
from civicmall.identity import Caller
from civicmall.kernel import i18n, idempotency, ids, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, decode_cursor, page
from civicmall.shops import Registry
from shopkit.contract import ApplyForm, FormQuery, Outcome, Withdrawal
from shopkit.forms import Wrong

from . import dealings, materials, rules, steps, views
from .errors import NotNow, TooManyCases, WithdrawalRefused
from .events import Moved
from .models import (
    Case,
    CaseItem,
    CaseRow,
    EventRow,
    Fingerprint,
    FinishedCase,
    MaterialRef,
    MaterialRow,
    NewCase,
    NewSupplement,
    Said,
    SupplementRow,
)
from .queries import q
from .rules import Given
from .steps import Step

TIMELINE_MAX: Final = rules.STEPS_MAX
"""Lines that are shown of a case; the newest."""
DAY: Final = timedelta(days=1)


async def form(
    gateway: Gateway, caller: Caller, shop: str, app: str, variant: str | None, lang: str
) -> ApplyForm:
    """What is to be filled in and handed in. Raises BadRequest and the gateway's problems."""
    try:
        asked = msgspec.convert({"variant": variant}, FormQuery)
    except msgspec.ValidationError as error:
        raise BadRequest(field="variant") from error
    found: ApplyForm = await gateway.ask(caller, shop, app, "apply.form", asked, lang)
    return found


async def form_of(gateway: Gateway, caller: Caller, known: Case, lang: str) -> ApplyForm:
    """The form that a case was filled in by, for its supplement. Raises the gateway's problems."""
    one = known.case
    return await form(gateway, caller, one.shop, one.app, known.variant, lang)


async def submit(
    house: House,
    gateway: Gateway,
    registry: Registry,
    caller: Caller,
    key: str | None,
    ask: NewCase,
    lang: str,
) -> CaseItem:
    """One case for this form and these papers; the same key again is the same case.

    It is stored before the shop is asked: a shop that doesn't answer now is told again until it
    does. Raises FormRefused, TooManyCases, the gateway's problems before anything is stored, and
    those of idempotency.
    """

    async def work(case_id: UUID) -> CaseItem:
        row = await steps.case(house.db, case_id)
        if row is None:
            row = await _open(house, gateway, registry, caller, case_id, ask, lang)
        if row.state == "submitted":
            try:
                row = await dealings.tell(house, gateway, row, caller, lang)
            except FormRefused:
                await steps.move(house, row, Step("void"))
                raise
        gateway.forget(caller.citizen_id, row.shop, row.app)
        return views.item(row, lang)

    mark = _fingerprint(house, "cases", ask)
    return await idempotency.once(house.db, caller.citizen_id, "cases", key, mark, CaseItem, work)


def _fingerprint(house: House, scope: str, ask: Any) -> Fingerprint:
    said = msgspec.json.encode(ask, order="deterministic").decode()
    return Fingerprint(house.keys.blind(said, scope))


async def _open(
    house: House,
    gateway: Gateway,
    registry: Registry,
    caller: Caller,
    case_id: UUID,
    ask: NewCase,
    lang: str,
) -> CaseRow:
    """Check an application against its form and store it. Raises FormRefused, TooManyCases."""
    opened: int = await q.opened_since(
        house.db,
        bucket=ids.bucket_of(caller.citizen_id),
        citizen_id=caller.citizen_id,
        since=house.clock.now() - DAY,
    )
    if opened >= rules.CASES_A_DAY:
        raise TooManyCases(max=rules.CASES_A_DAY)
    asked = await form(gateway, caller, ask.shop, ask.app, ask.variant, lang)
    papers = await materials.free(house.db, caller.citizen_id, ask.materials)
    wrong = rules.wrong_values(asked.schema, ask.form) + _wrong_papers(asked, ask.materials, papers)
    _refuse(wrong, ask.shop)
    bucket, now = ids.bucket_of(caller.citizen_id), house.clock.now()
    kind, body = outbox.row(Moved(case_id, ask.shop, ask.app, "submit"))
    await q.open_case(
        house.db,
        bucket=bucket,
        id=case_id,
        citizen_id=caller.citizen_id,
        acted_by=caller.actor.id if caller.actor else None,
        shop=ask.shop,
        app=ask.app,
        release=registry.manifest(ask.shop).version,
        variant=ask.variant,
        title=asked.title,
        form=views.seal(house.keys, ask.form, views.FORM),
        labels=msgspec.to_builtins(views.labels(asked)),
        now=now,
        next_at=now + rules.retry_wait(0),
        material_ids=[ref.id for ref in ask.materials],
        codes=[ref.code for ref in ask.materials],
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
    made = await steps.case(house.db, case_id)
    if made is None:  # a paper went into another case in this instant
        raise FormRefused(shop=ask.shop, errors=[_error(Wrong("materials", "not there any more"))])
    return made


def _wrong_papers(
    asked: ApplyForm, refs: list[MaterialRef], papers: list[MaterialRow], *, complete: bool = True
) -> list[Wrong]:
    """What is wrong with the papers that go with a form."""
    known = {paper.id: paper for paper in papers}
    found = [
        Wrong(f"materials.{ref.code}", "not there any more") for ref in refs if ref.id not in known
    ]
    if len({ref.id for ref in refs}) < len(refs):
        found.append(Wrong("materials", "one file stands twice"))
    given = [
        Given(ref.code, known[ref.id].media, known[ref.id].size) for ref in refs if ref.id in known
    ]
    if sum(one.size for one in given) > rules.CASE_BYTES_MAX:
        found.append(Wrong("materials", f"more than {rules.CASE_BYTES_MAX} bytes together"))
    missing = {f"materials.{ref.code}" for ref in refs if ref.id not in known}
    wrong = rules.wrong_papers(asked.materials, given, complete=complete)
    return found + [one for one in wrong if one.field not in missing]


def _refuse(wrong: list[Wrong], shop: str) -> None:
    if wrong:
        raise FormRefused(shop=shop, errors=[_error(one) for one in wrong])


def _error(one: Wrong) -> Mapping[str, str]:
    return {"field": one.field, "problem": one.problem}


async def supplement(
    house: House,
    gateway: Gateway,
    caller: Caller,
    key: str | None,
    case_id: UUID,
    ask: NewSupplement,
    lang: str,
) -> CaseItem:
    """Bring what was missing; the same key again is the same supplement.

    Raises NoSuchCase, NotNow, FormRefused and those of idempotency.
    """
    await steps.own(house.db, caller.citizen_id, case_id)

    async def work(supplement_id: UUID) -> CaseItem:
        row = await steps.own(house.db, caller.citizen_id, case_id)
        known: SupplementRow | None = await q.supplement(
            house.db, bucket=row.bucket, case_id=row.id, id=supplement_id
        )
        if known is None:
            row = await _add(house, gateway, caller, row, supplement_id, ask, lang)
        row = await dealings.bring(house, gateway, row, caller, lang)
        gateway.forget(caller.citizen_id, row.shop, row.app)
        return views.item(row, lang)

    mark = _fingerprint(house, f"cases.supplements {case_id}", ask)
    return await idempotency.once(
        house.db, caller.citizen_id, "cases.supplements", key, mark, CaseItem, work
    )


async def _add(
    house: House,
    gateway: Gateway,
    caller: Caller,
    row: CaseRow,
    supplement_id: UUID,
    ask: NewSupplement,
    lang: str,
) -> CaseRow:
    """Check and store a supplement. Raises NotNow, FormRefused."""
    if rules.after(row.state, "supplement") is None:
        raise NotNow(state=row.state)
    if not ask.form and not ask.materials:
        _refuse([Wrong("$", "neither a field nor a material")], row.shop)
    asked = await form(gateway, caller, row.shop, row.app, row.variant, lang)
    papers = await materials.free(house.db, caller.citizen_id, ask.materials)
    wrong = rules.wrong_values(asked.schema, ask.form, complete=False)
    _refuse(wrong + _wrong_papers(asked, ask.materials, papers, complete=False), row.shop)
    now = house.clock.now()
    kind, body = outbox.row(Moved(row.id, row.shop, row.app, "supplement"))
    added: int | None = await q.add_supplement(
        house.db,
        bucket=row.bucket,
        id=row.id,
        supplement_id=supplement_id,
        citizen_id=caller.citizen_id,
        acted_by=caller.actor.id if caller.actor else None,
        form=views.seal(house.keys, ask.form, views.SUPPLEMENT),
        now=now,
        next_at=now + rules.retry_wait(0),
        most=rules.SUPPLEMENTS_MAX,
        material_ids=[ref.id for ref in ask.materials],
        codes=[ref.code for ref in ask.materials],
        bytes_max=rules.CASE_BYTES_MAX,
        event_id=ids.new(row.bucket),
        type=kind,
        body=body,
    )
    current = await steps.own(house.db, caller.citizen_id, row.id)
    if added is None:
        raise NotNow(state=current.state)
    return current


async def withdraw(
    house: House, gateway: Gateway, caller: Caller, case_id: UUID, lang: str
) -> CaseItem:
    """Take an application back, if the department agrees; again: the same answer.

    Raises NoSuchCase, NotNow, WithdrawalRefused and the gateway's problems.
    """
    row = await steps.own(house.db, caller.citizen_id, case_id)
    if row.state == "withdrawn":
        return views.item(row, lang)
    if row.reference is None or "withdraw" not in rules.may(row.state, referenced=True):
        raise NotNow(state=row.state)
    asked = Withdrawal(str(row.id), row.reference)
    outcome: Outcome = await gateway.ask(caller, row.shop, row.app, "apply.withdraw", asked, lang)
    gateway.forget(caller.citizen_id, row.shop, row.app)
    if outcome.state == "refused":
        words = " ".join(i18n.pick(reason.message, lang) for reason in outcome.reasons)
        raise WithdrawalRefused(words)
    row = await steps.move(
        house,
        row,
        Step(
            "withdraw",
            actor="citizen",
            acted_by=caller.actor.id if caller.actor else None,
            said=Said(outcome.message),
        ),
    )
    if row.state != "withdrawn":
        raise NotNow(state=row.state)
    return views.item(row, lang)


async def look(house: House, gateway: Gateway, caller: Caller, case_id: UUID, lang: str) -> Case:
    """One case with all that is known of it, asked of its shop now. Raises NoSuchCase."""
    row = await steps.own(house.db, caller.citizen_id, case_id)
    stale = False
    if row.state in rules.FOLLOWED:
        row, stale = await dealings.follow(house, gateway, row, caller, lang)
    events: list[EventRow] = await q.events(
        house.db, bucket=row.bucket, case_id=row.id, most=TIMELINE_MAX
    )
    papers = await materials.of_case(house.db, row)
    return views.case(house.keys, row, events, papers, stale=stale, lang=lang)


async def mine(
    db: Db, citizen_id: UUID, lang: str, *, limit: int = 20, after: str | None = None,
    shops: list[str] | None = None,
) -> Page[CaseItem]:  # fmt: skip
    """A citizen's cases, newest first; with `shops` theirs only. Raises BadRequest for a cursor of another
    list.
    """
    last = decode_cursor(after, UUID) or (None,)
    rows: list[CaseRow] = await q.mine(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        before=last[0],
        most=limit + 1,
        shops=shops,
    )
    return page([views.item(row, lang) for row in rows], limit, lambda one: (one.id,))


async def finished_case(db: Db, citizen_id: UUID, case_id: UUID) -> FinishedCase | None:
    """A citizen's case as the rating centre needs it; None where it isn't theirs."""
    row = await steps.case(db, case_id)
    if row is None or row.citizen_id != citizen_id or row.state == "void":
        return None
    done = "rate" in rules.may(row.state, referenced=False)
    return FinishedCase(row.id, row.shop, row.app, done, row.closed_at)
