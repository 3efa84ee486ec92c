"""What the documentation shows is what the city does."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from tests.city import City

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_citizen_api_page_runs_as_it_stands(city: City) -> None:
    """docs/citizen-api.md, every block in order, against a running city."""
    text = (ROOT / "docs" / "citizen-api.md").read_text()
    program = "\n".join(BLOCK.findall(text))
    assert program.count("\n") > 30
    names = {"URL": city.url}
    await asyncio.to_thread(exec, compile(program, "docs/citizen-api.md", "exec"), names)
    assert "ticket" in names


def test_every_setting_is_documented() -> None:
    """The table in docs/city-it.md has each variable that config.py reads, and no other."""
    code = (ROOT / "backend/civicmall/kernel/config.py").read_text()
    read = set(re.findall(r'"((?:CIVICMALL_)[A-Z_]+|PORT|HOST|DATABASE_URL)"', code))
    crypto = (ROOT / "backend/civicmall/app.py").read_text() + code
    read |= set(re.findall(r"CIVICMALL_KEYS", crypto))
    page = (ROOT / "docs" / "city-it.md").read_text()
    table = set(re.findall(r"`((?:CIVICMALL_)[A-Z_]+|PORT|HOST|DATABASE_URL)`", page))
    assert read == table
