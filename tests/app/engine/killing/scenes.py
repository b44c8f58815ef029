"""What is under way when an engine is killed: typing, travelling, another future, another engine's recovery."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.engine.client import Engine
from app.engine.protocol import (
    AddVm,
    BackToWrite,
    EnterFuture,
    GoTo,
    Journey,
    RunBack,
    SelectVm,
    StepBack,
    StepBackOver,
)
from core.lab.archive import MANIFEST
from core.lab.files import open_lab
from core.lab.lab import Desk
from core.looks import Space
from core.past import BackTo
from tests.app.engine.killing.guests import BESIDE, KINDS, assembled
from tests.app.engine.killing.watching import Watcher

LETTERS = b"abcdefghijklmnopqrstuvwxyz"
LIFE = 0.08  # seconds that an engine lives at most after the first letter
GLIMPSE = 0.03  # in which it is killed after it was told to travel
START = 0.6  # in which its successor is killed
KEPT_FROM = 0.8  # of all kills, from where on the lab is kept on disk as well


def kill_engines(count: int, seed: int, told: Callable[[int], None] = lambda _: None) -> None:
    """Kill so many engines; an AssertionError at the first whose successor has lost something."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        guests = assembled(folder)
        engine = Engine()
        watcher = Watcher(engine)
        kept = folder / "kept"
        try:
            number = 0
            while watcher.deaths < count:
                if watcher.deaths >= count * KEPT_FROM and not engine.keeps:
                    engine.keep_lab(str(kept), Desk())
                chance = random.Random(f"{seed} {number}")
                kind = KINDS[number % len(KINDS)]
                scene = Scene(watcher, guests, kind, chance, count - watcher.deaths)
                try:
                    scene.play()
                except AssertionError as lost:
                    raise AssertionError(f"seed {seed}, scene {number} ({scene.title} under {kind}): {lost}") from lost
                if (kept / MANIFEST).exists():
                    open_lab(kept)  # never half of one
                number += 1
                told(watcher.deaths)
        finally:
            watcher.close()
            engine.close()


@dataclass
class Scene:
    """One guest from power-on over a death, or some, to the last letter's echo. `most` it may kill."""

    watcher: Watcher
    guests: dict[str, tuple[str, ...]]
    kind: str
    chance: random.Random
    most: int
    title: str = ""
    _seen: int = 0  # the machine's time when it was seen before a death

    def __post_init__(self) -> None:
        self.engine = self.watcher.engine
        self.typed: dict[str, bytes] = {"A": b""}

    def play(self) -> None:
        scenes = [self.typing, self.typing_to_two, self.travelling, self.forking]
        if self.most >= 3:
            scenes.append(self.dying_again)
        scene = self.chance.choice(scenes)
        self.title = scene.__name__.replace("_", " ")
        self._power_on()
        scene()

    # -- the scenes

    def typing(self) -> None:
        """The guest runs, and somebody types; also while nobody is there to obey."""
        self._type_for_a_while()
        self._die()
        self._all_is_echoed()

    def typing_to_two(self) -> None:
        """As that, now to one VM, now to another."""
        if self.kind == "bare":
            return self.typing()
        other = self.chance.choice(BESIDE)
        self.engine.host(AddVm(self.chance.choice(self.guests[other]), other, weight=self.chance.randint(1, 3)))
        self.typed["B"] = b""
        self._type_for_a_while()
        self._die()
        self._all_is_echoed()
        return None

    def dying_again(self) -> None:
        """As typing, but the next engine is killed as well: while it starts, or replays, or stands."""
        self._type_for_a_while()
        self._die()
        for _ in range(self.chance.randint(1, 2)):
            self.watcher.pass_time(self.chance.uniform(0, START))
            self.watcher.kill()
            if self.chance.random() < 0.5:
                self._type_one()
        self._all_is_echoed()

    def travelling(self) -> None:
        """Somebody goes back, and back again, when the engine dies; run on, the machine does what it did."""
        self._type_until_echoed()
        for _ in range(self.chance.randint(1, 3)):
            self.engine.travel(self._journey())
            self.watcher.pass_time(self.chance.uniform(0, GLIMPSE))
        self.watcher.kill()
        self.watcher.await_recovery()
        self._all_is_echoed()

    def forking(self) -> None:
        """Somebody went back and typed something else; both futures must be there."""
        self._type_until_echoed()
        old = self.typed["A"]
        self.engine.travel(GoTo(self.chance.randrange(self.watcher.past.now // 2 + 1)))
        self._type_one()
        other = self.typed["A"][-1:]
        self.watcher.pass_time(self.chance.uniform(0, GLIMPSE))
        self.watcher.kill()
        watcher = self.watcher
        watcher.wait(lambda: [each.number for each in watcher.past.futures] == [0, 1], lambda: "two futures")
        self.engine.run()
        watcher.wait(
            lambda: watcher.console == old[: len(watcher.console) - 1] + other and watcher.past.present == 1,
            lambda: f"{other!r} after a beginning of {old!r}, not {watcher.console!r}",
        )
        self.engine.travel(EnterFuture(0))
        watcher.wait(
            lambda: watcher.past.present == 0 and watcher.console == old,
            lambda: f"{old!r} in the first future, not {watcher.console!r}",
        )

    # -- what they are made of

    def _power_on(self) -> None:
        watcher, before = self.watcher, self.watcher.powered_on
        self.engine.load(self.chance.choice(self.guests[self.kind]), self.kind)
        watcher.wait(lambda: watcher.powered_on > before and watcher.is_current, lambda: "the guest at power-on")

    def _type_one(self) -> None:
        vm = self.chance.choice(list(self.typed))
        letter = bytes([self.chance.choice(LETTERS)])
        if len(self.typed) > 1:
            self.engine.host(SelectVm(vm))
        self.engine.send_input(letter)
        self.typed[vm] += letter

    def _type_for_a_while(self) -> None:
        self.engine.run()
        self._type_one()
        left = self.chance.uniform(0, LIFE)
        while left > 0:
            pause = min(self.chance.uniform(0, LIFE / 4), left)
            self.watcher.pass_time(pause)
            left -= pause
            self._type_one()

    def _type_until_echoed(self) -> None:
        self._type_for_a_while()
        self._wait_for(self.typed["A"])

    def _wait_for(self, letters: bytes) -> None:
        watcher = self.watcher
        watcher.wait(lambda: watcher.console == letters, lambda: f"{letters!r}, not {watcher.console!r}")

    def _die(self) -> None:
        """Now; what is typed before anybody has noticed counts too."""
        self._seen = self.watcher.sees.machine_time
        self.watcher.kill()
        self._type_one()

    def _journey(self) -> Journey:
        now = max(self.watcher.past.now, 1)
        return self.chance.choice(
            (
                StepBack(),
                StepBackOver(),
                GoTo(self.chance.randrange(now)),
                RunBack(BackTo.DEPARTURE),
                RunBack(BackTo.BREAKPOINT),
                BackToWrite(Space.LINEAR, self.chance.randrange(0x10_0000, 0x10_1000) & ~3),
            )
        )

    def _all_is_echoed(self) -> None:
        """All that was typed, by a machine that has come to where it was seen, or further."""
        self.watcher.await_recovery()
        assert self.watcher.sees.machine_time >= self._seen, "it goes on from before it was seen"
        self.engine.run()
        for vm, letters in self.typed.items():
            if len(self.typed) > 1:
                self.engine.host(SelectVm(vm))
                self.watcher.wait(lambda: self.watcher.sees.vm == vm, lambda: f"VM {vm}")  # noqa: B023
            self._wait_for(letters)
