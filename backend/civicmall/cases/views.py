"""From rows to what is shown; here what is sealed is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from civicmall.kernel import i18n, money
from civicmall.kernel.crypto import Keys
from shopkit.contract import ApplyForm, Progress, Result

from . import rules, words
from .models import (
    Answer,
    Case,
    CaseItem,
    CaseMaterial,
    CaseRow,
    DeskEntry,
    EventRow,
    FieldLabel,
    Labels,
    MaterialRow,
    Said,
    TimelineEntry,
)

FORM: Final = "cases.case.form"
PROGRESS: Final = "cases.case.progress"
RESULT: Final = "cases.case.result"
SAID: Final = "cases.event.said"
SUPPLEMENT: Final = "cases.supplement.form"
T = TypeVar("T")


def seal(keys: Keys, value: Any, context: str) -> bytes:
    """Plain data or a Struct, sealed."""
    return keys.seal_bytes(msgspec.json.encode(value), context)


def unseal(keys: Keys, sealed: bytes | None, context: str, kind: type[T]) -> T | None:
    """What was sealed. Raises SealBroken."""
    if sealed is None:
        return None
    return msgspec.json.decode(keys.open_bytes(sealed, context), type=kind)


def values(keys: Keys, sealed: bytes, context: str = FORM) -> dict[str, Any]:
    """A filled form."""
    found: dict[str, Any] = msgspec.json.decode(keys.open_bytes(sealed, context))
    return found


def progress_of(keys: Keys, row: CaseRow) -> Progress | None:
    """What the shop last said of a case."""
    return unseal(keys, row.progress, PROGRESS, Progress)


def item(row: CaseRow, lang: str) -> CaseItem:
    """A case as lists show it."""
    return CaseItem(
        id=row.id,
        shop=row.shop,
        app=row.app,
        title=i18n.pick(row.title, lang),
        state=row.state,
        reference=row.reference,
        submitted_at=row.submitted_at,
        due_on=row.due_on,
        callback_by=row.callback_by if row.state == "pending" else None,
        overdue=row.state == "pending" and row.overdue_on is not None,
    )


def labels(form: ApplyForm) -> Labels:
    """What is kept of a form's words."""
    return Labels(
        {
            name: FieldLabel(field.label, field.labels or {}, field.kind == "money")
            for name, field in form.schema.properties.items()
        },
        {paper.code: paper.name for paper in form.materials},
    )


def answers(known: Labels, form: Mapping[str, Any], lang: str) -> list[Answer]:
    """A filled form in words: in the form's order, then what it has no words for."""
    order = [name for name in known.fields if name in form]
    order += [name for name in form if name not in known.fields]
    return [_answer(name, known.fields.get(name), form[name], lang) for name in order]


def _answer(name: str, field: FieldLabel | None, value: Any, lang: str) -> Answer:
    if isinstance(value, bool):
        said = i18n.translate(lang, "Yes" if value else "No")
    elif field and str(value) in field.values:
        said = i18n.pick(field.values[str(value)], lang)
    elif field and field.money:
        said = f"¥{money.yuan(value)}"
    else:
        said = str(value)
    return Answer(name, i18n.pick(field.label, lang) if field else name, value, said)


def case(
    keys: Keys,
    row: CaseRow,
    events: list[EventRow],
    papers: list[MaterialRow],
    *,
    stale: bool,
    lang: str,
) -> Case:
    """A case with all that is known of it."""
    return Case(
        case=item(row, lang),
        variant=row.variant,
        may=rules.may(row.state, referenced=row.reference is not None),
        responsible=i18n.pick(row.responsible, lang) if row.responsible else None,
        form=values(keys, row.form),
        materials=[
            CaseMaterial(paper.id, paper.code or "", paper.media, paper.size, paper.handed_at)
            for paper in papers
        ],
        timeline=[_entry(keys, event, lang) for event in reversed(events)],
        progress=progress_of(keys, row),
        stale=stale,
        as_of=row.progress_at,
        result=unseal(keys, row.result, RESULT, Result),
    )


def desk_entry(keys: Keys, event: EventRow, names: Mapping[UUID, str], lang: str) -> DeskEntry:
    """A line of a case's timeline for its department."""
    one = _entry(keys, event, lang)
    return DeskEntry(
        one.at, one.actor, one.move, one.state, one.title, one.said,
        names.get(one.acted_by) if one.acted_by else None,
    )  # fmt: skip


def _entry(keys: Keys, event: EventRow, lang: str) -> TimelineEntry:
    said = unseal(keys, event.said, SAID, Said) or Said()
    texts = [said.message] if said.message else []
    texts += [reason.message for reason in said.reasons]
    return TimelineEntry(
        at=event.at,
        actor=event.actor,
        move=event.move,
        state=event.state,
        title=i18n.translate(lang, words.MOVES[event.move]),
        said=[i18n.pick(text, lang) for text in texts],
        acted_by=event.acted_by,
    )
