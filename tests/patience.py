"""How long a shared machine may stand still in the middle of a test.

An upper bound on time in a test tells a wait that ends from one that doesn't. It is a limit of the
code plus `STALL_S`; how quick something is, `make bench` shows.
"""

from __future__ import annotations

from typing import Final

STALL_S: Final = 2.0
"""Half a second was seen; what a bound should catch here waits for longer than this."""
