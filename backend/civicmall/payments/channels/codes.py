"""Payments that are begun by scanning a code: a page of ours shows it, and only codes of ours."""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from civicmall.kernel.house import House
from civicmall.payments.errors import CashierClosed

TEXT_MAX: Final = 600


class Codes:
    """Links to the page with a code; nobody else can make one that shows theirs under our name."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._key = house.keys.derive("cashier-code")

    def link(self, order_id: UUID, text: str) -> str:
        """Where the page is that shows `text` as a QR code."""
        asked = urlencode({"code": text, "token": self._token(order_id, text)})
        return f"{self._house.settings.public_url}/cashier/{order_id}?{asked}"

    def check(self, order_id: UUID, text: str, token: str) -> None:
        """That the link was made here. Raises CashierClosed."""
        if not hmac.compare_digest(token.encode(), self._token(order_id, text).encode()):
            raise CashierClosed(reason="token")

    def _token(self, order_id: UUID, text: str) -> str:
        return hmac.new(self._key, f"{order_id} {text}".encode(), "sha256").hexdigest()[:32]
