"""Logs: one object per line, traceable, and without personal data."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import structlog

from civicmall.kernel import logs


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Each test configures anew; what was there before comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True)
    logs.get("kernel").info("outbox.empty", waiting=0)
    (line,) = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "outbox.empty", "room": "kernel", "level": "info", "waiting": 0}


def test_a_line_names_the_request(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True)
    token = logs.trace_id.set("ab" * 16)
    logs.get("kernel").warning("http.database")
    logs.trace_id.reset(token)
    logs.get("kernel").warning("later")
    first, second = lines(capsys)
    assert first["trace_id"] == "ab" * 16
    assert "trace_id" not in second


@pytest.mark.parametrize("name", sorted(logs.SECRET))
def test_personal_data_is_taken_out(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True)
    inner = {name: "张三 19900009001", "kept": 1}
    logs.get("kernel").error("x", **{name: "张三 19900009001", "deep": inner, "list": [inner, 2]})
    _, err = capsys.readouterr()
    assert "张三" not in err
    assert "19900009001" not in err
    line = json.loads(err)
    assert line[name] == "…"
    assert line["deep"] == {name: "…", "kept": 1}
    assert line["list"] == [{name: "…", "kept": 1}, 2]


def test_an_exception_keeps_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True)
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        logs.get("kernel").error("http.fault", exc_info=error)
        logs.get("kernel").exception("http.fault")
    for line in lines(capsys):
        assert "ZeroDivisionError" in line["exception"]
        assert "test_logs.py" in line["exception"]


@pytest.mark.parametrize("as_json", [True, False])
def test_a_databases_error_does_not_quote_the_row(
    capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    """DETAIL does, and so does one deeper in the chain."""

    def failing() -> None:
        inner = asyncpg.CheckViolationError("violates a check")
        inner.detail = "Failing row contains (19900009001)."
        raise RuntimeError("no order") from inner

    logs.configure(as_json=as_json)
    with pytest.raises(RuntimeError, match="no order") as found:
        failing()
    logs.get("kernel").error("http.fault", exc_info=found.value)
    try:
        failing()
    except RuntimeError:
        logs.get("kernel").exception("http.fault")
    _, err = capsys.readouterr()
    assert err.count("violates a check") == 2
    assert "19900009001" not in err


def test_libraries_log_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True)
    token = logs.trace_id.set("cd" * 16)
    logging.getLogger("somebody").warning("the %s is full", "disk")
    logging.getLogger("somebody").info("chatter")
    logs.trace_id.reset(token)
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("the disk is full", "warning")
    assert line["trace_id"] == "cd" * 16


def test_for_people_it_is_plain(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=False, level=logging.WARNING)
    logs.get("kernel").info("quiet")
    logs.get("kernel").warning("outbox.failed", phone="19900009001")
    secret = "the key to everything"
    try:
        _ = {"a": secret}["b"]
    except KeyError:
        logs.get("kernel").exception("http.fault")
    _, err = capsys.readouterr()
    assert "KeyError: 'b'" in err
    assert secret not in err, "a trace shows no variables"
    assert "quiet" not in err
    assert "outbox.failed" in err
    assert "19900009001" not in err
