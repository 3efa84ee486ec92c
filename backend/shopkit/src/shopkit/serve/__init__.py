"""Any Python shop as an HTTP service of its own, on the wire of the contract: a plain ASGI application.

The shop's code doesn't change: what the gateway calls in its own process, it calls here by signed
requests. `civicmall shop serve FOLDER` does all of it; whoever wants a server of their own::

    service = ShopService(shop, trust=Trust(jwks="https://city.example/.well-known/jwks.json"),
                          secret=secret, opened=my_pool)
"""

from .app import Opened, ShopService
from .platform import PlatformClient
from .trust import NoKeys, Trust, sandbox_trust

__all__ = ["NoKeys", "Opened", "PlatformClient", "ShopService", "Trust", "sandbox_trust"]
