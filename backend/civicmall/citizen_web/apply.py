"""Applying: the form that a department asks for, with its papers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from civicmall import cases
from civicmall.cases import (
    CASE_BYTES_MAX,
    MATERIAL_MAX,
    MaterialRef,
    MaterialUnfit,
    NewCase,
    TooManyMaterials,
    WrongMedia,
)
from civicmall.gateway import FormRefused, Gateway
from civicmall.identity import Caller
from civicmall.kernel.errors import TooLarge
from civicmall.kernel.house import House
from civicmall.shops import Registry
from shopkit.contract import ApplyForm

from . import drawing, filled, forms
from .filled import Sent
from .reader import Reader, Web
from .refuse import router as pages_router

BODY_MAX: Final = CASE_BYTES_MAX + 1024 * 1024
"""Bytes of a form with all its files."""
FILE, KEPT = "m_", "k_"
"""Before a material's code: a file that comes, and the id of one that was kept."""
Variant = Annotated[str | None, QueryParameter(max_length=80, required=False)]


async def page(
    reader: Reader,
    registry: Registry,
    shop: str,
    app: str,
    form: ApplyForm,
    *,
    sent: Sent | None = None,
    kept: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
) -> Response[bytes]:
    """The form, empty or as it was sent with what is wrong beside it."""
    wrong = errors or {}
    return await reader.page(
        "apply.html",
        status=422 if wrong else 200,
        shop=registry.view(shop, reader.lang),
        app=registry.app(shop, app),
        form=form,
        **drawn(form, reader.lang, sent=sent, kept=kept or {}, errors=wrong),
    )


def drawn(
    form: ApplyForm,
    lang: str,
    *,
    sent: Sent | None,
    kept: dict[str, str],
    errors: dict[str, str],
    optional: bool = False,
) -> dict[str, Any]:
    """A form for its template: fields, papers, and `others`: what is wrong with the whole, or with
    fields that the form doesn't have. What is `optional` starts empty.
    """
    known = {*form.schema.properties, *(f"materials.{one.code}" for one in form.materials)}
    return {
        "fields": drawing.fields(
            form.schema, lang, known=None if optional else form.prefill,
            typed=sent.typed if sent else None, errors=errors, optional=optional,
        ),
        "papers": drawing.papers(form, lang, kept=kept, errors=errors, optional=optional),
        "others": [words for field, words in errors.items() if field not in known],
    }  # fmt: skip


async def keep(
    house: House, caller: Caller, reader: Reader, sent: Sent, codes: Iterable[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Take in the files that came; ids by code, and what is wrong by `materials.code`."""
    kept: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for code in codes:
        file = sent.files.get(FILE + code)
        if file is None:
            if before := sent.texts.get(KEPT + code):
                kept[code] = before
            continue
        try:
            kept[code] = await _keep(house, caller, sent, code, file)
        except (WrongMedia, MaterialUnfit, TooManyMaterials) as problem:
            wrong[f"materials.{code}"] = reader.t(problem.title)
        except TooLarge:
            wrong[f"materials.{code}"] = reader.t(
                "A file may have {n} MB at most.", n=MATERIAL_MAX // (1024 * 1024)
            )
    return kept, wrong


async def _keep(house: House, caller: Caller, sent: Sent, code: str, file: UploadFile) -> str:
    body = await file.read(MATERIAL_MAX + 1)
    digest = hashlib.sha256(body).hexdigest()
    made = await cases.hand_in(
        house, caller, filled.key(sent, code, digest, file.content_type), file.content_type, body
    )
    return str(made.id)


def refs(kept: dict[str, str]) -> list[MaterialRef]:
    """The files as a case takes them. Raises BadRequest."""
    said = [{"code": code, "id": known} for code, known in kept.items()]
    return [forms.valid(one, MaterialRef) for one in said]


@get("/shops/{shop:str}/{app:str}/apply")
async def apply(
    shop: FromPath[str],
    app: FromPath[str],
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    variant: Variant = None,
) -> Response[bytes]:
    form = await cases.form(gateway, caller, shop, app, variant, reader.lang)
    return await page(reader, registry, shop, app, form)


@post("/shops/{shop:str}/{app:str}/apply", request_max_body_size=BODY_MAX)
async def submit(
    shop: FromPath[str],
    app: FromPath[str],
    request: Web,
    reader: NamedDependency[Reader],
    caller: NamedDependency[Caller],
    house: NamedDependency[House],
    gateway: NamedDependency[Gateway],
    registry: NamedDependency[Registry],
    variant: Variant = None,
) -> Response[bytes]:
    with cases.uploading(caller.citizen_id):
        sent = await filled.read(request)
    filled.nonce(sent)
    form = await cases.form(gateway, caller, shop, app, variant, reader.lang)
    kept, wrong = await keep(house, caller, reader, sent, [one.code for one in form.materials])
    values = drawing.values(form.schema, sent.typed)
    wrong |= filled.faults(reader, form.schema, values)
    if not wrong:
        new = NewCase(shop, app, values, variant, refs(kept))
        try:
            made = await cases.submit(
                house, gateway, registry, caller, filled.key(sent, new), new, reader.lang
            )
        except FormRefused as problem:
            wrong = filled.refused(reader, problem)
        else:
            return reader.go(f"/cases/{made.id}", "applied")
    return await page(reader, registry, shop, app, form, sent=sent, kept=kept, errors=wrong)


router = pages_router(apply, submit)
