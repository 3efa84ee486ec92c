"""What others may know of a citizen, and who looked: seen, taken back, filtered, taken along."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Struct

from civicmall import identity
from civicmall.catalogue import Catalogue
from civicmall.identity import Caller, Tokens
from civicmall.kernel.house import House
from civicmall.kernel.http import After, decode_cursor, encode_cursor
from civicmall.kernel.i18n import pick, translate
from civicmall.shops import Registry

from . import forms, happened, rules, views, words
from .reader import Reader, Web
from .refuse import router as pages_router

SHOWN: Final = 30
PAST_SHOWN: Final = 30
OBJECTIONS_SHOWN: Final = 30
PIECE: Final = 500
"""Lines of a download at a time."""
CLIENT: Final = "client:"
STAFF: Final = "staff:"
HEADER: Final = (
    "seq", "at", "kind", "reader", "claims", "purpose", "reason", "by", "again", "prev", "hash",
)  # fmt: skip
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula (OWASP: CSV injection)."""
Of = Annotated[str, QueryParameter(required=False, max_length=200, pattern=r"^[^\x00]*$")]
Day = Annotated[str, QueryParameter(required=False, max_length=10, pattern=r"^(\d{4}-\d\d-\d\d)?$")]


class Who(Struct, frozen=True):
    """An app, a client or a member of staff, in the reader's language."""

    name: str
    of: str
    """Whose it is: a shop, or a department."""


async def callers(
    house: House,
    registry: Registry,
    lang: str,
    named: Iterable[str],
    looks: Iterable[identity.AccessRow] = (),
) -> dict[str, Who]:
    """Each grantee or reader as people call it; what has left keeps its own word."""
    apps = views.app_names(registry, lang)
    staff = {look.reader: look.staff for look in looks}
    found: dict[str, Who] = {}
    for one in {*named, *staff}:
        if one in apps:
            found[one] = Who(apps[one].name, apps[one].shop_name)
        elif one.startswith(CLIENT):
            client = await identity.provider.clients.find(house.db, one.removeprefix(CLIENT))
            name = pick(client.name, lang) if client else one.removeprefix(CLIENT)
            found[one] = Who(name, client.owner if client else "")
        elif one.startswith(STAFF):
            found[one] = _staff(registry, lang, staff.get(one))
        else:
            shop, _, app = one.partition("/")
            found[one] = Who(app or pick(registry.name(shop), lang), shop if app else "")
    return found


def _staff(registry: Registry, lang: str, mark: identity.audit.StaffReader | None) -> Who:
    """A member of staff by role and department; never by name."""
    if mark is None:
        return Who(translate(lang, words.STAFF_ROLES[""]), "")
    of = (
        pick(registry.name(mark.shop), lang)
        if mark.shop
        else translate(lang, words.OF_NOBODY["staff"])
    )
    return Who(translate(lang, words.STAFF_ROLES.get(mark.role, words.STAFF_ROLES[""])), of)


@get("/me/consents", opt=identity.acting.VIEW)
async def consents(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
) -> Response[bytes]:
    given = await identity.consents(house.db, caller.citizen_id)
    past = await identity.agreements.past(house.db, caller.citizen_id, None, PAST_SHOWN)
    named = [one.grantee for one in (*given, *past)]
    return await reader.page(
        "consents.html",
        given=given,
        past=past[:PAST_SHOWN],
        callers=await callers(house, registry, reader.lang, named),
    )


@post("/me/consents/revoke", opt=identity.acting.APPLY)
async def revoke(
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    tokens: NamedDependency[Tokens],
) -> Response[bytes]:
    said = await forms.read(request, forms.TakenBack)
    if said.grantee.startswith(CLIENT) and caller.actor is not None:
        raise identity.ActingNotAllowed(missing="self")
    claims = [said.claim] if said.claim else None
    by = caller.actor.id if caller.actor else None
    ended = await identity.agreements.take_back(
        house, caller.citizen_id, said.grantee, claims, by=by
    )
    for grant in ended:
        tokens.end(grant)
    return reader.go("/me/consents", "revoked")


def _start(day: str) -> datetime | None:
    """Midnight in the city; None for no day, and for one that isn't in the calendar."""
    at = rules.day(day)
    return identity.audit.start_of(at) if at else None


