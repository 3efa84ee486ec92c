"""docs/shop-author.md, followed to the letter: from an empty folder to a live shop, in terminals.

Every file is written as it stands and every command runs as it stands, in the page's order, against a
city that runs as a process of its own. What the page says a command prints, it must print.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Final

import httpx
import pytest
from tests.conftest import RUN
from tests.contract import library
from tests.contract.library import BIN, ROOT, Block, Desk
from tests.serving import free_port

from shopkit.keys import Key
from shopkit.signatures import CALLBACK_TAG, Memory, Request, Verifier

WAIT_S: Final = 60.0
NODE: Final = shutil.which("node")
IS_UP: Final = re.compile(r"is up|^http://127\.0\.0\.1:\d+$", re.MULTILINE)
"""What a command that stays says once it serves."""
AFTERWARDS: Final = "\nexport -p >$STATE/env; pwd >$STATE/cwd\n"


class Terminal:
    """Somebody's shell: where they are and what they exported stays from one command to the next."""

    def __init__(self, state: Path, home: Path, **env: str) -> None:
        self._state = state
        state.mkdir()
        (self._state / "cwd").write_text(str(home))
        (self._state / "env").touch()
        own = {k: v for k, v in os.environ.items() if k in {"LANG", "USER", "LOGNAME", "TMPDIR"}}
        self._env = own | {
            "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(state), "COLUMNS": "160",
            "STATE": str(self._state), "LC_ALL": "C.UTF-8", **env,
        }  # fmt: skip
        self._staying: list[subprocess.Popen[bytes]] = []

    @property
    def here(self) -> Path:
        return Path((self._state / "cwd").read_text().strip())

    def run(self, block: Block) -> str:
        """To its end; what it printed."""
        answers = f"{block.said.get('answers', '')}\n" * 2
        ran = subprocess.run(
            ["bash", "-c", f"set -aeuo pipefail; . $STATE/env\n{block.text}{AFTERWARDS}"],
            cwd=self.here,
            env=self._env,
            input=answers,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WAIT_S,
            check=False,
            start_new_session=True,  # without a terminal, so passwords come from stdin
        )
        assert ran.returncode == 0, f"{block.text}{ran.stdout}"
        return ran.stdout

    def stay(self, block: Block) -> str:
        """Until it says that it is up; it goes on until the terminal is closed."""
        out = self._state / f"out-{len(self._staying)}"
        with out.open("wb") as file:
            command = f"set -a; . $STATE/env; exec {block.text}"
            self._staying.append(
                subprocess.Popen(
                    ["bash", "-c", command], cwd=self.here, env=self._env, stdout=file,
                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                )
            )  # fmt: skip
        deadline = time.monotonic() + WAIT_S
        while not IS_UP.search(printed := out.read_text()):
            assert self._staying[-1].poll() is None, printed
            assert time.monotonic() < deadline, printed
            time.sleep(0.05)
        return printed

    def close(self) -> None:
        """End what stays; the newest first."""
        for process in reversed(self._staying):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


class Reader:
    """Who follows the page: in the author's terminals, city IT's, and one in the checkout."""

    def __init__(self, folder: Path, database_url: str) -> None:
        for name in ("city", "author"):
            (folder / name).mkdir()
        port = str(free_port())
        self.city = f"http://127.0.0.1:{port}"
        self.desk = Desk(folder / "author" / "library")
        ports = {f"PORT_{n}": str(free_port()) for n in (1, 2, 3)}
        self._terminals = {
            "city": Terminal(
                folder / "state-city", folder / "city", CITY=self.city, PORT=port,
                DATABASE_URL=database_url, CIVICMALL_DATA=str(RUN), CIVICMALL_SANDBOX="1",
            ),
            "author": Terminal(folder / "state-author", folder / "author", CITY=self.city, **ports),
            "checkout": Terminal(folder / "state-checkout", ROOT, **ports),
        }  # fmt: skip

    def follow(self, page: list[Block]) -> int:
        """Every block, in order; how many commands ran."""
        printed, ran = "", 0
        for block in page:
            if block.language == "sh":
                if "node" in block.said.get("needs", "") and NODE is None:
                    printed = ""
                    continue
                terminal = self._terminals[block.said["as"]]
                printed = terminal.stay(block) if "stays" in block.said else terminal.run(block)
                ran += 1
            elif block.language == "text":
                says(block.text, printed)
            elif block.language == "diff":
                self.desk.change(block)
            elif block.file:
                self.desk.put(block)
        return ran

    def close(self) -> None:
        for terminal in reversed(self._terminals.values()):
            terminal.close()
        author = self._terminals["author"]
        if (author.here / ".data").exists():
            author.run(Block("sh", {}, "civicmall db stop\n"))


def says(expected: str, printed: str) -> None:
    """That each line was printed, in that order; `…` stands for anything."""
    if not printed:
        return  # the command needs a program that isn't here
    at = 0
    for line in filter(None, expected.splitlines()):
        pattern = ".*?".join(re.escape(part) for part in line.split("…"))
        found = re.compile(rf"^ *{pattern} *$", re.MULTILINE).search(printed, at)
        assert found, f"{line!r} isn't in:\n{printed[at:]}"
        at = found.end()


@pytest.fixture
def reader(database_url: str) -> Generator[Reader]:
    with tempfile.TemporaryDirectory(prefix="civicmall-author-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL doesn't run as root: its own user must get in
        found = Reader(folder, database_url)
        yield found
        found.close()


def test_from_nothing_to_a_live_shop(reader: Reader) -> None:
    page = library.blocks()
    ran = reader.follow(page)
    assert ran == sum(block.language == "sh" for block in page) - (2 if NODE is None else 0)
    shops = httpx.get(f"{reader.city}/v1/shops").json()["items"]
    (mine,) = (shop for shop in shops if shop["id"] == library.NAME)
    assert mine["state"] == "live"


@pytest.mark.skipif(NODE is None, reason="there is no node here")
def test_the_callback_of_the_page_is_believed(tmp_path: Path) -> None:
    """In JavaScript as the page has it, by the platform's own check."""
    (block,) = (b for b in library.blocks() if b.file == "callback.mjs")
    path, body = "/v1/callbacks/school_meals/cases/c-1", b'{"outcome":null}'
    program = tmp_path / "callback.mjs"
    program.write_text(
        f"{block.text}\nconst seed = Buffer.alloc(32, 7);\n"
        f"console.log(JSON.stringify([signed(seed, 'school_meals', 'POST', '{path}', '{body.decode()}'),"
        f" signed(seed, 'school_meals', 'GET', '{path}')]));\n"
    )
    assert NODE is not None
    ran = subprocess.run([NODE, program], capture_output=True, text=True, timeout=30, check=True)
    verifier = Verifier({"school_meals": Key(b"\x07" * 32).public}.get, CALLBACK_TAG, seen=Memory())
    for method, headers in zip(("POST", "GET"), json.loads(ran.stdout), strict=True):
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        sent = body if method == "POST" else None
        request = Request(method, path, "", lines, sent)
        asyncio.run(verifier.verify(request, now=int(time.time())))
