"""The step to level 3: one's face on the authority's page, or a code for a counter.

The sandbox's authority has a page here, too; it looks like somebody else's.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote, urlsplit
from uuid import UUID

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from . import forms, rules
from .account import Next, renew
from .reader import Reader, Web
from .refuse import router as pages_router

NEXT: Final = "cm_face_next"
"""Cookie with where to go on after the authority's page: a path of ours, checked again when read."""
Token = Annotated[str, QueryParameter(max_length=64, required=False)]
Authority = identity.levels.Authority
AGAIN: Final = (
    identity.levels.FaceCheckFailed,
    identity.levels.FaceOfAnother,
    identity.levels.FaceCheckOver,
)
"""Of these one begins again: the page shows both ways anew."""


@get("/verify/face")
async def offered(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    next: Next = "",  # noqa: A002 (what the address calls it)
) -> Response[bytes]:
    path = rules.local(next)
    profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
    if profile.level > caller.level and await renew(request, reader, house, tokens):
        return reader.go(f"/verify/face?next={quote(path, safe='')}")
    if profile.level < 2:  # noqa: PLR2004 (the register comes first)
        here = f"/verify/face?next={quote(path, safe='')}"
        return reader.go(f"/verify?next={quote(here, safe='')}")
    return await reader.page("face.html", profile=profile, next=path, code=None, error="")


@post("/verify/face")
async def begin(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    authority: NamedDependency[Authority],
) -> Response[bytes]:
    """Raises what levels.face.begin does."""
    said = await forms.read(request, forms.Onward)
    check = await identity.levels.face.begin(house, authority.faces, caller.citizen_id)
    secure = house.settings.public_url.startswith("https:")
    reader.cookie(Cookie(
        NEXT, value=quote(rules.local(said.next), safe=""), path="/verify/face", max_age=3600,
        httponly=True, secure=secure, samesite="lax",
    ))  # fmt: skip
    path = rules.after(check.url, house.settings.public_url)
    if path.startswith("/"):
        return reader.go(path)
    return await reader.page(
        "away.html", url=path, host=urlsplit(path).hostname, name=urlsplit(path).hostname,
        back="/verify/face",
    )  # fmt: skip


@get("/verify/face/{check:uuid}")
async def back(
    check: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
    authority: NamedDependency[Authority],
) -> Response[bytes]:
    """Back from the authority's page: what came of it, we ask there. Whatever the address says
    beside the check's number is never looked at. Raises what levels.face.finish does.
    """
    path = rules.local(forms.unquoted(request.cookies.get(NEXT, "")))
    try:
        await identity.levels.face.finish(house, authority.faces, caller.citizen_id, check)
    except identity.levels.FaceCheckWaiting as waiting:
        return await reader.page("face_wait.html", status=waiting.status, check=check)
    except AGAIN as refusal:
        profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
        return await reader.page(
            "face.html", status=refusal.status, profile=profile, next=path, code=None,
            error=reader.t(refusal.title),
        )  # fmt: skip
    reader.cookie(Cookie(NEXT, value="", path="/verify/face", max_age=0))
    await renew(request, reader, house, tokens)
    return reader.go(path, "seen")


@post("/verify/counter")
async def counter(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    """The code to show. Raises RealNameFirst, TooManyVerifications."""
    said = await forms.read(request, forms.Onward)
    shown = await identity.levels.counter.show_code(house, caller.citizen_id)
    profile = identity.profile(house, await identity.row(house.db, caller.citizen_id))
    return await reader.page(
        "face.html", profile=profile, next=rules.local(said.next), code=shown.code, error=""
    )


def _sandbox(authority: Authority) -> identity.levels.SandboxAuthority:
    """A real authority has pages of its own. Raises NotFound."""
    if not isinstance(authority.faces, identity.levels.SandboxAuthority):
        raise NotFound
    return authority.faces


@get("/sandbox/face/{check:uuid}")
async def camera(
    check: FromPath[UUID],
    reader: NamedDependency[Reader],
    authority: NamedDependency[Authority],
    token: Token = "",
) -> Response[bytes]:
    _sandbox(authority).at(check, token)
    return await reader.page("sandbox_face.html", check=check, token=token)


@post("/sandbox/face/{check:uuid}")
async def looked(
    check: FromPath[UUID],
    request: Web,
    reader: NamedDependency[Reader],
    authority: NamedDependency[Authority],
) -> Response[bytes]:
    said = await forms.read(request, forms.BeforeCamera)
    if said.choice != "away":
        await _sandbox(authority).choose(check, said.token, said.choice)
    return reader.go(f"/verify/face/{check}")


router = pages_router(offered, begin, back, counter, camera, looked)
