"""Connections to PostgreSQL.

Pools skip asyncpg's reset round-trip (a third of a short statement's time), which rests on one
rule: no code leaves session state behind. The program works as a role that owns nothing and may
only do what the migrations granted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Db: TypeAlias = Pool | asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    """What a verb takes: a pool (one connection per statement) or one connection."""
else:  # asyncpg's classes take no parameters at run time, when Litestar reads annotations
    Pool = asyncpg.Pool
    Db = asyncpg.Pool | asyncpg.Connection | PoolConnectionProxy

APP_ROLE = "civicmall_app"
CONNECT_S = 5.0
"""A server that is there lets us in within milliseconds; asyncpg alone would wait for a minute."""
_JSONB_VERSION = b"\x01"


def _encode_jsonb(value: Any) -> bytes:
    return _JSONB_VERSION + msgspec.json.encode(value)


def _decode_jsonb(raw: bytes) -> Any:
    return msgspec.json.decode(raw[1:])


async def prepare(connection: Any) -> None:
    """Once per connection: jsonb is Python data on our side."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_jsonb, decoder=_decode_jsonb, format="binary"
    )


async def _keep_as_is(_: Any) -> None:
    """Nothing to reset: see the module's rule."""


async def open_pool(
    url: str,
    *,
    role: str = APP_ROLE,
    password: str = "",
    search_path: str = "pg_catalog",
    size_max: int = 16,
    command_timeout_s: float = 10.0,
) -> Pool:
    """A pool working as `role`. Names are always qualified, hence the narrow search path.

    With its `password` the pool signs in as the role, and nothing run on it can become another;
    without, it signs in as the URL's user and only takes the role on, as tests and tools do.
    """
    return await asyncpg.create_pool(
        url,
        user=role if password else None,
        password=password or None,
        min_size=1,
        max_size=size_max,
        init=prepare,
        reset=_keep_as_is,
        timeout=CONNECT_S,
        command_timeout=command_timeout_s,
        statement_cache_size=512,
        max_cached_statement_lifetime=0,
        server_settings={
            **({} if password else {"role": role}),
            "search_path": search_path,
            "application_name": role,
            "timezone": "UTC",
            "idle_in_transaction_session_timeout": "30s",
        },
    )
