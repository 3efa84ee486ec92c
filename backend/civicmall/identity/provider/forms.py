"""What clients send: form or query parameters, each at most once and of bounded length.

RFC 6749 section 3.1 and 3.2: parameters must not be included more than once, those without a value
are as if omitted, unknown ones are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request

from .errors import OAuthError

Form = dict[str, str]
BODY_MAX: Final = 64 * 1024
FIELDS_MAX: Final = 60
NAME_MAX: Final = 100
VALUE_MAX: Final = 1_000
"""Characters of a value; scopes, states and secrets are much shorter."""
LONG: Final[dict[str, int]] = {
    "redirect_uri": 2_000, "claims": 4_000, "client_assertion": 8_000, "token": 8_000,
    "subject_token": 8_000, "actor_token": 8_000, "id_token_hint": 8_000, "request": 16_000,
}  # fmt: skip
FORM_TYPE: Final = "application/x-www-form-urlencoded"


async def read(request: Request[Any, Any, Any]) -> Form:
    """The form of a request. Raises OAuthError (invalid_request)."""
    return strict(await body(request))


async def body(request: Request[Any, Any, Any]) -> bytes:
    """A form as it came. Raises OAuthError (invalid_request)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise OAuthError("invalid_request", f"send {FORM_TYPE}")
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > BODY_MAX:
        raise OAuthError("invalid_request", "the request is too large", 413)
    found = await request.body()
    if len(found) > BODY_MAX:
        raise OAuthError("invalid_request", "the request is too large", 413)
    return found


def strict(encoded: bytes) -> Form:
    """Form-encoded parameters. Raises OAuthError (invalid_request)."""
    return once(pairs(encoded))


def pairs(encoded: bytes) -> list[tuple[str, str]]:
    """The same as they come, also those that come twice. Raises OAuthError (invalid_request)."""
    try:
        return parse_qsl(
            encoded.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS_MAX,
            errors="strict",
        )  # fmt: skip
    except ValueError as error:  # not ASCII, not UTF-8 behind the escapes, or too many
        raise OAuthError("invalid_request", "the parameters can't be read") from error


def once(sent: Iterable[tuple[str, str]]) -> Form:
    """Parameters by name. Raises OAuthError (invalid_request)."""
    found: Form = {}
    seen: set[str] = set()
    for name, value in sent:
        if len(name) > NAME_MAX:
            raise OAuthError("invalid_request", "the name of a parameter is too long")
        if name in seen:
            raise OAuthError("invalid_request", f"{name} was sent more than once")
        seen.add(name)
        if len(value) > LONG.get(name, VALUE_MAX):
            raise OAuthError("invalid_request", f"{name} is too long")
        if "\x00" in value:
            raise OAuthError("invalid_request", f"{name} holds a character that can't be kept")
        if value:
            found[name] = value
    return found


def need(form: Form, name: str) -> str:
    """A parameter that must be there. Raises OAuthError (invalid_request)."""
    if name not in form:
        raise OAuthError("invalid_request", f"{name} is missing")
    return form[name]
