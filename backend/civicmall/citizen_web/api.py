"""The API reference: the OpenAPI document as a page that reads well without any script."""

from __future__ import annotations

from typing import Any, cast

from litestar import Response, get
from litestar.di import NamedDependency

from . import api_views
from .reader import Reader, Web
from .refuse import router as pages_router


@get("/docs")
async def docs(request: Web, reader: NamedDependency[Reader]) -> Response[bytes]:
    state = request.app.state
    if "api_reference" not in state:
        known = "openapi" in state  # completed when somebody first asked for /openapi.json
        raw = state.openapi if known else request.app.openapi_schema.to_schema()
        found = api_views.reference(cast("dict[str, Any]", raw))
        if not known:
            return await reader.page("api.html", api=found)
        state.api_reference = found
    return await reader.page("api.html", api=state.api_reference)


router = pages_router(docs)
