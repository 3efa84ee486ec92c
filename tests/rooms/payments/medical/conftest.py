"""A city whose medical insurance pays for what the kiosk sells."""

from __future__ import annotations

import msgspec
import pytest
from tests.rooms.payments.steps import KIOSK

from civicmall.kernel.config import Settings


@pytest.fixture(scope="module")
def settings(settings: Settings) -> Settings:
    """As everywhere, with the kiosk's tickets insured."""
    return msgspec.structs.replace(settings, medical_fees=f"{KIOSK}/stall.fee")
