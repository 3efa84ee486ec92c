"""The clock of a served shop: its own machine's, which signatures are held against."""

from __future__ import annotations

import time


def seconds() -> float:
    """Unix time."""
    return time.time()
