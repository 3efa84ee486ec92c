"""The pages of passkeys and devices, as a browser without its script sees them, and as one with it sends."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.identity.passkeys.authenticator import Authenticator
from tests.rooms.identity.passkeys.steps import device
from tests.rooms.identity.steps import new_phone

from civicmall.kernel import ids

OPTIONS = re.compile(r'data-options="([^"]+)"')
CEREMONY = re.compile(r'name="ceremony" value="([^"]+)"')


def asked(page: str) -> tuple[str, dict[str, Any]]:
    """Ceremony and options of the form on a page."""
    options, ceremony = OPTIONS.search(page), CEREMONY.search(page)
    assert options, page
    assert ceremony
    return ceremony[1], json.loads(html.unescape(options[1]))


async def signed_in(city: City) -> Visitor:
    """A citizen in a browser."""
    who = await visitor(city)
    await who.sign_in(new_phone())
    return who


async def added(who: Visitor, city: City, name: str = "mine") -> Authenticator:
    """A passkey, through the page."""
    ceremony, options = asked(await who.get("/me/passkeys"))
    key = device(city)
    said = json.dumps(key.make(options))
    there = await who.to("/me/passkeys", ceremony=ceremony, credential=said, name=name)
    assert there == "/me/passkeys"
    return key


async def long_ago(city: City, client: httpx.AsyncClient) -> None:
    """Let the last sign-in of a browser be eleven minutes ago."""
    session = city.parts.tokens.check(client.cookies["cm_access"]).session_id
    await city.house.db.execute(
        "update identity.session set created_at = now() - interval '11 minutes'"
        " where bucket = $1 and id = $2",
        *(ids.bucket_of(session), session),
    )


async def test_from_the_page_of_passkeys_to_signing_in_by_one(city: City) -> None:
    who = await signed_in(city)
    assert "您还没有通行密钥" in await who.get("/me/passkeys")
    key = await added(who, city, "<b>老伴</b> & 我")
    page = await who.get("/me/passkeys")
    assert "&lt;b&gt;老伴&lt;/b&gt; &amp; 我" in page
    assert "通行密钥已添加" in page

    other = await visitor(city)
    ceremony, options = asked(await other.get("/login?next=/me/devices"))
    said = json.dumps(key.sign(options))
    there = await other.to("/login/passkey", ceremony=ceremony, credential=said, next="/me/devices")
    assert there == "/me/devices"
    devices = await other.get("/me/devices")
    assert "（通行密钥）" in devices
    assert "（验证码）" in devices
    assert "127.0.0.0/24" in devices


async def test_a_ceremony_belongs_to_the_browser_whose_page_asked(city: City) -> None:
    """Somebody who gets another browser to send their own answer would sign that browser in as them."""
    who = await signed_in(city)
    key = await added(who, city)
    thief, victim = await visitor(city), await visitor(city)
    await victim.get("/login")
    ceremony, options = asked(await thief.get("/login"))
    form = {"ceremony": ceremony, "credential": json.dumps(key.sign(options)), "next": "/me"}
    answer = await victim.post("/login/passkey", status=409, **form)
    assert "cm_access" not in victim.client.cookies
    assert "请重新使用通行密钥" in answer.text
    foreign = await thief.client.post(
        "/login/passkey", data=form, headers={"origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    assert await thief.to("/login/passkey", **form) == "/me"
    await thief.post("/login/passkey", status=409, **form)


async def test_a_page_that_lay_open_beside_another_still_works(city: City) -> None:
    who = await signed_in(city)
    key = await added(who, city)
    other = await visitor(city)
    first, second = asked(await other.get("/login")), asked(await other.get("/login"))
    for ceremony, options in (second, first):
        form = {"ceremony": ceremony, "credential": json.dumps(key.sign(options))}
        assert await other.to("/login/passkey", **form) == "/"


async def test_long_after_signing_in_the_page_sends_to_sign_in_again_and_back(city: City) -> None:
    who = await visitor(city)
    phone = new_phone()
    await who.sign_in(phone)
    key = await added(who, city)
    await long_ago(city, who.client)
    before = who.client.cookies["cm_access"]
    page = await who.get("/me/passkeys")
    assert OPTIONS.search(page) is None
    again = "/login?again=1&next=/me/passkeys"
    assert html.escape(again) in page
    (one,) = re.findall(r"/me/passkeys/([\w-]+)/remove", page)
    home = {"origin": city.url, "referer": f"{city.url}/me/passkeys"}
    answer = await who.client.post(f"/me/passkeys/{one}/remove", headers=home)
    assert answer.headers["location"] == "/login?again=1&next=%2Fme%2Fpasskeys"
    answer = await who.client.post(
        "/me/passkeys", data={"ceremony": "x", "credential": json.dumps(key.make(_creation()))},
        headers=home,
    )  # fmt: skip
    assert answer.headers["location"] == "/login?again=1&next=%2Fme%2Fpasskeys"

    assert 'action="/login/code"' in await who.get(again), "though somebody is signed in"
    assert await who.sign_in(phone, "/me/passkeys") == "/me/passkeys"
    assert OPTIONS.search(await who.get("/me/passkeys"))
    old = await city.client(before)
    assert (await old.get("/v1/me")).status_code == 401, "the session before is nobody's any more"
    assert (await who.client.get("/login")).headers["location"] == "/"
    assert await who.to(f"/me/passkeys/{one}/remove") == "/me/passkeys"
    assert "通行密钥已移除" in await who.get("/me/passkeys")


def _creation() -> dict[str, Any]:
    return {"user": {"id": "AAAA"}, "challenge": "AAAA"}


async def test_names_are_kept_and_strangers_get_nothing(city: City) -> None:
    who, stranger = await signed_in(city), await signed_in(city)
    await added(who, city)
    page = await who.get("/me/passkeys")
    (one,) = re.findall(r"/me/passkeys/([\w-]+)/remove", page)
    await stranger.post(f"/me/passkeys/{one}/remove", status=404)
    await stranger.post(f"/me/passkeys/{one}/name", status=404, name="x")
    assert await who.to(f"/me/passkeys/{one}/name", name="  desk ") == "/me/passkeys"
    assert "<strong>desk</strong>" in await who.get("/me/passkeys")


NOBODYS = "00000000-0000-7000-8000-000000000007"
"""An id that nothing has."""


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/me/passkeys", {}, 400),
        ("/me/passkeys", {"ceremony": "x"}, 400),
        ("/me/passkeys", {"ceremony": "x", "credential": "{"}, 400),
        ("/me/passkeys", {"ceremony": "x", "credential": "[" * 2_000}, 400),
        ("/me/passkeys", {"ceremony": "x" * 1_001, "credential": "{}"}, 400),
        ("/me/passkeys", {"ceremony": "x", "credential": "x" * 32_001}, 400),
        ("/me/passkeys", {"Ceremony": "x", "CREDENTIAL": "{}"}, 400),
        ("/me/passkeys/x/remove", {}, 404),
        (f"/me/passkeys/{NOBODYS}/remove", {}, 404),
        (f"/me/passkeys/{NOBODYS}/name", {"name": "x" * 61}, 400),
        (f"/me/passkeys/{NOBODYS}/name", {"name": "a\x01b"}, 400),
        ("/login/passkey", {}, 400),
        ("/login/passkey", {"ceremony": "x", "credential": "{}"}, 400),
        ("/login/passkey", {"ceremony": "ü", "credential": "null"}, 400),
        (f"/me/devices/{NOBODYS}/end", {}, 303),
        ("/me/devices/x/end", {}, 404),
    ],
)
async def test_a_form_that_is_not_as_it_should_be(
    city: City, path: str, form: dict[str, str], status: int
) -> None:
    who = await signed_in(city)
    answer = await who.client.post(path, data=form, headers={"origin": city.url})
    assert answer.status_code == status, answer.text
    assert (await who.client.get("/me/passkeys")).status_code == 200
    assert "您还没有通行密钥" in await who.get("/me/passkeys")


async def test_devices_are_signed_out_from_afar(city: City) -> None:
    phone = new_phone()
    first, second, third = [await visitor(city) for _ in range(3)]
    for who in (first, second, third):
        await who.sign_in(phone)
    page = await first.get("/me/devices")
    ends = re.findall(r'action="(/me/devices/[\w-]+/end)"', page)
    assert len(ends) == 2
    assert page.count("本机") == 1
    assert await first.to(ends[0]) == "/me/devices"
    gone = [w for w in (second, third) if (await w.client.get("/me")).status_code != 200]
    assert len(gone) == 1
    assert await first.to("/me/devices/end-others") == "/me/devices"
    assert "其他设备均已退出登录" in await first.get("/me/devices")
    for who in (second, third):
        assert (await who.client.get("/me")).headers["location"].startswith("/login")
    assert "end-others" not in await first.get("/me/devices")


async def test_the_consoles_pages(city: City) -> None:
    client = await city.client()
    client.headers.pop("authorization", None)
    home = {"origin": city.url}

    async def post(path: str, **form: str) -> httpx.Response:
        return await client.post(path, data=form, headers=home)

    page = await client.get("/console/login/passkey?next=/console/shops")
    ceremony, options = asked(page.text)
    assert 'href="/console/login?next=%2Fconsole%2Fshops"' in page.text
    assert (await client.get("/console/passkeys")).headers["location"].startswith("/console/login")
    assert (
        await post("/console/login", username="operator", password="sandbox-only")
    ).status_code == 303
    session = client.cookies["cm_staff_access"]
    adding, creation = asked((await client.get("/console/passkeys")).text)
    key = device(city)
    bad = json.dumps(key.make(creation, flags=1))
    refused = await post("/console/passkeys", ceremony=adding, credential=bad, name="desk")
    assert refused.status_code == 422
    assert "该通行密钥无法添加" in refused.text
    for form in (
        {},
        {"ceremony": adding, "credential": "["},
        {"ceremony": adding, "credential": "null"},
    ):
        assert (await post("/console/passkeys", **form)).status_code == 400
    said = json.dumps(key.make(creation))
    done = await post("/console/passkeys", ceremony=adding, credential=said, name="desk")
    assert done.headers["location"] == "/console/passkeys?done=add"
    assert client.cookies["cm_staff_access"] != session, "a session that says so"
    again = await post("/console/passkeys", ceremony=adding, credential=said, name="desk")
    assert again.status_code == 409
    page = await client.get("/console/passkeys?done=add")
    (one,) = re.findall(r"/console/passkeys/([\w-]+)/remove", page.text)
    named = await post(f"/console/passkeys/{one}/name", name="new <name>")
    assert named.headers["location"] == "/console/passkeys?done=name"
    assert "new &lt;name&gt;" in (await client.get("/console/passkeys")).text
    assert (await post(f"/console/passkeys/{uuid4()}/name", name="x")).status_code == 404
    assert (await post("/console/passkeys/x/remove")).status_code == 404
    assert (await client.get(f"/console/passkeys/{one}/remove")).headers[
        "location"
    ] == "/console/passkeys"

    await post("/console/logout")
    wrong = await post(
        "/console/login/passkey", ceremony="x", credential=json.dumps(key.sign(options))
    )
    assert wrong.status_code == 409
    form = {
        "ceremony": ceremony,
        "credential": json.dumps(key.sign(options)),
        "next": "/console/shops",
    }
    entered = await post("/console/login/passkey", **form)
    assert entered.headers["location"] == "/console/shops"
    assert (await client.get("/console/shops")).status_code == 200
    gone = await post(f"/console/passkeys/{one}/remove")
    assert gone.headers["location"] == "/console/passkeys?done=remove"


async def test_the_script_is_served_and_asks_nobody_else(city: City) -> None:
    page = (await (await city.anonymous()).get("/login")).text
    found = re.search(r'src="(/static/identity/passkeys\.js\?v=\w+)"', page)
    assert found
    script = await (await city.anonymous()).get(found[1])
    assert script.status_code == 200
    assert "immutable" in script.headers["cache-control"]
    assert "//" not in re.sub(r"^\s*//.*$", "", script.text, flags=re.MULTILINE), "no address"
