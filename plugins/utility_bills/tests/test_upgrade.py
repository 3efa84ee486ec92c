"""From the first release's tables: what was paid before there were refunds can be refunded."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import asyncpg
import utility_bills

from civicmall.kernel import db, migrate
from shopkit import BillsQuery, ChargeRefunded, Citizen, RefundNoted
from shopkit.call import keyed_hash
from shopkit.testing import TestShop

from .conftest import HOME, TODAY
from .days import noon, person


async def test_a_payment_of_the_first_release_can_be_refunded(
    database_url: str, tmp_path: Path
) -> None:
    schema = f"shop_utility_bills_upgrade_{os.getpid()}"
    role = f"civicmall_{schema}"
    shutil.copy(HOME / "migrations" / "0001_utility_bills.sql", tmp_path)
    await migrate.apply(database_url, [migrate.Room(schema, tmp_path, role)])
    pool: Any = await db.open_pool(database_url, role=role, search_path=schema, size_max=2)
    shop = TestShop(utility_bills.shop, pool, now=noon(TODAY))
    graduate = person(shop, "graduate")
    try:
        await pool.execute(
            "insert into account values ('W1', 'water', $1, 3, null, '2024-01-01')",
            keyed_hash(shop.secret, graduate.id_number),
        )
        await pool.execute("insert into meter values ('MW1', 'W1', '2024-01-01')")
        await pool.execute(
            "insert into bill values ('B1', 'W1', 3, '2026-09-01', '2026-11-01', '2026-11-01',"
            " '2026-11-30', 1000, 0, 500)"
        )
        await pool.execute("insert into payment values ('B1', 'old', 'RB1', 500, 0, now(), now())")

        await migrate.apply(database_url, [migrate.Room(schema, HOME / "migrations", role)])
        await pool.expire_connections()
        told = ChargeRefunded("ref", "old", "B1", 500, refunded_at=shop.now)
        noted = await shop.call("water", "charge.refunded", told, citizen=Citizen("payer", 1))
        assert isinstance(noted, RefundNoted)
        (bill,) = await shop.call("water", "bills.list", BillsQuery(), citizen=graduate)
        assert (bill.id, bill.state, bill.amount_minor) == ("B1", "owed", 500)
    finally:
        await pool.close()
        owner = await asyncpg.connect(database_url)
        await owner.execute(f"drop schema {schema} cascade; drop role {role}")
        await owner.execute("delete from public._pogo_migration where schema_name = $1", schema)
        await owner.close()
