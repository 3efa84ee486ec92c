"""The city's gateway for text messages: against a server that checks what arrives."""

from __future__ import annotations

import asyncio
import base64
import logging
import time
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from standardwebhooks import Webhook
from tests.patience import STALL_S
from tests.serving import served

from civicmall import identity
from civicmall.identity import senders
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import BadSetting
from civicmall.kernel.errors import Unavailable
from civicmall.kernel.house import House
from civicmall.kernel.texting import Text

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


class Counterpart:
    """A gateway: takes what is signed, remembers ids, does as it is told."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.answers: list[int] = []
        self.hang = False
        self.body = b"{}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {k.decode(): v.decode() for k, v in scope["headers"]}
        said: Any = Webhook(SECRET).verify(body, headers)
        self.ids.append(headers["webhook-id"])
        if self.hang:
            await asyncio.sleep(60)
        status = self.answers.pop(0) if self.answers else 202
        if status < 300:
            self.got.append(said)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": self.body})


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncGenerator[tuple[Counterpart, senders.Sender]]:
    there = Counterpart()
    async with (
        served(there, lifespan="off") as url,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        env = {
            "CIVICMALL_SMS_URL": f"{url}/send", "CIVICMALL_SMS_SECRET": SECRET,
            "CIVICMALL_SMS_CODE_TEMPLATE": "T-100", "CIVICMALL_SMS_NOTICE_TEMPLATE": "T-200",
        }  # fmt: skip
        sender = senders.open_sender(env, client, Clock(), sandbox=True)
        assert sender is not None
        yield there, sender


Found = tuple[Counterpart, senders.Sender]


async def test_a_code_goes_out_signed_and_by_template(gateway: Found, house: House) -> None:
    there, sender = gateway
    city = msgspec.structs.replace(
        house, texts=sender, settings=msgspec.structs.replace(house.settings, sandbox=False)
    )
    await identity.send_code(city, "19911110000", "zh-CN")
    (sent,) = there.got
    code = sent["params"]["code"]
    assert sent == {
        "phone": "19911110000", "template": "T-100", "params": {"code": code},
        "text": f"您的城市便民服务验证码是 {code}，请勿告诉他人。",
    }  # fmt: skip
    tokens = identity.Tokens(house.keys, "http://here", house.clock)
    await identity.sign_in(city, tokens, identity.SignIn("19911110000", code))


async def test_a_notice_has_a_template_of_its_own(gateway: Found) -> None:
    there, sender = gateway
    await sender.send(Text("19911110001", "有人邀请您"))
    assert [(one["template"], one["params"]) for one in there.got] == [("T-200", {})]


async def test_what_fails_once_is_sent_again_under_the_same_id(gateway: Found) -> None:
    there, sender = gateway
    there.answers = [503]
    await sender.send(Text("19911110002", "a", "123456"))
    assert len(there.got) == 1
    assert len(there.ids) == 2
    assert len(set(there.ids)) == 1


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503, 302])
async def test_a_gateway_that_refuses_is_told_of(gateway: Found, status: int) -> None:
    there, sender = gateway
    there.answers = [status] * 10
    with pytest.raises(Unavailable):
        await sender.send(Text("19911110003", "a", "123456"))
    assert there.got == []
    assert len(there.ids) == senders.TRIES


async def test_a_gateway_that_hangs_holds_nobody_up(
    gateway: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, sender = gateway
    there.hang = True
    monkeypatch.setattr(senders, "TIMEOUT_S", 0.2)
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await sender.send(Text("19911110004", "a", "123456"))
    assert time.monotonic() - began < senders.TRIES * 0.2 + senders.PAUSE_S + STALL_S


async def test_no_code_and_no_phone_in_a_log(
    gateway: Found, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    there, sender = gateway
    there.answers = [500] * 2
    there.body = b"could not send 918273 to 19911110005"
    text = Text("19911110005", "Your code is 918273", "918273")
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable):
        await sender.send(text)
    said = caplog.text + "".join(capsys.readouterr()) + repr(text)
    assert "sender.refused" in said
    assert "918273" not in said
    assert "19911110005" not in said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CIVICMALL_SMS_URL": "ftp://a"}, "CIVICMALL_SMS_URL"),
        ({"CIVICMALL_SMS_URL": ""}, "CIVICMALL_SMS_URL"),
        ({"CIVICMALL_SMS_SECRET": "secret"}, "CIVICMALL_SMS_SECRET"),
        ({"CIVICMALL_SMS_SECRET": ""}, "CIVICMALL_SMS_SECRET"),
        ({"CIVICMALL_SMS_CODE_TEMPLATE": ""}, "CIVICMALL_SMS_CODE_TEMPLATE"),
        ({"CIVICMALL_SMS_CODE_TEMPLATE": "a" * 81}, "CIVICMALL_SMS_CODE_TEMPLATE"),
        ({"CIVICMALL_SMS_URL": "http://sms.example/"}, "CIVICMALL_SMS_URL"),
    ],
)
async def test_a_wrong_setting_is_named_and_not_shown(change: dict[str, str], named: str) -> None:
    env = {
        "CIVICMALL_SMS_URL": "https://sms.example/send", "CIVICMALL_SMS_SECRET": SECRET,
        "CIVICMALL_SMS_CODE_TEMPLATE": "T-100", **change,
    }  # fmt: skip
    async with httpx.AsyncClient() as client:
        with pytest.raises(BadSetting) as caught:
            senders.open_sender(env, client, Clock(), sandbox=False)
    assert named in str(caught.value)
    assert SECRET not in str(caught.value)


async def test_without_settings_there_is_none() -> None:
    async with httpx.AsyncClient() as client:
        assert senders.open_sender({}, client, Clock(), sandbox=False) is None
