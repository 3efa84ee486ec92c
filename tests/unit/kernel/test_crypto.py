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
from civicmall.kernel.suites import Sm4Gcm

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


GM = Keys(crypto.generate("gm"))


@given(st.binary(max_size=200), st.text())
def test_the_national_ciphers_seal_as_well(plain: bytes, context: str) -> None:
    sealed = GM.seal_bytes(plain, context)
    assert GM.open_bytes(sealed, context) == plain
    for at in (0, 1, len(sealed) // 2, len(sealed) - 1):
        changed = bytes(b ^ (i == at) for i, b in enumerate(sealed))
        with pytest.raises(SealBroken):
            GM.open_bytes(changed, context)


def test_sm4_gcm_as_the_rfc_has_it() -> None:
    """RFC 8998, appendix A.1."""
    key, nonce = "0123456789abcdeffedcba9876543210", "00001234567800000000abcd"
    plain = "".join(two * 8 for two in ("aa", "bb", "cc", "dd", "ee", "ff", "ee", "aa"))
    added = "feedfacedeadbeeffeedfacedeadbeefabaddad2"
    sealed = Sm4Gcm(bytes.fromhex(key)).encrypt(
        bytes.fromhex(nonce), bytes.fromhex(plain), bytes.fromhex(added)
    )
    assert sealed[-16:].hex() == "83de3541e4c2b58177e065a9bf7b62ec"
    assert sealed[:16].hex() == "17f399f08c67d5ee19d0dc9969c4bb7d"


def test_from_one_suite_to_the_other() -> None:
    """Sealing goes over to SM4; what blinds stays, for buckets come from it."""
    file, key_id = crypto.with_another(OLD, "gm")
    before, after = Keys(OLD), Keys(msgspec.structs.replace(file, current=key_id))
    assert after.suites() == {"1": "aes", key_id: "gm"}
    assert after.open(before.seal("张三", "c"), "c") == "张三"
    assert after.seal("张三", "c")[:1] == key_id.encode()
    assert after.blind("x", "c") == before.blind("x", "c")
    assert GM.blind("x", "c") != Keys(crypto.generate("gm")).blind("x", "c")
    assert len(GM.blind("x", "c")) == 32


def test_the_setting_chooses_at_the_first_start(tmp_path: Path) -> None:
    assert crypto.load(tmp_path / "a", {"CIVICMALL_CRYPTO": "gm"}).suites() == {"1": "gm"}
    assert crypto.load(tmp_path / "a", {}).suites() == {"1": "gm"}, "the file stays as it is"
    with pytest.raises(BadSetting, match="CIVICMALL_CRYPTO"):
        crypto.load(tmp_path / "b", {"CIVICMALL_CRYPTO": "des"})


@pytest.mark.parametrize("said", ["gm:AAAA", "rot13:AAAA", "AAAA", "gm:" + "A" * 43 + "=", "%%"])
def test_a_key_of_another_length_or_kind_is_refused(tmp_path: Path, said: str) -> None:
    file = msgspec.structs.replace(OLD, sealing={"1": said})
    crypto.keep(tmp_path / "keys.json", file)
    with pytest.raises(BadSetting) as refused:
        crypto.load(tmp_path, {})
    assert said not in str(refused.value)


def test_a_running_process_learns_of_new_keys(tmp_path: Path) -> None:
    running = crypto.load(tmp_path, {})
    path = crypto.path_in(tmp_path)
    old = running.seal("before", "c")
    file, key_id = crypto.with_another(crypto.read(path), "aes")
    crypto.keep(path, msgspec.structs.replace(file, current=key_id))
    other = crypto.load(tmp_path, {})
    assert running.open(other.seal("after", "c"), "c") == "after", "met an id that it didn't know"
    assert (running.current, running.open(old, "c")) == (key_id, "before")
    assert not running.reload(), "the file is as it was"


def test_another_installations_file_is_not_taken(tmp_path: Path) -> None:
    running = crypto.load(tmp_path, {})
    crypto.keep(crypto.path_in(tmp_path), crypto.generate())
    with pytest.raises(BadSetting, match="another installation"):
        running.reload()
    assert running.open(running.seal("x", "c"), "c") == "x"


def test_ids_run_out_at_some_time() -> None:
    file = OLD
    for _ in range(len(crypto.IDS) - 1):
        file, _ = crypto.with_another(file, "aes")
    with pytest.raises(ValueError, match="given out"):
        crypto.with_another(file, "aes")


def test_an_id_is_never_given_out_again() -> None:
    """A process that hasn't read the file again would open and seal with the old key of that id."""
    file, second = crypto.with_another(OLD, "aes")
    file = crypto.without(msgspec.structs.replace(file, current=second), "1")
    assert list(file.sealing) == [second]
    assert crypto.with_another(file, "aes")[1] not in {"1", second}
