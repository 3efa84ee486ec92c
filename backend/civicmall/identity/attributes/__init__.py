"""What is known of a citizen: by whom, since when, and what it may be used for; and leaving with it."""

from . import disputes, leaving, life, service, takeout, words
from .hearing import listen
from .leaving import jobs
from .routes import routers

__all__ = [
    "disputes",
    "jobs",
    "leaving",
    "life",
    "listen",
    "routers",
    "service",
    "takeout",
    "words",
]
