"""Figures that laws fix, by name (content/law.yaml). Rules cite them, so no number stands twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from .errors import WrongRule
from .models import Text

Scalar = int | str
LawUnit = Literal["days", "working_days", "months", "years", "fen"]


class LawFigure(Struct, frozen=True, forbid_unknown_fields=True):
    """One figure, or several of one source under `parts`."""

    source: Text
    value: Scalar | None = None
    unit: LawUnit | None = None
    parts: dict[str, Scalar | dict[str, Scalar]] = {}
    note: Text | None = None


class LawBook:
    """The figures, by dotted name: `retirement_age.male.from`."""

    def __init__(self, figures: Mapping[str, LawFigure]) -> None:
        self._figures = dict(figures)

    def names(self) -> list[str]:
        """Every figure's name."""
        return list(self._figures)

    def figure(self, name: str, path: str = "law") -> LawFigure:
        """The entry that a dotted name belongs to. Raises WrongRule."""
        head = name.partition(".")[0]
        try:
            return self._figures[head]
        except KeyError:
            raise WrongRule(path, f"law.yaml has no {head}") from None

    def number(self, name: str, path: str = "law") -> int:
        """A whole number. Raises WrongRule."""
        found = self._scalar(name, path)
        if not isinstance(found, int):
            raise WrongRule(path, f"{name} in law.yaml is no whole number")
        return found

    def day(self, name: str, path: str = "law") -> date:
        """A date. Raises WrongRule."""
        try:
            return date.fromisoformat(str(self._scalar(name, path)))
        except ValueError:
            raise WrongRule(path, f"{name} in law.yaml is no date (YYYY-MM-DD)") from None

    def month_day(self, name: str, path: str = "law") -> tuple[int, int]:
        """A day of every year, written "MM-DD". Raises WrongRule."""
        found = self._scalar(name, path)
        try:
            day = date.fromisoformat(f"2023-{found}")
        except ValueError:
            raise WrongRule(path, f"{name} in law.yaml is no day of the year (MM-DD)") from None
        return day.month, day.day

    def _scalar(self, name: str, path: str) -> Scalar:
        figure = self.figure(name, path)
        found: Scalar | dict[str, Scalar] | None = figure.value
        for i, part in enumerate(name.split(".")[1:]):
            inside = figure.parts if i == 0 else found
            found = inside.get(part) if isinstance(inside, dict) else None
        if found is None or isinstance(found, dict):
            raise WrongRule(path, f"law.yaml has no figure {name}")
        return found
