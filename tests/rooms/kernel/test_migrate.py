"""Migrations: in order, once, all or nothing, and never a file that has changed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from civicmall.kernel import migrate
from civicmall.kernel.db import APP_ROLE
from civicmall.kernel.embedded import Server
from civicmall.kernel.migrate import MigrationRefused, Room

FIRST = "create table park.bench (id bigint generated always as identity primary key, wood text);"
SECOND = "alter table park.bench add column painted boolean not null default false;"


@pytest.fixture
def park(tmp_path: Path) -> Room:
    """A room with two migrations; neither says what it depends on."""
    write(tmp_path, "0002_paint", SECOND)
    write(tmp_path, "0001_park", FIRST)
    return Room("park", tmp_path)


def write(folder: Path, name: str, body: str, depends: str = "") -> Path:
    path = folder / f"{name}.sql"
    path.write_text(
        f"-- {name}\n-- depends: {depends}\n\n-- migrate: apply\n\n{body}\n\n-- migrate: rollback\n"
    )
    return path


async def ask(url: str, query: str, *args: Any, role: str = "") -> Any:
    db: Any = await asyncpg.connect(url, server_settings={"role": role} if role else {})
    try:
        return await db.fetchval(query, *args)
    finally:
        await db.close()


async def test_in_the_order_of_their_names_and_once(park: Room, empty_url: str) -> None:
    assert await migrate.apply(empty_url, [park]) == ["park/0001_park", "park/0002_paint"]
    assert await migrate.apply(empty_url, [park]) == []

    write(park.folder, "0003_more", "alter table park.bench add column seats int;")
    assert await migrate.apply(empty_url, [park]) == ["park/0003_more"]


async def test_what_a_file_depends_on_comes_first(park: Room, empty_url: str) -> None:
    write(park.folder, "0000_view", "create view park.wood as select wood from park.bench;",
          depends="0001_park")  # fmt: skip
    applied = await migrate.apply(empty_url, [park])
    assert applied.index("park/0001_park") < applied.index("park/0000_view")


async def test_a_changed_file_is_refused_by_name(park: Room, empty_url: str) -> None:
    await migrate.apply(empty_url, [park])
    write(park.folder, "0001_park", FIRST + " -- tidied up")
    write(park.folder, "0003_more", "alter table park.bench add column seats int;")
    with pytest.raises(MigrationRefused, match=r"^park/0001_park\.sql was changed"):
        await migrate.apply(empty_url, [park])
    columns = "select count(*) from information_schema.columns where table_name = 'bench'"
    assert await ask(empty_url, columns) == 3


async def test_a_failing_file_leaves_nothing_behind(park: Room, empty_url: str) -> None:
    path = write(park.folder, "0003_bad", "create table park.tree (id int); select 1 / 0;")
    with pytest.raises(MigrationRefused, match=r"^park/0003_bad\.sql: division by zero"):
        await migrate.apply(empty_url, [park])
    assert await ask(empty_url, "select to_regclass('park.tree')") is None
    assert await ask(empty_url, "select to_regclass('park.bench')::text") == "park.bench"

    path.unlink()
    write(park.folder, "0003_good", "create table park.tree (id int);")
    assert await migrate.apply(empty_url, [park]) == ["park/0003_good"]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("0003_bad.sql", "create table park.tree (id int);", "No '-- migrate: apply' found"),
        ("0003_bad.sql", "-- x\n-- depends:\n-- migrate: apply\n", "No '-- migrate: rollback'"),
        (
            "0003_bad.sql",
            "-- x\n-- depends: 0009_none\n-- migrate: apply\n\n-- migrate: rollback\n",
            "Could not resolve dependencies",
        ),
        ("0003_bad.py", "raise SystemExit('imported')", "not an .sql file"),
    ],
)
async def test_what_is_no_migration_is_refused_before_anything_runs(
    park: Room, empty_url: str, name: str, text: str, why: str
) -> None:
    (park.folder / name).write_text(text)
    with pytest.raises(MigrationRefused, match=r"^park/.*0003_bad") as refused:
        await migrate.apply(empty_url, [park])
    assert why in str(refused.value)
    assert await ask(empty_url, "select to_regnamespace('park')") is None


async def test_two_migrators_at_once_do_the_work_once(park: Room, empty_url: str) -> None:
    applied = await asyncio.gather(*(migrate.apply(empty_url, [park]) for _ in range(4)))
    assert sorted(name for names in applied for name in names) == [
        "park/0001_park",
        "park/0002_paint",
    ]


async def test_who_waits_too_long_for_another_migrator_is_told_so(
    park: Room, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "WAIT_S", 1)
    other: Any = await asyncpg.connect(empty_url)
    await other.execute("select pg_advisory_lock($1)", migrate.LOCK)
    with pytest.raises(MigrationRefused, match="another migrator"):
        await migrate.apply(empty_url, [park])
    await other.close()
    assert await migrate.apply(empty_url, [park])


async def test_a_migration_does_not_queue_behind_a_busy_table_for_long(
    park: Room, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "WAIT_S", 1)
    await migrate.apply(empty_url, [park])
    write(park.folder, "0003_more", "alter table park.bench add column seats int;")
    busy: Any = await asyncpg.connect(empty_url)
    async with busy.transaction():
        await busy.execute("select from park.bench")
        with pytest.raises(MigrationRefused, match=r"^park/0003_more\.sql: .*lock timeout"):
            await migrate.apply(empty_url, [park])
    await busy.close()


async def test_the_program_may_use_the_tables_and_nothing_else(park: Room, empty_url: str) -> None:
    write(park.folder, "0003_fixed", "revoke update, delete on park.bench from civicmall_app;")
    write(park.folder, "0004_free", "create table park.tree (id int);")
    await migrate.apply(empty_url, [park])

    async def may(query: str) -> bool:
        try:
            await ask(empty_url, query, role=APP_ROLE)
        except asyncpg.InsufficientPrivilegeError:
            return False
        return True

    assert await may("insert into park.bench (wood) values ('oak') returning id")
    assert await may("select count(*) from park.bench")
    assert not await may("update park.bench set wood = 'ash'"), "a migration took it away"
    assert not await may("delete from park.bench")
    assert await may("delete from park.tree")
    for forbidden in (
        "create table park.mine (id int)",
        "create schema mine",
        "drop table park.tree",
        "truncate park.tree",
        "alter table park.tree add column x int",
        "select count(*) from public._pogo_migration",
    ):
        assert not await may(forbidden), forbidden
    owned = "select count(*) from pg_class where relowner = $1::regrole"
    assert await ask(empty_url, owned, APP_ROLE) == 0


async def test_each_shop_has_a_role_of_its_own(park: Room, empty_url: str, tmp_path: Path) -> None:
    yard = tmp_path / "yard"
    yard.mkdir()
    write(yard, "0001_yard", "create table yard.gate (id int);")
    role = f"keeper_{uuid4().hex[:8]}"
    await migrate.apply(empty_url, [park, Room("yard", yard, role)])
    try:
        assert await ask(empty_url, "select count(*) from yard.gate", role=role) == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(empty_url, "select count(*) from park.bench", role=role)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(empty_url, "select count(*) from yard.gate", role=APP_ROLE)
    finally:
        await ask(empty_url, f"drop owned by {role}")
        await ask(empty_url, f"drop role {role}")


async def test_databases_of_one_cluster_that_make_a_role_at_once(
    park: Room, empty_url: str, server: Server
) -> None:
    """Roles belong to the cluster, the migrators' lock to a database."""
    role, other = f"keeper_{uuid4().hex[:8]}", f"kernel_{uuid4().hex[:12]}"
    await ask(server.url, f"create database {other}")
    urls = [empty_url, server.url.replace("/civicmall?", f"/{other}?")]
    room = Room("park", park.folder, role)
    try:
        await asyncio.gather(*(migrate.apply(url, [room]) for url in urls))
        for url in urls:
            assert await ask(url, "select count(*) from park.bench", role=role) == 0
    finally:
        await ask(server.url, f"drop database {other} with (force)")
        await ask(empty_url, f"drop owned by {role}")
        await ask(empty_url, f"drop role {role}")


