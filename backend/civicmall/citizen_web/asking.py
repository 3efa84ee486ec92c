"""What a page needs for the browser's own dialog of passkeys."""

from __future__ import annotations

import secrets
from typing import Final

import msgspec
from litestar.datastructures import Cookie
from msgspec import Struct

from civicmall import identity

from .reader import Reader

BROWSER: Final = "cm_browser"
"""Cookie that ties a passkey's challenge to the browser whose page asked; it names nobody."""
BROWSER_S: Final = 24 * 3600


class Asking(Struct, frozen=True):
    """For the script: the ceremony goes back with the answer, the options to the browser as they are."""

    ceremony: str
    options: str
    script: str


def to_sign_in(reader: Reader) -> Asking | None:
    """For the sign-in page; None where passkeys are not offered."""
    if not identity.passkeys.offered(reader.house):
        return None
    browser = reader.request.cookies.get(BROWSER, "")
    if not browser:
        browser = secrets.token_urlsafe(16)
        reader.cookie(
            Cookie(
                BROWSER, value=browser, path="/login", max_age=BROWSER_S, httponly=True,
                secure=reader.house.settings.public_url.startswith("https:"), samesite="lax",
            )
        )  # fmt: skip
    return of(identity.passkeys.options(reader.house, "citizen", browser))


def of(found: identity.passkeys.SignInAsked | identity.passkeys.AddAsked) -> Asking:
    """A ceremony as a page carries it."""
    options = msgspec.json.encode(found.public_key).decode()
    return Asking(found.ceremony, options, identity.passkeys.assets.url("passkeys.js"))
