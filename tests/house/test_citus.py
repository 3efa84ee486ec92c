"""deploy/citus: every table has a place on a distributed PostgreSQL, and could really go there.

Read from PostgreSQL's own catalogue after all migrations (ADR 0002, ADR 0030). What Citus refuses: a
unique key without the distribution column, a foreign key to rows that lie elsewhere, a trigger.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import pytest
from tests.house.house import CITY, ROOMS, files

from civicmall.kernel.house import House

FILE: Final = CITY.parents[1] / "deploy" / "citus" / "distribute.sql"
STATEMENT: Final = re.compile(
    r"^select (?:create_distributed_table\('(?P<table>[a-z_.]+)', '(?P<by>[a-z]+)'"
    r", colocate_with => '(?P<beside>[a-z_.]+)'\)"
    r"|create_reference_table\('(?P<reference>[a-z_.]+)'\)"
    r"|citus_add_local_table_to_metadata\('(?P<local>[a-z_.]+)'\));$",
    re.MULTILINE,
)
FIRST: Final = {
    "bucket": "kernel.outbox", "shop": "payments.desk_payment", "account": "payments.desk_entry",
}  # fmt: skip
"""Distribution column → the table that all others of it lie beside."""
OVER_ALL: Final = {
    "payments.due_orders": "A job's look at what is due; each row leads to its bucket.",
    "refunds.due": "A job's look at what is due; each row leads to its bucket.",
    "payments.sandbox_late": "A job of the sandbox's bank; each row leads to its bucket.",
    "payments.sandbox_payments": "The sandbox bank's statement, of all that it took in a day.",
    "payments.sandbox_returns": "The same for what it gave back.",
}
"""Statements of the payment centre that ask all buckets, and why they may."""


def places() -> dict[str, str]:
    """Table → the column it is distributed by, `reference` or `local`."""
    found: dict[str, str] = {}
    for match in STATEMENT.finditer(FILE.read_text()):
        name = match["table"] or match["reference"] or match["local"]
        assert name not in found, f"{name} stands there twice"
        found[name] = match["by"] or ("reference" if match["reference"] else "local")
        if match["by"] and name != FIRST[match["by"]]:
            assert match["beside"] == FIRST[match["by"]], name
    return found


async def ask(house: House, query: str) -> list[Any]:
    async with house.db.acquire() as db:
        return [tuple(row) for row in await db.fetch(query, list(ROOMS))]


async def test_every_table_has_its_place(house: House) -> None:
    found = await ask(
        house,
        """
        select c.oid::regclass::text, (
            select a.attname from pg_index i join pg_attribute a
                on a.attrelid = c.oid and a.attnum = i.indkey[0]
            where i.indrelid = c.oid and i.indisprimary)
        from pg_class c
        where c.relkind in ('r', 'p') and not c.relispartition
          and c.relnamespace::regnamespace::text = any($1)
        """,
    )
    said = places()
    assert said.keys() == {name.replace('"', "") for name, _ in found}
    for name, first in found:
        place = said[name.replace('"', "")]
        assert (first == "bucket") == (place == "bucket"), f"{name}: {first}, {place}"
        assert place not in FIRST or place == first, name
    counted = Counter(said.values())
    assert counted["bucket"] > counted["local"] + counted["reference"], "most grow with citizens"


async def test_every_unique_key_has_the_column_that_its_table_is_distributed_by(
    house: House,
) -> None:
    said = places()
    found = await ask(
        house,
        """
        select c.oid::regclass::text, i.indexrelid::regclass::text,
               array(select a.attname::text from pg_attribute a
                     where a.attrelid = c.oid and a.attnum = any(i.indkey::int2[]))
        from pg_index i join pg_class c on c.oid = i.indrelid
        where i.indisunique and c.relnamespace::regnamespace::text = any($1)
        """,
    )
    wrong = [
        index
        for table, index, columns in found
        if (by := said[table.replace('"', "")]) in FIRST and by not in columns
    ]
    assert wrong == []


async def test_foreign_keys_stay_where_their_rows_are(house: House) -> None:
    said = places()
    found = await ask(
        house,
        """
        select a.oid::regclass::text, b.oid::regclass::text,
               array(select c.attname::text from pg_attribute c
                     where c.attrelid = k.conrelid and c.attnum = any(k.conkey))
        from pg_constraint k join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
        where k.contype = 'f' and a.relnamespace::regnamespace::text = any($1)
        """,
    )
    for table, other, columns in found:
        here, there = said[table.replace('"', "")], said[other.replace('"', "")]
        assert there == "reference" or (here == there and (here not in FIRST or here in columns)), (
            f"{table} points at {other}"
        )


async def test_nothing_that_is_distributed_has_a_trigger_or_a_counter(house: House) -> None:
    """Identity columns and sequences would be counted by each worker for itself."""
    found = await ask(
        house,
        """
        select c.oid::regclass::text from pg_class c
        where c.relnamespace::regnamespace::text = any($1) and c.relkind in ('r', 'p')
          and (exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal)
               or exists (select from pg_attribute a left join pg_attrdef d
                              on d.adrelid = a.attrelid and d.adnum = a.attnum
                          where a.attrelid = c.oid and (a.attidentity <> ''
                              or pg_get_expr(d.adbin, d.adrelid) like 'nextval%')))
        """,
    )
    said = places()
    assert [name for (name,) in found if said[name.replace('"', "")] in FIRST] == []


def statements() -> dict[str, str]:
    """The payment centre's own statements, by folder and name, without remarks."""
    found: dict[str, str] = {}
    for path in files(".sql"):
        if path.is_relative_to(CITY / "payments") and path.name == "queries.sql":
            for part in path.read_text().split("-- name: ")[1:]:
                lines = [line for line in part.splitlines() if not line.startswith("--")]
                name = re.match(r"\w+", part)
                assert name is not None
                found[f"{path.parent.name}.{name[0]}"] = "\n".join(lines)
    return found


PAYMENT_PATH: Final = ("payments", "refunds")
"""Folders whose statements take money in or send it back."""
BANK: Final = "payments.sandbox_"
"""The sandbox's bank, which would keep its record on machines of its own."""
ON_THE_WAY: Final = [
    name
    for name in sorted(statements())
    if name.split(".")[0] in PAYMENT_PATH and not name.startswith(BANK)
]


@pytest.mark.parametrize("name", ON_THE_WAY)
def test_the_payment_path_touches_one_bucket(name: str) -> None:
    """Every statement on rows of citizens says whose bucket, and no row of another is in reach."""
    text = statements()[name]
    said = places()
    tables = [
        (table, alias)
        for table, alias in re.findall(
            r"(?:from|join|update|into|using) ((?:payments|kernel)\.\w+)(?: as)?(?: (\w+))?", text
        )
        if said.get(table) == "bucket"
    ]
    if name in OVER_ALL or not tables:
        assert name not in OVER_ALL or tables, f"{name} needs no exception"
        return
    assert ":bucket" in text
    for table, alias in tables:
        own = alias if alias and alias not in {"where", "set", "on", "using", "select"} else ""
        within = (
            rf"insert into {table}",
            rf"\b{own}\.bucket = (?::bucket|\w+\.bucket)" if own else r"(?<!\.)\bbucket = :bucket",
            rf"\b{own}\.bucket\b" if own else r"(?<!\.)\bbucket = :bucket",
        )
        assert any(re.search(part, text) for part in within), f"{name}: {table} {own}"


def test_every_exception_says_why() -> None:
    assert set(OVER_ALL) <= set(statements())
    assert all(sentence.endswith(".") for sentence in OVER_ALL.values())