async def test_a_role_that_another_migrator_is_making_just_now(
    park: Room, empty_url: str, server: Server
) -> None:
    role = f"keeper_{uuid4().hex[:8]}"
    other: Any = await asyncpg.connect(server.url)
    making = other.transaction()
    await making.start()
    await other.execute(f"create role {role} nologin")
    await other.execute(f"grant {role} to current_user")
    applying = asyncio.create_task(migrate.apply(empty_url, [Room("park", park.folder, role)]))
    await asyncio.sleep(0.2)
    assert not applying.done()
    await making.commit()
    try:
        assert await applying
    finally:
        await ask(empty_url, f"drop owned by {role}")
        await other.execute(f"drop role {role}")
        await other.close()


async def test_an_owner_who_may_make_no_roles_is_told_what_is_missing(
    park: Room, empty_url: str, server: Server
) -> None:
    """Then somebody who may makes the role, and has to grant it as well."""
    name = empty_url.partition("?")[0].rpartition("/")[2]
    poor, role = f"poor_{uuid4().hex[:8]}", f"keeper_{uuid4().hex[:8]}"
    await ask(server.admin_url, f"create role {poor} login password 'poor'")
    await ask(server.admin_url, f"alter database {name} owner to {poor}")
    url = re.sub("//[^@]+@", f"//{poor}:poor@", empty_url)
    room = Room("park", park.folder, role)
    try:
        with pytest.raises(MigrationRefused, match=f"not make the role {role}: give it CREATEROLE"):
            await migrate.apply(url, [room])
        await ask(server.admin_url, f"create role {role} nologin")
        with pytest.raises(MigrationRefused, match=f"no member of the role {role}: grant it"):
            await migrate.apply(url, [room])
        await ask(server.admin_url, f"grant {role} to {poor}")
        assert await migrate.apply(url, [room])
        assert await ask(url, "select count(*) from park.bench", role=role) == 0
        with pytest.raises(MigrationRefused, match=f"not make the role {role}: give it CREATEROLE"):
            await migrate.apply(url, [Room("park", park.folder, role, "secret")])
    finally:
        await ask(server.admin_url, f"alter database {name} owner to civicmall")
        admin = server.admin_url.replace("/postgres?", f"/{name}?")
        for one in (poor, role):
            await ask(admin, f"drop owned by {one} cascade")
            await ask(admin, f"drop role {one}")
