"""docs/partner-app.md, followed to the letter: from nothing to signing in with CivicMall."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Final

import httpx
from tests.city import City
from tests.patience import STALL_S
from tests.rooms.identity.provider.node import FIXTURE, installed
from tests.rooms.identity.provider.steps import agree, citizen
from tests.serving import free_port

from civicmall.identity.provider import SCOPES, Registration

PAGE: Final = (Path(__file__).parents[4] / "docs" / "partner-app.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def civicmall(city: City, folder: Path, line: str) -> str:
    """One line of the page, as a shell runs it."""
    program, *words = line.split()
    assert program == "civicmall"
    env = {
        **os.environ, "DATABASE_URL": city.settings.database_url, "COLUMNS": "200",
        "CIVICMALL_DATA": str(city.settings.data_dir),
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("civicmall")), *words, cwd=folder, env=env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def test_the_page_is_followed(city: City, tmp_path: Path) -> None:
    installed()
    port = free_port()
    (registration,) = blocks("json")
    (tmp_path / "library.json").write_text(registration.replace(":3000/", f":{port}/"))
    add, approve, secret = blocks("bash")[0].splitlines()
    assert "version 1, waits" in await civicmall(city, tmp_path, add)
    own = approve.replace("reviewer", "operator")
    refused = await asyncio.gather(civicmall(city, tmp_path, own), return_exceptions=True)
    assert isinstance(refused[0], AssertionError), "nobody approves what they drafted"
    assert "in force" in await civicmall(city, tmp_path, approve)
    made = (await civicmall(city, tmp_path, secret)).strip()
    assert "city-library  1  in force" in await civicmall(city, tmp_path, "civicmall client list")

    (program,) = blocks("js")
    (tmp_path / "app.js").write_text(program)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(FIXTURE / "node_modules")
    said = {
        "ISSUER": city.url,
        "CLIENT_ID": "city-library",
        "CLIENT_SECRET": made,
        "PORT": str(port),
    }
    assert all(f"{name}=" in blocks("bash")[2] for name in said)
    process = await asyncio.create_subprocess_exec(
        "node", "app.js", cwd=tmp_path, env={**os.environ, **said}, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        async with asyncio.timeout(STALL_S):
            there = (await process.stdout.readline()).decode().strip()
        async with httpx.AsyncClient(trust_env=False, timeout=20) as browser:
            asked = (await browser.get(there)).headers["location"]
            back = await agree(await citizen(city), asked, "phone")
            page = await browser.get(back)
        person = (await city.people())["school_mother"]
        assert page.status_code == 200, page.text
        assert page.text.startswith(f"{person['name']} (+86{person['phone']}) is ")
    finally:
        process.terminate()
        await process.wait()
    assert "has ended" in await civicmall(
        city, tmp_path, "civicmall client retire city-library --by operator"
    )


def test_the_page_names_every_member_and_scope() -> None:
    told = set(re.findall(r"[`\"]([a-z_]+)[`\"]", PAGE))
    assert set(Registration.__struct_fields__) - told == set()
    assert set(SCOPES) - told == set()
