"""Who may pass: guards for routers, and the caller for handlers."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from civicmall.kernel.errors import NotFound

from .errors import NotAllowed, SignInNeeded, TokenInvalid
from .models import Caller, Staff
from .tokens import Tokens, Who

Connection = ASGIConnection[Any, Any, Any, Any]


def who(connection: Connection) -> Who:
    """Whose bearer token came. Raises SignInNeeded, TokenExpired, TokenInvalid."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if not token:
        raise SignInNeeded
    if scheme.lower() != "bearer":
        raise TokenInvalid(reason="scheme")
    tokens: Tokens = connection.app.state.tokens
    return tokens.check(token.strip())


async def citizen_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: a signed-in citizen."""
    found = who(connection)
    if not isinstance(found, Caller):
        raise NotAllowed
    connection.scope["state"]["caller"] = found


async def staff_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: anybody who works here."""
    found = who(connection)
    if not isinstance(found, Staff):
        raise NotAllowed
    connection.scope["state"]["staff"] = found


async def operator_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: operators of the platform."""
    await staff_only(connection, handler)
    if connection.scope["state"]["staff"].role != "operator":
        raise NotAllowed


async def sandbox_only(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: the sandbox's own doors, which a real city doesn't have."""
    if not connection.app.state.house.settings.sandbox:
        raise NotFound


def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """Dependency `caller`, under the guard `citizen_only`."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def provide_staff(request: Request[Any, Any, Any]) -> Staff:
    """Dependency `staff`, under a staff guard."""
    staff: Staff = request.scope["state"]["staff"]
    return staff
