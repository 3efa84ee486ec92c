"""Which of a shop's functions answers a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .call import Call
from .contract import Event, ProgressQuery, RawAsk
from .errors import NotFound

Handler = Callable[[Call, Any], Awaitable[Any]]


class Answering:
    """The functions by app and operation, by raw path, by event."""

    def __init__(self) -> None:
        self.handlers: dict[tuple[str, str], Handler] = {}
        self.raw: dict[tuple[str, str, str], Handler] = {}
        self.events: dict[str, Handler] = {}

    def serves(self, app: str, operation: str) -> bool:
        """Whether there is code for it."""
        if operation == "raw":
            return any(key[0] == app for key in self.raw)
        return operation == "event" or (app, operation) in self.handlers

    async def answer(self, operation: str, call: Call, asked: Any) -> Any:
        """Call the function. Raises what it raises, NotFound where there is none."""
        if operation == "event":
            event: Event = asked
            handler = self.events.get(event.type)
            return await handler(call, event) if handler else None
        if operation == "raw":
            return await self._raw(call, asked)
        handler = self.handlers.get((call.app, operation))
        if handler is None:
            raise NotFound(f"{call.app} doesn't do {operation}")
        return await handler(call, asked)

    async def _raw(self, call: Call, asked: RawAsk) -> Any:
        for (app, method, path), handler in self.raw.items():
            if (app, method) == (call.app, asked.method) and match(path, asked.path) is not None:
                return await handler(call, asked)
        raise NotFound("no such path")


def match(pattern: str, path: str) -> dict[str, str] | None:
    """The values at a declared path's `{…}`, or None where the path is another one."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    params: dict[str, str] = {}
    for part, value in zip(wanted, given, strict=True):
        if part.startswith("{"):
            if not value:
                return None
            params[part[1:-1]] = value
        elif part != value:
            return None
    return params


def derive(handlers: MutableMapping[tuple[str, str], Handler], app: str, operation: str) -> None:
    """What follows from a function: one matter from the list, a receipt from its bill.

    A shop's own function for it comes first, whatever the order.
    """
    if operation == "progress.list":
        handlers.setdefault((app, "progress.get"), _one_of(handlers[app, operation]))
    elif operation == "bills.get":
        handlers.setdefault((app, "bills.receipt"), _receipt_of(handlers[app, operation]))


def _one_of(listing: Handler) -> Handler:
    async def one(call: Call, matter: str) -> Any:
        found = await listing(call, ProgressQuery(id=matter, limit=1))
        if not found:
            raise NotFound
        return found[0]

    return one


def _receipt_of(bill: Handler) -> Handler:
    async def receipt(call: Call, bill_id: str) -> Any:
        detail = await bill(call, bill_id)
        if detail.receipt is None:
            raise NotFound
        return detail.receipt

    return receipt
