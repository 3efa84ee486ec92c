"""Calls of Alipay's gateway: signed by us, answered with a signature that must hold."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from civicmall.kernel.clock import CITY
from civicmall.kernel.house import House
from civicmall.payments.channels import keys
from civicmall.payments.channels.outward import MALFORMED, Outward

from . import rules
from .models import AlipaySettings, Said

FORM: Final = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
S = TypeVar("S", bound=Said)


def own_key(settings: AlipaySettings) -> RSAPrivateKey:
    """What we sign with. Raises BadSetting."""
    return keys.private_key("CIVICMALL_ALIPAY_PRIVATE_KEY", settings.private_key)


def their_keys(settings: AlipaySettings) -> list[RSAPublicKey]:
    """What we believe Alipay by. Raises BadSetting."""
    return keys.public_keys("CIVICMALL_ALIPAY_PUBLIC_KEY", settings.public_key)


class Gateway:
    """One application's way to the open platform."""

    def __init__(
        self, name: str, house: House, client: httpx.AsyncClient, settings: AlipaySettings
    ) -> None:
        self.outward = Outward(name, client)
        self._house = house
        self._settings = settings
        self._key = own_key(settings)
        self._theirs = their_keys(settings)

    def signed(self, method: str, content: Mapping[str, Any], **more: str) -> dict[str, str]:
        """All parameters of a request; `more` are `notify_url` and `return_url`."""
        now = self._house.clock.now().astimezone(CITY)
        params = {
            "app_id": self._settings.app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{now:%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            "biz_content": rules.business(content),
            **more,
        }
        return {**params, "sign": keys.sign(self._key, rules.canonical(params))}

    def link(self, method: str, content: Mapping[str, Any], **more: str) -> str:
        """A request that a browser makes by opening it."""
        return f"{self._settings.gateway}?{urlencode(self.signed(method, content, **more))}"

    async def ask(self, method: str, content: Mapping[str, Any], answer: type[S]) -> S:
        """One call; `code` is 10000, or 40004 with its `sub_code`. Raises ChannelAway."""
        params = self.signed(method, content)
        body = urlencode({"biz_content": params.pop("biz_content")}).encode()
        got = await self.outward.ask(
            "POST", f"{self._settings.gateway}?{urlencode(params)}", FORM, body
        )
        if got.status != HTTPStatus.OK:
            raise self.outward.away(f"{method}: {got.status}")
        try:
            raw, signature = rules.sliced(got.body, method)
            if not self.is_theirs(raw, signature):
                raise self.outward.away(f"{method}: signature")
            said = msgspec.json.decode(raw, type=answer)
        except MALFORMED as error:
            raise self.outward.away(f"{method}: malformed") from error
        if said.code not in {rules.DONE, rules.REFUSED}:
            raise self.outward.away(f"{method}: {said.code} {said.sub_code}"[:100])
        return said

    def is_theirs(self, signed: bytes, signature: str) -> bool:
        """Whether Alipay signed it, with any of the keys that we believe."""
        return any(keys.is_signed(key, signed, signature) for key in self._theirs)
