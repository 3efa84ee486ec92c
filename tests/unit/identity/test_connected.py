"""What a city has connected is read before anything starts: wrong settings are named, lacks are told."""

from __future__ import annotations

import pytest

from civicmall.identity import check_settings
from civicmall.kernel.config import BadSetting

SMS = {
    "CIVICMALL_SMS_URL": "https://sms.city.example/send",
    "CIVICMALL_SMS_SECRET": "whsec_" + "A" * 32,
    "CIVICMALL_SMS_CODE_TEMPLATE": "SMS_1",
}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"CIVICMALL_SMS_URL": "https://sms.city.example"}, "CIVICMALL_SMS_SECRET"),
        ({**SMS, "CIVICMALL_SMS_SECRET": "abc"}, "CIVICMALL_SMS_SECRET"),
        ({**SMS, "CIVICMALL_SMS_URL": "http://sms.city.example"}, "CIVICMALL_SMS_URL"),
        ({"CIVICMALL_AUTHORITY_URL": "https://a.example"}, "CIVICMALL_AUTHORITY_PUBLIC_KEY"),
        ({"CIVICMALL_FEDERATION_ISSUER": "https://i.example"}, "CIVICMALL_FEDERATION_CLIENT_ID"),
    ],
)
def test_a_wrong_setting_is_named(said: dict[str, str], named: str) -> None:
    with pytest.raises(BadSetting) as refused:
        check_settings(sandbox=False, env=said)
    assert named in str(refused.value)


def test_what_a_real_city_lacks_is_told_and_no_sandbox_lacks_anything() -> None:
    both = " ".join(check_settings(sandbox=False, env={}))
    assert "CIVICMALL_SMS_URL" in both
    assert "CIVICMALL_AUTHORITY_URL" in both
    assert all("SMS" not in lack for lack in check_settings(sandbox=False, env=SMS))
    assert check_settings(sandbox=True, env={}) == []
