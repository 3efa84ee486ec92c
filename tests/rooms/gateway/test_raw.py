"""Raw calls: declared paths only, nothing of the caller's identity, nothing of the shop's power."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from tests.rooms.gateway.remote_shop import MB, Remote, answering, problem
from tests.rooms.gateway.steps import known, someone
from tests.rooms.gateway.wire import ask, head, token_of

from civicmall.gateway.breaker import FAULTS_MAX


def raw(shop: str, path: str) -> str:
    """The address of a raw path."""
    return f"/v1/shops/{shop}/raw{path}"


@pytest.mark.parametrize("where", ["here", "away"])
async def test_a_declared_path_is_passed_on(remote: Remote, where: str) -> None:
    client, _ = await someone(remote.city)
    shop = getattr(remote, where)
    got = await client.get(raw(shop, "/files/a%20b?x=1&y=%2F[]"))
    assert (got.status_code, got.text) == (201, "GET a b x=1&y=%2F[]  ")
    assert got.headers["content-type"] == "text/plain"
    assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-content-type-options"] == "nosniff"
    sent = await client.post(
        raw(shop, "/files/b"), content=b"hello", headers={"content-type": "text/x-odd"}
    )
    assert sent.text == "POST b  text/x-odd hello"
    big = bytes(range(256)) * 2000
    back = await client.put(
        raw(shop, "/big/c"), content=big, headers={"content-type": "application/x-bytes"}
    )
    assert (back.content == big, back.headers["content-type"]) == (True, "application/x-bytes")
    assert (await client.get(raw(shop, "/files/nothing"))).status_code == 204
    assert remote.way(shop).gate.running == 0


@pytest.mark.parametrize(
    ("path", "status", "kind", "check"),
    [
        ("/files/gone", 404, "no-such-thing", None), ("/files/no", 409, "shop-refused", None),
        ("/files/away", 503, "shop-unavailable", None), ("/files/broken", 502, "shop-failed", None),
        ("/files/moved", 502, "shop-bad-answer", "raw-status"),
        ("/files/large", 502, "shop-bad-answer", "body-size"),
        ("/files/odd", 502, "shop-bad-answer", "content-type"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_in_a_shop_here_is_named(
    remote: Remote, path: str, status: int, kind: str, check: str | None
) -> None:
    client, _ = await someone(remote.city)
    answer = await client.get(raw(remote.here, path))
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert answer.json().get("check") == check
    assert "set-cookie" not in answer.headers


async def test_a_remote_shops_own_words_go_back_as_they_are(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    remote.served.instead = problem(418, "teapot", (b"x-powered-by", b"tea"), detail="short")
    answer = await client.get(raw(remote.away, "/files/a"))
    assert (answer.status_code, answer.json()["detail"]) == (418, "short")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-powered-by" not in answer.headers


async def test_only_what_is_declared_is_there(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    for shop in (remote.here, remote.away):
        for path in ("/files", "/files/a/b", "/nowhere", "/files/a/", "/File/a", "/%66iles/a"):
            answer = await client.get(raw(shop, path))
            assert answer.status_code in {400, 404}, path
        for method, path in (("DELETE", "/files/a"), ("PATCH", "/files/a"), ("GET", "/big/a"),
                             ("OPTIONS", "/files/a"), ("HEAD", "/files/a")):  # fmt: skip
            answer = await client.request(method, raw(shop, path))
            assert answer.status_code == 405
            assert answer.headers["allow"] == ("PUT" if "big" in path else "GET, POST")
    assert (await client.get(raw("nobody", "/files/a"))).status_code == 404
    assert remote.served.seen == []


ODD_PATHS = {
    "dots": "/files/..", "dot": "/files/.", "encoded dots": "/files/%2e%2e",
    "half encoded": "/files/.%2E", "climbing": "/files/../big/a", "slash": "/files/a%2Fb",
    "slash and dots": "/files/..%2f..%2fbig", "backslash": "/files/a%5cb",
    "backslashes": "/files/..%5c..%5cbig", "double slash": "/files//a", "leading": "//files/a",
    "trailing": "/files/a/", "NUL": "/files/a%00", "a line's end": "/files/a%0d%0aset-cookie:a",
    "no UTF-8": "/files/%ff%fe", "half a character": "/files/%e4%bd", "bad percent": "/files/%zz",
    "percent at the end": "/files/a%", "parameters": "/files/..;x=1", "DEL": "/files/a%7f",
    "quote": '/files/"a"', "pipe": "/files/a|b", "brackets": "/files/[a]",
}  # fmt: skip


@pytest.mark.parametrize("path", ODD_PATHS.values(), ids=ODD_PATHS.keys())
async def test_an_odd_address_goes_nowhere(remote: Remote, path: str) -> None:
    client, _ = await someone(remote.city)
    token = token_of(client)
    for shop in (remote.here, remote.away):
        for _ in range(FAULTS_MAX):
            answer = await ask(remote.city, head("GET", raw(shop, path), token))
            assert answer.status in {400, 404}, answer.body
        assert remote.way(shop).gate.breaker_state() == "closed"
        assert (await client.get(raw(shop, "/files/a"))).status_code == 201
    assert [seen.path for seen in remote.served.seen] == ["/v2/apps/all/raw/files/a"]


@pytest.mark.parametrize(
    "target",
    [b"/files/\xe4\xbd\xa0", b"/files/\xff", b"/files/a?x=\xff", b"/files/a?x=\xe4\xbd\xa0",
     b"/files/a?x=\x7f", b"/files/a?" + b"x" * 4097],
    ids=["a character", "a byte", "a byte asked", "a character asked", "DEL", "a long query"],
)  # fmt: skip
async def test_odd_bytes_go_nowhere(remote: Remote, target: bytes) -> None:
    client, _ = await someone(remote.city)
    where = f"/v1/shops/{remote.away}/raw".encode() + target
    answer = await ask(remote.city, head("GET", where, token_of(client)))
    assert answer.status == 400
    assert remote.served.seen == []


async def test_who_may_call(remote: Remote) -> None:
    path = raw(remote.away, "/files/a")
    nobody = await remote.city.anonymous()
    for headers in ({}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer"},
                    {"authorization": "Bearer a.b.c"}, {"cookie": "session=a"}):  # fmt: skip
        answer = await nobody.get(path, headers=headers)
        assert answer.status_code == 401
        assert "Bearer" in answer.headers["www-authenticate"]
    staff = await remote.city.operator()
    assert (await staff.get(path)).status_code == 403
    client, _ = await someone(remote.city)
    private = raw(remote.away, "/private/a")
    assert (await client.get(private)).json()["type"] == "/problems/level-too-low"
    raised = await known(remote.city, "school_mother")
    assert (await raised.get(private)).json()["type"] == "/problems/consent-needed"
    assert remote.served.seen == []
    agreed = {"claims": ["id_number"]}
    await raised.put(f"/v1/me/consents/{remote.away}/guarded", json=agreed)
    assert (await raised.get(private)).status_code == 201
    assert set(remote.inside(remote.away).seen[-1].citizen.claims) == {"id_number"}


async def test_headers_are_dropped_both_ways(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    sent = {
        "cookie": "a=b", "x-forwarded-for": "1.2.3.4", "forwarded": "for=1.2.3.4", "te": "trailers",
        "x-odd": "1", "proxy-authorization": "Basic YTpi", "accept": "text/plain", "range": "bytes=0-3",
        "connection": "x-odd", "civicmall-assertion": "mine", "signature": "mine=:AA==:",
        "if-none-match": '"a"', "accept-language": "en", "x-http-method-override": "DELETE",
    }  # fmt: skip
    remote.served.instead = answering(
        200, b"hello", (b"set-cookie", b"a=b"), (b"access-control-allow-origin", b"*"),
        (b"location", b"http://169.254.169.254/"), (b"x-odd", b"1"), (b"etag", b'"b"'),
        (b"strict-transport-security", b"max-age=1"), (b"www-authenticate", b"Basic"),
        (b"content-disposition", b"attachment"), (b"refresh", b"0;url=http://a/"),
        (b"content-security-policy", b"default-src *"), (b"clear-site-data", b"*"),
        media=b"text/html",
    )  # fmt: skip
    answer = await client.get(raw(remote.away, "/files/a"), headers=sent)
    (request,) = remote.served.seen
    assert request.headers.keys() == {
        "host", "accept", "range", "if-none-match", "accept-language", "traceparent",
        "civicmall-assertion", "signature-input", "signature",
    }  # fmt: skip
    assert request.headers["signature"].startswith("civicmall=")
    assert request.headers["civicmall-assertion"] != "mine"
    assert request.headers["range"] == "bytes=0-3"
    assert answer.text == "hello"
    assert answer.headers.get_list("content-security-policy")[0].startswith("sandbox")
    assert "default-src *" not in answer.headers["content-security-policy"]
    assert (answer.headers["etag"], answer.headers["content-disposition"]) == ('"b"', "attachment")
    assert not answer.headers.keys() & {
        "set-cookie", "access-control-allow-origin", "location", "x-odd", "refresh",
        "strict-transport-security", "www-authenticate", "clear-site-data",
    }  # fmt: skip


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 300])
async def test_no_redirect_is_followed_or_passed_on(remote: Remote, status: int) -> None:
    client, _ = await someone(remote.city)
    where = (b"location", f"{remote.city.url}/v1/me".encode())
    remote.served.instead = answering(status, b"", where)
    answer = await client.get(raw(remote.away, "/files/a"))
    assert (answer.status_code, answer.json()["check"]) == (502, "redirect")
    assert "location" not in answer.headers
    assert len(remote.served.seen) == 1


async def test_a_304_passes_without_a_body(remote: Remote) -> None:
    client, _ = await someone(remote.city)

    async def unchanged(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"etag", b'"a"'), (b"content-length", b"12")]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body"})

    remote.served.instead = unchanged
    for _ in range(2):  # on the same connection
        answer = await client.get(raw(remote.away, "/files/a"), headers={"if-none-match": '"a"'})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"a"')


@pytest.mark.parametrize("where", ["here", "away"])
async def test_bodies_have_their_caps(remote: Remote, where: str) -> None:
    client, _ = await someone(remote.city)
    shop = getattr(remote, where)
    token = token_of(client)
    said = head("POST", raw(shop, "/files/a"), token, f"content-length: {65_537}")
    answer = await ask(remote.city, said)  # refused by what it announces
    assert (answer.status, answer.problem["type"]) == (413, "/problems/body-too-large")
    assert answer.problem["limit_bytes"] == 65_536
    chunk = b"10000\r\n" + bytes(65_536) + b"\r\n"
    said = head("POST", raw(shop, "/files/a"), token, "transfer-encoding: chunked")
    answer = await ask(remote.city, said + chunk + chunk)  # and by what it is
    assert (answer.status, answer.problem["type"]) == (413, "/problems/body-too-large")
    full = await client.post(raw(shop, "/files/a"), content=bytes(65_536))
    assert full.status_code == 201
    huge = head("PUT", raw(shop, "/big/a"), token, f"content-length: {8 * MB + 1}")
    assert (await ask(remote.city, huge)).status == 413
    assert remote.way(shop).gate.running == 0
    assert remote.way(shop).gate.breaker_state() == "closed"


@pytest.mark.parametrize("where", ["here", "away"])
async def test_large_bodies_go_both_ways(remote: Remote, where: str) -> None:
    client, _ = await someone(remote.city)
    shop = getattr(remote, where)
    gate = remote.way(shop).gate
    gate.timeout_s, kept = 10, gate.timeout_s
    large = hashlib.shake_256(b"large").digest(5 * MB)

    async def parts() -> AsyncGenerator[bytes]:
        for at in range(0, len(large), 100_000):
            yield large[at : at + 100_000]

    try:
        known_length = await client.put(raw(shop, "/big/a"), content=large)
        assert known_length.content == large
        chunked = await client.put(
            raw(shop, "/big/a"), content=parts(), headers={"transfer-encoding": "chunked"}
        )
        assert chunked.content == large
    finally:
        gate.timeout_s = kept
    await asyncio.sleep(0)
    assert gate.running == 0
