"""Settings, all from the environment; a wrong or missing one is named at start."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

PORT_MAX: Final = 65_535
POSTGRESQL: Final = ("postgresql://", "postgres://")
HTTP: Final = ("https://", "http://")
LOOPBACK: Final = "127.0.0.0/8"
FEE: Final = re.compile(r"[a-z][a-z0-9_]*/[a-z][a-z0-9_.-]*")
MEDICAL_FEES: Final = "medical_insurance/resident_contribution"
"""What a personal account may pay of what is on sale today: the family's contributions (General
Office of the State Council [2021] No. 14)."""
T = TypeVar("T", bound=Struct)


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
    plugins: Path | None = None
    """Folder of shops that are not installed as packages; None: only installed ones."""
    shop_networks: str = ""
    """Networks beyond public addresses where shops may live, as `10.1.0.0/16, 127.0.0.0/8`; in a
    sandbox this machine too.
    """
    medical_fees: str = MEDICAL_FEES
    """Fees that a medical insurance may pay for, as `shop/fee_code, …`."""
    staff_second_factor: bool | None = None
    """Whether staff need a second factor; None: where this is no sandbox."""
    trusted_proxies: str = ""
    """Networks of our own reverse proxies, whose X-Forwarded-For is believed, as `10.0.0.0/8, …`."""
    workers: bool = True
    """Whether this process drains the outbox and runs the jobs."""

    @property
    def second_factor_needed(self) -> bool:
        """Whether staff without a second factor may do nothing but set one up."""
        said = self.staff_second_factor
        return not self.sandbox if said is None else said

    def for_a_city(self, env: Mapping[str, str] | None = None) -> Settings:
        """The same, once it is sure that a sandbox is meant where one is. Raises BadSetting.

        Without these refusals a forgotten setting would show one-time codes to everybody.
        """
        env = os.environ if env is None else env
        local = self.host in {"127.0.0.1", "::1", "localhost"}
        if "CIVICMALL_SANDBOX" not in env and not local:
            raise BadSetting(
                "CIVICMALL_SANDBOX",
                f"say 0 or 1: HOST={self.host} is reachable from outside",
            )
        public = urlsplit(self.public_url)
        near = public.hostname in {"127.0.0.1", "::1", "localhost"}
        if not self.sandbox and public.scheme != "https" and not near:
            raise BadSetting("CIVICMALL_PUBLIC_URL", "https://…: cookies of citizens go there")
        return self

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None, *, database_url: str = "") -> Settings:
        """Read PORT, HOST, DATABASE_URL and CIVICMALL_*. Raises BadSetting."""
        env = os.environ if env is None else env
        port = _number(env, "PORT", 8000, 1, PORT_MAX)
        host = env.get("HOST", "") or "127.0.0.1"
        shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 (only compared)
        shown = f"[{shown}]" if ":" in shown else shown
        sandbox = _flag(env, "CIVICMALL_SANDBOX", default=True)
        return cls(
            database_url=database_url or _url(env, "DATABASE_URL", "", POSTGRESQL),
            data_dir=Path(env.get("CIVICMALL_DATA", "") or ".data").absolute(),
            port=port,
            host=host,
            public_url=_url(env, "CIVICMALL_PUBLIC_URL", f"http://{shown}:{port}", HTTP).rstrip(
                "/"
            ),
            sandbox=sandbox,
            log_json=_flag(env, "CIVICMALL_LOG_JSON", default=not sys.stderr.isatty()),
            pool_max=_number(env, "CIVICMALL_POOL", 16, 2, 200),
            plugins=_folder(env, "CIVICMALL_PLUGINS", _plugins()),
            shop_networks=env.get("CIVICMALL_SHOP_NETWORKS", "") or LOOPBACK * sandbox,
            medical_fees=_fees(env, "CIVICMALL_MEDICAL_FEES", MEDICAL_FEES),
            staff_second_factor=_said(env, "CIVICMALL_STAFF_SECOND_FACTOR"),
            trusted_proxies=_networks(env, "CIVICMALL_TRUSTED_PROXIES"),
            workers=_flag(env, "CIVICMALL_WORKERS", default=True),
        )


def declared(kind: type[T], env: Mapping[str, str]) -> T | None:
    """The settings that a part of the program declares for itself; None where none of them is there.

    `kind` has strings and numbers, each field named as its variable, with a `Meta` whose
    `description` says what is expected. Once one is set, those without a default must be too.
    Raises BadSetting, which never says what was there: some of them are secrets.
    """
    fields = msgspec.structs.fields(kind)
    said = {one.encode_name: env[one.encode_name] for one in fields if env.get(one.encode_name)}
    if not said:
        return None
    for one in fields:
        try:
            if one.encode_name in said:
                msgspec.convert(said[one.encode_name], one.type, strict=False)
            elif one.required:
                raise BadSetting(one.encode_name, f"missing; {_expected(one.type)}")
        except msgspec.ValidationError:
            raise BadSetting(one.encode_name, _expected(one.type)) from None
    return msgspec.convert(said, kind, strict=False)


def _expected(kind: Any) -> str:
    said = [one.description or "" for one in get_args(kind)[1:] if isinstance(one, Meta)]
    return said[0] if said else "another value"


def _plugins() -> Path | None:
    """The checkout's own folder, where we run from a checkout."""
    beside = Path(__file__).parents[3] / "plugins"
    return beside if beside.is_dir() else None


def _folder(env: Mapping[str, str], name: str, default: Path | None) -> Path | None:
    said = env.get(name, "")
    if said and not Path(said).is_dir():
        raise BadSetting(name, f"an existing folder, not {said!r}")
    return Path(said).absolute() if said else default


def _url(env: Mapping[str, str], name: str, default: str, schemes: tuple[str, ...]) -> str:
    """Never shown in the message: an address may hold a password."""
    said = env.get(name, "")
    if said and not said.startswith(schemes):
        raise BadSetting(name, f"an address that begins with {' or '.join(schemes)}")
    return said or default


def _fees(env: Mapping[str, str], name: str, default: str) -> str:
    said = env.get(name, "") or default
    if not all(FEE.fullmatch(one.strip()) for one in said.split(",")):
        raise BadSetting(name, f"fees as `shop/fee_code, …`, not {said!r}")
    return said


def _networks(env: Mapping[str, str], name: str) -> str:
    said = env.get(name, "")
    try:
        for one in filter(None, map(str.strip, said.split(","))):
            ip_network(one)
    except ValueError:
        raise BadSetting(name, f"networks as `10.0.0.0/8, fd00::/8`, not {said!r}") from None
    return said


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    said = env.get(name, "")
    if not said:
        return default
    if not said.isdecimal() or not low <= int(said) <= high:
        raise BadSetting(name, f"a whole number from {low} to {high}, not {said!r}")
    return int(said)


def _said(env: Mapping[str, str], name: str) -> bool | None:
    """A flag whose default depends on others; None where nothing is said."""
    return _flag(env, name, default=False) if env.get(name) else None


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    said = env.get(name, "")
    if said not in {"", "0", "1"}:
        raise BadSetting(name, f"0 or 1, not {said!r}")
    return default if not said else said == "1"
