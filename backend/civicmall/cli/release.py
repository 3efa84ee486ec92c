"""`civicmall shop submit | releases | step | webhook-secret | request-secret`: a shop's way to the citizens, from a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import httpx
import typer

from civicmall.kernel.config import Settings
from shopkit import BadManifest, Manifest, read_manifest
from shopkit.kit import Failed, as_json
from shopkit.manifest import FILE, Http

from . import out, stop
from .shop import key_path

app = typer.Typer()
PASSWORD: Final = "CIVICMALL_PASSWORD"  # noqa: S105 (the variable's name)
CODE: Final = "CIVICMALL_CODE"
WAIT_S: Final = 30.0
"""For one answer of the platform: hashing a password takes a while on a busy machine."""
MOVES: Final = (
    "approve", "reject", "canary", "publish", "rollback", "suspend", "resume", "retire",
)  # fmt: skip

Platform = Annotated[str, typer.Option(help="Where the platform is.")]
Username = Annotated[str, typer.Option(help=f"Your staff account; its password: ${PASSWORD}.")]


class Refused(Exception):
    """The platform said no, in its own words; `said` is its problem, where it told one."""

    def __init__(self, words: str, said: dict[str, Any] | None = None) -> None:
        super().__init__(words)
        self.said: dict[str, Any] = said or {}


@app.command()
def submit(
    folder: Annotated[Path, typer.Argument(help="The shop's folder, with shop.json.")],
    *,
    username: Username,
    url: Annotated[str, typer.Option(help="Where the shop runs (`shop serve`).")] = "",
    key: Annotated[
        str, typer.Option(help="Its public key; that of `shop serve` here, if left out.")
    ] = "",
    platform: Platform = "http://127.0.0.1:8000",
    report: Annotated[
        Path | None, typer.Option(help="A report of `shop check URL --report FILE`.")
    ] = None,
    note: Annotated[str, typer.Option(help="Words to the reviewer.")] = "",
) -> None:
    """Hand in a version: its manifest, its address and key, and that it keeps the contract.

    Without --report the checks are made now. They book payments and appointments, so they are for
    a shop that runs with its sandbox data.
    """
    try:
        manifest = read_manifest(folder / FILE)
        address = _address(manifest, url, key)
        said = json.loads((folder / FILE).read_bytes()) | {"runtime": address}
        found = json.loads(report.read_bytes() if report else _checked(address["url"]))
        body = {"manifest": said, "report": found, "note": note}
        with _signed_in(platform, username) as client:
            headers = {"idempotency-key": uuid4().hex}
            made = _ask(client, "POST", "/v1/desk/releases", json=body, headers=headers)
    except (BadManifest, Refused, OSError, ValueError) as error:
        raise stop(error) from error
    out.print(f"[green]✓[/green] {made['shop']} {made['version']} waits for review: {made['id']}")


def _address(manifest: Manifest, url: str, key: str) -> dict[str, str]:
    """Where the shop runs and whose signature is believed. Raises Refused."""
    known = manifest.runtime
    if isinstance(known, Http):
        return {"url": url or known.url, "key": key or known.key}
    path = key_path(Settings.from_env(), manifest.id)
    key = key or _own_key(path)
    if not url:
        raise Refused(f"{FILE} names no address: say --url and --key")
    if not key:
        raise Refused(
            f"no key of {manifest.id} lies in {path.parent}: start"
            " `civicmall shop serve` here once, which makes one, or say --key"
        )
    return {"url": url, "key": key}


def _own_key(path: Path) -> str:
    """The public key that `shop serve` signs with in this folder; empty where it never ran."""
    from .shop_serve import key_of

    return key_of(path).text if path.exists() else ""


def _checked(url: str) -> bytes:
    """The report of the checks, made now. Raises Refused where one failed or nobody answers."""
    from .shop_check import check_url

    try:
        _, found = check_url(url)
    except Failed as error:
        raise Refused(f"{error}; the checks are made on the running shop (`shop serve`)") from error
    failed = [one for one in found if one.result == "failed"]
    for one in failed:
        out.print(f"[red]✗[/red] {one.check} {one.app}: {one.seen}")
    if failed:
        raise Refused(f"{len(failed)} of {len(found)} checks failed; nothing was handed in")
    out.print(f"[green]✓[/green] {sum(one.result == 'passed' for one in found)} checks passed")
    return as_json(found)


@app.command()
def releases(
    *,
    username: Username,
    platform: Platform = "http://127.0.0.1:8000",
    shop: Annotated[str, typer.Option(help="Only this shop's.")] = "",
) -> None:
    """The newest releases: yours, or for an operator everybody's."""
    try:
        with _signed_in(platform, username) as client:
            params = {"shop": shop} if shop else None
            found = _ask(client, "GET", "/v1/desk/releases", params=params)
    except Refused as error:
        raise stop(error) from error
    for one in found["items"]:
        share = f" {one['percent']}%" if one["state"] == "canary" else ""
        out.print(f"{one['id']}  {one['shop']} {one['version']}  {one['state']}{share}")


