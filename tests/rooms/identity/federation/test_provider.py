"""Through npm's oidc-provider, with a browser and with the mobile app's doors."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey
from tests.city import City, running_city
from tests.rooms.citizen_web.visitor import Visitor, visitor
from tests.rooms.identity.federation.others import SECRET, provider, sign_in_there
from tests.rooms.identity.steps import code_for, problem, try_code
from tests.serving import free_port

from civicmall import identity
from civicmall.identity import federation
from civicmall.identity.federation import Back
from civicmall.kernel.config import Settings
from shopkit.sandbox import households

HOMES: Final = households()
APP: Final = "http://127.0.0.1:9/app"
KEY: Final = ECKey.generate_key("P-256", {"kid": "city", "use": "sig", "alg": "ES256"})
AWAY: Final = re.compile(r'<a class="button wide" href="([^"]+)"')


def phone(of: int) -> str:
    return f"1970000{of:04d}"


def claims(of: int, home: int | None = None) -> dict[str, Any]:
    """A person there: a verified phone, and where `home` is given a real name."""
    found: dict[str, Any] = {"phone_number": f"+86 {phone(of)}", "phone_number_verified": True}
    if home is not None:
        found |= {"name": HOMES[home].name, "id_number": HOMES[home].id_number}
    return found


ACCOUNTS: Final[dict[str, dict[str, Any]]] = {
    "named": claims(1, 60), "plain": claims(2), "app": claims(3), "raced": claims(4),
    "replayed": claims(5), "unlinked": claims(6), "first": claims(7, 61), "second": claims(8, 61),
    "recycled": claims(9, 62), "phoneless": {"name": "无名"}, "phoneless2": {}, "keyed": claims(10),
    "agreed": {}, "late": {},
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, registry: Any) -> AsyncGenerator[City]:
    """A city with an upstream that it trusts for phones and names."""
    port = free_port()
    said = {
        "ISSUER": f"http://127.0.0.1:{port}", "CLIENT_ID": "city-basic", "CLIENT_SECRET": SECRET,
        "NAME": "省统一身份认证", "NAME_EN": "Province ID", "TRUST": "phone,name",
        "APP_REDIRECT": APP,
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in said.items():
            patch.setenv(f"CIVICMALL_FEDERATION_{name}", value)
        async with running_city(settings, registry) as found:
            back = f"{found.url}/login/federation/callback"
            with provider(port, [back, APP], KEY.as_dict(private=False), ACCOUNTS):
                yield found


async def out(one: Visitor, next_path: str = "/", **more: str) -> str:
    """Press the button; answers where the page leads."""
    answer = await one.post("/login/federation/start", 200, next=next_path, **more)
    found = AWAY.search(answer.text)
    assert found, answer.text
    assert f"url={found[1]}" in answer.text, "and goes there by itself"
    return html.unescape(found[1])


async def through(
    one: Visitor, login: str | None, next_path: str = "/", **more: str
) -> httpx.Response:
    """Out and back in one browser."""
    return await one.client.get(await sign_in_there(await out(one, next_path, **more), login))


async def me(one: Visitor) -> UUID | None:
    """Whom the browser's cookies name."""
    token = one.client.cookies.get("cm_access")
    found = one.city.parts.tokens.check(token) if token else None
    return found.citizen_id if found else None


async def test_the_button_leads_there_and_back_to_where_one_was(city: City) -> None:
    one = await visitor(city, "en")
    page = await one.get("/login?next=/orders")
    assert "Sign in with Province ID" in page
    answer = await through(one, "named", "/orders")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
    first = await me(one)
    assert first is not None
    assert first == await identity.account(city.house, phone(1))
    assert "cm_upstream" not in one.client.cookies
    profile = identity.profile(city.house, await identity.row(city.house.db, first))
    assert (profile.level, profile.facts["birth_date"]) == (2, HOMES[60].birth_date.isoformat())
    assert city.parts.tokens.check(one.client.cookies["cm_access"]).level == 2
    assert "Province ID" in await one.get("/me/links")
    await city.settled()
    assert "127.0.0.1" in await one.get("/inbox"), "told of the connection"

    again = await visitor(city)
    assert (await through(again, "named")).headers["location"] == "/"
    assert await me(again) == first


