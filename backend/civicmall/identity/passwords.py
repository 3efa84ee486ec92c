"""Staff's passwords: argon2id (RFC 9106), a few at a time.

Each check takes a tenth of a second of a core and 64 MB, which is the point of it; a flood of
them must take neither the process nor the threads that others need.
"""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from civicmall.kernel.errors import Unavailable

AT_ONCE: Final = 2
WAITING_MAX: Final = 16

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
_waiting: set[object] = set()
_NOBODY: Final = _hasher.hash(secrets.token_hex(16))
"""Checked where there is no such account, so that both answers take the same time."""


async def fits(kept: str | None, password: str) -> bool:
    """Whether this is the password; never for None. Raises Unavailable when too many ask."""
    if len(_waiting) >= WAITING_MAX:
        raise Unavailable(retry_after_s=2)
    mine = object()
    _waiting.add(mine)
    try:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(_threads, _hasher.verify, kept or _NOBODY, password)
    except VerificationError:
        return False
    finally:
        _waiting.discard(mine)
    return kept is not None


async def hashed(password: str) -> str:
    """What is kept of a password."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)
