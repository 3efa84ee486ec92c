"""Whoever was here stands in clear nowhere: not in a log, not in a table of the platform."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Final

import asyncpg
import pytest
from tests.api.tour import tour
from tests.city import City

from civicmall.kernel import logs

PHONE: Final = re.compile(r"(?<![0-9a-f])1[3-9][0-9]{9}(?![0-9a-f])")
NUMBER: Final = re.compile(r"(?<![0-9a-f])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9X](?![0-9a-f])")
TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_-]{10,}\.eyJ")
"""The beginning of a JWT."""
OURS: Final = (
    "select schemaname, tablename from pg_tables where schemaname !~ '^(pg_|shop_|information)'"
)
"""A department's own tables are its own affair; the sandbox's have made-up people in them."""
HOTLINES: Final = re.compile(r"199000081[0-9]{2}")
"""Departments' own numbers, which stand in their manifests."""


def clear(text: str, names: Iterable[str]) -> set[str]:
    """What of somebody, or what opens something of theirs, can be read in a text."""
    found = {*PHONE.findall(text), *NUMBER.findall(text), *TOKEN.findall(text)}
    return {one for one in found if not HOTLINES.fullmatch(one)} | {n for n in names if n in text}


async def test_nobody_can_be_read_in_logs_and_tables(
    city: City, capfd: pytest.CaptureFixture[str]
) -> None:
    """After a walk through every operation of the API."""
    names = [one["name"] for one in (await city.people()).values()]
    logs.configure(as_json=True, level=logging.INFO)
    try:
        await tour(city)
        await city.settled()
    finally:
        logs.configure(as_json=False, level=logging.WARNING)
    said = capfd.readouterr().err
    assert said.count('"event": "request"') > 100, "nothing was logged"
    assert clear(said, names) == set()
    db = await asyncpg.connect(city.settings.database_url)
    try:
        read = 0
        for schema, table in await db.fetch(OURS):
            for (row,) in await db.fetch(f'select t::text from "{schema}"."{table}" t'):  # noqa: S608
                read += 1
                assert clear(row, names) == set(), f"{schema}.{table}"
        assert read > 500, "nothing was written"
    finally:
        await db.close()
