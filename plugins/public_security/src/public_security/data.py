"""The shop's data files, read once: a wrong one stops the shop at import, by field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import msgspec

from .models import Facts, Office

HERE: Final = Path(__file__).parent

FACTS: Final = msgspec.json.decode((HERE / "facts.json").read_bytes(), type=Facts)
OFFICES: Final = {
    office.id: office
    for office in msgspec.json.decode((HERE / "offices.json").read_bytes(), type=list[Office])
}
"""By id."""

_parts = re.split(r"^-- name: (\w+)\n", (HERE / "queries.sql").read_text(), flags=re.MULTILINE)
SQL: Final = dict(zip(_parts[1::2], _parts[2::2], strict=True))
"""The statements of queries.sql, by the name above each."""
