"""The words of a mandate's messages, in both languages."""

from __future__ import annotations

from typing import Final, TypedDict

from civicmall.kernel import i18n, money
from civicmall.payments.events import DebitMoved
from civicmall.shops import NoSuchApp, NoSuchShop, Registry

from .models import DebitRow, MandateRow
from .rules import REMIND_DAYS_MIN, RETRY_DAYS

Text = dict[str, str]
ZH: Final = "zh-CN"


class Words(TypedDict):
    """What `inbox.send` takes."""

    title: Text
    body: Text


MANDATE: Final[dict[str, tuple[Text, Text]]] = {
    "active": (
        {ZH: "代扣授权已生效", "en": "Automatic debit is on"},
        {
            ZH: "{name}：单笔最多 {cap} 元，每月最多 {month} 元。每次扣款前至少 {days} 天提醒，可随时撤销。",
            "en": "{name}: at most {cap} yuan a debit, {month} yuan a month. You are reminded at least"
            " {days} days before each debit and can revoke it at any time.",
        },
    ),
    "paused": (
        {ZH: "代扣授权已暂停", "en": "Automatic debit is paused"},
        {
            ZH: "{name}：{why}已通知的扣款不再进行。",
            "en": "{name}: {why}what was announced is not debited.",
        },
    ),
    "revoked": (
        {ZH: "代扣授权已撤销", "en": "Automatic debit is revoked"},
        {
            ZH: "{name}：不再扣款，已通知的扣款也已取消。此前已开始的扣款以其结果通知为准。",
            "en": "{name}: nothing is debited any more, what was announced is cancelled. A debit that had"
            " begun before is told by itself.",
        },
    ),
    "ended": (
        {ZH: "代扣授权已终止", "en": "Automatic debit has ended"},
        {ZH: "{name}：{why}不再扣款。", "en": "{name}: {why}nothing is debited any more."},
    ),
}
"""By state: title and body of a mandate's message."""
WHY: Final[dict[str, Text]] = {
    "consent": {
        ZH: "您已撤回向该应用提供信息的同意。",
        "en": "you took back your consent to this app; ",
    },
    "level": {ZH: "您的实名等级不足。", "en": "your real-name level is too low; "},
    "app_gone": {ZH: "该应用已下线。", "en": "the app has closed; "},
    "citizen_gone": {ZH: "账户已注销。", "en": "the account is closed; "},
    "agreement_ended": {ZH: "银行侧签约已解除。", "en": "the agreement was ended at the bank; "},
    "ended_on": {ZH: "授权期限已到。", "en": "its last day has passed; "},
    "refused": {ZH: "银行侧未同意签约。", "en": "the agreement was refused at the bank; "},
    "not_confirmed": {ZH: "未在一天内完成签约。", "en": "it was not confirmed within a day; "},
    "over_cap": {ZH: "超过单笔限额", "en": "it is over the cap of one debit"},
    "over_month": {ZH: "超过当月限额", "en": "it is over the month's cap"},
    "amount_changed": {
        ZH: "金额与提醒时不同",
        "en": "its amount is not the announced one any more",
    },
    "in_order": {ZH: "该账单已在您的订单中", "en": "the bill is in an order of yours"},
    "not_owed": {ZH: "该账单已无需缴纳", "en": "the bill is not owed any more"},
    "order_closed": {ZH: "您取消了这笔订单", "en": "you cancelled its order"},
    "no_funds": {ZH: "账户余额不足", "en": "there is not enough money in the account"},
    "no_answer": {ZH: "银行未答复", "en": "the bank did not answer"},
    "returned": {
        ZH: "款项到账过晚，正在退回",
        "en": "the money came too late and is on its way back",
    },
}
"""Reasons by word; a channel's own that isn't here is told as `declined`."""
DECLINED: Final[Text] = {ZH: "银行未同意扣款", "en": "the bank declined"}
RESULTS: Final[dict[str, tuple[Text, Text]]] = {
    "paid": (
        {ZH: "代扣成功", "en": "Debited"},
        {ZH: "{title} 已代扣 {amount} 元。", "en": "{title}: {amount} yuan were debited."},
    ),
    "announced": (
        {ZH: "代扣未成功", "en": "Debit declined"},
        {
            ZH: "{title} {amount} 元：{why}，将于 {on} 再试。您也可以自行缴纳。",
            "en": "{title}, {amount} yuan: {why}; it is tried again on {on}. You can also pay it yourself.",
        },
    ),
    "failed": (
        {ZH: "代扣失败，请自行缴纳", "en": "Debit failed: please pay yourself"},
        {
            ZH: "{title} {amount} 元：{why}，不再代扣，请自行缴纳。",
            "en": "{title}, {amount} yuan: {why}. It is not tried again; please pay it yourself.",
        },
    ),
    "held": (
        {ZH: "未代扣，请您处理", "en": "Not debited: please look"},
        {
            ZH: "{title} {amount} 元：{why}，未代扣。请查看账单并自行缴纳。",
            "en": "{title}, {amount} yuan: {why}, so nothing was debited. Please look at the bill and pay it"
            " yourself.",
        },
    ),
    "skipped": (
        {ZH: "无需代扣", "en": "Nothing to debit"},
        {
            ZH: "{title} {amount} 元：{why}，未代扣。",
            "en": "{title}, {amount} yuan: {why}; nothing was debited.",
        },
    ),
}
"""By state: what became of a debit, or of one attempt."""
REMINDER: Final[tuple[Text, Text]] = (
    {ZH: "代扣提醒", "en": "A debit is coming"},
    {
        ZH: "{title}（{whom}，{period}）{amount} 元将于 {on} 扣款；如未成功，其后 {retry} 天内再试。"
        "如需停止，请在此前打开代扣授权，暂停或撤销，或先自行缴纳。",
        "en": "{title} ({whom}, {period}): {amount} yuan are debited on {on}, or if that fails on one of the"
        " {retry} days after it. To stop it, open the mandate before then and pause or revoke it, or pay the"
        " bill yourself.",
    },
)


