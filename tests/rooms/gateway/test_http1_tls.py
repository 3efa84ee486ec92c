"""TLS: whoever can't prove to be the shop is not called."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tests.rooms.gateway.calling import Receiver, client, get, soon, stream
from tests.rooms.gateway.hostile import BODY, Hostile

from civicmall.gateway.addresses import Networks, parse_base
from civicmall.gateway.http1 import BadCertificate, Client, Unreachable

NOW = datetime.now(UTC)
HOST = "shop.test"


async def local(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


NETWORKS = Networks.parse("127.0.0.0/8", local)


def name(of: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of)])


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._made = 0
        self.certificate = (
            self._builder("test authority", "test authority", self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(self, of: str, by: str, key: Any, days: int = 1) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(of))
            .issuer_name(name(by))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=10))
            .not_valid_after(NOW + timedelta(days=days))
        )

    def server(
        self, *hosts: x509.GeneralName, days: int = 1, alone: bool = False
    ) -> ssl.SSLContext:
        """A server's context with a certificate for these hosts; `alone`: signed by itself."""
        key = ec.generate_private_key(ec.SECP256R1())
        by = HOST if alone else "test authority"
        made = (
            self._builder(HOST, by, key.public_key(), days)
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .sign(key if alone else self._key, hashes.SHA256())
        )
        self._made += 1
        pem = self._home / f"{self._made}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(secret + made.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        return context

    def client(self) -> ssl.SSLContext:
        """A client's context that trusts this authority alone."""
        context = ssl.create_default_context(
            cadata=self.certificate.public_bytes(Encoding.PEM).decode()
        )
        assert context.check_hostname
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def test_a_shop_that_proves_who_it_is(authority: Authority) -> None:
    """Checked by the name, connected to the pinned address, and kept."""
    tls = authority.server(x509.DNSName(HOST))
    async with (
        Hostile(tls=tls) as server,
        client(server.port, tls=authority.client(), host=HOST, networks=NETWORKS) as c,
    ):
        for _ in range(3):
            assert (await get(c, "/ok")).body == BODY
        assert (await stream(c, "/large?200000", Receiver())).body == b"a" * 200_000
        assert server.accepted == 1
        assert server.requests[0].headers["host"] == f"{HOST}:{server.port}"
        assert (await get(c, "/until-close")).body == BODY


async def test_a_shop_by_address(authority: Authority) -> None:
    tls = authority.server(x509.IPAddress(IPv4Address("127.0.0.1")))
    async with Hostile(tls=tls) as server, client(server.port, tls=authority.client()) as c:
        assert (await get(c, "/ok")).body == BODY


BAD: dict[str, Callable[[Authority], ssl.SSLContext]] = {
    "self-signed": lambda a: a.server(x509.DNSName(HOST), alone=True),
    "expired": lambda a: a.server(x509.DNSName(HOST), days=-1),
    "another host's": lambda a: a.server(x509.DNSName("other.test")),
    "a wildcard of another's": lambda a: a.server(x509.DNSName("*.shop.test")),
    "the address instead of the name": lambda a: a.server(x509.IPAddress(IPv4Address("127.0.0.1"))),
}


@pytest.mark.parametrize("trouble", BAD)
async def test_a_shop_that_cannot_is_not_called(authority: Authority, trouble: str) -> None:
    async with (
        Hostile(tls=BAD[trouble](authority)) as server,
        client(server.port, tls=authority.client(), host=HOST, networks=NETWORKS) as c,
    ):
        with pytest.raises(BadCertificate) as bad:
            await get(c, "/ok")
        assert str(bad.value)
        with pytest.raises(BadCertificate):
            await stream(c, "/ok", Receiver())
        assert server.requests == []
        assert c.connections == 0


async def test_an_authority_that_nobody_knows(authority: Authority) -> None:
    async with (
        Hostile(tls=authority.server(x509.DNSName(HOST))) as server,
        client(server.port, tls=ssl.create_default_context(), host=HOST, networks=NETWORKS) as c,
    ):
        with pytest.raises(BadCertificate):
            await get(c, "/ok")


async def test_no_tls_behind_a_tls_address(authority: Authority) -> None:
    async with (
        Hostile("banner") as server,
        client(server.port, tls=authority.client(), host=HOST, networks=NETWORKS) as c,
    ):
        with pytest.raises(Unreachable):
            await get(c, "/ok")
        assert c.connections == 0


async def test_a_handshake_that_hangs_ends_at_the_deadline(authority: Authority) -> None:
    async with (
        Hostile("hang") as server,
        client(server.port, tls=authority.client(), host=HOST, networks=NETWORKS) as c,
    ):
        with pytest.raises(TimeoutError):
            await get(c, "/ok", deadline=soon(0.1))
        assert c.connections == 0
        await server.closed()


def test_a_context_that_checks_nothing_is_refused(authority: Authority) -> None:
    base = parse_base(f"https://{HOST}", https_only=True)
    lax = authority.client()
    lax.check_hostname = False
    with pytest.raises(ValueError, match="does not check"):
        Client(base, NETWORKS, connections_max=1, ssl_context=lax)
    lax.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="does not check"):
        Client(base, NETWORKS, connections_max=1, ssl_context=lax)
