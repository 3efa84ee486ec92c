"""Signing in and out, and the step up to the real name."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from civicmall import identity
from civicmall.identity import (
    Caller,
    CodeUsedUp,
    SignIn,
    Tokens,
    TooManyCodes,
    Verification,
    WrongCode,
)
from civicmall.kernel.crypto import SealBroken
from civicmall.kernel.errors import BadRequest, Problem
from civicmall.kernel.house import House

from . import asking, forms, rules
from .federation import elsewhere
from .reader import Reader, Web
from .refuse import router as pages_router

SENT: Final = "cm_code_sent"
"""Cookie that remembers, sealed, to which phone a code went; a phone in a URL stays in histories."""
SEALED_AS: Final = "citizen_web.code_sent"
Next = Annotated[str, QueryParameter(required=False)]
Again = Annotated[bool, QueryParameter(required=False)]


class Sent(Struct, frozen=True):
    """That a code is under way."""

    phone: str
    at: datetime
    expires_in_s: int
    resend_after_s: int

    @property
    def masked(self) -> str:
        """Enough for its owner."""
        return f"{self.phone[:3]} **** {self.phone[-4:]}"

    def wait_s(self, now: datetime) -> int:
        """Seconds until another code may be asked for."""
        return max(0, self.resend_after_s - int((now - self.at).total_seconds()))


def _remember(house: House, sent: Sent) -> Cookie:
    sealed = house.keys.seal(msgspec.json.encode(sent).decode(), SEALED_AS)
    value = base64.urlsafe_b64encode(sealed).decode()
    secure = house.settings.public_url.startswith("https:")
    return Cookie(
        SENT, value=value, path="/login", max_age=sent.expires_in_s, httponly=True,
        secure=secure, samesite="lax",
    )  # fmt: skip


def _sent(request: Web, house: House) -> Sent | None:
    """The code under way, if this browser asked for one and it still holds."""
    try:
        sealed = base64.b64decode(request.cookies.get(SENT, ""), altchars=b"-_", validate=True)
        sent = msgspec.json.decode(house.keys.open(sealed, SEALED_AS), type=Sent)
    except (ValueError, SealBroken, msgspec.MsgspecError):
        return None
    age = (house.clock.now() - sent.at).total_seconds()
    return sent if age < sent.expires_in_s else None


async def sign_in_form(
    reader: Reader,
    sent: Sent | None,
    next_path: str,
    *,
    error: str = "",
    status: int = 200,
    anew: bool = False,
) -> Response[bytes]:
    """The sign-in page: for the code where one is under way, else with all ways in; without an account
    elsewhere where somebody is to show `anew` that it is them.
    """
    return await reader.page(
        "login.html",
        status=status,
        sent=sent,
        wait_s=sent.wait_s(reader.house.clock.now()) if sent else 0,
        next=rules.local(next_path),
        error=error,
        passkey=asking.to_sign_in(reader),
        elsewhere="" if anew else elsewhere(reader),
    )


@get("/login")
async def login(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    next: Next = "",  # noqa: A002 (what the address calls it)
    other: Again = False,  # noqa: FBT002 (a query parameter has a name)
    again: Again = False,  # noqa: FBT002 (a query parameter has a name)
) -> Response[bytes]:
    """Who is signed in goes on, unless they are to show `again` that it is them, or are about to."""
    sent = _sent(request, house)
    if reader.caller is not None and not (again or other or sent):
        return reader.go(rules.local(next))
    return await sign_in_form(reader, None if other else sent, next, anew=again)


@post("/login/code")
async def send_code(
    request: Web, reader: NamedDependency[Reader], house: NamedDependency[House]
) -> Response[bytes]:
    try:
        asked = await forms.read(request, forms.Phone)
    except BadRequest:
        error = reader.t("Write a mobile number of eleven digits.")
        return await sign_in_form(reader, None, "", error=error, status=422)
    before = _sent(request, house)
    phone = asked.phone or (before.phone if before else "")
    if not phone:
        return reader.go(f"/login?next={_quoted(asked.next)}")
    try:
        origin = identity.limits.origin(request, house)
        sent = await identity.send_code(house, phone, reader.lang, origin)
    except (TooManyCodes, identity.TooManyTries) as refusal:
        return await sign_in_form(
            reader, None, asked.next, error=reader.t(refusal.title), status=refusal.status
        )
    now = house.clock.now().astimezone(UTC)
    reader.cookie(
        _remember(house, Sent(phone, now, sent.expires_in_s, sent.resend_after_s)),
        *identity.limits.cookies(house, origin),
    )
    return reader.go(f"/login?next={_quoted(asked.next)}")


@post("/login")
async def sign_in(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    sent = _sent(request, house)
    try:
        said = await forms.read(request, forms.Code)
    except BadRequest:
        error = reader.t("Write the six digits of the code.")
        return await sign_in_form(reader, sent, "", error=error, status=422)
    if sent is None:
        error = reader.t("Ask for a new code; the last one is over.")
        return await sign_in_form(reader, None, said.next, error=error, status=422)
    device = identity.device_name(request.headers.get("user-agent", ""))
    try:
        origin = identity.limits.origin(request, house)
        ask = SignIn(sent.phone, said.code, device)
        pair = await identity.sign_in(house, tokens, ask, origin)
    except identity.TooManyTries as refusal:
        error = reader.t(refusal.title)
        return await sign_in_form(reader, sent, said.next, error=error, status=refusal.status)
    except WrongCode as refusal:
        error = reader.t("That code is not right. Tries left: {n}", n=refusal.extra["tries_left"])
        return await sign_in_form(reader, sent, said.next, error=error, status=422)
    except CodeUsedUp:
        error = reader.t("Ask for a new code; the last one is over.")
        return await sign_in_form(reader, None, said.next, error=error, status=422)
    if reader.caller is not None:  # signed in again: the session before is nobody's any more
        await identity.sign_out(house, tokens, reader.caller.citizen_id, reader.caller.session_id)
    reader.cookie(
        *identity.cookies(house, "citizen", pair),
        *identity.limits.cookies(house, origin),
        Cookie(SENT, value="", path="/login", max_age=0),
    )
    return reader.go(rules.local(said.next), "signed_in")


@get("/logout")
async def leaving(
    reader: NamedDependency[Reader], myself: NamedDependency[Caller]
) -> Response[bytes]:
    del myself
    return await reader.page("logout.html")


@post("/logout")
async def sign_out(
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    await identity.sign_out(house, tokens, myself.citizen_id, myself.session_id)
    reader.cookie(*identity.cookies(house, "citizen", None))
    return reader.go("/", "signed_out")


@get("/verify")
async def verifying(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    next: Next = "",  # noqa: A002 (what the address calls it)
) -> Response[bytes]:
    profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
    if profile.level > caller.level and await renew(request, reader, house, tokens):
        return reader.go(rules.local(next))  # verified on another device
    return await reader.page(
        "verify.html", profile=profile, next=rules.local(next), error="", said_name=""
    )


@post("/verify")
async def verify(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    authority: NamedDependency[identity.levels.Authority],
) -> Response[bytes]:
    said = await forms.read(request, forms.RealName)
    number = "".join(said.id_number.split()).upper()
    try:
        ask = msgspec.convert({"name": said.name.strip(), "id_number": number}, Verification)
        await identity.verify(house, caller.citizen_id, ask, authority.register)
    except (msgspec.ValidationError, Problem) as refusal:
        known = isinstance(refusal, Problem)
        error = (
            refusal.title if known else "Write your name, and the 18 characters of your ID number."
        )
        profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
        return await reader.page(
            "verify.html", status=refusal.status if known else 422, profile=profile,
            next=rules.local(said.next), error=reader.t(error), said_name=said.name,
        )  # fmt: skip
    await renew(request, reader, house, tokens)
    return reader.go(rules.local(said.next), "verified")


async def renew(request: Web, reader: Reader, house: House, tokens: Tokens) -> bool:
    """New cookies with what is known of the citizen now; False where the session can't be renewed."""
    kept = identity.cookies(house, "citizen", None)[1]
    try:
        pair = await identity.refresh(house, tokens, request.cookies.get(kept.key, ""))
    except Problem:
        return False
    reader.cookie(*identity.cookies(house, "citizen", pair))
    return True


def _quoted(path: str) -> str:
    return quote(rules.local(path), safe="")


router = pages_router(login, send_code, sign_in, leaving, sign_out, verifying, verify)
