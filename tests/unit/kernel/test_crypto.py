"""Personal data at rest: sealed, found again by hash, and keys that stay where they are."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel import crypto
from civicmall.kernel.config import BadSetting
from civicmall.kernel.crypto import KeyFile, Keys, SealBroken

OLD = crypto.generate()
NEW = KeyFile(
    sealing={**OLD.sealing, "2": crypto.generate().sealing["1"]}, current="2", root=OLD.root
)
keys = Keys(OLD)


@given(st.text(), st.text())
def test_what_was_sealed_opens_again(text: str, context: str) -> None:
    assert keys.open(keys.seal(text, context), context) == text


def test_the_same_text_is_never_sealed_the_same() -> None:
    assert keys.seal("张三", "citizen.name") != keys.seal("张三", "citizen.name")


def test_a_sealed_value_opens_in_its_own_column_only() -> None:
    sealed = keys.seal("张三", "citizen.name")
    with pytest.raises(SealBroken):
        keys.open(sealed, "citizen.address")


@given(st.binary(max_size=80))
def test_garbage_does_not_open(garbage: bytes) -> None:
    with pytest.raises(SealBroken):
        keys.open(garbage, "citizen.name")


def test_no_byte_can_be_changed() -> None:
    sealed = keys.seal("990001199603081234", "citizen.id_number")
    for at in range(len(sealed)):
        changed = bytes(b ^ (i == at) for i, b in enumerate(sealed))
        with pytest.raises(SealBroken):
            keys.open(changed, "citizen.id_number")


def test_a_new_key_seals_and_the_old_one_still_opens() -> None:
    rotated = Keys(NEW)
    before, after = keys.seal("before", "c"), rotated.seal("after", "c")

    assert (before[:1], after[:1]) == (b"1", b"2")
    assert rotated.open(before, "c") == "before"
    with pytest.raises(SealBroken):
        keys.open(after, "c")


def test_rotation_changes_no_blind_index() -> None:
    assert Keys(NEW).blind("19900009001", "phone") == keys.blind("19900009001", "phone")


def test_a_blind_index_tells_column_and_installation_apart() -> None:
    mine = keys.blind("19900009001", "phone")
    assert len(mine) == 32
    assert keys.blind("19900009001", "phone") == mine
    assert keys.blind("19900009002", "phone") != mine
    assert keys.blind("19900009001", "contact") != mine
    assert Keys(crypto.generate()).blind("19900009001", "phone") != mine


def test_purposes_have_keys_of_their_own() -> None:
    derived = {keys.derive(purpose) for purpose in ("tokens", "shop:a", "shop:b", "blind-index")}
    assert len(derived) == 4
    assert {len(key) for key in derived} == {32}


def test_keys_do_not_print_themselves() -> None:
    for shown in (repr(keys), str(keys), f"{keys}"):
        assert shown == "Keys(…)"


def test_the_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = crypto.load(tmp_path / "new", {})
    again = crypto.load(tmp_path / "new", {})
    assert again.open(first.seal("x", "c"), "c") == "x"
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["keys.json"]
    assert (tmp_path / "new" / "keys.json").stat().st_mode & 0o777 == 0o600


RACER = """
import pathlib, sys
from civicmall.kernel import crypto
print("ready", flush=True)
sys.stdin.readline()
print(crypto.load(pathlib.Path(sys.argv[1]), {}).derive("race").hex())
"""


def test_processes_that_start_at_once_share_one_file(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    told = {racer.communicate("go\n")[0] for racer in racers}

    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len(told) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["keys.json"]


def test_whoever_loses_the_race_takes_the_winners_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file appears between the look and the link."""
    winner = msgspec.json.encode(NEW)
    link = os.link

    def too_late(source: str, target: Path) -> None:
        target.write_bytes(winner)
        link(source, target)

    monkeypatch.setattr(os, "link", too_late)
    loaded = crypto.load(tmp_path, {})
    assert loaded.derive("x") == Keys(NEW).derive("x")
    assert [p.name for p in tmp_path.iterdir()] == ["keys.json"]


def test_keys_from_the_environment_need_no_file(tmp_path: Path) -> None:
    env = {"CIVICMALL_KEYS": msgspec.json.encode(NEW).decode()}
    assert crypto.load(tmp_path, env).derive("x") == Keys(NEW).derive("x")
    assert not list(tmp_path.iterdir())


def as_json(**changed: object) -> str:
    return json.dumps({"sealing": OLD.sealing, "current": "1", "root": OLD.root, **changed})


@pytest.mark.parametrize(
    "said",
    [
        "not json",
        "{}",
        as_json(current="2"),
        as_json(sealing={"12": OLD.sealing["1"]}, current="12"),
        as_json(sealing={"1": "c2hvcnQ="}),
        as_json(sealing={"1": "!"}),
        as_json(root="c2hvcnQ="),
        as_json(more="x"),
    ],
    ids=range(8),  # keys are random, names of tests must not be
)
def test_wrong_keys_are_named_and_not_shown(tmp_path: Path, said: str) -> None:
    (tmp_path / "keys.json").write_text(said)
    with pytest.raises(BadSetting, match=r"^/.*keys\.json: "):
        crypto.load(tmp_path, {})
    with pytest.raises(BadSetting, match=r"^CIVICMALL_KEYS: ") as refused:
        crypto.load(tmp_path, {"CIVICMALL_KEYS": said})
    for secret in (OLD.root, OLD.sealing["1"], "c2hvcnQ"):
        assert secret not in str(refused.value)


def test_fresh_keys_are_long_and_differ() -> None:
    one, other = crypto.generate(), crypto.generate()
    secrets = {*one.sealing.values(), *other.sealing.values(), one.root, other.root}
    assert len(secrets) == 4
    assert {len(base64.b64decode(secret)) for secret in secrets} == {32}
