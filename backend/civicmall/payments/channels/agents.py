"""What payers hold in their hands, by the name of their browser."""

from __future__ import annotations

import re
from typing import Final

from civicmall.payments.models import Agent

PHONE: Final = re.compile(r"\b(Android|iPhone|iPod|HarmonyOS|Mobile)\b", re.IGNORECASE)
IN_WECHAT: Final = "MicroMessenger/"


def is_phone(agent: Agent) -> bool:
    """Whether pages for small screens fit."""
    return PHONE.search(agent.name) is not None


def is_in_wechat(agent: Agent) -> bool:
    """Whether the page is shown inside WeChat, where other channels' pages don't open."""
    return IN_WECHAT in agent.name
