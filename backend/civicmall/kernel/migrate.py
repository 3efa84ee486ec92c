"""Migrations: one folder and one PostgreSQL schema per room and per shop, forward only.

pogo orders the files and keeps the record; this adds what several processes at once need: a
lock, timeouts, and refusal when a file that was applied has changed since.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import asyncpg
from msgspec import Struct
from pogo_core.error import BadMigrationError
from pogo_core.migration import Migration, topological_sort
from pogo_core.util import sql as pogo

from . import roles
from .db import APP_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable

WAIT_S: Final = 10
"""How long to wait for a lock; more would stop the city's own statements behind ours."""
LOCK: Final = 0x636D  # "cm": one migrator at a time per database
APPLY, ROLLBACK = "-- migrate: apply", "-- migrate: rollback"


class MigrationRefused(Exception):
    """A migration that can't be applied; names the schema, the file and why."""


class Room(Struct, frozen=True):
    """A schema, the folder of its migrations, and the role that works in it."""

    schema: str
    folder: Path
    role: str = APP_ROLE
    password: str = ""
    """What the role signs in with; empty: it can't."""


async def apply(url: str, rooms: Iterable[Room]) -> list[str]:
    """Bring every schema to the newest version; answers the names of what was applied.

    Raises MigrationRefused.
    """
    rooms = list(rooms)
    db = await asyncpg.connect(url, server_settings={"lock_timeout": f"{WAIT_S}s"})
    try:
        await _lock(db)
        await pogo.ensure_pogo_sync(db)
        for role, password in {room.role: room.password for room in rooms}.items():
            await roles.ensure(db, role, password)
        return [name for room in rooms for name in await _apply_room(db, room)]
    except roles.RoleRefused as error:
        raise MigrationRefused(f"the user of DATABASE_URL {error}") from error
    finally:
        await db.close()


async def close_door(url: str) -> None:
    """From now on only roles that were let in use this database, and none makes tables in it."""
    db = await asyncpg.connect(url)
    try:
        await roles.close_door(db)
    finally:
        await db.close()


async def _lock(db: Any) -> None:
    try:
        await db.execute("select pg_advisory_lock($1)", LOCK)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationRefused(f"another migrator has been at work for over {WAIT_S} s") from error


async def _read(db: Any, room: Room) -> list[Migration]:
    """The room's files in the order of their names and of what each says it depends on."""
    files = await pogo.read_migrations(room.folder, db, schema_name=room.schema)
    if strays := [file.path.name for file in files if not file.is_sql]:
        raise MigrationRefused(f"{room.schema}/{strays[0]}: not an .sql file")
    try:
        return topological_sort([file.load() for file in sorted(files, key=lambda f: f.id)])
    except BadMigrationError as error:
        raise MigrationRefused(f"{room.schema}/{error}") from error


async def _apply_room(db: Any, room: Room) -> list[str]:
    migrations = await _read(db, room)
    await _schema(db, room)
    known = {
        row["migration_id"]: row["migration_hash"]
        for row in await db.fetch(
            "select migration_id, migration_hash from public._pogo_migration where schema_name = $1",
            room.schema,
        )
    }
    applied: list[str] = []
    for migration in migrations:
        text = migration.path.read_text()
        digest = hashlib.sha256(text.encode()).hexdigest()
        if migration.id not in known:
            await _run(db, room, migration, text, digest)
            applied.append(f"{room.schema}/{migration.id}")
        elif known[migration.id] != digest:
            raise MigrationRefused(
                f"{room.schema}/{migration.path.name} was changed after it was applied; add a new file"
            )
    return applied


async def _run(db: Any, room: Room, migration: Migration, text: str, digest: str) -> None:
    body = text.partition(APPLY)[2].partition(ROLLBACK)[0]
    try:
        async with db.transaction():
            await db.execute(f"set local search_path to {room.schema}")
            await db.execute(body)
            await pogo.migration_applied(db, migration.id, digest, schema_name=room.schema)
    except asyncpg.PostgresError as error:
        raise MigrationRefused(f"{room.schema}/{migration.path.name}: {error}") from error


async def _schema(db: Any, room: Room) -> None:
    """The schema. Grants come before the tables, so a migration may revoke them."""
    if await db.fetchval(
        "select exists (select from pg_namespace where nspname = $1)", room.schema
    ):
        return
    async with db.transaction():
        await db.execute(f"create schema {room.schema}")
        await db.execute(f"grant usage on schema {room.schema} to {room.role}")
        for kind, rights in (("tables", "select, insert, update, delete"), ("sequences", "usage")):
            await db.execute(
                f"alter default privileges in schema {room.schema} grant {rights} on {kind} to {room.role}"
            )
