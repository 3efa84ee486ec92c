"""Where a measurement runs: a folder of its own, and processes that end with it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import psutil
from tests.bench.load import Plan, Seen
from tests.serving import free_port

from civicmall.kernel import embedded

UP_S: Final = 90.0
ROOT: Final = Path(__file__).parents[2]


class Process(AbstractContextManager["Process"]):
    """A server process; `up_s` is how long it took until the first answer."""

    def __init__(
        self, place: Place, *command: str, port: int | None = None, env: Mapping[str, str] = {}
    ) -> None:
        self.port = port or free_port()
        self._log = (place.folder / "log").open("ab")
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [part.replace("PORT", str(self.port)) for part in command],
            cwd=ROOT,
            env={**os.environ, "PORT": str(self.port), "CIVICMALL_SANDBOX": "1", **env},
            stdout=self._log,
            stderr=self._log,
        )
        url = f"http://127.0.0.1:{self.port}/healthz"
        with httpx.Client(trust_env=False) as client:
            while True:
                try:
                    if client.get(url, timeout=5).is_success:
                        break
                except httpx.TransportError:
                    pass
                gone = self._process.poll() is not None
                if gone or time.perf_counter() - began > UP_S:
                    self.__exit__()
                    raise RuntimeError((place.folder / "log").read_text()[-3000:])
                time.sleep(0.01)
        self.up_s = time.perf_counter() - began

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def memory_mb(self) -> float:
        """What it holds in memory (resident set), in MB."""
        return psutil.Process(self._process.pid).memory_info().rss / 1e6

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


class Place(AbstractContextManager["Place"]):
    """A folder with a PostgreSQL of its own, gone afterwards."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="civicmall-bench-"))
        self.folder.chmod(0o755)
        # Before the first server comes, so that this one's end is also PostgreSQL's.
        self.postgres = embedded.start(
            self.folder / "postgres", log=lambda _: None, lives_with=os.getpid()
        )

    def python(self, *command: str, **env: str) -> Process:
        """A program in Python; `PORT` in its command becomes the number."""
        return Process(self, sys.executable, *command, env=env)

    def civicmall(self, command: str, **env: str) -> Process:
        """`civicmall run` or `civicmall serve` as a user starts it."""
        code = "from civicmall.cli import main; main()"
        return self.python("-c", code, command, CIVICMALL_DATA=str(self.folder), **env)

    def bare(self, *what: str) -> Process:
        """A peer of `bare.py`."""
        return self.python("-m", "tests.bench.bare", "PORT", *what)

    def load(self, plan: Plan) -> Seen:
        """Run the load generator and wait for what it saw."""
        path = self.folder / "plan.json"
        path.write_bytes(msgspec.json.encode(plan))
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load", str(path)],
            cwd=ROOT, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        return msgspec.json.decode(done.stdout, type=Seen)

    def database(self, name: str) -> str:
        """The address of a new, empty database."""
        made: Any = self.postgres.home.run(
            "psql", "-XAqt", self.postgres.url, text=f"create database {name}"
        )
        if made.returncode:
            raise RuntimeError(made.stderr)
        return self.postgres.url.replace("/civicmall?", f"/{name}?")

    def __exit__(self, *_: object) -> None:
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
