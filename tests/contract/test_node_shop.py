"""A shop in JavaScript, without a line of ours, passes the kit over HTTP."""

from __future__ import annotations

import asyncio
import os
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.contract.platform import publishing

from shopkit.keys import Key
from shopkit.kit import Finding, bench_of, connect, letters, plan, run
from shopkit.kit.letters import Pen
from shopkit.manifest import parse_manifest
from shopkit.sandbox import PLATFORM_SEED

FILE: Final = Path(__file__).parents[1] / "fixtures" / "node_shop" / "shop.mjs"
LINES_MAX: Final = 119
NODE: Final = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None and "CI" not in os.environ, reason="there is no node here, and CI is not set"
)


@asynccontextmanager
async def running(*args: str) -> AsyncGenerator[str]:
    """The shop on a free port, until left."""
    assert NODE is not None, "CI needs node: see .ci/run"
    shop = await asyncio.create_subprocess_exec(NODE, FILE, "0", *args, stdout=PIPE)
    assert shop.stdout is not None
    try:
        async with asyncio.timeout(20):
            said = await shop.stdout.readline()
        yield said.decode().strip()
    finally:
        shop.terminate()
        await shop.wait()


@pytest.fixture(scope="module")
async def url() -> AsyncIterator[str]:
    """The shop of a sandbox."""
    async with running() as found:
        yield found


@pytest.fixture(scope="module")
async def report(url: str) -> list[Finding]:
    """What the kit found."""
    async with connect(url) as remote:
        return await run(remote)


def test_it_is_short_and_stands_alone() -> None:
    text = FILE.read_text()
    assert text.count("\n") <= LINES_MAX
    imported = [line for line in text.splitlines() if line.startswith("import ")]
    assert all("from 'node:" in line for line in imported)


def test_it_trusts_the_sandboxs_key() -> None:
    assert Key(PLATFORM_SEED).text in FILE.read_text()


async def test_it_passes_every_check_that_applies(url: str, report: list[Finding]) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        said: Any = (await client.get(f"{url}/.well-known/civicmall-shop")).json()
    manifest = parse_manifest(httpx.Response(200, json=said["manifest"]).content)
    assert {one.check: one.seen for one in report if one.result == "failed"} == {}
    passed = {(one.check, one.app) for one in report if one.result == "passed"}
    applies = {(one.check.name, one.about) for one in plan(manifest, "wire") if not one.excuse}
    assert applies - passed == {("contract-1-is-still-spoken", "")}  # it speaks contract 2 only
    assert len(passed) >= 50


async def test_with_a_platform_it_believes_the_platform_alone() -> None:
    city = Key(b"the key of a city, no sandbox's."[:32])
    async with publishing(city) as at, running(f"{at}/jwks.json") as url, connect(url) as remote:
        bench = bench_of(remote, remote.manifest.apps[0])
        me = bench.citizen(bench.people[0])
        path = remote.path("orders", "progress.list")
        statuses: list[int] = []
        for pen in (Pen(city, "shops-1"), letters.PLATFORM, Pen(letters.IMPOSTOR, "shops-1")):
            said = letters.claims_of("school_meals", "orders", me, letters.seconds())
            letter = letters.signed(path, b"{}", letters.token(said, pen), pen=pen)
            statuses.append((await remote.send(letter)).status_code)
    assert statuses == [200, 401, 401]
