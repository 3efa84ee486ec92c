"""Verbs of the home: what one citizen sees now, and what they said about it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec

from civicmall import catalogue as items
from civicmall.catalogue import Catalogue, Known, Named
from civicmall.gateway import Gateway
from civicmall.identity import Caller, recommendable
from civicmall.kernel import ids, sql
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.i18n import pick, translate
from civicmall.shops import Registry

from . import rules
from .errors import WrongSnooze
from .models import (
    Card,
    Feedback,
    FeedbackAsk,
    Home,
    Memory,
    Option,
    Picture,
    Question,
    Settings,
    StageNow,
)

q = sql.load(__file__, Memory, Settings, Feedback)
PICTURES_MAX: Final = 5_000
"""About 20 MB: those who look today, in a process of a middling city."""
NOTHING: Final = Picture([], [], None)
_pictures: WeakKeyDictionary[Catalogue, OrderedDict[bytes, Picture]] = WeakKeyDictionary()
"""By catalogue, for its rules and names are in them; by the hash of what was asked."""


async def home(
    house: House,
    catalogue: Catalogue,
    registry: Registry,
    gateway: Gateway,
    caller: Caller,
    lang: str,
) -> Home:
    """The citizen's home. What the shops say and what life calls for don't wait for each other."""
    owed, (memory, about) = await asyncio.gather(
        gateway.owed(caller, lang), _about(house, caller.citizen_id)
    )
    seen = NOTHING
    if about is not None:
        facts, off = about
        seen = picture(catalogue, registry, facts, memory.feedback, house.clock.today(), lang, off)
    return Home(
        recommend=memory.recommend,
        stages=seen.stages,
        cards=seen.cards,
        question=seen.question,
        owed=owed.bills,
        tiles=owed.tiles,
        generated_at=house.clock.now(),
    )


async def _about(
    house: House, citizen_id: UUID
) -> tuple[Memory, tuple[dict[str, Any], frozenset[str]] | None]:
    """What the home remembers and, unless it is switched off, the facts that it may look at and the
    attributes that it may not.
    """
    memory: Memory = await q.memory(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id
    )
    return memory, await recommendable(house, citizen_id) if memory.recommend else None


def picture(
    catalogue: Catalogue,
    registry: Registry,
    about: Mapping[str, Any],
    feedback: list[Any],
    today: date,
    lang: str,
    off: frozenset[str] = frozenset(),
) -> Picture:
    """What life calls for by these facts; nothing in `off` is asked for. The same facts on the same day give the same picture,
    so the latest are kept: people open their home more often than their life changes.
    """
    asked = msgspec.json.encode([about, feedback, today, lang, off], order="deterministic")
    key = hashlib.sha256(asked).digest()
    kept = _pictures.setdefault(catalogue, OrderedDict())
    if (found := kept.get(key)) is not None:
        kept.move_to_end(key)
        return found
    known = catalogue.known(about, today)
    said = {one.item: one for one in msgspec.convert(feedback, list[Feedback])}
    found = kept[key] = Picture(
        [
            StageNow(code, pick(catalogue.stages[code].name, lang))
            for code in catalogue.stages_of(known)
        ],
        cards(catalogue, registry, known, said, lang),
        question(catalogue, known, said, lang, off),
    )
    if len(kept) > PICTURES_MAX:
        kept.popitem(last=False)
    return found


def cards(
    catalogue: Catalogue,
    registry: Registry,
    known: Known,
    said: Mapping[str, Feedback],
    lang: str,
) -> list[Card]:
    """The ranked cards, in words. Pure."""
    found = rules.candidates(catalogue, known)
    stages = catalogue.stages_of(known)
    apps = items.links(registry, lang)
    return [
        _card(catalogue, one, known, apps, lang)
        for one in rules.ranked(found, stages, said, known.today)
    ]


def _card(
    catalogue: Catalogue, one: rules.Candidate, known: Known, apps: items.Links, lang: str
) -> Card:
    entry = one.shown.entry
    item = entry.item
    return Card(
        item=item.code,
        title=pick(item.name, lang),
        department=Named(item.department, pick(catalogue.departments[item.department], lang)),
        kind=one.shown.bearing,
        reason=_reason(catalogue, one, lang),
        urgency=rules.urgency(one.deadline, known.today),
        deadline=one.deadline,
        days_left=(one.deadline - known.today).days if one.deadline else None,
        starts_on=one.starts_on,
        sources=[items.source(catalogue, name, lang) for name in entry.laws],
        app=next(iter(apps.get(item.code, ())), None),
    )


def _reason(catalogue: Catalogue, one: rules.Candidate, lang: str) -> str:
    rule = one.shown.rule
    words = catalogue.words
    said = words.reason(rule, one.known, lang) or words.conditions(rule, lang)
    start = items.day(one.starts_on, lang) if one.starts_on else ""
    if start in said:  # also where it holds already
        return said
    return translate(lang, "From {day}: {reason}", day=start, reason=said)


def question(
    catalogue: Catalogue,
    known: Known,
    said: Mapping[str, Feedback],
    lang: str,
    off: frozenset[str] = frozenset(),
) -> Question | None:
    """The one question worth asking, in words. Pure."""
    wanted = rules.question(catalogue, known, said, off)
    if wanted is None:
        return None
    attribute = catalogue.vocabulary[wanted.attribute]
    flag = attribute.type == "flag"
    return Question(
        attribute=wanted.attribute,
        text=pick(attribute.question or attribute.label, lang),
        type=attribute.type,
        options=[
            Option(value == "true" if flag else value, pick(label, lang))
            for value, label in attribute.values.items()
        ],
        settles=wanted.settles,
    )


async def give_feedback(
    house: House, catalogue: Catalogue, citizen_id: UUID, code: str, ask: FeedbackAsk
) -> Feedback:
    """Keep what a citizen says about a card; the last word counts.

    Raises NoSuchItem, WrongSnooze.
    """
    catalogue.entry(code)
    today = house.clock.today()
    until = rules.snooze_until(ask.until, today) if ask.action == "snooze" else None
    if (ask.action == "snooze") != (until is not None) or (
        ask.until is not None and ask.action != "snooze"
    ):
        raise WrongSnooze(field="until")
    kept: Feedback = await q.give_feedback(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        item=code,
        action=ask.action,
        given_on=today,
        until=until,
    )
    return kept


async def take_back_feedback(db: Db, citizen_id: UUID, code: str) -> None:
    """The card may come again. No harm if nothing was said about it."""
    await q.take_back_feedback(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, item=code
    )


async def settings(db: Db, citizen_id: UUID) -> Settings:
    """How the citizen wants the home."""
    memory: Memory = await q.memory(db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id)
    return Settings(memory.recommend)


async def change_settings(db: Db, citizen_id: UUID, ask: Settings) -> Settings:
    """Switch recommendations on or off."""
    kept: Settings = await q.change_settings(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, recommend=ask.recommend
    )
    return kept
