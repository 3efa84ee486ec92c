"""Doors of staff's sign-in, their factors and accounts."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Router, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from civicmall.identity import limits
from civicmall.identity.errors import (
    EnrolmentOver,
    HasFactor,
    NoSuchStaff,
    NotAllowed,
    PasswordUnfit,
    RequestOver,
    ResetWaits,
    SecondFactorMissing,
    SecondFactorNeeded,
    SecondOperatorNeeded,
    SignInAgain,
    TicketOver,
    TooManyTries,
    WrongFactor,
    WrongPassword,
)
from civicmall.identity.guards import enrolling_too, operator_only, overseer_only, staff_only
from civicmall.identity.models import Staff, StaffSignIn, TokenPair
from civicmall.identity.tokens import Tokens
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.kernel.http import After, Limit, Page, decode_cursor, page, problems, public

from . import accounts, resets, sign_in, totp
from .models import (
    Confirm,
    Enrol,
    Enrolled,
    Enrolment,
    FactorCode,
    FactorReset,
    Factors,
    NewPassword,
    RecoveryCode,
    RecoveryCodes,
    ResetAsk,
    StaffAccount,
)

Username = Annotated[str, PathParameter(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


@post(
    "/tokens",
    status_code=HTTP_200_OK,
    responses=problems(WrongPassword, SecondFactorNeeded, TooManyTries),
    summary="Sign in as staff",
)
async def staff_sign_in(
    request: Request[Any, Any, Any],
    data: JSONBody[StaffSignIn],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> TokenPair:
    origin = limits.origin(request, house)
    return await sign_in.staff_sign_in(house, tokens, data, origin=origin)


@post(
    "/tokens/totp",
    status_code=HTTP_200_OK,
    responses=problems(TicketOver, WrongFactor),
    summary="Finish the sign-in with a code of the authenticator",
)
async def finish_with_totp(
    data: JSONBody[FactorCode], house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> TokenPair:
    return await sign_in.with_totp(house, tokens, data)


@post(
    "/tokens/recovery",
    status_code=HTTP_200_OK,
    responses=problems(TicketOver, WrongFactor),
    summary="Finish the sign-in with a recovery code",
)
async def finish_with_recovery(
    data: JSONBody[RecoveryCode], house: NamedDependency[House], tokens: NamedDependency[Tokens]
) -> TokenPair:
    return await sign_in.with_recovery(house, tokens, data)


@get("/me", responses=problems(), summary="Who I am at work")
async def staff_me(staff: NamedDependency[Staff]) -> Staff:
    return staff


@get("/factors", responses=problems(), summary="My second factors")
async def my_factors(staff: NamedDependency[Staff], house: NamedDependency[House]) -> Factors:
    return await totp.factors(house, staff)


@post(
    "/factors/totp",
    status_code=HTTP_200_OK,
    responses=problems(HasFactor, WrongFactor, SignInAgain),
    summary="Begin to set an authenticator up",
)
async def begin_totp(
    data: JSONBody[Enrol], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> Enrolment:
    return await totp.begin(house, staff, data.code)


@post(
    "/factors/totp/confirmation",
    status_code=HTTP_200_OK,
    responses=problems(EnrolmentOver, HasFactor, WrongFactor),
    summary="Finish the set-up with the authenticator's first code",
)
async def confirm_totp(
    data: JSONBody[Confirm],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Enrolled:
    return await totp.confirm(house, tokens, staff, data.code)


@post(
    "/factors/recovery-codes",
    status_code=HTTP_200_OK,
    responses=problems(WrongFactor, SecondFactorMissing),
    summary="Ten new recovery codes; the old ones are over",
)
async def new_recovery_codes(
    data: JSONBody[Confirm], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> RecoveryCodes:
    return RecoveryCodes(await totp.new_codes(house, staff, data.code))


@put(
    "/password",
    status_code=HTTP_204_NO_CONTENT,
    responses=problems(WrongPassword, PasswordUnfit, SecondFactorMissing),
    summary="Change my password",
)
async def change_password(
    data: JSONBody[NewPassword],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await accounts.change_password(house, tokens, staff, data)


@get("/staff", responses=problems(), summary="Staff accounts, by name")
async def staff_accounts(
    db: NamedDependency[Pool], limit: Limit = 50, after: After = None
) -> Page[StaffAccount]:
    key: Any = decode_cursor(after, str)
    rows = await accounts.some(db, key[0] if key else None, limit)
    return page(rows, limit, lambda one: (one.username,))


@post(
    "/staff/{username:str}/disable",
    status_code=HTTP_204_NO_CONTENT,
    responses=problems(NoSuchStaff, SecondOperatorNeeded),
    summary="Close a staff account; its sessions end",
)
async def disable_staff(
    username: Username,
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await accounts.disable(house, tokens, username, staff)


@post(
    "/staff/{username:str}/factor-reset",
    status_code=HTTP_202_ACCEPTED,
    responses=problems(NoSuchStaff, ResetWaits),
    summary="Ask that a colleague's second factor be taken off",
)
async def ask_reset(
    username: Username,
    data: JSONBody[ResetAsk],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
) -> FactorReset:
    return await resets.ask(house, staff, username, data.reason)


@get("/factor-resets", responses=problems(), summary="Resets that wait for another operator")
async def factor_resets(
    staff: NamedDependency[Staff], house: NamedDependency[House]
) -> Page[FactorReset]:
    return Page(await resets.waiting(house, staff), None)


@post(
    "/factor-resets/{reset:uuid}/approve",
    status_code=HTTP_204_NO_CONTENT,
    responses=problems(NotFound, SecondOperatorNeeded, RequestOver),
    summary="Take the second factor off, as another operator asked",
)
async def approve_reset(
    reset: FromPath[UUID],
    staff: NamedDependency[Staff],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await resets.approve(house, tokens, staff, reset)


@post(
    "/factor-resets/{reset:uuid}/decline",
    status_code=HTTP_204_NO_CONTENT,
    responses=problems(NotFound, NotAllowed, RequestOver),
    summary="Leave a second factor as it is",
)
async def decline_reset(
    reset: FromPath[UUID], staff: NamedDependency[Staff], house: NamedDependency[House]
) -> None:
    await resets.decline(house, staff, reset)


routers = [
    Router(
        "/v1/staff",
        route_handlers=[staff_sign_in, finish_with_totp, finish_with_recovery],
        guards=[public],
        tags=["sign-in"],
    ),
    Router(
        "/v1/staff",
        route_handlers=[staff_me, my_factors, begin_totp, confirm_totp],
        guards=[enrolling_too],
        tags=["staff"],
    ),
    Router(
        "/v1/staff",
        route_handlers=[new_recovery_codes, change_password],
        guards=[staff_only],
        tags=["staff"],
    ),
    Router("/v1/desk", route_handlers=[staff_accounts], guards=[overseer_only], tags=["desk"]),
    Router(
        "/v1/desk",
        route_handlers=[disable_staff, ask_reset, factor_resets, approve_reset, decline_reset],
        guards=[operator_only],
        tags=["desk"],
    ),
]
