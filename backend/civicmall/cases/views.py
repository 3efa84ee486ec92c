"""From rows to what is shown; here what is sealed is opened."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from civicmall.kernel import i18n
from civicmall.kernel.crypto import Keys
from shopkit.contract import Progress, Result

from . import rules, words
from .models import (
    Case,
    CaseItem,
    CaseMaterial,
    CaseRow,
    EventRow,
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
    )
