"""A shop served without a socket between, and functions of its own put into the sound one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
from tests.contract.sound import fresh

from shopkit import Shop
from shopkit.call import NoTables
from shopkit.kit import Remote, bench_of
from shopkit.kit.letters import WEBHOOK_SECRET
from shopkit.serve import ShopService, sandbox_trust

ADDRESS: Final = "http://shop.invalid"
SECRET: Final = b"sound" * 8
TOLD: Final = "0123456789abcdef0123456789abcdef"
Answer = Callable[[Any, Any], Awaitable[Any]]


@asynccontextmanager
async def asked(shop: Shop, **more: Any) -> AsyncGenerator[Remote]:
    """The shop served, without a socket between."""
    service = ShopService(
        shop, trust=sandbox_trust(), secret=SECRET, webhook_secret=WEBHOOK_SECRET, **more
    )
    async with AsyncExitStack() as stack:
        await service.open(stack)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(service))
        await stack.enter_async_context(client)
        yield Remote(ADDRESS + more.get("base", ""), shop.manifest, client)


def answering(answer: Answer, operation: str = "calculate.run", app: str = "sums") -> Shop:
    """The sound shop with one function of its own."""
    shop = fresh()
    shop.answering.handlers[app, operation] = answer
    return shop


def raising(error: BaseException) -> Answer:
    async def answer(call: Any, asked: Any) -> Any:
        raise error

    return answer


def no_tables() -> Any:
    """For a shop that keeps its memory itself."""
    return NoTables()


def breaks(*_: object) -> Any:
    raise ZeroDivisionError


async def sums(remote: Remote, *extra: tuple[bytes, bytes]) -> httpx.Response:
    """What the calculator's address says to its own example."""
    bench = bench_of(remote, remote.manifest.apps[4])
    probe = bench.probe()
    who = bench.citizen(bench.people[0])
    letter = remote.letter("sums", probe.operation, probe.asked, who, extra=list(extra))
    return await remote.send(letter)
