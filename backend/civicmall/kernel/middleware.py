"""The outermost layer: trace ids, metrics, access log and security headers for every answer."""

from __future__ import annotations

import logging
import os
import re
import time
from typing import Any, Final

from . import logs, metrics

log = logs.get("access")
TRACEPARENT: Final = re.compile(rb"^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")
"""W3C Trace Context, version 00."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""What is counted by its name; any other would let a caller invent labels."""
CONTENT: Final = (
    b"default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self';"
    b" object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Where a page's parts may come from: this house, and nowhere else."""
SECURITY: Final[list[tuple[bytes, bytes]]] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", CONTENT),
]
PRIVATE: Final = [*SECURITY, (b"cache-control", b"no-store")]
"""The API's answers are somebody's own; no cache on the way may keep them."""


class Outermost:
    """Wraps the whole application, so that answers to unknown addresses pass here too."""

    def __init__(self, app: Any, *doors: Any) -> None:
        self.app = app
        self._doors = doors
        """Asked in turn, before the framework is: each finds an application for what it takes."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace = _trace(scope)
        token = logs.trace_id.set(trace)
        began = time.perf_counter()
        status = 500
        extra = PRIVATE if scope.get("path", "").startswith("/v1/") else SECURITY

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"], *extra, (b"x-trace-id", trace.encode()),
                ]  # fmt: skip
            await send(message)

        try:
            await self._found(scope)(scope, receive, sending)
        finally:
            took = time.perf_counter() - began
            route = str(scope.get("path_template") or "unknown")
            method = scope["method"] if scope["method"] in METHODS else "other"
            metrics.REQUESTS.add(route, method, str(status))
            metrics.LATENCY.add(took, route)
            if logs.heard(logging.INFO):
                # The template, never the path itself: ids and phones travel in paths and queries.
                log.info("request", method=method, route=route, status=status,
                         ms=round(took * 1000, 2))  # fmt: skip
            logs.trace_id.reset(token)

    def _found(self, scope: Any) -> Any:
        for door in self._doors:
            if (app := door.find(scope)) is not None:
                return app
        return self.app


def _trace(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name == b"traceparent" and (match := TRACEPARENT.match(value)):
            return match[1].decode()
    return os.urandom(16).hex()
