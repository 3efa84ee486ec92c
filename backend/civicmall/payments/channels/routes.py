"""Doors of channels: which there are."""

from __future__ import annotations

from litestar import Router, get
from litestar.di import NamedDependency
from msgspec import Struct

from civicmall.kernel.http import Page, problems, public
from civicmall.payments.models import ChannelName

from . import Channels


class ShownChannel(Struct, frozen=True):
    """A way to pay; `name` is what `pay` takes."""

    name: ChannelName
    title: dict[str, str]
    """`zh-CN` and `en`."""


@get("/channels", responses=problems(), summary="Ways to pay in this city")
async def channels(channels: NamedDependency[Channels]) -> Page[ShownChannel]:
    return Page([ShownChannel(one.name, dict(one.title)) for one in channels.all()], None)


routers = [Router("/v1", route_handlers=[channels], guards=[public], tags=["payments"])]
