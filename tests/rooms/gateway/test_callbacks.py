"""What remote shops send unasked: believed only where it is signed, fresh, and came once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
import pytest_asyncio
from tests.citizens import caller
from tests.rooms.gateway.remote_shop import KEY, OTHER_KEY, Remote, placed, said

from civicmall.gateway.service import forget_calls
from civicmall.kernel.errors import NotFound
from shopkit.contract import CaseNews, Outcome
from shopkit.errors import Unavailable
from shopkit.keys import Key
from shopkit.serve import PlatformClient
from shopkit.signatures import CALLBACK_TAG, SHOP_TAG, Signer

NEWS = CaseNews(Outcome("accepted", "N-1"))
PNG = b"\x89PNG\r\n\x1a\n"


class Desk:
    """Stands where the cases room does: keeps what it is told, and gives out one material."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self.case = uuid4()
        self.paper = uuid4()
        self.heard: list[tuple[str, UUID, CaseNews]] = []

    async def tell_case(self, shop: str, case_id: UUID, news: CaseNews) -> None:
        self.heard.append((shop, case_id, news))

    async def give_material(self, shop: str, case_id: UUID, material: UUID) -> Any:
        if (shop, case_id, material) != (self.remote.away, self.case, self.paper):
            raise NotFound
        return "image/png", PNG

    def path(self, shop: str = "", case: object = None) -> str:
        return f"/v1/callbacks/{shop or self.remote.away}/cases/{case or self.case}"

    def client(self, key: Key = KEY, shop: str = "") -> PlatformClient:
        return PlatformClient(self.remote.city.url, shop or self.remote.away, key)

    async def send(  # noqa: PLR0913 (each test makes one thing wrong)
        self, *, key: Key = KEY, by: str = "", tag: str = CALLBACK_TAG, late_s: int = 0,
        path: str = "", body: bytes = b"", signed: bytes | None = None, signed_path: str = "",
        query: str = "", without: str = "", nonce: str | None = None,
    ) -> httpx.Response:  # fmt: skip
        """A callback, in which something may be other than it should."""
        whole = body or msgspec.json.encode(NEWS)
        where = path or self.path()
        signer = Signer(key.private, by or self.remote.away, tag)
        made = signer.headers(
            "POST", signed_path or where, "", whole if signed is None else signed, None,
            now=int(time.time()) + late_s, nonce=nonce,
        )  # fmt: skip
        headers = [(name, value) for name, value in made if name != without.encode()]
        nobody = await self.remote.city.anonymous()
        return await nobody.post(
            where + query, content=whole, headers=[*headers, (b"content-type", b"application/json")]
        )


@pytest_asyncio.fixture(loop_scope="session")
async def desk(remote: Remote) -> AsyncGenerator[Desk]:
    made = Desk(remote)
    gateway = remote.gateway
    before = gateway.callbacks.tell_case, gateway.calls.give_material
    gateway.callbacks.tell_case = made.tell_case
    gateway.calls.give_material = made.give_material
    yield made
    gateway.callbacks.tell_case, gateway.calls.give_material = before


def check(answer: httpx.Response) -> str:
    """Why a callback was refused."""
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"] == "/problems/callback-refused"
    found: str = answer.json()["check"]
    return found


async def test_news_of_a_case_arrives(desk: Desk) -> None:
    client = desk.client()
    await client.tell(str(desk.case), NEWS)
    await client.tell(str(desk.case), CaseNews())
    await client.close()
    assert desk.heard == [
        (desk.remote.away, desk.case, NEWS), (desk.remote.away, desk.case, CaseNews()),
    ]  # fmt: skip


async def test_a_shop_fetches_what_was_handed_in(desk: Desk) -> None:
    client = desk.client()
    assert await client.material(str(desk.case), str(desk.paper)) == PNG
    for case, paper in ((uuid4(), desk.paper), (desk.case, uuid4()), ("x", "y")):
        with pytest.raises(Unavailable, match="404"):
            await client.material(str(case), str(paper))
    stranger = desk.client(OTHER_KEY)
    with pytest.raises(Unavailable, match="401"):
        await stranger.material(str(desk.case), str(desk.paper))
    nobody = await desk.remote.city.anonymous()
    bare = await nobody.get(f"{desk.path()}/materials/{desk.paper}")
    assert check(bare) == "signature-missing"
    await client.close()
    await stranger.close()


async def test_a_shop_here_fetches_the_same_way(desk: Desk) -> None:
    """Code in our process has no address to call back from; it asks through its call."""
    way, app = desk.remote.gateway.calls.way(desk.remote.away, "all", None)
    facts = await desk.remote.gateway.calls.facts(way, caller(uuid4()), app, "apply.submit", "en")
    assert await facts.materials(str(desk.case), str(desk.paper)) == PNG
    with pytest.raises(NotFound):
        await facts.materials(str(desk.case), str(uuid4()))


