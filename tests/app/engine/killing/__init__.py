"""Engines killed at random moments: nothing typed may be lost.

    python -m tests.app.engine.killing 1000 [SEED]

kills so many, `tests/app/engine/test_killing.py` a hundred. A guest that computes or sleeps, and echoes what it gets,
runs under every kind in turn, at times beside another; somebody types, travels in time, begins other futures, has the
lab kept; at a random moment the engine process is killed, and at times its successor too. Whoever comes then must be
where the machine was seen last, or later, and echo every letter in its order.

guests    what runs
watching  somebody who sees what the engine says
scenes    what is under way when the engine is killed, and what must be true after
"""
