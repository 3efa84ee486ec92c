"""Which addresses a shop may have, and how they may be written."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.gateway.addresses import Base, Networks, OddAddress, parse_base

PUBLIC = Networks()
EVERYTHING = Networks.parse("0.0.0.0/0, ::/0")


@pytest.mark.parametrize(
    "ip", ["1.1.1.1", "93.184.216.34", "223.5.5.5", "2606:4700::1111", "2400:3200::1",
           "64:ff9b::101:101", "::ffff:1.1.1.1"]
)  # fmt: skip
def test_a_public_address_may_be_reached(ip: str) -> None:
    assert PUBLIC.refusal(ip) is None


INSIDE = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "240.0.0.1", "::1",
    "fc00::1", "fd12:3456::1", "2001:db8::1", "fec0::1", "100::1", "3fff::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
    "192.0.0.9", "192.88.99.1", "2001:20::1",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "169.254.0.23", "224.0.0.1",
    "239.255.255.250", "255.255.255.255", "100.100.100.200", "168.63.129.16", "192.0.0.192", "::",
    "fe80::1", "fe80::1%eth0", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254",
    "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:7f00:1::",
    "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::a9fe:a9fe",
    "::7f00:1", "::10.0.0.1", "::1.1.1.1",
]  # fmt: skip


@pytest.mark.parametrize("ip", INSIDE)
def test_one_of_our_own_networks_may_be_reached_only_where_it_is_named(ip: str) -> None:
    assert PUBLIC.refusal(ip)
    assert EVERYTHING.refusal(ip) is None


@pytest.mark.parametrize("ip", NEVER)
def test_some_addresses_may_never_be_reached(ip: str) -> None:
    assert PUBLIC.refusal(ip)
    assert EVERYTHING.refusal(ip)


@pytest.mark.parametrize("ip", ["", "localhost", "127.1", "0x7f.1", "2130706433", "1.1.1.1 "])
def test_what_is_no_address_is_not_reached(ip: str) -> None:
    assert EVERYTHING.refusal(ip)


def test_only_what_is_named_is_let_in() -> None:
    named = Networks.parse("10.1.0.0/16,127.0.0.1/32 , fd12::/16")
    for ip in ("10.1.2.3", "127.0.0.1", "fd12::1", "::ffff:10.1.2.3", "1.1.1.1"):
        assert named.refusal(ip) is None
    for ip in ("10.2.0.1", "127.0.0.2", "fd13::1", "::ffff:10.2.0.1", "169.254.169.254"):
        assert named.refusal(ip)


@given(st.integers(0, 2**32 - 1))
def test_an_address_wrapped_in_another_is_judged_as_itself(number: int) -> None:
    plain = str(ipaddress.IPv4Address(number))
    mapped = str(ipaddress.IPv6Address(0xFFFF_0000_0000 | number))
    translated = str(ipaddress.IPv6Address((0x64FF9B << 96) | number))
    for networks in (PUBLIC, EVERYTHING, Networks.parse("10.0.0.0/8")):
        told = networks.refusal(plain) is None
        assert (networks.refusal(mapped) is None) == told
        assert (networks.refusal(translated) is None) == told


@given(st.integers(0, 2**128 - 1))
def test_no_public_address_lies_outside_what_is_assigned(number: int) -> None:
    address = ipaddress.IPv6Address(number)
    if PUBLIC.refusal(str(address)) is None:
        assert address in ipaddress.ip_network("2000::/3") or number >> 32 in {
            0xFFFF,
            0x64FF9B << 64,
        }


@pytest.mark.parametrize("setting", ["", " ", ",", " , "])
def test_an_empty_setting_names_none(setting: str) -> None:
    assert Networks.parse(setting).refusal("127.0.0.1")


@pytest.mark.parametrize(
    "setting", ["10.1.0.1/16", "localhost", "10.0.0.0/33", "10.0.0.0/8;::1", "*"]
)
def test_a_wrong_setting_is_named(setting: str) -> None:
    with pytest.raises(OddAddress, match="no network"):
        Networks.parse(setting)


@pytest.mark.parametrize(
    ("url", "base", "authority"),
    [
        ("https://shop.gov.cn", Base("https", "shop.gov.cn", 443, ""), "shop.gov.cn"),
        ("https://shop.gov.cn/", Base("https", "shop.gov.cn", 443, ""), "shop.gov.cn"),
        ("HTTPS://Shop.GOV.cn:443/a/B_1/", Base("https", "shop.gov.cn", 443, "/a/B_1"), "shop.gov.cn"),
        ("https://shop:8443/v1.2/~x", Base("https", "shop", 8443, "/v1.2/~x"), "shop:8443"),
        ("https://xn--fiqs8s.cn", Base("https", "xn--fiqs8s.cn", 443, ""), "xn--fiqs8s.cn"),
        ("https://1.1.1.1", Base("https", "1.1.1.1", 443, ""), "1.1.1.1"),
        ("https://[2606:4700:0::1]:8443/", Base("https", "2606:4700::1", 8443, ""), "[2606:4700::1]:8443"),
        ("https://[::1]", Base("https", "::1", 443, ""), "[::1]"),
        ("https://a_b.c-d.cn/.well-known", Base("https", "a_b.c-d.cn", 443, "/.well-known"), "a_b.c-d.cn"),
        ("http://127.0.0.1:80/x", Base("http", "127.0.0.1", 80, "/x"), "127.0.0.1"),
    ],
)  # fmt: skip
def test_an_address_is_read(url: str, base: Base, authority: str) -> None:
    assert parse_base(url, https_only=base.scheme == "https") == base
    assert base.authority == authority
    assert parse_base(base.url, https_only=False) == base


def test_http_is_read_only_where_it_may_be() -> None:
    assert parse_base("http://shop.cn:8000", https_only=False).port == 8000
    with pytest.raises(OddAddress, match="is not https"):
        parse_base("http://shop.cn:8000", https_only=True)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "https"), ("shop.cn", "https"), ("//shop.cn", "https"), ("ftp://shop.cn", "https"),
        ("file:///etc/passwd", "https"), ("unix:/run/x.sock", "https"), ("https:shop.cn", "path"),
        ("https:///x", "host"), ("https://", "host"), ("https://:443", "host"),
        ("https://user@shop.cn", "user name"), ("https://u:p@shop.cn", "user name"),
        ("https://shop.cn@169.254.169.254", "user name"), ("https://shop.cn\\@evil.cn", "backslash"),
        ("https://shop.cn.", "dot"), ("https://127.0.0.1.", "dot"), ("https://.shop.cn", "host"),
        ("https://a..b", "host"), ("https://-a.cn", "host"), ("https://a-.cn", "host"),
        ("https://0x7f.1", "odd IPv4"), ("https://2130706433", "odd IPv4"), ("https://127.1", "odd IPv4"),
        ("https://0177.0.0.1", "odd IPv4"), ("https://127.0.0.0x1", "odd IPv4"), ("https://0x7f000001", "odd IPv4"),
        ("https://1.2.3.4.5", "odd IPv4"), ("https://256.1.1.1", "odd IPv4"), ("https://shop.08", "odd IPv4"),
        ("https://[::ffff:127.0.0.1]", "wraps"), ("https://[::127.0.0.1]", "wraps"),
        ("https://[::ffff:7f00:1]", "wraps"), ("https://[fe80::1%25eth0]", "%"), ("https://[1.1.1.1]", "host|IPv6|address"),
        ("https://[::1", "IPv6"), ("https://::1", "host"), ("https://[::1]x", "host|IPv6"), ("https://a[::1]", "host|IPv6"),
        ("https://shop.cn:", "port"), ("https://shop.cn:0", "port"), ("https://shop.cn:65536", "port"),
        ("https://shop.cn:99999", "port"), ("https://shop.cn:+80", "port"), ("https://shop.cn:080", "port"),
        ("https://shop.cn:80:80", "port"), ("https://shop.cn:https", "port"),
        ("https://shop.cn?x", "query"), ("https://shop.cn/a?b=c", "query"), ("https://shop.cn/#a", "fragment"),
        ("https://shop.cn/#", "fragment"), ("https://shop.cn/a?", "query"),
        ("https://shop.cn/../a", "path"), ("https://shop.cn/a/..", "path"), ("https://shop.cn/./a", "path"),
        ("https://shop.cn/a//b", "path"), ("https://shop.cn//", "path"), ("https://shop.cn/%2e%2e", "path"), ("https://shop.cn/a;b", "path"),
        ("https://shop.cn/a b", "space"), (" https://shop.cn", "space"), ("https://shop.cn\n", "control"),
        ("https://sh\top.cn", "control"), ("https://shop.cn/\r\nx: y", "control"), ("https://sh\0op.cn", "control"),
        ("https://\u5e02.cn", "ASCII"), ("https://\uff11\uff12\uff17.0.0.1", "ASCII"), ("https://shop\u3002cn", "ASCII"),
        ("https://sh%6fp.cn", "%"), ("https://shop.cn:8%30", "%"), ("https://shop.cn/" + "a" * 500, "longer"),
        ("https://" + "a" * 64 + ".cn", "host"), ("https://" + "a." * 128 + "cn", "host"),
    ],
    ids=lambda said: repr(said[:40]),
)  # fmt: skip
def test_whatever_is_odd_is_refused_with_what_it_is(url: str, what: str) -> None:
    with pytest.raises(OddAddress, match=what):
        parse_base(url, https_only=True)


@given(st.text(max_size=60) | st.from_regex(r"https?://[a-z0-9.:@\[\]\\/%?#-]{0,40}"))
def test_any_text_is_an_address_or_odd(url: str) -> None:
    """And one that is read is read the same again, wherever it is written out."""
    try:
        base = parse_base(url, https_only=False)
    except OddAddress:
        return
    assert parse_base(base.url, https_only=False) == base
    assert base.host in base.url
