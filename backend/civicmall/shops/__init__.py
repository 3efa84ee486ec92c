"""The registry of shops: which are here, what their manifests say, which of them can be called."""

from .errors import NoSuchApp, NoSuchShop, ShopClosed, ShopRetired
from .models import Deployed, Placed, ShopEntry, ShopVersion, ShopView
from .registry import Registry
from .routes import router
from .rules import digest, meets_canary
from .service import discover, load, record, versions

routers = [router]

__all__ = [
    "Deployed",
    "NoSuchApp",
    "NoSuchShop",
    "Placed",
    "Registry",
    "ShopClosed",
    "ShopEntry",
    "ShopRetired",
    "ShopVersion",
    "ShopView",
    "digest",
    "discover",
    "load",
    "meets_canary",
    "record",
    "routers",
    "versions",
]
