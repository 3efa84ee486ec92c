"""Who may pass: guards for routers, and the caller for handlers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from civicmall.kernel.errors import NotFound

from . import acting
from .errors import NotAllowed, SecondFactorMissing, TokenInvalid
from .models import Caller, Role, Staff
from .narrow import within
from .tokens import Tokens, Who

Connection = ASGIConnection[Any, Any, Any, Any]


MINI_APP: Final = "mini_app"
"""The `opt` of a handler at `…/{shop}/…/{app}/…` that a mini-app may use with a token of its own:
the capability that the token must have been given for. No other door takes such a token.
"""


def who(connection: Connection, handler: BaseRouteHandler | None = None) -> Who:
    """Whose bearer token came. Raises SignInNeeded, TokenExpired, TokenInvalid, NotAllowed."""
    tokens: Tokens = connection.app.state.tokens
    found = tokens.bearer(_authorization(connection.scope["headers"]))
    if not isinstance(found, Caller):
        return found
    capability: str | None = None if handler is None else handler.opt.get(MINI_APP)
    if capability is not None:
        within(found, connection.path_params["shop"], connection.path_params["app"], capability)
    elif found.app:
        raise TokenInvalid(reason="audience")
    return found


def _authorization(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The header as it came: the framework would first make a mapping of all of them."""
    for name, value in headers:
        if name == b"authorization":
            return value
    return b""


async def citizen_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: a signed-in citizen, or who acts for one and may do this. Raises ActingNotAllowed."""
    found = who(connection, handler)
    if not isinstance(found, Caller):
        raise NotAllowed
    if found.actor is not None:
        scope: Any = connection.scope
        acting.check(found.actor, scope["method"], handler.opt, connection.path_params.get("shop"))
    connection.scope["state"]["caller"] = found


async def enrolling_too(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: anybody who works here, also before they enrolled the second factor that they need."""
    found = who(connection)
    if not isinstance(found, Staff):
        raise NotAllowed
    connection.scope["state"]["staff"] = found


async def staff_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: anybody who works here. Raises SecondFactorMissing."""
    await enrolling_too(connection, handler)
    if connection.scope["state"]["staff"].enrolling:
        raise SecondFactorMissing


def must_be(staff: Staff, *roles: Role) -> None:
    """For verbs that pages call past the guards. Raises NotAllowed."""
    if staff.role not in roles or staff.enrolling:
        raise NotAllowed


async def _one_of(connection: Connection, handler: BaseRouteHandler, *roles: Role) -> None:
    await staff_only(connection, handler)
    must_be(connection.scope["state"]["staff"], *roles)


async def operator_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: operators of the platform."""
    await _one_of(connection, handler, "operator")


async def overseer_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: operators and auditors, for what the platform shows of itself and no citizen is in."""
    await _one_of(connection, handler, "operator", "auditor")


async def deciding_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: those who decide about money: operators, and managers for their department."""
    await _one_of(connection, handler, "operator", "manager")


async def manager_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: managers of a department."""
    await _one_of(connection, handler, "manager")


async def working_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: those who do the work of a department or of the platform; auditors only look on."""
    await _one_of(connection, handler, "operator", "manager", "agent")


STAFF_GUARDS: Final = frozenset({
    enrolling_too, staff_only, operator_only, overseer_only, deciding_only, manager_only, working_only,
})  # fmt: skip
"""The guards that only staff pass."""


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
