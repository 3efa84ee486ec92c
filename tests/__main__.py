"""`python -m tests`: every test, in as many processes as there are cores.

Stands apart from pytest's own options so that `pytest tests/…` stays plain for whoever debugs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORES = max(2, min(os.cpu_count() or 2, 4))


def main() -> int:
    """Exit status of the run."""
    pytest = [sys.executable, "-m", "pytest", "-q", "--durations=8"]
    parallel = [*pytest, "-n", str(CORES), "--dist", "loadscope", "tests", *_plugins()]
    return subprocess.call([*parallel, *sys.argv[1:]], cwd=ROOT)


def _plugins() -> list[str]:
    return sorted(str(folder) for folder in ROOT.glob("plugins/*/tests"))


if __name__ == "__main__":
    sys.exit(main())
