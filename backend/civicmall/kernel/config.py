"""Settings, all from the environment; a wrong or missing one is named at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

PORT_MAX: Final = 65_535


class BadSetting(Exception):
    """A setting that can't be used; says which, what it was and what is expected."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name}: {expected}")
        self.name = name


class Settings(Struct, frozen=True):
    """How this process runs."""

    database_url: str
    """Owner of the schemas: runs migrations; the program itself works as lesser roles."""
    data_dir: Path
    """Keys and, where embedded, PostgreSQL; nothing else is kept on disk."""
    port: int = 8000
    host: str = "127.0.0.1"
    public_url: str = "http://127.0.0.1:8000"
    """Where browsers and channels find us: in links, callbacks and tokens' `iss`."""
    sandbox: bool = True
    """One-time codes are readable, people and money are synthetic. Off for a real city."""
    log_json: bool = True
    pool_max: int = 16
    workers: bool = True
    """Whether this process drains the outbox and runs the jobs."""

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, *, database_url: str = "") -> Settings:
        """Read PORT, HOST, DATABASE_URL and CIVICMALL_*. Raises BadSetting."""
        env = os.environ if env is None else env
        port = _number(env, "PORT", 8000, 1, PORT_MAX)
        host = env.get("HOST", "127.0.0.1")
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 (only compared)
        return cls(
            database_url=database_url or env.get("DATABASE_URL", ""),
            data_dir=Path(env.get("CIVICMALL_DATA", ".data")).absolute(),
            port=port,
            host=host,
            public_url=env.get("CIVICMALL_PUBLIC_URL", f"http://{shown}:{port}").rstrip("/"),
            sandbox=_flag(env, "CIVICMALL_SANDBOX", default=True),
            log_json=_flag(env, "CIVICMALL_LOG_JSON", default=True),
            pool_max=_number(env, "CIVICMALL_POOL", 16, 2, 200),
            workers=_flag(env, "CIVICMALL_WORKERS", default=True),
        )


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    said = env.get(name, "")
    if not said:
        return default
    if not said.isdecimal() or not low <= int(said) <= high:
        raise BadSetting(name, f"a whole number from {low} to {high}, not {said!r}")
    return int(said)


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    said = env.get(name, "")
    if said not in {"", "0", "1"}:
        raise BadSetting(name, f"0 or 1, not {said!r}")
    return default if not said else said == "1"
