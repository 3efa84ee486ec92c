"""Writes to sockets that leave together: all of one turn of the loop, one after the other.

A write wakes whoever reads at the other end. Done in the midst of other work each one does so
anew, which can take longer than the work; done in a row, the first one wakes and the others find
somebody awake. And an answer's head and body, written one after the other, are one write.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from weakref import WeakKeyDictionary

TOGETHER_MAX: Final = 64 * 1024
"""Bytes that wait for the turn's end at most; more than that goes out at once."""


class Turn:
    """What one loop has to write when its turn ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[Together] = []

    def add(self, one: Together) -> None:
        """Flush it with the others."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(one)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.flush()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turn] = WeakKeyDictionary()


class Together:
    """A transport that gathers what is written to it in one turn of the loop."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        found = _turns.get(loop)
        if found is None:
            found = _turns[loop] = Turn(loop)
        self._turn = found
        self._parts: list[bytes] = []
        self._size = 0
        # What is asked often is not looked up twice.
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Send soon, with what follows."""
        if not self._parts:
            self._turn.add(self)
        self._parts.append(data)
        self._size += len(data)
        if self._size > TOGETHER_MAX:
            self.flush()

    def flush(self) -> None:
        """Send now. What was for a connection that has ended meanwhile is dropped."""
        parts, self._parts, self._size = self._parts, [], 0
        if parts and not self.is_closing():
            self._transport.write(parts[0] if len(parts) == 1 else b"".join(parts))

    def close(self) -> None:
        """Send what waits, then end."""
        self.flush()
        self._transport.close()

    def abort(self) -> None:
        """End at once; what waits is never sent."""
        self._parts, self._size = [], 0
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        """Bytes that haven't left yet."""
        return self._size + self._transport.get_write_buffer_size()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
