"""Proxies that only pass on, to be measured beside ours on the same upstream."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from typing import Final

from tests.bench.place import ROOT, Place, Process
from tests.serving import free_port

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


def fastify(
    place: Place, upstream: int, say: Callable[[str], None], *, fetch: bool
) -> Process | None:
    """@fastify/http-proxy; None, said why, where it isn't here."""
    if not shutil.which("node") or not shutil.which("npm"):
        say("@fastify/http-proxy is left out: there is no node here")
        return None
    if not (PEERS / "node_modules").is_dir():
        if not fetch:
            say("@fastify/http-proxy is left out: not installed (npm ci in tests/bench/peers)")
            return None
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=PEERS, capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        if done.returncode:
            say(f"@fastify/http-proxy is left out: npm ci failed: {done.stderr[-200:]}")
            return None
    return Process(place, "node", str(PEERS / "proxy.js"), "PORT", str(upstream))


def nginx(place: Place, upstream: int, say: Callable[[str], None]) -> Process | None:
    """nginx the same."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not found:
        say("nginx is left out: it isn't installed (Debian: nginx-light)")
        return None
    port, folder = free_port(), place.folder / "nginx"
    folder.mkdir(exist_ok=True)
    conf = folder / "nginx.conf"
    conf.write_text(NGINX.format(folder=folder, port=port, upstream=upstream))
    return Process(place, found, "-p", str(folder), "-c", str(conf), port=port)
