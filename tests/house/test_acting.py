"""Every door of citizens says which right who acts for them needs, or is listed here with its default.

A door that nobody decided about would be open to guardians and agents by omission.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.handlers import HTTPRouteHandler

from civicmall import app, identity
from civicmall.identity import acting
from civicmall.kernel.config import Settings
from civicmall.shops import Registry

BY_DEFAULT: Final = """\
GET /v1/cases
POST /v1/cases
POST /v1/cases/materials
GET /v1/cases/{case:uuid}
POST /v1/cases/{case:uuid}/supplements
POST /v1/cases/{case:uuid}/withdrawal
GET /v1/home
DELETE /v1/home/cards/{item:str}/feedback
POST /v1/home/cards/{item:str}/feedback
PUT /v1/home/settings
GET /v1/home/settings
GET /v1/inbox
POST /v1/inbox/read
GET /v1/inbox/unread
POST /v1/inbox/{message:uuid}/read
GET /v1/mandates
GET /v1/mandates/{mandate_id:uuid}
GET /v1/me
GET /v1/me/accesses
GET /v1/me/consents
GET /v1/me/consents/past
PUT /v1/me/consents/{shop:str}/{app:str}
DELETE /v1/me/consents/{shop:str}/{app:str}
DELETE /v1/me/consents/{shop:str}/{app:str}/{claim:str}
POST /v1/me/events
GET /v1/me/events
PUT /v1/me/events/{event:uuid}
DELETE /v1/me/events/{event:uuid}
GET /v1/me/facts
PUT /v1/me/facts
GET /v1/me/facts/objections
DELETE /v1/me/facts/{name:str}/objection
PUT /v1/me/facts/{name:str}/objection
PUT /v1/me/facts/{name:str}/recommendation
GET /v1/orders
GET /v1/orders/{order_id:uuid}
GET /v1/orders/{order_id:uuid}/insurance
GET /v1/orders/{order_id:uuid}/receipt
GET /v1/orders/{order_id:uuid}/receipt.pdf
POST /v1/orders/{order_id:uuid}/refunds
GET /v1/orders/{order_id:uuid}/refunds
POST /v1/ratings
GET /v1/ratings
GET /v1/rectifications
GET /v1/rectifications/{ticket:uuid}
POST /v1/rectifications/{ticket:uuid}/confirm
POST /v1/rectifications/{ticket:uuid}/reopen
GET /v1/shops/{shop:str}/apps/{app:str}/bills
GET /v1/shops/{shop:str}/apps/{app:str}/bills/{bill:str}
GET /v1/shops/{shop:str}/apps/{app:str}/bills/{bill:str}/receipt
POST /v1/shops/{shop:str}/apps/{app:str}/bookings
GET /v1/shops/{shop:str}/apps/{app:str}/bookings
DELETE /v1/shops/{shop:str}/apps/{app:str}/bookings/{booking:str}
GET /v1/shops/{shop:str}/apps/{app:str}/form
GET /v1/shops/{shop:str}/apps/{app:str}/progress
GET /v1/shops/{shop:str}/apps/{app:str}/progress/{matter:str}
GET /v1/shops/{shop:str}/apps/{app:str}/slots
"""
"""Doors whose right is the default: `view` for a GET, `apply` for the rest. Before a line is added: may a
child's parent, a relative, an enterprise's agent do this? Else the handler says `opt=acting.SELF`.
"""
ABOUT_THE_ACCOUNT: Final = (
    "/v1/me/verification", "/v1/me/session", "/v1/me/passkeys", "/v1/me/delegations", "/v1/me/links",
    "/v1/sign-in",
)  # fmt: skip
"""What begins so is its holder's alone."""


def doors(registry: Registry) -> dict[str, tuple[str, dict[str, Any], list[Any]]]:
    """Method and path of each door of citizens; its right, its `opt` and its guards."""
    settings = Settings.from_env({}, database_url="postgresql:///unused")
    routes: Any = app.create_app(settings, registry).app.routes
    found: dict[str, tuple[str, dict[str, Any], list[Any]]] = {}
    for route in routes:
        for handler in route.route_handlers:
            untyped: Any = handler
            if isinstance(handler, HTTPRouteHandler):
                guards: list[Any] = untyped.resolve_guards()
                if identity.citizen_only in guards:
                    for method in handler.http_methods - {"OPTIONS"}:
                        opt: dict[str, Any] = dict(handler.opt)
                        right = acting.needed(method, opt)
                        found[f"{method} {route.path}"] = (right, opt, guards)
    return found


def test_every_door_of_citizens_was_decided_about(registry: Registry) -> None:
    found = doors(registry)
    listed = {line for line in BY_DEFAULT.splitlines() if line}
    silent = {door for door, (_, opt, _) in found.items() if acting.ACTING not in opt}
    assert silent - listed == set(), "decide whether somebody may do this for another"
    assert listed - silent == set(), "gone, or decided about by the handler itself"
    assert {right for right, _, _ in found.values()} == {"no", "view", "apply", "pay"}


def test_what_is_about_the_account_is_nobody_elses(registry: Registry) -> None:
    for door, (right, _, _) in doors(registry).items():
        if door.partition(" ")[2].startswith(ABOUT_THE_ACCOUNT):
            assert right == "no", door


def test_a_door_for_the_limited_looks_at_the_shop_itself(registry: Registry) -> None:
    """An order or a case in the address: a guard sees to it that it lies within the shops given."""
    for door, (_, opt, guards) in doors(registry).items():
        if opt.get(acting.SCOPED) and ("{order_id" in door or "{case" in door):
            assert len(guards) > 1, door
