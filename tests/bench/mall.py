"""A city with four shops for the bench: one in its process, two away at `upstream.py`, one that hangs.

`python -m tests.bench.mall PORT UPSTREAM_PORT DATABASE_URL FOLDER`. Everything but the shops is as
`civicmall serve` has it, on the same server with the same settings.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
from tests import workshop

from civicmall import app
from civicmall.kernel import logs, serving
from civicmall.kernel.config import Settings
from civicmall.shops import Placed, Registry, ShopEntry, discover, load
from shopkit import Manifest
from shopkit.keys import Key

OFTEN: Final = {
    "per_second": 10_000, "per_citizen_per_minute": 6_000, "concurrency": 128, "queue": 1_000,
    "timeout_ms": 10_000,
}  # fmt: skip
"""Limits that don't bite; what is measured is what a call costs."""
CODE: Final = """
ANSWER = Enquiry(figures=[Figure("balance", {"zh-CN": "余额", "en": "Balance"}, "money", 123456)])

@shop.enquire("plain")
async def plain(call, filled):
    return ANSWER

@shop.enquire("asking")
async def asking(call, filled):
    return ANSWER

@shop.enquire("slow")
async def slow(call, filled):
    await asyncio.sleep(9)
    return ANSWER
"""
FORM: Final = {
    "type": "object",
    "properties": {
        "year": {"type": "integer", "x-label": workshop.text("year"), "x-example": 2026}
    },
}
CLAIMS: Final = [{"name": "id_number", "purpose": workshop.text("to find you")}]


def _app(name: str, **more: Any) -> dict[str, Any]:
    return workshop.app(name, "enquire", forms={"enquire": FORM}, **more)


def near() -> dict[str, Any]:
    """The shop in the process."""
    apps = [_app("plain"), _app("asking", claims=CLAIMS, min_level=2)]
    return workshop.manifest("bench_near", apps, contract=2, limits=OFTEN)


def hanging() -> dict[str, Any]:
    """The neighbour that never answers in time."""
    limits = {**OFTEN, "concurrency": 64}
    return workshop.manifest("bench_slow", [_app("slow")], contract=2, limits=limits)


def away(name: str, signature: str, upstream: int) -> dict[str, Any]:
    """A shop at an address of its own."""
    raw = [
        {"method": "GET", "path": "/things/{id}"},
        {"method": "GET", "path": "/open/{id}", "signed": False},
    ]
    apps = [_app("plain"), workshop.app("open", "raw", raw=raw)]
    runtime = {
        "url": f"http://127.0.0.1:{upstream}/{name}", "key": Key(b"b" * 32).text, "signature": signature,
    }  # fmt: skip
    return workshop.manifest(name, apps, contract=2, limits=OFTEN, runtime=runtime)


class WithAway(Registry):
    """A registry in which some releases are live though nobody submitted them."""

    def __init__(self, entries: Iterable[ShopEntry], live: list[Placed]) -> None:
        self._live = live
        super().__init__(entries)

    def place(self, placed: Iterable[Placed]) -> bool:
        """What the releases say, and those."""
        return super().place([*placed, *self._live])


def registry(data: Path, upstream: int) -> Registry:
    """The four shops, in a folder of their own."""
    folder = data / "bench-plugins"
    if not (folder / "bench_near").exists():
        head = workshop.HEAD
        for said, apps in ((near(), ("plain", "asking")), (hanging(), ("slow",))):
            parts = CODE.split("\n\n")
            kept = [parts[0], *(p for p in parts[1:] if any(f'"{a}"' in p for a in apps))]
            workshop.build(folder, said, head + "\n\n".join(kept))
    live = [
        Placed(
            name, "1.0.0", name[-1] * 64, "submitted", "live", 0,
            msgspec.convert(away(name, signature, upstream), Manifest),
        )
        for name, signature in (("bench_away", "ed25519"), ("bench_shared", "hmac-sha256"))
    ]  # fmt: skip
    found = WithAway(load(discover(folder)).all(), live)
    found.place([])
    return found


def settings(port: int, url: str, folder: Path) -> Settings:
    """As a sandbox has them."""
    return Settings(
        database_url=url, data_dir=folder, port=port, public_url=f"http://127.0.0.1:{port}",
        shop_networks="127.0.0.0/8", workers=False, pool_max=8,
    )  # fmt: skip


def main() -> None:
    """Serve until ended."""
    port, upstream, url, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
    logs.configure(as_json=False, level=30)
    config = uvicorn.Config(
        app.create_app(settings(port, url, folder), registry(folder, upstream)),
        host="127.0.0.1", port=port, loop="uvloop", http=serving.Protocol, access_log=False,
        log_config=None, server_header=False, lifespan="on",
    )  # fmt: skip
    serving.Server(config).run()


if __name__ == "__main__":
    main()
