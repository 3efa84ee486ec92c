"""Proxies that only pass on, to be measured beside ours on the same upstream."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from tests.bench.place import ROOT, Place, free_port

PEERS: Final = ROOT / "tests" / "bench" / "peers"
PATH: Final = "/proxied/things/7"
"""What both pass on as /things/7."""
NGINX: Final = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  upstream shop {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location = /healthz {{ return 200; }}
    location /proxied/ {{
      proxy_pass http://shop/; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Generator[tuple[int, int]]:
    with log.open("ab") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            _wait(port, process, log)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    began = time.monotonic()
    with httpx.Client(trust_env=False) as client:
        while process.poll() is None and time.monotonic() - began < 30:
            try:
                if client.get(f"http://127.0.0.1:{port}/healthz", timeout=2).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.02)
    raise RuntimeError(log.read_text()[-2000:])


@contextmanager
def fastify(
    place: Place, upstream: int, say: Callable[[str], None], *, fetch: bool
) -> Generator[tuple[int, int] | None]:
    """@fastify/http-proxy as port and process; None, said why, where it isn't here."""
    if not shutil.which("node") or not shutil.which("npm"):
        say("@fastify/http-proxy is left out: there is no node here")
        yield None
        return
    if not (PEERS / "node_modules").is_dir():
        if not fetch:
            say("@fastify/http-proxy is left out: not installed (npm ci in tests/bench/peers)")
            yield None
            return
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=PEERS, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        if done.returncode:
            say(f"@fastify/http-proxy is left out: npm ci failed: {done.stderr[-200:]}")
            yield None
            return
    port = free_port()
    command = ["node", str(PEERS / "proxy.js"), str(port), str(upstream)]
    with _running(command, port, place.folder / "fastify.log") as running:
        yield running


@contextmanager
def nginx(
    place: Place, upstream: int, say: Callable[[str], None]
) -> Generator[tuple[int, int] | None]:
    """nginx the same."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not found:
        say("nginx is left out: it isn't installed (Debian: nginx-light)")
        yield None
        return
    port, folder = free_port(), place.folder / "nginx"
    folder.mkdir(exist_ok=True)
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
    command = [found, "-p", str(folder), "-c", str(conf)]
    with _running(command, port, folder / "log") as running:
        yield running
