"""What each role may do, over every door of the desks as the application has them."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from tests.city import City
from tests.rooms.identity.staff.steps import account, signed_in
from tests.rooms.identity.steps import problem

from civicmall import identity

SHOP: Final = "utility_bills"
OPEN: Final[dict[str, set[str]]] = {
    "enrolling_too": {"operator", "manager", "agent", "auditor"},
    "staff_only": {"operator", "manager", "agent", "auditor"},
    "working_only": {"operator", "manager", "agent"},
    "operator_only": {"operator"},
    "overseer_only": {"operator", "auditor"},
    "deciding_only": {"operator", "manager"},
    "manager_only": {"manager"},
}
"""Guard → who passes; said here once more, so that a guard that lets others in is seen."""
READS_BY_POST: Final[set[str]] = set()
"""Doors that change nothing and are asked by POST all the same."""


def doors(city: City) -> list[tuple[str, str, set[str]]]:
    """Method, path and guards of every door that staff alone pass."""
    untyped: Any = city
    routes: Any = untyped.parts_app.routes
    names = {guard.__name__ for guard in identity.STAFF_GUARDS}
    found: list[tuple[str, str, set[str]]] = []
    for route in routes:
        for handler in route.route_handlers:
            if not isinstance(handler, HTTPRouteHandler):
                continue
            any_typed: Any = handler
            passed: list[Any] = any_typed.resolve_guards()
            guards = {str(getattr(one, "__name__", "")) for one in passed} & names
            found += [
                (method, route.path, guards)
                for method in sorted(handler.http_methods)
                if guards and method != "OPTIONS"
            ]
    return found


@pytest.fixture(scope="module")
def all_doors(city: City) -> list[tuple[str, str, set[str]]]:
    """Of an application like the one that runs."""
    from civicmall import app

    untyped: Any = city
    untyped.parts_app = app.create_app(city.settings, city.parts.registry).app
    return doors(city)


async def ask(client: httpx.AsyncClient, method: str, path: str) -> httpx.Response:
    """With ids that nobody has; no body that any door would take."""
    filled = path
    for part in path.split("/"):
        if part.startswith("{"):
            kind = part.rstrip("}").partition(":")[2]
            value = {"uuid": str(uuid4()), "date": "2026-01-01"}.get(kind, "nothing")
            filled = filled.replace(part, value, 1)
    body: dict[str, Any] | None = None if method == "GET" else {}
    return await client.request(method, filled, json=body, headers={"idempotency-key": uuid4().hex})


async def test_every_role_gets_through_its_own_doors_only(
    city: City, all_doors: list[tuple[str, str, set[str]]]
) -> None:
    assert len(all_doors) > 35
    clients = {
        "operator": await city.operator(),
        "manager": await city.department(SHOP),
        "agent": await signed_in(city, await account(city, "agent", SHOP)),
        "auditor": await city.department("auditor"),
    }
    wrong: list[str] = []
    for method, path, guards in all_doors:
        may = {role for role in clients if all(role in OPEN[guard] for guard in guards)}
        for role, client in clients.items():
            answer = await ask(client, method, path)
            refused = answer.status_code == 403 and problem(answer)[1] == "not-allowed"
            if refused == (role in may) and not (refused and path.endswith("/counter")):
                wrong.append(f"{role} {method} {path}: {answer.status_code}")
            assert answer.status_code < 500 or answer.status_code == 503, f"{path}: {answer.text}"
    assert wrong == []


async def test_an_auditor_changes_nothing(all_doors: list[tuple[str, str, set[str]]]) -> None:
    """By the guards alone: whatever isn't GET is closed to auditors, but for their own account."""
    open_to_auditors = [
        f"{method} {path}"
        for method, path, guards in all_doors
        if method != "GET" and all("auditor" in OPEN[guard] for guard in guards)
    ]
    own = [one for one in open_to_auditors if one.split()[1].startswith("/v1/staff/")]
    assert set(open_to_auditors) - set(own) - READS_BY_POST == set()


async def test_no_citizen_and_nobody_gets_in(
    city: City, all_doors: list[tuple[str, str, set[str]]]
) -> None:
    citizen, nobody = await city.newcomer("graduate"), await city.anonymous()
    for method, path, _ in all_doors:
        assert problem(await ask(citizen, method, path)) == (403, "not-allowed"), path
        assert problem(await ask(nobody, method, path)) == (401, "sign-in-needed"), path


async def test_another_department_sees_and_decides_nothing_of_ours(city: City) -> None:
    for role in ("manager", "agent"):
        theirs = await signed_in(city, await account(city, role, "public_security"))
        for path in ("cases", "payments", "refunds", "ratings", "rectifications", "releases"):
            items = (await theirs.get(f"/v1/desk/{path}")).json()["items"]
            assert {one["shop"] for one in items} <= {"public_security"}
        asked = await theirs.get("/v1/desk/settlement", params={
            "shop": SHOP, "from": "2026-01-01", "to": "2026-01-31",
        })  # fmt: skip
        assert asked.status_code == 404


async def test_a_role_of_before_is_none_today(city: City) -> None:
    """A token from before the roles were told apart; its refresh token gets another."""
    me = (await (await city.department(SHOP)).get("/v1/staff/me")).json()
    now = int(city.house.clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": city.url, "aud": "civicmall", "sub": me["staff_id"], "sid": me["session_id"],
        "iat": now, "exp": now + 600, "role": "department", "name": "x", "shop": SHOP,
    }  # fmt: skip
    old = await city.client(city.parts.tokens.signing.sign("at+jwt", claims))
    assert problem(await old.get("/v1/staff/me")) == (401, "token-invalid")
    assert (await city.house.db.fetchval("select count(*) from identity.staff where role = 'department'")) == 0  # fmt: skip
