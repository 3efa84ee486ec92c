"""WeChat Pay on loopback: it keeps payments; its signing, checking and unsealing is done by the package
`wechatpayv3`, whose functions are given the keys the other way round.

The package can't seal, only unseal: what is sealed here is unsealed again by the package's own
function before it leaves, so that both sides read the same.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from msgspec import Struct
from wechatpayv3 import utils

from civicmall.kernel.clock import CITY

from .banking import Answer, Pair, Request, application, now, pair

SDK: Any = utils
"""Untyped; its own functions do all that is signed, checked and unsealed here."""
APP_ID: Final = "wx0123456789abcdef"
MCHID: Final = "1900000001"
SERIAL: Final = "3775B6A45ACD588826D15E583A95F5DD12345678"
PUBLIC_KEY_ID: Final = "PUB_KEY_ID_0000000000000000000000000000000001"
APIV3_KEY: Final = "abcdefghijklmnopqrstuvwxyz012345"
AUTHORIZATION: Final = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="(?P<mchid>\d+)",nonce_str="(?P<nonce>\w+)",'
    r'signature="(?P<signature>[^"]+)",timestamp="(?P<stamp>\d+)",serial_no="(?P<serial>\w+)"'
)
COLUMNS: Final = [
    "交易时间",
    "公众账号ID",
    "商户号",
    "特约商户号",
    "设备号",
    "微信订单号",
    "商户订单号",
    "用户标识",
    "交易类型",
    "交易状态",
    "付款银行",
    "货币种类",
    "应结订单金额",
    "代金券金额",
    "微信退款单号",
    "商户退款单号",
    "退款金额",
    "充值券退款金额",
    "退款类型",
    "退款状态",
    "商品名称",
    "商户数据包",
    "手续费",
    "费率",
    "订单金额",
    "申请退款金额",
    "费率备注",
]
TOTALS: Final = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)


class Payment(Struct):
    """A payment as WeChat Pay has it; 分."""

    number: str
    txn: str
    kind: str
    amount: int
    notify_url: str
    state: str = "NOTPAY"
    at: datetime | None = None
    refunds: dict[str, dict[str, Any]] = {}


class WechatBank:
    """One merchant's counterpart."""

    def __init__(self) -> None:
        self.merchant: Pair = pair()
        self.platform: Pair = pair()
        self._merchant_key = SDK.load_public_key(self.merchant.public)
        self.signer = self.platform
        self.serial = PUBLIC_KEY_ID
        self.certificates: list[tuple[str, str]] = []
        """Serial number and PEM of each that it gives out."""
        self.url = ""
        self.payments: dict[str, Payment] = {}
        self.seen: list[tuple[str, str]] = []
        self.mood = "ok"
        self.application = application(self._answer)

    def env(self) -> dict[str, str]:
        """The settings of a city that uses it."""
        return {
            "CIVICMALL_WECHATPAY_APP_ID": APP_ID,
            "CIVICMALL_WECHATPAY_MCHID": MCHID,
            "CIVICMALL_WECHATPAY_SERIAL": SERIAL,
            "CIVICMALL_WECHATPAY_PRIVATE_KEY": self.merchant.private,
            "CIVICMALL_WECHATPAY_APIV3_KEY": APIV3_KEY,
            "CIVICMALL_WECHATPAY_PUBLIC_KEY": self.platform.public,
            "CIVICMALL_WECHATPAY_PUBLIC_KEY_ID": PUBLIC_KEY_ID,
            "CIVICMALL_WECHATPAY_GATEWAY": self.url,
        }

    def certify(self, serial: int) -> None:
        """Begin to sign with a new certificate."""
        fresh = pair()
        self.signer, self.serial = fresh, f"{serial:040X}"
        self.certificates.append((self.serial, certificate(fresh, serial)))

    async def _answer(self, request: Request) -> Answer:
        self.seen.append((request.method, request.path))
        if not self._is_theirs(request):
            return self._signed(401, {"code": "SIGN_ERROR", "message": "签名错误"})
        if self.mood == "error":
            return 502, {}, b"<html>Bad Gateway</html>"
        if request.path == "/v3/billdownload/file":
            return 200, {}, self._bill()[0]
        status, said = self._does(request)
        return self._signed(status, said)

    def _is_theirs(self, request: Request) -> bool:
        found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if found is None or (found["mchid"], found["serial"]) != (MCHID, SERIAL):
            return False
        path = request.path + (f"?{request.query}" if request.query else "")
        head = f"{request.method}\n{path}\n{found['stamp']}"
        fresh = abs(now() - int(found["stamp"])) < 300
        return fresh and SDK.rsa_verify(
            head, found["nonce"], request.body.decode(), found["signature"], self._merchant_key
        )

    def headers(self, body: bytes, *, ago: int = 0) -> dict[str, str]:
        """What goes with an answer or a callback, signed by the package."""
        stamp, nonce = str(now() - ago), uuid4().hex
        key = SDK.load_private_key(self.signer.private)
        return {
            "wechatpay-timestamp": stamp, "wechatpay-nonce": nonce, "wechatpay-serial": self.serial,
            "wechatpay-signature": SDK.rsa_sign(key, f"{stamp}\n{nonce}\n{body.decode()}\n"),
            "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
        }  # fmt: skip

    def _signed(self, status: int, said: Any) -> Answer:
        body = b"" if said is None else json.dumps(said, ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **self.headers(body)}
        if self.mood == "unsigned":
            headers = {"content-type": "application/json"}
        if self.mood == "stale":
            headers.update(self.headers(body, ago=1000))
        if self.mood == "tampered":
            body += b" "
        if self.mood == "garbage":
            body = b'{"x":' * 20000
            headers.update(self.headers(body))
        if self.mood == "huge":
            body += b" " * (1024 * 1024)
        return status, headers, body

    def _does(self, request: Request) -> tuple[int, Any]:
        said: dict[str, Any] = json.loads(request.body) if request.body else {}
        path = request.path.removeprefix("/v3/")
        if path in {"pay/transactions/native", "pay/transactions/h5"}:
            return self._open(path.rsplit("/", 1)[1], said)
        if path.startswith("pay/transactions/out-trade-no/"):
            number, *rest = path.removeprefix("pay/transactions/out-trade-no/").split("/")
            return self._close(number) if rest else self._query(number)
        if path == "refund/domestic/refunds":
            return self._refund(said)
        if path.startswith("refund/domestic/refunds/"):
            return self._refund_query(path.rsplit("/", 1)[1])
        if path == "bill/tradebill":
            return self._bill_url()
        assert path == "certificates"
        data = [
            {"serial_no": serial, "encrypt_certificate": self.seal(pem.encode(), "certificate")}
            for serial, pem in self.certificates
        ]
        return 200, {"data": data}

    def _open(self, kind: str, said: dict[str, Any]) -> tuple[int, Any]:
        number, amount = said["out_trade_no"], said["amount"]["total"]
        assert (said["appid"], said["mchid"], said["amount"]["currency"]) == (APP_ID, MCHID, "CNY")
        if self.mood == "no_h5" and kind == "h5":
            return 403, {"code": "NO_AUTH", "message": "商户号无权限"}
        if kind == "h5":
            assert said["scene_info"]["payer_client_ip"]
        made = Payment(number, f"4200{uuid4().int % 10**24:024d}", kind, amount, said["notify_url"])
        found = self.payments.setdefault(number, made)
        if (found.kind, found.amount) != (kind, amount):
            return 403, {"code": "OUT_TRADE_NO_USED", "message": "商户订单号重复"}
        if found.state == "CLOSED":
            return 400, {"code": "ORDER_CLOSED", "message": "订单已关闭"}
        if found.state != "NOTPAY":
            return 400, {"code": "ORDERPAID", "message": "该订单已支付"}
        if kind == "native":
            return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={number[-8:]}"}
        return 200, {
            "h5_url": f"https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={number}"
        }

    def _query(self, number: str) -> tuple[int, Any]:
        found = self.payments.get(number)
        if found is None:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        return 200, self.transaction(found)

    def transaction(self, found: Payment, **other: Any) -> dict[str, Any]:
        """A payment as it is told."""
        paid = {
            "transaction_id": found.txn, "success_time": rfc3339(found.at), "bank_type": "OTHERS",
            "payer": {"openid": "o-1"}, "trade_type": found.kind.upper(),
        }  # fmt: skip
        return {
            "appid": APP_ID, "mchid": MCHID, "out_trade_no": found.number, "trade_state": found.state,
            "trade_state_desc": "…", **(paid if found.at is not None else {}),
            "amount": {
                "total": found.amount, "payer_total": found.amount, "currency": "CNY",
                "payer_currency": "CNY",
            }, **other,
        }  # fmt: skip

    def _close(self, number: str) -> tuple[int, Any]:
        found = self.payments.get(number)
        if found is None:
            return 404, {"code": "ORDER_NOT_EXIST", "message": "订单不存在"}
        if found.state not in {"NOTPAY", "CLOSED"}:
            return 400, {"code": "ORDERPAID", "message": "该订单已支付"}
        found.state = "CLOSED"
        return 204, None

    def _refund(self, said: dict[str, Any]) -> tuple[int, Any]:
        found = next(
            (one for one in self.payments.values() if one.txn == said["transaction_id"]), None
        )
        if found is None:
            return 404, {"code": "RESOURCE_NOT_EXISTS", "message": "查询的资源不存在"}
        number, amount = said["out_refund_no"], said["amount"]
        if self.mood == "no_balance":
            return 403, {"code": "NOT_ENOUGH", "message": "余额不足"}
        if self.mood == "system_error":
            return 500, {"code": "SYSTEM_ERROR", "message": "系统错误"}
        if number not in found.refunds:
            back = sum(one["refund"] for one in found.refunds.values()) + amount["refund"]
            if amount["total"] != found.amount or back > found.amount:
                return 400, {"code": "INVALID_REQUEST", "message": "退款金额大于订单金额"}
            state = "SUCCESS" if self.mood == "quick" else "PROCESSING"
            made = {
                "refund": amount["refund"], "state": state, "url": said["notify_url"],
                "id": f"5030{uuid4().int % 10**24:024d}",
            }  # fmt: skip
            found.refunds = {**found.refunds, number: made}
            found.state = "REFUND"
        return 200, self._refund_told(number)

    def _refund_told(self, number: str) -> dict[str, Any]:
        for found in self.payments.values():
            if (one := found.refunds.get(number)) is not None:
                return {
                    "out_refund_no": number, "refund_id": one["id"], "status": one["state"],
                    "transaction_id": found.txn, "out_trade_no": found.number,
                    "amount": {"refund": one["refund"], "total": found.amount, "currency": "CNY"},
                }  # fmt: skip
        return {}

    def _refund_query(self, number: str) -> tuple[int, Any]:
        told = self._refund_told(number)
        if not told:
            return 404, {"code": "RESOURCE_NOT_EXISTS", "message": "退款单不存在"}
        return 200, told

    def pay(self, number: str, amount: int = 0, days: int = 0) -> Payment:
        """The payer pays, today or some days ago."""
        found = self.payments[number]
        found.state, found.amount = "SUCCESS", amount or found.amount
        found.at = datetime.now(CITY).replace(microsecond=0) - timedelta(days=days)
        return found

    def seal(self, plain: bytes, about: str) -> dict[str, str]:
        """For the merchant alone; the package's own function must open it."""
        nonce = uuid4().hex[:12]
        sealed = AESGCM(APIV3_KEY.encode()).encrypt(nonce.encode(), plain, about.encode())
        text = base64.b64encode(sealed).decode()
        assert SDK.aes_decrypt(nonce, text, about, APIV3_KEY) == plain.decode()
        return {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": text, "nonce": nonce,
            "associated_data": about, "original_type": about,
        }  # fmt: skip

    def news(self, number: str, **other: Any) -> bytes:
        """The body of a callback of a payment; `other` replaces what it would say."""
        told = self.transaction(self.payments[number], **other)
        return self.callback("TRANSACTION.SUCCESS", "transaction", told)

    def refund_news(self, number: str, state: str, **other: Any) -> bytes:
        """The body of a callback of a refund, which now is in this state."""
        for found in self.payments.values():
            if number in found.refunds:
                found.refunds[number]["state"] = state
        told = self._refund_told(number)
        said = {
            "mchid": MCHID, "refund_status": state, "success_time": rfc3339(datetime.now(CITY)),
            **{k: told[k] for k in ("out_refund_no", "refund_id", "transaction_id", "out_trade_no")},
            "user_received_account": "招商银行信用卡0403", "amount": told["amount"], **other,
        }  # fmt: skip
        return self.callback(f"REFUND.{state}", "refund", said)

    def callback(self, event: str, about: str, told: dict[str, Any]) -> bytes:
        sealed = self.seal(json.dumps(told, ensure_ascii=False).encode(), about)
        said = {
            "id": str(uuid4()), "create_time": rfc3339(datetime.now(CITY)), "event_type": event,
            "resource_type": "encrypt-resource", "summary": "支付成功", "resource": sealed,
        }  # fmt: skip
        return json.dumps(said, ensure_ascii=False).encode()

    def _bill_url(self) -> tuple[int, Any]:
        if self.mood == "no_bill":
            return 400, {"code": "NO_STATEMENT_EXIST", "message": "账单文件不存在"}
        digest = hashlib.sha1(self._bill()[1], usedforsecurity=False).hexdigest()
        if self.mood == "wrong_digest":
            digest = digest[::-1]
        at = "http://127.0.0.1:9" if self.mood == "elsewhere" else self.url
        url = f"{at}/v3/billdownload/file?token=a%2Bb"
        return 200, {"hash_type": "SHA1", "hash_value": digest, "download_url": url}

    def _bill(self) -> tuple[bytes, bytes]:
        """Packed and plain: all payments, whatever the day."""
        rows: list[str] = []
        for found in (one for one in self.payments.values() if one.at is not None):
            rows.append(bill_row(found, "SUCCESS", 手续费="0.00540", 订单金额=yuan(found.amount)))
            rows += [
                bill_row(
                    found, "REFUND", 微信退款单号=one["id"], 商户退款单号=number,
                    申请退款金额=yuan(one["refund"]), 退款状态=one["state"], 手续费="-0.00500",
                )
                for number, one in found.refunds.items()
            ]  # fmt: skip
        count = len(rows) + (self.mood == "row_missing")
        foot = [TOTALS, f"`{count},`0.00,`0.00,`0.00,`0.00,`0.00,`0.00"]
        text = "\r\n".join(["\ufeff" + ",".join(COLUMNS), *rows, *foot]) + "\r\n"
        plain = text.encode()
        return (plain if self.mood == "plain" else gzip.compress(plain)), plain


def bill_row(found: Payment, state: str, **other: str) -> str:
    cell = {
        "交易时间": f"{found.at:%Y-%m-%d %H:%M:%S}", "公众账号ID": APP_ID, "商户号": MCHID,
        "微信订单号": found.txn, "商户订单号": found.number, "交易状态": state, "货币种类": "CNY",
        **other,
    }  # fmt: skip
    return ",".join(f"`{cell.get(name, '')}" for name in COLUMNS)


def certificate(keys: Pair, serial: int) -> str:
    """A platform certificate, good for a day around now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com Root CA")])
    at = datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, keys.key.public_key(), serial, at - timedelta(days=1), at + timedelta(days=1)
    ).sign(keys.key, SHA256())
    return made.public_bytes(Encoding.PEM).decode()


def rfc3339(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


def yuan(amount: int) -> str:
    return f"{amount / 100:.2f}"
