"""Alipay, through our own doors: the platform on the other side is built on `python-alipay-sdk`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs
from tests.city import City
from tests.rooms.payments.channels.alipay_bank import AlipayBank, form
from tests.rooms.payments.channels.banking import pair
from tests.rooms.payments.channels.life import PHONE, Going, going
from tests.rooms.payments.steps import KIOSK, balanced, let_expire, postings

from civicmall.payments import look_after
from civicmall.payments.channels import statements
from civicmall.payments.channels.alipay import open_alipay
from civicmall.payments.errors import ChannelAway

PAYABLE = f"payable:{KIOSK}.account"


async def opened(city: City, amount_minor: int = 500) -> Going:
    """An order whose payer has opened the link and signed in at Alipay."""
    one = await going(city, "alipay", amount_minor)
    async with httpx.AsyncClient(trust_env=False) as browser:
        page = await browser.get(await one.url())
    assert page.text == "alipay.trade.page.pay"
    return one


async def fulfilled(city: City, alipay: AlipayBank, amount_minor: int = 500) -> Going:
    one = await opened(city, amount_minor)
    alipay.pay(one.number)
    assert (await one.call_back(form(alipay.notice(one.number)))).text == "success"
    await city.settled()
    assert await one.state() == "fulfilled"
    return one


async def test_from_the_order_to_the_receipt(city: City, alipay: AlipayBank) -> None:
    one = await opened(city, 12345)
    trade = alipay.pay(one.number)
    assert trade.amount == "123.45"
    assert trade.notify_url == f"{city.url}/v1/channels/alipay/callbacks"
    notice = form(alipay.notice(one.number))
    for _ in range(3):  # Alipay repeats what it told
        told = await one.call_back(notice)
        assert (told.status_code, told.text) == (200, "success")
    await city.settled()
    assert await one.state() == "fulfilled"
    assert await postings(city, one.order) == [
        ("payment", ["channel:alipay", PAYABLE], [12345, -12345])
    ]
    receipt = (await one.someone.http.get(f"/v1/orders/{one.id}/receipt")).json()
    assert (receipt["channel"], receipt["channel_txn"]) == ("alipay", trade.txn)
    await balanced(city)


async def test_a_phone_gets_the_page_for_phones(city: City) -> None:
    one = await going(city, "alipay")
    sent = dict(parse_qsl(urlsplit(await one.url(PHONE)).query))
    assert sent["method"] == "alipay.trade.wap.pay"
    assert "QUICK_WAP_WAY" in sent["biz_content"]
    assert sent["return_url"] == f"{city.url}/orders/{one.id}?from=bank"


async def test_a_lost_notice_is_found_by_asking(city: City, alipay: AlipayBank) -> None:
    one = await opened(city)
    await one.ask_now()
    assert await one.state() == "paying", "the trade waits for its payer"
    alipay.pay(one.number)
    await one.ask_now()
    assert await one.state() == "fulfilled"
    late = await one.call_back(form(alipay.notice(one.number)))
    assert late.text == "success"
    assert len(await postings(city, one.order)) == 1


@pytest.mark.parametrize(
    "mood", ["error", "garbage", "huge", "unsigned", "tampered", "unknown_code"]
)
async def test_of_an_odd_answer_nothing_is_believed(
    city: City, alipay: AlipayBank, mood: str
) -> None:
    one = await opened(city)
    alipay.pay(one.number)
    alipay.mood = mood
    with capture_logs() as said:
        await one.ask_now()
    assert [line for line in said if line["event"] == "channel.away"]
    assert not [secret for secret in (alipay.merchant.private, "sign=") if secret in str(said)]
    cancelled = await one.someone.cancel(one.order)
    assert (cancelled.status_code, cancelled.json()["type"]) == (503, "/problems/channel-away")
    assert await one.state() == "paying"
    alipay.mood = "ok"
    await one.ask_now()
    assert await one.state() == "fulfilled"


async def test_cancelling_closes_the_trade(city: City, alipay: AlipayBank) -> None:
    one = await opened(city)
    assert (await one.someone.cancel(one.order)).json()["state"] == "closed"
    assert alipay.trades[one.number].status == "TRADE_CLOSED"
    unopened = await going(city, "alipay")
    await unopened.url()
    assert (await unopened.someone.cancel(unopened.order)).json()["state"] == "closed"
    paid = await opened(city)
    alipay.pay(paid.number)
    refused = await paid.someone.cancel(paid.order)
    assert refused.json()["type"] == "/problems/order-not-cancellable"


async def test_who_pays_by_an_old_link_gets_the_money_back(city: City, alipay: AlipayBank) -> None:
    one = await going(city, "alipay")
    url = await one.url()
    await let_expire(city, one.order)
    await look_after(city.house, city.parts.channels)
    assert await one.state() == "closed"
    async with httpx.AsyncClient(trust_env=False) as browser:
        await browser.get(url)
    trade = alipay.pay(one.number)
    assert (await one.call_back(form(alipay.notice(one.number)))).text == "success"
    await city.settled()
    assert [amount for amount, _ in trade.refunds.values()] == [trade.amount]
    assert [kind for kind, *_ in await postings(city, one.order)] == ["suspense", "return"]
    await balanced(city)


async def test_a_part_and_then_the_rest_goes_back(city: City, alipay: AlipayBank) -> None:
    one = await fulfilled(city, alipay, 800)
    part = await one.give_back(amount_minor=301)
    trade = alipay.trades[one.number]
    assert trade.refunds == {part: ("3.01", True)}
    assert await one.state() == "part_refunded"
    rest = await one.give_back()
    assert trade.refunds[rest] == ("4.99", True)
    assert await one.state() == "refunded"
    await balanced(city)


async def test_a_slow_refund_is_asked_after(city: City, alipay: AlipayBank) -> None:
    one = await fulfilled(city, alipay)
    alipay.mood = "slow"
    number = await one.give_back(amount_minor=200)
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "sent"
    trade = alipay.trades[one.number]
    alipay.mood, trade.refunds = "ok", {number: ("2.00", True)}
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "done"
    assert list(trade.refunds) == [number], "asked for once, however often it was asked after"


async def test_a_notice_of_a_refund_ends_it(city: City, alipay: AlipayBank) -> None:
    one = await fulfilled(city, alipay)
    alipay.mood = "slow"
    number = await one.give_back(amount_minor=200)
    told = {"refund_fee": "2.00", "gmt_refund": "2026-01-31 12:00:00.123"}
    for other in ("", "a-refund-of-somebody-else"):
        notice = alipay.notice(one.number, out_biz_no=other, **told)
        assert (await one.call_back(form(notice))).text == "success"
    assert await one.refund_state(number) == "sent"
    notice = alipay.notice(one.number, out_biz_no=number, **told)
    assert (await one.call_back(form(notice))).text == "success"
    await city.settled()
    assert await one.refund_state(number) == "done"
    assert len(await postings(city, one.order)) == 2


async def test_a_refund_that_alipay_refuses_has_failed(city: City, alipay: AlipayBank) -> None:
    one = await fulfilled(city, alipay)
    alipay.mood = "system_error"
    number = await one.give_back(amount_minor=200)
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "approved", "nobody knows; it is tried again"
    alipay.mood = "no_balance"
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "failed"
    alipay.mood = "ok"
    operator = await city.operator()
    refunds = (await operator.get("/v1/desk/refunds", params={"limit": 100})).json()["items"]
    mine = next(r for r in refunds if r["refund_id"].replace("-", "") == number)
    assert mine["trouble"] == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    await operator.post(f"/v1/desk/refunds/{mine['refund_id']}/approve")
    await city.settled()
    assert await one.refund_state(number) == "done"
    await balanced(city)


async def test_a_no_to_what_was_done_is_no_no(city: City, alipay: AlipayBank) -> None:
    """The first answer was lost; the second says no, but the money is gone."""
    one = await fulfilled(city, alipay)
    alipay.mood = "system_error"
    number = await one.give_back(amount_minor=200)
    alipay.trades[one.number].refunds = {number: ("2.00", True)}
    alipay.mood = "no_balance"
    await one.ask_after_refunds()
    assert await one.refund_state(number) == "done"


async def test_a_forged_notice_changes_nothing(city: City, alipay: AlipayBank) -> None:
    one = await opened(city)
    alipay.pay(one.number)
    good = alipay.notice(one.number)
    stranger = AlipayBank()
    stranger.trades = alipay.trades
    forged: list[tuple[str, bytes]] = [
        ("signature", form({k: v for k, v in good.items() if k != "sign"})),
        ("signature", form(stranger.notice(one.number))),
        ("signature", form({**good, "total_amount": "0.01"})),
        ("signature", form({**good, "sign": good["sign"][::-1]})),
        ("signature", form({**good, "sign": "签名"})),
        ("signature", form({**good, "sign_type": "RSA"})),
        ("app_id", form(alipay.notice(one.number, app_id="2021999999999999"))),
        ("seller_id", form(alipay.notice(one.number, seller_id="2088999999999999"))),
        ("malformed", form(good) + b"&total_amount=0.01"),
        ("malformed", form(good) + b"&" + form({"sign": good["sign"]})),
        ("malformed", form(good).replace(b"subject=", b"subject=%D6%A7%B8%B6%B1%A6")),
        ("malformed", "支付宝".encode("gbk")),
        ("signature", b""),
        ("malformed", b"&".join(b"a%d=1" % n for n in range(200))),
        ("malformed", form(alipay.notice(one.number, total_amount="5.001"))),
        ("malformed", form(alipay.notice(one.number, total_amount="5,00"))),
        ("malformed", form(alipay.notice(one.number, total_amount="-5.00"))),
        ("malformed", form(alipay.notice(one.number, total_amount="0.00"))),
        ("malformed", form(alipay.notice(one.number, gmt_payment="gestern"))),
        ("malformed", form(alipay.notice(one.number, gmt_payment="0001-01-01 00:00:00"))),
        ("malformed", form(alipay.notice(one.number, trade_no=""))),
        ("malformed", form(alipay.notice(one.number, trans_currency="USD"))),
    ]
    for reason, body in forged:
        answer = await one.call_back(body)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/callback-forged")
        assert answer.json()["reason"] == reason, body[-200:]
    huge = await one.call_back(form(good) + b"&x=" + b"x" * 2_000_000)
    assert (huge.status_code, huge.json()["type"]) == (413, "/problems/body-too-large")
    assert await one.state() == "paying"
    assert await postings(city, one.order) == []


async def test_a_notice_that_is_none_of_ours_is_only_acknowledged(
    city: City, alipay: AlipayBank
) -> None:
    one = await opened(city)
    alipay.trades["somebody-elses-1"] = alipay.trades[one.number]
    assert (await one.call_back(form(alipay.notice(one.number)))).text == "success", "not paid yet"
    alipay.pay(one.number)
    other = alipay.notice(one.number, out_trade_no="shop-17")
    assert (await one.call_back(form(other))).text == "success"
    assert await one.state() == "paying"
    assert await postings(city, one.order) == []
    del alipay.trades["somebody-elses-1"]


async def test_another_amount_waits_in_suspense(city: City, alipay: AlipayBank) -> None:
    one = await opened(city, 500)
    alipay.pay(one.number, amount="5.01")
    assert (await one.call_back(form(alipay.notice(one.number)))).text == "success"
    await city.settled()
    assert await one.state() == "paying"
    assert await postings(city, one.order) == [
        ("suspense", ["channel:alipay", "suspense"], [501, -501])
    ]
    await balanced(city)


async def test_the_days_bill_in_our_one_form(city: City, alipay: AlipayBank) -> None:
    one = await fulfilled(city, alipay, 800)
    refund = await one.give_back(amount_minor=300)
    channel = city.parts.channels.get("alipay")
    day = city.house.clock.today()
    alipay.trades = {one.number: alipay.pay(one.number, days=2)}

    async def fetched(days: int = 2) -> list[str]:
        pieces = [piece async for piece in channel.fetch_statement(day - timedelta(days=days))]
        return b"".join(pieces).decode().splitlines()

    head, *rows = await fetched()
    assert head == ",".join(statements.COLUMNS)
    txn = alipay.trades[one.number].txn
    assert [row.rsplit(",", 1)[0] for row in rows] == [
        f"payment,{txn},{one.number},,800,1",
        f"refund,{txn},{refund},{one.number},300,0",
    ]
    assert all(row.endswith("Z") for row in rows)
    for mood in ("cut", "not_gbk", "broken", "garbage"):
        alipay.mood = mood
        with pytest.raises(ChannelAway):
            await fetched()
    alipay.mood = "no_bill"
    assert await fetched() == [head]
    with pytest.raises(ChannelAway):
        await fetched(days=0)


async def test_another_key_of_alipay_is_believed_beside_the_old_one(
    city: City, alipay: AlipayBank
) -> None:
    """A file with two keys, while Alipay changes from one to the next."""
    both = pair().public + alipay.platform.public
    async with httpx.AsyncClient(trust_env=False) as client:
        env = {**alipay.env(), "CIVICMALL_ALIPAY_PUBLIC_KEY": both}
        channel: Any = open_alipay(city.house, client, env)
        one = await opened(city)
        alipay.pay(one.number)
        told = channel.parse_callback({}, form(alipay.notice(one.number)))
        assert told.order_id == one.id
