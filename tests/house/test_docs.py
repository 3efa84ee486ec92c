"""What the documentation shows is what the city does."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from tests.city import City

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_citizen_api_page_runs_as_it_stands(city: City) -> None:
    """docs/citizen-api.md, every block in order, against a running city."""
    text = (ROOT / "docs" / "citizen-api.md").read_text()
    program = "\n".join(BLOCK.findall(text))
    assert program.count("\n") > 30
    names: dict[str, Any] = {"URL": city.url}
    await asyncio.to_thread(exec, compile(program, "docs/citizen-api.md", "exec"), names)
    names["api"].close()
    assert names["ticket"]["due"]["on"]


def test_every_setting_is_documented() -> None:
    """The table in docs/city-it.md has each variable that config.py reads, and no other."""
    kernel = ROOT / "backend/civicmall/kernel"
    code = (kernel / "config.py").read_text() + (kernel / "crypto.py").read_text()
    read = set(re.findall(r'"(CIVICMALL_[A-Z_]+|PORT|HOST|DATABASE_URL)"', code))
    page = (ROOT / "docs" / "city-it.md").read_text()
    table = set(re.findall(r"`(CIVICMALL_[A-Z_]+|PORT|HOST|DATABASE_URL)`", page))
    assert read == table
