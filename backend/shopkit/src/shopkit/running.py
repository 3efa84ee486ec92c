"""Running a shop's code: whatever it raises costs its caller, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any


class ShopLeft(Exception):
    """The shop's code tried to end its thread, its task or the process: SystemExit and its like."""


async def theirs(code: Callable[..., Awaitable[Any]], *args: Any) -> Any:
    """What the shop's code answers. Raises what it raises, but nothing that would end us."""
    try:
        return await code(*args)
    except Exception:
        raise
    except BaseException as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # its caller or the deadline: not its own doing
            raise
        raise ShopLeft(type(error).__name__) from error
