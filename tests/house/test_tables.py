"""The data rules of ARCHITECTURE.md, read from PostgreSQL's own catalogue after every migration.

They are what lets the tables be spread over several servers by bucket (ADR-0002).
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from tests.house.house import CITY, ROOMS

from civicmall.app import SEALED
from civicmall.gateway import role, schema
from civicmall.kernel.db import APP_ROLE
from civicmall.kernel.house import House
from civicmall.shops import Registry

ROOM_SCHEMAS: Final = sorted(room for room in ROOMS if (CITY / room / "migrations").is_dir())
NO_CHANGES: Final = (
    "payments.posting", "payments.payout", "payments.ledger_bucket", "payments.ledger_day", "ratings.step", "cases.event", "identity.audit", "identity.audit_anchor",
    "identity.audit_day",
)  # fmt: skip
"""What was posted, and what was done about a rating, stays as it was; more is added."""
KEYED_OTHERWISE: Final[dict[str, str]] = {}
"""Keys that do not begin with the bucket, each with the reason."""


async def ask(house: House, query: str, *args: Any) -> list[Any]:
    async with house.db.acquire() as db:
        return [tuple(row) for row in await db.fetch(query, *args)]


async def test_tables_lie_in_their_rooms_schema(house: House, registry: Registry) -> None:
    """Nothing but PostgreSQL's own and the record of migrations lies elsewhere."""
    found = await ask(
        house,
        """
        select n.nspname, array_agg(c.relname order by c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'S')
          and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        group by 1
        """,
    )
    tables = dict(found)
    public = tables.pop("public")
    assert [name for name in public if not name.startswith("_pogo_")] == []
    shops = {schema(e.id) for e in registry.all() if e.shop and e.shop.migrations}
    assert tables.keys() == {*ROOM_SCHEMAS, *shops}


NOT_SEALED: Final = frozenset({
    "blind", "hash", "digest", "request_hash", "signature", "root", "prev", "marks", "heads",
    "seen", "handle", "browser", "credential_id", "public_key", "challenge", "invited", "holder",
})  # fmt: skip
"""Columns of bytes that are keyed hashes, digests or signatures: they tell nothing, or are public."""


async def test_what_is_sealed_rotates(house: House) -> None:
    """Bytes are what was sealed; what isn't in a room's list would be lost with its key."""
    found = await ask(
        house,
        """
        select c.oid::regclass::text, a.attname from pg_class c
        join pg_attribute a on a.attrelid = c.oid
        where c.relkind = 'r' and a.atttypid = 'bytea'::regtype and not a.attisdropped
          and c.relnamespace::regnamespace::text = any($1)
        """,
        ROOM_SCHEMAS,
    )
    sealed = {(one.table, one.column.strip('"')) for one in SEALED}
    kept = {(table.replace('"', ""), column) for table, column in found if column not in NOT_SEALED}
    assert kept == sealed


async def test_no_triggers(house: House) -> None:
    """An invariant is a CHECK, a key, or the one statement that writes."""
    found = await ask(
        house,
        """
        select t.tgrelid::regclass::text, t.tgname from pg_trigger t
        join pg_class c on c.oid = t.tgrelid
        where not t.tgisinternal and c.relnamespace::regnamespace::text = any($1)
        """,
        ROOM_SCHEMAS,
    )
    assert found == []


async def test_primary_keys_begin_with_the_bucket_and_unique_ones_hold_it(house: House) -> None:
    """Else a row could not be found, nor its uniqueness be seen, on one server alone."""
    found = await ask(
        house,
        """
        select i.indexrelid::regclass::text
        from pg_index i
        join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'bucket'
        where i.indisunique and c.relnamespace::regnamespace::text = any($1)
          and i.indexrelid::regclass::text <> all($2)
          and case when i.indisprimary then i.indkey[0] <> a.attnum
                   else not a.attnum = any(i.indkey::int2[]) end
        """,
        ROOM_SCHEMAS,
        list(KEYED_OTHERWISE),
    )
    assert found == []
    assert all(sentence.endswith(".") for sentence in KEYED_OTHERWISE.values())


