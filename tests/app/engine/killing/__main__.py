"""`python -m tests.app.engine.killing COUNT [SEED]`. In a module of its own, which a spawned engine does not import."""

from __future__ import annotations

import sys
import time

from PySide6.QtCore import QCoreApplication

from tests.app.engine.killing.scenes import kill_engines


def main() -> None:
    application = QCoreApplication.instance() or QCoreApplication([])
    assert application is not None
    count, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    started = time.monotonic()
    kill_engines(count, seed, lambda done: _say(f"\r{done:,} killed"))
    _say(f"\r{count:,} engines killed in {time.monotonic() - started:,.0f} s, nothing typed was lost\n")


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
