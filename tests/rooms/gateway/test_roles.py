"""What runs on a shop's connections stays the shop's, whatever SQL its code sends."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import asyncpg
import pytest
import pytest_asyncio

from civicmall import app, gateway
from civicmall.kernel import db
from civicmall.kernel.house import House
from civicmall.shops import Registry

SHOP = "utility_bills"
ESCAPES = (
    "set role civicmall",
    "set role civicmall_app",
    "set session authorization civicmall",
    "select set_config('role', 'civicmall', false)",
    "select set_config('role', 'civicmall_shop_public_security', false)",
    "create temporary table mine (x int)",
    "select * from identity.citizen",
    "select * from payments.posting",
    "select * from shop_public_security.application",
    "create schema mine",
    "create table public.mine (x int)",
    "create role mine",
    "alter role civicmall_app password 'mine'",
    "copy account to program 'true'",
    "select pg_read_file('/etc/passwd')",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def as_shop(house: House, registry: Registry) -> AsyncGenerator[db.Pool]:
    await app.prepare(house.settings, registry)  # rights to connect don't come with a template
    role = gateway.role(SHOP)
    pool = await db.open_pool(
        house.settings.database_url,
        role=role,
        password=house.keys.password(role),
        search_path=gateway.schema(SHOP),
        size_max=1,
    )
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def as_app(house: House) -> AsyncGenerator[db.Pool]:
    pool = await db.open_pool(
        house.settings.database_url, password=house.keys.password(db.APP_ROLE), size_max=1
    )
    yield pool
    await pool.close()


@pytest.mark.parametrize("statement", ESCAPES)
async def test_a_shop_reaches_nothing_but_its_schema(as_shop: db.Pool, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_shop.execute(statement)


async def test_resetting_the_role_changes_nothing(as_shop: db.Pool) -> None:
    await as_shop.execute("reset role")
    await as_shop.execute("select set_config('role', 'none', false)")
    assert await as_shop.fetchval("select current_user::text") == gateway.role(SHOP)
    assert await as_shop.fetchval("select session_user::text") == gateway.role(SHOP)
    assert await as_shop.fetchval("select count(*) > 0 from account") is True


@pytest.mark.parametrize(
    "statement",
    [
        "set role civicmall",
        "select * from shop_utility_bills.account",
        "delete from payments.posting",
        "update payments.posting set amounts = amounts",
        "drop table payments.posting",
        "create table payments.mine (x int)",
        "alter table payments.posting disable trigger all",
    ],
)
async def test_the_program_owns_nothing(as_app: db.Pool, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_app.execute(statement)
