"""What can go wrong at the home."""

from civicmall.kernel.errors import Problem


class WrongSnooze(Problem):
    """A snooze to a day that has passed or is too far off, or a day where nothing is snoozed."""

    type, status, title = "/problems/wrong-snooze", 422, "This day can't be used for a reminder."
