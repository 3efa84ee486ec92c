"""Items as callers see them: one language, sources named, what is unknown said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from civicmall.kernel.i18n import pick, translate
from civicmall.kernel.money import yuan
from civicmall.shops import Registry

from .catalogue import Catalogue, Entry
from .models import (
    AppLink,
    DepartmentView,
    Item,
    ItemGuide,
    ItemView,
    Named,
    Source,
    StageView,
    Text,
)

MAY_BE_UNKNOWN: Final = (
    "kind", "conditions", "window", "time", "fee", "materials", "steps",
)  # fmt: skip
Links = Mapping[str, Sequence[AppLink]]


def links(registry: Registry, lang: str) -> dict[str, list[AppLink]]:
    """Which apps do which item, by item code, as the manifests of the working shops say."""
    found: dict[str, list[AppLink]] = {}
    for entry in registry.all():
        if entry.state != "live" or entry.manifest is None:
            continue
        for app in entry.manifest.apps:
            for code in app.items:
                link = AppLink(entry.id, app.id, pick(app.name, lang))
                found.setdefault(code, []).append(link)
    return found


def item_view(catalogue: Catalogue, entry: Entry, apps: Links, lang: str) -> ItemView:
    """An item in a list."""
    item = entry.item
    return ItemView(
        code=item.code,
        name=pick(item.name, lang),
        department=_named(item.department, catalogue.departments, lang),
        subject=item.subject,
        kind=_named(item.kind, catalogue.kinds, lang) if item.kind else None,
        stages=item.stages,
        apps=list(apps.get(item.code, ())),
    )


def item_guide(catalogue: Catalogue, entry: Entry, apps: Links, lang: str) -> ItemGuide:
    """Everything known about an item."""
    item = entry.item
    guide = ItemGuide(
        code=item.code,
        name=pick(item.name, lang),
        department=_named(item.department, catalogue.departments, lang),
        subject=item.subject,
        kind=_named(item.kind, catalogue.kinds, lang) if item.kind else None,
        stages=item.stages,
        events=[_named(event, catalogue.events, lang) for event in item.events],
        words=[word for word in item.words if word.isascii() == (lang != "zh-CN")],
        conditions=catalogue.words.conditions(entry.when, lang) if entry.when else None,
        window=catalogue.words.window(entry.window, lang) if entry.window else None,
        time=_time(catalogue, item, lang),
        fee=_fee(catalogue, item, lang),
        materials=_texts(item.materials, lang),
        steps=_texts(item.steps, lang),
        sources=[source(catalogue, name, lang) for name in entry.laws],
        apps=list(apps.get(item.code, ())),
        unknown=[],
        valid_from=entry.valid_from,
    )
    guide.unknown.extend(name for name in MAY_BE_UNKNOWN if getattr(guide, name) is None)
    return guide


def source(catalogue: Catalogue, name: str, lang: str) -> Source:
    """Where a law figure comes from, and what it says."""
    figure = catalogue.law.figure(name)
    return Source(pick(figure.source, lang), pick(figure.note, lang) if figure.note else None)


def stage_views(catalogue: Catalogue, lang: str) -> list[StageView]:
    """The stages of life, in life's order."""
    return [
        StageView(
            code=code,
            name=pick(stage.name, lang),
            summary=pick(stage.summary, lang),
            items=sum(code in entry.item.stages for entry in catalogue.entries),
        )
        for code, stage in catalogue.stages.items()
    ]


def department_views(catalogue: Catalogue, lang: str) -> list[DepartmentView]:
    """The departments, by code."""
    return [
        DepartmentView(
            code=code,
            name=pick(catalogue.departments[code], lang),
            items=sum(entry.item.department == code for entry in catalogue.entries),
        )
        for code in sorted(catalogue.departments)
    ]


def _named(code: str, names: Mapping[str, Text], lang: str) -> Named:
    return Named(code, pick(names[code], lang))


def _texts(texts: Sequence[Text] | None, lang: str) -> list[str] | None:
    return None if texts is None else [pick(text, lang) for text in texts]


def _time(catalogue: Catalogue, item: Item, lang: str) -> str | None:
    if item.time is None:
        return None
    days = catalogue.law.number(item.time)
    if catalogue.law.figure(item.time).unit == "working_days":
        return translate(lang, "{days} working days", days=days)
    return translate(lang, "{days} days", days=days)


def _fee(catalogue: Catalogue, item: Item, lang: str) -> str | None:
    if item.fee is None:
        return None
    amount_minor = catalogue.law.number(item.fee)
    if not amount_minor:
        return translate(lang, "Free of charge")
    return translate(lang, "{amount} yuan", amount=yuan(amount_minor))
