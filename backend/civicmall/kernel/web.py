"""Server-rendered pages: one Jinja environment per web room, with what every page needs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response, Router, static_files
from litestar.datastructures import CacheControlHeader

from . import i18n, money
from .clock import CITY
from .errors import BadRequest, TooLarge
from .http import language, public

KEPT_S: Final = 365 * 24 * 3600
"""Browsers keep a static file for a year: its address changes with its content."""
FORM_MAX: Final = 256 * 1024
"""Bytes of a form without files: twenty-eight thousand Chinese characters. Each `%41` of one costs
us most of a microsecond, in which nobody else is served."""
FIELDS_MAX: Final = 200
"""Fields of a form without files; the longest of ours has about forty boxes to tick."""


class Assets:
    """The files beside a room's module, in `static/`. One that changes gets another address."""

    def __init__(self, room_file: str, path: str) -> None:
        """`path` is the address they are served under, as in `/static/console`."""
        self.folder = Path(room_file).parent / "static"
        self._path = path
        self._digests = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12]
            for file in sorted(self.folder.iterdir())
            if file.is_file()
        }

    def url(self, name: str) -> str:
        """The address of one file. Raises KeyError where there is none of this name."""
        return f"{self._path}/{name}?v={self._digests[name]}"

    def router(self) -> Router:
        """Serves them."""
        untyped: Any = static_files
        router: Router = untyped.create_static_files_router(
            path=self._path,
            directories=[self.folder],
            name=self._path.strip("/").replace("/", "-"),
            guards=[public],
            tags=["pages"],
            cache_control=CacheControlHeader(max_age=KEPT_S, public=True, immutable=True),
        )
        return router


class Pages:
    """The templates beside a room's module, in `templates/`; everything is escaped."""

    def __init__(self, room_file: str, **shared: Any) -> None:
        self._env = Environment(
            loader=FileSystemLoader(Path(room_file).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._env.filters |= {"yuan": money.yuan, "instant": instant, "day": day}
        self._env.globals |= shared

    def page(
        self, request: Request[Any, Any, Any], template: str, *, status: int = 200, **values: Any
    ) -> Response[bytes]:
        """An HTML answer. Templates get `lang`, `t` (a message of the program, translated),
        `pick` (a Text in the reader's language) and `path`.
        """
        lang = language(request)
        html = self._env.get_template(template).render(
            lang=lang,
            t=partial(i18n.translate, lang),
            pick=partial(_pick, lang),
            path=request.scope["path"],
            colon="：" if lang == "zh-CN" else ": ",
            **values,
        )
        return Response(
            html.encode(),
            status_code=status,
            media_type=MediaType.HTML,
            headers={"cache-control": "no-store", "content-language": lang},
        )


async def fields(request: Request[Any, Any, Any]) -> list[tuple[str, str]]:
    """What a form without files sent. The framework's own reader has no limits: a megabyte of `a=&`
    takes it a second. Raises BadRequest, TooLarge.
    """
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > FORM_MAX:
        raise TooLarge(limit_bytes=FORM_MAX)
    body = await request.body()
    if len(body) > FORM_MAX:
        raise TooLarge(limit_bytes=FORM_MAX)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise BadRequest("not a form") from error


def instant(at: datetime) -> str:
    """A moment as the city's clocks show it. One at the end of all years, which a shop may say, has
    no time in the city; it stands as it was said.
    """
    with suppress(OverflowError):
        at = at.astimezone(CITY)
    return at.isoformat(" ", "minutes")[:16]


def day(on: date) -> str:
    """A date, the same in both languages (GB/T 7408)."""
    return on.isoformat()


def _pick(lang: str, text: Mapping[Any, str]) -> str:
    return i18n.pick(text, lang)
