"""What can go wrong with an inbox."""

from civicmall.kernel.errors import Problem


class NoSuchMessage(Problem):
    """No such message of this citizen; also when it is somebody else's or was forgotten."""

    type, status, title = "/problems/no-such-message", 404, "There is no such message."
