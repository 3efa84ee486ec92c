"""The same client on the loop that the city runs on: uvloop's transports are others than asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from tests.rooms.gateway import test_http1, test_http1_connections, test_http1_streaming
from tests.rooms.gateway.calling import Receiver, client, get, soon, stream
from tests.rooms.gateway.hostile import BODY, Hostile
from tests.rooms.gateway.test_http1_tls import HOST, NETWORKS, Authority

from civicmall.gateway.http1 import BadCertificate, RemoteFault

SAME: list[Any] = [
    test_http1.test_a_reset_is_no_end_of_an_answer_without_a_length,
    test_http1.test_one_deadline_after_the_other_on_one_connection,
    test_http1_connections.test_an_answer_that_comes_later_unasked_ends_a_resting_connection,
    test_http1_connections.test_a_resting_connection_that_the_shop_closed_is_replaced,
    test_http1_connections.test_a_post_is_not_unless_it_may,
    test_http1_connections.test_an_early_answer_to_a_body_not_taken_ends_the_connection,
    test_http1_streaming.test_a_shop_that_does_not_read_is_not_sent_more,
    test_http1_streaming.test_a_receiver_that_does_not_take_stops_the_shop,
    test_http1_streaming.test_what_goes_wrong_in_the_callers_body_comes_out,
    test_http1_streaming.test_an_answer_before_the_end_of_the_request,
]
"""Where the loop's own transport matters most."""
POOLS: list[Any] = [
    test_http1_connections.test_who_is_cancelled_while_connecting_leaves_none_either,
    test_http1_connections.test_never_more_connections_than_agreed,
    test_http1_connections.test_a_place_goes_on_when_its_waiter_has_gone,
    test_http1_connections.test_closing_ends_what_is_under_way_and_what_waits,
]


async def on_uvloop(work: Callable[[], Any]) -> None:
    """In a thread, since this thread's loop is another."""

    async def run() -> None:
        assert "uvloop" in type(asyncio.get_running_loop()).__module__
        await work()

    await asyncio.to_thread(uvloop.run, run())


@pytest.mark.parametrize("scenario", SAME, ids=lambda same: same.__name__)
async def test_the_same(scenario: Any) -> None:
    async def work() -> None:
        async with Hostile() as server, client(server.port) as c:
            takes = scenario.__code__.co_varnames[: scenario.__code__.co_argcount]
            await scenario(**{n: v for n, v in (("server", server), ("c", c)) if n in takes})

    await on_uvloop(work)


@pytest.mark.parametrize("scenario", POOLS, ids=lambda same: same.__name__)
async def test_the_same_of_pools(scenario: Any) -> None:
    async def work() -> None:
        async with Hostile() as server:
            await scenario(server)

    await on_uvloop(work)


async def test_every_wrong_answer_is_named_and_every_right_one_taken() -> None:
    async def work() -> None:
        async with Hostile() as server, client(server.port) as c:
            for mode, check in test_http1.WRONG.items():
                said = await asyncio.gather(
                    get(c, f"/{mode}"), stream(c, f"/{mode}", Receiver()), return_exceptions=True
                )
                assert [getattr(error, "check", error) for error in said] == [check] * 2, mode
            for mode, (status, body) in test_http1.FINE.items():
                reply = await get(c, f"/{mode}")
                passed = await stream(c, f"/{mode}", Receiver())
                assert (reply.status, reply.body) == (passed.status, passed.body) == (status, body)
            for mode in test_http1.LATE:
                with pytest.raises(TimeoutError):
                    await get(c, f"/{mode}", deadline=soon(0.05))

    await on_uvloop(work)


async def test_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def call(*hosts: str, alone: bool = False) -> None:
        tls = authority.server(*map(x509.DNSName, hosts), alone=alone)
        async with (
            Hostile(tls=tls) as server,
            client(server.port, tls=authority.client(), host=HOST, networks=NETWORKS) as c,
        ):
            for _ in range(2):
                assert (await get(c, "/ok")).body == BODY
            assert (await stream(c, "/large?200000", Receiver())).body == b"a" * 200_000
            assert server.accepted == 1
            with pytest.raises(RemoteFault):
                await get(c, "/cut-body")

    async def work() -> None:
        await call(HOST)
        for hosts, alone in (((HOST,), True), (("other.test",), False)):
            with pytest.raises(BadCertificate):
                await call(*hosts, alone=alone)

    await on_uvloop(work)
