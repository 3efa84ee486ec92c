"""Clients: who they are, and how they prove it (RFC 6749 section 2.3, RFC 7523, RFC 9700)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast
from urllib.parse import unquote_plus

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError

from civicmall.kernel.db import Db
from civicmall.kernel.house import House

from . import keys
from .errors import OAuthError, invalid_client
from .forms import Form
from .models import Client, ClientId
from .queries import q

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_S: Final = 600
"""How far in the future an assertion may expire; clients make one for each request."""
LEEWAY_S: Final = 30
"""How far apart the clocks of a client and ours may be."""
JTI_MAX: Final = 200
TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 (an address)


async def find(db: Db, client_id: str) -> Client | None:
    """The client in force of this id."""
    try:
        msgspec.convert(client_id, ClientId)
    except msgspec.ValidationError:
        return None
    found: Client | None = await q.client(db, client_id=client_id)
    return found


def secret_hash(house: House, client_id: str, secret: str) -> bytes:
    """What is kept of a secret: it is random and long, so one keyed hash is enough."""
    key = house.keys.derive("client-secrets")
    return hmac.digest(key, f"{client_id}\0{secret}".encode(), "sha256")


async def authenticate(house: House, headers: Mapping[str, str], form: Form, path: str) -> Client:
    """The client that sends a form to `path` (as `/oauth/token`).

    By Basic, by a secret in the form, by an assertion for us (its `aud`: the issuer, the token endpoint
    or this address), or as a public client by its name alone; always and only in the way that it is
    registered for. Raises OAuthError (invalid_request, invalid_client).
    """
    basic = headers.get("authorization", "")
    ways = [
        name
        for name, there in (
            ("client_secret_basic", basic),
            ("client_secret_post", "client_secret" in form),
            ("private_key_jwt", "client_assertion" in form or "client_assertion_type" in form),
        )
        if there
    ]
    if len(ways) > 1:
        raise OAuthError("invalid_request", "authenticate in one way only")
    way = ways[0] if ways else "none"
    secret = form.get("client_secret", "")
    if way == "client_secret_basic":
        client_id, secret = _basic(basic)
    elif way == "private_key_jwt":
        client_id = _claimed(form)
    elif "client_id" in form:
        client_id = form["client_id"]
    else:
        raise invalid_client("no client authentication")
    if form.get("client_id", client_id) != client_id:
        raise OAuthError("invalid_request", "client_id is not the client that authenticates")
    client = await find(house.db, client_id)
    if client is None:
        raise invalid_client()
    if client.auth_method != way:
        raise invalid_client("the client is registered for another way to authenticate")
    if way == "private_key_jwt":
        await _check_assertion(house, client, form["client_assertion"], path)
    elif way != "none" and not await q.secret(
        house.db, client_id=client_id, hash=secret_hash(house, client_id, secret)
    ):
        raise invalid_client()
    return client


def _basic(header: str) -> tuple[str, str]:
    """Id and secret of a Basic header, each form-encoded (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client("the Authorization header is not Basic")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = decoded.partition(":")
        found = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError as error:
        raise invalid_client("the Authorization header can't be read") from error
    if not colon or "\x00" in found[0] + found[1]:
        raise invalid_client("the Authorization header can't be read")
    return found


def _claimed(form: Form) -> str:
    """Whose assertion it says to be; nothing is proven yet."""
    if form.get("client_assertion_type") != ASSERTION:
        raise OAuthError("invalid_request", f"client_assertion_type is {ASSERTION}")
    if "client_assertion" not in form:
        raise OAuthError("invalid_request", "client_assertion is missing")
    try:
        body = form["client_assertion"].split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        said: Any = claims["sub"]
    except (ValueError, KeyError, IndexError, TypeError, msgspec.MsgspecError) as error:
        raise invalid_client("the assertion can't be read") from error
    if not isinstance(said, str):
        raise invalid_client("the assertion can't be read")
    return said


async def _check_assertion(house: House, client: Client, assertion: str, path: str) -> None:
    """Raises OAuthError (invalid_client)."""
    try:
        key, algorithm = keys.of_token(client.jwks or {}, assertion)
        claims = jwt.decode(assertion, key, algorithms=[algorithm]).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise invalid_client("the assertion is not signed by a registered key") from error
    now = house.clock.now().timestamp()
    issuer = house.settings.public_url
    if why := wrong(claims, client.client_id, {issuer, issuer + TOKEN_PATH, issuer + path}, now):
        raise invalid_client(why)
    digest = hashlib.sha256(f"{client.client_id}\0{claims['jti']}".encode()).digest()
    if not await q.use_assertion(
        house.db,
        bucket=digest[0],
        hash=digest,
        expires_at=datetime.fromtimestamp(claims["exp"] + LEEWAY_S, UTC),
    ):
        raise invalid_client("the assertion was used before")


def wrong(claims: dict[str, Any], client_id: str, ours: set[str], now: float) -> str:
    """What is wrong with an assertion's claims (RFC 7523 section 3); empty where nothing is.

    Whoever else is named in `aud` could bring the assertion to us, so nobody else may be.
    """
    said: Any = claims.get("aud")
    audience: list[Any] = cast("list[Any]", said) if isinstance(said, list) else [said]
    times = {name: claims[name] for name in ("exp", "iat", "nbf") if name in claims}
    jti: Any = claims.get("jti")
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        return "iss and sub of the assertion are not the client"
    if not audience or not all(isinstance(one, str) and one in ours for one in audience):
        return "the assertion is not for this server"
    if "exp" not in times or not all(type(t) in {int, float} for t in times.values()):
        return "the times of the assertion can't be read"
    if not isinstance(jti, str) or not 0 < len(jti) <= JTI_MAX:
        return "jti of the assertion is missing or too long"
    return _untimely(times, now)


def _untimely(times: dict[str, float], now: float) -> str:
    if not now - LEEWAY_S < times["exp"] <= now + ASSERTION_S + LEEWAY_S:
        return "the assertion is over, or would live too long"
    if max(times.get("iat", 0), times.get("nbf", 0)) > now + LEEWAY_S:
        return "the assertion is not valid yet"
    return ""
