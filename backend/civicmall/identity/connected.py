"""What a city has connected for signing in, read before anything is started."""

from __future__ import annotations

import os
from collections.abc import Mapping

from . import senders
from .federation import settings as upstream
from .levels import settings as authority


def check_settings(*, sandbox: bool, env: Mapping[str, str] | None = None) -> list[str]:
    """That everything that is set up can be; what a real city lacks, in words for whoever runs it.

    Raises BadSetting.
    """
    env = os.environ if env is None else env
    texts = senders.declared_gateway(env, sandbox=sandbox)
    checks = authority.set_up(env)
    upstream.set_up(env)
    if sandbox:
        return []
    lacks: list[str] = []
    if texts is None:
        lacks.append(
            "no gateway for text messages is connected: nobody can get a code (CIVICMALL_SMS_URL)"
        )
    if checks is None:
        lacks.append(
            "no authority is connected: nobody gets beyond level 1 (CIVICMALL_AUTHORITY_URL)"
        )
    return lacks
