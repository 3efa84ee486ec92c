"""`call.http` lets through the hosts that the manifest names, and sends nothing to others."""

from __future__ import annotations

import httpx
import pytest

from shopkit.egress import Declared, NoEgress, NotDeclared, client

HOSTS = ("meters.example", "10.1.2.3:8443")


class Sent(httpx.AsyncBaseTransport):
    """Answers everything, and remembers what came."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(str(request.url))
        return httpx.Response(200)


@pytest.mark.parametrize(
    "url",
    [
        "https://meters.example/stays", "http://meters.example/", "https://meters.example:443/x",
        "https://METERS.example/", "https://10.1.2.3:8443/a", "http://10.1.2.3:8443/a",
    ],
)  # fmt: skip
async def test_a_named_host_is_called(url: str) -> None:
    sent = Sent()
    async with httpx.AsyncClient(transport=Declared(HOSTS, sent)) as http:
        assert (await http.get(url)).status_code == 200
    assert len(sent.urls) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/", "https://meters.example.evil.example/", "https://meters.example:8443/",
        "https://sub.meters.example/", "https://10.1.2.3/", "http://meters.example@other.example/",
        "http://169.254.169.254/latest/meta-data/",
    ],
)  # fmt: skip
async def test_any_other_host_is_refused_before_anything_is_sent(url: str) -> None:
    sent = Sent()
    async with httpx.AsyncClient(transport=Declared(HOSTS, sent)) as http:
        with pytest.raises(NotDeclared, match="egress"):
            await http.get(url)
    assert sent.urls == []


async def test_a_redirect_is_not_followed() -> None:
    made = client(["meters.example"])
    assert isinstance(made, httpx.AsyncClient)
    assert not made.follow_redirects
    assert not made.trust_env
    await made.aclose()


def test_a_shop_that_names_no_hosts_is_told_so() -> None:
    made = client([])
    assert isinstance(made, NoEgress)
    with pytest.raises(NotDeclared, match="names no hosts"):
        _ = made.get
