"""A city's authority as a server of its own: signs, checks signatures, and can be wrong in every way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from tests.serving import served


class Counterpart:
    """The application. `platform` is whose questions it answers, by the keys published there."""

    key = ECKey.generate_key("P-256", {"kid": "authority", "use": "sig"})
    other = ECKey.generate_key("P-256", {"kid": "authority", "use": "sig"})

    def __init__(self) -> None:
        self.url = ""
        self.platform = ""
        self.persons: dict[str, str] = {}
        """ID number → name."""
        self.faces: dict[str, dict[str, str]] = {}
        """Ticket → how it stands, as the next result."""
        self.right()

    def right(self) -> None:
        """As an honest one."""
        self.signer, self.status = self.key, 200
        self.header: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.raw: bytes | None = None
        self.hang_s = 0.0
        self.questions: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        await asyncio.sleep(self.hang_s)
        answer = self.raw
        if answer is None:
            question = await self._checked(body, scope["path"])
            self.questions.append(question)
            answer = self._signed(question, self._answer(question))
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    async def _checked(self, body: bytes, path: str) -> dict[str, Any]:
        """What any authority would check of a question."""
        async with httpx.AsyncClient(trust_env=False) as client:
            keys = (await client.get(f"{self.platform}/.well-known/jwks.json")).json()
        token = jwt.decode(body, KeySet.import_key_set(keys), algorithms=["ES256"])
        claims, now = token.claims, datetime.now(UTC).timestamp()
        assert token.header["typ"] == "authority-ask+jwt"
        assert (claims["iss"], claims["aud"]) == (self.platform, self.url)
        assert claims["ask"] == path.removeprefix("/")
        assert now - 5 <= claims["iat"] <= now + 5 < claims["exp"] <= now + 70
        return claims

    def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        match question["ask"]:
            case "register":
                match = self.persons.get(question["id_number"]) == question["name"]
                return {"match": match, "facts": {"sex": "female"} if match else {}}
            case "faces":
                ticket = f"t-{question['check']}"
                self.faces[ticket] = {"state": "waiting", "id_number": question["id_number"]}
                return {"url": f"{self.url}/page/{ticket}", "ticket": ticket}
            case _:
                return self.faces[question["ticket"]]

    def _signed(self, question: dict[str, Any], answer: dict[str, Any]) -> bytes:
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.url, "aud": self.platform, "iat": now, "in_reply_to": question["jti"],
            **answer, **self.claims,
        }  # fmt: skip
        header = {"alg": "ES256", "typ": "authority-answer+jwt", **self.header}
        return jwt.encode(header, claims, self.signer).encode()

    def pem(self) -> str:
        """Its public key, as the city gets it."""
        return self.key.as_pem(private=False).decode()

    def nothing(self) -> bytes:
        """Claims that nobody signed."""
        return msgspec.json.encode({"match": True})


@asynccontextmanager
async def counterpart() -> AsyncGenerator[Counterpart]:
    """On a free port, until left."""
    found = Counterpart()
    async with served(found, lifespan="off") as url:
        found.url = url
        yield found
