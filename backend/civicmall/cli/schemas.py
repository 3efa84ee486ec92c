"""`civicmall schemas`: what other programs read, generated so that it can't differ from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from civicmall import app, cases, catalogue, openapi, payments, ratings
from civicmall.kernel.config import Settings
from civicmall.shops import Registry
from shopkit import Manifest
from shopkit.answers import TYPES

FOLDER: Final = Path(__file__).parents[3] / "schemas"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def write(*, check: bool) -> list[str]:
    """Write (or with `check` only compare) every document; answers the names that differed."""
    stale: list[str] = []
    for name, document in documents().items():
        path = FOLDER / name
        text = msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=1) + b"\n"
        if not path.exists() or path.read_bytes() != text:
            stale.append(name)
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text)
    return stale


def documents() -> dict[str, Any]:
    """Every document by file name."""
    settings = Settings(database_url="", data_dir=Path())
    outermost = app.create_app(settings, Registry([]))
    return {
        "openapi.json": openapi.document(outermost.app),
        "shop-manifest.schema.json": _schema(Manifest, "A shop's shop.json"),
        "shop-contract.schema.json": _many(TYPES, "What a shop answers, by operation"),
        "catalogue-item.schema.json": _schema(catalogue.Item, "A service item of the catalogue"),
        "events.schema.json": _many(
            {
                str(e.__struct_config__.tag): e
                for e in (*payments.EVENTS, *cases.EVENTS, *ratings.EVENTS)
            },
            "Events of the outbox, by type",
        ),
    }


def _schema(kind: Any, title: str) -> dict[str, Any]:
    return {"$schema": DIALECT, "title": title, **msgspec.json.schema(kind)}


def _many(kinds: dict[str, Any], title: str) -> dict[str, Any]:
    names = sorted(kinds)
    found, defs = msgspec.json.schema_components(
        [kinds[name] for name in names], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": DIALECT,
        "title": title,
        "properties": dict(zip(names, found, strict=True)),
        "$defs": defs,
    }