async def test_no_way_back_leads_out(city: City) -> None:
    one = await visitor(city)
    answer = await through(one, "plain", "https://elsewhere.example/")
    assert answer.headers["location"] == "/"


async def test_a_way_back_works_once_and_in_its_own_browser(city: City) -> None:
    one, other = await visitor(city), await visitor(city)
    url = await sign_in_there(await out(one), "replayed")
    await out(other)
    for stranger in (await visitor(city), other):  # without a flow, and with another
        assert (await stranger.client.get(url)).status_code == 400
        assert await me(stranger) is None
    kept = dict(one.client.cookies)
    assert (await one.client.get(url)).status_code == 303
    assert await me(one) is not None
    assert (await one.client.get(url)).status_code == 400, "its cookie is gone"
    thief = await visitor(city)
    thief.client.cookies.update(kept)
    answer = await thief.client.get(url)
    assert answer.status_code == 400, "and what was in it is spent"
    assert await me(thief) is None


async def test_states_of_two_are_not_swapped(city: City) -> None:
    one, two = await visitor(city), await visitor(city)
    first, second = await out(one), await out(two)
    back = await sign_in_there(first, "plain")
    state = re.compile(r"state=[^&]+")
    wanted = state.search(second)
    assert wanted
    swapped = state.sub(wanted[0], back)
    answer = await two.client.get(swapped)
    assert answer.status_code == 403, "the code belongs to another's PKCE, so it is refused there"
    assert await me(two) is None


Change = Callable[[httpx.QueryParams], httpx.QueryParams]
PARAMETERS: Final[dict[str, Change]] = {
    "no state": lambda q: q.remove("state"),
    "two states": lambda q: q.merge({"state": ["a", "a"]}),
    "another state": lambda q: q.set("state", "A" * 43),
    "an endless state": lambda q: q.set("state", "A" * 3000),
    "no issuer": lambda q: q.remove("iss"),
    "another issuer": lambda q: q.set("iss", "https://elsewhere.example"),
    "two codes": lambda q: q.add("code", "b"),
    "two errors": lambda q: q.merge({"error": ["x", "y"]}),
}


@pytest.mark.parametrize("name", PARAMETERS)
async def test_parameters_that_do_not_fit(city: City, name: str) -> None:
    one = await visitor(city)
    url = httpx.URL(await sign_in_there(await out(one), "plain"))
    answer = await one.client.get(url.copy_with(params=PARAMETERS[name](url.params)))
    assert answer.status_code == 400
    assert await me(one) is None


async def test_who_walks_away_there_is_told_so_here(city: City) -> None:
    one = await visitor(city, "en")
    answer = await through(one, None)
    assert answer.status_code == 403
    assert "The sign-in there was not finished." in answer.text
    assert await me(one) is None


async def test_a_form_from_another_site_begins_nothing(city: City) -> None:
    one = await visitor(city)
    headers = {"origin": "https://elsewhere.example"}
    answer = await one.client.post("/login/federation/start", data={}, headers=headers)
    assert answer.status_code == 403
    assert "cm_upstream" not in one.client.cookies


async def test_without_a_phone_the_citizen_signs_in_by_code_and_agrees(city: City) -> None:
    one = await visitor(city, "en")
    answer = await through(one, "phoneless", "/orders")
    ask = answer.headers["location"]
    assert ask.startswith("/me/links/agree?next=")
    assert await me(one) is None
    login = (await one.client.get(ask)).headers["location"]
    assert login.startswith("/login?next=%2Fme%2Flinks%2Fagree")
    back = await one.sign_in(phone(20), httpx.URL(login).params["next"])
    page = await one.get(back)
    assert "无*" in page, "whose account it is"
    before = await me(one)
    assert await one.to("/me/links/agree", answer="yes", next="/orders") == "/orders"

    again = await visitor(city)
    assert (await through(again, "phoneless")).headers["location"] == "/"
    assert await me(again) == before

    other = await visitor(city, "en")
    await other.sign_in(phone(21))
    ask = (await through(other, "phoneless", "/me/links", link="1")).headers["location"]
    await other.get(ask)
    assert await me(other) != before, "connecting signs nobody in as somebody else"
    taken = await other.post("/me/links/agree", 409, answer="yes", next="/")
    assert "connected with another one" in taken.text


