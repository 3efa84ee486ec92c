"""Where a citizen is signed in, and signing out from afar."""

from __future__ import annotations

from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel.house import House

from .reader import Reader
from .refuse import router as pages_router


@get("/me/devices")
async def devices(
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    found = await identity.sessions(house, myself.citizen_id, myself.session_id)
    return await reader.page("devices.html", devices=found)


@post("/me/devices/{session:uuid}/end")
async def end(
    session: FromPath[UUID],
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    await identity.sign_out(house, tokens, myself.citizen_id, session)
    return reader.go("/me/devices", "device_out")


@post("/me/devices/end-others")
async def end_others(
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    await identity.sign_out_others(house, tokens, myself.citizen_id, myself.session_id)
    return reader.go("/me/devices", "devices_out")


router = pages_router(devices, end, end_others)
