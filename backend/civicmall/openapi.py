"""The OpenAPI document: what the handlers say of themselves, and what holds for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Router, get

from civicmall.identity import NotAllowed, SignInNeeded, TokenExpired, TokenInvalid
from civicmall.kernel.errors import (
    Internal,
    MethodNotAllowed,
    NotFound,
    Problem,
    TooLarge,
    UnsupportedMedia,
)
from civicmall.kernel.http import PROBLEM_JSON, public

SECURED: Final = (SignInNeeded, TokenExpired, TokenInvalid, NotAllowed)
WITH_BODY: Final = (TooLarge, UnsupportedMedia)
METHODS: Final = ("get", "post", "put", "delete", "patch")
EXAMPLES: Final = Path(__file__).with_name("examples.json")
"""One exchange per operation, seen on a running sandbox (tests/api/tour.py)."""


def document(app: Litestar) -> dict[str, Any]:
    """The whole document (OpenAPI 3.1) as plain data."""
    doc = app.openapi_schema.to_schema()
    examples = msgspec.json.decode(EXAMPLES.read_bytes())
    for path, operations in doc["paths"].items():
        for method in METHODS:
            if method in operations:
                _show(operations[method], examples.get(f"{method.upper()} {path}", {}))
                _complete(operations[method], path)
    return doc


def _show(operation: dict[str, Any], example: dict[str, Any]) -> None:
    if "request" in example:  # a door that reads the body itself, for its signature, declares none
        operation.setdefault("requestBody", {"content": {"application/json": {"schema": {}}}})
        for content in operation["requestBody"]["content"].values():
            content["example"] = example["request"]
    if "response" in example:
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                for content in answer["content"].values():
                    content["example"] = example["response"]


def _complete(operation: dict[str, Any], path: str) -> None:
    if operation.get("security"):
        _add(operation, *SECURED)
    if "requestBody" in operation:
        _add(operation, *WITH_BODY)
        operation["requestBody"]["required"] = True
    if "{" in path:
        _add(operation, NotFound)  # a part of the path that can't be what it should be
    _add(operation, MethodNotAllowed, Internal)


def _add(operation: dict[str, Any], *kinds: type[Problem]) -> None:
    for kind in kinds:
        said = f"{kind.title} ({kind.type})"
        known = operation["responses"].get(str(kind.status))
        if known is None:
            operation["responses"][str(kind.status)] = {
                "description": said,
                "headers": {},
                "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
            }
        elif said not in known["description"]:
            known["description"] += f"; {said}"


@get("/openapi.json", summary="The OpenAPI document", sync_to_thread=False)
def openapi_json(request: Request[Any, Any, Any]) -> dict[str, Any]:
    doc: dict[str, Any] = request.app.state.openapi()
    return doc


routers = [
    Router(
        "/", route_handlers=[openapi_json], guards=[public], tags=["ops"], include_in_schema=False
    )
]
