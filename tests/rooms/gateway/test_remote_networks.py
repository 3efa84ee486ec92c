"""Where a remote shop may live, and that whoever answers there is the shop."""

from __future__ import annotations

from collections.abc import Generator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import DNSName, GeneralName, IPAddress
from tests.rooms.gateway.hostile import Hostile, sized
from tests.rooms.gateway.remote_shop import Remote, placed, said
from tests.rooms.gateway.steps import bills, someone
from tests.rooms.gateway.test_http1_tls import Authority

from civicmall.gateway import addresses
from civicmall.gateway.addresses import Networks

HERE = IPAddress(ip_address("127.0.0.1"))
CERTIFICATES: dict[str, tuple[list[GeneralName], dict[str, Any]]] = {
    "expired": ([HERE], {"days": -1}),
    "signed by itself": ([HERE], {"alone": True}),
    "another host's": ([DNSName("shop.example")], {}),
    "another address's": ([IPAddress(ip_address("127.0.0.2"))], {}),
}


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The only one that the platform trusts, as an operator of a closed network sets it."""
    made = Authority(tmp_path)
    trusted = tmp_path / "authorities.pem"
    trusted.write_bytes(made.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return made


def at(remote: Remote, url: str, version: str) -> Any:
    return remote.place(placed(said(remote.away, version=version), url))


async def asked(remote: Remote) -> tuple[int, str | None]:
    client, _ = await someone(remote.city)
    answer = await client.get(bills(remote.away, "all"))
    assert (await client.get(bills(remote.here, "all"))).status_code == 200
    return answer.status_code, answer.json().get("check")


def answering(server: Hostile) -> None:
    async def empty(_: Any, writer: Any) -> bool:
        writer.write(sized(b"[]"))
        return True

    server.acts["empty"] = empty
    server.mode = "empty"


async def test_a_shop_that_proves_who_it_is_is_called(remote: Remote, authority: Authority) -> None:
    async with Hostile(tls=authority.server(HERE)) as server:
        answering(server)
        await at(remote, f"https://127.0.0.1:{server.port}", "5.0.0")
        assert await asked(remote) == (200, None)


@pytest.mark.parametrize(("hosts", "more"), CERTIFICATES.values(), ids=CERTIFICATES.keys())
async def test_certificate_trouble_is_named(
    remote: Remote, authority: Authority, hosts: list[GeneralName], more: dict[str, Any]
) -> None:
    async with Hostile(tls=authority.server(*hosts, **more)) as server:
        answering(server)
        await at(remote, f"https://127.0.0.1:{server.port}", "5.0.1")
        assert await asked(remote) == (503, "certificate")
        assert server.requests == [], "it was told nothing"


async def test_a_shop_without_tls_where_it_says_tls(remote: Remote, authority: Authority) -> None:
    await at(remote, remote.served.url.replace("http:", "https:"), "5.0.2")
    assert await asked(remote) == (503, "unreachable")
    assert remote.served.seen == []


FORBIDDEN = {
    "metadata": "http://169.254.169.254/latest", "metadata elsewhere": "http://100.100.100.200",
    "a private network": "http://10.0.0.1", "everywhere": "http://0.0.0.0:8000",
    "IPv6 metadata": "http://[fd00:ec2::254]", "IPv6 link-local": "http://[fe80::1]",
    "many": "http://224.0.0.1",
}  # fmt: skip


@pytest.mark.parametrize("url", FORBIDDEN.values(), ids=FORBIDDEN.keys())
async def test_no_shop_lives_where_none_may(remote: Remote, url: str) -> None:
    await at(remote, url, "5.1.0")
    assert await asked(remote) == (503, "address")
    assert "address" in remote.way(remote.away).gate.away


ODD = {
    "an IPv4 address in octal": "http://0177.0.0.1", "a number": "http://2130706433",
    "an IPv4 address in IPv6": "http://[::ffff:169.254.169.254]", "a hex number": "http://0x7f000001",
    "dots": "http://127.0.0.1:8000/../x", "a backslash": "http://127.0.0.1\\x",
}  # fmt: skip


@pytest.mark.parametrize("url", ODD.values(), ids=ODD.keys())
async def test_an_odd_address_closes_its_shop_alone(remote: Remote, url: str) -> None:
    await at(remote, url, "5.2.0")
    assert await asked(remote) == (503, None)
    assert "its address or key" in remote.town.get(remote.away).reason


class Names:
    """A name server that a test may change its mind for."""

    def __init__(self) -> None:
        self.ips = ["127.0.0.1"]
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        del host, port
        self.asked += 1
        return self.ips


@pytest.fixture
def names(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> Generator[Names]:
    found = Names()
    monkeypatch.setattr(addresses, "TTL_S", 0.0)
    platform = remote.gateway.platform
    before, platform.networks = platform.networks, Networks.parse("127.0.0.0/8", found)
    yield found
    platform.networks = before


@pytest.mark.parametrize("then", [["169.254.169.254"], ["10.0.0.1"], ["127.0.0.1", "169.254.169.254"]],
                         ids=["metadata", "inside", "one of two"])  # fmt: skip
async def test_a_name_that_changes_its_mind_leads_nowhere(
    remote: Remote, names: Names, then: list[str]
) -> None:
    async with Hostile() as server:
        answering(server)
        await at(remote, f"http://shop.test:{server.port}", "5.3.0")
        assert await asked(remote) == (200, None)
        assert {request.headers["host"] for request in server.requests} == {
            f"shop.test:{server.port}"
        }
        names.ips = then
        server.close_resting()
        await server.closed()
        count = len(server.requests)
        assert await asked(remote) == (503, "address")
        assert len(server.requests) == count, "nobody was called, not even the right one"


async def test_a_name_that_nobody_knows_is_away(remote: Remote, names: Names) -> None:
    names.ips = []
    await at(remote, "http://shop.test:80", "5.3.1")
    assert await asked(remote) == (503, "unreachable")
    assert names.asked > 0
