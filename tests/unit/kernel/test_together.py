"""Writes that leave together: in order, once a turn, and none after the end."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel.together import TOGETHER_MAX, Together


class Wire:
    """What a transport would have sent, write by write."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        assert not self.closing
        self.sent.append(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    abort = close

    def get_write_buffer_size(self) -> int:
        return 7

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def over(wire: Wire) -> Together:
    transport: Any = wire
    return Together(transport, asyncio.get_running_loop())


async def a_turn() -> None:
    await asyncio.sleep(0)


async def test_what_is_written_in_a_turn_is_one_write() -> None:
    wire = Wire()
    together = over(wire)
    together.write(b"head")
    together.write(b"body")
    assert wire.sent == []
    assert together.get_write_buffer_size() == 7 + 8
    await a_turn()
    assert wire.sent == [b"headbody"]
    assert together.get_write_buffer_size() == 7
    together.write(b"next")
    await a_turn()
    assert wire.sent == [b"headbody", b"next"]


async def test_each_connection_gets_its_own() -> None:
    wires = [Wire(), Wire()]
    first, second = map(over, wires)
    first.write(b"a")
    second.write(b"b")
    first.write(b"c")
    await a_turn()
    assert [wire.sent for wire in wires] == [[b"ac"], [b"b"]]


async def test_much_goes_out_at_once() -> None:
    wire = Wire()
    together = over(wire)
    together.write(b"x" * TOGETHER_MAX)
    assert wire.sent == []
    together.write(b"y")
    assert wire.sent == [b"x" * TOGETHER_MAX + b"y"]
    together.write(b"z")
    await a_turn()
    assert wire.sent[1:] == [b"z"]


async def test_what_waits_goes_before_the_end() -> None:
    wire = Wire()
    together = over(wire)
    together.write(b"the last words")
    together.close()
    assert wire.sent == [b"the last words"]
    assert wire.closing
    await a_turn()
    assert len(wire.sent) == 1


async def test_an_abrupt_end_sends_nothing_more() -> None:
    wire = Wire()
    together = over(wire)
    together.write(b"too late")
    together.abort()
    await a_turn()
    assert wire.sent == []
    assert wire.closing


async def test_a_connection_that_is_gone_costs_the_others_nothing() -> None:
    gone, well = Wire(), Wire()
    over(gone).write(b"a")
    over(well).write(b"b")
    gone.closing = True
    await a_turn()
    assert gone.sent == []
    assert well.sent == [b"b"]


async def test_everything_else_is_the_transports() -> None:
    assert over(Wire()).get_extra_info("peername") == "the peername"


@given(st.lists(st.one_of(st.binary(max_size=9), st.none()), max_size=30))
def test_nothing_is_lost_or_turned_round(steps: list[bytes | None]) -> None:
    """None: the loop's next turn."""
    wire = Wire()

    async def write() -> None:
        together = over(wire)
        for step in steps:
            if step is None:
                await a_turn()
            else:
                together.write(step)
        together.close()

    asyncio.run(write())
    assert b"".join(wire.sent) == b"".join(step for step in steps if step)
