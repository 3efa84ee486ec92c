"""Alipay: pages of the open platform that payers are sent to, notices, queries, refunds, bills."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Final

import httpx
import msgspec

from civicmall.kernel.clock import CITY
from civicmall.kernel.config import declared
from civicmall.kernel.house import House
from civicmall.payments.channels import agents, amounts, statements
from civicmall.payments.channels.outward import check_gateway, origin
from civicmall.payments.errors import ForgedCallback
from civicmall.payments.models import Agent, Cashier, OrderRow, Paid, RefundAsk, RefundSaid

from . import rules, statement
from .gateway import Gateway, own_key, their_keys
from .models import AlipaySettings, BillAddress, Notice, Refunded, RefundStatus, Said, Trade

PAGE: Final = ("alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY")
WAP: Final = ("alipay.trade.wap.pay", "QUICK_WAP_WAY")
"""Method and product: 电脑网站支付, 手机网站支付."""


def open_alipay(house: House, client: httpx.AsyncClient, env: Mapping[str, str]) -> Alipay | None:
    """The channel, where its settings are there. Raises BadSetting."""
    settings = set_up(env)
    return None if settings is None else Alipay(house, client, settings)


def set_up(env: Mapping[str, str]) -> AlipaySettings | None:
    """What the city says of its account, and that it can be used. Raises BadSetting."""
    settings = declared(AlipaySettings, env)
    if settings is not None:
        check_gateway("CIVICMALL_ALIPAY_GATEWAY", settings.gateway)
        own_key(settings)
        their_keys(settings)
    return settings


class Alipay:
    """Alipay as a channel of the payment centre."""

    name = "alipay"
    title: Mapping[str, str] = {"zh-CN": "支付宝", "en": "Alipay"}

    def __init__(self, house: House, client: httpx.AsyncClient, settings: AlipaySettings) -> None:
        self._house = house
        self._settings = settings
        self._gate = Gateway(self.name, house, client, settings)

    async def prepare(self, order: OrderRow, agent: Agent) -> Cashier:
        """A signed link. Alipay makes the trade when its payer signs in there, and lets nobody pay
        after the order's end.
        """
        method, product = WAP if agents.is_phone(agent) else PAGE
        public = self._house.settings.public_url
        content = {
            "out_trade_no": order.id.hex,
            "total_amount": amounts.yuan(order.amount_minor),
            "subject": f"便民缴费 {order.id}",
            "product_code": product,
            "time_expire": f"{order.expires_at.astimezone(CITY):%Y-%m-%d %H:%M:%S}",
        }
        url = self._gate.link(
            method, content, notify_url=f"{public}/v1/channels/{self.name}/callbacks",
            return_url=f"{public}/orders/{order.id}?from=bank",
        )  # fmt: skip
        return Cashier(order.id, self.name, order.amount_minor, url, "", order.expires_at)

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Paid | RefundSaid | None:
        """A notice: form fields, signed but for `sign` and `sign_type`. Raises ForgedCallback.

        An old one is taken as well as a new one: Alipay repeats a notice for a day, and what was
        posted once is not posted again.
        """
        del headers
        fields = rules.form(body)
        rsa2 = fields.get("sign_type") == "RSA2"
        if not rsa2 or not self._gate.is_theirs(rules.signed_part(fields), fields.get("sign", "")):
            raise ForgedCallback(reason="signature")
        notice = msgspec.convert(fields, Notice)
        if notice.app_id != self._settings.app_id:
            raise ForgedCallback(reason="app_id")
        if notice.seller_id != self._settings.seller_id:
            raise ForgedCallback(reason="seller_id")
        return self._told(notice)

    def _told(self, notice: Notice) -> Paid | RefundSaid | None:
        if notice.gmt_refund or notice.refund_fee:
            refund_id = statements.number(notice.out_biz_no)
            return None if refund_id is None else RefundSaid(refund_id, "done")
        if notice.trade_status not in rules.PAID:
            return None
        try:
            return self._paid(
                notice.out_trade_no, notice.trade_no, notice.total_amount, notice.gmt_payment,
                notice.trans_currency,
            )  # fmt: skip
        except (ValueError, msgspec.ValidationError) as error:
            raise ForgedCallback(reason="malformed") from error

    def _paid(self, number: str, txn: str, amount: str, at: str, currency: str) -> Paid | None:
        """Raises ValueError; None where another system of the merchant sold something."""
        order_id = statements.number(number)
        if order_id is None:
            return None
        return msgspec.convert(
            {
                "order_id": order_id,
                "txn": txn,
                "amount_minor": amounts.minor(amount),
                "paid_at": statements.local(at),
                "currency": currency,
            },
            Paid,
        )

    def acknowledge(self, outcome: str) -> tuple[bytes, str]:
        """Anything but this word, and Alipay tells it again."""
        del outcome
        return b"success", "text/plain"

    async def query(self, order: OrderRow) -> Paid | None:
        """`alipay.trade.query` by our number."""
        trade = await self._trade(order)
        if trade is None or trade.trade_status not in rules.PAID:
            return None
        try:
            return self._paid(
                trade.out_trade_no, trade.trade_no, trade.total_amount, trade.send_pay_date,
                trade.trans_currency,
            )  # fmt: skip
        except (ValueError, msgspec.ValidationError) as error:
            raise self._gate.outward.away("query: malformed") from error

    async def _trade(self, order: OrderRow) -> Trade | None:
        said = await self._gate.ask("alipay.trade.query", {"out_trade_no": order.id.hex}, Trade)
        if said.code == rules.DONE and said.out_trade_no == order.id.hex:
            return said
        if said.sub_code == rules.NO_TRADE:
            return None
        raise self._gate.outward.away(f"query: {said.sub_code}"[:100])

    async def cancel(self, order: OrderRow) -> bool:
        """`alipay.trade.close`. Not `alipay.trade.cancel`: that one gives paid money back by itself,
        past our ledger. A link that nobody opened has no trade to close; it dies at the order's
        end, and whoever pays before gets the money back as a late payment.
        """
        said = await self._gate.ask("alipay.trade.close", {"out_trade_no": order.id.hex}, Said)
        if said.code == rules.DONE or said.sub_code == rules.NO_TRADE:
            return True
        paid = await self.query(order)
        if paid is not None:
            return paid.amount_minor != order.amount_minor
        trade = await self._trade(order)
        if trade is not None and trade.trade_status != "TRADE_CLOSED":
            raise self._gate.outward.away(f"close: {said.sub_code}"[:100])
        return True

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        """`alipay.trade.refund`, at most once for an `out_request_no`."""
        content = {
            "trade_no": ask.txn,
            "refund_amount": amounts.yuan(ask.amount_minor),
            "out_request_no": ask.refund_id.hex,
            "refund_reason": ask.reason,
        }
        said = await self._gate.ask("alipay.trade.refund", content, Refunded)
        if said.code == rules.DONE and said.fund_change == "Y":
            return RefundSaid(ask.refund_id, "done")
        if said.code == rules.REFUSED and said.sub_code not in rules.NO_REFUND:
            raise self._gate.outward.away(f"refund: {said.sub_code}"[:100])
        if await self._is_back(ask):  # a no to the repetition of what was done is none
            return RefundSaid(ask.refund_id, "done")
        if said.code == rules.DONE:
            return RefundSaid(ask.refund_id, "pending")
        return RefundSaid(ask.refund_id, "failed", trouble=said.sub_code)

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        """`alipay.trade.fastpay.refund.query`. It knows no failed ones: what it does not know is
        asked for again under the same number, as Alipay advises.
        """
        if await self._is_back(ask):
            return RefundSaid(ask.refund_id, "done")
        return await self.refund(ask)

    async def _is_back(self, ask: RefundAsk) -> bool:
        said = await self._gate.ask(
            "alipay.trade.fastpay.refund.query",
            {"trade_no": ask.txn, "out_request_no": ask.refund_id.hex},
            RefundStatus,
        )
        if said.code == rules.REFUSED and said.sub_code != rules.NO_TRADE:
            raise self._gate.outward.away(f"refund query: {said.sub_code}"[:100])
        return (
            said.code == rules.DONE
            and said.refund_status == "REFUND_SUCCESS"
            and said.out_request_no == ask.refund_id.hex
        )

    async def fetch_statement(self, day: date) -> AsyncIterator[bytes]:
        """The bill of trades; there is none of a day without any. Raises ChannelAway."""
        outward = self._gate.outward
        if not statements.is_ready(day, self._house.clock.now()):
            raise outward.away("statement: not ready")
        said = await self._gate.ask(
            "alipay.data.dataservice.bill.downloadurl.query",
            {"bill_type": "trade", "bill_date": day.isoformat()},
            BillAddress,
        )
        if said.sub_code == rules.NO_BILL:
            yield statements.HEAD
            return
        if said.code != rules.DONE or not self._is_safe(said.bill_download_url):
            raise outward.away(f"statement: {said.sub_code}"[:100])
        with await outward.fetch(said.bill_download_url) as file:
            try:
                async for piece in statements.pieces(statement.rows(file)):
                    yield piece
            except ValueError as error:
                raise outward.away("statement: malformed") from error

    def _is_safe(self, url: str) -> bool:
        """Bills lie on another host than the gateway, never under a weaker scheme."""
        try:
            return origin(url)[0] == origin(self._settings.gateway)[0]
        except ValueError:
            return False
