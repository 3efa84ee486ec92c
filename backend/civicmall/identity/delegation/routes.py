"""Doors of acting for others; each is for the citizen themselves."""

from __future__ import annotations

from uuid import UUID

from litestar import Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from civicmall.identity.acting import SELF
from civicmall.identity.errors import ActingNotAllowed, SignInAgain
from civicmall.identity.guards import citizen_only
from civicmall.identity.models import Caller
from civicmall.identity.tokens import Tokens
from civicmall.kernel.errors import KeyMissing, KeyReused, KeyRunning
from civicmall.kernel.house import House
from civicmall.kernel.http import IdempotencyKey, Page, problems
from civicmall.shops import Registry

from . import proving, service, views
from .errors import (
    ActorUnproven,
    BadDelegation,
    DelegationEnded,
    DelegationWaits,
    NoSuchDelegation,
    NotEndable,
    OfAge,
    RelationUnproven,
    TooManyDelegations,
)
from .models import ActingToken, ChildAsk, Delegation, Delegations, EnterpriseAsk, Invitation


@get(
    "/",
    opt=SELF,
    responses=problems(ActingNotAllowed),
    summary="For whom I act, and who acts for me",
)
async def delegations(
    caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Delegations:
    return await service.mine(house, caller)


@post(
    "/children",
    status_code=HTTP_200_OK,
    opt=SELF,
    responses=problems(ActingNotAllowed, ActorUnproven, OfAge, RelationUnproven),
    summary="Act for my child, as the register of births proves",
)
async def child(
    data: JSONBody[ChildAsk], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Delegation:
    return await proving.child(house, caller, data)


@post(
    "/enterprises",
    status_code=HTTP_200_OK,
    opt=SELF,
    responses=problems(ActingNotAllowed, ActorUnproven, RelationUnproven),
    summary="Act for the enterprise whose legal representative I am",
)
async def enterprise(
    data: JSONBody[EnterpriseAsk], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Delegation:
    return await proving.enterprise(house, caller, data)


@post(
    "/invitations",
    opt=SELF,
    responses=problems(
        KeyMissing, KeyReused, KeyRunning, ActingNotAllowed, ActorUnproven, BadDelegation,
        TooManyDelegations, NoSuchDelegation, DelegationEnded, SignInAgain,
    ),
    summary="Ask somebody to act for me, or to let me act for them",
)  # fmt: skip
async def invite(
    data: JSONBody[Invitation],
    idempotency_key: IdempotencyKey,
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    lang: NamedDependency[str],
) -> Delegation:
    shops = frozenset(entry.id for entry in registry.all())
    return await service.invite(house, caller, idempotency_key, data, shops, lang)


@get(
    "/{delegation:uuid}/agents",
    opt=SELF,
    responses=problems(ActingNotAllowed, NoSuchDelegation, DelegationEnded),
    summary="Who acts for the enterprise that I represent",
)
async def agents(
    delegation: FromPath[UUID], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Page[Delegation]:
    return Page(await service.agents(house, caller, delegation), None)


@post(
    "/{delegation:uuid}/acceptance",
    status_code=HTTP_200_OK,
    opt=SELF,
    responses=problems(
        ActingNotAllowed, ActorUnproven, NoSuchDelegation, DelegationEnded, DelegationWaits, SignInAgain,
    ),
    summary="Accept an invitation",
)  # fmt: skip
async def accept(
    delegation: FromPath[UUID], caller: NamedDependency[Caller], house: NamedDependency[House]
) -> Delegation:
    return await service.accept(house, caller, delegation)


@post(
    "/{delegation:uuid}/token",
    status_code=HTTP_200_OK,
    opt=SELF,
    responses=problems(ActingNotAllowed, ActorUnproven, NoSuchDelegation, DelegationEnded, DelegationWaits),
    summary="An access token to act with",
)  # fmt: skip
async def token(
    delegation: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> ActingToken:
    row, who = await service.acting(house, caller, delegation)
    await service.begun(house, row, caller.citizen_id)
    return ActingToken(
        tokens.access(who), service.lives_s(house, who), views.delegation(house, row, "agent")
    )


@delete(
    "/{delegation:uuid}",
    opt=SELF,
    responses=problems(ActingNotAllowed, NoSuchDelegation, NotEndable),
    summary="End a delegation, or decline an invitation",
)
async def end(
    delegation: FromPath[UUID],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> None:
    await service.end(house, tokens, caller, delegation)


routers = [
    Router(
        "/v1/me/delegations",
        route_handlers=[delegations, child, enterprise, invite, agents, accept, token, end],
        guards=[citizen_only],
        tags=["me"],
    )
]
