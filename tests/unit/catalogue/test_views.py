"""Which app does an item: what the manifests of working shops say, and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec

from civicmall.catalogue import AppLink, Catalogue, item_guide, links
from civicmall.shops import Registry, ShopEntry
from shopkit import Manifest

SHOP: dict[str, Any] = {
    "id": "water_works", "version": "1.0.0", "contract": 1, "icon": "drop",
    "name": {"zh-CN": "水务", "en": "Water"}, "summary": {"zh-CN": "水务", "en": "Water"},
    "department": {"zh-CN": "水务局", "en": "Water"}, "settlement_account": "water",
    "contacts": {"responsible": {"zh-CN": "王工"}, "phone": "12345"},
    "apps": [
        {"id": app, "name": {"zh-CN": name, "en": english}, "icon": "drop",
         "summary": {"zh-CN": name, "en": english}, "capabilities": ["progress"],
         "items": ["water_payment"]}
        for app, name, english in (("bill", "水费", "Bill"), ("meter", "水表", "Meter"))
    ],
}  # fmt: skip
MANIFEST = msgspec.convert(SHOP, Manifest)


def test_every_app_that_does_it_is_named(catalogue: Catalogue) -> None:
    apps = links(Registry([ShopEntry("water_works", "live", MANIFEST)]), "en")
    assert apps == {
        "water_payment": [
            AppLink("water_works", "bill", "Bill"), AppLink("water_works", "meter", "Meter"),
        ]
    }  # fmt: skip
    guide = item_guide(catalogue, catalogue.entry("water_payment"), apps, "en")
    assert guide.apps == apps["water_payment"]


def test_a_shop_that_does_not_work_does_nothing() -> None:
    broken = [
        ShopEntry("water_works", "broken", MANIFEST, reason="does not import"),
        ShopEntry("gas_works", "broken", None, reason="no manifest"),
    ]
    assert links(Registry(broken), "en") == {}
