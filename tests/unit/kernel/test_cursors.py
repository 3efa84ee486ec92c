"""Pages of a list: an opaque cursor out, the same key in, and nothing else accepted."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel.errors import BadRequest
from civicmall.kernel.http import decode_cursor, encode_cursor, page

instants = st.datetimes(timezones=st.just(UTC))
keys = st.one_of(
    st.tuples(st.integers(-(2**63), 2**63 - 1), st.uuids()),
    st.tuples(instants, st.uuids()),
    st.tuples(st.dates(), st.text(max_size=20)),
    st.tuples(st.booleans(), st.text(max_size=20), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.text(max_size=40)),
)


@given(keys)
def test_a_key_comes_back_as_it_went(key: tuple[Any, ...]) -> None:
    cursor = encode_cursor(*key)
    assert decode_cursor(cursor, *(type(part) for part in key)) == key


@given(keys)
def test_a_cursor_is_safe_in_a_url(key: tuple[Any, ...]) -> None:
    assert set(encode_cursor(*key)) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    )


def test_no_cursor_is_the_start() -> None:
    assert decode_cursor(None, str) is None


def refused(after: str, *types: Any) -> bool:
    """Whether a cursor is refused, and by the name of the parameter that it came in."""
    try:
        decode_cursor(after, *types)
    except BadRequest as problem:
        return problem.extra == {"field": "after"}
    return False


@given(st.text(max_size=60))
def test_garbage_is_refused_by_name(after: str) -> None:
    assert refused(after, datetime, UUID)


@pytest.mark.parametrize(
    ("key", "types"),
    [
        (("a", "b"), (str,)),
        (("a",), (str, str)),
        (("a",), (int,)),
        ((1.5,), (int,)),
        ((None,), (str,)),
        (("2025-13-01",), (date,)),
        ((), (str,)),
    ],
)
def test_a_cursor_of_another_list_is_refused(key: tuple[Any, ...], types: tuple[Any, ...]) -> None:
    assert refused(encode_cursor(*key), *types)


@pytest.mark.parametrize("inside", ['{"0":"a"}', '"a"', "null", "[", '["\ud83d"]'])
def test_other_json_is_refused(inside: str) -> None:
    raw = inside.encode(errors="surrogatepass")
    assert refused(base64.urlsafe_b64encode(raw).decode(), str)


def test_the_row_too_many_only_tells_of_a_next_page() -> None:
    rows = ["a", "b", "c"]
    first = page(rows, 2, lambda row: (row,))
    assert first.items == ["a", "b"]
    assert decode_cursor(first.next, str) == ("b",)


@pytest.mark.parametrize("rows", [[], ["a"], ["a", "b"]])
def test_the_last_page_has_no_next(rows: list[str]) -> None:
    last = page(rows, 2, lambda row: (row,))
    assert (last.items, last.next) == (rows, None)
