"""The upstream as we ask it: metadata, keys, codes, userinfo; nothing that it says is believed unseen."""

from __future__ import annotations

import asyncio
import base64
import secrets
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey, import_key

from civicmall.identity import outward
from civicmall.identity.outward import MALFORMED, Answer, Silent
from civicmall.kernel import logs
from civicmall.kernel.house import House

from . import rules
from .errors import UpstreamAway, UpstreamRefused, UpstreamWrong
from .models import Claims, Flow, KeysAnswer, Metadata, RefusedAnswer, TokenAnswer
from .settings import BITS_MIN, FederationSettings

log = logs.get("identity")
METADATA_S: Final = 3600.0
"""How long metadata are taken for true."""
KEYS_S: Final = 3600.0
AGAIN_S: Final = 60.0
"""The least time between two looks for a key that we don't know: tokens with made-up keys must not
make us ask the upstream each time."""
RETRY_S: Final = 3.0
"""An upstream that has just failed is not asked by everybody who waits; each would wait anew."""
KEYS_MAX: Final = 50
ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM: Final = {"content-type": "application/x-www-form-urlencoded"}
PublicKey = ECKey | RSAKey | OKPKey
T = TypeVar("T")


class Upstream:
    """One OpenID Provider above us, and what this process knows of it."""

    def __init__(
        self,
        house: House,
        client: httpx.AsyncClient,
        settings: FederationSettings,
        key: ECKey | RSAKey | None,
    ) -> None:
        self.settings = settings
        self._house = house
        self._client = client
        self._key = key
        self._lock = asyncio.Lock()
        self._metadata: tuple[Metadata, float] | None = None
        self._keys: tuple[list[PublicKey], float] | None = None
        self._failed: float | None = None

    @property
    def issuer(self) -> str:
        """Whom we ask, exactly as its metadata and tokens must say."""
        return self.settings.issuer

    async def metadata(self) -> Metadata:
        """Its metadata, an hour old at most. Raises UpstreamAway, UpstreamWrong."""
        async with self._lock:
            return await self._metadata_now()

    async def _metadata_now(self) -> Metadata:
        now = self._house.clock.monotonic()
        if self._metadata is not None and now - self._metadata[1] < METADATA_S:
            return self._metadata[0]
        if self._failed is not None and now - self._failed < RETRY_S:
            raise self._away("failed just now")
        try:
            got = await self._ask("GET", rules.discovery_url(self.issuer))
            found = self._read(got, Metadata, "discovery")
            if wrong := rules.wrong_metadata(found, self.issuer):
                raise self._wrong(wrong)
        except (UpstreamAway, UpstreamWrong):
            self._failed = self._house.clock.monotonic()
            raise
        self._metadata = (found, now)
        return found

    async def exchange(self, code: str, flow: Flow, redirect_uri: str) -> tuple[Claims, str]:
        """A code becomes the claims of a checked ID token, and an access token.

        Raises UpstreamAway, UpstreamWrong, UpstreamRefused.
        """
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "code_verifier": flow.verifier,
        }  # fmt: skip
        headers = {**FORM, **self._authenticate(metadata, form)}
        got = await self._ask("POST", metadata.token_endpoint, headers, urlencode(form).encode())
        if got.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
            raise self._refused(got)
        answer = self._read(got, TokenAnswer, "token-answer")
        if answer.token_type.lower() != "bearer":
            raise self._wrong("token-type")
        claims = await self._checked(answer.id_token, metadata)
        wrong = rules.wrong_claims(
            claims, issuer=self.issuer, client_id=self.settings.client_id, nonce=flow.nonce,
            now=self._house.clock.now().timestamp(),
        )  # fmt: skip
        if wrong is None and not rules.right_at_hash(claims.get("at_hash"), answer.access_token):
            wrong = "at-hash"
        if wrong is not None:
            raise self._wrong(wrong)
        return claims, answer.access_token

    async def userinfo(self, access_token: str, sub: str) -> Claims:
        """What else it says of the same person (OpenID Connect Core, section 5.3).

        Raises UpstreamAway, UpstreamWrong.
        """
        endpoint = (await self.metadata()).userinfo_endpoint
        if endpoint is None:
            return {}
        if not access_token.isascii() or not access_token.isprintable():
            raise self._wrong("token-answer")
        got = await self._ask("GET", endpoint, {"authorization": f"Bearer {access_token}"})
        found = self._read(got, dict[str, Any], "userinfo")
        if found.get("sub") != sub:  # another person's, put in its place
            raise self._wrong("userinfo-sub")
        return found

    def _authenticate(self, metadata: Metadata, form: dict[str, str]) -> dict[str, str]:
        """How we say who we are: a signed assertion (RFC 7523), or the secret (RFC 6749, 2.3.1)."""
        client_id = self.settings.client_id
        if self._key is not None:
            now = int(self._house.clock.now().timestamp())
            form |= {
                "client_id": client_id,
                "client_assertion_type": ASSERTION,
                "client_assertion": jwt.encode(
                    {"alg": "ES256" if isinstance(self._key, ECKey) else "RS256"},
                    {
                        "iss": client_id, "sub": client_id, "aud": self.issuer, "iat": now,
                        "exp": now + 60, "jti": secrets.token_urlsafe(16),
                    },
                    self._key,
                ),
            }  # fmt: skip
            return {}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            pair = f"{quote_plus(client_id)}:{quote_plus(self.settings.secret)}"
            return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        form |= {"client_id": client_id, "client_secret": self.settings.secret}
        return {}

    async def _checked(self, token: str, metadata: Metadata) -> Claims:
        """Signature first. Raises UpstreamAway, UpstreamWrong."""
        header = self._header(token)
        alg, kid = header.get("alg"), header.get("kid")
        if alg not in rules.ALGORITHMS:
            raise self._wrong("alg")
        keys = [one for one in await self._keys_for(metadata, kid) if _fits(one, str(alg))]
        if kid is None and len(keys) != 1:  # which one is meant must be plain
            raise self._wrong("kid")
        if not keys:
            raise self._wrong("kid")
        try:
            return dict(jwt.decode(token, KeySet(list(keys[:1])), algorithms=[str(alg)]).claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise self._wrong("signature") from error

    def _header(self, token: str) -> dict[str, Any]:
        try:
            first, _, _ = token.split(".")
            raw = base64.b64decode(first + "=" * (-len(first) % 4), altchars=b"-_", validate=True)
            found: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, Any])
        except MALFORMED as error:
            raise self._wrong("token-form") from error
        return found

    async def _keys_for(self, metadata: Metadata, kid: Any) -> list[PublicKey]:
        """Its keys of this id, of all where the token names none; looked for again, at most once a
        minute, where we don't know it.
        """
        async with self._lock:
            now = self._house.clock.monotonic()
            if (
                self._keys is None
                or now - self._keys[1] > KEYS_S
                or (not _named(self._keys[0], kid) and now - self._keys[1] > AGAIN_S)
            ):
                self._keys = (await self._fetch_keys(metadata.jwks_uri), now)
            return _named(self._keys[0], kid)

    async def _fetch_keys(self, jwks_uri: str) -> list[PublicKey]:
        got = await self._ask("GET", jwks_uri)
        said = self._read(got, KeysAnswer, "jwks").keys
        return [key for one in said[:KEYS_MAX] if (key := _public(one)) is not None]

    async def _ask(
        self, method: str, url: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        try:
            return await outward.ask(self._client, method, url, headers, body)
        except Silent as error:
            raise self._away(str(error)) from error

    def _read(self, got: Answer, kind: type[T], what: str) -> T:
        """A good answer's JSON. Raises UpstreamAway, UpstreamWrong."""
        if got.status != HTTPStatus.OK:
            raise self._away(f"{what}: {got.status}")
        try:
            return msgspec.json.decode(got.body, type=kind)
        except MALFORMED as error:
            raise self._wrong(what) from error

    def _refused(self, got: Answer) -> UpstreamRefused:
        try:
            said = msgspec.json.decode(got.body, type=RefusedAnswer).error
        except MALFORMED:
            said = ""
        return UpstreamRefused(error=rules.error_code(said))

    def _away(self, reason: str) -> UpstreamAway:
        log.warning("upstream.away", reason=reason)
        return UpstreamAway(retry_after_s=5)

    def _wrong(self, check: str) -> UpstreamWrong:
        log.warning("upstream.wrong", check=check)
        return UpstreamWrong(check=check)


def _public(said: Any) -> PublicKey | None:
    """A key of the set that signs and that we can use; others are somebody else's business."""
    if not isinstance(said, dict):
        return None
    jwk: dict[str, Any] = dict(said)  # pyright: ignore[reportUnknownArgumentType]
    if jwk.get("use") not in (None, "sig") or jwk.get("kty") not in ("EC", "RSA"):
        return None
    try:
        found = import_key(jwk)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(found, RSAKey):
        return found if found.public_key.key_size >= BITS_MIN else None
    return found if isinstance(found, ECKey) and found.curve_name == "P-256" else None


def _named(keys: list[PublicKey], kid: Any) -> list[PublicKey]:
    return keys if kid is None else [one for one in keys if one.kid == kid]


def _fits(key: PublicKey, alg: str) -> bool:
    """A key is used for one kind of signature, whatever a token says (RFC 8725, section 3.1)."""
    said = key.get("alg")
    return (said is None or said == alg) and isinstance(key, ECKey if alg == "ES256" else RSAKey)
