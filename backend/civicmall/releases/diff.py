"""What a release changes: two manifests side by side, the gravest first. Pure.

Nothing of a manifest changes unseen: what has no kind of its own is told as `other_changed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from shopkit import App, Manifest
from shopkit.manifest import Http

Kind = Literal[
    "claim_added", "attests_added", "level_lowered", "account_changed", "address_changed", "key_changed",
    "department_changed", "egress_added", "raw_added", "raw_changed", "fee_added", "fee_changed",
    "purpose_changed", "attests_changed", "app_removed", "capability_removed", "app_added", "capability_added",
    "form_changed", "limits_changed", "webhooks_changed", "contract_changed", "contacts_changed",
    "level_raised", "claim_removed", "fee_removed", "attests_removed", "egress_removed", "raw_removed",
    "other_changed",
]  # fmt: skip
"""In the order of gravity: what takes more of citizens, or sends money and data elsewhere; then
what they lose or get; then what only becomes less or is words."""
Weight = Literal["grave", "notable", "plain"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
GRAVE_UNTIL: Final[Kind] = "purpose_changed"
NOTABLE_UNTIL: Final[Kind] = "contacts_changed"
SHOWN_MAX: Final = 300
"""Characters of a value; the manifest itself stands beside."""
OWN_KEYS: Final = frozenset({
    "id", "version", "apps", "settlement_account", "runtime", "department", "egress", "limits",
    "webhooks", "contract", "contacts", "attests",
})  # fmt: skip
"""Of the manifest, what has a kind of its own or tells nothing."""
OWN_APP_KEYS: Final = frozenset({
    "id", "capabilities", "claims", "min_level", "fees", "raw", "forms",
})  # fmt: skip


class Change(Struct, frozen=True):
    """One change. `app` is empty where it is the whole shop's; `purpose` is a claim's, as citizens
    read it at consent.
    """

    kind: Kind
    weight: Weight
    app: str
    name: str
    before: str
    after: str
    purpose: dict[str, str] | None = None


def changes(before: Manifest | None, after: Manifest) -> list[Change]:
    """Everything that differs, gravest first; of a first release everything that it asks for."""
    found = list(_shop(before, after))
    earlier = {app.id: app for app in before.apps} if before else {}
    for app in after.apps:
        found.extend(_app(earlier.pop(app.id, None), app))
    found.extend(_change("app_removed", gone.id, gone.id) for gone in earlier.values())
    return sorted(found, key=lambda c: KINDS.index(c.kind))


def _change(
    kind: Kind, app: str, name: str, before: Any = "", after: Any = "", purpose: Any = None
) -> Change:
    place = KINDS.index(kind)
    weight: Weight = "plain"
    if place <= KINDS.index(GRAVE_UNTIL):
        weight = "grave"
    elif place <= KINDS.index(NOTABLE_UNTIL):
        weight = "notable"
    return Change(kind, weight, app, name, _shown(before), _shown(after), purpose)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value[:SHOWN_MAX]
    return "" if value is None else msgspec.json.encode(value).decode()[:SHOWN_MAX]


def _shop(before: Manifest | None, after: Manifest) -> Iterator[Change]:
    yield from _runtime(before, after)
    yield from _sets("egress", "", dict.fromkeys(before.egress if before else ()), dict.fromkeys(after.egress))  # fmt: skip
    yield from _sets("attests", "", _attests(before), _attests(after))
    if before is None:
        return  # the rest of a first release is the manifest itself
    was: dict[str, Any] = msgspec.to_builtins(before)
    now: dict[str, Any] = msgspec.to_builtins(after)
    singles: tuple[tuple[Kind, str], ...] = (
        ("account_changed", "settlement_account"),
        ("department_changed", "department"),
        ("webhooks_changed", "webhooks"),
        ("contract_changed", "contract"),
        ("contacts_changed", "contacts"),
    )
    for kind, key in singles:
        if was[key] != now[key]:
            yield _change(kind, "", key, was[key], now[key])
    for key in was["limits"]:
        if was["limits"][key] != now["limits"][key]:
            yield _change("limits_changed", "", key, was["limits"][key], now["limits"][key])
    yield from _others("", was, now, OWN_KEYS)


def _runtime(before: Manifest | None, after: Manifest) -> Iterator[Change]:
    """Where calls go, and whose signature is believed."""
    was, now = before.runtime if before else None, after.runtime
    at, to = (_url(r) for r in (was, now))
    if at != to:
        yield _change("address_changed", "", "runtime", at, to)
    old, new = (r.key if isinstance(r, Http) else "" for r in (was, now))
    if old != new:
        yield _change("key_changed", "", "key", old, new)
    signed, signs = (r.signature if isinstance(r, Http) else "" for r in (was, now))
    if signed != signs and isinstance(was, Http):
        yield _change("key_changed", "", "signature", signed, signs)


def _url(runtime: str | Http | None) -> str:
    return runtime.url if isinstance(runtime, Http) else runtime or ""


def _app(before: App | None, after: App) -> Iterator[Change]:
    app = after.id
    if before is None:
        yield _change("app_added", app, app, "", ", ".join(after.capabilities))
    else:
        yield from _sets("capability", app, dict.fromkeys(before.capabilities), dict.fromkeys(after.capabilities))  # fmt: skip
        if before.min_level != after.min_level:
            lowered = after.min_level < before.min_level
            kind: Kind = "level_lowered" if lowered else "level_raised"
            yield _change(kind, app, "min_level", before.min_level, after.min_level)
    yield from _claims(before, after)
    for kind_, key in (("fee", "fees"), ("raw", "raw")):
        yield from _sets(kind_, app, _named(before, key), _named(after, key))
    if before is not None:
        was, now = msgspec.to_builtins(before), msgspec.to_builtins(after)
        for name in now["forms"]:
            if was["forms"][name] != now["forms"][name]:
                yield _change("form_changed", app, name, was["forms"][name], now["forms"][name])
        yield from _others(app, was, now, OWN_APP_KEYS)


def _claims(before: App | None, after: App) -> Iterator[Change]:
    was = {claim.name: dict(claim.purpose) for claim in before.claims} if before else {}
    for claim in after.claims:
        purpose: dict[Any, str] = dict(claim.purpose)
        if claim.name not in was:
            yield _change("claim_added", after.id, claim.name, purpose=purpose)
        elif was[claim.name] != purpose:
            yield _change(
                "purpose_changed", after.id, claim.name, was[claim.name], purpose, purpose
            )
    for name in was.keys() - {claim.name for claim in after.claims}:
        yield _change("claim_removed", after.id, name)


def _named(app: App | None, key: str) -> dict[str, Any]:
    """Fees by code, raw paths by method and path."""
    parts: list[dict[str, Any]] = msgspec.to_builtins(getattr(app, key)) if app else []
    return {p["code"] if key == "fees" else f"{p['method']} {p['path']}": p for p in parts}


def _attests(manifest: Manifest | None) -> dict[str, Any]:
    """What is told about citizens, by attribute, with the record that it stands in."""
    return {one.name: dict(one.basis) for one in manifest.attests} if manifest else {}


def _sets(what: str, app: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    """What came, what went, and what is another under its old name."""
    for name, value in now.items():
        if name not in was:
            yield _change(_kind(what, "added"), app, name, "", value)
        elif was[name] != value:
            yield _change(_kind(what, "changed"), app, name, was[name], value)
    for name in was:
        if name not in now:
            yield _change(_kind(what, "removed"), app, name, was[name], "")


def _kind(what: str, how: str) -> Kind:
    return msgspec.convert(f"{what}_{how}", Kind)


def _others(app: str, was: dict[str, Any], now: dict[str, Any], own: frozenset[str]) -> Iterator[Change]:  # fmt: skip
    for key, value in now.items():
        if key not in own and was[key] != value:
            yield _change("other_changed", app, key, was[key], value)
