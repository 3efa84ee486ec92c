"""Logout on a client's wish: by its own ID token or the citizen's word, and back to a registered
address or nowhere."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.city import City
from tests.rooms.gateway.wire import token_of
from tests.rooms.identity.exchange.steps import (
    BYE,
    App,
    Given,
    give,
    register,
    someone,
    tokens_of,
)

PATH: Final = "/oauth/logout"
_numbers = iter(range(1_000))


async def client_of(city: City, **more: Any) -> App:
    return await register(city, f"bye-{next(_numbers)}", **more)


async def browser_of(city: City, citizen: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser in which this citizen is signed in."""
    found = await city.anonymous()
    found.cookies.set("cm_access", token_of(citizen))
    return found


async def signed_in(citizen: httpx.AsyncClient) -> bool:
    return (await citizen.get("/v1/me")).status_code == 200


async def scene(city: City) -> tuple[App, httpx.AsyncClient, httpx.AsyncClient, Given]:
    app, citizen = await client_of(city), await someone(city)
    given = await give(city, app, citizen)
    return app, citizen, await browser_of(city, citizen), given


async def test_a_clients_own_id_token_signs_out_and_goes_back(city: City) -> None:
    app, citizen, browser, given = await scene(city)
    answer = await browser.get(
        PATH, params={
            "id_token_hint": given.id_token, "post_logout_redirect_uri": BYE, "state": "a b&c=d",
            "client_id": app.client.client_id,
        },
    )  # fmt: skip
    assert answer.status_code == 303
    went = urlsplit(answer.headers["location"])
    assert f"{went.scheme}://{went.netloc}{went.path}" == BYE
    assert parse_qs(went.query) == {"state": ["a b&c=d"]}
    assert not await signed_in(citizen)
    gone = [one for one in answer.headers.get_list("set-cookie") if one.startswith("cm_")]
    assert all("Max-Age=0" in one for one in gone)
    assert {"cm_access", "cm_refresh"} <= {one.partition("=")[0] for one in gone}


