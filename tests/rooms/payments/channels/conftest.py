"""A city that is set up for both channels, and the two banks behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from tests.city import City, running_city
from tests.rooms.payments.channels.alipay_bank import AlipayBank
from tests.rooms.payments.channels.wechat_bank import WechatBank
from tests.serving import served

from civicmall.kernel.config import Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alipay() -> AsyncGenerator[AlipayBank]:
    """Alipay's side, serving."""
    bank = AlipayBank()
    async with served(bank.application, lifespan="off") as bank.url:
        yield bank


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wechat() -> AsyncGenerator[WechatBank]:
    """WeChat Pay's side, serving."""
    bank = WechatBank()
    async with served(bank.application, lifespan="off") as bank.url:
        yield bank


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(
    settings: Settings, kiosk_registry: Any, alipay: AlipayBank, wechat: WechatBank
) -> AsyncGenerator[City]:
    """A running city with the kiosk in it; its channels are set up as any city's, by environment."""
    with pytest.MonkeyPatch.context() as environment:
        for name, said in {**alipay.env(), **wechat.env()}.items():
            environment.setenv(name, said)
        async with running_city(settings, kiosk_registry) as found:
            yield found


@pytest.fixture(autouse=True)
def _in_order(alipay: AlipayBank, wechat: WechatBank) -> None:  # pyright: ignore[reportUnusedFunction]
    """Each test finds the banks in good health."""
    alipay.mood = wechat.mood = "ok"
