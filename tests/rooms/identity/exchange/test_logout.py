"""Back-channel logout: every client of a session hears that it ended, by a token it can check."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from tests.city import City
from tests.patience import STALL_S
from tests.rooms.gateway.remote_shop import Served
from tests.rooms.gateway.wire import token_of
from tests.rooms.identity.exchange.steps import App, Given, give, register, someone, tokens_of

from civicmall import gateway
from civicmall.gateway import ShopUnavailable
from civicmall.gateway.addresses import Networks
from civicmall.gateway.logouts import Logouts
from civicmall.identity import LogoutDue, devices, personal
from civicmall.identity.exchange import logout
from civicmall.kernel import ids, sql
from civicmall.kernel.config import LOOPBACK

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_numbers = iter(range(1_000))


class Receiver:
    """A client's logout address: believes what OpenID Connect Back-Channel Logout 1.0, section 2.6,
    tells it to, and keeps the sessions that it has ended."""

    def __init__(self, city: City, served: Served) -> None:
        self._city = city
        self.served = served
        self.keys: Any = None
        self.came: list[str] = []
        self.ended: list[tuple[str, dict[str, Any]]] = []
        """The path it came to, and what was believed."""
        self.refused: list[str] = []
        self._jtis: set[str] = set()
        self.answers: list[int] = []
        """What to answer first, instead."""

    async def learn(self) -> None:
        nobody = await self._city.anonymous()
        said = (await nobody.get("/.well-known/jwks.json")).json()["keys"]
        self.keys = KeySet.import_key_set({"keys": [k for k in said if k["kty"] in {"EC", "RSA"}]})

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = dict(scope["headers"])
        token = parse_qs(body.decode()).get("logout_token", [""])[0]
        self.came.append(token)
        status = self.answers.pop(0) if self.answers else self.judge(scope["path"], token)
        if headers.get(b"content-type") != b"application/x-www-form-urlencoded":
            status = 415
        where = [(b"location", b"/elsewhere")] if 300 <= status < 400 else []
        head = [*where, (b"cache-control", b"no-store"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": b""})

    def judge(self, path: str, token: str) -> int:
        """200, or 400 for what is not believed."""
        try:
            read = jwt.decode(token, self.keys, algorithms=["ES256", "RS256"])
            said, now = read.claims, time.time()
            assert read.header["typ"] == "logout+jwt"
            assert said["iss"] == self._city.url
            assert said["aud"] == path.strip("/").split("/")[0]
            assert said["iat"] <= now + 5
            assert now < said["exp"] <= now + 125
            assert said["events"] == {EVENT: {}}
            assert said["sub"] or said["sid"]
            assert "nonce" not in said
            assert said["jti"] not in self._jtis
        except (JoseError, AssertionError, KeyError, ValueError) as error:
            self.refused.append(repr(error))
            return 400
        self._jtis.add(said["jti"])
        self.ended.append((path, said))
        return 200


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver_at(city: City) -> AsyncGenerator[Receiver]:
    served = Served()
    found = Receiver(city, served)
    served.instead = found
    await found.learn()
    await served.start()
    yield found
    await served.stop()


@pytest.fixture
def receiver(receiver_at: Receiver) -> Receiver:
    for kept in (receiver_at.came, receiver_at.ended, receiver_at.refused, receiver_at.answers):
        kept.clear()
    return receiver_at


async def client_of(city: City, receiver: Receiver) -> App:
    """A client that hears of logouts; its name is in the path."""
    name = f"hears-{next(_numbers)}"
    url = f"{receiver.served.url}/{name}/bye"
    return await register(city, name, backchannel_logout_uri=url)


async def until(city: City, done: Callable[[], bool]) -> None:
    """Wait for what the outbox brings."""
    async with asyncio.timeout(STALL_S):
        while not done():
            city.parts.drain.hint()
            await asyncio.sleep(0.01)


async def sign_out(city: City, citizen: httpx.AsyncClient, _: Given) -> None:
    assert (await citizen.delete("/v1/me/session")).status_code == 204


async def from_another_device(city: City, _: httpx.AsyncClient, given: Given) -> None:
    await devices.sign_out(city.house, tokens_of(city), given.citizen, given.session)


async def all_others(city: City, _: httpx.AsyncClient, given: Given) -> None:
    await devices.sign_out_others(
        city.house, tokens_of(city), given.citizen, ids.new(ids.bucket_of(given.citizen))
    )


async def by_reuse(city: City, citizen: httpx.AsyncClient, given: Given) -> None:
    """A copy of a refresh token is used later."""
    caller = tokens_of(city).check(token_of(citizen))
    first = tokens_of(city).issue(caller, 0).refresh_token
    nobody = await city.anonymous()
    ask = {"refresh_token": first}
    assert (await nobody.post("/v1/sign-in/refresh", json=ask)).status_code == 200
    await city.house.db.execute(
        "update identity.session set rotated_at = now() - interval '1 hour'"
        " where bucket = $1 and id = $2",
        ids.bucket_of(given.session), given.session,
    )  # fmt: skip
    assert (await nobody.post("/v1/sign-in/refresh", json=ask)).status_code == 401


async def on_a_clients_wish(city: City, citizen: httpx.AsyncClient, given: Given) -> None:
    nobody = await city.anonymous()
    nobody.cookies.set("cm_access", token_of(citizen))
    answer = await nobody.get("/oauth/logout", params={"id_token_hint": given.id_token})
    assert answer.status_code == 303


async def by_leaving(city: City, _: httpx.AsyncClient, given: Given) -> None:
    """The account is deleted."""
    await personal.erase(city.house, given.citizen)


End = Callable[[City, httpx.AsyncClient, Given], Awaitable[None]]


@pytest.mark.parametrize(
    "end", [sign_out, from_another_device, all_others, by_reuse, on_a_clients_wish, by_leaving]
)
async def test_every_client_of_the_session_hears_of_its_end(
    city: City, receiver: Receiver, end: End
) -> None:
    one, two, deaf = (
        await client_of(city, receiver), await client_of(city, receiver),
        await register(city, f"deaf-{next(_numbers)}"),
    )  # fmt: skip
    unconcerned = await client_of(city, receiver)
    citizen = await someone(city)
    given = await give(city, one, citizen)
    await give(city, one, citizen)  # signed in twice there: told once
    offline = await give(city, two, citizen, scope="openid offline_access")
    await give(city, deaf, citizen)
    await give(city, unconcerned, await someone(city))
    await end(city, citizen, given)
    await until(city, lambda: len(receiver.ended) >= 2)
    await city.settled()
    assert receiver.refused == []
    told = {said["aud"]: (path, said) for path, said in receiver.ended}
    assert len(receiver.ended) == 2
    for app, mine in ((one, given), (two, offline)):
        path, said = told[app.client.client_id]
        assert path == f"/{app.client.client_id}/bye"
        id_token = jwt.decode(mine.id_token, receiver.keys, algorithms=["ES256", "RS256"]).claims
        assert (said["sid"], said["sub"]) == (id_token["sid"], id_token["sub"])
        assert said.keys() == {"iss", "aud", "iat", "exp", "jti", "events", "sub", "sid"}
        assert str(mine.citizen) not in json.dumps(said)
        assert str(mine.session) not in json.dumps(said)
    assert len({said["sid"] for _, said in receiver.ended}) == 2, (
        "nor can two clients compare notes"
    )


async def test_it_is_told_until_it_is_heard(city: City, receiver: Receiver) -> None:
    app, citizen = await client_of(city, receiver), await someone(city)
    given = await give(city, app, citizen)
    receiver.answers += [503]
    await sign_out(city, citizen, given)
    await until(city, lambda: len(receiver.ended) == 1)
    await city.settled()
    assert len(receiver.came) == 2
    assert len(set(receiver.came)) == 2, "a token of its own each time, or it would look replayed"


async def test_a_logout_token_counts_once_and_for_nothing_else(
    city: City, receiver: Receiver
) -> None:
    app, citizen = await client_of(city, receiver), await someone(city)
    other = await client_of(city, receiver)
    given = await give(city, app, citizen)
    await sign_out(city, citizen, given)
    await until(city, lambda: len(receiver.ended) == 1)
    token = receiver.came[0]
    assert receiver.judge(f"/{app.client.client_id}/bye", token) == 400, "replayed"
    assert receiver.judge(f"/{other.client.client_id}/bye", token) == 400, "for somebody else"
    for instead in (given.id_token, given.access, token[:-4], token_of(citizen)):
        assert receiver.judge(f"/{app.client.client_id}/bye", instead) == 400
    nobody = await city.anonymous()
    bearer = {"authorization": f"Bearer {token}"}
    assert (await nobody.get("/v1/me", headers=bearer)).status_code == 401
    assert (await nobody.get("/oauth/userinfo", headers=bearer)).status_code == 401
    assert (await nobody.get("/oauth/logout", params={"id_token_hint": token})).status_code == 400


async def test_no_redirect_is_followed(city: City, receiver: Receiver) -> None:
    logouts = Logouts(city.house, Networks.parse(LOOPBACK), https_only=False)
    for status in (301, 302, 307, 308):
        receiver.answers.append(status)
        with pytest.raises(ShopUnavailable):
            await logouts.tell(f"c{status}", f"{receiver.served.url}/bye?x=1", "a.b.c")
    assert receiver.came == ["a.b.c"] * 4
    assert {(one.path, one.query) for one in receiver.served.seen[-4:]} == {("/bye", "x=1")}


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/bye", "http://localhost:{port}/bye", "http://[::1]:{port}/bye",
        "http://0.0.0.0:{port}/bye", "http://2130706433:{port}/bye", "http://127.1:{port}/bye",
        "http://[::ffff:127.0.0.1]:{port}/bye", "http://user@127.0.0.1:{port}/bye",
        "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/", "http://127.0.0.1:{port}/a b", "http:///bye",
    ],
)  # fmt: skip
async def test_no_address_inside_is_reached(city: City, receiver: Receiver, url: str) -> None:
    """A client's address is checked like a shop's: by what it leads to, not by how it looks."""
    logouts = Logouts(city.house, Networks(), https_only=False)
    with pytest.raises(ShopUnavailable):
        await logouts.tell("inside", url.format(port=receiver.served.port), "a.b.c")
    assert receiver.came == []


async def test_in_a_real_city_it_is_told_over_tls_only(city: City, receiver: Receiver) -> None:
    logouts = Logouts(city.house, Networks.parse(LOOPBACK), https_only=True)
    with pytest.raises(ShopUnavailable):
        await logouts.tell("plain", f"{receiver.served.url}/bye", "a.b.c")
    assert receiver.came == []


async def test_a_client_that_left_is_not_told(city: City, receiver: Receiver) -> None:
    app, citizen = await client_of(city, receiver), await someone(city)
    given = await give(city, app, citizen)
    due = LogoutDue(given.citizen, given.session, app.client.client_id)
    assert await logout.notice(city.house, tokens_of(city), due) is not None
    gone = LogoutDue(given.citizen, given.session, "nobody-here")
    assert await logout.notice(city.house, tokens_of(city), gone) is None


def test_no_way_to_end_a_session_forgets_the_clients() -> None:
    """Each statement that ends a citizen's session writes the event with it."""
    silent = [
        f"{queries.path.parent.name}.{name}"
        for queries in sql.ALL
        for name in queries.names
        if "update identity.session" in queries.text(name)
        and re.search(r"set revoked_at\b", queries.text(name))
        and "identity.session_ended" not in queries.text(name)
        and name not in OF_STAFF
    ]
    assert silent == []


OF_STAFF: Final = frozenset({"end_sessions"})
"""Staff sign in nowhere else with their account."""
assert gateway, "importing the rooms loads their statements"
