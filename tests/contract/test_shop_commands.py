"""`civicmall shop new | check | serve`, as an author types them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from tests.contract.platform import publishing

from shopkit.keys import Key
from shopkit.kit import CHECKS, Failed, connect, run
from shopkit.sandbox import PLATFORM_SEED

COMMAND: Final = Path(sys.executable).with_name("civicmall")
UP_S: Final = 60
"""For an embedded PostgreSQL on a busy machine."""


async def civicmall(*args: str | Path, cwd: Path, **env: str) -> tuple[int, str]:
    """The command's exit status and what it says."""
    ran = await asyncio.create_subprocess_exec(
        COMMAND, "shop", *args, cwd=cwd, env={**os.environ, "COLUMNS": "200", **env},
        stdout=PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await ran.communicate()
    return ran.returncode or 0, said.decode()


@pytest.fixture(scope="module")
async def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop fresh from `shop new`."""
    home = tmp_path_factory.mktemp("author")
    home.chmod(0o755)
    status, said = await civicmall("new", "river_office", "--app", "permits", cwd=home)
    assert (status, "river_office" in said) == (0, True), said
    return home / "river_office"


async def test_a_new_shop_passes_at_once(made: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    status, said = await civicmall("check", made, "--report", report, cwd=made.parent)
    assert status == 0, said
    assert "river_office 0.1.0" in said
    findings = json.loads(report.read_bytes())
    assert {one["result"] for one in findings} == {"passed", "skipped"}
    assert {one["check"] for one in findings} == CHECKS.keys()
    assert {one["app"] for one in findings} == {"", "permits", "estimate"}
    for one in findings:
        assert one.keys() == {"check", "app", "asks", "seen", "result"}
        assert one["asks"] in said or one["result"] == "skipped" or len(one["asks"]) > 60


async def test_a_new_shops_own_tests_pass(made: Path) -> None:
    """On a PostgreSQL of their own, as its README says."""
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    ran = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=made,
        env=env, stdout=PIPE,
    )  # fmt: skip
    said, _ = await ran.communicate()
    assert (ran.returncode, "3 passed" in said.decode()) == (0, True), said.decode()


def oldest_first(made: Path, into: Path) -> None:
    """The same shop with its list the wrong way round."""
    into.chmod(0o755)
    for source in (p for p in made.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        copy = into / "river_office" / source.relative_to(made)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(source.read_text().replace("asked_on desc, id desc", "asked_on, id"))


async def test_a_fault_is_told_with_what_was_asked_and_seen(made: Path, tmp_path: Path) -> None:
    oldest_first(made, tmp_path)
    report = tmp_path / "report.json"
    status, said = await civicmall(
        "check", tmp_path / "river_office", "--report", report, "--app", "permits", cwd=tmp_path
    )
    assert status == 1
    assert "Matters come newest first." in said
    failed = [one for one in json.loads(report.read_bytes()) if one["result"] == "failed"]
    assert "progress-newest-first" in {one["check"] for one in failed}
    assert all(one["seen"] for one in failed)


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["check", "nowhere"], 1, "/nowhere"),
        (["check", "http://127.0.0.1:1"], 1, "ConnectError"),
        (["serve", "nowhere"], 1, "shop.json"),
        (["new", "Bad-Name"], 2, "small letters"),
        (["new", "good_name", "--app", "9"], 2, "small letters"),
        (["new", "river_office"], 2, "there already"),
    ],
)
async def test_what_cant_be_done_is_said(
    made: Path, args: list[str], status: int, words: str
) -> None:
    got, said = await civicmall(*args, cwd=made.parent)
    assert (got, words in said, "Traceback" in said) == (status, True, False), said


async def test_a_new_shop_keeps_its_private_key_out_of_git(made: Path) -> None:
    assert ".data/" in (made / ".gitignore").read_text().splitlines()


async def test_a_taken_port_is_named(made: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = await civicmall("serve", made, "--port", str(port), cwd=made.parent)
    assert (status, f"--port: {port} is in use" in said) == (2, True), said
    assert "PostgreSQL" not in said, "it sets a database up before it looks"


@asynccontextmanager
async def serving(made: Path, *args: str | Path, **env: str) -> AsyncGenerator[tuple[str, str]]:
    """The shop served on a free port: its address, and all that was said at the start."""
    shop = await asyncio.create_subprocess_exec(
        COMMAND, "shop", "serve", made, "--port", "0", *args, cwd=made.parent,
        env={**os.environ, "COLUMNS": "200", **env}, stdout=PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(UP_S):
            said = await _until_up(shop)
        found = re.search(r"listens on\s+(http://127\.0\.0\.1:\d+)", said)
        assert found, said
        yield found[1], said
    finally:
        if shop.returncode is None:
            shop.send_signal(signal.SIGTERM)
        assert shop.stdout is not None
        rest = (await shop.stdout.read()).decode()
        await shop.wait()
    assert "Traceback" not in rest
    assert shop.returncode in {0, -signal.SIGTERM}


async def _until_up(shop: Process) -> str:
    assert shop.stdout is not None
    said = ""
    while "civicmall shop check" not in said:
        line = await shop.stdout.readline()
        assert line, said
        said += line.decode()
    return said


async def test_a_new_shop_is_served_and_passes_over_http(
    made: Path, tmp_path: Path, house: Any
) -> None:
    """Migrated, seeded, with a key of its own that is the same at the next start."""
    key = tmp_path / "shop.key"
    url_of_db = ("--database-url", house.settings.database_url)
    async with serving(
        made, *url_of_db, "--key-file", key, CIVICMALL_DATA=str(house.settings.data_dir)
    ) as (
        url,
        said,
    ):
        status, told = await civicmall("check", url, cwd=tmp_path)
        assert (status, "✓ river_office 0.1.0" in told) == (0, True), told
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    public = re.search(r"public key\s+(\S{43})", said)
    assert public
    async with serving(
        made, *url_of_db, "--key-file", key, CIVICMALL_DATA=str(house.settings.data_dir)
    ) as (
        _,
        again,
    ):
        assert public[1] in again


async def test_a_key_that_others_can_read_is_refused(made: Path, tmp_path: Path) -> None:
    key = tmp_path / "shop.key"
    key.write_text("a" * 44)
    key.chmod(0o644)
    status, said = await civicmall("serve", made, "--key-file", key, cwd=tmp_path)
    assert (status, "chmod 600" in said) == (2, True)


async def test_outside_a_sandbox_it_needs_a_platform(made: Path, tmp_path: Path) -> None:
    key = ("--key-file", tmp_path / "shop.key")
    status, said = await civicmall("serve", made, "--no-sandbox", *key, cwd=tmp_path)
    assert (status, "--platform" in said) == (2, True)


async def test_outside_a_sandbox_it_believes_the_platform_alone(
    made: Path, tmp_path: Path, house: Any
) -> None:
    async with publishing(Key(b"the city's key: no sandbox has it"[:32])) as city:
        args = ("--no-sandbox", "--platform", city, "--database-url", house.settings.database_url)
        key = ("--key-file", tmp_path / "shop.key")
        async with (
            serving(made, *args, *key, CIVICMALL_DATA=str(house.settings.data_dir)) as (url, said),
            connect(url) as remote,
        ):
            assert city in said
            found = await run(remote, apps=["estimate"], only=["calculate-answers-its-example"])
    assert Key(PLATFORM_SEED).text not in said
    assert [one.result for one in found] == ["failed"]
    assert "no key 'sandbox-1' is known here" in found[0].seen


async def test_a_shop_at_an_address_that_is_none() -> None:
    """A page that is no shop: the check says what it found there."""

    async def page(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"<html>"})

    transport = httpx.ASGITransport(page)
    with pytest.raises(Failed, match=r"civicmall-shop: 200  <html>"):
        async with connect("http://page.invalid", transport):
            pass
