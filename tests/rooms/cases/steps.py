"""What the tests of this room do again and again."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from tests import workshop
from tests.citizens import caller
from tests.city import City

from civicmall import cases
from civicmall.identity import Caller
from civicmall.kernel.clock import Clock
from civicmall.shops import Registry

PNG: Final = b"\x89PNG\r\n\x1a\n" + b"picture " * 20
PDF: Final = b"%PDF-1.7\n" + b"page " * 20
_phones = itertools.count(1)


class Later(Clock):
    """A clock that a test may put forward."""

    def __init__(self) -> None:
        self.forward = timedelta()

    def now(self) -> datetime:
        return super().now() + self.forward


def number(example: int, zh: str, en: str, **more: Any) -> dict[str, Any]:
    """A whole number of a form in the manifest."""
    return {
        "type": "integer", "x-label": {"zh-CN": zh, "en": en}, "x-example": example,
        "minimum": 1, **more,
    }  # fmt: skip


def form(**fields: Any) -> dict[str, Any]:
    """A form in the manifest; every field is required."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def office_registry(folder: Path) -> tuple[str, Registry]:
    """The office and the checkout's own shops beside it; and the office's id."""
    name = workshop.unique("office")
    amount = number(12_000, "金额", "Amount", **{"x-kind": "money"})
    apps = [
        workshop.app("permit", "apply"),
        workshop.app("plain", "apply"),
        workshop.app(
            "private", "apply", min_level=2,
            claims=[{"name": "id_number", "purpose": workshop.text("to find you")}],
        ),
        workshop.app("visits", "appointments"),
        workshop.app(
            "sums", "calculate",
            forms={"calculate": form(amount=amount, months=number(12, "月数", "Months", maximum=360))},
        ),
        workshop.app(
            "records", "enquire", forms={"enquire": form(year=number(2026, "年份", "Year"))}
        ),
    ]  # fmt: skip
    said = workshop.manifest(name, apps, contract=2, limits={"timeout_ms": 5_000})
    workshop.build(folder, said, Path(__file__).with_name("office.py").read_text())
    return name, workshop.beside_ours(folder)


class Applicant:
    """Somebody at level 1, whom the office asks for nothing."""

    def __init__(self, city: City, http: httpx.AsyncClient, citizen_id: UUID, shop: str) -> None:
        self.city = city
        self.http = http
        self.id = citizen_id
        self.shop = shop

    @property
    def caller(self) -> Caller:
        """As the verbs know them."""
        return caller(self.id)

    async def hand_in(
        self, body: bytes = PNG, media: str = "image/png", key: str = ""
    ) -> httpx.Response:
        """Upload one file."""
        headers = {"content-type": media, "idempotency-key": key or uuid4().hex}
        return await self.http.post("/v1/cases/materials", content=body, headers=headers)

    async def paper(self, code: str = "photo", **more: Any) -> dict[str, str]:
        """A file that was handed in, as a material of a form."""
        answer = await self.hand_in(**more)
        assert answer.status_code == 201, answer.text
        return {"code": code, "id": answer.json()["id"]}

    async def ask(
        self,
        end: str = "accept",
        key: str = "",
        app: str = "plain",
        materials: Any = (),
        **form: Any,
    ) -> httpx.Response:
        """Hand in a form."""
        said = {
            "shop": self.shop, "app": app, "form": {"name": "李四光明", "end": end, **form},
            "materials": list(materials),
        }  # fmt: skip
        headers = {"idempotency-key": key or uuid4().hex}
        return await self.http.post("/v1/cases", json=said, headers=headers)

    async def applied(self, end: str = "accept", **more: Any) -> dict[str, Any]:
        """A case that was taken in."""
        answer = await self.ask(end, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def look(self, case: dict[str, Any]) -> dict[str, Any]:
        """The case with all that is known of it."""
        answer = await self.http.get(f"/v1/cases/{case['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def supplement(
        self, case: dict[str, Any], key: str = "", materials: Any = (), **form: Any
    ) -> httpx.Response:
        """Bring something."""
        return await self.http.post(
            f"/v1/cases/{case['id']}/supplements",
            json={"form": form, "materials": list(materials)},
            headers={"idempotency-key": key or uuid4().hex},
        )

    async def withdraw(self, case: dict[str, Any]) -> httpx.Response:
        """Take it back."""
        return await self.http.post(f"/v1/cases/{case['id']}/withdrawal")

    async def messages(self) -> list[str]:
        """Kinds of the messages in the inbox, newest first."""
        await self.city.settled()
        found = (await self.http.get("/v1/inbox")).json()["items"]
        return [message["kind"] for message in found]


async def applicant(city: City, shop: str) -> Applicant:
    """Somebody new, signed in the short way."""
    client, citizen = await city.short(f"1670{next(_phones):07d}")
    return Applicant(city, client, citizen, shop)


async def beat(city: City) -> None:
    """One run of the job that looks after cases."""
    await cases.look_after(city.house, city.parts.gateway)
