"""The registry of shops: which are here, what their manifests say, which of them can be called."""

from .errors import NoSuchApp, NoSuchShop
from .models import ShopEntry, ShopVersion, ShopView
from .routes import router
from .service import Registry, discover, load, record, versions

routers = [router]

__all__ = [
    "NoSuchApp",
    "NoSuchShop",
    "Registry",
    "ShopEntry",
    "ShopVersion",
    "ShopView",
    "discover",
    "load",
    "record",
    "routers",
    "versions",
]
