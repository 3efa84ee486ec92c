"""How statements are written: in the common form, or as a channel's own file from its website."""

from __future__ import annotations

from datetime import date
from typing import Final

from .alipay import Alipay
from .common import HEADER, Common
from .reading import BadRow, Entry, NotAStatement, Reader
from .wechatpay import WeChatPay

OWN: Final[dict[str, type[Reader]]] = {"alipay": Alipay, "wechatpay": WeChatPay}
"""The files that an operator may have got from the channel, by its name."""


def reader_of(channel: str, day: date, first_line: bytes) -> Reader:
    """What reads a file that begins so. Whatever is neither form is the reader's to refuse."""
    if first_line.startswith(HEADER.encode()) or channel not in OWN:
        return Common(day)
    return OWN[channel](day)


__all__ = [
    "OWN", "Alipay", "BadRow", "Common", "Entry", "NotAStatement", "Reader", "WeChatPay", "reader_of",
]  # fmt: skip
