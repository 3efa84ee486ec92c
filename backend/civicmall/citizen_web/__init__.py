"""Pages."""

from litestar import Router

routers: list[Router] = []
