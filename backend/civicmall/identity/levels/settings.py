"""How a city's authority is reached, as environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key
from msgspec import Meta, Struct, field

from civicmall.identity.outward import check_address
from civicmall.kernel.config import BadSetting, declared

URL: Final = "CIVICMALL_AUTHORITY_URL"
PUBLIC_KEY: Final = "CIVICMALL_AUTHORITY_PUBLIC_KEY"
BITS_MIN: Final = 2048


class AuthoritySettings(Struct, frozen=True):
    """Where it is, and what its answers are checked by."""

    url: Annotated[
        str, Meta(max_length=500, description="an address of at most 500 characters")
    ] = field(name="CIVICMALL_AUTHORITY_URL")
    public_key: Annotated[str, Meta(max_length=8_000, description="a file with a public key")] = (
        field(name="CIVICMALL_AUTHORITY_PUBLIC_KEY")
    )


def set_up(env: Mapping[str, str]) -> tuple[str, ECKey | RSAKey] | None:
    """Address and key, where the settings are there. Raises BadSetting."""
    found = declared(AuthoritySettings, env)
    if found is None:
        return None
    check_address(URL, found.url)
    return found.url.rstrip("/"), _key(found.public_key)


def _key(said: str) -> ECKey | RSAKey:
    """A P-256 or an RSA key. Raises BadSetting."""
    try:
        text = said if said.startswith("-----BEGIN ") else Path(said).read_text("ascii")
    except (OSError, ValueError):
        text = ""
    for kind in ("EC", "RSA"):
        try:
            found = import_key(text, "EC" if kind == "EC" else "RSA")
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(found, ECKey) and found.curve_name == "P-256":
            return found
        if isinstance(found, RSAKey) and found.public_key.key_size >= BITS_MIN:
            return found
    raise BadSetting(PUBLIC_KEY, "a file with a P-256 or RSA public key (2048 bits), PEM")
