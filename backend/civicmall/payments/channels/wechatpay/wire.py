"""Calls of WeChat Pay's API v3: signed by us, answered with a signature that must hold."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate
from msgspec import Struct

from civicmall.kernel import logs
from civicmall.kernel.config import BadSetting
from civicmall.kernel.house import House
from civicmall.payments.channels import keys
from civicmall.payments.channels.outward import MALFORMED, Answer, Outward, is_at
from civicmall.payments.errors import ChannelAway, ForgedCallback
from civicmall.payments.rules import CALLBACK_SKEW_S

from . import rules
from .models import Certificates, Refusal, WechatpaySettings

log = logs.get("payments")
JSON: Final = {"accept": "application/json", "content-type": "application/json"}
CERTIFICATES: Final = "/v3/certificates"
ASK_AGAIN_S: Final = 60.0
"""Unknown serial numbers cost one question a minute, however many strangers send them."""
S = TypeVar("S", bound=Struct)


class Wire:
    """One merchant's way to WeChat Pay, and the keys that its answers are checked with.

    Those are the public key in the settings, and the platform's certificates, which are asked for
    when a serial number is unknown: so a change of certificates needs nobody.
    """

    def __init__(
        self, name: str, house: House, client: httpx.AsyncClient, settings: WechatpaySettings
    ) -> None:
        self.outward = Outward(name, client)
        self._house = house
        self._settings = settings
        self._key = own_key(settings)
        self._fixed = their_keys(settings)
        self._certified: dict[str, RSAPublicKey] = {}
        self._asked_at: float | None = None
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        """One call; its answer is a success or a refusal, and signed. Raises ChannelAway.

        A refusal may lack a signature (those of the gateway before the service do), but one that
        is there must hold.
        """
        got = await self._send(method, path, body)
        if got.status >= HTTPStatus.INTERNAL_SERVER_ERROR or got.status in {401, 429}:
            raise self.outward.away(f"{path[:40]}: {got.status} {refusal(got)}")
        bare = got.status >= HTTPStatus.BAD_REQUEST and "wechatpay-signature" not in got.headers
        if not bare and not await self._holds(got.headers, got.body):
            raise self.outward.away(f"{path[:40]}: signature")
        return got

    async def _send(self, method: str, path: str, body: Any) -> Answer:
        text = b"" if body is None else msgspec.json.encode(body)
        return await self.outward.ask(
            method, self._settings.gateway + path, self._headers(method, path, text), text
        )

    def _headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        stamp, nonce = str(int(self._house.clock.now().timestamp())), secrets.token_hex(16)
        signature = keys.sign(
            self._key, rules.request_text(method, path, stamp, nonce, body.decode())
        )
        signed = rules.authorization(
            self._settings.mchid, self._settings.serial, stamp, nonce, signature
        )
        wanted = {"wechatpay-serial": self._settings.public_key_id} if self._fixed else {}
        return {**JSON, "authorization": signed, **wanted}

    def read(self, got: Answer, kind: type[S]) -> S:
        """A success as what it should be. Raises ChannelAway."""
        if got.status != HTTPStatus.OK:
            raise self.outward.away(f"{got.status} {refusal(got)}")
        try:
            return msgspec.json.decode(got.body, type=kind)
        except MALFORMED as error:
            raise self.outward.away(f"malformed {kind.__name__}") from error

    async def fetch(self, url: str) -> SpooledTemporaryFile[bytes]:
        """A file at WeChat Pay's own address; ours is signed, theirs isn't. Raises ChannelAway."""
        if not is_at(url, self._settings.gateway):
            raise self.outward.away("file: not at the gateway")
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        return await self.outward.fetch(
            self._settings.gateway + path, self._headers("GET", path, b"")
        )

    async def _holds(self, headers: Mapping[str, str], body: bytes) -> bool:
        try:
            self.check(headers, body)
        except ForgedCallback as forged:
            if forged.extra["reason"] != "serial":
                return False
            await self.renew()
            try:
                self.check(headers, body)
            except ForgedCallback:
                return False
        return True

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """That WeChat Pay has just signed this. Raises ForgedCallback, whose `reason` is `serial`
        where it may be a certificate that we don't know yet.
        """
        stamp = headers.get("wechatpay-timestamp", "")
        nonce = headers.get("wechatpay-nonce", "")
        signature = headers.get("wechatpay-signature", "")
        serial = headers.get("wechatpay-serial", "")
        scheme = headers.get("wechatpay-signature-type", rules.SCHEME)
        if not stamp.isascii() or not stamp.isdecimal() or not nonce or not signature:
            raise ForgedCallback(reason="headers-missing")
        if scheme != rules.SCHEME:
            raise ForgedCallback(reason="signature")
        key = self._fixed.get(serial) or self._certified.get(serial)
        if key is None:
            raise ForgedCallback(reason="serial")
        if not keys.is_signed(key, rules.answer_text(stamp, nonce, body), signature):
            raise ForgedCallback(reason="signature")
        if abs(self._house.clock.now().timestamp() - int(stamp)) > CALLBACK_SKEW_S:
            raise ForgedCallback(reason="timestamp")

    def renew_later(self) -> None:
        """Ask for the certificates while nobody waits: WeChat Pay repeats its callback soon."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._renew_quietly())

    async def _renew_quietly(self) -> None:
        try:
            await self.renew()
        except ChannelAway:
            log.warning("wechatpay.no_certificates")

    async def renew(self) -> None:
        """Ask for the platform's certificates, if it wasn't done just now. Raises ChannelAway.

        They are sealed with the key that only WeChat Pay and we have: that is what makes them
        theirs; the answer's signature must fit one of them.
        """
        now = self._house.clock.monotonic()
        if self._asked_at is not None and now - self._asked_at < ASK_AGAIN_S:
            return
        self._asked_at = now
        got = await self._send("GET", CERTIFICATES, None)
        try:
            kept = self._certified
            self._certified = self._opened(self.read(got, Certificates))
        except MALFORMED as error:
            raise self.outward.away("certificates: malformed") from error
        try:
            self.check(got.headers, got.body)
        except ForgedCallback as error:
            self._certified = kept
            raise self.outward.away("certificates: signature") from error

    def _opened(self, said: Certificates) -> dict[str, RSAPublicKey]:
        found: dict[str, RSAPublicKey] = {}
        now = self._house.clock.now()
        for one in said.data:
            pem = rules.unseal(one.encrypt_certificate, self._settings.apiv3_key)
            certificate = load_pem_x509_certificate(pem)
            key = certificate.public_key()
            is_now = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
            if is_now and isinstance(key, RSAPublicKey):
                found[one.serial_no] = key
        return found


def refusal(got: Answer) -> str:
    """The code of an answer with an error; empty where it has none that can be read."""
    try:
        return msgspec.json.decode(got.body, type=Refusal).code[:60]
    except MALFORMED:
        return ""


def own_key(settings: WechatpaySettings) -> RSAPrivateKey:
    """What we sign with. Raises BadSetting."""
    return keys.private_key("CIVICMALL_WECHATPAY_PRIVATE_KEY", settings.private_key)


def their_keys(settings: WechatpaySettings) -> dict[str, RSAPublicKey]:
    """The public key in the settings, by its id; empty in the mode with certificates.

    Raises BadSetting.
    """
    if not settings.public_key and not settings.public_key_id:
        return {}
    for name, said in (
        ("CIVICMALL_WECHATPAY_PUBLIC_KEY", settings.public_key),
        ("CIVICMALL_WECHATPAY_PUBLIC_KEY_ID", settings.public_key_id),
    ):
        if not said:
            raise BadSetting(name, "missing; the public key and its id belong together")
    found = keys.public_keys("CIVICMALL_WECHATPAY_PUBLIC_KEY", settings.public_key)
    return {settings.public_key_id: found[0]}
