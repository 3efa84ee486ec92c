"""What the gateway costs: over calling a shop directly, and beside proxies that only pass on.

Per core means per second of processor time that the process used: on a shared machine that is
what can be compared. Peers that aren't installed are left out, and it is said how to get them.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import psutil
import uvloop
from msgspec import Struct
from tests.bench import mall
from tests.bench.load import Plan, Seen, raw
from tests.bench.place import ROOT, Place, Process, free_port

from civicmall import app, identity
from civicmall.identity import Caller, Tokens, Verification
from civicmall.kernel import crypto, db, ids
from civicmall.kernel.clock import Clock
from civicmall.kernel.house import House
from shopkit import Filled
from shopkit.sandbox import people

PEERS: Final = ROOT / "tests" / "bench" / "peers"
CONNECTIONS: Final = 32
CITIZENS: Final = 16
WAITING: Final = 1_000
"""Callers that wait for the shop that hangs."""
ASKED: Final = Filled({"year": 2026})
BODY: Final = msgspec.json.encode({"values": {"year": 2026}})
NGINX: Final = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream shop {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location = /healthz {{ return 200; }}
    location /proxied/ {{
      proxy_pass http://shop/; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


class Calls(Struct, frozen=True):
    """Times of single calls, one after the other, in microseconds."""

    p50: float
    p99: float


class Overheads(Struct, frozen=True):
    """Calls through the gateway, and of the shop directly."""

    near: Calls
    near_direct: Calls
    claims: Calls
    away: Calls
    away_direct: Calls


class PerCore(Struct, frozen=True):
    """Requests per second of processor time. None: that peer isn't here."""

    raw: float
    typed: float
    fastify: float | None
    nginx: float | None


class Neighbours(Struct, frozen=True):
    """The healthy shop's p99 in milliseconds, alone and beside the one that hangs."""

    alone: float
    beside: float


