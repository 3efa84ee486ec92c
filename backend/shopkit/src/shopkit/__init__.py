"""What a department's shop imports, and all that it imports: the contract of CivicMall.

A shop is a manifest (`shop.json`) and one async function per app and capability::

    shop = Shop(__package__)

    @shop.progress("id_card")
    async def id_card(call: Call, query: ProgressQuery) -> list[Progress]: ...

Amounts are integers in the currency's minor unit (分); dates are local dates of the city;
instants are aware UTC datetimes; texts are maps by language tag (`{"zh-CN": …, "en": …}`).
"""

from . import sql
from .call import Call, Citizen, ShopDb
from .contract import (
    CONTRACT,
    Bill,
    BillDetail,
    BillLine,
    BillsQuery,
    Charge,
    ChargePaid,
    Progress,
    ProgressQuery,
    Reading,
    Receipt,
    Step,
    Text,
)
from .errors import BadManifest, NotFound, Refused, ShopError, Unavailable
from .manifest import App, Claim, Fee, Manifest, locate, read_manifest
from .shop import Shop

__all__ = [
    "CONTRACT",
    "App",
    "BadManifest",
    "Bill",
    "BillDetail",
    "BillLine",
    "BillsQuery",
    "Call",
    "Charge",
    "ChargePaid",
    "Citizen",
    "Claim",
    "Fee",
    "Manifest",
    "NotFound",
    "Progress",
    "ProgressQuery",
    "Reading",
    "Receipt",
    "Refused",
    "Shop",
    "ShopDb",
    "ShopError",
    "Step",
    "Text",
    "Unavailable",
    "locate",
    "read_manifest",
    "sql",
]