@app.command()
def step(
    move: Annotated[str, typer.Argument(help=" | ".join(MOVES))],
    release: Annotated[UUID, typer.Argument(help="The release's id.")],
    *,
    username: Username,
    platform: Platform = "http://127.0.0.1:8000",
    note: Annotated[str, typer.Option(help="Kept in the history; some steps need it.")] = "",
    percent: Annotated[int | None, typer.Option(help="The canary's share of citizens.")] = None,
) -> None:
    """Take a step with a release, as an operator; the console shows what it changes."""
    if move not in MOVES:
        raise typer.BadParameter(f"one of {', '.join(MOVES)}")
    body = {"note": note} | ({"percent": percent} if move == "canary" else {})
    try:
        with _signed_in(platform, username) as client:
            done = _ask(client, "POST", f"/v1/desk/releases/{release}/{move}", json=body)["release"]
    except Refused as error:
        raise stop(error) from error
    out.print(f"[green]✓[/green] {done['shop']} {done['version']} is {done['state']}")


@app.command("webhook-secret")
def webhook_secret(shop: Annotated[str, typer.Argument(help="The shop's id.")]) -> None:
    """What a shop at an address checks its events with; for city IT, who has the keys."""
    from civicmall import gateway
    from civicmall.kernel import crypto

    keys = crypto.load(Settings.from_env().data_dir)
    out.print(gateway.webhook_secret(keys, shop), soft_wrap=True)


@app.command("request-secret")
def request_secret(shop: Annotated[str, typer.Argument(help="The shop's id.")]) -> None:
    """What a shop checks its requests with, if it chose to share a secret (`runtime.signature`)."""
    from civicmall import gateway
    from civicmall.kernel import crypto

    keys = crypto.load(Settings.from_env().data_dir)
    out.print(gateway.request_secret(keys, shop), soft_wrap=True)


@contextmanager
def _signed_in(platform: str, username: str) -> Generator[httpx.Client]:
    """A client with a staff account's token. Raises Refused."""
    said = {
        "username": username,
        "password": os.environ.get(PASSWORD) or typer.prompt("Password", hide_input=True),
    }
    with httpx.Client(
        base_url=platform, timeout=WAIT_S, headers={"accept-language": "en"}, trust_env=False
    ) as client:
        pair = _pair(client, said)
        client.headers["authorization"] = f"Bearer {pair['access_token']}"
        yield client


def _pair(client: httpx.Client, said: dict[str, str]) -> dict[str, Any]:
    """The tokens of a staff account; asks for the second factor where it has one. Raises Refused."""
    try:
        found: dict[str, Any] = _ask(client, "POST", "/v1/staff/tokens", json=said)
    except Refused as refused:
        ticket = refused.said.get("ticket")
        if refused.said.get("type") != "/problems/second-factor-needed" or not ticket:
            raise
        if "totp" not in refused.said.get("factors", []):
            raise Refused("this account has a passkey alone, which a terminal can't use") from None
        code = os.environ.get(CODE) or typer.prompt("Code of the authenticator")
        body = {"ticket": ticket, "code": code.strip()}
        found = _ask(client, "POST", "/v1/staff/tokens/totp", json=body)
    return found


def _ask(client: httpx.Client, method: str, path: str, **rest: Any) -> Any:
    """One request; its answer as data. Raises Refused with what the platform says."""
    try:
        answer = client.request(method, path, **rest)
        said = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise Refused(f"{client.base_url}: {type(error).__name__}: {error}") from error
    if answer.is_success:
        return said
    more = {k: v for k, v in said.items() if k not in {"type", "title", "status", "trace_id"}}
    title = str(said.get("title", answer.status_code))
    raise Refused(": ".join([title.rstrip(".") if more else title, *_told(more)]), said)


def _told(more: dict[str, Any]) -> list[str]:
    """What a problem says beside its title: the wrong key, the checks that failed."""
    return [f"{k} {v if isinstance(v, str) else json.dumps(v)}" for k, v in more.items()]