async def test_who_may_not_call_back(desk: Desk) -> None:
    remote = desk.remote
    mine, other = desk.path(), desk.path(case=uuid4())
    assert check(await desk.send(key=OTHER_KEY)) == "signature-wrong"
    assert check(await desk.send(by=remote.here)) == "signature-key"
    assert check(await desk.send(tag=SHOP_TAG)) == "signature-tag"
    assert check(await desk.send(late_s=600)) == "signature-created"
    assert check(await desk.send(late_s=-600)) == "signature-created"
    assert check(await desk.send(signed=b'{"outcome":null}')) == "signature-digest"
    assert check(await desk.send(path=mine, signed_path=other)) == "signature-wrong"
    assert check(await desk.send(query="?x=1")) == "signature-wrong"
    assert check(await desk.send(without="signature")) == "signature-missing"
    assert check(await desk.send(without="signature-input")) == "signature-missing"
    assert check(await desk.send(without="content-digest")) == "signature-digest"
    assert check(await desk.send(path=desk.path("nobody"), by="nobody")) == "signature-key"
    there = await desk.send(path=desk.path(remote.here), by=remote.here)
    assert check(there) == "signature-key", "a shop in our process signs nothing"
    assert desk.heard == []


async def test_a_shop_can_not_speak_for_another(desk: Desk) -> None:
    """Signed rightly by its own key, with its own id, about somebody else's case."""
    remote = desk.remote
    third = said("third_shop", version="1.0.0")
    remote_url = remote.served.url
    await remote.place(
        placed(said(remote.away), remote_url), placed(third, remote_url, key=OTHER_KEY.text)
    )
    assert check(await desk.send(key=OTHER_KEY, by="third_shop")) == "signature-key"
    own = await desk.send(key=OTHER_KEY, by="third_shop", path=desk.path("third_shop"))
    assert own.status_code == 204
    assert [shop for shop, _, _ in desk.heard] == ["third_shop"], "it is told whose word it is"


async def test_what_came_once_does_not_count_again(desk: Desk) -> None:
    nonce = uuid4().hex
    assert (await desk.send(nonce=nonce)).status_code == 204
    assert check(await desk.send(nonce=nonce)) == "signature-replayed"
    await forget_calls(desk.remote.city.house.db)
    assert check(await desk.send(nonce=nonce)) == "signature-replayed", "it is still fresh"
    at_once = uuid4().hex
    crowd = await asyncio.gather(*(desk.send(nonce=at_once) for _ in range(10)))
    assert sorted(answer.status_code for answer in crowd) == [204, *[401] * 9]
    assert len(desk.heard) == 2


async def test_clocks_may_differ_a_little(desk: Desk) -> None:
    for late_s in (-290, 290):
        assert (await desk.send(late_s=late_s)).status_code == 204


async def test_the_keys_of_both_versions_count_while_one_is_tried(desk: Desk) -> None:
    remote = desk.remote
    live = placed(said(remote.away), remote.served.url)
    canary = placed(
        said(remote.away, version="2.0.0"), remote.served.url,
        role="canary", percent=10, key=OTHER_KEY.text,
    )  # fmt: skip
    await remote.place(live, canary)
    assert (await desk.send()).status_code == 204
    assert (await desk.send(key=OTHER_KEY)).status_code == 204
    assert check(await desk.send(key=Key(bytes(range(2, 34))))) == "signature-wrong"
    await remote.place(live)
    assert check(await desk.send(key=OTHER_KEY)) == "signature-wrong"


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'{"outcome": 1}', b'{"more": 1}', b"\xff", b"[" * 60_000,
     b'{"outcome": {"state": "accepted", "message": {"zh-CN": "\xff"}}}'],
    ids=["open", "a list", "null", "a number", "an unknown member", "no UTF-8", "nested", "bytes"],
)  # fmt: skip
async def test_signed_nonsense_is_the_shops_mistake(desk: Desk, body: bytes) -> None:
    answer = await desk.send(body=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/bad-request")
    assert desk.heard == []


async def test_other_odd_callbacks(desk: Desk) -> None:
    assert (await desk.send(body=b" " * 70_000)).status_code == 413
    no_case = await desk.send(path=desk.path(case="not-a-uuid"))
    assert no_case.status_code == 404
    nobody = await desk.remote.city.anonymous()
    odd = {"signature-input": "civicmall=(", "signature": "civicmall=:AA==:"}
    assert (
        check(await nobody.post(desk.path(), content=b"{}", headers=odd)) == "signature-malformed"
    )
    assert desk.heard == []


async def test_callbacks_of_a_suspended_shop_are_refused(desk: Desk) -> None:
    remote = desk.remote
    await remote.place(placed(said(remote.away), remote.served.url, role="suspended"))
    assert check(await desk.send()) == "signature-key"
