"""What a running process has, passed to whoever needs it; nothing is global."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from .clock import Clock
from .config import Settings
from .crypto import Keys
from .db import Pool
from .texting import Sender


class House(Struct, frozen=True):
    """Made once in app.py."""

    settings: Settings
    clock: Clock
    keys: Keys
    db: Pool
    hint: Callable[[], object] = lambda: None
    """Tells this process's outbox worker that there may be something to do; saves its wait."""
    texts: Sender | None = None
    """The city's gateway for text messages; None where it has none, as in a sandbox."""
