"""Every operation of the OpenAPI document, with data that fits it and data that doesn't.

Whoever asks, nothing ends in a fault of ours, and every answer is one that the document knows:
its status, its kind, its headers, its shape.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (schemathesis leaves its own generics open)

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec
import pytest
import pytest_asyncio
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks
from tests.city import City

from civicmall.identity import Caller, Staff
from civicmall.kernel import ids

MANY, FEW = 20, 1
"""Examples of each kind for whom an operation is meant, and for everybody else."""
PEOPLE: Final = ("anonymous", "citizen", "operator", "department")
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE


def bad_bodies_are_refused(ctx: Any, response: Any, case: Any) -> bool | None:
    """Unknown query parameters are passed over; an unknown member of a body is not."""
    body = case.meta.components.get(ParameterLocation.BODY) if case.meta else None
    if body is None or not body.mode.is_negative:
        return None
    return checks.negative_data_rejection(ctx, response, case)


CHECKS: Final = [
    bad_bodies_are_refused,
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


class Ground:
    """Things that are there, so that some requests get further than `not found`."""

    def __init__(
        self, city: City, citizen: UUID, staff: dict[str, Staff], known: dict[str, str]
    ) -> None:
        self.city = city
        self.citizen = citizen
        self.staff = staff
        self.known = known

    def token(self, who: str) -> str | None:
        """A session of its own, because some operations end it."""
        if who == "anonymous":
            return None
        known = self.staff.get(who)
        session = ids.new(ids.bucket_of(known.staff_id if known else self.citizen))
        found: Caller | Staff = (
            msgspec.structs.replace(known, session_id=session)
            if known
            else Caller(self.citizen, session, 2)
        )
        return str(self.city.parts.tokens.access(found))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ground(city: City) -> Ground:
    """A citizen with a paid order, a bad rating, messages."""
    client = await city.citizen("near_retirement_man")
    me = UUID((await client.get("/v1/me")).json()["id"])
    bills = (await client.get("/v1/shops/utility_bills/apps/power/bills")).json()["items"]
    ref = {"shop": "utility_bills", "app": "power", "charge_id": bills[0]["id"]}
    key = {"idempotency-key": "ground"}
    order = (await client.post("/v1/orders", json={"charges": [ref]}, headers=key)).json()
    cashier = (await client.post(f"/v1/orders/{order['id']}/pay", json={})).json()
    await client.post(f"/v1/sandbox/cashier/{order['id']}", json={"token": cashier["token"]})
    await city.settled()
    ask = {"subject": {"kind": "order", "id": order["id"]}, "stars": 1}
    rating = (await client.post("/v1/ratings", json=ask, headers=key)).json()
    await city.settled()
    message = (await client.get("/v1/inbox")).json()["items"][0]
    item = (await client.get("/v1/catalogue/items")).json()["items"][0]
    known = {
        "shop": "utility_bills", "app": "power", "bill": bills[0]["id"], "order_id": order["id"],
        "ticket": rating["id"], "message": message["id"], "code": item["code"],
        "item": item["code"], "channel": "sandbox",
    }  # fmt: skip
    operator, department = await city.operator(), await city.department("utility_bills")
    staff = {"operator": _staff(city, operator), "department": _staff(city, department)}
    return Ground(city, me, staff, known)


def _staff(city: City, client: httpx.AsyncClient) -> Staff:
    """Whose client it is: somebody whose account is there."""
    found = city.parts.tokens.check(client.headers["authorization"].split()[1])
    assert isinstance(found, Staff)
    return found


def _meant_for(operation: Any) -> tuple[str, ...]:
    """Whom the document says that an operation is for."""
    schemes = {name for each in operation.definition.raw.get("security", []) for name in each}
    if schemes == {"citizen"}:
        return ("citizen",)
    return ("operator", "department") if schemes == {"staff"} else ("anonymous",)


def _named(operation: Any) -> set[str]:
    """The operation's path parameters."""
    return {parameter.name for parameter in operation.path_parameters}


def _cases(operation: Any, known: dict[str, str]) -> Any:
    """Good data, bad data, and good data about things that are there."""
    kinds = [operation.as_strategy(generation_mode=POSITIVE)]
    if operation.body or any(True for _ in operation.iter_parameters()):
        kinds.append(operation.as_strategy(generation_mode=NEGATIVE))
    if there := {name: known[name] for name in _named(operation) if name in known}:
        kinds.append(operation.as_strategy(generation_mode=POSITIVE, path_parameters=there))
    return st.one_of(kinds)


def _try(operation: Any, who: str, place: Ground, examples: int) -> None:
    """So many requests as somebody; raises at the first answer that the document doesn't know."""
    token = place.token(who)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    with requests.Session() as session:

        @how(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        @given(case=_cases(operation, place.known))
        def run(case: Any) -> None:
            case.call_and_validate(
                base_url=place.city.url, session=session, headers=headers, checks=CHECKS
            )

        run()


async def _in_a_thread(work: Callable[[], None]) -> None:
    """The server needs this loop; a thread that outlives a failing test would hold the run."""
    ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def body() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (handed on)
            failed = error
            ended.get_loop().call_soon_threadsafe(lambda: ended.set_exception(failed))
        else:
            ended.get_loop().call_soon_threadsafe(ended.set_result, None)

    threading.Thread(target=body, daemon=True).start()
    await ended


@pytest.mark.parametrize("who", PEOPLE)
async def test_every_answer_is_in_the_document(city: City, ground: Ground, who: str) -> None:
    document = (await (await city.anonymous()).get("/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 50
    failures: list[str] = []

    def all_of_them() -> None:
        for operation in operations:
            meant = who in _meant_for(operation)
            try:
                _try(operation, who, ground, MANY if meant else FEW)
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 (all are told at once)
                failures.append(f"{operation.label} as {who}\n{error}")

    await _in_a_thread(all_of_them)
    assert not failures, "\n\n".join(failures)
