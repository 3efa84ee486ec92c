"""What several pages show: apps by name, bills with where they are paid, facts in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, cast

from msgspec import Struct

from civicmall.catalogue import Attribute, Catalogue
from civicmall.catalogue import day as long_day
from civicmall.gateway import OwedBill, TileState
from civicmall.identity import AttributeView, Profile
from civicmall.kernel.i18n import pick, translate
from civicmall.shops import NoSuchShop, Registry
from shopkit import Bill


class AppName(Struct, frozen=True):
    """An app and its shop, in one language."""

    shop: str
    app: str
    name: str
    icon: str
    shop_name: str
    department: str


def app_names(registry: Registry, lang: str) -> dict[str, AppName]:
    """Every app by `shop/app`."""
    return {
        f"{shop.id}/{app.id}": AppName(
            shop.id, app.id, app.name, app.icon, shop.name, shop.department
        )
        for shop in registry.views(lang)
        for app in shop.apps
    }


class Due(Struct, frozen=True):
    """What is owed, in sum. Amounts in 分."""

    bills: list[OwedBill]
    amount_minor: int
    overdue: int
    next_on: date | None
    """The first day that has not passed by which something is due."""


def due(owed: Iterable[OwedBill]) -> Due:
    """The bills that are not paid, oldest first."""
    bills = [one for one in owed if one.bill.state != "paid"]
    return Due(
        bills,
        sum(one.bill.amount_minor for one in bills),
        sum(one.bill.state == "overdue" for one in bills),
        min((one.bill.due_on for one in bills if one.bill.state == "owed"), default=None),
    )


def owed_at(shop: str, app: str, bills: Iterable[Bill]) -> list[OwedBill]:
    """Bills of one app, as lists of several apps' bills have them."""
    return [OwedBill(shop, app, bill) for bill in bills]


class Tile(Struct, frozen=True):
    """An app that has something to tell about itself, and what mends it."""

    app: AppName
    state: TileState


def tiles(found: Mapping[str, TileState], names: Mapping[str, AppName]) -> list[Tile]:
    """Those that are not simply in order."""
    return [
        Tile(names[key], state) for key, state in found.items() if state != "ok" and key in names
    ]


class FactView(Struct, frozen=True):
    """A fact about the citizen in words."""

    attribute: str
    label: str
    value: str
    declared: bool
    """The citizen's own word; else a register's."""


class FactField(Struct, frozen=True):
    """A fact that the citizen may tell."""

    attribute: str
    label: str
    type: str
    unit: str
    options: list[tuple[str, str]]
    value: str


def facts(catalogue: Catalogue, profile: Profile, lang: str) -> list[FactView]:
    """What is known of a citizen, in the vocabulary's order."""
    return [
        FactView(name, pick(attribute.label, lang), said, name in profile.declared)
        for name, attribute in catalogue.vocabulary.items()
        if name in profile.facts and (said := in_words(attribute, profile.facts[name], lang))
    ]


def fields(catalogue: Catalogue, profile: Profile, lang: str) -> list[FactField]:
    """What a citizen may tell, with what they told before; what a register knows is not asked."""
    return [
        FactField(
            name,
            pick(attribute.question or attribute.label, lang),
            attribute.type,
            pick(attribute.unit, lang) if attribute.unit else "",
            [(value, pick(label, lang)) for value, label in attribute.values.items()],
            _raw(profile.facts.get(name)),
        )
        for name, attribute in catalogue.vocabulary.items()
        if attribute.declared and (name not in profile.facts or name in profile.declared)
    ]


class OtherSaid(Struct, frozen=True):
    """What another source says."""

    source: str
    value: str
    as_of: date


class KnownView(Struct, frozen=True):
    """A fact with its source and date, in words. `by`: the source as forms name it, where one may object
    to it; `own`: it can be forgotten here.
    """

    attribute: str
    label: str
    value: str
    source: str
    by: str
    own: bool
    as_of: date
    recommend: bool
    disputed: bool
    others: list[OtherSaid]


def known(
    catalogue: Catalogue, registry: Registry, found: Iterable[AttributeView], lang: str
) -> list[KnownView]:
    """What is known of a citizen, in the vocabulary's order."""
    by_name = {one.name: one for one in found}
    return [
        KnownView(
            name,
            pick(attribute.label, lang),
            in_words(attribute, one.value, lang),
            source(registry, one.source, lang),
            "" if one.source == "self" else one.source,
            one.source == "self",
            one.as_of,
            one.recommend,
            one.disputed_at is not None,
            [
                OtherSaid(
                    source(registry, o.source, lang), in_words(attribute, o.value, lang), o.as_of
                )
                for o in one.others
            ],
        )
        for name, attribute in catalogue.vocabulary.items()
        if (one := by_name.get(name)) is not None
    ]


def source(registry: Registry, name: str, lang: str) -> str:
    """Who says something, in words; a shop that has left by the name that it had."""
    if name in {"self", "register"}:
        return translate(lang, "your own word" if name == "self" else "from the register")
    try:
        return pick(registry.name(name), lang)
    except NoSuchShop:
        return name


def _raw(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def in_words(attribute: Attribute, value: Any, lang: str) -> str:
    """A fact's value for people; empty where it can't be read as its attribute's type."""
    if isinstance(value, list):
        between = "、" if lang == "zh-CN" else ", "
        days = (
            cast("dict[str, Any]", child).get("birth_date")
            for child in cast("list[Any]", value)
            if isinstance(child, dict)
        )
        return between.join(_day(day, lang) for day in days)
    if attribute.values:
        label = attribute.values.get(_raw(value))
        return pick(label, lang) if label else ""
    if attribute.type == "date":
        return _day(value, lang)
    unit = pick(attribute.unit, lang) if attribute.unit else ""
    return f"{value} {unit}".strip() if lang != "zh-CN" else f"{value}{unit}"


def _day(value: Any, lang: str) -> str:
    try:
        return long_day(date.fromisoformat(str(value)), lang)
    except ValueError:
        return ""