async def test_whatever_has_a_bucket_has_a_primary_key_and_a_small_number(house: House) -> None:
    found = await ask(
        house,
        """
        select c.oid::regclass::text, format_type(a.atttypid, null), a.attnotnull,
               exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'bucket'
        where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text = any($1)
        """,
        ROOM_SCHEMAS,
    )
    assert found, "there are tables that grow with citizens"
    assert [row for row in found if row[1:] != ("smallint", True, True)] == []


async def test_whatever_belongs_to_a_citizen_has_a_bucket(house: House) -> None:
    """Tables for staff are keyed by shop, hold no citizen, and are fed by events."""
    found = await ask(
        house,
        """
        select c.oid::regclass::text
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text = any($1)
          and a.attname in ('citizen_id', 'citizen', 'owner') and a.atttypid = 'uuid'::regtype
          and not exists (select from pg_attribute b where b.attrelid = c.oid and b.attname = 'bucket')
        """,
        ROOM_SCHEMAS,
    )
    assert found == []


async def test_no_foreign_key_leaves_its_room(house: House) -> None:
    found = await ask(
        house,
        """
        select k.conname, a.oid::regclass::text, b.oid::regclass::text
        from pg_constraint k join pg_class a on a.oid = k.conrelid join pg_class b on b.oid = k.confrelid
        where k.contype = 'f' and a.relnamespace <> b.relnamespace
        """,
    )
    assert found == []


async def test_the_program_owns_nothing(house: House, registry: Registry) -> None:
    """Nor may it go around what its grants say, or become somebody who may."""
    roles = [APP_ROLE, *(role(e.id) for e in registry.all() if e.shop and e.shop.migrations)]
    owned = await ask(
        house,
        """
        select r.rolname, d.classid::regclass::text, d.objid from pg_shdepend d
        join pg_roles r on r.oid = d.refobjid
        where d.deptype = 'o' and r.rolname = any($1)
          and d.dbid = (select oid from pg_database where datname = current_database())
        """,
        roles,
    )
    assert owned == []
    powers = await ask(
        house,
        """
        select rolname from pg_roles where rolname = any($1)
          and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb
               or exists (select from pg_auth_members m where m.member = pg_roles.oid))
        """,
        roles,
    )
    assert powers == []


@pytest.mark.parametrize("table", NO_CHANGES)
@pytest.mark.parametrize("right", ["update", "delete", "truncate"])
async def test_the_ledger_is_only_ever_added_to(house: House, table: str, right: str) -> None:
    assert await ask(house, "select has_table_privilege($1, $2, $3)", APP_ROLE, table, right) == [
        (False,)
    ]
    may_insert = "select has_any_column_privilege($1, $2, 'insert')"
    assert await ask(house, may_insert, APP_ROLE, table) == [(True,)]


async def test_the_program_does_not_say_when_it_posts(house: House) -> None:
    """The database's clock does, so that nothing is posted into a day that is closed."""
    may_say = "select has_column_privilege($1, 'payments.posting', 'posted_at', 'insert')"
    assert await ask(house, may_say, APP_ROLE) == [(False,)]


async def test_a_shop_sees_its_own_schema_only(house: House, registry: Registry) -> None:
    for entry in registry.all():
        if entry.shop and entry.shop.migrations:
            seen = await ask(
                house,
                """
                select nspname from pg_namespace
                where has_schema_privilege($1, oid, 'usage')
                  and nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
                """,
                role(entry.id),
            )
            assert seen == [(schema(entry.id),)]


async def test_money_and_instants_are_kept_as_agreed(house: House) -> None:
    """Money in whole minor units, instants with a zone: no float, no bare timestamp, no numeric money."""
    found = await ask(
        house,
        """
        select a.attrelid::regclass::text || '.' || a.attname, format_type(a.atttypid, null)
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
          and c.relnamespace::regnamespace::text = any($1)
          and (format_type(a.atttypid, null) in ('timestamp without time zone', 'money', 'real')
               or (a.attname ~ '_minor$'
                   and a.atttypid not in ('bigint'::regtype, 'bigint[]'::regtype))
               or (a.attname ~ '_at$' and a.atttypid <> 'timestamptz'::regtype)
               or (a.attname ~ '_on$' and a.atttypid <> 'date'::regtype))
        """,
        ROOM_SCHEMAS,
    )
    assert found == []
