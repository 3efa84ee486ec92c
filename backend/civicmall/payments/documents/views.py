"""Papers as answers: what their files are called. That nobody on the way keeps them is said by the
outermost layer for the API, and by `kept_by_nobody` for pages.
"""

from __future__ import annotations

from typing import IO, Any, Final, TypeVar

from litestar import Response
from litestar.response import Stream

from . import statement_csv
from .statements import Wanted

PDF: Final = "application/pdf"
CSV: Final = "text/csv; charset=utf-8"
A = TypeVar("A", bound=Response[Any])


def name_of(asked: Wanted) -> str:
    """A statement's file, without its ending."""
    return f"settlement-{asked.account}-{asked.first_on:%Y%m%d}-{asked.last_on:%Y%m%d}"


def _headers(file: str, lang: str, how: str) -> dict[str, str]:
    return {
        "content-disposition": f'{how}; filename="{file}"',
        "content-language": lang,
    }


def kept_by_nobody(answer: A) -> A:
    """The same, for a web room."""
    answer.headers["cache-control"] = "no-store"
    return answer


def pdf(body: bytes, name: str, lang: str) -> Response[bytes]:
    """A PDF that a browser shows."""
    return Response(body, media_type=PDF, headers=_headers(f"{name}.pdf", lang, "inline"))


def csv(asked: Wanted, kept: IO[bytes], lang: str) -> Stream:
    """A CSV file that a browser keeps."""
    headers = _headers(f"{name_of(asked)}.csv", lang, "attachment")
    return Stream(statement_csv.pieces(kept), media_type=CSV, headers=headers)
