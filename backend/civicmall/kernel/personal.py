"""What a room keeps about one citizen: how it is given out whole, and how it is forgotten.

Each room has a `Personal`; app.py gathers them. A house test looks that no table with a citizen's
column is left out: it is exported, or it says why not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct, field

from . import ids
from .crypto import SealBroken
from .house import House

PAGE: Final = 200
"""Rows that are in memory at once; the widest (an order with its lines) has some kilobytes."""
Read = Callable[..., Awaitable[list[Any]]]
"""A query (bucket, citizen_id, after, most) whose rows begin with the text `key` to go on after."""


class Table(Struct, frozen=True):
    """One table of a room, as it is given to the citizen whom it is about."""

    name: str
    """schema.table"""
    read: Read
    sealed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Column → the context that it is sealed in; opened for its owner, as JSON where it is that."""


class File(Struct, frozen=True):
    """Something that is given out as a file of its own."""

    name: str
    body: bytes


class Open(Struct, frozen=True):
    """Something unfinished that stands in the way of leaving."""

    kind: str
    id: str
    link: str


async def _nothing_open(house: House, citizen_id: UUID) -> list[Open]:
    del house, citizen_id
    return []


async def _nothing_erased(house: House, citizen_id: UUID) -> None:
    del house, citizen_id


async def _no_files(house: House, citizen_id: UUID) -> AsyncGenerator[File]:
    del house, citizen_id
    return
    yield


class Personal(Struct, frozen=True):
    """What one room does with what is a citizen's."""

    room: str
    tables: tuple[Table, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tables with a citizen's column that are not exported, each with the reason."""
    files: Callable[[House, UUID], AsyncGenerator[File]] = _no_files
    open: Callable[[House, UUID], Awaitable[list[Open]]] = _nothing_open
    """What is unfinished; while there is any, the account stays."""
    erase: Callable[[House, UUID], Awaitable[None]] = _nothing_erased
    """Forget what no law wants kept. Done again, it changes nothing."""

    async def export(self, house: House, citizen_id: UUID) -> AsyncGenerator[tuple[str, Any]]:
        """Table and row, one after the other; a page of rows is in memory at a time."""
        for table in self.tables:
            async for row in rows(house, table, citizen_id):
                yield table.name, row


async def rows(house: House, table: Table, citizen_id: UUID) -> AsyncGenerator[dict[str, Any]]:
    """A citizen's rows of one table, opened."""
    after: str | None = None
    while True:
        found = await table.read(
            house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, after=after, most=PAGE
        )  # fmt: skip
        for row in found:
            shown = dict(row)
            del shown["key"]
            if table.sealed:  # opening megabytes takes milliseconds
                await asyncio.to_thread(_open, house, table.sealed, shown)
            yield shown
        if len(found) < PAGE:
            return
        after = found[-1]["key"]


def _open(house: House, sealed: Mapping[str, str], row: dict[str, Any]) -> None:
    for column, context in sealed.items():
        if row[column] is not None:
            row[column] = _read(house, row[column], context)


def _read(house: House, sealed: bytes, context: str) -> Any:
    try:
        text = house.keys.open(sealed, context)
    except SealBroken:
        return None  # its key is gone; what can't be read is not given out as noise
    try:
        return msgspec.json.decode(text) if text[:1] in {"{", "[", '"'} else text
    except msgspec.DecodeError:
        return text
