"""Logs: one JSON object per line, with the trace id of the request that caused it.

Personal data never goes into a log; `redact` takes out what slips in under its usual names.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any, Final, cast

import asyncpg
import structlog

trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""W3C trace id (32 hex digits) of the request being served."""

SECRET: Final = frozenset(
    {
        "phone",
        "name",
        "id_number",
        "address",
        "code",
        "token",
        "password",
        "authorization",
        "secret",
    }
)


_level = logging.INFO


def heard(level: int) -> bool:
    """Whether anybody would read a line of that level; finding out by logging takes longer."""
    return level >= _level


def get(room: str) -> Any:
    """A logger; the first word is the event's name, the rest are its facts."""
    return structlog.get_logger(room=room)


def _clean(key: object, value: Any) -> Any:
    if key in SECRET:
        return "…"
    if isinstance(value, Mapping):
        inner = cast("Mapping[Any, Any]", value)
        return {name: _clean(name, part) for name, part in inner.items()}
    if isinstance(value, list):
        return [_clean(None, part) for part in cast("list[Any]", value)]
    return value


def _redact(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    entry = {key: _clean(key, value) for key, value in entry.items()}
    if said := trace_id.get():
        entry["trace_id"] = said
    return entry


def _forget_rows(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """PostgreSQL's DETAIL quotes the row that failed, and with it what citizens wrote."""
    error = entry.get("exc_info")
    if error is True:
        error = sys.exc_info()[1]
    while isinstance(error, BaseException):
        if isinstance(error, asyncpg.PostgresError):
            error.detail = None
        error = error.__cause__ or error.__context__
    return entry


class _Stderr(logging.StreamHandler[Any]):
    """Writes to whatever stderr is then."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def configure(*, as_json: bool, level: int = logging.INFO) -> None:
    """Set up once, at start. Everything goes to stderr; stdout is for people."""
    global _level  # noqa: PLW0603 (structlog's own configuration is as global)
    _level = level
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
        _forget_rows,
        structlog.processors.format_exc_info,
    ]
    last = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Whatever stderr is then: one that was closed since would make each line a fault of its caller.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last)
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
