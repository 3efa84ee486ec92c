"""What this room keeps about a citizen: ratings and tickets, given out whole. They stay (E-commerce
Law art. 39), under the pseudonym that they were given with.
"""

from __future__ import annotations

from civicmall.kernel.personal import Personal, Table

from .queries import q


def personal() -> Personal:
    """What the room offers."""
    return Personal(
        "ratings",
        (
            Table("ratings.rating", q.export_ratings),
            Table("ratings.rectification", q.export_tickets),
            Table("ratings.step", q.export_steps),
        ),
    )
