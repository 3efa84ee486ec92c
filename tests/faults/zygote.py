"""Holds the program imported and forks it on request, so that fifty starts cost fifty forks.

Run as a program: a line of JSON on stdin (what, environment) is answered by a line with the process
id. What is forked is a process like any other: its own sockets, connections and death.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
from typing import Any

from civicmall import app
from civicmall.cli.run import serve_only
from civicmall.kernel import jobs, logs
from civicmall.kernel.config import Settings

PR_SET_PDEATHSIG = 1
"""prctl(2): a child is not left behind when whoever asked for it is killed."""


def main() -> None:
    """Until stdin ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    app.open_registry(Settings.from_env({}, database_url="unused"))
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(asked)
        print(child, flush=True)


def _become(asked: dict[str, Any]) -> None:
    """The process that was asked for; never returns."""
    status = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        null = os.open(os.devnull, os.O_RDONLY)
        log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for number, to in ((0, null), (1, log), (2, log)):
            os.dup2(to, number)
        os.environ.update(asked["env"])
        if asked["what"] == "serve":
            serve_only()
        else:
            asyncio.run(_work())
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:  # noqa: BLE001 (told and ended: it must not run on as a zygote)
        print(f"the process ended: {error!r}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


async def _work() -> None:
    """The outbox and the jobs, and no doors."""
    settings = Settings.from_env()
    logs.configure(as_json=True)
    async with app.assemble(settings, app.open_registry(settings)) as parts:
        await asyncio.gather(parts.drain.run(), *map(jobs.keep, parts.jobs))


if __name__ == "__main__":
    main()
