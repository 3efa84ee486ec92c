"""The part of the tour in which a shop at an address of its own takes a case and calls back."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import msgspec
from litestar import Litestar, post
from tests.city import City
from tests.serving import served
from tests.workshop import app, manifest, text

from shopkit.keys import Key
from shopkit.signatures import CALLBACK_TAG, Signer

SHOP: Final = "street_trees"
KEY: Final = Key(b"t" * 32)
JPEG: Final = b"\xff\xd8\xff\xe0" + b"tree " * 20
FORM: Final = {
    "type": "object",
    "properties": {
        "street": {"type": "string", "x-label": text("路段"), "x-example": "清河路"},
    },
    "required": ["street"],
}


def shop() -> Litestar:
    """Takes every application and answers later."""

    @post("/v2/apps/felling/apply.form", status_code=200)
    async def form() -> dict[str, Any]:
        photo = {"code": "photo", "name": text("照片")}
        return {"title": text("树木修剪"), "schema": FORM, "materials": [photo]}

    @post("/v2/apps/felling/apply.submit", status_code=202)
    async def submit() -> dict[str, Any]:
        return {"state": "pending", "callback_by": datetime.now(UTC) + timedelta(days=2)}

    return Litestar([form, submit], openapi_config=None)


async def away(t: Any, city: City, c: httpx.AsyncClient, publish: Any) -> None:
    """From the application to the department's late yes. `publish` brings a manifest live."""
    async with served(shop()) as url:
        said = manifest(
            SHOP, [app("felling", "apply")], contract=2, runtime={"url": url, "key": KEY.text},
            attests=[{"name": "moved_on", "basis": text("绿化认养登记")}],
        )  # fmt: skip
        await publish(said)
        paper = await c.post(
            "/v1/cases/materials", content=JPEG,
            headers={"content-type": "image/jpeg", "idempotency-key": "tour-tree-photo"},
        )  # fmt: skip
        material = paper.json()["id"]
        ask = {"shop": SHOP, "app": "felling", "form": {"street": "清河路"},
               "materials": [{"code": "photo", "id": material}]}  # fmt: skip
        made = await c.post("/v1/cases", json=ask, headers={"idempotency-key": "tour-tree"})
        assert made.is_success, made.text
        nobody = await city.anonymous()
        case = "/v1/callbacks/{shop}/cases/{case}"
        at = {"shop": SHOP, "case": made.json()["id"]}
        fetch = case + "/materials/{material}"
        signed = _signed("GET", fetch.format(**at, material=material), None)
        await t.go(nobody, "GET", fetch, headers=signed, material=material, **at)
        await _attested(t, city, c, nobody)
        news = {"outcome": {"state": "accepted", "reference": "T-7", "due_on": "2026-12-24"}}
        signed = _signed("POST", case.format(**at), msgspec.json.encode(news))
        await t.go(nobody, "POST", case, news, headers=signed, **at)


async def _attested(t: Any, city: City, c: httpx.AsyncClient, nobody: httpx.AsyncClient) -> None:
    me = UUID((await c.get("/v1/me")).json()["id"])
    told = {
        "specversion": "1.0", "id": "e-1", "type": "city.civicmall.citizen.attested",
        "source": f"/shops/{SHOP}", "subject": city.parts.gateway.gates.keys_of(SHOP).sub(me),
        "time": datetime.now(UTC).isoformat(),
        "data": {"name": "moved_on", "value": "2026-03-01", "as_of": "2026-03-02"},
    }  # fmt: skip
    path = "/v1/callbacks/{shop}/attestations"
    signed = _signed("POST", path.format(shop=SHOP), msgspec.json.encode(told))
    await t.go(nobody, "POST", path, told, headers=signed, shop=SHOP)


def _signed(method: str, path: str, body: bytes | None) -> dict[str, str]:
    signer = Signer(KEY.private, SHOP, CALLBACK_TAG)
    made = signer.headers(method, path, "", body, None, now=int(time.time()))
    return {name.decode(): value.decode() for name, value in made}