async def test_without_an_address_it_stays_here(city: City) -> None:
    _, citizen, browser, given = await scene(city)
    answer = await browser.get(PATH, params={"id_token_hint": given.id_token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert not await signed_in(citizen)


async def test_where_nobody_is_signed_in_there_is_a_way_back(city: City) -> None:
    _, _, browser, given = await scene(city)
    browser.cookies.clear()
    said = {"id_token_hint": given.id_token, "post_logout_redirect_uri": BYE}
    answer = await browser.get(PATH, params=said)
    assert answer.status_code == 200
    assert BYE in answer.text


async def test_others_may_only_ask(city: City) -> None:
    """Another citizen's ID token, another client's, none: the citizen is asked on a page of ours."""
    app, citizen, browser, given = await scene(city)
    other = await client_of(city)
    theirs = await give(city, app, await someone(city))
    earlier = await give(city, app, await someone(city))
    for said in (
        {}, {"client_id": app.client.client_id}, {"client_id": other.client.client_id},
        {"id_token_hint": theirs.id_token}, {"id_token_hint": earlier.id_token},
        {"client_id": app.client.client_id, "post_logout_redirect_uri": BYE},
    ):  # fmt: skip
        answer = await browser.get(PATH, params=said)
        assert answer.status_code == 200, said
        assert 'action="/logout/for"' in answer.text
        assert await signed_in(citizen)
    assert given.id_token not in answer.text


def form_of(html: str) -> dict[str, str]:
    """The hidden fields of the page that asks."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))


async def test_the_citizen_says_yes(city: City) -> None:
    app, citizen, browser, _ = await scene(city)
    said = {"client_id": app.client.client_id, "post_logout_redirect_uri": BYE, "state": '"><b>'}
    asked = await browser.get(PATH, params=said)
    assert "<b>" not in asked.text
    form = form_of(asked.text)
    assert form.keys() == said.keys()
    answer = await browser.post("/logout/for", data={**said}, headers={"origin": city.url})
    assert answer.status_code == 200
    assert not await signed_in(citizen)
    assert f'href="{BYE}?state=%22%3E%3Cb%3E"' in answer.text
    assert "location" not in answer.headers


async def test_another_site_can_not_say_yes_for_them(city: City) -> None:
    app, citizen, browser, _ = await scene(city)
    for headers in (
        {"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"},
    ):  # fmt: skip
        answer = await browser.post(
            "/logout/for", data={"client_id": app.client.client_id}, headers=headers
        )
        assert answer.status_code == 403
        assert await signed_in(citizen)


async def test_a_form_of_theirs_does_nothing_by_itself(city: City) -> None:
    """It comes without our cookies; so the browser is sent to ask again, with them."""
    _, citizen, browser, given = await scene(city)
    answer = await browser.post(
        PATH, data={"id_token_hint": given.id_token, "post_logout_redirect_uri": BYE, "state": "s&t"},
        headers={"origin": "https://clinic.example", "sec-fetch-site": "cross-site"},
    )  # fmt: skip
    assert answer.status_code == 303
    assert await signed_in(citizen)
    assert answer.headers["location"].startswith(PATH + "?")
    followed = await browser.get(answer.headers["location"])
    assert followed.headers["location"] == f"{BYE}?state=s%26t"
    assert not await signed_in(citizen)


ELSEWHERE: Final = [
    "https://evil.example/", BYE + "/", BYE + "?x=1", BYE.upper(), BYE + "#x", "//evil.example/bye",
    "https://clinic.example.evil.example/bye", "https://clinic.example@evil.example/bye", "/me",
    "javascript:alert(1)", BYE + "/../../x", BYE.replace("https", "http"), " " + BYE, BYE + "%00",
    "https://clinic.example/cb",
]  # fmt: skip


@pytest.mark.parametrize("uri", ELSEWHERE)
async def test_the_browser_goes_nowhere_else(city: City, uri: str) -> None:
    """Neither at once, nor by a link, nor by the page that asks; and nobody is signed out."""
    app, citizen, browser, given = await scene(city)
    for said in (
        {"id_token_hint": given.id_token}, {"client_id": app.client.client_id}, {},
    ):  # fmt: skip
        form = {**said, "post_logout_redirect_uri": uri}
        for answer in (
            await browser.get(PATH, params=form),
            await browser.post("/logout/for", data=form, headers={"origin": city.url}),
        ):
            assert answer.status_code == 400
            assert "location" not in answer.headers
            links = re.findall(r'(?:href|action)="([^"]*)"', answer.text)
            assert [one for one in links if not re.match(r"[/#](?!/)", one)] == []
            assert "http-equiv" not in answer.text
            assert await signed_in(citizen)


async def test_a_hint_must_be_an_id_token_of_ours(city: City) -> None:
    app, citizen, browser, given = await scene(city)
    other = await client_of(city)
    forged = tokens_of(city).signing.sign("at+jwt", {"iss": city.url, "aud": app.client.client_id})
    foreign = tokens_of(city).signing.sign(
        "JWT", {"iss": "https://evil.example", "aud": app.client.client_id, "sid": "x"}
    )
    bare = tokens_of(city).signing.sign("JWT", {"iss": city.url, "aud": [app.client.client_id]})
    none = "eyJhbGciOiJub25lIn0." + given.id_token.split(".")[1] + "."
    for hint in (
        given.access, given.refresh, forged, foreign, bare, none, "x", given.id_token[:-3],
    ):  # fmt: skip
        answer = await browser.get(PATH, params={"id_token_hint": hint})
        assert answer.status_code == 400, hint
    mixed = {"id_token_hint": given.id_token, "client_id": other.client.client_id}
    assert (await browser.get(PATH, params=mixed)).status_code == 400
    assert (await browser.get(PATH, params={"client_id": "nobody-here"})).status_code == 400
    assert await signed_in(citizen)


@pytest.mark.parametrize(
    "query",
    [
        "state=a&state=b", "client_id=a&client_id=a", "state=" + "a" * 2_000, "state=%00", "x=%ff",
        "id_token_hint=" + "a" * 9_000, "&".join(f"a{n}=1" for n in range(100)),
        "post_logout_redirect_uri=" + "a" * 3_000,
    ],
)  # fmt: skip
async def test_what_is_sent_wrongly(city: City, query: str) -> None:
    _, citizen, browser, _ = await scene(city)
    assert (await browser.get(f"{PATH}?{query}")).status_code == 400
    headers = {"content-type": "application/x-www-form-urlencoded", "origin": city.url}
    for path in (PATH, "/logout/for"):
        answer = await browser.post(path, content=query, headers=headers)
        assert answer.status_code == 400, path
    as_json = await browser.post(PATH, json={"state": "a"})
    assert as_json.status_code == 400
    assert await signed_in(citizen)
