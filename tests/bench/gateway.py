"""What the gateway costs: over calling a shop directly, and beside proxies that only pass on.

Per core means per second of processor time that the process used: on a shared machine that is
what can be compared. Everything that is compared takes its turns within the same seconds.
"""

from __future__ import annotations

import asyncio
import select
import socket
import statistics
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final

import msgspec
import psutil
import uvloop
from msgspec import Struct
from tests.bench import mall, proxies
from tests.bench.load import Plan, raw
from tests.bench.place import Place, Process
from tests.citizens import caller, own_house, verified
from tests.serving import free_port

from civicmall import app, identity
from civicmall.identity import Tokens
from civicmall.kernel.config import Settings
from shopkit import Filled
from shopkit.sandbox import people

CONNECTIONS: Final = 32
NEIGHBOURS: Final = 4
"""Connections that ask the healthy shop: few, so that its p99 is its own and not a queue's."""
CITIZENS: Final = 64
"""So many that nobody's rate limit is met, whatever a machine can do."""
WAITING: Final = 1_000
"""Callers that wait for the shop that hangs."""
BLOCK: Final = 50
"""Calls of one kind before it is the next one's turn."""
ASKED: Final = Filled({"year": 2026})
BODY: Final = msgspec.json.encode({"values": {"year": 2026}})
Call = Callable[[], Awaitable[Any]]


class Calls(Struct, frozen=True):
    """Times of single calls, one after the other, in microseconds."""

    p50: float
    p99: float


class PerCore(Struct, frozen=True):
    """Requests per second of processor time. None: that peer isn't here."""

    raw: float
    """Raw calls, each with a signature of its own, as a route has them unless it says otherwise."""
    raw_shared: float
    """The same of a shop that chose to share a secret."""
    raw_unsigned: float
    typed: float
    typed_shared: float
    fastify: float | None
    nginx: float | None


class Neighbours(Struct, frozen=True):
    """The healthy shop's p99 in milliseconds, alone and beside the one that hangs."""

    alone: float
    beside: float


