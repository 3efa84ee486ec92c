"""A database is a sandbox's or a real city's, for ever: a setting can't turn one into the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from civicmall.kernel import mode
from civicmall.kernel.config import BadSetting
from civicmall.kernel.db import Pool


async def test_two_first_starts_at_once_agree(pool: Pool, owner: Any) -> None:
    await owner.execute("truncate kernel.city")
    deciding = owner.transaction()
    await deciding.start()
    await owner.execute("insert into kernel.city (sandbox) values (true)")
    second = asyncio.create_task(mode.keep(pool, sandbox=True))
    await asyncio.sleep(0.1)
    assert not second.done()
    await deciding.commit()
    await second


async def test_the_first_start_decides(pool: Pool) -> None:
    await asyncio.gather(*(mode.keep(pool, sandbox=True) for _ in range(4)))
    await mode.keep(pool, sandbox=True)
    with pytest.raises(BadSetting, match="made as a sandbox; a real city needs") as refused:
        await mode.keep(pool, sandbox=False)
    assert refused.value.name == "CIVICMALL_SANDBOX"
