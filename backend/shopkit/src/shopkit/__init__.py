"""What a department's shop imports, and all that it imports: the contract of CivicMall.

A shop is a manifest (`shop.json`) and one async function per app and capability::

    shop = Shop(__package__)

    @shop.progress("id_card")
    async def id_card(call: Call, query: ProgressQuery) -> list[Progress]: ...

Amounts are integers in the currency's minor unit (分); dates are local dates of the city;
instants are aware UTC datetimes; texts are maps by language tag (`{"zh-CN": …, "en": …}`).
"""

from . import contract, forms, sql
from .call import Call, Citizen, ShopDb
from .contract import *  # noqa: F403 (its __all__ is the contract)
from .errors import BadForm, BadManifest, NotFound, Refused, ShopError, Unavailable
from .manifest import App, Claim, Fee, Manifest, locate, read_manifest
from .shop import Shop

__all__ = [
    "App", "BadForm", "BadManifest", "Call", "Citizen", "Claim", "Fee", "Manifest", "NotFound",
    "Refused", "Shop", "ShopDb", "ShopError", "Unavailable", "contract", "forms", "locate",
    "read_manifest", "sql",
]  # fmt: skip
__all__ += contract.__all__
