"""The statements of real-name levels; each module here calls them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import FaceCheckRow

q = sql.load(__file__, FaceCheckRow)
