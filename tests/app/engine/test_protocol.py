"""What crosses the pipe is on the other side what it was, down to its types."""

from __future__ import annotations

import pickle

from app.engine.protocol import Updated
from core.events import Cause, Ring, Trap
from tests.app.builders import snapshot, traps


def test_a_picture_crosses_with_its_traps() -> None:
    sent = Updated(snapshot(traps=traps(5), trap_count=5), acts=3)
    came = pickle.loads(pickle.dumps(sent))
    assert came == sent
    assert [type(trap) for trap in came.snapshot.traps] == [Trap] * 5
    assert all(isinstance(trap.cause, Cause) and isinstance(trap.ring_from, Ring) for trap in came.snapshot.traps)
    assert type(came.snapshot.traps) is tuple
