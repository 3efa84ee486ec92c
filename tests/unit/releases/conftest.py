"""A manifest of a shop with an address of its own."""

from __future__ import annotations

import json

import pytest
from tests.workshop import app, text
from tests.workshop import manifest as workshop

from shopkit import Manifest
from shopkit.manifest import parse_manifest


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    """One app with bills, a claim, a raw path and a form."""
    field = {"type": "integer", "x-label": text("area"), "x-example": 3}
    said = workshop(
        "parking",
        [
            app(
                "fines", "bills", "raw", "enquire",
                min_level=2,
                claims=[{"name": "id_number", "purpose": text("to find your cars")}],
                raw=[{"method": "GET", "path": "/map"}],
                forms={"enquire": {"type": "object", "properties": {"area": field}, "additionalProperties": False}},
            )
        ],
        contract=2,
        runtime={"url": "https://parking.example/shop", "key": "A" * 43},
        egress=["meters.example"],
        attests=[{"name": "moved_on", "basis": {"zh-CN": "登记", "en": "the register"}}],
        webhooks={"events": ["rating.given"]},
    )  # fmt: skip
    return parse_manifest(json.dumps(said).encode())
