"""Rows as the arrays that one statement takes."""

from __future__ import annotations

import pytest

from shopkit.sql import columns


def test_rows_become_one_array_per_column() -> None:
    assert columns(("ids", "days"), [("a", 1), ("b", 2)]) == {"ids": ["a", "b"], "days": [1, 2]}


def test_no_rows_are_empty_arrays() -> None:
    assert columns(("ids", "days"), []) == {"ids": [], "days": []}


@pytest.mark.parametrize("rows", [[("a", 1), ("b",)], [("a",)], [("a", 1, 2)]])
def test_rows_that_do_not_fit_their_names_are_refused(rows: list[tuple[object, ...]]) -> None:
    with pytest.raises(ValueError, match="zip"):
        columns(("ids", "days"), rows)
