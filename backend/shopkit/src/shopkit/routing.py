"""Which of a shop's functions answers a call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from msgspec import Struct

from .call import Call
from .contract import BillDetail, Event, Progress, ProgressQuery, RawAsk, Receipt
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


class Instead(Struct, frozen=True):
    """What is asked in place of an operation, and how its answer is read."""

    operation: str
    asked: Callable[[Any], Any]
    answer: Callable[[Any], Any]


def _one_of(matters: list[Progress]) -> Progress:
    if not matters:
        raise NotFound
    return matters[0]


def _receipt_of(detail: BillDetail) -> Receipt:
    if detail.receipt is None:
        raise NotFound
    return detail.receipt


DERIVED: Final = {
    "progress.get": Instead("progress.list", lambda id_: ProgressQuery(id=id_, limit=1), _one_of),
    "bills.receipt": Instead("bills.get", lambda id_: id_, _receipt_of),
}
"""What follows from another operation: one matter from the list, a receipt from its bill. So a shop
needs no code of its own for it, and one on contract 1, which has no word for it, is asked the other.
"""


def derive(handlers: MutableMapping[tuple[str, str], Handler], app: str, operation: str) -> None:
    """Add what follows from a function. A shop's own function for it comes first, whatever the order."""
    for name, instead in DERIVED.items():
        if instead.operation == operation:
            handlers.setdefault((app, name), _through(handlers[app, operation], instead))


def _through(handler: Handler, instead: Instead) -> Handler:
    async def answer(call: Call, asked: Any) -> Any:
        return instead.answer(await handler(call, instead.asked(asked)))

    return answer
