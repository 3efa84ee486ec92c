"""What an insurer says is believed when it is signed, fresh, and an answer to what was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel import ids
from civicmall.payments.channels.medical_insurance.insurer import Insurer
from civicmall.payments.channels.medical_insurance.letters import (
    Deduct,
    Deduction,
    GiveBack,
    GivenBack,
    Letter,
    Quoted,
    Said,
    read,
    sign,
)
from civicmall.payments.errors import ChannelAway, ForgedCallback

KEY: Final = Ed25519PrivateKey.generate()
NOW: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
ONE, OTHER = ids.new(7), ids.new(7)
MINOR = st.integers(0, 100_000_000_00)
SAID = st.one_of(
    st.builds(Quoted, MINOR, MINOR),
    st.builds(Deduction, st.uuids(), st.sampled_from(["deducted", "declined"]), MINOR, MINOR),
    st.builds(GivenBack, st.uuids(), st.uuids(), st.sampled_from(["done", "failed"])),
)


class Odd:
    """A wire whose other end says what it likes."""

    public_key = KEY.public_key()

    def __init__(self, letter: Letter) -> None:
        self.letter = letter

    async def send(self, ask: bytes) -> Letter:
        assert msgspec.json.decode(ask)["type"]
        return self.letter

    def statement(self, day: date) -> AsyncIterator[bytes]:
        raise ChannelAway(channel=str(day))


def insurer(letter: Letter) -> Insurer:
    house: Any = SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW))
    return Insurer(house, Odd(letter))


def signed(said: Said, key: Ed25519PrivateKey = KEY) -> Letter:
    return sign(key, msgspec.json.encode(said), NOW)


@given(SAID)
def test_a_letter_is_read_as_it_was_written(said: Said) -> None:
    assert read(KEY.public_key(), signed(said), NOW) == said


@given(SAID, st.data())
def test_a_letter_with_one_byte_changed_is_forged(said: Said, data: st.DataObject) -> None:
    letter = signed(said)
    at = data.draw(st.integers(0, len(letter.body) - 1))
    body = bytearray(letter.body)
    body[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ForgedCallback):
        read(KEY.public_key(), Letter(bytes(body), letter.timestamp, letter.signature), NOW)


@pytest.mark.parametrize("stamp", ["", "-1", "1e9", "①", "9" * 30])
def test_a_timestamp_is_a_number(stamp: str) -> None:
    letter = signed(Quoted(1, 1))
    with pytest.raises(ForgedCallback):
        read(KEY.public_key(), Letter(letter.body, stamp, letter.signature), NOW)


@pytest.mark.parametrize("off_s", [-301, 301])
def test_an_old_letter_is_a_replay(off_s: int) -> None:
    with pytest.raises(ForgedCallback) as refused:
        read(KEY.public_key(), signed(Quoted(1, 1)), NOW + timedelta(seconds=off_s))
    assert refused.value.extra == {"reason": "timestamp"}


@pytest.mark.parametrize("body", [b"", b"[]", b'{"type":"quoted"}', b'{"type":"x"}', b"\xff"])
def test_what_is_signed_and_no_letter_is_refused(body: bytes) -> None:
    with pytest.raises(ForgedCallback) as refused:
        read(KEY.public_key(), sign(KEY, body, NOW), NOW)
    assert refused.value.extra == {"reason": "body"}


DEDUCTED: Final = Deduction(ONE, "deducted", 1, 1, "T1", NOW)


async def deduct(by: Insurer) -> object:
    return await by.deduct(Deduct(ONE, ONE, "h", 1, 1))


async def test_a_good_answer_is_taken() -> None:
    assert await deduct(insurer(signed(DEDUCTED))) == DEDUCTED


@pytest.mark.parametrize(
    "letter",
    [
        signed(DEDUCTED, Ed25519PrivateKey.generate()),
        signed(msgspec.structs.replace(DEDUCTED, number=OTHER)),
        signed(Quoted(1, 1)),
        signed(GivenBack(ONE, ONE, "done")),
        sign(KEY, msgspec.json.encode(DEDUCTED), NOW - timedelta(hours=1)),
    ],
    ids=["another-key", "another-number", "another-kind", "a-refund", "yesterdays"],
)
async def test_an_answer_to_something_else_is_none(letter: Letter) -> None:
    with pytest.raises(ChannelAway):
        await deduct(insurer(letter))


@pytest.mark.parametrize("number", [OTHER, UUID(int=0)])
async def test_the_answer_to_a_refund_names_that_refund(number: UUID) -> None:
    by = insurer(signed(GivenBack(ONE, number, "done")))
    with pytest.raises(ChannelAway):
        await by.give_back(GiveBack(ONE, ONE, ONE, 1, 1))
