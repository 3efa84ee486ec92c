"""The disk is full: 503 and no half payment; with space again there is service, and the sums fit."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.faults.rounds import order
from tests.faults.town import Payment, Town, pay

from civicmall import app

SIZE_MB = 160
"""A fresh cluster, all shops' data and a log of 64 MB; the rest is filled by the test."""
FEW_LOGS = "max_wal_size=64MB min_wal_size=32MB"
TRIES = 400


@pytest.fixture
def small_disk() -> Generator[Path]:
    """A file system of its own; only root can make one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a file system of its own needs root on Linux")
    folder = Path(tempfile.mkdtemp(prefix="civicmall-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m,mode=755", "tmpfs", str(folder)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
        with suppress(OSError):
            folder.rmdir()


async def test_a_full_disk_costs_nobody_money(small_disk: Path, tmp_path: Path) -> None:
    town = Town(small_disk)
    town.log = tmp_path / "server.log"
    ballast = small_disk / "ballast"
    try:
        await town.prepare()
        await town.server.up()
        payments = await town.payers(TRIES, "disk")
        seen: Counter[int] = Counter()
        kept: list[Payment] = []
        async with town.client() as client:
            await pay(client, payments[0])
            _fill(ballast)
            for one in payments[1:]:
                answer = await _try(client, one)
                seen[answer.status_code] += 1
                if answer.is_success:
                    one.order = answer.json()
                    kept.append(one)
                if seen[503] == 5:
                    break
            assert seen[503] == 5, f"the disk was never full: {seen}"
            assert set(seen) <= {201, 503}
            ballast.unlink()
            await asyncio.to_thread(town.start_postgres)  # where it fell over, as its keeper would
            await town.let_leases_run_out()
            tried = payments[1 : 1 + seen.total()]
            for one in tried:
                await pay(client, one)
            for one in kept:
                assert (await order(client, one, one.key))["id"] == one.order["id"]
        await town.settled()
        states = "select state, count(*) from payments.orders group by state"
        assert dict(await town.owner(states)) == {"fulfilled": 1 + len(tried)}
        posted = "select count(*), count(distinct order_id) from payments.posting"
        assert tuple((await town.owner(posted))[0]) == (1 + len(tried),) * 2
        assert await app.check(town.settings) == []
        assert '"http.fault"' not in town.log.read_text()
    finally:
        town.close()


def _fill(ballast: Path) -> None:
    """Take all the space there is."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


async def _try(client: httpx.AsyncClient, one: Payment) -> Any:
    charge = {"shop": "utility_bills", "app": one.bill.app, "charge_id": one.bill.id}
    headers = {"authorization": f"Bearer {one.token}", "idempotency-key": one.key}
    return await client.post("/v1/orders", json={"charges": [charge]}, headers=headers)
