"""A real Chromium. Where there is none the tests are skipped with the reason; in CI they fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

KNOWN_AS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
"""Nothing but the page under test speaks to anybody."""


def chromium() -> Path | None:
    """The browser: CHROMIUM, or whatever the system calls it."""
    said = os.environ.get("CHROMIUM", "")
    if said:
        return Path(said) if Path(said).exists() else None
    found = (shutil.which(name) for name in KNOWN_AS)
    return next((Path(path) for path in found if path), None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncGenerator[Browser]:
    """One Chromium for the run."""
    path = chromium()
    if path is None:
        why = "no Chromium found; install one or name it in CHROMIUM"
        if os.environ.get("CI", "") in {"true", "1"}:
            pytest.fail(why)
        pytest.skip(why)
    async with async_playwright() as playwright:
        found = await playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield found
        await found.close()
