"""Doors for those who run the house: is it alive, is it ready, how much does it do."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from litestar import Response, Router, get
from litestar.di import NamedDependency
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from . import metrics, outbox
from .db import Pool
from .errors import Unavailable
from .http import problems, public

READY_S: Final = 2.0
WAITING_MAX: Final = 10_000
"""Events in the outbox beyond which this process should get no more work for a while."""


class Alive(Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Struct, frozen=True):
    """The database answers. `degraded` where events pile up; `dead` ones wait for an operator."""

    status: Literal["ok", "degraded"]
    waiting: int
    dead: int


@get("/healthz", responses=problems(), summary="Whether this process is alive")
async def healthz() -> Alive:
    return Alive()


@get("/readyz", responses=problems(), summary="Whether this process can do its work")
async def readyz(db: NamedDependency[Pool]) -> Ready:
    try:
        async with asyncio.timeout(READY_S):
            found = await outbox.counts(db)
    except TimeoutError as error:
        raise Unavailable("the database does not answer in time", retry_after_s=1) from error
    metrics.OUTBOX_WAITING.set(found.waiting)
    metrics.OUTBOX_DEAD.set(found.dead)
    bad = found.waiting > WAITING_MAX or found.dead > 0
    return Ready("degraded" if bad else "ok", found.waiting, found.dead)


@get(
    "/metrics",
    media_type="text/plain",
    responses=problems(),
    summary="Counters in Prometheus' text format",
)
async def all_metrics() -> Response[bytes]:
    return Response(generate_latest(), headers={"content-type": CONTENT_TYPE_LATEST})


routers = [
    Router("/", route_handlers=[healthz, readyz, all_metrics], guards=[public], tags=["ops"])
]
