"""One door twice: for anybody, and for signed-in citizens. `python -m tests.bench.guarded PORT FOLDER`.

The server, the middleware and the framework's settings are those of a city; only who asks differs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar, Router, get
from litestar.di import NamedDependency
from msgspec import Struct

from civicmall import identity
from civicmall.identity import Caller
from civicmall.kernel import crypto, http, logs, serving
from civicmall.kernel.clock import Clock
from civicmall.kernel.middleware import Outermost


class Answer(Struct, frozen=True):
    """What both doors say."""

    level: int


@get("/healthz")
async def alive() -> Answer:
    return Answer(0)


@get("/open")
async def anybody() -> Answer:
    return Answer(2)


@get("/guarded")
async def guarded(caller: NamedDependency[Caller]) -> Answer:
    return Answer(caller.level)


def main() -> None:
    """Serve until ended."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    logs.configure(as_json=False, level=30)
    app = Litestar(
        [
            Router("/", route_handlers=[alive, anybody], guards=[http.public]),
            Router("/", route_handlers=[guarded], guards=[identity.citizen_only]),
        ],
        dependencies={"caller": http.LookedUp(identity.provide_caller)},
        exception_handlers=http.HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    app.state.tokens = identity.Tokens(crypto.load(folder), "http://127.0.0.1", Clock())
    outermost: Any = Outermost(http.one_by_one(app))
    config = uvicorn.Config(
        outermost, host="127.0.0.1", port=port, loop="uvloop", http=serving.Protocol,
        access_log=False, log_config=None, server_header=False, lifespan="off",
    )  # fmt: skip
    serving.Server(config).run()


if __name__ == "__main__":
    main()
