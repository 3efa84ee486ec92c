"""What the documentation shows is what the city does."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.city import City

from civicmall.gateway import CallbackRefused
from civicmall.gateway import errors as gateway_errors
from civicmall.kernel.errors import Problem
from civicmall.shops import errors as shops_errors
from shopkit import read_manifest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_the_citizen_api_page_runs_as_it_stands(city: City) -> None:
    """docs/citizen-api.md, every block in order, against a running city."""
    text = (ROOT / "docs" / "citizen-api.md").read_text()
    program = "\n".join(BLOCK.findall(text))
    assert program.count("\n") > 30
    names: dict[str, Any] = {"URL": city.url}
    await asyncio.to_thread(exec, compile(program, "docs/citizen-api.md", "exec"), names)
    for client in (one for one in names.values() if isinstance(one, httpx.Client)):
        client.close()
    assert names["ticket"]["due"]["on"]


def test_every_setting_is_documented() -> None:
    """The table in docs/city-it.md has each variable that is read, and no other."""
    kernel = ROOT / "backend/civicmall/kernel"
    cli = ROOT / "backend/civicmall/cli"
    files = [kernel / "config.py", kernel / "crypto.py", cli / "release.py", cli / "shop_serve.py"]
    files += (ROOT / "backend/civicmall/payments/channels").rglob("*.py")
    files += (ROOT / "backend/civicmall/identity").rglob("settings.py")
    code = "".join(file.read_text() for file in files)
    read = set(re.findall(r'"(CIVICMALL_[A-Z0-9_]+|PORT|HOST|DATABASE_URL)"', code))
    page = (ROOT / "docs" / "city-it.md").read_text()
    table = set(re.findall(r"`(CIVICMALL_[A-Z0-9_]+|PORT|HOST|DATABASE_URL)`", page))
    assert read == table


def test_the_citizen_api_page_names_every_problem_of_a_shop() -> None:
    """With its status, so that an app knows what to show."""
    page = (ROOT / "docs" / "citizen-api.md").read_text()
    problems = [
        one for room in (gateway_errors, shops_errors) for one in vars(room).values()
        if isinstance(one, type) and issubclass(one, Problem) and one not in {Problem, CallbackRefused}
    ]  # fmt: skip
    assert [
        one.type
        for one in problems
        if not re.search(rf"\| {one.status} \| [^|]*`{one.type}`", page)
    ] == []


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy").glob("*.service")), ids=lambda p: p.stem)
def test_a_unit_starts_a_command_that_there_is(unit: Path) -> None:
    started = re.search(r"^ExecStart=\S+/civicmall (.+)$", unit.read_text(), re.MULTILINE)
    assert started is not None
    words = [word for word in started[1].split() if word[0] not in "$%"]
    command = [word for word in words if "/" not in word and not word.startswith("-")]
    help_of = subprocess.run(
        [Path(sys.executable).with_name("civicmall"), *command, "--help"],
        capture_output=True, text=True, timeout=60, check=True, env={**os.environ, "COLUMNS": "200"},
    ).stdout  # fmt: skip
    assert [word for word in words if word.startswith("--") and word not in help_of] == []


def test_the_readme_counts_the_shops_and_their_apps() -> None:
    shops = [read_manifest(path) for path in sorted((ROOT / "plugins").glob("*/shop.json"))]
    readme = (ROOT / "README.md").read_text()
    words = {4: "Four", 5: "Five", 6: "Six"}
    apps = sum(len(shop.apps) for shop in shops)
    assert f"{words[len(shops)]} shops with {apps} apps" in readme
    assert [shop.id for shop in shops if f"| `{shop.id}` |" not in readme] == []
