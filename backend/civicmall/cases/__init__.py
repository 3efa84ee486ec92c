"""Cases: applications to departments, from the filled form to what came of it."""

from civicmall.kernel.resealing import Sealed

from .dealings import look_after, told
from .desk import cases as desk_cases
from .desk import material as desk_material
from .desk import one as desk_case
from .desk import open_case as open_desk_case
from .errors import (
    MaterialUnfit,
    NoSuchCase,
    NotNow,
    TooManyMaterials,
    WithdrawalRefused,
    WrongMedia,
)
from .events import Finished, Moved
from .jobs import jobs, listen
from .materials import for_shop as material_for_shop
from .materials import forget, hand_in, uploading
from .materials import giver as give_material
from .models import (
    Case,
    CaseItem,
    CaseMaterial,
    DeskCase,
    FinishedCase,
    HandedIn,
    MaterialRef,
    NewCase,
    NewSupplement,
    TimelineEntry,
)
from .personal import personal
from .routes import routers
from .rules import CASE_BYTES_MAX, MATERIAL_MAX
from .service import finished_case, form, form_of, look, mine, submit, supplement, withdraw
from .steps import within

EVENTS = (Moved, Finished)
SEALED = (
    Sealed("cases.case", "form"),
    Sealed("cases.case", "progress"),
    Sealed("cases.case", "result"),
    Sealed("cases.event", "said"),
    Sealed("cases.supplement", "form"),
    Sealed("cases.material", "body"),
)
"""What this room keeps sealed."""

__all__ = [
    "CASE_BYTES_MAX", "EVENTS", "MATERIAL_MAX", "SEALED", "Case", "CaseItem", "CaseMaterial", "DeskCase", "Finished", "FinishedCase",
    "HandedIn", "MaterialRef", "MaterialUnfit", "Moved", "NewCase", "NewSupplement", "NoSuchCase",
    "NotNow", "TimelineEntry", "TooManyMaterials", "WithdrawalRefused", "WrongMedia", "desk_case", "desk_cases", "desk_material",
    "finished_case", "forget", "form", "form_of", "give_material", "hand_in", "jobs", "listen", "look", "look_after",
    "material_for_shop", "mine", "open_desk_case", "personal", "routers", "submit", "supplement", "told", "uploading", "withdraw",
    "within",
]  # fmt: skip
