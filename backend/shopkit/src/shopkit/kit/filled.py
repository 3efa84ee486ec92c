"""What `calculate` and `enquire` have in common: a form of the manifest, filled in many ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..contract import Filled  # noqa: TID252 (the package is one thing)
from ..errors import BadForm, NotFound, Refused  # noqa: TID252 (the same)
from ..forms import Form, wrong  # noqa: TID252 (the same)
from ..sandbox import Person  # noqa: TID252 (the same)
from .bench import SAMPLE, Bench, examples, reasons_known, said
from .checks import Failed

EDGES_MAX: Final = 60
"""Ways of filling in that are tried: every choice and every limit of a usual form."""


async def answered(b: Bench, operation: str, form: Form) -> tuple[Person, Filled, Any]:
    """Somebody who gets an answer to the form's examples. Raises Failed where nobody does."""
    asked = Filled(examples(form))
    last = ""
    for person in b.people[:SAMPLE]:
        try:
            return person, asked, await b.ask(operation, asked, person)
        except (BadForm, NotFound, Refused) as error:
            last = said(error)
    raise Failed(f"nobody gets an answer to the form's own examples: {last}")


def edges(form: Form) -> Iterator[dict[str, Any]]:
    """The examples with one field at a limit or at another choice, where that fits the form."""
    whole = examples(form)
    yield examples(form, optional=False)
    for name, field in form.properties.items():
        for value in (field.minimum, field.maximum, *(field.enum or [])):
            if value is not None and not wrong(form, whole | {name: value}):
                yield whole | {name: value}


async def at_its_edges(b: Bench, operation: str, form: Form) -> None:
    """That values within the form are answered, or refused with fields that there are."""
    person, _, _ = await answered(b, operation, form)
    for _, values in zip(range(EDGES_MAX), edges(form), strict=False):
        try:
            await b.ask(operation, Filled(values), person)
        except BadForm as error:
            reasons_known(error, form)
        except (NotFound, Refused):
            pass
