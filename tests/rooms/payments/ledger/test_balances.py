"""Balances at any instant are the plain sum; pages of entries are the plain list."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from tests.city import City, running_city
from tests.rooms.payments.ledger.books import (
    Owner,
    at,
    close_in_time,
    day,
    now,
    owner_of,
    standing_at,
)

from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.payments import ledger
from civicmall.payments.ledger import service
from civicmall.shops import Registry

ACCOUNTS: Final = [
    "channel:sandbox",
    "channel:alipay",
    "payable:a",
    "payable:b",
    "suspense",
    "fees",
]
DAYS: Final = 4
MICRO: Final = timedelta(microseconds=1)
HOURS = st.sampled_from([0.0, 0.5, 7.9, 8.0, 8.1, 12.0, 23.999])
"""Of the city's day: at its first instant, and about UTC's midnight."""


class Put(Struct, frozen=True):
    """A posting that is made."""

    when: datetime
    bucket: int
    accounts: tuple[str, str]
    amount: int


PUTS = st.lists(
    st.builds(
        Put,
        st.builds(at, st.integers(0, DAYS - 1), HOURS),
        st.sampled_from([0, 1, 128, 255]),
        st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(ACCOUNTS)),
        st.integers(-(10**12), 10**12),
    ),
    max_size=14,
)


def naive(puts: list[Put], then: datetime | None) -> dict[str, tuple[int, int]]:
    """Account → balance and entries, by adding up."""
    found: dict[str, tuple[int, int]] = {}
    for put in puts:
        if then is None or put.when <= then:
            for account, amount in zip(put.accounts, (put.amount, -put.amount), strict=True):
                total, many = found.get(account, (0, 0))
                found[account] = total + amount, many + 1
    return found


async def seen(house: House, then: datetime | None) -> dict[str, tuple[int, int]]:
    rows = await ledger.balances(house.db, then)
    return {row.account: (row.balance_minor, row.postings) for row in rows}


async def walked(house: House, account: str, limit: int) -> list[tuple[datetime, int]]:
    """All pages of an account, one after the other."""
    found: list[tuple[datetime, int]] = []
    after = None
    while True:
        page, after = await ledger.entries(house.db, account, after, limit)
        assert len(page) <= limit
        found += [(one.posted_at, one.amount_minor) for one in page]
        if after is None:
            return found


@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(puts=PUTS, closed=st.integers(0, DAYS), limit=st.integers(1, 5), hour=st.floats(0, 24))
async def test_at_any_instant_they_are_the_plain_sum(
    house: House, owner: Owner, puts: list[Put], closed: int, limit: int, hour: float
) -> None:
    await owner.empty()
    for put in puts:
        await owner.put(put.when, put.bucket, put.amount, put.accounts)
    await ledger.close(standing_at(house, closed), day(closed - 1))
    edges = [put.when for put in puts[:3]]
    instants = [e + by for e in edges for by in (-MICRO, 0 * MICRO, MICRO)]
    for then in (None, at(0, 0), at(2, hour), at(9), *instants):
        assert await seen(house, then) == naive(puts, then)
    for account in {a for put in puts for a in put.accounts}:
        listed = await walked(house, account, limit)
        assert [when for when, _ in listed] == sorted((w for w, _ in listed), reverse=True)
        assert sorted(listed) == sorted(
            (put.when, amount)
            for put in puts
            for name, amount in zip(put.accounts, (put.amount, -put.amount), strict=True)
            if name == account
        )


async def test_present_balances_read_no_closed_day(house: House, owner: Owner) -> None:
    """Their cost doesn't grow with the past: what is closed is not even looked at."""
    await owner.some(3)
    await close_in_time(house, 2)
    before = await seen(house, None)
    await owner.db.execute("delete from payments.posting where posted_at < $1", at(2, 0))
    assert await seen(house, None) == before
    assert await seen(house, at(1, 24)) != {}


