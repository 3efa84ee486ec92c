"""Paying in a browser where a city has several channels."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

from tests.city import City
from tests.rooms.citizen_web.visitor import citizen
from tests.rooms.payments.channels.alipay_bank import AlipayBank, form
from tests.rooms.payments.channels.life import PHONE
from tests.rooms.payments.channels.wechat_bank import WechatBank


async def test_the_payer_chooses_a_channel(
    city: City, alipay: AlipayBank, wechat: WechatBank
) -> None:
    who = await citizen(city, "near_retirement_man")
    charge = (await who.bills("utility_bills/water"))[0]
    order = await who.to("/orders", key=await who.key("/bills"), charge=charge)
    assert order.startswith("/orders/"), "with several channels nobody is sent to the first"
    page = await who.get(order)
    offered = re.findall(r'name="channel" value="(\w+)"', page)
    assert offered == ["sandbox", "alipay", "wechatpay"]
    assert "用支付宝支付" in page

    code = await who.to(f"{order}/pay", channel="wechatpay")
    shown = await who.get(code)
    assert "<svg" in shown
    assert "请用手机微信扫描二维码" in shown
    number = order.removeprefix("/orders/").replace("-", "")
    assert number in wechat.payments
    asked = parse_qs(urlsplit(code).query)
    for other in (
        f"code=weixin://evil&token={asked['token'][0]}",
        "code=x&token=",
        "code=x&token=é",
    ):
        await who.get(f"{code.partition('?')[0]}?{other}", 409)

    who.client.headers["user-agent"] = PHONE
    away = await who.post(f"{order}/pay", 200, channel="alipay")
    assert wechat.payments[number].state == "CLOSED", "it can be paid at one channel only"
    link = html.unescape(re.findall(r'<a class="button wide" href="([^"]+)"', away.text)[0])
    assert link.startswith(f"{alipay.url}/gateway.do?")
    assert f'content="0; url={html.escape(link)}"' in away.text
    assert (await who.client.get(link)).text == "alipay.trade.wap.pay"
    alipay.pay(number)
    told = await who.client.post(
        "/v1/channels/alipay/callbacks", content=form(alipay.notice(number))
    )
    assert told.text == "success"
    await who.until(f"{order}?from=bank", f"{order}/receipt")

    await who.post(f"{order}/pay", 404, channel="unknown")
