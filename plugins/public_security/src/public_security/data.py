"""The shop's data files, read once: a wrong one stops the shop at import, by field."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from shopkit import counters, sql

from .models import Facts, Office

HERE: Final = Path(__file__).parent

FACTS: Final = msgspec.json.decode((HERE / "facts.json").read_bytes(), type=Facts)
OFFICES: Final = {
    office.id: office
    for office in msgspec.json.decode((HERE / "offices.json").read_bytes(), type=list[Office])
}
"""By id."""
COUNTERS: Final = counters.read(HERE / "counters.json")
"""When household matters can be booked, where, and what to bring."""

SQL: Final = {name: one.text for name, one in sql.load(HERE / "queries.sql").items()}
"""The statements of queries.sql, by the name above each."""
