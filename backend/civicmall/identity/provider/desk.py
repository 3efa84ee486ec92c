"""Doors of the operators: which clients there are, and who approved them."""

from __future__ import annotations

from typing import Annotated

from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from litestar.status_codes import HTTP_200_OK

from civicmall.identity.errors import NotAllowed, SecondOperatorNeeded
from civicmall.identity.guards import operator_only
from civicmall.identity.models import Staff
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import BadRequest
from civicmall.kernel.house import House
from civicmall.kernel.http import Page, problems

from . import registering
from .errors import ClientDraftMoved, NoSuchClient, UnfitClient
from .models import Approval, Client, ClientSecret, Drafted, Registration

Id = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9-]{2,39}$")]


@get("/clients", responses=problems(NotAllowed), summary="Clients in force, and drafts that wait")
async def listed(db: NamedDependency[Pool]) -> Page[Client]:
    return Page(await registering.listed(db), None)


@put(
    "/clients/{client_id:str}/draft",
    responses=problems(NotAllowed, UnfitClient),
    summary="Draft a client, or a change of one, for a second operator to approve",
)
async def draft(
    client_id: Id,
    data: JSONBody[Registration],
    house: NamedDependency[House],
    staff: NamedDependency[Staff],
) -> Drafted:
    if data.client_id != client_id:
        raise BadRequest("client_id is another in the address", field="client_id")
    return Drafted(client_id, await registering.draft(house, staff.staff_id, data))


@post(
    "/clients/{client_id:str}/approval",
    status_code=HTTP_200_OK,
    responses=problems(NotAllowed, SecondOperatorNeeded, ClientDraftMoved),
    summary="Put a draft of another operator's in force",
)
async def approve(
    client_id: Id,
    data: JSONBody[Approval],
    house: NamedDependency[House],
    staff: NamedDependency[Staff],
) -> Drafted:
    await registering.approve(house, staff.staff_id, client_id, data.version)
    return Drafted(client_id, data.version)


@post(
    "/clients/{client_id:str}/secrets",
    status_code=HTTP_200_OK,
    responses=problems(NotAllowed, NoSuchClient),
    summary="A new secret, shown this once",
)
async def secret(
    client_id: Id, house: NamedDependency[House], staff: NamedDependency[Staff]
) -> ClientSecret:
    return await registering.new_secret(house, staff.staff_id, client_id)


@delete(
    "/clients/{client_id:str}",
    responses=problems(NotAllowed, NoSuchClient),
    summary="End a client at once",
)
async def retire(
    client_id: Id, house: NamedDependency[House], staff: NamedDependency[Staff]
) -> None:
    await registering.retire(house, staff.staff_id, client_id)


router = Router(
    "/v1/desk",
    route_handlers=[listed, draft, approve, secret, retire],
    guards=[operator_only],
    tags=["desk"],
)
