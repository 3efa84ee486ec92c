"""A replay is refused however small the memory is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shopkit.signatures import Memory


async def test_what_a_full_memory_forgets_stays_refused() -> None:
    memory = Memory(2)
    assert not await memory.seen("a", "1", 10)
    assert not await memory.seen("a", "2", 11)
    assert not await memory.seen("a", "3", 12)  # and "1" is forgotten
    assert await memory.seen("a", "1", 10)
    assert await memory.seen("a", "2", 11)
    assert not await memory.seen("b", "1", 10)  # another key's clock is its own
    assert not await memory.seen("a", "4", 12)


async def test_a_clock_that_was_put_back_opens_nothing() -> None:
    memory = Memory(1)
    assert not await memory.seen("a", "1", 12)
    assert not await memory.seen("a", "2", 10)
    assert not await memory.seen("a", "3", 15)
    assert await memory.seen("a", "1", 12)


@given(st.lists(st.integers(0, 9).map(str), max_size=40), st.integers(1, 5))
async def test_no_memory_is_too_small_to_refuse_a_replay(nonces: list[str], size: int) -> None:
    memory, known = Memory(size), set[tuple[str, int]]()
    for at, nonce in enumerate(nonces, 1):
        for old, until in known:
            assert await memory.seen("k", old, until)
        assert not await memory.seen("k", f"{nonce}-{at}", at)
        known.add((f"{nonce}-{at}", at))
