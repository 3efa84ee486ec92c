"""The catalogue as its content has it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from civicmall.catalogue import Catalogue, from_content


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Compiled once for all tests of this folder."""
    return from_content(datetime(2026, 11, 24, tzinfo=UTC))
