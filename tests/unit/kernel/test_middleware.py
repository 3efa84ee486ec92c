"""The outermost layer: every answer has a trace id and the security headers."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import REGISTRY

from civicmall.kernel import logs
from civicmall.kernel.middleware import Outermost

TRACE = b"4bf92f3577b34da6a3ce929d0e0e4736"


def counted(route: str, method: str, status: str) -> float:
    labels = {"route": route, "method": method, "status": status}
    return REGISTRY.get_sample_value("civicmall_requests_total", labels) or 0.0


async def answer(**scope: Any) -> tuple[dict[bytes, bytes], str]:
    """Headers of an answer, and the trace id that the application saw."""
    seen: list[str] = []

    async def app(_: Any, __: Any, send: Any) -> None:
        seen.append(logs.trace_id.get())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    plain: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    await Outermost(app)({**plain, **scope}, None, send)
    assert logs.trace_id.get() == ""
    return dict(sent[0]["headers"]), seen[0]


async def test_an_answer_carries_what_the_application_said_and_ours() -> None:
    headers, _ = await answer()
    assert headers[b"a"] == b"b"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"x-frame-options"] == b"DENY"
    policy = headers[b"content-security-policy"]
    assert b"default-src 'self'" in policy
    assert b"object-src 'none'" in policy
    assert b"base-uri 'none'" in policy
    assert b"unsafe" not in policy


async def test_no_cache_keeps_what_the_api_says() -> None:
    assert (await answer(path="/v1/me"))[0][b"cache-control"] == b"no-store"
    assert b"cache-control" not in (await answer(path="/static/site.css"))[0]


async def test_a_trace_goes_on() -> None:
    """W3C Trace Context: the caller's trace id is ours."""
    parent = b"00-" + TRACE + b"-00f067aa0ba902b7-01"
    headers, seen = await answer(headers=[(b"accept", b"*/*"), (b"traceparent", parent)])
    assert headers[b"x-trace-id"] == TRACE
    assert seen.encode() == TRACE


@pytest.mark.parametrize(
    "said", [b"", b"junk", TRACE, b"ff-" + TRACE + b"-00f067aa0ba902b7-01", b"00-" + TRACE.upper()]
)
async def test_a_wrong_trace_is_replaced(said: bytes) -> None:
    headers, seen = await answer(headers=[(b"traceparent", said)])
    assert len(headers[b"x-trace-id"]) == 32
    assert headers[b"x-trace-id"] != TRACE
    assert seen.encode() == headers[b"x-trace-id"]


async def test_counted_by_template_and_known_method() -> None:
    """Neither a path nor an invented method becomes a label."""
    found, unknown = counted("/v1/a/{b}", "GET", "200"), counted("unknown", "other", "200")
    await answer(path_template="/v1/a/{b}", path="/v1/a/19900009001")
    await answer(path="/19900009001", method="BREW")
    assert counted("/v1/a/{b}", "GET", "200") == found + 1
    assert counted("unknown", "other", "200") == unknown + 1


async def test_a_fault_counts_as_500() -> None:
    async def app(_: Any, __: Any, ___: Any) -> None:
        raise RuntimeError("unforeseen")

    before = counted("unknown", "GET", "500")
    with pytest.raises(RuntimeError, match="unforeseen"):
        await Outermost(app)(
            {"type": "http", "method": "GET", "path": "/", "headers": []}, None, None
        )
    assert counted("unknown", "GET", "500") == before + 1
    assert logs.trace_id.get() == ""


async def test_what_is_not_http_passes_untouched() -> None:
    seen: list[Any] = []

    async def app(*args: Any) -> None:
        seen.extend(args)

    scope = {"type": "lifespan"}
    await Outermost(app)(scope, "receive", "send")
    assert seen == [scope, "receive", "send"]
