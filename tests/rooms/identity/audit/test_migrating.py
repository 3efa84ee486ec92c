"""What was there before 0009: counted looks become lines of a chain, consents a row per claim."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest_asyncio
from msgspec.structs import replace
from tests.rooms.identity.audit.lines import owner_of

from civicmall import app
from civicmall.identity import agreements, audit
from civicmall.kernel import embedded, ids, migrate
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

FOLDER = Path(app.__file__).parent
WHO, OTHER = ids.new(3), ids.new(4)


@pytest_asyncio.fixture
async def older(settings: Settings, server: embedded.Server) -> AsyncGenerator[Settings]:
    """A database of its own, without any table."""
    name = f"older_{uuid4().hex[:12]}"
    for_all: Any = await asyncpg.connect(server.url)
    await for_all.execute(f"create database {name}")
    yield replace(settings, database_url=server.url.replace("/civicmall?", f"/{name}?"))
    await for_all.execute(f"drop database {name} with (force)")
    await for_all.close()


async def test_the_past_is_taken_along(house: House, older: Settings, tmp_path: Path) -> None:
    before = tmp_path / "migrations"
    shutil.copytree(FOLDER / "identity" / "migrations", before)
    for path in before.glob("*.sql"):
        if path.name >= "0009":
            path.unlink()
    rooms = [migrate.Room("kernel", FOLDER / "kernel" / "migrations")]
    await migrate.apply(older.database_url, [*rooms, migrate.Room("identity", before)])
    async with owner_of(older) as owner:
        for who in (WHO, OTHER):
            await owner.do(
                "insert into identity.citizen (bucket, id, phone) values ($1, $2, 'x')",
                ids.bucket_of(who), who,
            )  # fmt: skip
        for day, times in ((3, 2), (2, 1), (1, 7)):
            await owner.do(
                "insert into identity.access (bucket, citizen_id, day, reader, claims, purpose, times,"
                " last_at) values (3, $1, current_date - $2::int, 'shop/app', '{name,phone}', 'look',"
                " $3, now() - $2 * interval '1 day')", WHO, day, times,
            )  # fmt: skip
        await owner.do(
            "insert into identity.consent (bucket, citizen_id, shop, app, claims)"
            " values (3, $1, 'shop', 'app', '{name,phone}')", WHO,
        )  # fmt: skip
        await migrate.apply(
            older.database_url, [migrate.Room("identity", FOLDER / "identity" / "migrations")]
        )
        assert [line.again for line in await owner.lines(WHO)] == [1, 0, 6]
        assert await owner.lines(OTHER) == []
        there = House(older, house.clock, house.keys, owner.db)
        held = await agreements.agreed(owner.db, WHO, "shop/app")
        assert held == {("name", ""), ("phone", "")}
        pool: Any = await asyncpg.create_pool(older.database_url, min_size=1, max_size=3)
        async with pool:
            report = await audit.verify(House(older, there.clock, there.keys, pool))
        assert report.lines == 3
        assert {finding.kind for finding in report.findings} <= {"missing"}, "no day is closed yet"
