"""Names are resolved, checked and pinned; one that changes its mind leads nowhere new."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tests.rooms.gateway.calling import client, get, soon
from tests.rooms.gateway.hostile import BODY, Hostile

from civicmall.gateway import addresses
from civicmall.gateway.addresses import Address, Networks
from civicmall.gateway.http1 import Forbidden, Unreachable

LOOPBACK = "127.0.0.0/8"


class Names:
    """A name server: each question gets the next answer, the last one for ever."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        await self.go.wait()
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, OSError):
            raise answer
        return answer


async def test_a_name_is_resolved_by_the_system_and_checked() -> None:
    found = await Networks.parse(f"{LOOPBACK},::1/128").resolve("localhost", 80)
    assert "127.0.0.1" in found.ips
    with pytest.raises(Forbidden, match=r"localhost: .* not public"):
        await Networks().resolve("localhost", 80)


async def test_a_name_that_nobody_has() -> None:
    with pytest.raises(Unreachable, match=r"no address for nobody\.invalid"):
        await Networks().resolve("nobody.invalid", 80)
    answers: list[list[str] | OSError] = [[], OSError("broken"), socket.gaierror(-2, "unknown")]
    for answer in answers:
        with pytest.raises(Unreachable, match=r"no address for shop\.test"):
            await Networks(resolver=Names(answer)).resolve("shop.test", 80)


@pytest.mark.parametrize(
    "answer",
    [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["1.1.1.1", "169.254.169.254"],
     ["2606:4700::1111", "::ffff:10.0.0.1"], ["1.1.1.1", "no address"]],
    ids=" ".join,
)  # fmt: skip
async def test_one_forbidden_address_forbids_the_name(answer: list[str]) -> None:
    with pytest.raises(Forbidden):
        await Networks(resolver=Names(answer)).resolve("shop.test", 443)


async def test_a_name_with_a_host_of_addresses_is_refused() -> None:
    many = [f"1.1.1.{n}" for n in range(20)]
    with pytest.raises(Forbidden, match="leads to 20 addresses"):
        await Networks(resolver=Names(many)).resolve("shop.test", 443)


async def test_an_address_needs_no_name_server() -> None:
    names = Names(["1.1.1.1"])
    found = await Networks.parse(LOOPBACK, names).resolve("127.0.0.1", 80)
    assert found == Address("127.0.0.1", 80, ("127.0.0.1",))
    with pytest.raises(Forbidden):
        await Networks(resolver=names).resolve("169.254.169.254", 80)
    assert names.asked == []


async def test_an_answer_is_used_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = (["1.1.1.1"], ["1.0.0.1"], OSError("away"), ["10.0.0.1"], ["1.1.1.1"])
    kept = Networks(resolver=(names := Names(*answers)))
    for _ in range(3):
        assert (await kept.resolve("shop.test", 443)).ips == ("1.1.1.1",)
    assert len(names.asked) == 1
    await kept.resolve("shop.test", 444)
    assert len(names.asked) == 2
    monkeypatch.setattr(addresses, "TTL_S", 0.0)
    fresh = Networks(resolver=Names(*answers))
    assert (await fresh.resolve("shop.test", 443)).ips == ("1.1.1.1",)
    assert (await fresh.resolve("shop.test", 443)).ips == ("1.0.0.1",)
    with pytest.raises(Unreachable, match="away"):
        await fresh.resolve("shop.test", 443)
    with pytest.raises(Forbidden):
        await fresh.resolve("shop.test", 443)
    assert (await fresh.resolve("shop.test", 443)).ips == ("1.1.1.1",)


async def test_many_who_ask_at_once_are_one_question() -> None:
    names = Names(["1.1.1.1"])
    names.go.clear()
    networks = Networks(resolver=names)
    asking = [asyncio.create_task(networks.resolve("shop.test", 443)) for _ in range(50)]
    await asyncio.sleep(0)
    for task in asking[:25]:
        task.cancel()
    names.go.set()
    said = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in said] == [asyncio.CancelledError] * 25 + [Address] * 25
    assert len(names.asked) == 1


async def test_a_name_server_that_hangs_costs_its_callers_their_deadline_only() -> None:
    names = Names(["127.0.0.1"])
    names.go.clear()
    networks = Networks.parse(LOOPBACK, names)
    async with (
        Hostile() as server,
        client(server.port, host="slow.test", networks=networks) as slow,
        client(server.port, networks=networks) as other,
    ):
        with pytest.raises(TimeoutError):
            await get(slow, "/ok", deadline=soon(0.05))
        assert (await get(other, "/ok")).body == BODY
        names.go.set()
        assert (await get(slow, "/ok")).body == BODY


async def test_a_name_that_turns_to_our_own_machines_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: a public address when it is checked, ours when it is connected to."""
    monkeypatch.setattr(addresses, "TTL_S", 0.0)
    async with Hostile() as server:
        for answers in (
            [["1.1.1.1"], ["127.0.0.1"]],
            [["127.0.0.1"], ["1.1.1.1"]],
            [["1.1.1.1", "127.0.0.1"]],
        ):
            names = Names(*answers)
            networks = Networks(resolver=names)
            async with client(server.port, host="shop.test", networks=networks) as c:
                said = [await _outcome(c, 0.2) for _ in answers]
            public = [answer == ["1.1.1.1"] for answer in answers]
            assert [kind is not Forbidden for kind in said] == public
            assert len(names.asked) == len(answers), "one question for each call, none behind it"
        assert server.accepted == 0


async def _outcome(c: object, seconds: float) -> type[BaseException] | None:
    try:
        await get(c, "/ok", deadline=soon(seconds))  # pyright: ignore[reportArgumentType] (a client)
    except (Forbidden, Unreachable, TimeoutError) as error:
        return type(error)
    return None


async def test_the_connection_goes_to_the_checked_address() -> None:
    """The name itself leads nowhere on this machine: only what was pinned is connected to."""
    names = Names(["127.0.0.1"])
    async with (
        Hostile() as server,
        client(server.port, host="nobody.invalid", networks=Networks.parse(LOOPBACK, names)) as c,
    ):
        assert (await get(c, "/ok")).body == BODY
        assert server.requests[0].headers["host"] == f"nobody.invalid:{server.port}"


async def test_an_address_that_is_dead_gives_way_to_the_next() -> None:
    async with Hostile() as server:
        names = Names(["127.0.0.9", "127.0.0.1"])  # the server listens on the second alone
        networks = Networks.parse(LOOPBACK, names)
        async with client(server.port, host="shop.test", networks=networks) as c:
            assert (await get(c, "/ok")).body == BODY
    async with client(server.port, host="shop.test", networks=networks) as c:
        with pytest.raises(Unreachable, match=r"no connection to 127\.0\.0\.1"):
            await get(c, "/ok")


async def test_a_metadata_address_is_not_called_even_where_all_is_allowed() -> None:
    networks = Networks.parse("0.0.0.0/0")
    for host in ("169.254.169.254", "100.100.100.200"):
        async with client(80, host=host, networks=networks) as c:
            with pytest.raises(Forbidden):
                await get(c, "/latest/meta-data/")
            assert c.connections == 0
