"""Checks of the capability `calculate`."""

from __future__ import annotations

from functools import partial
from typing import cast

from ..forms import Form  # noqa: TID252 (the package is one thing)
from .bench import Bench, in_both_languages
from .checks import check, hold, short
from .filled import answered, at_its_edges

on_calculate = partial(check, "calculate", capability="calculate")
RUN = "calculate.run"


def form_of(b: Bench) -> Form:
    """The form; the manifest's own check says that it is there."""
    return cast("Form", b.app.forms.calculate)


@on_calculate()
async def calculate_answers_its_example(b: Bench) -> None:
    """The examples of the form have a result."""
    await answered(b, RUN, form_of(b))


@on_calculate()
async def calculate_in_both_languages(b: Bench) -> None:
    """Every text of a result is there in Chinese and in English."""
    _, _, found = await answered(b, RUN, form_of(b))
    in_both_languages(found)


@on_calculate()
async def calculate_twice_is_equal(b: Bench) -> None:
    """The same values have the same result."""
    person, asked, found = await answered(b, RUN, form_of(b))
    again = await b.answers(RUN, asked, person)
    hold(found == again, f"{short(found)}, then {short(again)}")


@on_calculate()
async def calculate_at_its_edges(b: Bench) -> None:
    """Whatever the form allows is answered or refused by field: limits, choices, required alone."""
    await at_its_edges(b, RUN, form_of(b))
