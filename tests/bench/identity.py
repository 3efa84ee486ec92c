"""What it costs to know who asks; sign-ins, and tokens for partner apps."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Final
from urllib.parse import urlencode

import asyncpg
import msgspec
import psutil
from msgspec import Struct
from tests.bench.load import Plan, Seen, raw
from tests.bench.place import Place, Process
from tests.citizens import caller, own_house

from civicmall import identity
from civicmall.identity import Tokens
from civicmall.identity.provider import handles
from civicmall.identity.provider.clients import secret_hash
from civicmall.identity.rules import CODES, sandbox_code
from civicmall.kernel import crypto, ids
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

CITIZENS: Final = 200
CONNECTIONS: Final = 16
AT_ONCE: Final = 200
"""Callers of the token endpoint."""
CLIENT: Final = "bench-partner"
SECRET: Final = "b" * 43
PROXY: Final = "127.0.0.0/8"
"""Sign-ins come from many networks, as the load's X-Forwarded-For says."""


class Doors:
    """The same door for anybody and for citizens, in one process."""

    def __init__(self, place: Place) -> None:
        self._place = place
        tokens = Tokens(crypto.load(place.folder), "http://127.0.0.1", Clock())
        made = [tokens.access(caller(ids.new(n % ids.BUCKETS), 2)) for n in range(CITIZENS)]
        sent = [{"authorization": f"Bearer {one}"} for one in made]
        self._guarded = [raw("GET", "/guarded", one) for one in sent]
        self._open = [raw("GET", "/open", one) for one in sent]

    def serve(self) -> Process:
        """The process."""
        return self._place.python("-m", "tests.bench.guarded", "PORT", str(self._place.folder))

    def both(self, server: Process, seconds: float) -> tuple[float, float]:
        """Requests per second of the server's processor time: with a token checked for each, and without."""
        rates: list[float] = []
        for requests in (self._guarded, self._open):
            before = psutil.Process(server.pid).cpu_times()
            seen = self._place.load(Plan(server.port, requests, CONNECTIONS, seconds))
            after = psutil.Process(server.pid).cpu_times()
            checked(seen)
            rates.append(seen.answered / (after.user + after.system - before.user - before.system))
        return rates[0], rates[1]


def checked(seen: Seen) -> Seen:
    """What was measured is what was asked for."""
    if seen.refused:
        raise RuntimeError(f"{seen.refused} requests were refused")
    return seen


class Counts(Struct, frozen=True):
    """Sign-ins (code asked for, code brought) a second; tokens refreshed."""

    sign_ins: float
    tokens: Seen


class Centre:
    """A whole city's identity centre, as `civicmall run` has it."""

    def __init__(self, place: Place, count: int) -> None:
        self._place = place
        self._count = count

    def measure(self) -> Counts:
        """Each request once; a refresh token and a code can be brought only once."""
        place = self._place
        with place.civicmall("run", CIVICMALL_TRUSTED_PROXIES=PROXY) as server:
            codes, sign_ins, refreshes = asyncio.run(self._requests(server))
            seconds = 0.0
            for requests in (codes, sign_ins):
                seconds += checked(place.load(Plan(server.port, requests, CONNECTIONS))).seconds
            seen = checked(place.load(Plan(server.port, refreshes, AT_ONCE)))
        return Counts(self._count / seconds, seen)

    async def _requests(self, server: Process) -> tuple[list[bytes], list[bytes], list[bytes]]:
        settings = Settings(
            database_url=self._place.postgres.url,
            data_dir=self._place.folder,
            public_url=f"http://127.0.0.1:{server.port}",
        )
        async with own_house(settings, size_max=4) as house:
            key, today = house.keys.derive(CODES), house.clock.today()
            codes: list[bytes] = []
            sign_ins: list[bytes] = []
            for n in range(self._count):
                phone = f"176{n:08d}"
                asked = {"phone": phone, "code": sandbox_code(key, phone, today)}
                codes.append(_post("/v1/sign-in/codes", {"phone": phone}, n))
                sign_ins.append(_post("/v1/sign-in/tokens", asked, n))
            await self._client(house)
            return codes, sign_ins, await self._refreshes(house)

    async def _client(self, house: House) -> None:
        """A partner that authenticates by Basic, approved long ago."""
        owner: Any = await asyncpg.connect(self._place.postgres.url)
        words = msgspec.json.encode({"zh-CN": "测量", "en": "Bench"}).decode()
        try:
            await owner.execute(
                "insert into identity.client (client_id, version, status, kind, native, owner_name, name,"
                " purpose, redirect_uris, post_logout_redirect_uris, auth_method, sector, scopes, claims,"
                " min_level, par_required, id_token_alg, drafted_by, approved_by, approved_at)"
                " values ($1, 1, 'active', 'confidential', false, 'Bench', $2, $2,"
                " '{https://bench.example/back}', '{}', 'client_secret_basic', 'bench.example',"
                " '{openid,offline_access}', '{}', 1, false, 'ES256', $3, $4, now())",
                CLIENT, words, ids.new(1), ids.new(2),
            )  # fmt: skip
            await owner.execute(
                "insert into identity.client_secret (client_id, hash, made_by) values ($1, $2, $3)",
                CLIENT, secret_hash(house, CLIENT, SECRET), ids.new(1),
            )  # fmt: skip
        finally:
            await owner.close()

    async def _refreshes(self, house: House) -> list[bytes]:
        """One request for each grant."""
        citizens = [await identity.account(house, f"177{n:08d}") for n in range(CITIZENS)]
        rows: list[tuple[Any, ...]] = []
        for n in range(self._count):
            citizen = citizens[n % CITIZENS]
            bucket = ids.bucket_of(citizen)
            rows.append((bucket, ids.new(bucket), citizen, ids.new(bucket)))
        owner: Any = await asyncpg.connect(self._place.postgres.url)
        try:
            await owner.executemany(
                "insert into identity.grant_ (bucket, id, citizen_id, session_id, client_id, scope, claims,"
                " offline, acr, amr, auth_time, expires_at) values ($1, $2, $3, $4, 'bench-partner',"
                " '{openid,offline_access}', '{}', true, 1, '{otp}', now(), now() + interval '1 day')",
                rows,
            )
        finally:
            await owner.close()
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        headers = {
            "authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        return [
            raw("POST", "/oauth/token", headers, urlencode({
                "grant_type": "refresh_token",
                "refresh_token": handles.make(house.keys, "refresh", grant.bytes + (0).to_bytes(4)),
            }).encode())
            for _, grant, _, _ in rows
        ]  # fmt: skip


def _post(path: str, body: dict[str, str], n: int) -> bytes:
    """A request from a network of its own."""
    headers = {
        "content-type": "application/json",
        "x-forwarded-for": f"10.{n >> 8 & 255}.{n & 255}.9",
    }
    return raw("POST", path, headers, msgspec.json.encode(body))
