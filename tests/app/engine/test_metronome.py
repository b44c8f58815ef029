"""Time slices: beats inside, silence outside."""

from __future__ import annotations

import threading

from app.engine.metronome import Metronome

PATIENCE = 10.0


def test_it_beats_again_and_again_while_the_guest_runs() -> None:
    beats = threading.Semaphore(0)
    metronome = Metronome(beats.release, period=0.001)
    with metronome:
        assert all(beats.acquire(timeout=PATIENCE) for _ in range(3))
    metronome.close()


def test_it_is_silent_once_the_slice_is_over() -> None:
    heard: list[bool] = []
    inside = False
    first = threading.Event()

    def beat() -> None:
        heard.append(inside)
        first.set()

    metronome = Metronome(beat, period=0.0001)
    for _ in range(200):
        inside = True
        with metronome:
            pass
        inside = False  # whatever beats from here on is late
    inside = True
    with metronome:
        assert first.wait(PATIENCE)
    inside = False
    metronome.close()
    assert all(heard)


def test_closing_ends_its_thread() -> None:
    metronome = Metronome(lambda: None)
    metronome.close()
    assert "metronome" not in {thread.name for thread in threading.enumerate()}
