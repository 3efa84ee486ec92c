"""A PostgreSQL of our own: created once, attached to, up again after kill -9, ended with its owner.

Each test has a folder of its own under the system's temporary one, because the server's user must
be able to walk there; pytest's own folders are closed to it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from civicmall.kernel import embedded, embedded_home
from civicmall.kernel.embedded import Server, start
from civicmall.kernel.embedded_home import NoServer

GONE_S = 20.0


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="civicmall-embedded-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Path, Server]]:
    """One server that several tests look at, and kill."""
    path = Path(tempfile.mkdtemp(prefix="civicmall-embedded-"))
    path.chmod(0o755)
    server = start(path, log=lambda _: None, lives_with=os.getpid())
    yield path, server
    server.stop()
    shutil.rmtree(path)


def query(server: Server, text: str) -> str:
    done = server.home.run("psql", "-XAqt", "-v", "ON_ERROR_STOP=1", server.url, text=text)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def wait_for_end(pid: int) -> None:
    """Where nobody reaps, the dead stay as zombies."""
    deadline = time.monotonic() + GONE_S
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} still runs")


def test_a_second_start_attaches(running: tuple[Path, Server]) -> None:
    path, server = running
    said: list[object] = []
    second = start(path, log=said.append)
    assert (second.pid, second.url) == (server.pid, server.url)
    assert said == []


def test_it_opens_no_port_and_asks_for_a_password(running: tuple[Path, Server]) -> None:
    _, server = running
    assert query(server, "show listen_addresses") == ""
    assert not [c for c in psutil.Process(server.pid).net_connections() if c.status == "LISTEN"
                and c.laddr]  # fmt: skip
    wrong = server.url.replace(server.home.owner_password, "wrong")
    refused = server.home.run("psql", "-XAqt", "-w", wrong, "-c", "select 1")
    assert "password authentication failed" in refused.stderr
    assert server.home.owner_password != server.home.password
    for kept in ("password", "owner-password"):
        assert (server.home.path / kept).stat().st_mode & 0o077 == 0


def test_the_owner_is_no_superuser_and_may_make_what_it_needs(
    running: tuple[Path, Server],
) -> None:
    _, server = running
    mine = "from pg_roles where rolname = current_user"
    assert query(server, f"select rolsuper, rolcreatedb, rolcreaterole {mine}") == "f|t|t"
    assert query(server, "show server_encoding") == "UTF8"


def test_what_was_written_survives_kill_9(running: tuple[Path, Server]) -> None:
    path, server = running
    query(server, "create table if not exists kept (n int); insert into kept values (1)")
    before = int(query(server, "select count(*) from kept"))
    killed = server.pid
    children = [child.pid for child in psutil.Process(killed).children()]
    os.kill(killed, signal.SIGKILL)
    wait_for_end(killed)

    again = start(path, log=lambda _: None, lives_with=os.getpid())
    assert again.pid != killed
    assert int(query(again, "select count(*) from kept")) == before
    for child in children:
        wait_for_end(child)


@pytest.mark.parametrize("lives", [True, False], ids=["of another process", "of a zombie"])
def test_a_killed_server_whose_number_is_taken(
    running: tuple[Path, Server], *, lives: bool
) -> None:
    """PostgreSQL itself would not dare: the number that it noted is in use."""
    path, server = running
    killed = server.pid
    os.kill(killed, signal.SIGKILL)
    wait_for_end(killed)
    user = server.home.user_id if os.geteuid() == 0 else None
    other = subprocess.Popen(["sleep", "60" if lives else "0"], user=user, cwd="/")
    if not lives:
        wait_for_end(other.pid)  # and is not reaped yet
    note = server.home.cluster / "postmaster.pid"
    note.write_text(note.read_text().replace(str(killed), str(other.pid), 1))
    try:
        again = start(path, log=lambda _: None, lives_with=os.getpid())
        assert query(again, "select 1") == "1"
        assert again.pid != other.pid
    finally:
        other.kill()
        other.wait()


def test_a_killed_servers_busy_child_is_waited_for(
    running: tuple[Path, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the shared memory until it notices; nobody may start beside it."""
    path, server = running
    busy = subprocess.Popen(
        [str(server.home.binaries / "psql"), "-XAqt", server.admin_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert busy.stdin is not None
    assert busy.stdout is not None
    busy.stdin.write("select pg_backend_pid();\n")
    busy.stdin.write("select count(*) from (select generate_series(1, 10000000000)) n;\n")
    busy.stdin.flush()
    child = int(busy.stdout.readline())
    time.sleep(0.1)
    killed = server.pid
    os.kill(killed, signal.SIGKILL)
    wait_for_end(killed)

    with monkeypatch.context() as patch:
        patch.setattr(embedded, "READY_S", 1.0)
        with pytest.raises(NoServer, match=r"no answer within 1 s: .*still in use"):
            start(path, log=lambda _: None)
    threading.Timer(0.5, os.kill, (child, signal.SIGTERM)).start()
    again = start(path, log=lambda _: None, lives_with=os.getpid())
    assert query(again, "select 1") == "1"
    busy.communicate()


def test_stopped_twice_and_started_again(running: tuple[Path, Server]) -> None:
    path, server = running
    killed = server.pid
    server.stop()
    server.stop()
    wait_for_end(killed)
    said: list[object] = []
    again = start(path, log=said.append, lives_with=os.getpid())
    assert said == ["PostgreSQL: starting"]
    assert query(again, "select 1") == "1"


OWNER = """
import pathlib, sys, os
from civicmall.kernel.embedded import start
print(start(pathlib.Path(sys.argv[1]), log=lambda _: None, lives_with=os.getpid()).pid, flush=True)
sys.stdin.readline()
"""


def test_it_ends_with_whom_it_lives_with_and_after_a_half_made_cluster(folder: Path) -> None:
    (folder / "cluster.new").mkdir()
    (folder / "cluster.new" / "PG_VERSION").write_text("18")
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    server = int(owner.stdout.readline())
    assert psutil.pid_exists(server)
    assert not (folder / "cluster.new").exists()

    owner.kill()
    owner.communicate()
    wait_for_end(server)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as another user")
def test_data_that_the_servers_user_cannot_reach_goes_elsewhere(folder: Path) -> None:
    """As under a closed home folder, where a checkout often lies."""
    folder.chmod(0o700)
    said: list[object] = []
    server = start(folder / "data", log=said.append, lives_with=os.getpid(), fsync=False)
    moved = Path((folder / "data" / "moved-to").read_text().strip())
    try:
        assert server.home.path == moved
        assert not moved.is_relative_to(folder)
        assert any(str(moved) in str(line) for line in said)
        assert moved.stat().st_uid == 0
        assert server.home.cluster.stat().st_uid == server.home.user_id != 0
        assert query(server, "select 1") == "1"
        assert start(folder / "data", log=lambda _: None).pid == server.pid
    finally:
        server.stop()
        shutil.rmtree(moved)


def test_a_path_too_long_for_a_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    server = start(deep, log=lambda _: None, lives_with=os.getpid(), fsync=False)
    sockets = Path(server.url.partition("host=")[2].replace("%2F", "/"))
    try:
        assert len(str(sockets)) < 40
        assert query(server, "select 1") == "1"
        assert start(deep, log=lambda _: None).url == server.url
    finally:
        server.stop()
        sockets.rmdir()


def test_without_the_wheel_there_is_another_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_: str) -> None: ...

    monkeypatch.setattr(embedded_home, "find_spec", nothing)
    with pytest.raises(NoServer, match=r"not installed .* Set DATABASE_URL"):
        start(folder, log=lambda _: None)


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(NoServer, match="file"):
        start(folder / "file" / "data", log=lambda _: None)


def test_a_cluster_that_cannot_be_made_or_started_says_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "SETTINGS", {**embedded.SETTINGS, "max_connections": "many"})
        with pytest.raises(NoServer, match=r"it does not start: .*max_connections"):
            start(folder, log=lambda _: None, fsync=False)
    shutil.rmtree(folder / "cluster")
    (folder / "password").write_text("")
    with pytest.raises(NoServer, match=r"initdb failed: .*password"):
        start(folder, log=lambda _: None, fsync=False)
