"""Amounts, signatures and settings of channels: the same as the channels' own packages make them."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from alipay import AliPay
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.payments.channels.banking import Pair, pair
from wechatpayv3 import utils

from civicmall.kernel.clock import CITY
from civicmall.kernel.config import BadSetting, declared
from civicmall.payments import check_settings
from civicmall.payments.channels import agents, amounts, keys, outward, statements
from civicmall.payments.channels.alipay import rules as alipay
from civicmall.payments.channels.alipay.models import AlipaySettings
from civicmall.payments.channels.wechatpay import rules as wechat
from civicmall.payments.channels.wechatpay.models import WechatpaySettings
from civicmall.payments.errors import ForgedCallback
from civicmall.payments.models import Agent

SDK: Any = utils
NAMES: Final = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
RSA: Final = pair().key.public_key()
VALUES: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(scope="module")
def mine() -> Pair:
    return pair()


@pytest.fixture(scope="module")
def theirs() -> Pair:
    return pair()


@pytest.fixture(scope="module")
def sdk(mine: Pair, theirs: Pair) -> Any:
    """As a merchant has it."""
    return AliPay(
        appid="2021000000000001", app_private_key_string=mine.private,
        alipay_public_key_string=theirs.public,
    )  # fmt: skip


@pytest.fixture(scope="module")
def sdk_key(mine: Pair) -> Any:
    """As the other package has it; reading it takes a while."""
    return SDK.load_private_key(mine.private)


@given(st.integers(1, 10**10))
def test_any_amount_survives_its_yuan(amount: int) -> None:
    text = amounts.yuan(amount)
    assert amounts.minor(text) == amount
    assert re.fullmatch(r"\d+\.\d\d", text)
    assert amounts.minor(amounts.yuan(-amount)) == -amount
    assert amounts.fee_minor(text) == amount


@pytest.mark.parametrize(
    ("text", "amount"), [("0.1", 10), ("7", 700), ("0.00", 0), ("88.08", 8808), ("-0.50", -50)]
)
def test_yuan_as_channels_write_them(text: str, amount: int) -> None:
    assert amounts.minor(text) == amount


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.",
        ".5",
        "1.001",
        "1,000.00",
        "1e3",
        "+1",
        " 1",
        "1\n",
        "١",
        "NaN",
        "0x1",
        "1" * 13,
        "--1",
    ],
)
def test_what_is_no_plain_yuan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        amounts.minor(text)
    with pytest.raises(ValueError, match="not a fee"):
        amounts.fee_minor(text + "€")


@pytest.mark.parametrize(
    ("text", "fee"), [("0.00540", 1), ("0.00499", 0), ("0.06000", 6), ("-0.005", -1), ("0", 0)]
)
def test_a_fee_is_rounded_to_the_fen(text: str, fee: int) -> None:
    assert amounts.fee_minor(text) == fee


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=8))
@settings(deadline=None)
def test_what_alipay_signs_is_what_the_package_signs(
    sdk: Any, mine: Pair, params: dict[str, str]
) -> None:
    text = alipay.canonical(params)
    assert text == "&".join(f"{k}={v}" for k, v in sdk._ordered_data(dict(params)))
    assert sdk._sign(text) == keys.sign(mine.key, text)


@given(
    st.dictionaries(
        NAMES.filter(lambda n: not n.startswith("sign")), VALUES, min_size=1, max_size=8
    )
)
@settings(deadline=None)
def test_a_notice_that_the_package_believes_is_believed(
    sdk: Any, theirs: Pair, params: dict[str, str]
) -> None:
    signature = keys.sign(theirs.key, alipay.canonical(params))
    said = alipay.form(urlencode({**params, "sign_type": "RSA2", "sign": signature}).encode())
    assert keys.is_signed(theirs.key.public_key(), alipay.signed_part(said), said["sign"])
    assert sdk.verify({**params, "sign_type": "RSA2"}, signature)
    other = alipay.signed_part({**said, "zz": "1"})
    assert not keys.is_signed(theirs.key.public_key(), other, said["sign"])


@given(st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=2), max_size=5))
@settings(deadline=None)
def test_the_signed_slice_of_an_answer(sdk: Any, content: dict[str, Any]) -> None:
    raw = json.dumps({"code": "10000", **content}, indent=1)
    body = f'{{ "a_b_response" :{raw}, "sign":"c2ln"}}'.encode()
    assert alipay.sliced(body, "a.b") == (raw.encode(), "c2ln")
    balanced = all(str(content).count(one) == 0 for one in '"{}')
    if balanced:  # the package counts braces, also those in strings
        assert sdk._get_string_to_be_signed(body.decode(), "a_b_response") == raw


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"sign":"x"}', b'{"a_b_response":{}}', b'{"a_b_response":{},"sign":1}'],
)
def test_an_answer_without_a_slice_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        alipay.sliced(body, "a.b")


@given(st.binary(max_size=200))
def test_any_garbage_is_a_form_or_forged(body: bytes) -> None:
    with suppress(ForgedCallback):  # and nothing else
        assert all(isinstance(value, str) for value in alipay.form(body).values())


@given(
    method=st.sampled_from(["GET", "POST"]), path=st.from_regex(r"/v3/[a-z?=&%0-9]{0,30}", fullmatch=True),
    said=st.dictionaries(NAMES, VALUES, max_size=4),
)  # fmt: skip
@settings(deadline=None)
def test_a_request_is_signed_as_the_package_signs_it(
    mine: Pair, sdk_key: Any, method: str, path: str, said: dict[str, str]
) -> None:
    body = json.dumps(said) if said else ""
    header = SDK.build_authorization(path, method, "1900000001", "AB12", sdk_key, body, "N0NCE")
    stamp = str(re.search(r'timestamp="(\d+)"', header)[1])  # type: ignore[index]
    signature = keys.sign(mine.key, wechat.request_text(method, path, stamp, "N0NCE", body))
    assert wechat.authorization("1900000001", "AB12", stamp, "N0NCE", signature) == header


@given(st.binary(max_size=120))
def test_what_is_not_signed_is_not_believed(noise: bytes) -> None:
    assert not keys.is_signed(RSA, b"text", base64.b64encode(noise).decode())
    assert not keys.is_signed(RSA, b"text", noise.decode("latin-1"))


ALIPAY: Final = {
    "CIVICMALL_ALIPAY_APP_ID": "2021000000000001",
    "CIVICMALL_ALIPAY_SELLER_ID": "2088000000000001",
    "CIVICMALL_ALIPAY_PRIVATE_KEY": "/etc/civicmall/alipay.pem",
    "CIVICMALL_ALIPAY_PUBLIC_KEY": "/etc/civicmall/alipay-public.pem",
}
WECHATPAY: Final = {
    "CIVICMALL_WECHATPAY_APP_ID": "wx0123456789abcdef",
    "CIVICMALL_WECHATPAY_MCHID": "1900000001",
    "CIVICMALL_WECHATPAY_SERIAL": "AB12" * 10,
    "CIVICMALL_WECHATPAY_PRIVATE_KEY": "/etc/civicmall/apiclient_key.pem",
    "CIVICMALL_WECHATPAY_APIV3_KEY": "k" * 32,
}


@pytest.mark.parametrize(
    ("kind", "env"), [(AlipaySettings, ALIPAY), (WechatpaySettings, WECHATPAY)]
)
def test_each_setting_that_is_missing_or_wrong_is_named(kind: Any, env: dict[str, str]) -> None:
    assert declared(kind, {"PATH": "/bin"}) is None
    found = declared(kind, env)
    assert found is not None
    assert not any(said in repr(found) for said in env.values()), "no secret in any log"
    for name in env:
        with pytest.raises(BadSetting, match=f"^{name}: missing; ") as missing:
            declared(kind, {k: v for k, v in env.items() if k != name})
        assert missing.value.name == name
        if not name.endswith("_KEY") or name.endswith("APIV3_KEY"):
            with pytest.raises(BadSetting, match=f"^{name}: ") as wrong:
                declared(kind, {**env, name: "§§§"})
            assert "§" not in str(wrong.value)


@pytest.mark.parametrize(
    ("url", "is_good"),
    [
        ("https://openapi.alipay.com/gateway.do", True), ("http://127.0.0.1:9/x", True),
        ("http://openapi.alipay.com", False), ("ftp://a", False), ("https://", False),
        ("https://[", False), ("gateway", False),
    ],
)  # fmt: skip
def test_a_gateway_has_tls(url: str, is_good: bool) -> None:  # noqa: FBT001 (a table)
    if is_good:
        outward.check_gateway("X", url)
    else:
        with pytest.raises(BadSetting, match="X: an address that begins with https://"):
            outward.check_gateway("X", url)


def test_an_address_is_at_the_gateway_or_elsewhere() -> None:
    gateway = "https://api.mch.weixin.qq.com"
    assert outward.is_at(f"{gateway}/v3/billdownload/file?token=x", gateway)
    for url in (
        "http://api.mch.weixin.qq.com/",
        f"{gateway}.evil.cn/",
        f"{gateway}:444/",
        "https://[",
    ):
        assert not outward.is_at(url, gateway)


def test_keys_come_as_files_pem_or_bare(mine: Pair, tmp_path: Path) -> None:
    def der(encoding: Encoding) -> str:
        raw = mine.key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())
        return base64.b64encode(raw).decode()

    public = mine.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for text in (mine.private, der(Encoding.DER)):
        (tmp_path / "key").write_text(text)
        found = keys.private_key("X", str(tmp_path / "key"))
        assert found.private_numbers() == mine.key.private_numbers()
    found = keys.private_key("X", mine.private)
    assert found.private_numbers() == mine.key.private_numbers()
    for text in (mine.public, base64.b64encode(public).decode()):
        (tmp_path / "key").write_text(text)
        assert keys.public_keys("X", str(tmp_path / "key")) == [mine.key.public_key()]
    small = ec.generate_private_key(ec.SECP256R1())
    pem = small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for said in (str(tmp_path / "none"), pem, "-----BEGIN PRIVATE KEY-----\nx", str(tmp_path)):
        with pytest.raises(BadSetting, match=r"^X: a file with an RSA private key"):
            keys.private_key("X", said)
        with pytest.raises(BadSetting, match=r"^X: a file with the channel's RSA public key"):
            keys.public_keys("X", said)


@pytest.mark.parametrize(
    ("name", "is_phone", "is_in_wechat"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile/15E148 Safari", True, False),
        ("Mozilla/5.0 (Linux; Android 15; Pixel) Chrome/140 Mobile Safari", True, False),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) ArkWeb/4 Mobile HuaweiBrowser/5", True, False),
        ("Mozilla/5.0 (Linux; Android 15) MicroMessenger/8.0.50 MiniProgram", True, True),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0", False, False),
        ("", False, False),
    ],
)
def test_who_holds_a_phone(name: str, is_phone: bool, is_in_wechat: bool) -> None:  # noqa: FBT001 (a table)
    assert agents.is_phone(Agent(name)) is is_phone
    assert agents.is_in_wechat(Agent(name)) is is_in_wechat


@given(st.text(max_size=30), st.integers(0, 10**10), st.datetimes())
def test_a_line_of_a_statement_can_be_read_again(txn: str, amount: int, at: datetime) -> None:
    row = statements.Row("payment", txn, "a" * 32, "", amount, -1, at.replace(tzinfo=UTC))
    text = statements.line(row).decode()
    ((kind, number, merchant, original, said, fee, instant),) = csv.reader(
        io.StringIO(text, newline="")
    )
    assert (kind, number, merchant, original) == ("payment", txn, "a" * 32, "")
    assert (int(said), int(fee), datetime.fromisoformat(instant)) == (amount, -1, row.at)


def test_a_day_is_ready_the_next_morning() -> None:
    day = date(2026, 1, 31)
    assert not statements.is_ready(day, datetime(2026, 2, 1, 9, 59, tzinfo=CITY))
    assert statements.is_ready(day, datetime(2026, 2, 1, 10, 0, tzinfo=CITY))


def test_what_is_set_up_is_checked_before_the_start(mine: Pair) -> None:
    key = {"CIVICMALL_ALIPAY_PRIVATE_KEY": mine.private}
    good = {
        **ALIPAY, **key, "CIVICMALL_ALIPAY_PUBLIC_KEY": mine.public, **WECHATPAY,
        "CIVICMALL_WECHATPAY_PRIVATE_KEY": mine.private,
        "CIVICMALL_WECHATPAY_PUBLIC_KEY": mine.public,
        "CIVICMALL_WECHATPAY_PUBLIC_KEY_ID": "PUB_KEY_ID_01",
    }  # fmt: skip
    check_settings({})
    check_settings(good)
    for name, said in {
        "CIVICMALL_ALIPAY_GATEWAY": "http://openapi.alipay.com",
        "CIVICMALL_ALIPAY_PRIVATE_KEY": "/nowhere",
        "CIVICMALL_ALIPAY_PUBLIC_KEY": "/nowhere",
        "CIVICMALL_WECHATPAY_GATEWAY": "api.mch.weixin.qq.com",
        "CIVICMALL_WECHATPAY_PRIVATE_KEY": "/nowhere",
        "CIVICMALL_WECHATPAY_PUBLIC_KEY": "",
        "CIVICMALL_WECHATPAY_PUBLIC_KEY_ID": "",
    }.items():
        with pytest.raises(BadSetting, match=f"^{name}: "):
            check_settings({**good, name: said})
