"""Everything that the platform has about somebody, in one file for them (PIPL art. 45).

A ZIP with `my-data.json` (by table of the platform) and the papers that they handed in. It is written
while it is read, a page of rows or one paper in memory at a time.
"""

from __future__ import annotations

import zipfile
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.identity import audit
from civicmall.identity.devices import signed_in_recently
from civicmall.identity.models import Caller
from civicmall.kernel.house import House
from civicmall.kernel.personal import Personal

SENT_AT_ONCE: Final = 64 * 1024
HEADERS: Final = {
    "content-disposition": 'attachment; filename="my-data.zip"',
}


class _Pipe:
    """What ZipFile writes to: can't be gone back in."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        self.size += len(part)
        return len(part)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        """What was written since the last time."""
        found = b"".join(self._parts)
        self._parts, self.size = [], 0
        return found


async def begin(house: House, rooms: Sequence[Personal], caller: Caller) -> AsyncGenerator[bytes]:
    """The file, as it is written; the citizen sees that it was made. Raises SignInAgain."""
    await signed_in_recently(house.db, caller.session_id)
    await audit.note(house, caller.citizen_id, "export", what=["everything"])
    return _written(house, rooms, caller.citizen_id)


async def _written(
    house: House, rooms: Sequence[Personal], citizen_id: UUID
) -> AsyncGenerator[bytes]:
    pipe: Any = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("my-data.json", "w", force_zip64=True) as entry:
            async for part in _json(house, rooms, citizen_id):
                entry.write(part)
                if pipe.size >= SENT_AT_ONCE:
                    yield pipe.take()
        for room in rooms:
            async for file in room.files(house, citizen_id):
                archive.writestr(file.name, file.body)
                yield pipe.take()
    yield pipe.take()


async def _json(house: House, rooms: Sequence[Personal], citizen_id: UUID) -> AsyncGenerator[bytes]:
    """`{"citizen": …, "made_at": …, "tables": {"room.table": [row, …], …}}`."""
    yield b'{"citizen": %s, "made_at": %s, "tables": {' % (
        msgspec.json.encode(citizen_id), msgspec.json.encode(house.clock.now()),
    )  # fmt: skip
    between = b""
    for room in rooms:
        last = ""
        async for table, row in room.export(house, citizen_id):
            if table != last:
                yield (b"]" if last else b"") + between + msgspec.json.encode(table) + b": [\n"
                last, between = table, b",\n"
            else:
                yield b",\n"
            yield msgspec.json.encode(row, enc_hook=_plain)
        if last:
            yield b"]"
    yield b"}}\n"


def _plain(value: Any) -> Any:
    """As text, whatever JSON has no word for."""
    return str(value)
