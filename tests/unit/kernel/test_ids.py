"""Ids: UUIDv7 by RFC 9562, ordered by time, with the bucket in the last byte."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel import ids

buckets = st.integers(min_value=0, max_value=255)


@given(buckets)
def test_an_id_carries_its_bucket(bucket: int) -> None:
    assert ids.bucket_of(ids.new(bucket)) == bucket


@given(buckets)
def test_an_id_is_a_uuid_of_version_7(bucket: int) -> None:
    """RFC 9562, 5.7: 48 bits of Unix milliseconds, version 7, variant 10."""
    before = time.time_ns() // 1_000_000
    made = ids.new(bucket)
    after = time.time_ns() // 1_000_000

    assert made.version == 7
    assert made.variant == RFC_4122
    assert before <= made.int >> 80 <= after


@given(st.lists(st.integers(min_value=0, max_value=2**48 - 1), min_size=2), buckets)
def test_later_ids_are_greater(stamps: list[int], bucket: int) -> None:
    """In PostgreSQL's order too, which compares the sixteen bytes."""
    made: list[UUID] = []
    with pytest.MonkeyPatch.context() as patch:
        for stamp in sorted(set(stamps)):
            patch.setattr(time, "time_ns", lambda stamp=stamp: stamp * 1_000_000)
            made.append(ids.new(bucket))
    assert made == sorted(made)
    assert [m.bytes for m in made] == sorted(m.bytes for m in made)


def test_ids_of_one_millisecond_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    assert len({ids.new(7) for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("bucket", [-1, 256])
def test_there_are_256_buckets(bucket: int) -> None:
    with pytest.raises(ValueError, match=str(bucket)):
        ids.new(bucket)
