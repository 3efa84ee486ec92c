"""Decisions about what an upstream says: pure, tested without one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
from typing import Any, Final, cast
from urllib.parse import urlencode

from civicmall.identity.outward import is_safe
from civicmall.identity.rules import mask

from .errors import FlowBroken
from .models import Back, Flow, Metadata

ALGORITHMS: Final = ("ES256", "RS256", "PS256")
"""What an ID token may be signed with. No shared secrets, no `none` (RFC 8725 section 3.1)."""
LEEWAY_S: Final = 30
"""How far two well-kept clocks may be apart."""
FRESH_S: Final = 600
"""An ID token that is older was not made for this sign-in."""
FLOW_S: Final = 600
"""How long somebody may take to sign in there."""
TICKET_S: Final = 900
"""How long they may then take to sign in here and to agree."""
LINKS_MAX: Final = 10
SUB_MAX: Final = 255
"""OpenID Connect Core, section 2."""
PHONE: Final = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")
NAME: Final = re.compile(r"[^\x00-\x20\x7f][^\x00-\x1f\x7f]{1,59}")
ERROR: Final = re.compile(r"[a-z_]{1,60}")
WELL_KNOWN: Final = "/.well-known/openid-configuration"


def discovery_url(issuer: str) -> str:
    """Where the metadata are (OpenID Connect Discovery 1.0, section 4)."""
    return issuer.rstrip("/") + WELL_KNOWN


def wrong_metadata(found: Metadata, issuer: str) -> str | None:
    """The first thing in metadata that keeps us from using them; None where all is well."""
    if found.issuer != issuer:
        return "discovery-issuer"
    addresses = [found.authorization_endpoint, found.token_endpoint, found.jwks_uri]
    if found.userinfo_endpoint is not None:
        addresses.append(found.userinfo_endpoint)
    if not all(is_safe(one) for one in addresses):
        return "discovery-addresses"
    if issuer.startswith("https:") and not all(one.startswith("https:") for one in addresses):
        return "discovery-addresses"
    if "code" not in found.response_types_supported:
        return "discovery-code"
    methods = found.code_challenge_methods_supported
    return "discovery-pkce" if methods is not None and "S256" not in methods else None


def challenge(verifier: str) -> str:
    """S256 (RFC 7636, section 4.2)."""
    return _encoded(hashlib.sha256(verifier.encode()).digest())


def authorize_url(endpoint: str, **said: str) -> str:
    """The address that the citizen goes to."""
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(said)}"


def check_back(flow: Flow, back: Back, *, age_s: float, issuer: str, iss_announced: bool) -> None:
    """That the way back belongs to the way out. Raises FlowBroken."""
    if not -LEEWAY_S <= age_s <= FLOW_S:
        raise FlowBroken(reason="expired")
    if not back.state or not hmac.compare_digest(back.state.encode(), flow.state.encode()):
        raise FlowBroken(reason="state")
    if flow.issuer != issuer:  # another upstream was set up in the meantime
        raise FlowBroken(reason="issuer")
    if (back.iss is None and iss_announced) or back.iss not in {None, issuer}:  # RFC 9207
        raise FlowBroken(reason="issuer")


def error_code(said: str) -> str:
    """The upstream's code if it has the form of one."""
    return said if ERROR.fullmatch(said) else "unreadable"


def wrong_claims(  # noqa: PLR0911 (one line for each rule of OpenID Connect Core 3.1.3.7)
    claims: dict[str, Any], *, issuer: str, client_id: str, nonce: str, now: float
) -> str | None:
    """The first claim of an ID token that doesn't hold; None where all do."""
    if claims.get("iss") != issuer:
        return "iss"
    if not is_sub(claims.get("sub")):
        return "sub"
    audience = audience_of(claims.get("aud"))
    if client_id not in audience:
        return "aud"
    if "azp" in claims and claims["azp"] != client_id:
        return "azp"
    if len(audience) > 1 and "azp" not in claims:
        return "azp"
    if not is_time(claims.get("exp")) or claims["exp"] <= now - LEEWAY_S:
        return "exp"
    if not is_time(claims.get("iat")) or not -LEEWAY_S <= now - claims["iat"] <= FRESH_S:
        return "iat"
    if "nbf" in claims and (not is_time(claims["nbf"]) or claims["nbf"] > now + LEEWAY_S):
        return "nbf"
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        return "nonce"
    return None


def audience_of(said: Any) -> list[Any]:
    """One or several, as RFC 7519 section 4.1.3 allows."""
    return list(cast("list[Any]", said)) if isinstance(said, list) else [said]


def is_time(value: Any) -> bool:
    """A NumericDate (RFC 7519, section 2); a boolean is a number to Python, not to us, and what is not
    a number (NaN, which Python's JSON reads) is neither before nor after anything.
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def is_sub(value: Any) -> bool:
    """A subject as OpenID Connect Core has it."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= SUB_MAX
        and value.isascii()
        and value.isprintable()
    )


def right_at_hash(said: Any, access_token: str) -> bool:
    """Whether the ID token speaks of this access token (section 3.1.3.6); all our algorithms hash
    with SHA-256. Nothing said: nothing to check in the code flow.
    """
    if said is None:
        return True
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return isinstance(said, str) and hmac.compare_digest(said.encode(), _encoded(half).encode())


def phone_of(claims: dict[str, Any]) -> str | None:
    """A verified mainland mobile number; anything else is none (section 5.1)."""
    said = claims.get("phone_number")
    if claims.get("phone_number_verified") is not True or not isinstance(said, str):
        return None
    found = PHONE.fullmatch(said.replace(" ", "").replace("-", ""))
    return found[1] if found else None


def text_of(claims: dict[str, Any], name: str) -> str | None:
    """A claim that is a text and could be a name or a number."""
    said = claims.get(name)
    return said.strip() if isinstance(said, str) and NAME.fullmatch(said.strip()) else None


def shown(sources: list[dict[str, Any]], sub: str) -> str:
    """What its owner recognises an account by, and nobody else a person."""
    claims = {name: said for one in reversed(sources) for name, said in one.items()}
    if isinstance(phone := claims.get("phone_number"), str) and PHONE.fullmatch(phone):
        return mask(phone[-11:], 3, 4)
    if (name := text_of(claims, "name")) is not None:
        return mask(name[:20], 1, 0)
    return mask(sub[:20], 3, 2)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
