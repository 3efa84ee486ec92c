"""Roles: they sign in as themselves, can become nobody else, and no log tells how."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from civicmall.kernel import db, migrate, roles
from civicmall.kernel.embedded import Server
from civicmall.kernel.roles import verifier

SECRET = "a-key-of-256-bits-that-nobody-else-has"


@pytest.fixture
async def role(kernel_url: str) -> AsyncIterator[str]:
    """A role that signs in with SECRET."""
    name = f"keeper_{uuid4().hex[:8]}"
    connection: Any = await asyncpg.connect(kernel_url)
    await roles.ensure(connection, name, SECRET)
    yield name
    await connection.execute(f"drop owned by {name}")
    await connection.execute(f"drop role {name}")
    await connection.close()


def test_what_postgresql_keeps_of_a_password() -> None:
    """RFC 7677, 3: with these keys the client's proof is accepted and the server's is the RFC's."""
    salt, nonce = "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO"
    both = nonce + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    said = f"n=user,r={nonce},r={both},s={salt},i=4096,c=biws,r={both}".encode()

    head, keys = verifier("pencil", b64decode(salt)).rsplit("$", 1)
    stored, server = map(b64decode, keys.split(":"))
    assert head == f"SCRAM-SHA-256$4096:{salt}"
    assert hmac.digest(server, said, "sha256") == b64decode(
        "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    )
    proof = b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signed = hmac.digest(stored, said, "sha256")
    client = bytes(a ^ b for a, b in zip(proof, signed, strict=True))
    assert hashlib.sha256(client).digest() == stored


def test_the_salt_is_random() -> None:
    assert verifier("pencil") != verifier("pencil")
    assert "pencil" not in verifier("pencil")


async def test_it_signs_in_as_itself_and_stays_it(kernel_url: str, role: str) -> None:
    pool = await db.open_pool(kernel_url, role=role, password=SECRET, size_max=1)
    who = "select session_user::text || ' ' || current_user::text"
    assert await pool.fetchval(who) == f"{role} {role}"
    for other in ("civicmall", "civicmall_app", "postgres"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(f"set role {other}")
    await pool.close()


async def test_with_another_password_nobody_gets_in(kernel_url: str, role: str) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(kernel_url, user=role, password="guess")


async def test_another_installation_leaves_it_alone(kernel_url: str, role: str) -> None:
    """Roles belong to the cluster: with other keys it would lock the first one out."""
    owner: Any = await asyncpg.connect(kernel_url)
    with pytest.raises(roles.RoleRefused, match="of another installation"):
        await roles.ensure(owner, role, "another")
    await roles.ensure(owner, role, SECRET)
    await owner.close()
    connection: Any = await asyncpg.connect(kernel_url, user=role, password=SECRET)
    await connection.close()


async def test_a_role_without_a_password_does_not_sign_in(kernel_url: str) -> None:
    name = f"keeper_{uuid4().hex[:8]}"
    owner: Any = await asyncpg.connect(kernel_url)
    await roles.ensure(owner, name, "")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(kernel_url, user=name, password=SECRET)
    await owner.execute(f"set role {name}")
    await owner.execute("reset role")
    await owner.execute(f"drop role {name}")
    await owner.close()


async def test_the_servers_log_never_tells_it(kernel_url: str, role: str, server: Server) -> None:
    log = server.home.cluster / "server.log"
    admin: Any = await asyncpg.connect(server.admin_url)
    await admin.execute("alter system set log_statement = 'all'")
    await admin.execute("select pg_reload_conf()")
    try:
        await asyncio.sleep(0.2)
        owner: Any = await asyncpg.connect(kernel_url)
        await roles.ensure(owner, role, SECRET)
        await owner.close()
    finally:
        await admin.execute("alter system reset log_statement")
        await admin.execute("select pg_reload_conf()")
        await admin.close()
    said = log.read_text(errors="replace")
    assert f"alter role {role} login" in said
    assert SECRET not in said


async def test_migrators_of_several_databases_at_once(server: Server) -> None:
    """PostgreSQL refuses all but one of those who change a role at the same moment."""
    name = f"keeper_{uuid4().hex[:8]}"
    databases = [f"kernel_{uuid4().hex[:12]}" for _ in range(3)]
    owner: Any = await asyncpg.connect(server.url)
    connections: list[Any] = []
    try:
        for database in databases:
            await owner.execute(f"create database {database}")
            url = server.url.replace("/civicmall?", f"/{database}?")
            connections.append(await asyncpg.connect(url))
        for _ in range(10):
            await asyncio.gather(*(roles.ensure(c, name, SECRET) for c in connections))
    finally:
        for connection in connections:
            await connection.close()
        for database in databases:
            await owner.execute(f"drop database {database}")
        await owner.execute(f"drop role {name}")
        await owner.close()


async def test_a_role_that_never_comes_free_is_a_fault() -> None:
    class Busy:
        tries = 0

        async def fetchval(self, question: str, *_: Any) -> Any:
            if "description" in question:
                return None
            return True

        async def execute(self, statement: str) -> None:
            if statement.startswith("alter role"):
                self.tries += 1
                raise asyncpg.InternalServerError("tuple concurrently updated")

    busy = Busy()
    with pytest.raises(asyncpg.InternalServerError):
        await roles.ensure(busy, "keeper", SECRET)
    assert busy.tries == roles.TRIES


async def test_a_closed_door_opens_for_those_let_in_only(
    kernel_url: str, role: str, server: Server
) -> None:
    """Another city on the same server: its roles have no business here."""
    stranger = f"keeper_{uuid4().hex[:8]}"
    elsewhere: Any = await asyncpg.connect(server.url)
    await roles.ensure(elsewhere, stranger, SECRET)
    try:
        await migrate.close_door(kernel_url)
        welcome: Any = await asyncpg.connect(kernel_url, user=role, password=SECRET)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await welcome.execute("create temporary table mine (id int)")
        await welcome.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(kernel_url, user=stranger, password=SECRET)
    finally:
        await elsewhere.execute(f"drop owned by {stranger}")
        await elsewhere.execute(f"drop role {stranger}")
        await elsewhere.close()
