"""The peers: as little as can answer at all, on the same server with the same settings.

`python -m tests.bench.bare PORT asgi BYTES` answers so many bytes of JSON; `… PORT litestar` is one
route of the framework.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from litestar import Litestar, get


def asgi(size: int) -> Any:
    """A bare ASGI application whose answer has `size` bytes."""
    body = b'{"x":"' + b"x" * max(0, size - 8) + b'"}'
    headers = [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
    ]  # fmt: skip

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return app


@get("/healthz")
async def hello() -> dict[str, str]:
    """The smallest route."""
    return {"status": "ok"}


def main() -> None:
    """Serve until ended."""
    port, kind = int(sys.argv[1]), sys.argv[2]
    app: Any = Litestar([hello]) if kind == "litestar" else asgi(int(sys.argv[3]))
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False,
        log_config=None, server_header=False, lifespan="on" if kind == "litestar" else "off",
    )  # fmt: skip


if __name__ == "__main__":
    main()
