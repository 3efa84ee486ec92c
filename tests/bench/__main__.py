"""`python -m tests.bench`: measure against peers in the same run, on the same machine.

Absolute figures don't travel; the ratios do. `--quick` only shows that everything is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from tests.bench import gateway
from tests.bench.gateway import City
from tests.bench.home import homes, nothings
from tests.bench.identity import AT_ONCE, CONNECTIONS, Centre, Doors
from tests.bench.load import Plan, raw
from tests.bench.pay import CLIENTS, CROWDS, SHOPS, Till
from tests.bench.place import ROOT, Place
from tests.bench.reckon import Statements

from civicmall.kernel import logs

RESULTS: Final = ROOT / "bench" / "results.json"
out = Console(highlight=False)


class Row(Struct, frozen=True):
    """One figure and its peer's. `ratio` is value over peer."""

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    ratio: float


class Scale(Struct, frozen=True):
    """How long to look."""

    seconds: float
    block: int
    """Payments in one go."""
    rounds: int
    calls: int
    """Single calls of each kind."""
    statement: int
    """Rows of a channel's statement."""
    entries: tuple[int, int]
    """Entries of a young ledger and of an old one."""
    tokens: int
    """Sign-ins, and refreshes at the token endpoint."""
    fetch: bool
    """Whether peers that npm can bring are installed."""


FULL: Final = Scale(
    seconds=6.0,
    block=12_000,
    rounds=3,
    calls=2_000,
    statement=300_000,
    entries=(10_000, 1_000_000),
    tokens=4_000,
    fetch=True,
)

QUICK: Final = Scale(
    seconds=0.5,
    block=160,
    rounds=1,
    calls=100,
    statement=1_000,
    entries=(100, 1_000),
    tokens=200,
    fetch=False,
)

NEAR_GOAL_US: Final = 150.0
AWAY_GOAL_US: Final = 1_000.0


def row(name: str, value: float, unit: str, peer: str, peer_value: float) -> Row:
    """Rounded for reading."""
    return Row(
        name, round(value, 2), unit, peer, round(peer_value, 2), round(value / peer_value, 3)
    )


def measure_server(place: Place, scale: Scale) -> list[Row]:
    """The second `civicmall run`: how soon it is up, what it holds, how many homes it gives."""
    with place.civicmall("run"):
        pass  # the first one makes everything
    with place.bare("asgi", "64") as bare, place.bare("litestar") as hello:
        bare_up, hello_mb = bare.up_s, hello.memory_mb()
    with place.civicmall("run") as server:
        up, memory = server.up_s, server.memory_mb()
        seen = homes(place, server, scale.seconds)
    peer = nothings(place, seen.bytes, scale.seconds)
    rate, peer_rate = seen.answered / seen.seconds, peer.answered / peer.seconds
    same = f"bare ASGI, same server, {seen.bytes} bytes"
    return [
        row("home", rate, "requests/s", same, peer_rate),
        row("home_p99", seen.p99_ms, "ms", same, peer.p99_ms),
        row("start_up", up, "s", "bare uvicorn", bare_up),
        row("idle_memory", memory, "MB", "uvicorn and a Litestar hello", hello_mb),
    ]


def measure_pay(place: Place, scale: Scale) -> list[Row]:
    """From the callback to the posting; turn by turn, so that noise hits both."""
    till = Till(place, scale.block)
    hot = scale.rounds
    asyncio.run(till.prepare(blocks=scale.rounds * (2 * len(CROWDS) + 2) + 1, hot=hot))
    on_hot = [till.by_pool() for _ in range(hot)]  # the first blocks are the hot shop's
    rows: list[Row] = []
    for clients in CROWDS:
        rounds = [(till.by_pgbench(clients), till.by_pool(clients)) for _ in range(scale.rounds)]
        theirs, ours = (statistics.median(one) for one in zip(*rounds, strict=True))
        peer = f"pgbench, same statement, {clients} clients"
        rows.append(row(f"pay_{clients}", ours, "transactions/s", peer, theirs))
        if clients == CLIENTS:
            distinct = f"the same over {SHOPS} shops"
            rows += [
                row("pay_http", till.by_http(), "transactions/s", peer, theirs),
                row("pay_hot_shop", statistics.median(on_hot), "transactions/s", distinct, ours),
            ]
    few, many = scale.entries
    asyncio.run(till.grow(few))
    young = [till.by_pool() for _ in range(scale.rounds)]
    asyncio.run(till.grow(many))
    old = [till.by_pool() for _ in range(scale.rounds)]
    peer = f"the same with {few:,} entries"
    rows.append(
        row(
            "pay_old_ledger",
            statistics.median(old),
            "transactions/s",
            peer,
            statistics.median(young),
        )
    )
    asyncio.run(till.check())
    return rows


