"""Staff open personal data: with a reason that the citizen reads, for a quarter of an hour, and where
it is not a case of their own department, only with a second person.
"""

from .models import Claim, Found, Lookup, LookupAsk, OpenAsk, Opened
from .service import ask, decide, look, need, open_record, some

__all__ = [
    "Claim", "Found", "Lookup", "LookupAsk", "OpenAsk", "Opened", "ask", "decide", "look", "need",
    "open_record", "some",
]  # fmt: skip