async def _times(call: Callable[[], Awaitable[Any]], count: int) -> Calls:
    for _ in range(count // 5):
        await call()
    took: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await call()
        took.append((time.perf_counter() - began) * 1e6)
    took.sort()
    return Calls(took[count // 2], took[count * 99 // 100])


async def _overheads(place: Place, upstream: int, count: int) -> Overheads:
    settings = mall.settings(free_port(), place.postgres.url, place.folder)
    registry = mall.registry(place.folder / "bench-plugins", upstream)
    async with app.assemble(settings, registry) as parts:
        gateway, clock = parts.gateway, parts.house.clock
        person = people(clock.today())[0]
        citizen = await identity.account(parts.house, person.phone)
        await identity.verify(parts.house, citizen, Verification(person.name, person.id_number))
        claims = frozenset({"id_number"})
        await identity.give_consent(
            parts.house.db, citizen, "bench_near", "asking", ["id_number"], claims
        )
        caller = Caller(citizen, citizen, 2)

        def through(shop: str, name: str) -> Callable[[], Awaitable[Any]]:
            return lambda: gateway.ask(caller, shop, name, "enquire.run", ASKED, "en")

        ways = {name: gateway.gates.way(name, None) for name in ("bench_near", "bench_away")}
        near: Any = ways["bench_near"].gate.host
        declared = ways["bench_near"].deployed.manifest.app("plain")
        assert declared is not None
        facts = await gateway.calls.facts(ways["bench_near"], caller, declared, "enquire.run", "en")
        call = facts.call(None)
        client: Any = ways["bench_away"].gate.host
        loop = asyncio.get_running_loop()

        def directly() -> Awaitable[Any]:
            return client.client.request(
                "POST", "/v2/apps/plain/enquire.run", [(b"content-type", b"application/json")], BODY,
                deadline=loop.time() + 5, body_max=65_536,
            )  # fmt: skip

        return Overheads(
            near=await _times(through("bench_near", "plain"), count),
            near_direct=await _times(lambda: near.shop.answer("enquire.run", call, ASKED), count),
            claims=await _times(through("bench_near", "asking"), count),
            away=await _times(through("bench_away", "plain"), count),
            away_direct=await _times(directly, count),
        )


def overheads(place: Place, upstream: int, count: int) -> Overheads:
    """One call at a time, in a process that does nothing else."""
    return uvloop.run(_overheads(place, upstream, count))


async def _tokens(place: Place, port: int) -> list[str]:
    settings = mall.settings(port, place.postgres.url, place.folder)
    pool = await db.open_pool(settings.database_url, size_max=2)
    try:
        house = House(settings, Clock(), crypto.load(place.folder), pool)
        made = Tokens(house.keys, settings.public_url, house.clock)
        found: list[str] = []
        for person in people(house.clock.today())[:CITIZENS]:
            citizen = await identity.account(house, person.phone)
            found.append(made.access(Caller(citizen, ids.new(ids.bucket_of(citizen)), 2)))
        return found
    finally:
        await pool.close()


def mall_at(place: Place, upstream: int) -> Process:
    """The city with the bench's shops, in a process of its own."""
    folder = str(place.folder)
    return Process(
        place, "-m", "tests.bench.mall", "PORT", str(upstream), place.postgres.url, folder
    )


def _requests(tokens: list[str], method: str, path: str, body: bytes = b"") -> list[bytes]:
    headers = {"accept-language": "en"} | ({"content-type": "application/json"} if body else {})
    return [
        raw(method, path, {**headers, "authorization": f"Bearer {token}"}, body)
        for token in tokens
    ]


def _per_core(place: Place, port: int, pid: int, requests: list[bytes], seconds: float) -> float:
    """Requests per second of the processor time that the process and its children used."""
    place.load(Plan(port, requests, CONNECTIONS, min(1.0, seconds)))
    before = _used_s(pid)
    seen = place.load(Plan(port, requests, CONNECTIONS, seconds))
    if seen.refused:
        raise RuntimeError(f"{seen.refused} of {seen.answered} were refused")
    return seen.answered / (_used_s(pid) - before)


def _used_s(pid: int) -> float:
    process = psutil.Process(pid)
    found = 0.0
    for one in (process, *process.children(recursive=True)):
        times = one.cpu_times()
        found += times.user + times.system
    return found


def per_core(place: Place, upstream: int, seconds: float, say: Callable[[str], None]) -> PerCore:
    """Raw and typed calls of our own, and the same upstream behind the peers."""
    with mall_at(place, upstream) as server:
        tokens = asyncio.run(_tokens(place, server.port))
        passed = _requests(tokens, "GET", "/v1/shops/bench_away/raw/things/7")
        typed = _requests(tokens, "POST", "/v1/shops/bench_away/apps/plain/enquiry", BODY)
        raw_rate = _per_core(place, server.port, server.pid, passed, seconds)
        typed_rate = _per_core(place, server.port, server.pid, typed, seconds)
    plain = [raw("GET", "/proxied/things/7", {"accept-language": "en"})]
    found: dict[str, float | None] = {"fastify": None, "nginx": None}
    for name, peer in (("fastify", _fastify), ("nginx", _nginx)):
        with peer(place, upstream, say) as running:
            if running is not None:
                port, pid = running
                found[name] = _per_core(place, port, pid, plain, seconds)
    return PerCore(raw_rate, typed_rate, found["fastify"], found["nginx"])


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[tuple[int, int]]:
    with log.open("ab") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            _wait(port, process, log)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    began = time.monotonic()
    with httpx.Client(trust_env=False) as client:
        while process.poll() is None and time.monotonic() - began < 30:
            try:
                if client.get(f"http://127.0.0.1:{port}/healthz", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
    raise RuntimeError(log.read_text()[-2000:])


@contextmanager
def _fastify(
    place: Place, upstream: int, say: Callable[[str], None]
) -> Iterator[tuple[int, int] | None]:
    if not shutil.which("node") or not shutil.which("npm"):
        say("@fastify/http-proxy is left out: there is no node here")
        yield None
        return
    if not (PEERS / "node_modules").is_dir():
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=PEERS, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        if done.returncode:
            say(f"@fastify/http-proxy is left out: npm ci failed: {done.stderr[-200:]}")
            yield None
            return
    port = free_port()
    command = ["node", str(PEERS / "proxy.js"), str(port), str(upstream)]
    with _running(command, port, place.folder / "fastify.log") as running:
        yield running


@contextmanager
def _nginx(
    place: Place, upstream: int, say: Callable[[str], None]
) -> Iterator[tuple[int, int] | None]:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not found:
        say("nginx is left out: it isn't installed (Debian: nginx-light)")
        yield None
        return
    port, folder = free_port(), place.folder / "nginx"
    folder.mkdir(exist_ok=True)
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
    command = [found, "-p", str(folder), "-c", str(conf)]
    with _running(command, port, folder / "log") as running:
        yield running


def neighbours(place: Place, upstream: int, seconds: float) -> Neighbours:
    """A healthy shop's calls, alone and while a thousand callers wait for one that hangs."""
    with mall_at(place, upstream) as server:
        tokens = asyncio.run(_tokens(place, server.port))
        well = _requests(tokens, "POST", "/v1/shops/bench_near/apps/plain/enquiry", BODY)
        hung = _requests(tokens, "POST", "/v1/shops/bench_slow/apps/slow/enquiry", BODY)
        place.load(Plan(server.port, well, 4, min(1.0, seconds)))
        alone = place.load(Plan(server.port, well, 4, seconds))
        with _crowd(place, server.port, hung):
            beside = place.load(Plan(server.port, well, 4, seconds))
    _all_well(alone, beside)
    return Neighbours(alone.p99_ms, beside.p99_ms)


def _all_well(*seen: Seen) -> None:
    if any(one.refused for one in seen):
        raise RuntimeError("the healthy shop refused somebody")


@contextmanager
def _crowd(place: Place, port: int, requests: list[bytes]) -> Iterator[None]:
    """A thousand connections that have asked and wait; they leave at the end."""
    waiting: list[socket.socket] = []
    try:
        for number in range(WAITING):
            one = socket.create_connection(("127.0.0.1", port), timeout=10)
            one.sendall(requests[number % len(requests)])
            waiting.append(one)
        time.sleep(0.5)  # until the last of them has been let in to wait
        yield
    finally:
        for one in waiting:
            one.close()
