"""What a served shop asks the platform, signed with its own key: materials; and what it tells it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

import httpx
import msgspec

from ..contract import Attestation, Attested, CaseNews  # noqa: TID252 (the package is one thing)
from ..errors import Unavailable  # noqa: TID252 (the same)
from ..keys import Key  # noqa: TID252 (the same)
from ..signatures import CALLBACK_TAG, Signer  # noqa: TID252 (the same)
from .clock import seconds

MATERIAL_MAX: Final = 32 * 1024 * 1024
"""Bytes of one material that are taken into memory."""
UNFIT: Final = 422
UNKNOWN: Final = 404
WAIT_S: Final = 20.0
"""For one material: a scan of some megabytes over a slow line."""


class PlatformClient:
    """The platform at `url`, as the shop `shop_id` with its key sees it. Close it when done."""

    def __init__(
        self, url: str, shop_id: str, key: Key, *,
        transport: Any = None, clock: Callable[[], float] = seconds,
    ) -> None:  # fmt: skip
        self._url = url.rstrip("/")
        self._prefix = urlsplit(self._url).path
        self._shop = shop_id
        self._signer = Signer(key.private, shop_id, CALLBACK_TAG)
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=WAIT_S, trust_env=False, transport=transport)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def material(self, case_id: str, material: str) -> bytes:
        """The bytes of one material of a case. Raises Unavailable where they can't be had."""
        path = f"{self._case(case_id)}/materials/{quote(material, safe='')}"
        headers = self._signer.headers("GET", path, "", None, None, now=int(self._clock()))
        try:
            async with self._client.stream("GET", self._at(path), headers=headers) as answer:
                if not answer.is_success:
                    raise Unavailable(f"a material: the platform answered {answer.status_code}")
                return await _body(answer)
        except httpx.HTTPError as error:
            raise Unavailable(f"a material: {type(error).__name__}") from error

    async def tell(self, case_id: str, news: CaseNews) -> None:
        """The answer that was pending, or that a case moved on. Raises Unavailable: tell it again."""
        path, body = self._case(case_id), msgspec.json.encode(news)
        headers = self._signer.headers("POST", path, "", body, None, now=int(self._clock()))
        headers.append((b"content-type", b"application/json"))
        try:
            answer = await self._client.post(self._at(path), content=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"news of a case: {type(error).__name__}") from error
        if not answer.is_success:
            raise Unavailable(f"news of a case: the platform answered {answer.status_code}")

    async def attest(self, sub: str, said: Attestation) -> None:
        """What the department's records say of a citizen whom it serves. Raises ValueError where
        the platform can't take it, LookupError where it knows no such citizen here, Unavailable: tell
        it again.
        """
        path = f"{self._prefix}/v1/callbacks/{self._shop}/attestations"
        now = int(self._clock())
        told = Attested(
            "1.0", uuid4().hex, "city.civicmall.citizen.attested", f"/shops/{self._shop}", sub,
            datetime.fromtimestamp(now, UTC), said,
        )  # fmt: skip
        body = msgspec.json.encode(told)
        headers = self._signer.headers("POST", path, "", body, None, now=now)
        headers.append((b"content-type", b"application/cloudevents+json"))
        try:
            answer = await self._client.post(self._at(path), content=body, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"an attestation: {type(error).__name__}") from error
        if answer.status_code == UNFIT:
            raise ValueError(f"{said.name}: the platform can't take it")
        if answer.status_code == UNKNOWN:
            raise LookupError(f"{sub}: the platform knows no such citizen of this shop")
        if not answer.is_success:
            raise Unavailable(f"an attestation: the platform answered {answer.status_code}")

    def _case(self, case_id: str) -> str:
        return f"{self._prefix}/v1/callbacks/{self._shop}/cases/{quote(case_id, safe='')}"

    def _at(self, path: str) -> str:
        return self._url.removesuffix(self._prefix) + path if self._prefix else self._url + path


async def _body(answer: httpx.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_bytes():
        size += len(part)
        if size > MATERIAL_MAX:
            raise Unavailable(f"a material of more than {MATERIAL_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


async def no_platform(case_id: str, material: str) -> bytes:
    """Stands for the platform where a shop is served without one."""
    raise Unavailable(f"no platform to fetch {material} of {case_id} from (--platform)")


async def nobody_to_tell(sub: str, said: Attestation) -> None:
    """Stands for the platform in the same case."""
    raise Unavailable(f"no platform to tell {said.name} of {sub} (--platform)")
