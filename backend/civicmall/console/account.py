"""Pages of one's own account: the second step of signing in, the factor's set-up, the password."""

from __future__ import annotations

import io
from collections.abc import Collection
from typing import Any, Final

import msgspec
import segno
from litestar import get, post
from litestar.di import NamedDependency
from markupsafe import Markup

from civicmall import identity
from civicmall.identity import Staff, StaffSignIn, Tokens
from civicmall.kernel import web
from civicmall.kernel.house import House

from . import rules, words
from .desk import Desk, go, page, pending
from .forms import Web
from .refuse import Html

HOME: Final = "/console/account"
CODE: Final = 6
"""Digits of an authenticator's code; anything longer is a recovery code."""


@get("/login")
async def login(request: Web) -> Html:
    next_path = rules.local(request.query_params.get("next", ""))
    return page(request, "login.html", next=next_path, username="", wrong=False)


@post("/login")
async def password_step(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Html:
    form = dict(await web.fields(request))
    next_path = rules.local(form.get("next", ""))
    username = form.get("username", "")
    said = {"username": username.strip(), "password": form.get("password", "")}
    try:
        ask = msgspec.convert(said, StaffSignIn)
        origin = identity.limits.origin(request, house)
        pair = await identity.staff_sign_in(house, tokens, ask, origin=origin)
    except identity.SecondFactorNeeded as needed:
        return _second(request, needed.extra["ticket"], next_path, needed.extra["factors"])
    except (msgspec.ValidationError, identity.WrongPassword):
        wrong = identity.WrongPassword.status
        return page(
            request, "login.html", status=wrong, next=next_path, username=username[:80], wrong=True
        )
    pending(request).extend(identity.cookies(house, "staff", pair))
    return go(request, next_path)


def _second(
    request: Web,
    ticket: str,
    next_path: str,
    factors: Collection[str] = ("totp", "recovery"),
    *,
    wrong: bool = False,
) -> Html:
    """The page of the second step; who has a passkey alone has no code to type."""
    status = identity.WrongFactor.status if wrong else 200
    return page(
        request, "factor.html", status=status, ticket=ticket, next=next_path, wrong=wrong, factors=factors
    )  # fmt: skip


@post("/login/code")
async def code_step(
    request: Web, house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> Html:
    form = dict(await web.fields(request))
    next_path = rules.local(form.get("next", ""))
    ticket, code = form.get("ticket", ""), "".join(form.get("code", "").split())
    said = {"ticket": ticket, "code": code}
    try:
        if len(code) == CODE:
            pair = await identity.work.sign_in.with_totp(
                house, tokens, msgspec.convert(said, identity.work.FactorCode)
            )
        else:
            pair = await identity.work.sign_in.with_recovery(
                house, tokens, msgspec.convert(said, identity.work.RecoveryCode)
            )
    except (msgspec.ValidationError, identity.WrongFactor):
        return _second(request, ticket[:100], next_path, wrong=True)
    except identity.TicketOver:
        return go(request, rules.link(rules.LOGIN, next=next_path))
    pending(request).extend(identity.cookies(house, "staff", pair))
    return go(request, next_path)


@get("/login/code")
async def code_left(request: Web) -> Html:
    """Whoever opens the form's address begins again."""
    return go(request, rules.LOGIN)


@post("/logout")
async def sign_out(
    request: Web,
    anybody: NamedDependency[Desk],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Html:
    await identity.sign_out(house, tokens, anybody.staff.staff_id, anybody.staff.session_id)
    pending(request).extend(identity.cookies(house, "staff", None))
    return go(request, rules.LOGIN)


@get("/account")
async def account(request: Web, anybody: NamedDependency[Desk]) -> Html:
    return await _account(anybody, done=words.ACCOUNT.get(request.query_params.get("done", "")))


async def _account(
    desk: Desk, *, status: int = 200, done: str | None = None, failed: str | None = None
) -> Html:
    found = await identity.work.totp.factors(desk.house, desk.staff)
    return desk.page("account.html", status=status, factors=found, done=done, failed=failed)


@post("/account/totp")
async def begin(request: Web, anybody: NamedDependency[Desk]) -> Html:
    code = dict(await web.fields(request)).get("code", "").strip()
    try:
        shown = await identity.work.totp.begin(anybody.house, anybody.staff, code or None)
    except (identity.WrongFactor, identity.HasFactor) as problem:
        return await _account(anybody, status=problem.status, failed=problem.title)
    return _enrol(anybody, shown)


def _enrol(desk: Desk, shown: identity.work.Enrolment, *, wrong: bool = False) -> Html:
    status = identity.WrongFactor.status if wrong else 200
    return desk.page("enrol.html", status=status, shown=shown, qr=_qr(shown.uri), wrong=wrong)


def _qr(uri: str) -> Markup:
    """An SVG for the page itself, black on white in every colour scheme."""
    drawn = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False, svgns=False,
        nl=False,
    )  # fmt: skip
    return Markup(drawn.getvalue().decode())  # noqa: S704 (segno's own digits and hyphens)


@post("/account/totp/confirm")
async def confirm(
    request: Web,
    anybody: NamedDependency[Desk],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Html:
    code = dict(await web.fields(request)).get("code", "").strip()
    try:
        done = await identity.work.totp.confirm(house, tokens, anybody.staff, code)
    except identity.WrongFactor:
        return _enrol(anybody, await identity.work.totp.again(house, anybody.staff), wrong=True)
    pending(request).extend(identity.cookies(house, "staff", done.tokens))
    fresh = tokens.check(done.tokens.access_token)
    assert isinstance(fresh, Staff)
    whole = Desk(request, house, anybody.registry, fresh)
    return whole.page("codes.html", codes=done.recovery_codes)


@post("/account/codes")
async def fresh_codes(request: Web, desk: NamedDependency[Desk]) -> Html:
    code = dict(await web.fields(request)).get("code", "").strip()
    try:
        codes = await identity.work.totp.new_codes(desk.house, desk.staff, code)
    except identity.WrongFactor as problem:
        return await _account(desk, status=problem.status, failed=problem.title)
    return desk.page("codes.html", codes=codes)


@post("/account/password")
async def change_password(
    request: Web, desk: NamedDependency[Desk], tokens: NamedDependency[Tokens]
) -> Html:
    form = dict(await web.fields(request))
    said: dict[str, Any] = {"current": form.get("current", ""), "new": form.get("new", "")}
    try:
        if said["new"] != form.get("again", ""):
            return await _account(desk, status=422, failed="The two new passwords differ.")
        ask = msgspec.convert(said, identity.work.NewPassword)
        await identity.work.accounts.change_password(desk.house, tokens, desk.staff, ask)
    except msgspec.ValidationError:
        return await _account(desk, status=422, failed=words.UNFIT["short"])
    except identity.PasswordUnfit as problem:
        failed = words.UNFIT[problem.extra["reason"]]
        return await _account(desk, status=problem.status, failed=failed)
    except identity.WrongPassword as problem:
        return await _account(
            desk, status=problem.status, failed="The present password is not right."
        )
    return go(request, rules.link(HOME, done="password"))


@get(["/account/totp", "/account/totp/confirm", "/account/codes", "/account/password"])
async def account_left(request: Web) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    return go(request, HOME)


handlers = [
    login, password_step, code_step, code_left, sign_out, account, begin, confirm, fresh_codes,
    change_password, account_left,
]  # fmt: skip