async def test_who_declines_is_not_connected(city: City) -> None:
    one = await visitor(city)
    await through(one, "phoneless2")
    await one.sign_in(phone(22), "/me/links/agree")
    await one.to("/me/links/agree", answer="no", next="/")
    await one.post("/me/links/agree", 400, answer="yes", next="/")
    assert (await through(await visitor(city), "phoneless2")).headers["location"] != "/"


async def test_what_was_taken_away_is_not_connected_again_unasked(city: City) -> None:
    one = await visitor(city)
    await through(one, "unlinked")
    mine = await me(one)
    assert mine is not None
    (link,) = await federation.links(city.house.db, mine)
    stranger = await visitor(city)
    await stranger.sign_in(phone(23))
    await stranger.to(f"/me/links/{link.id}/end")
    assert await federation.links(city.house.db, mine) == [link], "nobody takes another's away"
    assert await one.to(f"/me/links/{link.id}/end") == "/me/links"
    assert await federation.links(city.house.db, mine) == []
    again = await visitor(city)
    assert (await through(again, "unlinked")).headers["location"].startswith("/me/links/agree")
    assert await me(again) is None
    question = (await through(one, "unlinked")).headers["location"]
    first = (await one.client.get(question)).headers["location"]
    assert first == f"/login?again=1&next={quote(question, safe='')}", "not by that account"
    assert (await one.to("/me/links/agree", answer="yes")).startswith("/login?again=1")
    await one.sign_in(phone(6))
    assert "省统一身份认证" in await one.get(question), "the ticket still holds"
    assert await one.to("/me/links/agree", answer="yes") == "/"
    assert await me(one) == mine
    assert len(await federation.links(city.house.db, mine)) == 1


async def test_a_number_that_is_taken_does_not_raise(city: City) -> None:
    one, two = await visitor(city, "en"), await visitor(city, "en")
    await through(one, "first")
    answer = await through(two, "second")
    assert answer.status_code == 303
    assert city.parts.tokens.check(one.client.cookies["cm_access"]).level == 2
    assert city.parts.tokens.check(two.client.cookies["cm_access"]).level == 1
    assert "could not be taken over" in await two.get("/")


async def test_a_phone_that_has_another_owner_now_is_no_key_to_the_old_ones_account(
    city: City,
) -> None:
    old = await identity.account(city.house, phone(9))
    person = HOMES[63]
    await identity.verify(city.house, old, identity.Verification(person.name, person.id_number))
    one = await visitor(city, "en")
    answer = await through(one, "recycled")
    assert answer.status_code == 409
    assert await me(one) is None
    assert await federation.links(city.house.db, old) == []


async def test_of_first_sign_ins_at_once_one_account_comes(city: City) -> None:
    browsers = [await visitor(city) for _ in range(4)]
    backs = [await sign_in_there(await out(one), "raced") for one in browsers]
    await asyncio.gather(*(b.client.get(url) for b, url in zip(browsers, backs, strict=True)))
    found = {await me(one) for one in browsers}
    assert found == {await identity.account(city.house, phone(4))}
    (mine,) = found
    assert mine is not None
    assert len(await federation.links(city.house.db, mine)) == 1


