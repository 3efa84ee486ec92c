"""The sound shop of tests/fixtures, fresh for each fault that is put into it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from shopkit import Shop

HOME: Final = Path(__file__).parents[1] / "fixtures" / "sound_shop"
if str(HOME / "src") not in sys.path:
    sys.path.append(str(HOME / "src"))
sound_shop: Any = import_module("sound_shop")
desk: Any = import_module("sound_shop.desk")

_DESKS: Final[dict[int, Any]] = {}


def fresh() -> Shop:
    """A shop with a memory of its own."""
    memory = desk.Desk()
    shop: Shop = sound_shop.fitted(memory)
    _DESKS[id(shop)] = (shop, memory)  # the shop too: its id is not another's meanwhile
    return shop


def desk_of(shop: Shop) -> Any:
    """What it remembers."""
    return _DESKS[id(shop)][1]
