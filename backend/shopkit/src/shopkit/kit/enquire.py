"""Checks of the capability `enquire`."""

from __future__ import annotations

from functools import partial
from typing import cast

import msgspec

from ..contract import Filled  # noqa: TID252 (the package is one thing)
from ..forms import Form  # noqa: TID252 (the same)
from .bench import Bench, examples, in_both_languages
from .checks import asks_for_claims, check, hold, short
from .filled import answered, at_its_edges

on_enquire = partial(check, "enquire", capability="enquire")
RUN = "enquire.run"


def form_of(b: Bench) -> Form:
    """The form; the manifest's own check says that it is there."""
    return cast("Form", b.app.forms.enquire)


@on_enquire()
async def enquire_answers_its_example(b: Bench) -> None:
    """The examples of the form have an answer for somebody of the sandbox."""
    await answered(b, RUN, form_of(b))


@on_enquire()
async def enquire_in_both_languages(b: Bench) -> None:
    """Every text of an answer is there in Chinese and in English."""
    _, _, found = await answered(b, RUN, form_of(b))
    in_both_languages(found)


@on_enquire()
async def enquire_twice_is_equal(b: Bench) -> None:
    """Looking changes nothing: asked again, the answer is the same."""
    person, asked, found = await answered(b, RUN, form_of(b))
    again = await b.ask(RUN, asked, person)
    hold(
        msgspec.structs.replace(found, as_of=again.as_of) == again,
        f"{short(found)}, then {short(again)}",
    )


@on_enquire()
async def enquire_at_its_edges(b: Bench) -> None:
    """Whatever the form allows is answered or refused by field: limits, choices, required alone."""
    await at_its_edges(b, RUN, form_of(b))


@on_enquire(when=asks_for_claims)
async def enquire_needs_its_claims(b: Bench) -> None:
    """Without the claims that the app asks for, the records are refused."""
    await b.needs_claims(RUN, Filled(examples(form_of(b))))
