"""The short way through a raw address lets in nothing that the long one would stop."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.gateway import raw
from civicmall.kernel.errors import BadRequest

PARTS = st.sampled_from([
    "/", ".", "..", ";", "%2e", "%2F", "%5c", "%00", "%", "\\", "a", "things", "7", "~", ":", "@",
    " ", "\n", "\x7f", "ü", "$&'()*+,=", "raw", "-", "_", "!",
])  # fmt: skip


def scope(path: str) -> dict[str, Any]:
    return {"raw_path": f"/v1/shops/bench/raw{path}".encode(), "path": "/"}


def read(path: str) -> tuple[str, str] | str:
    try:
        return raw.where(scope(path))
    except BadRequest as problem:
        return problem.detail


@given(st.lists(st.lists(PARTS, max_size=3).map("".join), min_size=1, max_size=4).map("/".join))
def test_the_short_way_says_what_the_long_one_says(rest: str) -> None:
    short = read(f"/{rest}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "PLAIN", re.compile(rb"(?!)"))
        assert read(f"/{rest}") == short


@pytest.mark.parametrize(
    "path",
    ["/.", "/..", "/a/../b", "/a/./b", "/a/..;x", "/%2e%2e/a", "/a%2fb", "/a//b", "/a/", "/a\\b",
     "/a%00", "/a\n", "/a b", "/;x", "/.;", "/%c3"],
)  # fmt: skip
def test_what_hides_something_is_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        raw.where(scope(path))


@pytest.mark.parametrize("path", ["/a", "/a/b.c", "/.hidden", "/a;x", "/a%20b", "/...a", "/a..b"])
def test_what_hides_nothing_goes_on_as_it_stands(path: str) -> None:
    assert raw.where(scope(path)) == ("bench", path)
