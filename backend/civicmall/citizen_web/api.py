"""The API reference: the OpenAPI document as a page that reads well without any script."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from . import api_views
from .reader import Reader, Web
from .refuse import router as pages_router


@get("/docs")
async def docs(request: Web, reader: NamedDependency[Reader]) -> Response[bytes]:
    state = request.app.state
    if "api_reference" not in state:
        state.api_reference = api_views.reference(state.openapi())
    return await reader.page("api.html", api=state.api_reference)


router = pages_router(docs)
