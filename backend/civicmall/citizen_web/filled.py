"""What the pages with forms have in common: reading what was sent, naming what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException
from msgspec import Struct

from civicmall.gateway import FormRefused
from civicmall.kernel import web
from civicmall.kernel.errors import BadRequest, TooLarge
from shopkit.forms import Form, wrong

from . import drawing, words
from .reader import Reader, Web

MULTIPART: Final = "multipart/form-data"
PARTS_MAX: Final = 200
"""Fields and files of one form: sixty of one kind, thirty of the other, and ours."""


class Sent(Struct, frozen=True):
    """What a browser sent: texts by name, and files by name."""

    texts: dict[str, str]
    files: dict[str, UploadFile]

    @property
    def typed(self) -> dict[str, str]:
        """The shop's fields among the texts."""
        return drawing.typed(self.texts.items())


async def read(request: Web) -> Sent:
    """A form with or without files. Raises BadRequest, TooLarge."""
    if request.content_type[0] != MULTIPART:
        return Sent(dict(await web.fields(request)), {})
    try:
        form = await request.form()
    except HTTPException as error:
        if error.status_code == 413:  # noqa: PLR2004 (RFC 9110)
            raise
        raise BadRequest("not a form") from error
    except (ValueError, LookupError) as error:
        raise BadRequest("not a form") from error
    pairs = list(form.multi_items())
    if len(pairs) > PARTS_MAX:
        raise BadRequest("not a form")
    texts = {name: said for name, said in pairs if isinstance(said, str)}
    if sum(len(said) for said in texts.values()) > web.FORM_MAX:
        raise TooLarge(limit_bytes=web.FORM_MAX)
    files = {name: said for name, said in pairs if isinstance(said, UploadFile) and said.filename}
    return Sent(texts, files)


def nonce(sent: Sent) -> str:
    """The page's own number. Raises BadRequest."""
    found = sent.texts.get("key", "")
    if not 8 <= len(found) <= 64 or not found.replace("-", "").replace("_", "").isalnum():  # noqa: PLR2004 (as our pages make them)
        raise BadRequest(field="key")
    return found


def key(sent: Sent, *said: Any) -> str:
    """The Idempotency-Key of a form: the same page and the same values are the same request."""
    digest = hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:24]
    return f"web.{nonce(sent)}.{digest}"


def faults(reader: Reader, form: Form, values: Mapping[str, Any]) -> dict[str, str]:
    """What doesn't fit the form, by field, in the reader's words."""
    found: dict[str, str] = {}
    for one in wrong(form, values):
        name, more = drawing.fault(form.properties.get(one.field), one.problem)
        found.setdefault(one.field, reader.t(words.WRONG[name], **more))
    return found


def refused(reader: Reader, problem: FormRefused) -> dict[str, str]:
    """What the department or the papers' check found, by field; `$` is the form as a whole."""
    errors = cast("list[dict[str, str]]", problem.extra.get("errors", []))
    found = {error["field"]: error["problem"] for error in errors}
    for field, said in found.items():
        if field.partition(".")[0] == "materials":
            found[field] = reader.t(words.WRONG[drawing.paper_fault(said)])
    return found or {"$": reader.t(problem.title)}
