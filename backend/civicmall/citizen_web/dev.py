"""For developers, in a sandbox only: what was sent to phones, and people to try things with."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency

from civicmall import identity
from civicmall.identity import SignIn, Tokens
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from civicmall.shops import Registry

from . import forms
from .cashier import sandbox_only
from .reader import Reader, Web
from .refuse import router as pages_router


@get("/dev/inbox")
async def sent(reader: NamedDependency[Reader], house: NamedDependency[House]) -> Response[bytes]:
    sandbox_only(house)
    return await reader.page("dev_inbox.html", messages=await identity.sandbox_messages(house))


@get("/dev/people")
async def people(
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    sandbox_only(house)
    departments = [(shop.id, shop.department) for shop in registry.views(reader.lang)]
    return await reader.page(
        "dev_people.html",
        people=identity.sandbox.people(house),
        password=identity.sandbox.PASSWORD,
        staff=identity.sandbox.staff(departments),
    )


@post("/dev/people/sign-in")
async def sign_in(
    request: Web,
    reader: NamedDependency[Reader],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    """One tap instead of phone and code. Raises NotFound, TooManyCodes."""
    sandbox_only(house)
    said = await forms.read(request, forms.Persona)
    found = next((p for p in identity.sandbox.people(house) if p.persona == said.persona), None)
    if found is None:
        raise NotFound
    await identity.send_code(house, found.phone, reader.lang)
    device = identity.device_name(request.headers.get("user-agent", ""))
    pair = await identity.sign_in(house, tokens, SignIn(found.phone, found.code, device))
    reader.cookie(*identity.cookies(house, "citizen", pair))
    return reader.go("/", "signed_in")


router = pages_router(sent, people, sign_in)
