"""The client against every wrong answer: each ends in the error that names it, and in time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from tests.patience import STALL_S
from tests.rooms.gateway import hostile
from tests.rooms.gateway.calling import BODY_MAX, Receiver, client, get, soon, stream
from tests.rooms.gateway.hostile import BODY, Hostile

from civicmall.gateway.http1 import BadReply, Client, RemoteFault, Unreachable, Unsendable
from civicmall.gateway.http1_connection import HEADERS_MAX, INTERIMS_MAX

WRONG = {
    "length-twice": "framing", "length-repeated": "framing", "length-listed": "length",
    "length-and-chunked": "framing", "chunked-and-length": "framing", "length-negative": "length",
    "length-word": "length", "length-overflow": "length", "coding-unknown": "framing",
    "coding-twice": "framing", "coding-last": "framing", "trailer-length": "framing",
    "chunk-word": "chunk", "chunk-overlong": "chunk", "chunk-overflow": "chunk",
    "chunk-bare-lf": "chunk", "chunk-signed": "chunk",
    "garbage": "syntax", "a-request": "syntax", "future": "syntax", "status-zero": "status",
    "status-high": "status", "status-word": "status", "folded": "syntax", "nul": "syntax",
    "space-in-name": "syntax", "space-after-name": "syntax", "bare-lf": "syntax",
    "bare-cr": "syntax", "many-headers": "headers", "large-header": "head-size",
    "large-head": "head-size", "interim-storm": "interim", "switching": "interim",
    "switching-plain": "interim", "interim-with-body": "interim", "announces-much": "body-size",
    "cut-head": "truncated", "cut-status": "truncated", "cut-body": "truncated",
    "cut-chunk": "truncated", "cut-between-chunks": "truncated", "cut-last-chunk": "truncated",
    "after-interim": "truncated",
    "endless-head": "headers", "endless-header": "head-size", "endless-status": "head-size",
    "endless-interim": "interim", "endless-body": "body-size", "endless-until-close": "body-size",
    "endless-extension": "chunk", "endless-extensions": "chunk", "endless-trailer": "chunk",
    "dust": "chunk",
}  # fmt: skip
"""Each mode to the check that its answer fails, whole or streamed."""
WRONG_TYPED = {"gzip": "encoding", "encoded-twice": "encoding"}
"""The same where an answer is wanted whole; streamed, it passes on as it is."""
FINE = {
    "ok": (200, BODY), "empty": (200, b""), "chunked": (200, BODY), "no-content": (204, b""),
    "not-modified": (304, b""), "interim": (200, BODY), "last": (200, BODY),
    "redirect": (302, b""), "error": (500, b""), "until-close": (200, BODY),
    "http-1.0": (200, BODY), "empty-value": (200, BODY), "upper-case": (200, BODY),
    "identity": (200, BODY), "short-lived": (200, BODY),
}  # fmt: skip
LATE = [*hostile.DRIPS]


@pytest.fixture
async def server() -> AsyncIterator[Hostile]:
    async with Hostile() as found:
        yield found


@pytest.fixture
async def c(server: Hostile) -> AsyncIterator[Client]:
    async with client(server.port) as made:
        yield made


def test_every_mode_of_the_server_is_played() -> None:
    behind = {name for name in hostile.ANSWERS if name.startswith(("trailing", "no-content-"))}
    played = {*WRONG, *WRONG_TYPED, *FINE, *LATE, *behind, "second-answer", "closes"}
    assert {*hostile.ANSWERS, *hostile.CUT, *hostile.ENDLESS, *hostile.DRIPS} == played


@pytest.mark.parametrize("mode", FINE)
async def test_a_right_answer_is_taken_whole_and_streamed(c: Client, mode: str) -> None:
    for _ in range(2):
        reply = await get(c, f"/{mode}")
        assert (reply.status, reply.body) == FINE[mode]
        passed = await stream(c, f"/{mode}", Receiver())
        assert (passed.status, passed.body, passed.ended) == (*FINE[mode], True)
        assert passed.headers == reply.headers


async def test_headers_arrive_as_sent_with_names_in_lower_case(c: Client) -> None:
    assert (await get(c, "/upper-case")).headers == [(b"content-length", b"12"), (b"x-odd", b"1")]
    headers = dict((await get(c, "/empty-value")).headers)
    assert (headers[b"x-empty"], headers[b"x-other"]) == (b"", b"1")
    assert b"x-sum" not in dict((await get(c, "/chunked")).headers)


async def test_a_redirect_is_an_answer_and_nobody_goes_there(server: Hostile, c: Client) -> None:
    reply = await get(c, "/redirect")
    assert dict(reply.headers)[b"location"] == hostile.METADATA
    assert [r.target for r in server.requests] == ["/redirect"]


@pytest.mark.parametrize("mode", WRONG | WRONG_TYPED)
async def test_a_wrong_answer_is_named_and_its_connection_ends(
    server: Hostile, c: Client, mode: str
) -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(BadReply) as wrong:
        await get(c, f"/{mode}")
    assert wrong.value.check == (WRONG | WRONG_TYPED)[mode]
    assert wrong.value.seen
    assert asyncio.get_running_loop().time() - began < 2
    await server.closed()
    assert c.connections == 0
    assert (await get(c, "/ok")).body == BODY


@pytest.mark.parametrize("mode", WRONG)
async def test_a_wrong_answer_is_named_while_it_streams(
    server: Hostile, c: Client, mode: str
) -> None:
    receiver = Receiver()
    with pytest.raises(BadReply) as wrong:
        await stream(c, f"/{mode}", receiver)
    assert wrong.value.check == WRONG[mode]
    assert not receiver.ended
    assert len(receiver.body) <= BODY_MAX
    await server.closed()
    assert c.connections == 0


async def test_an_encoded_answer_streams_through_untouched(c: Client) -> None:
    receiver = await stream(c, "/gzip", Receiver())
    assert dict(receiver.headers)[b"content-encoding"] == b"gzip"
    assert receiver.body == hostile.ANSWERS["gzip"].partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("mode", LATE)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
async def test_the_deadline_is_of_the_whole_answer(
    server: Hostile, c: Client, mode: str, *, streamed: bool
) -> None:
    """A drip extends nothing."""
    began = asyncio.get_running_loop().time()
    asking = (
        stream(c, f"/{mode}", Receiver(), deadline=soon(0.2))
        if streamed
        else get(c, f"/{mode}", deadline=soon(0.2))
    )
    with pytest.raises(TimeoutError):
        await asking
    took = asyncio.get_running_loop().time() - began
    assert 0.19 < took < 0.2 + STALL_S
    await server.closed()
    assert c.connections == 0


async def test_one_deadline_after_the_other_on_one_connection(c: Client) -> None:
    """The timer of a connection serves them all: shorter ones after longer ones, and back."""
    for seconds in (5.0, 1.0, 5.0):
        assert (await get(c, "/ok", deadline=soon(seconds))).status == 200
    for seconds in (0.05, 0.3):
        assert (await get(c, "/ok", deadline=soon(0.1))).status == 200
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError):
            await get(c, "/hang", deadline=soon(seconds))
        assert seconds - 0.01 < asyncio.get_running_loop().time() - began < seconds + STALL_S


async def test_no_time_left_is_no_call(server: Hostile, c: Client) -> None:
    for requests in range(2):  # without a connection, and with one that rests
        for deadline in (soon(0), soon(-1)):
            with pytest.raises(TimeoutError):
                await get(c, "/ok", deadline=deadline)
        assert len(server.requests) == requests
        await get(c, "/ok")


@pytest.mark.parametrize("mode", ["closes", "reset"])
async def test_a_connection_that_ends_before_the_answer(c: Client, mode: str) -> None:
    with pytest.raises(Unreachable):
        await get(c, f"/{mode}")
    assert c.connections == 0


async def test_a_reset_is_no_end_of_an_answer_without_a_length(server: Hostile, c: Client) -> None:
    receiver = Receiver()
    asking = asyncio.create_task(stream(c, "/reset-in-body", receiver))
    await receiver.begun.wait()
    server.go.set()
    with pytest.raises(BadReply, match="truncated"):
        await asking
    assert not receiver.ended


async def test_nobody_listens() -> None:
    async with Hostile() as gone:
        port = gone.port
    async with client(port) as c:
        with pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1"):
            await get(c, "/ok")


async def test_a_body_as_large_as_allowed_and_one_byte_more(c: Client) -> None:
    assert len((await get(c, "/large?100000", body_max=100_000)).body) == 100_000
    with pytest.raises(BadReply, match="body-size: announces 100001 of 100000"):
        await get(c, "/large?100001", body_max=100_000)
    assert (await get(c, "/chunked", body_max=12)).body == BODY
    with pytest.raises(BadReply, match="body-size: more than 11"):
        await get(c, "/chunked", body_max=11)


async def test_limits_are_where_they_say(server: Hostile, c: Client) -> None:
    interim = hostile.said(b"103 Early Hints")
    lines = [b"x-%d: 1" % n for n in range(HEADERS_MAX - 2)]  # a type and a length come with them
    server.acts["enough"] = _answering(interim * INTERIMS_MAX + hostile.sized(BODY, *lines))
    assert len((await get(c, "/enough")).headers) == HEADERS_MAX
    server.acts["more"] = _answering(hostile.sized(BODY, *lines, b"x: 1"))
    with pytest.raises(BadReply, match="headers: more than 100"):
        await get(c, "/more")
    server.acts["interims"] = _answering(interim * (INTERIMS_MAX + 1) + hostile.WHOLE)
    with pytest.raises(BadReply, match="interim: more than 8"):
        await get(c, "/interims")


def _answering(answer: bytes):  # noqa: ANN202 (an act of the server)
    async def act(_: hostile.Request, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer)
        return True

    return act


async def test_head_has_no_body_whatever_its_length_says(server: Hostile, c: Client) -> None:
    for mode in ("ok", "chunked", "gzip"):
        receiver = await stream(c, f"/{mode}", Receiver(), method="HEAD", body_max=1)
        assert (receiver.status, receiver.body) == (200, b"")
    assert (await get(c, "/ok")).body == BODY
    server.acts["wordy"] = _answering(hostile.WHOLE)  # it sends one nevertheless
    assert (await get(c, "/wordy", method="HEAD")).body == b""
    assert (await get(c, "/ok")).body == BODY


async def test_what_is_sent(server: Hostile) -> None:
    async with client(server.port, prefix="/echo/v1") as c:
        reply = await c.request(
            "POST", "/a/b?c=%20d&e=/../f", [(b"x-note", b"\xe4 ;:"), (b"accept", b"*/*")], b"12\r\n",
            deadline=soon(), body_max=BODY_MAX,
        )  # fmt: skip
        seen = json.loads(reply.body)
        assert (seen["method"], seen["target"]) == ("POST", "/echo/v1/a/b?c=%20d&e=/../f")
        assert seen["body"] == "12\r\n"
        assert seen["headers"] == {
            "host": f"127.0.0.1:{server.port}", "x-note": "ä ;:", "accept": "*/*",
            "accept-encoding": "identity", "content-length": "4",
        }  # fmt: skip
        bare = json.loads((await get(c, "/a")).body)
        assert bare["headers"].keys() == {"host", "accept-encoding"}
        posted = json.loads((await get(c, "/a", method="POST")).body)
        assert posted["headers"]["content-length"] == "0"


@pytest.mark.parametrize(
    ("method", "target", "name", "value"),
    [
        ("GET", "/", b"x", b"a\r\nx-role: admin"), ("GET", "/", b"x", b"a\nb"),
        ("GET", "/", b"x", b"a\rb"), ("GET", "/", b"x", b"a\0b"), ("GET", "/", b"x", b"\r\n folded"),
        ("GET", "/", b"x: y\r\nz", b"a"), ("GET", "/", b"x\n", b"a"), ("GET", "/", b"", b"a"),
        ("GET", "/", b"x y", b"a"), ("GET", "/", b"x:", b"a"), ("GET", "/", b"content-length", b"9"),
        ("GET", "/", b"Transfer-Encoding", b"chunked"), ("GET", "/", b"HOST", b"other"),
        ("GET", "/", b"connection", b"close"), ("GET", "/", b"upgrade", b"h2c"),
        ("GET", "/ HTTP/1.1\r\nx: y\r\n\r\n", b"x", b"a"), ("GET", "/a b", b"x", b"a"),
        ("GET", "/a\0", b"x", b"a"), ("GET", "/\u00e4", b"x", b"a"), ("GET", "/a#b", b"x", b"a"),
        ("GET", "", b"x", b"a"), ("GET", "a", b"x", b"a"), ("GET", "*", b"x", b"a"),
        ("GET", "http://169.254.169.254/", b"x", b"a"), ("GET", "@127.0.0.1", b"x", b"a"),
        ("GET", "/../a", b"x", b"a"), ("GET", "/a/..", b"x", b"a"), ("GET", "/./a", b"x", b"a"),
        ("GET", "/%2e%2E/a", b"x", b"a"), ("GET", "/..%2fa", b"x", b"a"),
        ("GET", "/a%5c..\\b", b"x", b"a"), ("GET", "/..;/a", b"x", b"a"),
        ("get", "/", b"x", b"a"), ("CONNECT", "/", b"x", b"a"), ("TRACE", "/", b"x", b"a"),
        ("GET / HTTP/1.1\r\n\r\nGET", "/", b"x", b"a"),
    ],
)  # fmt: skip
async def test_nothing_is_smuggled_into_a_request(
    server: Hostile, c: Client, method: str, target: str, name: bytes, value: bytes
) -> None:
    said = [(b"accept", b"*/*"), (name, value)]
    with pytest.raises(Unsendable):
        await c.request(method, target, said, b"", deadline=soon(), body_max=1)
    with pytest.raises(Unsendable):
        await stream(c, target, Receiver(), method=method, headers=said)
    assert server.accepted == 0


@pytest.mark.parametrize(
    "target", ["/...", "/a..b", "/.well-known/x", "/a.b/..c", "/%2e%2ea", "//a"]
)
async def test_dots_that_lead_nowhere_else_are_fine(
    c: Client, server: Hostile, target: str
) -> None:
    assert (await get(c, target)).status == 200
    assert server.requests[0].target == target


VALID = (
    hostile.said(b"100 Continue")
    + hostile.CHUNKED
    + b"a\r\n0123456789\r\n1;ext=1\r\nx\r\n00003\r\nabc\r\n0\r\nx-trailer: 1\r\n\r\n"
)


@given(cuts=st.sets(st.integers(1, len(VALID) - 1), max_size=40))
@how(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_however_an_answer_is_cut_it_is_the_same(
    server: Hostile, c: Client, cuts: set[int]
) -> None:
    async def act(_: hostile.Request, writer: asyncio.StreamWriter) -> bool:
        ends = [0, *sorted(cuts), len(VALID)]
        for start, end in pairwise(ends):
            writer.write(VALID[start:end])
            await writer.drain()
            await asyncio.sleep(0)
        return True

    server.acts["cut"] = act
    assert (await get(c, "/cut")).body == b"0123456789xabc"
    assert (await stream(c, "/cut", Receiver())).body == b"0123456789xabc"


GARBAGE = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [b"HTTP/1.1 200 OK\r\n", b"content-length: 5\r\n", b"transfer-encoding: chunked\r\n", b"\r\n",
             b"5\r\nhello\r\n", b"0\r\n\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"x: y\r\n", b"\n", b"\0",
             b"content-length: 3\r\n", b"connection: close\r\n", b"HTTP/1.1 204 No\r\n", b"he"]
        ),
        max_size=12,
    ).map(b"".join),
)  # fmt: skip


@given(said=GARBAGE, closes=st.booleans())
@how(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_garbage_ends_in_an_answer_or_a_named_error_in_time(
    server: Hostile, c: Client, said: bytes, *, closes: bool
) -> None:
    async def act(_: hostile.Request, writer: asyncio.StreamWriter) -> bool:
        writer.write(said)
        await writer.drain()
        return not closes

    server.acts["garbage-of-the-day"] = act
    began = asyncio.get_running_loop().time()
    with suppress(RemoteFault, TimeoutError):
        reply = await get(c, "/garbage-of-the-day", deadline=soon(0.03))
        assert 200 <= reply.status < 600
    assert asyncio.get_running_loop().time() - began < 0.03 + STALL_S
    assert (await get(c, "/ok")).body == BODY, "the next one gets its own answer"
