"""WeChat Pay, API v3: Native and H5 payments, callbacks, queries, refunds, bills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import httpx
import msgspec

from civicmall.kernel.clock import CITY
from civicmall.kernel.config import declared
from civicmall.kernel.house import House
from civicmall.payments.channels import agents, statements
from civicmall.payments.channels.codes import Codes
from civicmall.payments.channels.outward import MALFORMED, Answer, check_gateway
from civicmall.payments.errors import ForgedCallback, NotPayable
from civicmall.payments.models import Agent, Cashier, OrderRow, Paid, RefundAsk, RefundSaid

from . import rules, statement
from .models import (
    Bill,
    Callback,
    CodeUrl,
    H5Url,
    RefundNotice,
    RefundStatus,
    Transaction,
    WechatpaySettings,
)
from .wire import Wire, own_key, refusal, their_keys

TRANSACTIONS: Final = "/v3/pay/transactions"
REFUNDS: Final = "/v3/refund/domestic/refunds"
CLOSED: Final = {"ORDER_CLOSED", "ORDERCLOSED"}


def open_wechatpay(
    house: House, client: httpx.AsyncClient, env: Mapping[str, str]
) -> Wechatpay | None:
    """The channel, where its settings are there. Raises BadSetting."""
    settings = set_up(env)
    return None if settings is None else Wechatpay(house, client, settings)


def set_up(env: Mapping[str, str]) -> WechatpaySettings | None:
    """What the city says of its account, and that it can be used. Raises BadSetting."""
    settings = declared(WechatpaySettings, env)
    if settings is not None:
        check_gateway("CIVICMALL_WECHATPAY_GATEWAY", settings.gateway)
        own_key(settings)
        their_keys(settings)
    return settings


class Wechatpay:
    """WeChat Pay as a channel of the payment centre."""

    name = "wechatpay"
    title: Mapping[str, str] = {"zh-CN": "微信支付", "en": "WeChat Pay"}

    def __init__(
        self, house: House, client: httpx.AsyncClient, settings: WechatpaySettings
    ) -> None:
        self._house = house
        self._settings = settings
        self._wire = Wire(self.name, house, client, settings)
        self._codes = Codes(house)
        self._callbacks = f"{house.settings.public_url}/v1/channels/{self.name}/callbacks"

    async def prepare(self, order: OrderRow, agent: Agent) -> Cashier:
        """H5 for a phone's browser, a code to scan for everything else.

        A number belongs to the kind of payment that it was first opened for: who comes with
        another device later gets what was opened, the H5 address as a code too. Raises NotPayable
        where it was closed at WeChat Pay or is paid already.
        """
        phone = agents.is_phone(agent) and not agents.is_in_wechat(agent) and bool(agent.address)
        first, second = ("h5", "native") if phone else ("native", "h5")
        got = await self._open(order, agent, first)
        kind = first
        if refusal(got) in rules.OTHER_KIND and (second != "h5" or agent.address):
            got, kind = await self._open(order, agent, second), second
        if refusal(got) in CLOSED:
            raise NotPayable(state="closed")
        if got.status != HTTPStatus.OK and await self.query(order) is not None:
            raise NotPayable(state="paid")
        if kind == "native":
            text = self._wire.read(got, CodeUrl).code_url
            url = self._codes.link(order.id, text)
        else:
            text = self._wire.read(got, H5Url).h5_url
            back = quote(f"{self._house.settings.public_url}/orders/{order.id}?from=bank", safe="")
            url = f"{text}&redirect_url={back}" if phone else self._codes.link(order.id, text)
        return Cashier(order.id, self.name, order.amount_minor, url, text, order.expires_at)

    async def _open(self, order: OrderRow, agent: Agent, kind: str) -> Answer:
        content: dict[str, Any] = {
            "appid": self._settings.app_id,
            "mchid": self._settings.mchid,
            "description": f"便民缴费 {order.id}",
            "out_trade_no": order.id.hex,
            "time_expire": order.expires_at.astimezone(CITY).isoformat(timespec="seconds"),
            "notify_url": self._callbacks,
            "amount": {"total": order.amount_minor, "currency": "CNY"},
        }
        if kind == "h5":
            content["scene_info"] = {"payer_client_ip": agent.address, "h5_info": {"type": "Wap"}}
        return await self._wire.ask("POST", f"{TRANSACTIONS}/{kind}", content)

    def parse_callback(self, headers: Mapping[str, str], body: bytes) -> Paid | RefundSaid | None:
        """Signature and age first, then what is sealed inside. Raises ForgedCallback."""
        try:
            self._wire.check(headers, body)
        except ForgedCallback as forged:
            if forged.extra["reason"] == "serial":
                self._wire.renew_later()
            raise
        try:
            told = msgspec.json.decode(body, type=Callback)
            plain = rules.unseal(told.resource, self._settings.apiv3_key)
            if told.event_type.startswith("REFUND."):
                return self._returned(msgspec.json.decode(plain, type=RefundNotice))
            if told.event_type == "TRANSACTION.SUCCESS":
                return self._paid(msgspec.json.decode(plain, type=Transaction))
        except MALFORMED as error:
            raise ForgedCallback(reason="malformed") from error
        return None

    def _ours(self, mchid: str, appid: str | None = None) -> None:
        """Raises ForgedCallback for what is another merchant's."""
        if mchid != self._settings.mchid:
            raise ForgedCallback(reason="mchid")
        if appid not in {None, self._settings.app_id}:
            raise ForgedCallback(reason="app_id")

    def _paid(self, told: Transaction) -> Paid | None:
        """Raises ForgedCallback, ValidationError; None where another system sold something."""
        self._ours(told.mchid, told.appid)
        order_id = statements.number(told.out_trade_no)
        if told.trade_state not in rules.PAID or order_id is None:
            return None
        return msgspec.convert(
            {
                "order_id": order_id,
                "txn": told.transaction_id,
                "amount_minor": told.amount.total,
                "paid_at": told.success_time,
                "currency": told.amount.currency,
            },
            Paid,
        )

    def _returned(self, told: RefundNotice) -> RefundSaid | None:
        self._ours(told.mchid)
        return self._said(told.out_refund_no, told.refund_status, told.refund_id)

    def _said(self, number: str, status: str, txn: str) -> RefundSaid | None:
        """Raises ValidationError for a state that we don't know."""
        refund_id = statements.number(number)
        if refund_id is None:
            return None
        state = rules.REFUNDS.get(status, status)
        trouble = status if state == "failed" else ""
        said = {"refund_id": refund_id, "state": state, "txn": txn or None, "trouble": trouble}
        return msgspec.convert(said, RefundSaid)

    def acknowledge(self, outcome: str) -> tuple[bytes, str]:
        """Whatever came of it: it was taken."""
        del outcome
        return b'{"code":"SUCCESS"}', "application/json"

    async def query(self, order: OrderRow) -> Paid | None:
        """By our number."""
        found = await self._transaction(order)
        if found is None:
            return None
        try:
            return self._paid(found)
        except (ForgedCallback, msgspec.ValidationError) as error:
            raise self._wire.outward.away("query: not ours") from error

    async def _transaction(self, order: OrderRow) -> Transaction | None:
        path = f"{TRANSACTIONS}/out-trade-no/{order.id.hex}?mchid={self._settings.mchid}"
        got = await self._wire.ask("GET", path)
        if refusal(got) in rules.NO_ORDER:
            return None
        found = self._wire.read(got, Transaction)
        if found.out_trade_no != order.id.hex:
            raise self._wire.outward.away("query: another order")
        return found

    async def cancel(self, order: OrderRow) -> bool:
        """Close it, and where that is refused, see why."""
        path = f"{TRANSACTIONS}/out-trade-no/{order.id.hex}/close"
        got = await self._wire.ask("POST", path, {"mchid": self._settings.mchid})
        if got.status == HTTPStatus.NO_CONTENT or refusal(got) in {*CLOSED, *rules.NO_ORDER}:
            return True
        paid = await self.query(order)
        if paid is not None:
            return paid.amount_minor != order.amount_minor
        found = await self._transaction(order)
        if found is not None and found.trade_state not in rules.OVER:
            raise self._wire.outward.away(f"close: {refusal(got)}")
        return True

    async def refund(self, ask: RefundAsk) -> RefundSaid:
        """At most once for an `out_refund_no`; its result comes by a callback or when asked for."""
        content = {
            "transaction_id": ask.txn,
            "out_refund_no": ask.refund_id.hex,
            "reason": ask.reason,
            "notify_url": self._callbacks,
            "amount": {"refund": ask.amount_minor, "total": ask.paid_minor, "currency": "CNY"},
        }
        got = await self._wire.ask("POST", REFUNDS, content)
        if got.status == HTTPStatus.OK:
            return self._stands(ask, self._wire.read(got, RefundStatus))
        code = refusal(got)
        if code not in rules.NO_REFUND:
            raise self._wire.outward.away(f"refund: {got.status} {code}")
        known = await self._refund_status(ask)  # a no to the repetition of what was done is none
        failed = RefundSaid(ask.refund_id, "failed", trouble=code)
        return failed if known is None else self._stands(ask, known)

    async def query_refund(self, ask: RefundAsk) -> RefundSaid:
        """By our number."""
        known = await self._refund_status(ask)
        return RefundSaid(ask.refund_id, "pending") if known is None else self._stands(ask, known)

    async def _refund_status(self, ask: RefundAsk) -> RefundStatus | None:
        got = await self._wire.ask("GET", f"{REFUNDS}/{ask.refund_id.hex}")
        return None if refusal(got) in rules.NO_ORDER else self._wire.read(got, RefundStatus)

    def _stands(self, ask: RefundAsk, status: RefundStatus) -> RefundSaid:
        try:
            said = self._said(status.out_refund_no, status.status, status.refund_id)
        except msgspec.ValidationError as error:
            raise self._wire.outward.away("refund: malformed") from error
        if said is None or said.refund_id != ask.refund_id:
            raise self._wire.outward.away("refund: another one")
        return said

    async def fetch_statement(self, day: date) -> AsyncIterator[bytes]:
        """The bill of trades; there is none of a day without any. Raises ChannelAway."""
        outward = self._wire.outward
        if not statements.is_ready(day, self._house.clock.now()):
            raise outward.away("statement: not ready")
        path = f"/v3/bill/tradebill?bill_date={day.isoformat()}&bill_type=ALL&tar_type=GZIP"
        got = await self._wire.ask("GET", path)
        if refusal(got) == rules.NO_BILL:
            yield statements.HEAD
            return
        bill = self._wire.read(got, Bill)
        with await self._wire.fetch(bill.download_url) as file:
            try:
                digest = await asyncio.to_thread(statement.digest, file)
                if bill.hash_type != "SHA1" or digest != bill.hash_value.lower():
                    raise outward.away("statement: digest")
                async for piece in statements.pieces(statement.rows(file)):
                    yield piece
            except (ValueError, KeyError) as error:
                raise outward.away("statement: malformed") from error
