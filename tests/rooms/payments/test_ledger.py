"""The ledger's table guards itself: what doesn't sum to zero isn't there, and nothing changes."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civicmall.kernel import ids
from civicmall.kernel.house import House
from civicmall.payments import ledger

BIGINT = st.integers(-(2**63), 2**63 - 1)
ACCOUNTS = st.sampled_from(["channel:sandbox", "payable:a", "payable:b", "suspense"])
CHECKS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
ADD = (
    "insert into payments.posting (bucket, id, order_id, kind, accounts, amounts)"
    " values ($1, $2, $2, 'payment', $3, $4)"
)


async def _add(house: House, accounts: list[Any], amounts: list[Any]) -> bool:
    """Whether the database took it."""
    try:
        await house.db.execute(ADD, 1, ids.new(1), accounts, amounts)
    except asyncpg.CheckViolationError:
        return False
    return True


def _good(accounts: list[Any], amounts: list[Any]) -> bool:
    return len(accounts) == len(amounts) >= 2 and None not in amounts and sum(amounts) == 0


@settings(max_examples=60, deadline=None, suppress_health_check=CHECKS)
@given(
    accounts=st.lists(ACCOUNTS, max_size=5),
    amounts=st.lists(st.one_of(BIGINT, st.integers(-2, 2), st.none()), max_size=5),
)
async def test_what_does_not_balance_is_refused(
    house: House, accounts: list[str], amounts: list[int | None]
) -> None:
    assert await _add(house, accounts, amounts) == _good(accounts, amounts)


@settings(max_examples=40, deadline=None, suppress_health_check=CHECKS)
@given(amounts=st.lists(st.integers(-(2**60), 2**60), min_size=1, max_size=6))
async def test_what_balances_is_taken(house: House, amounts: list[int]) -> None:
    whole = [*amounts, -sum(amounts)]
    assert await _add(house, ["channel:sandbox"] * len(whole), whole)
    assert not await _add(house, ["channel:sandbox"] * len(whole), [*amounts, 1 - sum(amounts)])
    assert sum(account.balance_minor for account in await ledger.balances(house.db)) == 0


async def test_an_account_has_a_name(house: House) -> None:
    assert not await _add(house, ["channel:sandbox", None], [1, -1])


@pytest.mark.parametrize(
    "statement",
    [
        "update payments.posting set amounts = array[2::bigint, -2::bigint]",
        "update payments.posting set kind = 'refund'",
        "delete from payments.posting",
        "truncate payments.posting",
        "alter table payments.posting drop constraint posting_check",
        "drop table payments.posting",
    ],
)
async def test_the_program_can_not_change_the_past(house: House, statement: str) -> None:
    assert await _add(house, ["channel:sandbox", "suspense"], [1, -1])
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await house.db.execute(statement)


async def test_an_order_is_never_refunded_beyond_what_it_was(house: House) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await house.db.execute(
            "insert into payments.orders (bucket, id, citizen_id, state, amount_minor,"
            " refunded_minor, currency, expires_at, paid_at)"
            " values (1, $1, $1, 'refunded', 5, 6, 'CNY', now(), now())",
            ids.new(1),
        )
