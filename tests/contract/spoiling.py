"""How a fault is put into the sound shop's functions: each takes handlers and makes them wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, cast

import msgspec
from tests.contract.sound import desk_of, sound_shop

from shopkit import (
    Call,
    NotFound,
    Receipt,
    Refused,
    Shop,
)
from shopkit.texts import both

Handler = Callable[[Call, Any], Awaitable[Any]]
Fault = Callable[[Shop], None]
Wrong = Callable[[Handler], Handler]
changed: Final = msgspec.structs.replace
ZH: Final = {"zh-CN": "只有中文"}


def each(found: Any, change: Callable[[Any], Any]) -> Any:
    """An answer changed: the one, or all of a list."""
    if isinstance(found, list):
        return [change(one) for one in cast("list[Any]", found)]
    return change(found)


def at(app: str, *operations: str) -> Callable[[Wrong], Fault]:
    """Put `wrong(handler)` in the place of each handler."""

    def put(wrong: Wrong) -> Fault:
        def spoil(shop: Shop) -> None:
            for operation in operations:
                handlers = shop.answering.handlers
                handlers[app, operation] = wrong(handlers[app, operation])

        return spoil

    return put


def answers(app: str, *operations: str) -> Callable[[Callable[[Any], Any]], Fault]:
    """Handlers that change each answer."""

    def put(change: Callable[[Any], Any]) -> Fault:
        def wrong(right: Handler) -> Handler:
            async def answer(call: Call, asked: Any) -> Any:
                return change(await right(call, asked))

            return answer

        return at(app, *operations)(wrong)

    return put


def unlimited(app: str, operation: str) -> Fault:
    """A handler that doesn't look at the limit."""

    def wrong(right: Handler) -> Handler:
        async def answer(call: Call, asked: Any) -> Any:
            return await right(call, changed(asked, limit=100))

        return answer

    return at(app, operation)(wrong)


Instead = Callable[[Shop, Call, Any], Any]


def instead_of(error: type[Exception], app: str, operation: str) -> Callable[[Instead], Fault]:
    """A handler that answers something where it should refuse; None refuses all the same."""

    def put(made_up: Instead) -> Fault:
        def spoil(shop: Shop) -> None:
            right = shop.answering.handlers[app, operation]

            async def answer(call: Call, asked: Any) -> Any:
                try:
                    return await right(call, asked)
                except error:
                    found = made_up(shop, call, asked)
                    if found is None:
                        raise
                    return found

            shop.answering.handlers[app, operation] = answer

        return spoil

    return put


def without_claims(app: str, operation: str, made_up: Callable[[Shop, Call, Any], Any]) -> Fault:
    """A handler that answers somebody without claims."""

    def only(shop: Shop, call: Call, asked: Any) -> Any:
        return None if call.citizen.claims else made_up(shop, call, asked)

    return instead_of(Refused, app, operation)(only)


def wants_claims(app: str, operation: str) -> Fault:
    def wrong(right: Handler) -> Handler:
        async def answer(call: Call, asked: Any) -> Any:
            call.citizen.claim("id_number")
            return await right(call, asked)

        return answer

    return at(app, operation)(wrong)


def tells_foreign(app: str, operation: str, known: Callable[[Shop, Any], bool]) -> Fault:
    """Says of somebody else's that it is there."""

    def spoil(shop: Shop) -> None:
        right = shop.answering.handlers[app, operation]

        async def answer(call: Call, asked: Any) -> Any:
            try:
                return await right(call, asked)
            except NotFound:
                raise NotFound("别人的" if known(shop, asked) else "没有这项记录") from None

        shop.answering.handlers[app, operation] = answer

    return spoil


def again(app: str, operation: str, change: Callable[[Any, int], Any], key: Any = repr) -> Fault:
    """A handler whose answer to the same question changes with each time."""

    def wrong(right: Handler) -> Handler:
        times: Counter[str] = Counter()

        async def answer(call: Call, asked: Any) -> Any:
            found = await right(call, asked)
            name = f"{call.citizen.sub} {key(asked)}"
            times[name] += 1
            return change(found, times[name] - 1)

        return answer

    return at(app, operation)(wrong)


def shared(app: str, listing: str, getting: str, make: Callable[[Shop, Call], Any]) -> Fault:
    """Somebody's record is in everybody's list."""

    def spoil(shop: Shop) -> None:
        handlers = shop.answering.handlers
        right_list, right_get = handlers[app, listing], handlers[app, getting]

        async def lists(call: Call, asked: Any) -> Any:
            found = await right_list(call, asked)
            wanted = getattr(asked, "id", None) is None and getattr(asked, "paid", True)
            return [*found, make(shop, call)][: asked.limit] if wanted else found

        async def gets(call: Call, asked: Any) -> Any:
            one = make(shop, call)
            if asked == one.id:
                return one if getting == "progress.get" else detail_of(one, call)
            return await right_get(call, asked)

        handlers[app, listing], handlers[app, getting] = lists, gets

    return spoil


def detail_of(bill: Any, call: Call) -> Any:
    from shopkit import BillDetail, BillLine

    paper = Receipt("R-0", "pay-0", bill.amount_minor, call.now, both("馆", "office"))
    return BillDetail(bill, [BillLine(both("费", "fee"), bill.amount_minor)], receipt=paper)


def shared_bill(shop: Shop, call: Call) -> Any:
    paid = sound_shop.bill(call, desk_of(shop), "000000000000-b2")
    return changed(paid, state="paid")


def shared_matter(_: Shop, call: Call) -> Any:
    return sound_shop.matter(call, "shared-1", call.today - timedelta(days=99))
