"""The hourly look at the newest closed day: what it finds by itself, and what `db check` says of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
import pytest_asyncio
from tests.rooms.identity.audit.lines import Owner, ago, day_ago

from civicmall import app
from civicmall.identity import audit
from civicmall.identity.audit import rules, watching
from civicmall.kernel import days as business
from civicmall.kernel import ids
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

WHO: Final = ids.new(3)
OTHER: Final = ids.new(200)
Change = Callable[[Owner], Awaitable[None]]


@pytest_asyncio.fixture(autouse=True)
async def closed(house: House, owner: Owner) -> AsyncGenerator[None]:
    """Two closed days, lines of the newest in two buckets, and one of today."""
    await owner.empty()
    await owner.past(WHO, [ago(2), ago(1), ago(1) + timedelta(minutes=5)])
    await owner.past(OTHER, [ago(1)])
    assert await audit.close(house) == [day_ago(2), day_ago(1)]
    await audit.note(house, WHO, "sign_in")
    yield
    await owner.empty()


async def kinds(house: House) -> list[str]:
    return sorted(one.kind for one in await audit.look(house.db, house.keys))


async def test_what_was_not_touched_is_well(house: House, settings: Settings) -> None:
    assert await kinds(house) == []
    assert await audit.watch(house) == []
    assert [one for one in await app.check(settings) if "audit" in one] == []


async def changed(owner: Owner) -> None:
    """Somebody says that it was another reader."""
    await owner.do("update identity.audit set reader = 'x/y' where citizen_id = $1", OTHER)


async def made_to_fit(owner: Owner) -> None:
    """The same with a hash that fits, and the head."""
    line = (await owner.lines(OTHER))[0]
    other = rules.hash_of(line) + b""
    await owner.do("update identity.audit set hash = $2 where citizen_id = $1", OTHER, other[::-1])
    await owner.head(OTHER, 1, other[::-1])


async def cut_off(owner: Owner) -> None:
    """With the head, so that the chain looks whole."""
    await owner.do("delete from identity.audit where citizen_id = $1", OTHER)
    await owner.head(OTHER, 0, bytes(32))


async def put_in(owner: Owner) -> None:
    """A line of yesterday, today."""
    await owner.past(ids.new(9), [ago(1)])


async def forged(owner: Owner) -> None:
    await owner.head(OTHER, 1, b"x" * 32)


async def back(owner: Owner) -> None:
    await owner.head(WHO, 2, (await owner.lines(WHO))[1].hash)


async def without_anchor(owner: Owner) -> None:
    await owner.do("delete from identity.audit_anchor where bucket = 7 and day_on = $1", day_ago(1))


async def other_anchor(owner: Owner) -> None:
    """An anchor that fits the tables, upon nothing."""
    await owner.do(
        "update identity.audit_anchor set digest = sha256('x') where bucket = 7 and day_on = $1",
        day_ago(1),
    )


async def other_root(owner: Owner) -> None:
    await owner.do("update identity.audit_day set root = sha256('x') where day_on = $1", day_ago(1))


async def not_closed(owner: Owner) -> None:
    for table in ("audit_day", "audit_anchor"):
        await owner.do(f"delete from identity.{table} where day_on = $1", day_ago(1))  # noqa: S608


TAMPERED: Final[dict[Change, list[str]]] = {
    changed: ["changed"], made_to_fit: ["changed"], cut_off: ["changed", "cut_off"],
    put_in: ["changed"], forged: ["forged_head"], back: ["forged_head"],
    without_anchor: ["missing"], other_anchor: ["anchor", "anchor"],
    other_root: ["anchor", "signature"],
}  # fmt: skip


@pytest.mark.parametrize(("change", "found"), TAMPERED.items(), ids=lambda one: getattr(one, "__name__", ""))  # fmt: skip
async def test_what_an_owner_did_is_found_and_said_by_db_check(
    house: House, owner: Owner, settings: Settings, change: Change, found: list[str]
) -> None:
    await change(owner)
    assert await kinds(house) == found
    said = [one for one in await app.check(settings) if one.startswith("the audit: ")]
    assert len(said) == len(found)
    assert all(one.endswith("; run `civicmall audit verify`") for one in said)


async def test_a_day_that_stays_open_is_found(house: House, owner: Owner) -> None:
    await not_closed(owner)
    late = (datetime.now(UTC) - business.end_of(day_ago(1))).total_seconds() > business.OVERDUE_S
    assert await kinds(house) == (["missing"] if late else [])
    await owner.empty()
    assert await kinds(house) == []
    await owner.past(WHO, [ago(3)])
    assert await kinds(house) == ["missing"]


def test_each_bucket_has_its_turn_once_a_day() -> None:
    midnight = business.start_of(day_ago(1))
    turns = [watching.turn(midnight + timedelta(hours=hour)) for hour in range(24)]
    assert {bucket for one in turns for bucket in one} == set(range(256))
    assert all(len(set(one)) == watching.AN_HOUR for one in turns)


class Turn:
    """Always these buckets'."""

    def __init__(self, buckets: list[int]) -> None:
        self.buckets = buckets

    def __call__(self, now: datetime) -> list[int]:
        del now
        return self.buckets


async def test_the_job_looks_at_its_turn_only(
    house: House, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    await changed(owner)
    for buckets, found in (([200], ["changed"]), ([199, 201], [])):
        monkeypatch.setattr(watching, "turn", Turn(buckets))
        assert [one.kind for one in await audit.watch(house)] == found


async def test_only_so_many_of_a_bucket_are_read(
    house: House, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn by lot: of one of two citizens something is found, now and then."""
    await owner.empty()
    many = [ids.new(3) for _ in range(5)]
    for one in many:
        await owner.past(one, [ago(1)])
    assert await audit.close(house) == [day_ago(1)]
    for one in many:
        await owner.head(one, 1, b"x" * 32)
    monkeypatch.setattr(watching, "CITIZENS", 2)
    assert await kinds(house) == ["forged_head"] * 2
