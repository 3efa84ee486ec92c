"""Every operation of the OpenAPI document has an example, and the example is true."""

from __future__ import annotations

import os
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from tests.api.tour import FILE, tour
from tests.city import City

METHODS = ("get", "post", "put", "delete", "patch")


async def test_the_tour_visits_every_operation(city: City) -> None:
    """RECORD=1 keeps what was seen as the document's examples."""
    document = (await (await city.anonymous()).get("/openapi.json")).json()
    operations = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in METHODS
        if method in methods
    }
    seen = await tour(city)
    assert set(seen) == operations
    if os.environ.get("RECORD"):
        kept = msgspec.json.encode(dict(sorted(seen.items())))
        FILE.write_bytes(msgspec.json.format(kept, indent=1) + b"\n")
    assert set(msgspec.json.decode(FILE.read_bytes())) == operations


async def test_every_example_fits_its_schema(city: City) -> None:
    document = (await (await city.anonymous()).get("/openapi.json")).json()
    found = 0
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                found += _fits(document, methods[method], f"{method} {path}")
    assert found > 80


def _fits(document: dict[str, Any], operation: dict[str, Any], name: str) -> int:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += [r for status, r in operation["responses"].items() if status.startswith("2")]
    found = 0
    for body in bodies:
        content = body.get("content", {}).get("application/json", {})
        if "example" not in content:
            continue
        schema = {**content["schema"], "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema)
        errors = [error.message for error in validator.iter_errors(content["example"])]
        if errors:
            pytest.fail(f"{name}: {errors[:3]}")
        found += 1
    return found
