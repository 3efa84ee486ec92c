"""The operations of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.api.tour import Tour


async def channels(tour: Tour, nobody: httpx.AsyncClient) -> None:
    """What anybody may know of them."""
    await tour.go(nobody, "GET", "/v1/channels")
