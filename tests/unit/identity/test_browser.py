"""Cookies of a browser's session, and forms that come from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from litestar import Request

from civicmall.identity import Kind, NotAllowed, TokenPair, check_origin, cookies
from civicmall.kernel import crypto
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.crypto import Keys
from civicmall.kernel.house import House

PAIR = TokenPair("access", "refresh", 600)
KEYS = Keys(crypto.generate())


def house(url: str) -> House:
    settings = Settings(database_url="unused", data_dir=Path("unused"), public_url=url)
    nothing: Any = None
    return House(settings, Clock(), KEYS, nothing)


def posted(**headers: str) -> Request[Any, Any, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "headers": raw,
        "query_string": b"",
    }
    return Request(scope)


@pytest.mark.parametrize(
    "headers",
    [
        {},  # no browser
        {"origin": "https://mall.example"},
        {"origin": "https://mall.example", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "http://127.0.0.1:8000", "host": "127.0.0.1:8000"},  # behind a proxy
        {"origin": "https://inner.example", "host": "inner.example"},
    ],
)
def test_our_own_forms_pass(headers: dict[str, str]) -> None:
    check_origin(posted(**headers), house("https://mall.example"))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "host": "mall.example"},
        {"origin": "https://mall.example.evil.example", "host": "mall.example"},
        {"origin": "null", "host": "mall.example"},
        {"origin": "", "host": "mall.example"},
        {"origin": "https://mall.example", "sec_fetch_site": "cross-site"},
        {"origin": "https://mall.example", "sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_other_sites_forms_do_not(headers: dict[str, str]) -> None:
    with pytest.raises(NotAllowed):
        check_origin(posted(**headers), house("https://mall.example"))


def test_scripts_cant_read_the_cookies_and_other_sites_forms_dont_carry_them() -> None:
    homes: dict[Kind, str] = {"citizen": "/", "staff": "/console"}
    for kind, path in homes.items():
        access, refresh = cookies(house("https://mall.example"), kind, PAIR)
        for cookie in (access, refresh):
            assert (cookie.httponly, cookie.secure, cookie.samesite) == (True, True, "lax")
            assert cookie.path == path
        assert (access.value, access.max_age) == ("access", 600)
        assert (refresh.value, refresh.max_age) == ("refresh", 60 * 86_400)


def test_citizens_and_staff_in_one_browser_dont_meet() -> None:
    kinds: tuple[Kind, ...] = ("citizen", "staff")
    names = [{c.key for c in cookies(house("https://m"), kind, PAIR)} for kind in kinds]
    assert not names[0] & names[1]


def test_signing_out_forgets_both() -> None:
    found = cookies(house("http://127.0.0.1:8000"), "staff", None)
    assert [(c.value, c.max_age, c.path) for c in found] == [("", 0, "/console")] * 2
    assert not any(c.secure for c in found)
