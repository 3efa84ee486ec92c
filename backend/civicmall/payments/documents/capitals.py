"""Amounts in Chinese capitals (人民币大写), as papers about money carry them.

By the basic rules for filling in instruments and settlement vouchers, annex 1 of the People's Bank of
China's 支付结算办法 (银发〔1997〕393号): 人民币 comes first; 拾 never stands without its 壹; zeros
between figures are one 零; 整 follows 元 and 角, and never 分.
"""

from __future__ import annotations

from typing import Final

DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
PLACES: Final = ((1000, "仟"), (100, "佰"), (10, "拾"), (1, ""))
GROUPS: Final = ((10**8, "亿"), (10**4, "万"))
LIMIT: Final = 10**16
"""Yuan from which on nobody would read it."""


def capitals(amount_minor: int) -> str:
    """分 → 人民币…. Raises ValueError below zero and from 10^16 yuan on."""
    yuan, cents = divmod(amount_minor, 100)
    if amount_minor < 0 or yuan >= LIMIT:
        raise ValueError("no such amount on paper")
    jiao, fen = divmod(cents, 10)
    if not amount_minor:
        return "人民币零元整"
    said = "人民币" + (f"{_whole(yuan)}元" if yuan else "")
    if jiao:
        said += f"{DIGITS[jiao]}角"
    elif fen and yuan:
        said += "零"
    return said + (f"{DIGITS[fen]}分" if fen else "整")


def _whole(number: int) -> str:
    for size, name in GROUPS:
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if 0 < low < size // 10 else ""
            return _whole(high) + name + gap + (_whole(low) if low else "")
    return _below_ten_thousand(number)


def _below_ten_thousand(number: int) -> str:
    said, gap = "", False
    for size, name in PLACES:
        digit, number = divmod(number, size)
        if digit:
            said += ("零" if gap and said else "") + DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return said
