"""The manifest: a wrong one is refused by file, key and reason, before any code runs."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from shopkit import BadManifest, Manifest, locate, read_manifest
from shopkit.manifest import SIZE_MAX, parse_manifest

LIBRARY: dict[str, Any] = {
    "id": "library",
    "version": "1.2.3",
    "contract": 1,
    "name": {"zh-CN": "图书馆", "en": "Library"},
    "summary": {"zh-CN": "借书", "en": "Books"},
    "department": {"zh-CN": "文化局", "en": "Culture"},
    "contacts": {"responsible": {"zh-CN": "总服务台"}, "phone": "+86 (0)22 1990-0008"},
    "settlement_account": "library",
    "apps": [
        {
            "id": "late_fees",
            "name": {"zh-CN": "逾期费"},
            "summary": {"zh-CN": "还书逾期的费用"},
            "icon": "book",
            "capabilities": ["bills"],
            "min_level": 2,
            "claims": [{"name": "id_number", "purpose": {"zh-CN": "查找借书证"}}],
            "fees": [{"code": "late", "name": {"zh-CN": "逾期费"}, "basis": {"zh-CN": "规定"}}],
        },
        {
            "id": "orders",
            "name": {"zh-CN": "预约"},
            "summary": {"zh-CN": "预约的书"},
            "icon": "book",
            "capabilities": ["progress"],
        },
    ],
}
GONE = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The library's manifest with one member set, or taken out."""
    manifest = copy.deepcopy(LIBRARY)
    *way, last = [int(p) if p.isdecimal() else p for p in path.split("/")]
    part: Any = manifest
    for step in way:
        part = part[step]
    if value is GONE:
        del part[last]
    else:
        part[last] = value
    return manifest


def read(tmp_path: Path, manifest: object) -> Manifest:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(manifest))
    return read_manifest(path)


def test_a_good_one(tmp_path: Path) -> None:
    manifest = read(tmp_path, LIBRARY)
    assert manifest.limits.timeout_ms == 3_000
    late_fees = manifest.app("late_fees")
    assert late_fees is not None
    assert late_fees.claims[0].name == "id_number"
    assert manifest.app("nothing") is None


@pytest.mark.parametrize(
    ("path", "value", "key", "problem"),
    [
        ("owner", "me", "$", "owner"),
        ("apps/0/prize", 1, "$.apps[0]", "prize"),
        ("contacts/fax", "1", "$.contacts", "fax"),
        ("department", GONE, "$", "department"),
        ("apps/1/icon", GONE, "$.apps[1]", "icon"),
        ("id", "Library", "$.id", "regex"),
        ("id", "l", "$.id", "regex"),
        ("version", "1.2", "$.version", "regex"),
        ("contract", 3, "$.contract", "contracts 1 and 2"),
        ("apps", [], "$.apps", "length"),
        ("apps/0/capabilities", [], "$.apps[0].capabilities", "length"),
        ("apps/0/capabilities", ["fly"], "$.apps[0].capabilities[0]", "fly"),
        ("apps/1/id", "late_fees", "$.apps[1].id", "stands twice"),
        ("apps/0/min_level", 1, "$.apps[0].min_level", "level 2"),
        ("apps/0/min_level", 4, "$.apps[0].min_level", "<= 3"),
        ("apps/0/fees", [], "$.apps[0].fees", "published fees"),
        ("apps/0/claims/0/name", "salary", "$.apps[0].claims[0].name", "salary"),
        ("contacts/phone", "call me", "$.contacts.phone", "regex"),
        ("limits", {"timeout_ms": 60_000}, "$.limits.timeout_ms", "<= 30000"),
        ("runtime", "perl", "$.runtime", "perl"),
        ("name", {"en": "Library"}, "$.name", "zh-CN is missing"),
        ("contacts/responsible", {"en": "Desk"}, "$.contacts.responsible", "zh-CN is missing"),
        ("apps/0/claims/0/purpose", {"en": "x"}, "$.apps[0].claims[0].purpose", "zh-CN is missing"),
        ("apps/1/summary", {"en": "x"}, "$.apps[1].summary", "zh-CN is missing"),
        ("apps/1/hours", {"en": "x"}, "$.apps[1].hours", "zh-CN is missing"),
        ("apps/1/name", {}, "$.apps[1].name", "length"),
        ("apps/1/name", {"fr": "x"}, "$.apps[1].name", "fr"),
    ],
)
def test_a_wrong_one_names_its_key(
    tmp_path: Path, path: str, value: Any, key: str, problem: str
) -> None:
    with pytest.raises(BadManifest) as refused:
        read(tmp_path, changed(path, value))
    assert refused.value.path == "shop.json"
    assert refused.value.key.startswith(key)
    assert problem in refused.value.problem
    assert str(refused.value) == f"shop.json: {refused.value.key}: {refused.value.problem}"


def test_a_phone_needs_no_attested_level(tmp_path: Path) -> None:
    phone = [{"name": "phone", "purpose": {"zh-CN": "联系"}}]
    assert read(tmp_path, changed("apps/1/claims", phone)).apps[1].min_level == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"shop"', "{}"])
def test_what_is_no_manifest_at_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop.json").write_text(text)
    with pytest.raises(BadManifest, match=r"^shop\.json: \$: "):
        read_manifest(tmp_path / "shop.json")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_bytes(b'{"id": "\xff"}')
    with pytest.raises(BadManifest, match=r"^shop\.json: "):
        read_manifest(tmp_path / "shop.json")


def test_a_manifest_is_a_page_not_a_book(tmp_path: Path) -> None:
    (tmp_path / "shop.json").write_bytes(b" " * (SIZE_MAX + 1))
    with pytest.raises(BadManifest, match="larger than"):
        read_manifest(tmp_path / "shop.json")


@pytest.mark.parametrize(
    ("path", "wrong", "instead"),
    [
        ("apps/1/capabilities/0", "progess", "'progess'; one of progress, bills, apply"),
        ("apps/0/claims/0/name", "idnumber", "'idnumber'; one of id_number, name"),
    ],
    ids=["capability", "claim"],
)
def test_a_misspelt_word_is_told_the_right_ones(path: str, wrong: str, instead: str) -> None:
    with pytest.raises(BadManifest) as refused:
        parse_manifest(json.dumps(changed(path, wrong)).encode())
    assert instead in str(refused.value)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match=r"shop\.json: \$: No such file"):
        read_manifest(tmp_path / "shop.json")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop's project whose package can be found, and must not be imported."""
    package = tmp_path / "src" / "library_that_must_not_run"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    return tmp_path


@pytest.mark.parametrize("where", ["src/library_that_must_not_run", "src", "."])
def test_found_beside_the_package_or_at_the_projects_root(project: Path, where: str) -> None:
    path = project / where / "shop.json"
    path.write_text("{}")
    assert locate("library_that_must_not_run") == path
    assert "library_that_must_not_run" not in sys.modules


@pytest.mark.parametrize(
    ("package", "problem"),
    [
        ("library_that_must_not_run", "no shop.json"),
        ("no_such_package", "not installed"),
        ("no_such_package.inside", "not installed"),
        ("", "not installed"),
        ("sys", "not installed"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_package_without_a_manifest(package: str, problem: str) -> None:
    with pytest.raises(BadManifest, match=problem):
        locate(package)
