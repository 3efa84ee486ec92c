"""The room's statements; each module of the room calls them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import (
    CitizenRow,
    DeviceRow,
    SessionRow,
    SignedIn,
    SigningKeyRow,
)

q = sql.load(
    __file__,
    CitizenRow,
    SessionRow,
    DeviceRow,
    SignedIn,
    SigningKeyRow,
)