def measure_reckoning(place: Place, scale: Scale) -> list[Row]:
    """A channel's statement read and checked, against the same file copied."""
    statements = Statements(place, scale.statement)
    asyncio.run(statements.prepare())
    ours, theirs = zip(*(statements.both() for _ in range(scale.rounds)), strict=True)
    return [
        row("reconcile_read", statistics.median(ours), "rows/s", "COPY of the same file",
            statistics.median(theirs)),
    ]  # fmt: skip


def measure_gateway(place: Place, scale: Scale) -> list[Row]:
    """Calls of shops: what we add to one, what a core can do, what a hanging neighbour costs.

    What isn't compared with a peer stands beside its goal.
    """
    with City(place) as city:
        over = gateway.overheads(city, scale.calls)
        core = gateway.per_core(city, scale.seconds / 2, scale.rounds, out.print, fetch=scale.fetch)
        near = gateway.neighbours(city, scale.seconds, scale.rounds)
    rows: list[Row] = []
    for name, past, goal_us in (
        ("near", "near_direct", NEAR_GOAL_US),
        ("claims", "near_direct", NEAR_GOAL_US),
        ("away", "away_direct", AWAY_GOAL_US),
    ):
        for end, rank in (("", "p50"), ("_p99", "p99")):
            us = getattr(over[name], rank) - getattr(over[past], rank)
            goal = "goal at p50, over the shop called directly"
            rows.append(row(f"{name}_overhead{end}", us, "µs", goal, goal_us))
    ours = {
        "raw_signed": core.raw, "raw_shared": core.raw_shared, "raw_unsigned": core.raw_unsigned,
        "typed_away": core.typed, "typed_shared": core.typed_shared,
    }  # fmt: skip
    for end, peer, peer_rate, names in (
        ("", "@fastify/http-proxy", core.fastify, tuple(ours)),
        ("_nginx", "nginx proxy_pass", core.nginx, ("raw_signed", "raw_shared", "raw_unsigned")),
    ):
        rows += [
            row(f"{name}{end}", ours[name], "requests/CPU-s", f"{peer}, same upstream", peer_rate)
            for name in names
            if peer_rate is not None
        ]
    beside = f"the same without {gateway.WAITING} callers of a shop that hangs"
    return [*rows, row("neighbours_p99", near.beside, "ms", beside, near.alone)]


def measure_identity(place: Place, scale: Scale) -> list[Row]:
    """A token checked for each request, sign-ins, and the token endpoint under many at once."""
    doors = Doors(place)
    with doors.serve() as server:
        doors.both(server, scale.seconds / 6)
        both = [doors.both(server, scale.seconds / 2) for _ in range(scale.rounds)]
    ours, theirs = (statistics.median(one) for one in zip(*both, strict=True))
    seen = Centre(place, scale.tokens).measure()
    with place.bare("asgi", str(seen.tokens.bytes)) as bare:
        few, many = (
            place.load(Plan(bare.port, [raw("GET", "/healthz", {})] * scale.tokens, connections))
            for connections in (CONNECTIONS, AT_ONCE)
        )
    peer = f"bare ASGI, same server, {seen.tokens.bytes} bytes"
    rate = seen.tokens.answered / seen.tokens.seconds
    return [
        row("verified", ours, "requests/CPU-s", "the same door without identity", theirs),
        row("sign_ins", seen.sign_ins, "sign-ins/s", peer, few.answered / few.seconds),
        row(
            "token", rate, "requests/s", f"{peer}, {AT_ONCE} at once", many.answered / many.seconds
        ),
        row("token_p99", seen.tokens.p99_ms, "ms", f"{peer}, {AT_ONCE} at once", many.p99_ms),
    ]


def show(rows: list[Row], took_s: float) -> None:
    """For people."""
    table = Table(title=f"CivicMall beside its peers ({took_s:.0f} s)")
    for title in ("what", "value", "unit", "peer", "peer's value", "ratio"):
        right = "value" in title or title == "ratio"
        table.add_column(title, justify="right" if right else "left", no_wrap=title != "peer")
    for one in rows:
        table.add_row(
            one.name, f"{one.value:,.2f}", one.unit, one.peer, f"{one.peer_value:,.2f}",
            f"{one.ratio:.3f}",
        )  # fmt: skip
    out.print(table)


def main(args: list[str]) -> int:
    """Measure, show, keep."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="structure, not times")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the JSON goes")
    asked = parser.parse_args(args)
    scale = QUICK if asked.quick else FULL
    began = time.monotonic()
    logs.configure(as_json=False, level=logging.WARNING)
    with Place() as place:
        out.print("server: start, memory, homes …")
        rows = measure_server(place, scale)
        out.print("payments: pgbench, our pool, our callback …")
        rows += measure_pay(place, scale)
        out.print("reconciliation: a statement read, the same copied …")
        rows += measure_reckoning(place, scale)
        out.print("gateway: single calls, proxies, neighbours …")
        rows += measure_gateway(place, scale)
        out.print("identity: a token a request, sign-ins, the token endpoint …")
        rows += measure_identity(place, scale)
    show(rows, time.monotonic() - began)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n")
    out.print(f"written to {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