class City(AbstractContextManager["City"]):
    """The upstream, and a database with the mall's shops."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.url = place.database("mall")
        self._shop = place.python("-m", "tests.bench.upstream", "PORT")
        self.upstream = self._shop.port
        registry = mall.registry(place.folder, self.upstream)
        asyncio.run(app.prepare(self.settings(free_port()), registry))

    def settings(self, port: int) -> Settings:
        """Of a process that serves it."""
        return mall.settings(port, self.url, self.place.folder)

    def serve(self) -> Process:
        """The city in a process of its own."""
        folder = str(self.place.folder)
        return self.place.python(
            "-m", "tests.bench.mall", "PORT", str(self.upstream), self.url, folder
        )

    def tokens(self, port: int) -> list[str]:
        """Access tokens of citizens, good for the server at that port."""
        return asyncio.run(self._tokens(port))

    async def _tokens(self, port: int) -> list[str]:
        settings = self.settings(port)
        async with own_house(settings, size_max=2) as house:
            made = Tokens(house.keys, settings.public_url, house.clock)
            return [
                made.access(caller(await identity.account(house, person.phone), 2))
                for person in people(house.clock.today())[:CITIZENS]
            ]

    def __exit__(self, *_: object) -> None:
        self._shop.__exit__()


async def _times(calls: dict[str, Call], count: int) -> dict[str, Calls]:
    """Each kind `count` times, block by block in turn; the first round only warms up."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(max(1, count // BLOCK) + 1):
        for name, call in calls.items():
            for _ in range(BLOCK):
                began = time.perf_counter()
                await call()
                if turn:
                    took[name].append((time.perf_counter() - began) * 1e6)
    found: dict[str, Calls] = {}
    for name, times in took.items():
        times.sort()
        found[name] = Calls(times[len(times) // 2], times[len(times) * 99 // 100])
    return found


async def _overheads(city: City, count: int) -> dict[str, Calls]:
    settings = city.settings(free_port())
    registry = mall.registry(city.place.folder, city.upstream)
    async with app.assemble(settings, registry) as parts:
        gateway, clock = parts.gateway, parts.house.clock
        person = people(clock.today())[0]
        who = caller(await verified(parts.house, registry, person, "bench_near", ["asking"]), 2)

        def through(shop: str, name: str) -> Call:
            return lambda: gateway.ask(who, shop, name, "enquire.run", ASKED, "en")

        ways = {name: gateway.gates.way(name, None) for name in ("bench_near", "bench_away")}
        near: Any = ways["bench_near"].gate.host
        declared = ways["bench_near"].deployed.manifest.app("plain")
        assert declared is not None
        facts = await gateway.calls.facts(ways["bench_near"], who, declared, "enquire.run", "en")
        call = facts.call(None)
        away: Any = ways["bench_away"].gate.host
        loop = asyncio.get_running_loop()

        def directly() -> Awaitable[Any]:
            return away.client.request(
                "POST", "/v2/apps/plain/enquire.run", [(b"content-type", b"application/json")], BODY,
                deadline=loop.time() + 5, body_max=65_536,
            )  # fmt: skip

        return await _times(
            {
                "near": through("bench_near", "plain"),
                "near_direct": lambda: near.shop.answer("enquire.run", call, ASKED),
                "claims": through("bench_near", "asking"),
                "away": through("bench_away", "plain"),
                "away_direct": directly,
            },
            count,
        )


def overheads(city: City, count: int) -> dict[str, Calls]:
    """One call at a time, in a process that does nothing else: `near`, `claims` and `away` through
    the gateway; `near_direct` and `away_direct` past it.
    """
    return uvloop.run(_overheads(city, count))


def _requests(tokens: list[str], method: str, path: str, body: bytes = b"") -> list[bytes]:
    headers = {"accept-language": "en"} | ({"content-type": "application/json"} if body else {})
    return [
        raw(method, path, {**headers, "authorization": f"Bearer {token}"}, body) for token in tokens
    ]


class _Target(Struct, frozen=True):
    """What is asked of which process."""

    port: int
    pid: int
    requests: list[bytes]


def _per_core(place: Place, at: _Target, seconds: float) -> float:
    """Requests per second of the processor time that the process and its children used."""
    before = _used_s(at.pid)
    seen = place.load(Plan(at.port, at.requests, CONNECTIONS, seconds))
    if seen.refused:
        raise RuntimeError(f"{seen.refused} of {seen.answered} were refused")
    return seen.answered / (_used_s(at.pid) - before)


def _used_s(pid: int) -> float:
    process = psutil.Process(pid)
    found = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        found += times.user + times.system
    return found


def per_core(
    city: City, seconds: float, rounds: int, say: Callable[[str], None], *, fetch: bool
) -> PerCore:
    """Raw and typed calls of our own, and the same upstream behind the peers; medians of rounds.

    `fetch`: a peer that npm can bring may be installed.
    """
    with ExitStack() as stack:
        server = stack.enter_context(city.serve())
        tokens = city.tokens(server.port)
        ours = {
            "raw": _requests(tokens, "GET", "/v1/shops/bench_away/raw/things/7"),
            "raw_shared": _requests(tokens, "GET", "/v1/shops/bench_shared/raw/things/7"),
            "raw_unsigned": _requests(tokens, "GET", "/v1/shops/bench_away/raw/open/7"),
            "typed": _requests(tokens, "POST", "/v1/shops/bench_away/apps/plain/enquiry", BODY),
            "typed_shared": _requests(
                tokens, "POST", "/v1/shops/bench_shared/apps/plain/enquiry", BODY
            ),
        }
        targets = {
            name: _Target(server.port, server.pid, requests) for name, requests in ours.items()
        }
        plain = [raw("GET", proxies.PATH, {"accept-language": "en"})]

        def beside(name: str, peer: Process | None) -> None:
            if peer is not None:
                stack.enter_context(peer)
                targets[name] = _Target(peer.port, peer.pid, plain)

        beside("fastify", proxies.fastify(city.place, city.upstream, say, fetch=fetch))
        beside("nginx", proxies.nginx(city.place, city.upstream, say))
        for target in targets.values():
            _per_core(city.place, target, seconds)  # a just-in-time compiler needs that long
        seen: dict[str, list[float]] = {name: [] for name in targets}
        for _ in range(rounds):
            for name, target in targets.items():
                seen[name].append(_per_core(city.place, target, seconds))
        found = {name: statistics.median(rates) for name, rates in seen.items()}
    ways = {name: found.get(name) for name in PerCore.__struct_fields__}
    return msgspec.convert(ways, PerCore)


def neighbours(city: City, seconds: float, rounds: int) -> Neighbours:
    """A healthy shop's calls, alone and while a thousand callers wait for one that hangs.

    Each round has a server of its own: callers of the round before could still be waiting.
    `seconds` must stay below those that the hanging shop takes.
    """
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(rounds):
        with city.serve() as server:
            tokens = city.tokens(server.port)
            well = _requests(tokens, "POST", "/v1/shops/bench_near/apps/plain/enquiry", BODY)
            hung = _requests(tokens, "POST", "/v1/shops/bench_slow/apps/slow/enquiry", BODY)
            plan = Plan(server.port, well, NEIGHBOURS, seconds)
            city.place.load(Plan(server.port, well, NEIGHBOURS, min(1.0, seconds)))
            alone.append(_p99_ms(city.place, plan))
            with _crowd(server.port, hung):
                beside.append(_p99_ms(city.place, plan))
    return Neighbours(statistics.median(alone), statistics.median(beside))


def _p99_ms(place: Place, plan: Plan) -> float:
    seen = place.load(plan)
    if seen.refused:
        raise RuntimeError("the healthy shop refused somebody")
    return seen.p99_ms


@contextmanager
def _crowd(port: int, requests: list[bytes]) -> Generator[None]:
    """A thousand connections that have asked and wait; they leave at the end."""
    waiting: list[socket.socket] = []
    answered = select.poll()
    try:
        for number in range(WAITING):
            one = socket.create_connection(("127.0.0.1", port), timeout=10)
            one.sendall(requests[number % len(requests)])
            waiting.append(one)
            answered.register(one, select.POLLIN)
        time.sleep(0.5)  # until the last of them has been let in to wait
        yield
        if found := answered.poll(0):
            raise RuntimeError(f"{len(found)} of those that should wait did not")
    finally:
        for one in waiting:
            one.close()
