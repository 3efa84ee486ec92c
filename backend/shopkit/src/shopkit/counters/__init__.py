"""Counters that one books a time at: what every shop with the capability `appointments` needs.

The timetable is data, so an app is one line::

    counters.serve(shop, "household_booking", counters.read(folder / "counters.json"))

The tables lie in the shop's own schema: its migration has the text of `DDL`.
"""

from .desk import DDL, DDL_BACK, Desk, serve
from .timetable import Counter, Hours, Opening, Timetable, parse, read

__all__ = [
    "DDL", "DDL_BACK", "Counter", "Desk", "Hours", "Opening", "Timetable", "parse", "read", "serve",
]  # fmt: skip
