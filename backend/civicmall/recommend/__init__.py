"""The home: what a citizen's life calls for now, ranked, each card with its reason."""

from .errors import WrongSnooze
from .models import Card, Feedback, FeedbackAsk, Home, Question, Settings, StageNow
from .personal import personal
from .routes import router
from .service import (
    cards,
    change_settings,
    give_feedback,
    home,
    question,
    settings,
    take_back_feedback,
)

routers = [router]

__all__ = [
    "Card", "Feedback", "FeedbackAsk", "Home", "Question", "Settings", "StageNow", "WrongSnooze",
    "cards", "change_settings", "give_feedback", "home", "personal", "question", "routers", "settings",
    "take_back_feedback",
]  # fmt: skip
