"""Every state meets every move in the database, and becomes what the table says or stays."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from civicmall.cases import rules, steps
from civicmall.cases.queries import q
from civicmall.cases.rules import CLOSED, MOVES, STATES, Move, State
from civicmall.cases.steps import Step
from civicmall.kernel import ids
from civicmall.kernel.house import House

BUCKET = 9


async def put(house: House, state: State) -> UUID:
    """A case as if it had come so far."""
    case_id, now = ids.new(BUCKET), house.clock.now()
    async with house.db.acquire() as db:
        await db.execute(
            "insert into cases.case (bucket, id, citizen_id, shop, app, release, title, state, reference,"
            " form, submitted_at, closed_at, next_at) values ($1, $2, $3, 's', 'a', '1.0.0',"
            " '{\"zh-CN\": \"x\"}'::text::jsonb, $4, 'R', '', $5, $6, $7)",
            *(BUCKET, case_id, ids.new(BUCKET), state, now),
            *((now, None) if state in CLOSED else (None, now + timedelta(days=1))),
        )
    return case_id


@pytest.mark.parametrize("move", sorted({move for _, move in MOVES} - {"supplement"}))
@pytest.mark.parametrize("state", STATES)
async def test_the_statement_says_the_same_as_the_table(
    house: House, state: State, move: Move
) -> None:
    case_id = await put(house, state)
    row = await steps.case(house.db, case_id)
    assert row is not None
    step = Step(move, overdue_on=house.clock.today() if move == "overdue" else None)
    first = await steps.move(house, row, step)
    assert first.state == (rules.after(state, move) or state)
    events = await q.events(house.db, bucket=BUCKET, case_id=case_id, most=9)
    assert len(events) == ((state, move) in MOVES)
    assert (first.closed_at is not None) == (first.state in CLOSED)
    async with house.db.acquire() as db:
        told = await db.fetchval(
            "select array_agg(type order by type) from kernel.outbox where body->>'case_id' = $1",
            str(case_id),
        )
    assert told == (
        (["cases.finished"] if move == "finish" else []) + ["cases.moved"]
        if (state, move) in MOVES
        else None
    )


async def test_a_broken_word_is_noted_once(house: House) -> None:
    case_id = await put(house, "pending")
    row = await steps.case(house.db, case_id)
    assert row is not None
    for _ in range(3):
        row = await steps.move(house, row, Step("overdue", overdue_on=house.clock.today()))
    assert row.version == 2
