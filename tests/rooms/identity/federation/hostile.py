"""An upstream that can be wrong in every way, one at a time."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, RSAKey
from tests.serving import served

from civicmall import identity
from civicmall.identity import federation
from civicmall.identity.federation import Back, Flow, Upstream
from civicmall.kernel.house import House

CLIENT = "city"
SECRET = "s3cret"
ACCESS = "an-access-token"
Answer = tuple[int, Any, dict[str, str]]
"""Status, body (bytes, or what becomes JSON), headers."""


def half_hash(text: str) -> str:
    """As OpenID Connect Core 3.1.3.6 has it for ES256 and RS256."""
    return encoded(hashlib.sha256(text.encode()).digest()[:16])


def encoded(raw: bytes) -> str:
    """As in a JWT."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Hostile:
    """The application. Whatever isn't changed is right."""

    key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
    other = ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
    rsa = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})

    def __init__(self) -> None:
        self.url = ""
        self.right()

    def right(self) -> None:
        """As an honest one."""
        self.discovery: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.keys: list[dict[str, Any]] = [self.key.as_dict(private=False)]
        self.signer: Any = self.key
        self.secret = b""
        self.answers: dict[str, Any] = {}
        """Path → (status, body, headers), or seconds to hang."""
        self.nonce = ""
        self.sub = "a-subject"
        self.asked: list[str] = []
        self.form: dict[str, list[str]] = {}
        self.token: dict[str, Any] = {}

    def metadata(self) -> dict[str, Any]:
        found = {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks",
            "userinfo_endpoint": f"{self.url}/userinfo", "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "authorization_response_iss_parameter_supported": True,
        }  # fmt: skip
        return without_none(found | self.discovery)

    def id_token(self) -> str:
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.url, "aud": CLIENT, "sub": self.sub, "iat": now, "exp": now + 300,
            "nonce": self.nonce, "at_hash": half_hash(ACCESS),
        }  # fmt: skip
        said = msgspec.json.encode(without_none(claims | self.claims))
        header = without_none({"alg": "ES256", "kid": "one", "typ": "JWT"} | self.header)
        signed = f"{encoded(msgspec.json.encode(header))}.{encoded(said)}"
        return f"{signed}.{encoded(self._signature(header['alg'], signed.encode()))}"

    def _signature(self, alg: str, signed: bytes) -> bytes:
        """By hand: no library makes what should be refused."""
        match alg:
            case "none":
                return b""
            case "HS256":
                return hmac.new(self.secret, signed, hashlib.sha256).digest()
            case "ES256":
                der = self.signer.private_key.sign(signed, ECDSA(SHA256()))
                return b"".join(part.to_bytes(32) for part in decode_dss_signature(der))
            case _:
                return self.signer.private_key.sign(signed, PKCS1v15(), SHA256())

    def confused(self, key: ECKey | RSAKey) -> None:
        """HS256 with what everybody can read as its secret."""
        self.secret, self.header = key.as_pem(private=False), {"alg": "HS256", "kid": key.kid}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path: str = scope["path"]
        self.asked.append(path)
        body = (await receive())["body"]
        said = self.answers.get(path)
        if isinstance(said, float):
            await asyncio.sleep(said)
            said = None
        right: Answer = (200, self._right(path, body), {})
        answer: Answer = right if said is None else said
        status, out, headers = answer
        raw: bytes = out if isinstance(out, bytes) else msgspec.json.encode(out)
        found = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": found})
        await send({"type": "http.response.body", "body": raw})

    def _right(self, path: str, body: bytes) -> Any:
        match path:
            case "/.well-known/openid-configuration":
                return self.metadata()
            case "/jwks":
                return {"keys": self.keys}
            case "/token":
                self.form = parse_qs(body.decode())
                answer = {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 60}
                return without_none(answer | {"id_token": self.id_token()} | self.token)
            case "/userinfo":
                return without_none({"sub": self.sub} | self.info)
            case _:
                return {}


def without_none(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


@asynccontextmanager
async def hostile_upstream() -> AsyncGenerator[Hostile]:
    """On a free port, until left."""
    found = Hostile()
    async with served(found, lifespan="off") as url:
        found.url = url
        yield found


def env(wicked: Hostile, **more: str) -> dict[str, str]:
    return {
        "CIVICMALL_FEDERATION_ISSUER": wicked.url, "CIVICMALL_FEDERATION_CLIENT_ID": CLIENT,
        "CIVICMALL_FEDERATION_CLIENT_SECRET": SECRET, "CIVICMALL_FEDERATION_NAME": "省平台",
        "CIVICMALL_FEDERATION_APP_REDIRECT": "app.city:/back",
        "CIVICMALL_FEDERATION_TRUST": "phone, name",
    } | more  # fmt: skip


class Way:
    """One process's upstream, and one way out and back."""

    def __init__(
        self, house: House, client: httpx.AsyncClient, wicked: Hostile, **more: str
    ) -> None:
        self.house = house
        self.wicked = wicked
        found = federation.open_federation(house, client, env(wicked, **more)).upstream
        assert found is not None
        self.upstream: Upstream = found
        self.tokens = identity.Tokens(house.keys, house.settings.public_url, house.clock)

    async def out(self) -> Flow:
        url, sealed = await federation.start(self.house, self.upstream, "app", "zh-CN")
        said = parse_qs(urlsplit(url).query)
        self.wicked.nonce = said["nonce"][0]
        self.said = said
        return federation.opened(self.house, sealed, "app")

    async def back(self, flow: Flow, **change: Any) -> federation.Finished:
        said = {"state": flow.state, "code": "a-code", "iss": self.wicked.url} | change
        return await federation.finish(
            self.house, self.tokens, self.upstream, flow, Back(**said), "a phone"
        )

    async def both(self) -> federation.Finished:
        return await self.back(await self.out())