@get("/me/accesses", opt=identity.acting.VIEW)
async def accesses(
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    of: Of = "",
    since: Day = "",
    until: Day = "",
    after: After = None,
) -> Response[bytes]:
    before: Any = decode_cursor(after or None, identity.audit.Seq)
    end = _start(until)
    rows = await identity.accesses(
        house.db,
        caller.citizen_id,
        before[0] if before else None,
        SHOWN,
        reader=of or None,
        since=_start(since),
        until=end + timedelta(days=1) if end else None,
    )
    known = await identity.audit.readers(house.db, caller.citizen_id)
    # What somebody objects to is between them and the platform: who acts for them doesn't see it.
    own = caller.actor is None
    objections = identity.objections
    raised = await objections.mine(house, caller.citizen_id, None, OBJECTIONS_SHOWN) if own else []
    return await reader.page(
        "accesses.html",
        rows=rows[:SHOWN],
        callers=await callers(house, registry, reader.lang, known, rows[:SHOWN]),
        readers=[one for one in known if not one.startswith(STAFF)],
        own=own,
        raised=raised[:OBJECTIONS_SHOWN],
        objected=await objections.objected(house, caller.citizen_id, [r.seq for r in rows[:SHOWN]]),
        key=secrets.token_urlsafe(12),
        of=of,
        since=since,
        until=until,
        after=encode_cursor(rows[SHOWN - 1].seq) if len(rows) > SHOWN else None,
    )


@post("/me/accesses/objection", opt=identity.acting.SELF)
async def object_to(
    request: Web,
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    house: NamedDependency[House],
) -> Response[bytes]:
    said = await forms.read(request, forms.ReadingObjection)
    ask = forms.valid({"words": said.words}, identity.objections.NewObjection)
    await identity.objections.raise_objection(
        house, myself.citizen_id, f"web.{said.key}", said.line, ask.words
    )
    return reader.go("/me/accesses", "reading_objected")


@get("/me/account-log")
async def account_log(
    reader: NamedDependency[Reader],
    myself: NamedDependency[Caller],
    house: NamedDependency[House],
    registry: NamedDependency[Registry],
    catalogue: NamedDependency[Catalogue],
    after: After = None,
) -> Response[bytes]:
    before: Any = decode_cursor(after or None, identity.audit.Seq)
    rows = await identity.audit.lines(
        house.db, myself.citizen_id, before[0] if before else None, SHOWN
    )
    shown = rows[:SHOWN]
    lang = reader.lang
    labels = {name: pick(one.label, lang) for name, one in catalogue.vocabulary.items()}
    named = [row.reader for row in shown if row.reader and row.kind not in happened.NOT_READERS]
    whose = {name: who.name for name, who in (await callers(house, registry, lang, named)).items()}
    whose |= {
        row.reader: views.source(registry, row.reader, lang)
        for row in shown
        if row.kind in happened.NOT_READERS
    }
    return await reader.page(
        "account_log.html",
        rows=[
            (row, happened.KINDS[row.kind], happened.details(row, labels, lang)) for row in shown
        ],
        whose=whose,
        after=encode_cursor(rows[SHOWN - 1].seq) if len(rows) > SHOWN else None,
    )


async def _lines(house: House, caller: Caller) -> AsyncGenerator[list[identity.audit.AuditLine]]:
    """The citizen's whole audit, newest first."""
    before: int | None = None
    while rows := await identity.audit.lines(house.db, caller.citizen_id, before, PIECE - 1):
        yield rows
        before = rows[-1].seq


def cells(line: identity.audit.AuditLine) -> list[str]:
    """A line's cells; what a spreadsheet would reckon with is made text."""
    raw = (
        line.seq, line.at.isoformat(), line.kind, line.reader, " ".join(line.claims), line.purpose,
        line.reason, line.by or "", line.again, line.prev, line.hash,
    )  # fmt: skip
    return [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in map(str, raw)]


async def _csv(house: House, caller: Caller) -> AsyncGenerator[str]:
    text = io.StringIO()
    text.write("\ufeff")  # so that spreadsheets read it as UTF-8
    writer = csv.writer(text)
    writer.writerow(HEADER)
    async for rows in _lines(house, caller):
        writer.writerows(map(cells, rows))
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


async def _json(house: House, caller: Caller) -> AsyncGenerator[bytes]:
    first = True
    yield b"["
    async for rows in _lines(house, caller):
        yield (b"" if first else b",\n") + b",\n".join(msgspec.json.encode(row) for row in rows)
        first = False
    yield b"]\n"


def _file(pieces: AsyncGenerator[Any], name: str, media: str) -> Stream:
    headers = {
        "content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store",
    }  # fmt: skip
    return Stream(pieces, media_type=media, headers=headers)


@get("/me/audit.csv", media_type="text/csv")
async def download_csv(myself: NamedDependency[Caller], house: NamedDependency[House]) -> Stream:
    return _file(_csv(house, myself), "audit.csv", "text/csv; charset=utf-8")


@get("/me/audit.json", media_type="application/json")
async def download_json(myself: NamedDependency[Caller], house: NamedDependency[House]) -> Stream:
    return _file(_json(house, myself), "audit.json", "application/json")


router = pages_router(
    consents, revoke, accesses, object_to, account_log, download_csv, download_json
)
