"""PostgreSQL's roles: the program's and each shop's, which own nothing.

Roles belong to the whole cluster, migrations to one database; so two migrators, each alone in its
own database, may want the same role at the same time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from typing import Any, Final

import asyncpg

ROUNDS: Final = 4096
"""PostgreSQL's own number; our passwords are keys of 256 bits and gain nothing from more."""
TRIES: Final = 5
"""More migrators than this at the same moment are not to be expected."""


class RoleRefused(Exception):
    """A role that can't be had; says what the user of DATABASE_URL lacks."""


async def ensure(db: Any, role: str, password: str) -> None:
    """Have the role, be a member of it, and with a `password` let it sign in. Raises RoleRefused."""
    member = await db.fetchval(
        "select pg_has_role(oid, 'member') from pg_roles where rolname = $1", role
    )
    try:
        if member is None:
            await _make(db, role)
        elif not member:
            raise RoleRefused(f"is no member of the role {role}: grant it")
        if password:
            await _let_in(db, role, password)
    except asyncpg.InsufficientPrivilegeError as error:
        raise RoleRefused(f"may not make the role {role}: give it CREATEROLE") from error


async def _make(db: Any, role: str) -> None:
    try:
        async with db.transaction():
            await db.execute(f"create role {role} nologin")
            await db.execute(f"grant {role} to current_user")
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        pass  # the other one was quicker


async def close_door(db: Any) -> None:
    """Nobody uses this database, nor makes tables for a while in it, who isn't let in by name."""
    name = await db.fetchval("select quote_ident(current_database())")
    await db.execute(f"revoke connect, temporary on database {name} from public")


async def _let_in(db: Any, role: str, password: str) -> None:
    """Roles belong to the cluster: one marked by other keys is another installation's."""
    mark = hashlib.sha256(f"{role}\0{password}".encode()).hexdigest()[:16]
    was = await db.fetchval(
        "select shobj_description(oid, 'pg_authid') from pg_roles where rolname = $1", role
    )
    if was and was != mark:
        raise RoleRefused(
            f"meets the role {role} of another installation:"
            " use that one's keys, or a PostgreSQL of its own"
        )
    name = await db.fetchval("select quote_ident(current_database())")
    await db.execute(f"grant connect on database {name} to {role}")
    tries = 0
    while True:
        tries += 1
        try:
            await db.execute(f"alter role {role} login password '{verifier(password)}'")
            await db.execute(f"comment on role {role} is '{mark}'")
        except asyncpg.InternalServerError:  # tuple concurrently updated: by the other one
            if tries == TRIES:
                raise
        else:
            return


def verifier(password: str, salt: bytes = b"") -> str:
    """What PostgreSQL keeps of a password (RFC 5803), and all that it is given: statements end up
    in logs, and from this nobody can sign in. A random salt of 16 bytes unless one is given.
    """
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(p).decode() for p in (salt, stored, server))
    return f"SCRAM-SHA-256${ROUNDS}:{salt64}${stored64}:{server64}"
