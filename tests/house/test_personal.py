"""No table about people is left out: each is given to whom it is about, or says why not."""

from __future__ import annotations

from typing import Any, Final

from tests.city import City
from tests.house.house import ROOMS

PEOPLE: Final = ("citizen_id", "citizen", "owner", "principal", "agent", "payer", "holder")
"""What a column is called that says whose a row is."""


async def tables(city: City) -> set[str]:
    """Every table with such a column, spread by bucket as all that grows with citizens is."""
    async with city.house.db.acquire() as db:
        rows: list[Any] = await db.fetch(
            """
            select distinct n.nspname || '.' || c.relname
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            join pg_attribute a on a.attrelid = c.oid
            join pg_attribute b on b.attrelid = c.oid and b.attname = 'bucket'
            where c.relkind in ('r', 'p') and a.attname = any($1)
              and a.atttypid in ('uuid'::regtype, 'bytea'::regtype, 'text'::regtype)
            """,
            list(PEOPLE),
        )
    return {row[0] for row in rows}


async def test_every_table_about_people_is_exported_or_says_why_not(city: City) -> None:
    rooms = city.parts.personal
    exported = {table.name for room in rooms for table in room.tables}
    left_out = {name: why for room in rooms for name, why in room.left_out.items()}
    found = await tables(city)
    assert found - exported - left_out.keys() == set()
    assert exported & left_out.keys() == set()
    assert left_out.keys() - found == set(), "no reason without a table"
    assert all(why.endswith(".") for why in left_out.values())


async def test_what_is_exported_lies_in_its_room(city: City) -> None:
    for room in city.parts.personal:
        for table in room.tables:
            assert table.name.startswith(f"{room.room}."), table.name
    assert [room.room for room in city.parts.personal][-1] == "identity", (
        "by whom the rest is found"
    )
    with_people = {name.partition(".")[0] for name in await tables(city)}
    assert with_people <= {room.room for room in city.parts.personal}
    assert with_people <= {*ROOMS}


async def test_every_sealed_column_is_opened(city: City) -> None:
    """What is given out sealed would be noise to whom it is about."""
    async with city.house.db.acquire() as db:
        for room in city.parts.personal:
            for table in room.tables:
                text = table.read.sql
                names = {c.name: c.type.name for c in (await db.prepare(text)).get_attributes()}
                sealed = {name for name, kind in names.items() if kind == "bytea"}
                assert sealed == {*table.sealed}, table.name
                assert next(iter(names)) == "key"
                assert names["key"] in {"text", "unknown"}, table.name
