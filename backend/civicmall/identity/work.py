"""What pages and commands do with staff's accounts: the face of `staff`, whose own modules sessions
stand on and which can't have one itself.
"""

from .staff import accounts, resets, rules, sign_in, totp
from .staff.models import (
    Enrolment,
    FactorCode,
    NewPassword,
    RecoveryCode,
    ResetAsk,
    StaffAccount,
)

__all__ = [
    "Enrolment", "FactorCode", "NewPassword", "RecoveryCode", "ResetAsk", "StaffAccount", "accounts",
    "resets", "rules", "sign_in", "totp",
]  # fmt: skip
