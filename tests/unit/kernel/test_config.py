"""Settings: read from the environment, and whatever is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from civicmall.kernel.config import BadSetting, Settings


def read(**env: str) -> Settings:
    return Settings.from_env(env)


def test_nothing_set_is_a_sandbox_on_loopback() -> None:
    settings = read()
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8000, "")
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.sandbox
    assert settings.workers
    assert settings.data_dir.is_absolute()


def test_everything_set(tmp_path: Path) -> None:
    settings = read(
        PORT="8123",
        HOST="0.0.0.0",
        DATABASE_URL="postgresql://somebody@db/city",
        CIVICMALL_DATA=str(tmp_path),
        CIVICMALL_PUBLIC_URL="https://city.example/",
        CIVICMALL_SANDBOX="0",
        CIVICMALL_LOG_JSON="1",
        CIVICMALL_POOL="32",
        CIVICMALL_PLUGINS=str(tmp_path),
        CIVICMALL_STAFF_SECOND_FACTOR="0",
        CIVICMALL_TRUSTED_PROXIES="10.0.0.0/8, fd00::/8",
        CIVICMALL_WORKERS="0",
    )
    assert settings == Settings(
        database_url="postgresql://somebody@db/city",
        data_dir=tmp_path,
        port=8123,
        host="0.0.0.0",
        public_url="https://city.example",
        sandbox=False,
        log_json=True,
        pool_max=32,
        plugins=tmp_path,
        staff_second_factor=False,
        trusted_proxies="10.0.0.0/8, fd00::/8",
        workers=False,
    )


@pytest.mark.parametrize(
    ("sandbox", "said", "needed"),
    [("1", "", False), ("0", "", True), ("1", "1", True), ("0", "0", False)],
)
def test_a_second_factor_is_needed_unless_it_is_a_sandbox(
    sandbox: str,
    said: str,
    needed: bool,  # noqa: FBT001
) -> None:
    found = read(
        DATABASE_URL="postgresql:///city", CIVICMALL_SANDBOX=sandbox,
        CIVICMALL_STAFF_SECOND_FACTOR=said,
    )  # fmt: skip
    assert found.second_factor_needed is needed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CIVICMALL_STAFF_SECOND_FACTOR", "yes"), ("CIVICMALL_TRUSTED_PROXIES", "nginx"),
        ("CIVICMALL_TRUSTED_PROXIES", "10.0.0.1/8"), ("CIVICMALL_TRUSTED_PROXIES", "10.0.0.0/33"),
    ],
)  # fmt: skip
def test_what_cant_be_meant_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        read(DATABASE_URL="postgresql:///city", **{name: value})


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:9000"),
        ("::", "http://127.0.0.1:9000"),
        ("::1", "http://[::1]:9000"),
        ("city.example", "http://city.example:9000"),
    ],
)
def test_where_browsers_find_us(host: str, url: str) -> None:
    """An address to listen on is not always one to call."""
    assert read(HOST=host, PORT="9000").public_url == url


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("CIVICMALL_POOL", "1"),
        ("CIVICMALL_POOL", "1e2"),
        ("CIVICMALL_SANDBOX", "no"),
        ("CIVICMALL_LOG_JSON", "true"),
        ("CIVICMALL_WORKERS", "2"),
        ("CIVICMALL_PUBLIC_URL", "city.example"),
        ("CIVICMALL_PLUGINS", "/nowhere/at/all"),
        ("DATABASE_URL", "mysql://root:hunter2@db/city"),
    ],
)
def test_a_wrong_setting_is_named(name: str, said: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name}: ") as refused:
        read(**{name: said})
    assert refused.value.name == name
    assert "hunter2" not in str(refused.value)


def test_an_embedded_server_goes_before_the_environment() -> None:
    found = Settings.from_env({"DATABASE_URL": "postgresql://b/"}, database_url="postgresql://a/")
    assert found.database_url == "postgresql://a/"


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, ""),
        ({"HOST": "::1"}, ""),
        ({"HOST": "0.0.0.0"}, "CIVICMALL_SANDBOX"),
        ({"HOST": "0.0.0.0", "CIVICMALL_SANDBOX": "1"}, ""),
        ({"CIVICMALL_SANDBOX": "0"}, ""),
        ({"CIVICMALL_SANDBOX": "0", "CIVICMALL_PUBLIC_URL": "http://city.example"},
         "CIVICMALL_PUBLIC_URL"),
        ({"CIVICMALL_SANDBOX": "0", "CIVICMALL_PUBLIC_URL": "https://city.example"}, ""),
        ({"CIVICMALL_SANDBOX": "1", "CIVICMALL_PUBLIC_URL": "http://city.example"}, ""),
    ],
)  # fmt: skip
def test_a_forgotten_setting_opens_no_sandbox_to_everybody(env: dict[str, str], named: str) -> None:
    settings = Settings.from_env(env)
    if not named:
        assert settings.for_a_city(env) is settings
        return
    with pytest.raises(BadSetting) as refused:
        settings.for_a_city(env)
    assert refused.value.name == named


def test_without_a_mapping_the_process_itself_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8765")
    assert Settings.from_env().port == 8765


def test_outside_a_checkout_there_is_no_plugins_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "site-packages" / "civicmall" / "kernel" / "config.py"
    monkeypatch.setattr("civicmall.kernel.config.__file__", str(elsewhere))
    assert read().plugins is None
