"""The console: what departments and operators work with, as pages under /console."""

from .routes import routers

__all__ = ["routers"]
