"""The bench itself: it measures everything and writes it down. Not how fast anything is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.bench.__main__ import Row
from tests.bench.load import raw
from tests.bench.pay import order_id, script
from tests.bench.place import ROOT

from civicmall.kernel import ids

RAW = ("raw_signed", "raw_shared", "raw_unsigned")


@pytest.mark.xdist_group("bench")
def test_every_figure_is_measured_and_written(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick", "--out", str(results)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    rows = msgspec.json.decode(results.read_bytes(), type=list[Row])
    kept = {
        peer: f"{peer} is left out: " not in done.stdout
        for peer in ("@fastify/http-proxy", "nginx")
    }
    assert [row.name for row in rows] == [
        "home", "home_p99", "start_up", "idle_memory",
        "pay_1", "pay_8", "pay_http", "pay_hot_shop", "pay_32", "pay_old_ledger",
        "reconcile_read",
        "near_overhead", "near_overhead_p99", "claims_overhead", "claims_overhead_p99",
        "away_overhead", "away_overhead_p99",
        *([*RAW, "typed_away", "typed_shared"] if kept["@fastify/http-proxy"] else []),
        *([f"{name}_nginx" for name in RAW] if kept["nginx"] else []),
        "neighbours_p99", "verified", "sign_ins", "token", "token_p99",
    ]  # fmt: skip
    for row in rows:
        # The slowest of a hundred calls through the gateway may beat the slowest past it.
        assert row.value > 0 or row.name.endswith("overhead_p99")
        assert row.peer_value > 0
        assert row.unit
        assert row.peer
        assert row.name in done.stdout


def test_pgbench_runs_our_own_statement() -> None:
    text = script(0)
    for words in ("insert into payments.posting", "for update", "insert into kernel.outbox"):
        assert words in text
    assert ":order_id" not in text
    assert "--" not in text


def test_prepared_orders_carry_their_bucket() -> None:
    assert {ids.bucket_of(order_id(n)) for n in range(1, 513)} == set(range(256))
    assert len({order_id(n) for n in range(1, 5_000)}) == 4_999


def test_a_request_on_the_wire() -> None:
    assert raw("GET", "/x", {"a": "b"}) == b"GET /x HTTP/1.1\r\nhost: 127.0.0.1\r\na: b\r\n\r\n"
    assert raw("POST", "/x", {}, b"12").endswith(b"content-length: 2\r\n\r\n12")
