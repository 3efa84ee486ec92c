"""Jobs: one that fails is tried again at its next beat."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from civicmall.kernel import jobs
from civicmall.kernel.jobs import Job


async def run_for(job: Job, done: asyncio.Event) -> None:
    """Keep the job until it says that it is done."""
    task = asyncio.create_task(jobs.keep(job))
    try:
        async with asyncio.timeout(5):
            await done.wait()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_failing_job_goes_on() -> None:
    runs: list[int] = []
    done = asyncio.Event()

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) == 3:
            done.set()
        raise ConnectionError("away")

    await run_for(Job("test.fails", 0.001, work), done)
    assert len(runs) >= 3


async def test_a_hanging_job_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten beats or a minute, whichever is longer; here a minute is a hundredth of a second."""
    monkeypatch.setattr(jobs, "RUN_S_MIN", 0.01)
    began: list[float] = []
    done = asyncio.Event()

    async def work() -> None:
        began.append(asyncio.get_running_loop().time())
        if len(began) == 2:
            done.set()
        await asyncio.Event().wait()

    await run_for(Job("test.hangs", 0.001, work), done)
    assert began[1] - began[0] < 4
