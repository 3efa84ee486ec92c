"""Statements from files: named parameters become numbers, rows become Structs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from civicmall.kernel import sql

FILE = """
-- name: one(id, name)^
-- record_class: Pair
select id, name from t where id = :id and name = :name and id > :id;

-- name: many(id)
-- record_class: Pair
select id, name from t where id >= :id;

-- name: plain()
select 1;

-- name: first(id)^
select id from t where id = :id;

-- name: value(day)$
-- A cast, a string and a quoted name are no parameters.
select ':id', ":name", now()::date, '10:30'::time where :day::date > now();

-- name: write(id)!
delete from t where id = :id;
"""


class Pair(Struct, frozen=True):
    id: int
    name: str


class Recorder:
    """Stands in for a connection: remembers what it was asked, answers what it was given."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, ...]] = []

    async def _do(self, *asked: Any) -> Any:
        self.asked.append(asked)
        return self.answer

    fetch = fetchrow = fetchval = execute = _do


@pytest.fixture(name="q")
def queries(tmp_path: Path) -> Iterator[sql.Queries]:
    (tmp_path / "queries.sql").write_text(FILE)
    before = list(sql.ALL)
    yield sql.load(str(tmp_path / "service.py"), Pair)
    sql.ALL[:] = before


async def test_a_name_is_sent_once_however_often_it_stands(q: sql.Queries) -> None:
    db = Recorder((7, "a"))
    assert await q.one(db, name="a", id=7) == Pair(7, "a")
    (asked,) = db.asked
    assert asked[0].startswith("select id, name from t where id = $1 and name = $2 and id > $1")
    assert asked[1:] == (7, "a")


async def test_lists_become_structs(q: sql.Queries) -> None:
    assert await q.many(Recorder([(1, "a"), (2, "b")]), id=1) == [Pair(1, "a"), Pair(2, "b")]
    assert await q.many(Recorder([]), id=1) == []
    assert await q.plain(Recorder([(1,)])) == [(1,)]


async def test_no_row_is_none(q: sql.Queries) -> None:
    assert await q.one(Recorder(None), id=1, name="a") is None
    assert await q.first(Recorder(None), id=1) is None
    assert await q.first(Recorder((1,)), id=1) == (1,)


async def test_strings_casts_and_quoted_names_stay(q: sql.Queries) -> None:
    assert q.text("value") == (
        "select ':id', \":name\", now()::date, '10:30'::time where $1::date > now();"
    )
    db = Recorder(5)
    assert await q.value(db, day="2025-01-01") == 5
    assert db.asked[0][1:] == ("2025-01-01",)


async def test_a_write_answers_what_the_server_says(q: sql.Queries) -> None:
    assert await q.write(Recorder("DELETE 1"), id=1) == "DELETE 1"


async def test_a_forgotten_parameter_is_named(q: sql.Queries) -> None:
    with pytest.raises(KeyError, match="name"):
        await q.one(Recorder(None), id=1)


def test_a_misspelt_query_is_named_with_its_file(q: sql.Queries, tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match=rf"{tmp_path.name}/queries\.sql has no query wun"):
        q.wun  # noqa: B018 (reading it is the test)


def test_every_loaded_file_is_known(q: sql.Queries) -> None:
    assert q in sql.ALL
    assert q.names == ["first", "many", "one", "plain", "value", "write"]
