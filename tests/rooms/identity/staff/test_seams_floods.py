"""A flood at the staff's door: it keeps neither the others out nor the one who waits any longer."""

from __future__ import annotations

import pytest
from tests.city import City
from tests.rooms.identity.staff.steps import account, sign_in
from tests.rooms.identity.steps import problem

from civicmall.identity import passwords
from civicmall.identity.limits import STRANGERS, Limit


async def test_one_network_does_not_keep_all_passwords_busy(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking one takes a tenth of a second of a core: it isn't done for a flood."""
    monkeypatch.setitem(STRANGERS, "staff", Limit(3, 600))
    looked: list[str] = []
    slow = passwords.fits

    async def fits(kept: str | None, password: str) -> bool:
        looked.append(password)
        return await slow(kept, password)

    monkeypatch.setattr(passwords, "fits", fits)
    for _ in range(3):
        answer = await sign_in(await city.anonymous(), "nobody", "wrong")
        assert problem(answer) == (401, "wrong-password")
    answer = await sign_in(await city.anonymous(), "nobody", "wrong")
    assert problem(answer) == (429, "too-many-tries")
    assert int(answer.headers["retry-after"]) > 0
    page = await (await city.anonymous()).post(
        "/console/login",
        data={"username": "nobody", "password": "wrong"},
        headers={"origin": city.url},
    )
    assert page.status_code == 429
    assert page.headers["content-type"].startswith("text/html")
    assert len(looked) == 3


async def test_a_try_while_one_waits_makes_the_wait_no_longer(city: City) -> None:
    username = await account(city, "auditor")
    nobody = await city.anonymous()
    for _ in range(5):
        await sign_in(nobody, username, "wrong")
    read = "select failures, wait_until from identity.staff where username = $1"
    before = await city.house.db.fetchrow(read, username)
    assert before is not None
    assert before["wait_until"] is not None
    for password in ("wrong", "correct horse battery"):
        assert problem(await sign_in(nobody, username, password)) == (401, "wrong-password")
    assert await city.house.db.fetchrow(read, username) == before
