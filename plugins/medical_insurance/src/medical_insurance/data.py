"""The shop's statements, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shopkit import sql

q: Final = sql.load(Path(__file__).with_name("statements.sql"))
