"""What can go wrong in the catalogue: at a caller's door, and in content before any door opens."""

from __future__ import annotations

from civicmall.kernel.errors import Problem


class NoSuchItem(Problem):
    """No service item of this code."""

    type, status, title = "/problems/no-such-item", 404, "There is no such service item."


class BadContent(Exception):
    """Content that can't be used: stops the start. Names the file, the entry and the place in it."""

    def __init__(self, file: str, entry: str, path: str, problem: str) -> None:
        super().__init__(f"{file}: {entry}: {path}: {problem}")
        self.file = file
        self.entry = entry
        self.path = path
        self.problem = problem


class WrongRule(Exception):
    """A rule, window or figure that can't be compiled; `path` is the place inside the entry."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