async def start(client: httpx.AsyncClient, **said: Any) -> dict[str, Any]:
    answer = await client.post("/v1/sign-in/upstream", json=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def finish(client: httpx.AsyncClient, flow: str, back: str, **more: Any) -> httpx.Response:
    said = {**httpx.URL(back).params, "flow": flow, "device": "an app"} | more
    return await client.post("/v1/sign-in/upstream/tokens", json=said)


async def test_an_app_signs_in(city: City) -> None:
    nobody = await city.anonymous()
    shown = (await nobody.get("/v1/sign-in/upstream")).json()
    assert (shown["name"], shown["app"]) == ("省统一身份认证", True)
    begun = await start(nobody)
    back = await sign_in_there(begun["url"], "app")
    assert back.startswith(APP)
    other = await start(nobody)
    assert problem(await finish(nobody, other["flow"], back)) == (400, "sign-in-flow-broken")
    pair = (await finish(nobody, begun["flow"], back)).json()
    client = await city.client(pair["access_token"])
    assert (await client.get("/v1/me")).json()["id"] == str(
        await identity.account(city.house, phone(3))
    )
    again = await finish(nobody, begun["flow"], back)
    assert (problem(again), again.json()["reason"]) == ((400, "sign-in-flow-broken"), "used")
    (link,) = (await client.get("/v1/me/links")).json()["items"]
    assert (await client.delete(f"/v1/me/links/{link['id']}")).status_code == 204
    assert (await client.get("/v1/me/links")).json()["items"] == []


async def test_an_app_connects(city: City) -> None:
    nobody = await city.anonymous()
    begun = await start(nobody, link=True)
    answer = await finish(nobody, begun["flow"], await sign_in_there(begun["url"], "agreed"))
    assert problem(answer) == (409, "link-needed")
    ticket = {"ticket": answer.json()["link_ticket"]}
    pair = (await try_code(nobody, phone(24), await code_for(city, phone(24)))).json()
    client = await city.client(pair["access_token"])
    made = await client.post("/v1/me/links", json=ticket)
    assert made.status_code == 200, made.text
    again = await client.post("/v1/me/links", json=ticket)
    assert (problem(again), again.json()["reason"]) == ((400, "sign-in-flow-broken"), "used")
    begun = await start(nobody)
    answer = await finish(nobody, begun["flow"], await sign_in_there(begun["url"], "agreed"))
    assert answer.status_code == 200, answer.text


async def test_a_session_of_long_ago_connects_nothing(city: City) -> None:
    nobody = await city.anonymous()
    begun = await start(nobody, link=True)
    answer = await finish(nobody, begun["flow"], await sign_in_there(begun["url"], "late"))
    pair = (await try_code(nobody, phone(25), await code_for(city, phone(25)))).json()
    session = city.parts.tokens.check(pair["access_token"]).session_id
    await city.house.db.execute(
        "update identity.session set created_at = created_at - interval '1 hour' where id = $1",
        session,
    )
    client = await city.client(pair["access_token"])
    made = await client.post("/v1/me/links", json={"ticket": answer.json()["link_ticket"]})
    assert problem(made) == (403, "sign-in-again")


async def test_a_key_instead_of_a_secret(city: City) -> None:
    """private_key_jwt (RFC 7523), and an ID token by ES256."""
    upstream = city.parts.federation.there()
    env = {
        "CIVICMALL_FEDERATION_ISSUER": upstream.issuer, "CIVICMALL_FEDERATION_CLIENT_ID": "city-key",
        "CIVICMALL_FEDERATION_NAME": "省", "CIVICMALL_FEDERATION_TRUST": "phone",
        "CIVICMALL_FEDERATION_PRIVATE_KEY": KEY.as_pem(private=True).decode(),
    }  # fmt: skip
    async with httpx.AsyncClient(trust_env=False) as client:
        keyed = federation.open_federation(city.house, client, env).there()
        url, sealed = await federation.start(city.house, keyed, "web", "en")
        back = httpx.URL(await sign_in_there(url, "keyed")).params
        flow = federation.opened(city.house, sealed, "web")
        done = await federation.finish(
            city.house, city.parts.tokens, keyed, flow, Back(**dict(back)), "a browser"
        )
    assert done.citizen_id == await identity.account(city.house, phone(10))


async def test_an_account_elsewhere_is_no_fresh_sign_in(city: City) -> None:
    """It may let somebody in without asking who it is: with a browser left open, anybody."""
    one = await visitor(city, "en")
    await through(one, "named")
    tokens = city.parts.tokens
    first = one.client.cookies["cm_access"]
    refused = await (await city.client(first)).get("/v1/me/export")
    assert problem(refused) == (403, "sign-in-again")
    assert "Province ID" in await one.get("/login?other=1")
    assert "Province ID" not in await one.get("/login?again=1")

    await through(one, "named")
    refused = await (await city.client(one.client.cookies["cm_access"])).get("/v1/me/export")
    assert problem(refused) == (403, "sign-in-again"), "however often"
    assert tokens.ended(tokens.check_any(one.client.cookies["cm_access"]).session_id) is False
    gone = await (await city.client(first)).get("/v1/me")
    assert problem(gone) == (401, "token-invalid"), "the session before is nobody's any more"

    await one.sign_in(phone(1))
    client = await city.client(one.client.cookies["cm_access"])
    assert (await client.get("/v1/me/export")).status_code == 200