async def test_a_rare_account_is_found_a_month_at_a_time(
    house: House, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "DAYS_AT_ONCE", 2)
    for number in (0, 1, 3, 5, 6):
        await owner.put(at(number, 0), 9, accounts=("rare", "suspense"))
        await owner.put(at(number, 24) - MICRO, 9, accounts=("rare", "suspense"))
    await ledger.close(standing_at(house, 6), day(6))
    page, after = await ledger.entries(house.db, "rare", None, 50)
    assert (len(page), after is None) == (4, False), "two days of it"
    assert len(set(await walked(house, "rare", 50))) == 10
    assert len(await walked(house, "rare", 3)) == 10


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Registry) -> AsyncGenerator[City]:
    """A running city without its jobs, which would close eight months of days by themselves."""
    async with running_city(msgspec.structs.replace(settings, workers=False), registry) as found:
        yield found


async def _ask(city: City, path: str, **query: Any) -> tuple[int, Any]:
    operator = await city.operator()
    answer = await operator.get(f"/v1/desk/{path}", params=query)
    return answer.status_code, answer.json()


async def test_an_operator_asks_for_balances_then(city: City) -> None:
    async with owner_of(city.house) as owner:
        await owner.some(2)
        await close_in_time(city.house, 2)
        status, then = await _ask(city, "ledger", at=at(0, 2).isoformat())
        assert (status, then["sum_minor"]) == (200, 0)
        assert [(i["account"], i["balance_minor"]) for i in then["items"]] == [
            ("channel:sandbox", 403),
            ("payable:a", -403),
        ]
        _, present = await _ask(city, "ledger")
        assert [i["balance_minor"] for i in present["items"]] == [2012, -2012]
        assert present["closed_on"] >= str(day(1))
        assert len(present["root"]) == 64


async def test_an_operator_asks_for_entries(city: City) -> None:
    async with owner_of(city.house) as owner:
        made = await owner.some(2)
        await close_in_time(city.house, 1)
        _, first = await _ask(city, "ledger/entries", account="payable:a", limit=6)
        query = {"account": "payable:a", "limit": 6, "after": first["next"]}
        _, second = await _ask(city, "ledger/entries", **query)
        assert second["next"] is None
        items = first["items"] + second["items"]
        assert {item["posting_id"] for item in items} == {str(one) for one in made}
        assert {item["amount_minor"] for item in items[-2:]} == {-300, -103}, "the oldest"
        assert {(i["no"], i["kind"], i["order_id"] == i["posting_id"]) for i in items} == {
            (2, "payment", True)
        }


@pytest.mark.parametrize(
    ("path", "query", "status", "problem"),
    [
        ("ledger", {"at": "2026-01-01T00:00:00"}, 400, "/problems/bad-request"),
        ("ledger", {"at": "yesterday"}, 400, "/problems/bad-request"),
        ("ledger", {"at": (now() + timedelta(days=1)).isoformat()}, 422, "/problems/not-yet"),
        ("ledger", {"at": "0001-01-01T00:00:00Z"}, 200, None),
        ("ledger/entries", {}, 400, "/problems/bad-request"),
        ("ledger/entries", {"account": "nobody"}, 404, "/problems/no-such-account"),
        ("ledger/entries", {"account": "suspense", "after": "x"}, 400, "/problems/bad-request"),
        ("ledger/entries", {"account": "a\0b"}, 400, "/problems/bad-request"),
    ],
)
async def test_what_can_not_be_answered(
    city: City, path: str, query: dict[str, str], status: int, problem: str | None
) -> None:
    got, body = await _ask(city, path, **query)
    assert (got, body.get("type")) == (status, problem), body


@pytest.mark.parametrize("path", ["ledger", "ledger/entries?account=suspense"])
async def test_departments_see_no_ledger(city: City, path: str) -> None:
    department = await city.department("utility_bills")
    assert (await department.get(f"/v1/desk/{path}")).status_code == 403
