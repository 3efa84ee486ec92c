"""What a citizen doesn't agree with of who read their data: said once for a line, answered by an
operator within five working days. The operators see the line and the words, not whose they are
(ADR 0038).
"""

from .hearing import listen
from .models import Answering, DeskObjection, NewObjection, ReadingObjection
from .service import answer, erase, forget, mine, objected, raise_objection, waiting

__all__ = [
    "Answering", "DeskObjection", "NewObjection", "ReadingObjection", "answer", "erase", "forget",
    "listen", "mine", "objected", "raise_objection", "waiting",
]  # fmt: skip
