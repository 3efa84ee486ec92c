"""What whoever watches the logs sees of signing in: each that worked, each that didn't, and nobody's data."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.city import City
from tests.rooms.identity.staff.steps import account, enrolled, finish, ticket
from tests.rooms.identity.steps import another, code_for, new_phone, problem, try_code

from civicmall.identity import limits
from civicmall.identity.limits import HEADER, Limit
from civicmall.kernel import logs


@pytest.fixture(autouse=True)
def from_info_on() -> Iterator[None]:
    """As in a city."""
    logs.configure(as_json=False)
    yield
    logs.configure(as_json=False, level=logging.WARNING)


def about(entries: list[Any], event: str) -> list[dict[str, Any]]:
    return [entry for entry in entries if entry["event"] == event]


async def test_a_code_in_vain_is_a_line_without_the_phone(city: City) -> None:
    phone, nobody = new_phone(), await city.anonymous()
    code = await code_for(city, phone)
    with capture_logs() as entries:
        await try_code(nobody, phone, another(code))
        await try_code(nobody, phone, code)
        await try_code(nobody, phone, code)
    wrong, used = about(entries, "sign_in.refused")
    assert (wrong["why"], wrong["tries_left"], used["why"]) == ("wrong", 4, "used up")
    assert phone not in str(entries)
    assert code not in str(entries)


async def test_staff_signing_in_or_not_is_a_line_with_their_id(city: City) -> None:
    nobody = await city.anonymous()
    ask = {"username": "medical_insurance", "password": "not-the-password"}
    with capture_logs() as entries:
        await nobody.post("/v1/staff/tokens", json=ask)
        await nobody.post("/v1/staff/tokens", json=ask | {"username": "my-password-by-mistake"})
        good = await nobody.post("/v1/staff/tokens", json=ask | {"password": "sandbox-only"})
    assert good.status_code == 200
    me = city.parts.tokens.check(good.json()["access_token"]).staff_id
    known, unknown = about(entries, "staff.refused")
    assert (known["staff"], unknown["staff"]) == (str(me), "nobody")
    assert {known["why"], unknown["why"]} == {"password"}
    (signed,) = about(entries, "staff.signed_in")
    assert (signed["staff"], signed["amr"]) == (str(me), ("pwd",))
    assert "by-mistake" not in str(entries)
    assert "not-the-password" not in str(entries)


async def test_a_second_factor_in_vain_is_a_line(city: City) -> None:
    username, nobody = await account(city, "operator"), await city.anonymous()
    phone, _, _ = await enrolled(city, username)
    shown, wrong = await ticket(nobody, username), phone.wrong()
    with capture_logs() as entries:
        await finish(nobody, shown, wrong)
        await nobody.post(
            "/v1/staff/tokens/recovery", json={"ticket": shown, "code": "abcd-efgh-jkmn"}
        )
        await finish(nobody, "x" * 43, wrong)
    assert [entry["why"] for entry in about(entries, "staff.refused")] == [
        "totp", "recovery", "ticket",
    ]  # fmt: skip
    assert shown not in str(entries)


async def test_a_full_limit_is_a_line_without_the_device(city: City, monkeypatch: Any) -> None:
    monkeypatch.setitem(limits.DEVICE, "send", Limit(1, 600))
    client = await city.anonymous()
    first = await client.post("/v1/sign-in/codes", json={"phone": new_phone()})
    given = {HEADER: first.headers[HEADER]}
    with capture_logs() as entries:
        last = await client.post("/v1/sign-in/codes", json={"phone": new_phone()}, headers=given)
        last = await client.post("/v1/sign-in/codes", json={"phone": new_phone()}, headers=given)
    assert problem(last) == (429, "too-many-tries")
    (line,) = about(entries, "limit.full")
    assert (line["act"], line["of"]) == ("send", "device")


async def test_who_may_not_is_a_line_of_the_access_log(city: City) -> None:
    """Refused authorization: status and route of each request, under its trace id."""
    operator_only = "/v1/desk/ledger"
    staff = await city.department("utility_bills")
    with capture_logs() as entries:
        assert (await staff.get(operator_only)).status_code == 403
        assert (await (await city.anonymous()).get(operator_only)).status_code == 401
    lines = about(entries, "request")
    assert [(one["route"], one["status"]) for one in lines] == [
        (operator_only, 403), (operator_only, 401),
    ]  # fmt: skip
