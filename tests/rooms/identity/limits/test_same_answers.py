"""Known or unknown: the same answer, byte by byte, by the same statements, in about the same time.

Which statements run is what time depends on, and can be compared exactly. The time itself is compared
by medians of interleaved calls within a wide ratio: a hash left out or a message sent to one kind
only would differ by far more.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from typing import Any

import httpx
from tests.city import City
from tests.rooms.identity.staff.steps import account as staff_account
from tests.rooms.identity.steps import code_for, new_phone, pair_for

from civicmall import identity
from civicmall.identity import StaffSignIn, WrongPassword, service
from civicmall.identity.errors import CodeUsedUp, WrongCode
from civicmall.identity.models import SignIn
from civicmall.kernel import sql
from civicmall.kernel.house import House

ROUNDS = 15
RATIO = 3.0
"""Wider than the machine's noise between medians, narrower than the hash of a password is to none."""
FLOOR_S = 0.004
"""Below this, noise is larger than the thing."""


@contextmanager
def statements() -> Any:
    """The names of the statements that run meanwhile."""
    seen: list[str] = []
    adapter: Any = vars(sql)["_Adapter"]
    kept = {name: getattr(adapter, name) for name in ("_args",)}

    def args(self: Any, name: str, given: dict[str, Any]) -> list[Any]:
        seen.append(name)
        return kept["_args"](self, name, given)

    adapter._args = args
    try:
        yield seen
    finally:
        adapter._args = kept["_args"]


async def ran(act: Awaitable[Any], *refusals: type[Exception]) -> tuple[list[str], str]:
    """Which statements an act took, and how it ended."""
    with statements() as seen:
        try:
            await act
            ended = "done"
        except refusals as error:
            ended = f"{type(error).__name__} {vars(error).get('extra')}"
    return list(seen), ended


async def seconds(act: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


async def alike(first: Callable[[], Awaitable[Any]], second: Callable[[], Awaitable[Any]]) -> None:
    """About as long, one as the other."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        times[0].append(await seconds(first))
        times[1].append(await seconds(second))
    one, other = (max(statistics.median(found), FLOOR_S) for found in times)
    assert max(one, other) / min(one, other) < RATIO, times


async def test_sending_a_code(house: House) -> None:
    known, unknown = new_phone(), new_phone()
    await identity.account(house, known)
    first = await ran(identity.send_code(house, known, "en"))
    assert "send_code" in first[0]
    assert await ran(identity.send_code(house, unknown, "en")) == first

    async def send(phone: str) -> None:
        await identity.send_code(house, phone, "en")

    knowns = [new_phone() for _ in range(ROUNDS)]
    for phone in knowns:
        await identity.account(house, phone)
    left = iter(knowns)
    await alike(lambda: send(next(left)), lambda: send(new_phone()))


async def test_a_wrong_code(house: House) -> None:
    known, unknown = new_phone(), new_phone()
    await identity.account(house, known)
    tokens = identity.Tokens(house.keys, "http://here", house.clock)
    for sent in (False, True):
        if sent:
            for phone in (known, unknown):
                await identity.send_code(house, phone, "en")
        found = [
            await ran(
                identity.sign_in(house, tokens, SignIn(phone, "000000")), WrongCode, CodeUsedUp
            )
            for phone in (known, unknown)
        ]
        assert found[0] == found[1]
        assert "try_code" in found[0][0]


async def test_the_first_sign_in_and_a_later_one(house: House) -> None:
    """Making the account takes the same statements as finding it."""
    known, unknown = new_phone(), new_phone()
    await identity.account(house, known)
    tokens = identity.Tokens(house.keys, "http://here", house.clock)

    async def signed_in(phone: str) -> Any:
        await identity.send_code(house, phone, "en")
        code = service.new_code(house, phone)
        return await ran(identity.sign_in(house, tokens, SignIn(phone, code)))

    first = await signed_in(known)
    assert first[1] == "done"
    assert await signed_in(unknown) == first

    async def whole(phone: str) -> None:
        await signed_in(phone)

    knowns = [new_phone() for _ in range(ROUNDS)]
    for phone in knowns:
        await identity.account(house, phone)
    left = iter(knowns)
    await alike(lambda: whole(next(left)), lambda: whole(new_phone()))


async def test_a_staff_account(house: House) -> None:
    """With a factor, without one, closed, waiting, or none of the name."""
    tokens = identity.Tokens(house.keys, "http://here", house.clock)
    there: Any = type("There", (), {"house": house})
    plain = await staff_account(there, "operator")
    closed = await staff_account(there, "operator")
    waiting = await staff_account(there, "operator")
    await house.db.execute("update identity.staff set active = false where username = $1", closed)
    await house.db.execute(
        "update identity.staff set wait_until = now() + interval '1 hour' where username = $1",
        waiting,
    )

    async def wrong(username: str) -> Any:
        ask = StaffSignIn(username, "not the one at all")
        return await ran(identity.staff_sign_in(house, tokens, ask), WrongPassword)

    first = await wrong("nobody of this name")
    assert first == (["staff", "staff_failed"], "WrongPassword {}")
    for username in (plain, closed, waiting):
        assert await wrong(username) == first
    await alike(lambda: wrong("nobody of this name"), lambda: wrong(plain))


async def test_the_answers_to_the_byte(city: City) -> None:
    known = new_phone()
    await pair_for(city, known)
    client = await city.anonymous()
    await client.post("/v1/sign-in/codes", json={"phone": new_phone()})  # it has its device id now

    def shown(answer: httpx.Response) -> tuple[Any, ...]:
        varying = {"x-trace-id", "date"}
        headers = {k: v for k, v in answer.headers.items() if k not in varying}
        trace = answer.headers["x-trace-id"].encode()
        return answer.status_code, headers, answer.content.replace(trace, b"")

    async def both(path: str, *bodies: dict[str, str]) -> None:
        first, *rest = [shown(await client.post(path, json=body)) for body in bodies]
        assert all(one == first for one in rest)

    unknown = new_phone()
    await both("/v1/sign-in/codes", {"phone": known}, {"phone": unknown})
    code = {"code": "000000"}
    await both("/v1/sign-in/tokens", {"phone": known, **code}, {"phone": unknown, **code})
    username = await staff_account(city, "operator")
    wrong = {"password": "not the one at all"}
    await both("/v1/staff/tokens", {"username": username, **wrong}, {"username": "nobody", **wrong})
    assert await code_for(city, known) != ""
