"""npm's certified openid-client, driven from a test."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from tests.patience import STALL_S

FIXTURE: Final = Path(__file__).parents[3] / "fixtures" / "openid_client"


def installed() -> None:
    """Have the package there; where that can't be, the test is skipped with the reason, or fails in CI."""
    why = ""
    if not shutil.which("node") or not shutil.which("npm"):
        why = "there is no node here"
    elif not (FIXTURE / "node_modules" / "openid-client").is_dir():
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=FIXTURE, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        why = f"npm ci failed: {done.stderr[-300:]}" if done.returncode else ""
    if why and os.environ.get("CI"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


class Failed(Exception):
    """What the library refused, or was refused; `name` is its error or its code."""

    def __init__(self, name: str, words: str) -> None:
        super().__init__(f"{name}: {words}")
        self.name = name


class Library:
    """One client made with the library."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def __call__(self, command: str, **said: Any) -> dict[str, Any]:
        """Do something. Raises Failed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(msgspec.json.encode({"command": command, **said}) + b"\n")
        async with asyncio.timeout(STALL_S):
            await self._process.stdin.drain()
            line = await self._process.stdout.readline()
        answer: dict[str, Any] = msgspec.json.decode(line)
        if "failed" in answer:
            raise Failed(answer["failed"], answer["words"])
        return answer["ok"]


@asynccontextmanager
async def library() -> AsyncGenerator[Library]:
    """A process of its own, until left."""
    process = await asyncio.create_subprocess_exec(
        "node", str(FIXTURE / "client.js"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    try:
        yield Library(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()
