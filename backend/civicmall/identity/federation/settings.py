"""What a city says of its upstream, as environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key
from msgspec import Meta, Struct, field

from civicmall.identity.outward import check_address
from civicmall.kernel.config import BadSetting, declared

ISSUER: Final = "CIVICMALL_FEDERATION_ISSUER"
PRIVATE_KEY: Final = "CIVICMALL_FEDERATION_PRIVATE_KEY"
SECRET: Final = "CIVICMALL_FEDERATION_CLIENT_SECRET"  # noqa: S105 (its name)
TRUST: Final = "CIVICMALL_FEDERATION_TRUST"
APP: Final = "CIVICMALL_FEDERATION_APP_REDIRECT"
TRUSTED: Final = frozenset({"phone", "name"})
BITS_MIN: Final = 2048
Text = Annotated[str, Meta(max_length=500, description="at most 500 characters")]
Claim = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_:/.-]{1,80}$", description="a claim's name")]


class FederationSettings(Struct, frozen=True):
    """How this city is known at the upstream, and what the upstream is believed."""

    issuer: Text = field(name="CIVICMALL_FEDERATION_ISSUER")
    client_id: Text = field(name="CIVICMALL_FEDERATION_CLIENT_ID")
    name: Text = field(name="CIVICMALL_FEDERATION_NAME")
    name_en: Text = field(name="CIVICMALL_FEDERATION_NAME_EN", default="")
    secret: Text = field(name="CIVICMALL_FEDERATION_CLIENT_SECRET", default="")
    private_key: Annotated[str, Meta(max_length=8_000)] = field(
        name="CIVICMALL_FEDERATION_PRIVATE_KEY", default=""
    )
    scope: Text = field(name="CIVICMALL_FEDERATION_SCOPE", default="openid profile phone")
    trust: Text = field(name="CIVICMALL_FEDERATION_TRUST", default="")
    name_claim: Claim = field(name="CIVICMALL_FEDERATION_NAME_CLAIM", default="name")
    number_claim: Claim = field(name="CIVICMALL_FEDERATION_ID_NUMBER_CLAIM", default="id_number")
    app_redirect: Text = field(name="CIVICMALL_FEDERATION_APP_REDIRECT", default="")

    @property
    def trusted(self) -> frozenset[str]:
        """`phone`: its verified phone numbers are ours; `name`: its real names raise to level 2."""
        return frozenset(self.trust.replace(",", " ").split())

    def shown(self, lang: str) -> str:
        """Its name for the button."""
        return self.name_en if lang == "en" and self.name_en else self.name


def set_up(env: Mapping[str, str]) -> tuple[FederationSettings, ECKey | RSAKey | None] | None:
    """The settings and our own key, where the settings are there. Raises BadSetting."""
    found = declared(FederationSettings, env)
    if found is None:
        return None
    check_address(ISSUER, found.issuer)
    if "?" in found.issuer:
        raise BadSetting(ISSUER, "an issuer without a query (OpenID Connect Discovery)")
    if bool(found.secret) == bool(found.private_key):
        raise BadSetting(SECRET, f"either this or {PRIVATE_KEY}")
    if not found.trusted <= TRUSTED:
        raise BadSetting(TRUST, "`phone`, `name`, both, or nothing")
    if "openid" not in found.scope.split():
        raise BadSetting("CIVICMALL_FEDERATION_SCOPE", "scopes with `openid` among them")
    if found.app_redirect and ":" not in found.app_redirect:
        raise BadSetting(APP, "the address that opens the app")
    return found, _key(found.private_key) if found.private_key else None


def _key(said: str) -> ECKey | RSAKey:
    """A P-256 or an RSA key. Raises BadSetting; what was there is never said."""
    try:
        text = said if said.startswith("-----BEGIN ") else Path(said).read_text("ascii")
        kind = "EC" if "BEGIN EC" in text else "RSA" if "BEGIN RSA" in text else None
        for one in (kind,) if kind else ("EC", "RSA"):
            if (found := _imported(text, one)) is not None:
                return found
    except (OSError, ValueError):
        pass
    raise BadSetting(PRIVATE_KEY, "a file with a P-256 or RSA private key (2048 bits), PEM")


def _imported(text: str, kind: str) -> ECKey | RSAKey | None:
    try:
        found = import_key(text, "EC" if kind == "EC" else "RSA")
    except (JoseError, ValueError, TypeError):
        return None
    private = found.private_key
    if isinstance(found, ECKey):
        return found if private is not None and found.curve_name == "P-256" else None
    good = isinstance(private, RSAPrivateKey) and private.key_size >= BITS_MIN
    return found if good else None
