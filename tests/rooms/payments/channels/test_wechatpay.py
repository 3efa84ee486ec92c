"""WeChat Pay, through our own doors: the other side is built on the functions of `wechatpayv3`."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs
from tests.city import City
from tests.rooms.payments.channels.life import DESK, PHONE, Going, going
from tests.rooms.payments.channels.wechat_bank import APIV3_KEY, WechatBank
from tests.rooms.payments.steps import KIOSK, balanced, let_expire, postings
from wechatpayv3 import WeChatPay, WeChatPayType

from civicmall.kernel.clock import Clock
from civicmall.payments import look_after
from civicmall.payments.channels import statements
from civicmall.payments.channels.wechatpay import open_wechatpay
from civicmall.payments.errors import ChannelAway, ForgedCallback

PAYABLE = f"payable:{KIOSK}.account"
IN_WECHAT = f"{PHONE} MicroMessenger/8.0.50"


async def opened(city: City, amount_minor: int = 500) -> Going:
    """An order that was opened at WeChat Pay."""
    one = await going(city, "wechatpay", amount_minor)
    await one.url()
    return one


async def tell(one: Going, wechat: WechatBank, body: bytes, ago: int = 0) -> httpx.Response:
    """A callback, well signed."""
    return await one.call_back(body, wechat.headers(body, ago=ago))


async def fulfilled(city: City, wechat: WechatBank, amount_minor: int = 500) -> Going:
    one = await opened(city, amount_minor)
    wechat.pay(one.number)
    answer = await tell(one, wechat, wechat.news(one.number))
    assert (answer.status_code, answer.json()) == (200, {"code": "SUCCESS"})
    await city.settled()
    assert await one.state() == "fulfilled"
    return one


async def test_from_the_order_to_the_receipt(city: City, wechat: WechatBank) -> None:
    one = await opened(city, 12345)
    paid = wechat.pay(one.number)
    assert (paid.kind, paid.amount) == ("native", 12345)
    assert paid.notify_url == f"{city.url}/v1/channels/wechatpay/callbacks"
    body = wechat.news(one.number)
    headers = wechat.headers(body)
    for _ in range(3):  # the very same again is a replay, and harmless
        assert (await one.call_back(body, headers)).json() == {"code": "SUCCESS"}
    assert (await tell(one, wechat, wechat.news(one.number))).status_code == 200
    await city.settled()
    assert await one.state() == "fulfilled"
    assert await postings(city, one.order) == [
        ("payment", ["channel:wechatpay", PAYABLE], [12345, -12345])
    ]
    receipt = (await one.someone.http.get(f"/v1/orders/{one.id}/receipt")).json()
    assert (receipt["channel"], receipt["channel_txn"]) == ("wechatpay", paid.txn)
    await balanced(city)


async def test_a_code_for_screens_and_a_page_for_phones(city: City, wechat: WechatBank) -> None:
    screen = await going(city, "wechatpay")
    shown = urlsplit(await screen.url(DESK))
    assert shown.path == f"/cashier/{screen.id}"
    assert parse_qs(shown.query)["code"] == [f"weixin://wxpay/bizpayurl?pr={screen.number[-8:]}"]
    phone = await going(city, "wechatpay")
    sent = urlsplit(await phone.url(PHONE))
    assert (sent.hostname, wechat.payments[phone.number].kind) == ("wx.tenpay.com", "h5")
    assert parse_qs(sent.query)["redirect_url"] == [f"{city.url}/orders/{phone.id}?from=bank"]
    inside = await going(city, "wechatpay")
    assert urlsplit(await inside.url(IN_WECHAT)).path == f"/cashier/{inside.id}"


async def test_who_changes_the_device_gets_what_was_opened(city: City, wechat: WechatBank) -> None:
    one = await going(city, "wechatpay")
    first = await one.url(DESK)
    assert await one.url(PHONE) == first, "a number is of one kind for ever"
    other = await going(city, "wechatpay")
    await other.url(PHONE)
    code = parse_qs(urlsplit(await other.url(DESK)).query)["code"][0]
    assert urlsplit(code).hostname == "wx.tenpay.com", "the phone's page, as a code to scan"
    wechat.mood = "no_h5"
    third = await going(city, "wechatpay")
    assert urlsplit(await third.url(PHONE)).path == f"/cashier/{third.id}"


async def test_a_lost_callback_is_found_by_asking(city: City, wechat: WechatBank) -> None:
    one = await opened(city)
    await one.ask_now()
    assert await one.state() == "paying"
    wechat.pay(one.number)
    again = await one.pay()
    assert (again.status_code, again.json()["state"]) == (409, "paid")
    await one.ask_now()
    assert await one.state() == "fulfilled"
    assert (await tell(one, wechat, wechat.news(one.number))).status_code == 200
    assert len(await postings(city, one.order)) == 1


@pytest.mark.parametrize("mood", ["error", "garbage", "huge", "unsigned", "tampered", "stale"])
async def test_of_an_odd_answer_nothing_is_believed(
    city: City, wechat: WechatBank, mood: str
) -> None:
    one = await opened(city)
    wechat.pay(one.number)
    wechat.mood = mood
    with capture_logs() as said:
        await one.ask_now()
    assert [line for line in said if line["event"] == "channel.away"]
    assert not [secret for secret in (APIV3_KEY, wechat.merchant.private) if secret in str(said)]
    assert await one.state() == "paying"
    wechat.mood = "ok"
    await one.ask_now()
    assert await one.state() == "fulfilled"


async def test_cancelling_closes_the_payment(city: City, wechat: WechatBank) -> None:
    one = await opened(city)
    wechat.mood = "error"
    away = await one.someone.cancel(one.order)
    assert (away.status_code, away.json()["type"]) == (503, "/problems/channel-away")
    assert (await (await going(city, "wechatpay")).pay()).status_code == 503
    wechat.mood = "ok"
    assert (await one.someone.cancel(one.order)).json()["state"] == "closed"
    assert wechat.payments[one.number].state == "CLOSED"
    paid = await opened(city)
    wechat.pay(paid.number)
    refused = await paid.someone.cancel(paid.order)
    assert refused.json()["type"] == "/problems/order-not-cancellable"
    wechat.payments[one.number].state = "NOTPAY"  # whoever pays in the very moment
    wechat.pay(one.number)
    assert (await tell(one, wechat, wechat.news(one.number))).status_code == 200
    await city.settled()
    assert [kind for kind, *_ in await postings(city, one.order)] == ["suspense"]
    (back,) = wechat.payments[one.number].refunds
    assert (await tell(one, wechat, wechat.refund_news(back, "SUCCESS"))).status_code == 200
    await city.settled()
    assert [kind for kind, *_ in await postings(city, one.order)] == ["suspense", "return"]


async def test_who_goes_to_another_channel_cant_come_back(city: City, wechat: WechatBank) -> None:
    """The first was closed at WeChat Pay; its number is used up there."""
    one = await opened(city)
    elsewhere = Going(city, "alipay", one.someone, one.order)
    assert (await elsewhere.pay()).status_code == 200
    assert wechat.payments[one.number].state == "CLOSED"
    back = await one.pay()
    assert (back.status_code, back.json()["type"]) == (409, "/problems/order-not-payable")


async def test_an_expired_order_is_closed_there_too(city: City, wechat: WechatBank) -> None:
    one = await opened(city)
    await let_expire(city, one.order)
    await look_after(city.house, city.parts.channels)
    assert (await one.state(), wechat.payments[one.number].state) == ("closed", "CLOSED")


async def test_refunds_come_later_by_callback(city: City, wechat: WechatBank) -> None:
    one = await fulfilled(city, wechat, 800)
    part = await one.give_back(amount_minor=301)
    assert await one.refund_state(part) == "sent"
    body = wechat.refund_news(part, "SUCCESS")
    for _ in range(2):
        assert (await tell(one, wechat, body)).json() == {"code": "SUCCESS"}
    await city.settled()
    assert (await one.refund_state(part), await one.state()) == ("done", "part_refunded")
    wechat.mood = "quick"
    rest = await one.give_back()
    assert (await one.refund_state(rest), await one.state()) == ("done", "refunded")
    assert len(await postings(city, one.order)) == 3
    await balanced(city)


async def test_a_refund_whose_callback_is_lost_is_asked_after(
    city: City, wechat: WechatBank
) -> None:
    one = await fulfilled(city, wechat)
    number = await one.give_back(amount_minor=200)
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "sent"
    wechat.refund_news(number, "SUCCESS")
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "done"


@pytest.mark.parametrize("state", ["ABNORMAL", "CLOSED"])
async def test_a_refund_that_fails_later_has_failed(
    city: City, wechat: WechatBank, state: str
) -> None:
    one = await fulfilled(city, wechat)
    number = await one.give_back(amount_minor=200)
    assert (await tell(one, wechat, wechat.refund_news(number, state))).status_code == 200
    await city.settled()
    assert await one.refund_state(number) == "failed"
    assert len(await postings(city, one.order)) == 1
    assert (await tell(one, wechat, wechat.refund_news(number, "SUCCESS"))).status_code == 200
    await city.settled()
    assert await one.refund_state(number) == "done", "put right at the merchant platform"
    await balanced(city)


async def test_a_refund_that_is_refused_at_once(city: City, wechat: WechatBank) -> None:
    one = await fulfilled(city, wechat)
    wechat.mood = "system_error"
    number = await one.give_back(amount_minor=200)
    assert await one.refund_state(number) == "approved", "nobody knows; it is tried again"
    wechat.mood = "no_balance"
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "failed"


async def test_a_forged_callback_changes_nothing(city: City, wechat: WechatBank) -> None:
    one = await opened(city)
    wechat.pay(one.number)
    body = wechat.news(one.number)
    good = wechat.headers(body)
    said: dict[str, Any] = json.loads(body)
    stranger = WechatBank()
    stranger.payments = wechat.payments

    def sealed(**other: Any) -> bytes:
        return json.dumps({**said, "resource": {**said["resource"], **other}}).encode()

    raw = base64.b64decode(said["resource"]["ciphertext"])
    forged: list[tuple[str, bytes, dict[str, str]]] = [
        ("headers-missing", body, {}),
        ("headers-missing", body, {**good, "wechatpay-timestamp": "gestern"}),
        ("signature", body + b" ", good),
        ("signature", body, {**good, "wechatpay-nonce": "x"}),
        ("signature", body, {**good, "wechatpay-signature": "AAAA"}),
        ("signature", body, {**good, "wechatpay-signature": "WECHATPAY/SIGNTEST/x"}),
        ("signature", body, {**good, "wechatpay-signature-type": "WECHATPAY2-SM2-WITH-SM3"}),
        ("signature", body, stranger.headers(body)),
        ("serial", body, {**good, "wechatpay-serial": "0" * 40}),
        ("timestamp", body, wechat.headers(body, ago=400)),
        ("timestamp", body, wechat.headers(body, ago=-400)),
    ]
    inside: list[tuple[str, bytes]] = [
        ("malformed", b""),
        ("malformed", "支付成功".encode()),
        ("malformed", b"[1]"),
        ("malformed", b'{"x":' * 20000),
        ("malformed", sealed(ciphertext=base64.b64encode(raw[:-1]).decode())),
        ("malformed", sealed(ciphertext=base64.b64encode(raw[:10]).decode())),
        ("malformed", sealed(ciphertext="…")),
        ("malformed", sealed(nonce="short")),
        ("malformed", sealed(associated_data="refund")),
        ("malformed", sealed(algorithm="AEAD_SM4_GCM")),
        ("malformed", wechat.news(one.number, amount={"total": 500, "currency": "USD"})),
        ("malformed", wechat.news(one.number, amount={"total": 0, "currency": "CNY"})),
        ("malformed", wechat.news(one.number, amount={"total": 5.01, "currency": "CNY"})),
        ("malformed", wechat.news(one.number, success_time="2026-01-31 12:00:00")),
        ("malformed", wechat.news(one.number, transaction_id="")),
        ("malformed", wechat.callback("REFUND.SUCCESS", "refund", {"mchid": "1900000001"})),
        ("mchid", wechat.news(one.number, mchid="1900000099")),
        ("app_id", wechat.news(one.number, appid="wx9999999999999999")),
    ]
    forged += [(reason, text, wechat.headers(text)) for reason, text in inside]
    for reason, text, headers in forged:
        answer = await one.call_back(text, headers)
        assert answer.status_code == 401, (reason, answer.text, text[-200:], headers)
        assert answer.json()["type"] == "/problems/callback-forged"
        assert answer.json()["reason"] == reason, (text[-200:], headers)
    huge = body[:-1] + b" " * 2_000_000 + b"}"
    assert (await tell(one, wechat, huge)).json()["type"] == "/problems/body-too-large"
    assert await one.state() == "paying"
    assert await postings(city, one.order) == []


async def test_what_is_none_of_ours_is_only_acknowledged(city: City, wechat: WechatBank) -> None:
    one = await opened(city)
    other = wechat.transaction(wechat.pay(one.number), out_trade_no="shop-17")
    for body in (
        wechat.callback("TRANSACTION.SUCCESS", "transaction", other),
        wechat.callback("PAYSCORE.USER_PAID", "payscore", {}),
        wechat.news(one.number, trade_state="NOTPAY"),
    ):
        assert (await tell(one, wechat, body)).json() == {"code": "SUCCESS"}
    assert await one.state() == "paying"
    assert await postings(city, one.order) == []


async def test_another_amount_waits_in_suspense(city: City, wechat: WechatBank) -> None:
    one = await opened(city, 500)
    wechat.pay(one.number, amount=501)
    assert (await tell(one, wechat, wechat.news(one.number))).status_code == 200
    await city.settled()
    assert await one.state() == "paying"
    assert await postings(city, one.order) == [
        ("suspense", ["channel:wechatpay", "suspense"], [501, -501])
    ]


async def test_the_package_itself_reads_what_the_bank_tells(city: City, wechat: WechatBank) -> None:
    """So what our adapter is proved against is what merchants with the package would get."""
    one = await opened(city)
    wechat.pay(one.number)
    env = wechat.env()
    merchant: Any = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE, mchid=env["CIVICMALL_WECHATPAY_MCHID"],
        private_key=wechat.merchant.private, cert_serial_no=env["CIVICMALL_WECHATPAY_SERIAL"],
        apiv3_key=env["CIVICMALL_WECHATPAY_APIV3_KEY"], appid=env["CIVICMALL_WECHATPAY_APP_ID"],
        notify_url=city.url, public_key=wechat.platform.public,
        public_key_id=env["CIVICMALL_WECHATPAY_PUBLIC_KEY_ID"],
    )  # fmt: skip
    body = wechat.news(one.number)
    headers = wechat.headers(body)
    read = merchant.callback(headers, body)
    told = city.parts.channels.get("wechatpay").parse_callback(headers, body)
    assert read["resource"]["transaction_id"] == told.txn
    assert read["resource"]["amount"]["total"] == told.amount_minor == 500


async def test_the_days_bill_in_our_one_form(city: City, wechat: WechatBank) -> None:
    one = await fulfilled(city, wechat, 800)
    refund = await one.give_back(amount_minor=300)
    lost = await one.give_back(amount_minor=100)
    found = wechat.pay(one.number, days=2)
    wechat.payments = {one.number: found}
    found.refunds[refund]["state"], found.refunds[lost]["state"] = "SUCCESS", "FAIL"
    channel = city.parts.channels.get("wechatpay")
    day = city.house.clock.today()

    async def fetched(days: int = 2) -> list[str]:
        pieces = [piece async for piece in channel.fetch_statement(day - timedelta(days=days))]
        return b"".join(pieces).decode().splitlines()

    head, *rows = await fetched()
    assert head == ",".join(statements.COLUMNS)
    assert [row.rsplit(",", 1)[0] for row in rows] == [
        f"payment,{found.txn},{one.number},,800,1",
        f"refund,{found.refunds[refund]['id']},{refund},{one.number},300,-1",
    ]
    wechat.mood = "plain"
    assert await fetched() == [head, *rows]
    for mood in ("wrong_digest", "row_missing", "elsewhere", "garbage"):
        wechat.mood = mood
        with pytest.raises(ChannelAway):
            await fetched()
    wechat.mood = "no_bill"
    assert await fetched() == [head]
    with pytest.raises(ChannelAway):
        await fetched(days=0)


async def test_certificates_are_asked_for_and_may_change(city: City, wechat: WechatBank) -> None:
    """Without a public key in the settings; each new certificate is found by its serial number."""

    class Later(Clock):
        def monotonic(self) -> float:
            return super().monotonic() + ahead

    ahead = 0.0
    house = msgspec.structs.replace(city.house, clock=Later())
    env = {k: v for k, v in wechat.env().items() if "PUBLIC_KEY" not in k}
    one = await opened(city)
    kept = wechat.signer, wechat.serial
    async with httpx.AsyncClient(trust_env=False) as client:
        channel: Any = open_wechatpay(house, client, env)
        try:
            for serial in (0xA1, 0xB2):
                wechat.certify(serial)
                wechat.pay(one.number)
                body = wechat.news(one.number)
                with pytest.raises(ForgedCallback):
                    channel.parse_callback(wechat.headers(body), body)
                await channel._wire._asking  # what the first callback set off
                told = channel.parse_callback(wechat.headers(body), body)
                assert told.order_id == one.id
                ahead += 61
            wechat.certificates.clear()
            ahead += 61
            body = wechat.news(one.number)
            unknown = {**wechat.headers(body), "wechatpay-serial": "C3" * 20}
            asked = wechat.seen.count(("GET", "/v3/certificates"))
            for _ in range(5):
                with pytest.raises(ForgedCallback):
                    channel.parse_callback(unknown, body)
                await channel._wire._asking
            now_asked = wechat.seen.count(("GET", "/v3/certificates"))
            assert now_asked <= asked + 2, "strangers can't make us ask for ever"
            assert channel.parse_callback(wechat.headers(body), body).order_id == one.id
        finally:
            wechat.signer, wechat.serial = kept
