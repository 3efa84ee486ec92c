"""Background work at a steady beat: each run is short, idempotent, and may fail without harm."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct

from . import logs

log = logs.get("jobs")
RUN_S_MIN: Final = 60.0
"""However short its beat, a job may take this long."""


class Job(Struct, frozen=True):
    """`run` every `every_s` seconds; several processes may run the same job at once."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[object]]
    everywhere: bool = False
    """Whether it concerns each process itself, also one without workers."""


async def keep(job: Job) -> None:
    """Run a job until cancelled; a failure is logged and the next beat tries again."""
    while True:
        try:
            async with asyncio.timeout(max(job.every_s * 10, RUN_S_MIN)):
                await job.run()
        except Exception as error:
            log.warning("job.failed", job=job.name, exc_info=error)
        await asyncio.sleep(job.every_s)
