"""A city's own authority over HTTP: what it says counts, if it is really its word."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey, RSAKey
from tests.city import City, running_city
from tests.patience import STALL_S
from tests.rooms.citizen_web.visitor import visitor
from tests.rooms.identity.levels.authority import Counterpart, counterpart
from tests.rooms.identity.levels.people import HOMES, Somebody, somebody
from tests.rooms.identity.steps import new_phone, problem, verified

from civicmall.identity import levels, outward
from civicmall.kernel.config import BadSetting, Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def authority() -> AsyncGenerator[Counterpart]:
    async with counterpart() as found:
        found.persons = {one.id_number: one.name for one in HOMES}
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Any, authority: Counterpart) -> AsyncGenerator[City]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIVICMALL_AUTHORITY_URL", authority.url)
        patch.setenv("CIVICMALL_AUTHORITY_PUBLIC_KEY", authority.pem())
        async with running_city(settings, registry) as found:
            authority.platform = found.url
            yield found


@pytest.fixture(autouse=True)
def honest(authority: Counterpart) -> None:
    authority.right()


async def test_the_register_is_asked_and_believed(city: City, authority: Counterpart) -> None:
    one = await somebody(city)
    person = HOMES[0]
    wrong = await verified(one.client, "查无此人", person.id_number)
    assert problem(wrong) == (422, "not-in-register")
    answer = await verified(one.client, person.name, person.id_number)
    assert answer.json()["profile"]["facts"] == {"sex": "female"}
    first, second = authority.questions
    assert first["jti"] != second["jti"]
    assert await one.level() == 2


def _unanswered(a: Counterpart) -> None:
    """The answer to one question, given to another."""
    a.claims = {"in_reply_to": "another"}


WRONG: dict[str, Callable[[Counterpart], object]] = {
    "another key": lambda a: setattr(a, "signer", a.other),
    "another type": lambda a: a.header.update(typ="JWT"),
    "our own type": lambda a: a.header.update(typ="authority-ask+jwt"),
    "another sender": lambda a: a.claims.update(iss="https://elsewhere.example"),
    "another receiver": lambda a: a.claims.update(aud="https://elsewhere.example"),
    "another question": _unanswered,
    "long ago": lambda a: a.claims.update(iat=1_700_000_000),
    "at no time": lambda a: a.claims.update(iat="now"),
    "neither yes nor no": lambda a: a.claims.update(match="yes"),
    "unsigned": lambda a: setattr(a, "raw", a.nothing()),
    "nothing": lambda a: setattr(a, "raw", b""),
    "too much": lambda a: setattr(a, "raw", b" " * 140_000),
    "a refusal": lambda a: setattr(a, "status", 403),
    "a redirect": lambda a: setattr(a, "status", 302),
    "a fault": lambda a: setattr(a, "status", 500),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_not_its_word_raises_nobody(
    city: City, authority: Counterpart, name: str
) -> None:
    WRONG[name](authority)
    one = await somebody(city)
    answer = await verified(one.client, HOMES[1].name, HOMES[1].id_number)
    assert problem(answer) == (503, "authority-away")
    assert await one.level() == 1


async def test_one_that_hangs_is_given_up(
    city: City, authority: Counterpart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outward, "DEADLINE_S", 0.3)
    authority.hang_s = 30.0
    one = await somebody(city)
    began = time.monotonic()
    answer = await verified(one.client, HOMES[1].name, HOMES[1].id_number)
    assert problem(answer) == (503, "authority-away")
    assert time.monotonic() - began < 0.3 + STALL_S


async def checked(city: City, home: int) -> tuple[Somebody, dict[str, Any], str]:
    """Somebody with an open face check, and the authority's ticket for it."""
    one = await somebody(city, HOMES[home])
    check: dict[str, Any] = (await one.post("/v1/me/face-checks")).json()
    return one, check, urlsplit(str(check["url"])).path.rpartition("/")[2]


async def result(one: Somebody, check: dict[str, Any]) -> httpx.Response:
    return await one.post(f"/v1/me/face-checks/{check['id']}/result")


async def test_a_face_check_there(city: City, authority: Counterpart) -> None:
    one, check, ticket = await checked(city, 2)
    asked = authority.questions[-1]
    assert (asked["name"], asked["id_number"]) == (HOMES[2].name, HOMES[2].id_number)
    assert asked["back"] == f"{city.url}/verify/face/{check['id']}"
    assert problem(await result(one, check)) == (409, "face-check-waiting")
    authority.faces[ticket]["state"] = "passed"
    assert (await result(one, check)).json()["profile"]["level"] == 3
    assert problem(await result(one, check)) == (409, "face-check-over")


