"""The part of the tour in which a mini-app, its shop and a client ask about tokens."""

from __future__ import annotations

import time
from typing import Any, Final

import httpx
import msgspec
from tests.api.tour_away import KEY, SHOP
from tests.city import City
from tests.rooms.gateway.wire import token_of
from tests.rooms.identity.exchange.steps import give, register

from shopkit.signatures import CALLBACK_TAG, Signer

GRANT: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"


async def tokens_of_others(t: Any, city: City, c: httpx.AsyncClient, shown: Any) -> None:
    """Exchange, introspection both ways, userinfo, revocation. `shown` shortens an example."""
    nobody = await city.anonymous()

    async def form(path: str, auth: httpx.BasicAuth | None = None, **said: str) -> Any:
        answer = await nobody.post(path, data=said, auth=auth or httpx.USE_CLIENT_DEFAULT)
        assert answer.is_success, answer.text
        found = answer.json() if answer.content else None
        t.seen[f"POST {path}"] = {} if found is None else {"response": shown(found)}
        return found

    made = await form(
        "/oauth/token", grant_type=GRANT, subject_token=token_of(c), subject_token_type=ACCESS,
        audience=f"{SHOP}/felling",
    )  # fmt: skip
    path = "/v1/callbacks/{shop}/introspection"
    body = {"token": made["access_token"]}
    signer = Signer(KEY.private, SHOP, CALLBACK_TAG)
    signed = signer.headers(
        "POST", path.format(shop=SHOP), "", msgspec.json.encode(body), None, now=int(time.time())
    )
    headers = {name.decode(): value.decode() for name, value in signed}
    await t.go(nobody, "POST", path, body, headers=headers, shop=SHOP)

    app = await register(city, "tour-clinic")
    given = await give(city, app, c, "name", "phone", "level", scope="openid profile")
    await form("/oauth/introspect", app.basic, token=given.access)
    await form("/oauth/userinfo", access_token=given.access)
    bearer = {"authorization": f"Bearer {given.access}"}
    await t.go(nobody, "GET", "/oauth/userinfo", headers=bearer)
    await form("/oauth/revoke", app.basic, token=given.refresh)