def mandate(registry: Registry, row: MandateRow, state: str, why: str) -> Words:
    """A mandate that has come to a state."""
    title, body = MANDATE[state]
    reason, name = WHY.get(why, {}), _name(registry, row)
    return _filled(
        title,
        body,
        {
            lang: {
                "name": i18n.pick(name, lang)
                + (f"（{row.beneficiary}）" if row.beneficiary else ""),
                "cap": money.yuan(row.cap_minor),
                "month": money.yuan(row.month_cap_minor),
                "why": i18n.pick(reason, lang) if reason else "",
                "days": str(REMIND_DAYS_MIN),
            }
            for lang in body
        },
    )


def _name(registry: Registry, row: MandateRow) -> Text:
    try:
        return {**registry.app(row.shop, row.app).name}
    except (NoSuchShop, NoSuchApp):  # it has left
        return {ZH: f"{row.shop}/{row.app}"}


def reminder(row: DebitRow) -> Words:
    """That a bill is going to be debited: what, how much, when, and how to stop it."""
    return _filled(*REMINDER, {lang: _bill(row, lang) for lang in REMINDER[1]})


def debit(row: DebitRow, event: DebitMoved) -> Words:
    """What became of it."""
    title, body = RESULTS[event.state]
    reason = WHY.get(event.why, DECLINED)
    return _filled(
        title,
        body,
        {
            lang: {**_bill(row, lang), "why": i18n.pick(reason, lang), "on": event.on.isoformat()}
            for lang in body
        },
    )


def _bill(row: DebitRow, lang: str) -> dict[str, str]:
    return {
        "title": i18n.pick(row.title, lang),
        "whom": i18n.pick(row.beneficiary, lang),
        "period": row.period,
        "amount": money.yuan(row.amount_minor),
        "on": row.debit_on.isoformat(),
        "retry": str(RETRY_DAYS),
    }


def _filled(title: Text, body: Text, values: dict[str, dict[str, str]]) -> Words:
    return Words(
        title=title, body={lang: text.format(**values[lang]) for lang, text in body.items()}
    )
