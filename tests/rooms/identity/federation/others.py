"""npm's oidc-provider, running for real, and a browser between it and the city."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import httpx
import msgspec
import pytest

FOLDER: Final = Path(__file__).parents[3] / "fixtures" / "upstream_idp"
LOCK: Final = Path(tempfile.gettempdir()) / "civicmall-upstream-idp.lock"
SECRET: Final = "a secret/with: signs"


def _install() -> None:
    """Once for all who run side by side; skips with the reason where it can't, fails in CI."""
    why = ""
    if not shutil.which("node") or not shutil.which("npm"):
        why = "there is no node here"
    else:
        with LOCK.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
                done = subprocess.run(
                    ["npm", "ci", "--no-audit", "--no-fund"],
                    cwd=FOLDER, capture_output=True, text=True, check=False, timeout=180,
                )  # fmt: skip
                why = f"npm ci failed: {done.stderr[-200:]}" if done.returncode else ""
    if why and os.environ.get("CI"):
        pytest.fail(why)
    elif why:
        pytest.skip(why)


@contextmanager
def provider(
    port: int, redirects: list[str], jwk: dict[str, Any], accounts: dict[str, dict[str, Any]]
) -> Generator[str]:
    """Its issuer, until left."""
    _install()
    said = {"redirects": redirects, "secret": SECRET, "jwk": jwk, "accounts": accounts}
    process = subprocess.Popen(
        ["node", "server.js", str(port), msgspec.json.encode(said).decode()],
        cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        while (line := process.stdout.readline().strip()) != "ready":
            assert line or process.poll() is None, "the provider did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


async def sign_in_there(url: str, login: str | None) -> str:
    """What a browser does there: follow, choose an account (None: walk away), follow back. Answers
    the address that it is sent back to, which is not opened.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=20) as browser:
        issuer = httpx.URL(url).host, httpx.URL(url).port
        answer = await browser.get(url)
        chosen = False
        for _ in range(8):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if (httpx.URL(url).host, httpx.URL(url).port) != issuer:
                    return url
            else:
                assert answer.status_code == 200, answer.text
                assert not chosen, answer.text
                chosen = True
                url = f"{url}?cancel=1" if login is None else f"{url}?login={login}"
            answer = await browser.get(url)
    raise AssertionError(url)
