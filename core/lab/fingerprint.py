"""What a machine is, in one number: by it a replay is seen to have come to the very machine that was saved.

Every byte of RAM, the selected VM's registers, every VM's counts and console, and the record of departures go in; the
rest of a machine's state shows in these sooner or later. It is the same in every process and on every computer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from core.addresses import PAGE_SIZE
from core.hypervisor import Hypervisor
from core.snapshot import Register
from core.traplog import TrapLog


def fingerprint(hypervisor: Hypervisor, registers: Iterable[Register], log: TrapLog) -> str:
    """64 hexadecimal digits."""
    machine, state = hypervisor.machine, hypervisor.scheduler.state
    facts: list[object] = [
        (state.time, state.executed, log.count),
        sorted((cause.name, count) for cause, count in log.causes.items() if count),
        [(each.name, each.believed, each.real) for each in registers],
    ]
    for letter, vm in hypervisor.vms.items():
        share = state.shares[letter]
        facts.append((letter, vm.spec.kind.kind, vm.interposer.executed, vm.interposer.time, bytes(vm.console)))
        facts.append((share.weight, share.cap, share.paused, share.ended))
    digest = hashlib.sha256(repr(facts).encode())
    digest.update(memory_digest(machine.ram.array[: machine.frames.used_to]))
    return digest.hexdigest()


def memory_digest(array: npt.NDArray[Any]) -> bytes:
    """Of the pages that are not all zero, and where they are."""
    pages = array.reshape(-1, PAGE_SIZE)
    used = pages.view(np.uint64).any(axis=1)
    digest = hashlib.blake2b(np.flatnonzero(used).tobytes(), digest_size=16)
    digest.update(pages[used].tobytes())
    return digest.digest()
