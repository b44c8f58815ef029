"""What Xen's counts must be: every use and reference of a paravirtual VM's pages, counted anew from what there is."""

from __future__ import annotations

import numpy as np

from core.addresses import PAGE_SHIFT
from core.memory.walk import PRESENT, WRITABLE
from core.session import Session
from core.vmm.domain_builder import Layout
from core.vmm.frame_types import MONITOR_SLOT, FrameType
from core.vmm.paravirt import Paravirt


def monitor(session: Session, letter: str = "A") -> Paravirt:
    vmm = session.hypervisor.vms[letter].vmm
    assert isinstance(vmm, Paravirt)
    return vmm


def recount(vmm: Paravirt, extra: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Uses and references of every page, counted anew from what there is."""
    types, physical = vmm.types, vmm.physical
    uses, references = np.zeros_like(types.uses), np.zeros_like(types.references)
    layout = Layout.of(physical)

    def count(frame: int, *, used: bool) -> None:
        page = physical.page(frame)
        assert page >= 0, f"frame {frame:#x} is not the VM's"
        uses[page] += used
        references[page] += 1

    for page in (layout.console_ring, layout.disk_ring, *extra):
        count(physical.frames[page] >> PAGE_SHIFT, used=True)
    count(vmm.state.root, used=True)
    for page in np.flatnonzero(types.pinned):
        count(physical.frames[page] >> PAGE_SHIFT, used=True)
    for frame in vmm.state.gdt:
        count(frame, used=True)
    for page in np.flatnonzero(types.uses):
        level = FrameType(int(types.types[page]))
        if level not in (FrameType.TABLE_1, FrameType.TABLE_2):
            continue
        words = types.words(physical.frames[page] >> PAGE_SHIFT)
        if level is FrameType.TABLE_2:
            assert int(words[MONITOR_SLOT]) & ~0x60 == types.monitor_entry & ~0x60
            words = words[:MONITOR_SLOT]
        for entry in words[np.flatnonzero(words & PRESENT)].tolist():
            frame = entry >> PAGE_SHIFT
            if frame == vmm._shared >> PAGE_SHIFT:
                continue
            count(frame, used=level is FrameType.TABLE_2 or bool(entry & WRITABLE))
            wanted = FrameType.TABLE_1 if level is FrameType.TABLE_2 else FrameType.WRITABLE
            if level is FrameType.TABLE_2 or entry & WRITABLE:
                assert types.type_of(frame) is wanted
    return uses, references


def assert_counts(vmm: Paravirt, extra: tuple[int, ...] = ()) -> None:
    uses, references = recount(vmm, extra)
    assert np.array_equal(uses, vmm.types.uses)
    assert np.array_equal(references, vmm.types.references)