async def test_a_forged_result_raises_nobody(city: City, authority: Counterpart) -> None:
    one, check, ticket = await checked(city, 3)
    authority.faces[ticket]["state"] = "passed"
    authority.signer = authority.other
    assert problem(await result(one, check)) == (503, "authority-away")
    assert await one.level() == 2
    authority.right()
    assert (await result(one, check)).is_success, "and the real one still counts"


async def test_somebody_elses_result_raises_nobody(city: City, authority: Counterpart) -> None:
    one, check, ticket = await checked(city, 4)
    authority.faces[ticket] = {"state": "passed", "id_number": HOMES[5].id_number}
    assert problem(await result(one, check)) == (409, "face-of-another")
    assert await one.level() == 2


@pytest.mark.parametrize(
    "said",
    [{"url": "http://elsewhere.example/"}, {"url": "javascript:alert(1)"}, {"ticket": ""}, {"ticket": "中"}, {"url": 7}],
)  # fmt: skip
async def test_a_page_that_is_none(
    city: City, authority: Counterpart, said: dict[str, Any]
) -> None:
    one = await somebody(city, HOMES[6 + len(str(said))])
    authority.claims = said
    assert problem(await one.post("/v1/me/face-checks")) == (503, "authority-away")


async def test_the_browser_is_led_there_by_a_page_of_ours(
    city: City, authority: Counterpart
) -> None:
    one = await visitor(city, "en")
    await one.sign_in(new_phone())
    person = HOMES[70]
    await one.to("/verify", name=person.name, id_number=person.id_number, next="/")
    page = (await one.post("/verify/face", 200, next="/orders")).text
    assert f"url={authority.url}/page/t-" in page
    await one.get(f"/sandbox/face/{page.partition('/page/t-')[2][:36]}", 404)


ENV = {
    "CIVICMALL_AUTHORITY_URL": "https://authority.example",
    "CIVICMALL_AUTHORITY_PUBLIC_KEY": Counterpart.key.as_pem(private=False).decode(),
}
P384 = ECKey.generate_key("P-384").as_pem(private=False).decode()
BIG = RSAKey.generate_key(2048).as_pem(private=False).decode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CIVICMALL_AUTHORITY_URL": "http://authority.example"}, "CIVICMALL_AUTHORITY_URL"),
        ({"CIVICMALL_AUTHORITY_URL": ""}, "CIVICMALL_AUTHORITY_URL"),
        ({"CIVICMALL_AUTHORITY_PUBLIC_KEY": ""}, "CIVICMALL_AUTHORITY_PUBLIC_KEY"),
        ({"CIVICMALL_AUTHORITY_PUBLIC_KEY": "/nowhere"}, "CIVICMALL_AUTHORITY_PUBLIC_KEY"),
        ({"CIVICMALL_AUTHORITY_PUBLIC_KEY": P384}, "CIVICMALL_AUTHORITY_PUBLIC_KEY"),
        ({"CIVICMALL_AUTHORITY_PUBLIC_KEY": "-----BEGIN X"}, "CIVICMALL_AUTHORITY_PUBLIC_KEY"),
    ],
)
def test_a_wrong_setting_is_named(city: City, change: dict[str, str], named: str) -> None:
    untyped: Any = None
    with pytest.raises(BadSetting) as caught:
        levels.open_authority(city.house, untyped, city.parts.tokens.signing, ENV | change)
    assert caught.value.name == named


def test_a_city_opens_what_is_set(city: City) -> None:
    untyped: Any = None
    signing = city.parts.tokens.signing
    rsa = ENV | {"CIVICMALL_AUTHORITY_PUBLIC_KEY": BIG}
    assert levels.open_authority(city.house, untyped, signing, rsa)
    sandbox = levels.open_authority(city.house, untyped, signing, {})
    assert isinstance(sandbox.faces, levels.SandboxAuthority)
    real = msgspec.structs.replace(city.house.settings, sandbox=False)
    none = levels.open_authority(
        msgspec.structs.replace(city.house, settings=real), untyped, signing, {}
    )
    assert not isinstance(none.faces, levels.SandboxAuthority)
