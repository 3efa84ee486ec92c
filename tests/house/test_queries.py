"""Every statement prepares on today's tables, and its columns are the fields of its Struct.

Rows become Structs by position (kernel.sql), so a column too many, too few or in another place
would put one fact under another's name. This also finds each query that a migration broke.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
from tests.house.house import CITY, ROOMS, files, short

from civicmall import app
from civicmall.kernel import sql
from civicmall.kernel.house import House

HEAD: Final = re.compile(
    r"^-- name: (?P<name>\w+)\((?P<args>[^)]*)\)(?P<kind>\^|\$|!)?$"
    r"(?:\n-- record_class: (?P<record>\w+))?",
    re.MULTILINE,
)
assert app, "importing it imports every room, and with them every queries.sql"


def statements() -> list[Any]:
    """Text, kind and Struct of each query; a file may be loaded by several modules."""
    found: dict[tuple[Path, str], tuple[str, str, type | None]] = {}
    records: dict[Path, dict[str, type]] = {}
    for queries in sql.ALL:
        if queries.path.is_relative_to(CITY):
            records.setdefault(queries.path, {}).update(queries.records)
            heads = {m["name"]: m for m in HEAD.finditer(queries.path.read_text())}
            for name in queries.names:
                known = records[queries.path].get(heads[name]["record"] or "")
                found[queries.path, name] = (queries.text(name), heads[name]["kind"] or "", known)
    return [
        pytest.param(path, name, *rest, id=f"{path.parent.name}.{name}")
        for (path, name), rest in sorted(found.items())
    ]


ALL: Final = statements()


@pytest.mark.parametrize(("path", "name", "text", "kind", "record"), ALL)
async def test_prepares_and_fits(
    house: House, path: Path, name: str, text: str, kind: str, record: type | None
) -> None:
    async with house.db.acquire() as db:
        columns = [column.name for column in (await db.prepare(text)).get_attributes()]
    if record is not None:
        fields: tuple[str, ...] = getattr(record, "__struct_fields__")  # noqa: B009 (any Struct)
        assert columns == list(fields), f"{short(path)}: {name} does not fit {record.__name__}"
    elif kind == "$":
        assert len(columns) == 1, f"{short(path)}: {name} answers one value"


def test_every_query_is_looked_at() -> None:
    """Each queries.sql is loaded by its room, and no head is written in a way that is missed."""
    looked_at = {(param.values[0], param.values[1]) for param in ALL}
    written = {
        (path, name)
        for path in files(".sql")
        if path.is_relative_to(CITY) and path.name == "queries.sql"
        for name in re.findall(r"^-- name: *(\w+)", path.read_text(), re.MULTILINE)
    }
    assert looked_at == written
    assert {path.relative_to(CITY).parts[0] for path, _ in written} <= set(ROOMS)


def test_every_record_is_known_to_whoever_loads_it() -> None:
    """A misspelt record_class would quietly leave rows as they are."""
    loaded: dict[Path, set[str]] = {}
    for queries in sql.ALL:
        loaded.setdefault(queries.path, set()).update(queries.records)
    for path, known in loaded.items():
        if path.is_relative_to(CITY):
            named = {m["record"] for m in HEAD.finditer(path.read_text()) if m["record"]}
            assert named == known, short(path)
