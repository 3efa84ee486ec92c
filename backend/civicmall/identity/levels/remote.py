"""A city's authority over HTTP: signed questions, signed answers, one deadline.

Both are JWTs (RFC 7515, RFC 7519) in the body of a POST, `application/jwt`. A question is signed with
the platform's key, as published in `/.well-known/jwks.json`; an answer with the authority's, and it
names the question by its `jti` in `in_reply_to`, so that no answer is good for another question.
docs/city-it.md has the fields.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from civicmall.identity import outward
from civicmall.identity.outward import MALFORMED, Silent
from civicmall.identity.signing import Signing
from civicmall.kernel import logs
from civicmall.kernel.house import House

from .errors import AuthorityAway
from .models import FaceBegun, FaceResult, RegisterAnswer

log = logs.get("identity")
ASK: Final = "authority-ask+jwt"
ANSWER: Final = "authority-answer+jwt"
FRESH_S: Final = 60
HEADERS: Final = {"content-type": "application/jwt", "accept": "application/jwt"}
T = TypeVar("T")


class RemoteAuthority:
    """Register and face checks of an authority elsewhere."""

    def __init__(
        self,
        house: House,
        client: httpx.AsyncClient,
        signing: Signing,
        url: str,
        key: ECKey | RSAKey,
    ) -> None:
        self._house = house
        self._client = client
        self._signing = signing
        self._url = url
        self._key = key

    async def check(self, name: str, id_number: str) -> dict[str, Any] | None:
        """`POST /register`. Raises AuthorityAway."""
        said = await self._ask("register", RegisterAnswer, name=name, id_number=id_number)
        return said.facts if said.match else None

    async def begin(self, check: UUID, name: str, id_number: str, back: str) -> FaceBegun:
        """`POST /faces`. Raises AuthorityAway."""
        said = await self._ask(
            "faces", FaceBegun, check=str(check), name=name, id_number=id_number, back=back
        )
        if not outward.is_safe(said.url):
            raise self._away("faces: address")
        return said

    async def result(self, ticket: str) -> FaceResult:
        """`POST /faces/result`. Raises AuthorityAway."""
        return await self._ask("faces/result", FaceResult, ticket=ticket)

    async def _ask(self, path: str, kind: type[T], **said: Any) -> T:
        now = int(self._house.clock.now().timestamp())
        number = secrets.token_urlsafe(16)
        question = {
            "iss": self._house.settings.public_url, "aud": self._url, "iat": now,
            "exp": now + FRESH_S, "jti": number, "ask": path, **said,
        }  # fmt: skip
        body = self._signing.sign(ASK, question).encode()
        try:
            got = await outward.ask(self._client, "POST", f"{self._url}/{path}", HEADERS, body)
        except Silent as error:
            raise self._away(f"{path}: {error}") from error
        if got.status != HTTPStatus.OK:
            raise self._away(f"{path}: {got.status}")
        claims = self._read(path, got.body, number)
        try:
            return msgspec.convert(claims, kind)
        except msgspec.ValidationError as error:
            raise self._away(f"{path}: malformed") from error

    def _read(self, path: str, body: bytes, number: str) -> dict[str, Any]:
        """Signature, then who says it to whom, when and to which question. Raises AuthorityAway."""
        algorithms = ["ES256"] if isinstance(self._key, ECKey) else ["RS256", "PS256"]
        try:
            token = jwt.decode(body.strip(), self._key, algorithms=algorithms)
            claims = dict(token.claims)
        except (JoseError, *MALFORMED, TypeError, KeyError) as error:
            raise self._away(f"{path}: signature") from error
        now, told = self._house.clock.now().timestamp(), claims.get("iat")
        if token.header.get("typ") != ANSWER:
            raise self._away(f"{path}: typ")
        if claims.get("iss") != self._url or claims.get("aud") != self._house.settings.public_url:
            raise self._away(f"{path}: iss or aud")
        if claims.get("in_reply_to") != number:
            raise self._away(f"{path}: in_reply_to")
        if not isinstance(told, int | float) or not abs(now - told) <= FRESH_S:  # not NaN either
            raise self._away(f"{path}: iat")
        return claims

    def _away(self, reason: str) -> AuthorityAway:
        log.warning("authority.away", reason=reason)
        return AuthorityAway(retry_after_s=5)
