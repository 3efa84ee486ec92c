"""`civicmall run` and `civicmall smoke`, as a newcomer uses them; killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
from tests.serving import free_port

COMMAND = str(Path(sys.executable).with_name("civicmall"))
UP_S = 60.0


class Newcomer:
    """One data folder and port; runs the commands of the README."""

    def __init__(self, data: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **{k: v for k, v in os.environ.items() if k != "DATABASE_URL"},
            "PORT": str(self.port),
            "CIVICMALL_SANDBOX": "1",
            "CIVICMALL_DATA": str(data),
        }
        self.out = data / "run.out"
        self.running: subprocess.Popen[bytes] | None = None

    def run(self) -> str:
        """Start the city, wait until it says that it is up; answers what it printed."""
        with self.out.open("wb") as out:
            self.running = subprocess.Popen(
                [COMMAND, "run"], env=self.env, stdout=out, stderr=subprocess.DEVNULL
            )
        deadline = time.monotonic() + UP_S
        while "Ctrl-C" not in (printed := self.out.read_text()):
            assert self.running.poll() is None, printed
            assert time.monotonic() < deadline, printed
            time.sleep(0.05)
        return printed

    def end(self, how: int) -> None:
        """End the city's process, and wait for it."""
        assert self.running is not None
        self.running.send_signal(how)
        self.running.wait(30)

    def command(self, *args: str) -> subprocess.CompletedProcess[str]:
        """One of the other commands."""
        return subprocess.run(
            [COMMAND, *args], env=self.env, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture(scope="module")
def newcomer() -> Generator[Newcomer]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        found = Newcomer(Path(folder))
        yield found
        if found.running is not None and found.running.poll() is None:
            found.end(signal.SIGKILL)
        found.command("db", "stop")


def test_the_main_job_survives_being_killed(newcomer: Newcomer) -> None:
    printed = newcomer.run()
    for word in ("citizen app", "console", "API docs", "developer inbox", "phone 199", "code"):
        assert word in printed
    first = newcomer.command("smoke", "--url", newcomer.url)
    assert first.returncode == 0, first.stdout
    assert "12 steps" in first.stdout

    newcomer.end(signal.SIGKILL)
    again = newcomer.run()
    assert "(0 migrations applied)" in again
    rated = httpx.get(f"{newcomer.url}/v1/satisfaction/utility_bills").json()
    assert rated["index"]["n"] == 1, "what was rated before the kill is still there"
    second = newcomer.command("smoke", "--url", newcomer.url)
    assert second.returncode == 0, second.stdout
    books = newcomer.command("db", "check")
    assert books.returncode == 0, books.stdout

    newcomer.end(signal.SIGTERM)
    assert newcomer.running is not None
    assert newcomer.running.returncode in {0, -signal.SIGTERM}


def test_smoke_fails_where_there_is_no_server(newcomer: Newcomer) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        answer = newcomer.command("smoke", "--url", f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert answer.returncode == 1
    assert "alive" in answer.stdout


def test_a_wrong_setting_is_named_in_one_line(newcomer: Newcomer) -> None:
    newcomer.env["PORT"], kept = "http", newcomer.env["PORT"]
    answer = newcomer.command("serve")
    newcomer.env["PORT"] = kept
    assert answer.returncode == 2
    assert "PORT" in answer.stderr
    assert "Traceback" not in answer.stderr
