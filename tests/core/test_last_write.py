"""Back to the last write: each store to a word is found, also one of what stood there, whoever made it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import RequestError
from core.guests.assembler import assemble
from core.guests.image import Interface
from core.layout import MIB, PARAVIRT_START
from core.looks import Space
from core.session import Session
from tests.core.test_session import each_kind
from tests.core.timeline.test_timeline import DENSE, HOSTED, recorded

WORD = """
.balign 4096
.skip 64
word: .skip 4096
stack:
"""
NAMES = {1: "byte", 2: "word", 4: "dword"}


def back(session: Session, address: int | None = None) -> int:
    """To the last write to the guest's `word`, or there; after how many instructions it stands then."""
    assert session.program is not None
    for _ in session.travel.running_back_to_write(Space.LINEAR, address or session.program.symbols["word"]):
        pass
    return session.executed


def all_back(session: Session, address: int | None = None) -> list[int]:
    """Where each move back ended, to power-on."""
    found = [back(session, address)]
    while found[-1]:
        found.append(back(session, address))
    return found


@each_kind
@settings(max_examples=2)
@given(stores=st.lists(st.tuples(st.sampled_from([1, 2, 4]), st.integers(-5, 5)), min_size=1, max_size=10))
@example(stores=[(4, 0), (1, 3), (4, -3), (4, -4), (1, 4), (2, -1)])
def test_every_store_that_reaches_the_word_is_found(kind: str, stores: list[tuple[int, int]]) -> None:
    """All of them store zeroes where there are zeroes."""
    lines = "\n".join(f"mov {NAMES[size]} ptr [word + {at}], 0" for size, at in stores)
    session = recorded(f"nop\n{lines}\ndone: jmp done\n{WORD}", kind)
    session.step(len(stores) + 50)
    reaching = [1 + n for n, (size, at) in enumerate(stores) if at < 4 and at + size > 0]
    assert all_back(session) == [*reversed(reaching), 0]
    session.close()


# linear 0x400000 and 0x401000 lie in two pages that are no neighbours; those behind 0x300000 are others' own
ACROSS = """
    mov edi, 0x110000
    mov dword ptr [edi], 0x83
    mov dword ptr [edi + 4], 0x111007
    mov dword ptr [0x111000], 0x300007
    mov dword ptr [0x111004], 0x250007
    mov dword ptr [0x111008], 0x270007
    mov eax, cr4
    or eax, 0x210
    mov cr4, eax
    mov cr3, edi
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    xor eax, eax
    mov esp, 0x401002
    mov [0x400ffe], eax
    mov [0x401ffe], eax
    push eax
    mov [0x400ffc], eax
    mov byte ptr [0x401000], 0
    mov [0x300ffe], eax
    movdqu [0x400ff1], xmm0
    mov ebx, 0x3ff000
    mov [ebx + eax*4 + 0x1fff], eax
    pushad
done: jmp done
"""


@each_kind
def test_a_store_that_begins_in_the_page_before_is_found(kind: str) -> None:
    """All of them store zeroes where there are zeroes; only those to the pages that follow on it in linear memory."""
    session = recorded(ACROSS, kind)
    session.step(60)
    found = all_back(session, 0x40_1000)
    names = [code_at(session, each) for each in found[:-1]]
    assert [each.split()[0] for each in names] == ["mov", "movdqu", "mov", "push", "mov"]
    assert "[ebx+" in names[0]
    session.close()


OF_EVERY_MAKE = f"""
    mov eax, cr4
    or eax, 0x200
    mov cr4, eax
    mov esp, offset word + 4
    push 0
    mov esp, offset word + 4
    xor eax, eax
    xchg [word], eax
    or dword ptr [word], 0
    cld
    mov ecx, 5
    mov edi, offset word - 8
    rep stosd
    mov ecx, 2
    cmpxchg [word], eax
    lock inc byte ptr [word + 7]
    movd xmm0, eax
    movdqu [word - 12], xmm0
done: jmp done
{WORD}
"""


@each_kind
def test_stores_of_every_make_are_found(kind: str) -> None:
    """A push, an exchange, a string, one of sixteen bytes; that to a neighbour is none."""
    session = recorded(OF_EVERY_MAKE, kind)
    session.step(60)
    found = all_back(session)
    names = [code_at(session, each).split()[0] for each in found[:-1]]
    assert names == ["movdqu", "cmpxchg", "rep", "or", "xchg", "push"]
    session.close()


def code_at(session: Session, executed: int) -> str:
    session.travel.go_to(executed)
    return session.sentence.partition("before ")[2]


INTERRUPTS = f"""
    lidt [idtr]
    mov esp, offset word + 12
    mov ecx, 3
again:
    int 0x30
    loop again
    mov dword ptr [word + 40], 0
done: jmp done
handler:
    iretd
.balign 8
idt: .skip 0x30 * 8
    .word handler - _start, 8, 0x8e00, 0x0010
idtr: .word 0x31 * 8 - 1
    .long idt
{WORD}
"""


@each_kind
def test_what_a_delivery_pushes_is_a_write(kind: str) -> None:
    """Whoever plays the CPU's part in it: the flags, the code segment, EIP are each time alike."""
    session = recorded(f".globl _start\n_start:\n{INTERRUPTS}", kind)
    session.step(80)
    found = all_back(session)
    names = [code_at(session, each).split()[0] for each in found[:-1]]
    assert names == ["int"] * 3


BY_THE_MONITOR = f"""
    mov ecx, 4
again:
    sidt [word]
    loop again
    mov ecx, 400
spin: loop spin
done: jmp done
{WORD}
"""


@each_kind
def test_what_a_monitor_stores_for_an_instruction_is_a_write(kind: str) -> None:
    """Under translation and some others SIDT is the monitor's to do."""
    session = recorded(BY_THE_MONITOR, kind)
    session.step(600)
    assert all_back(session) == [7, 5, 3, 1, 0]
    session.close()


ACCESSED = """
    mov dword ptr [directory], 0x83
    mov dword ptr [directory + 4], offset table + 7
    mov dword ptr [word], 0x300007
    mov eax, cr4
    or eax, 0x10
    mov cr4, eax
    mov eax, offset directory
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    nop
read: mov eax, [0x400000]
    nop
write: mov [0x400000], eax
    nop
    nop
done: jmp done
.balign 4096
directory: .skip 4096
table:
word: .skip 4096
"""


@each_kind
def test_what_the_mmu_writes_into_a_page_table_is_found(kind: str) -> None:
    """Accessed at the read, dirty at the write: bits that the CPU sets with no store of an instruction's."""
    session = recorded(ACCESSED, kind)
    session.step(60)
    assert session.program is not None
    found = all_back(session)
    symbols, places = session.program.symbols, []
    for each in found:
        session.travel.go_to(each)
        places.append(session.pc)
    assert places[:2] == [symbols["write"], symbols["read"]]
    assert found[2:] == [2, 0]
    session.close()


def test_another_vm_s_stores_to_the_same_address_are_none() -> None:
    store = f"nop\nmov dword ptr [word], 0\nagain: jmp again\n{WORD}"
    session = recorded(store, "trap_emulate")
    session.step(60_000)
    session.vms.add(assemble(store.replace("nop", "again2:").replace("jmp again\n", "jmp again2\n"), "b.s"), "hardware")
    session.step(60_000)
    session.select("A")
    assert all_back(session) == [1, 0]
    session.close()


@pytest.mark.parametrize("kind", HOSTED)
def test_a_page_that_was_taken_and_came_back_is_followed(kind: str) -> None:
    """Its bytes move to another frame at a touch: that is no write, and the store that touched it is one."""
    store = f"mov dword ptr [word], 0\nmov ecx, 900\nspin: loop spin\nmov dword ptr [word], 0\ndone: jmp done\n{WORD}"
    session = recorded(store, kind)
    session.step(100)
    session.vms.balloon("A", 14 * MIB)
    session.step(1_000)
    assert all_back(session) == [902, 0]
    session.close()


PARAVIRTUAL = """
    mov ebp, 3
again:
    mov eax, 32
    mov ebx, 5
    mov ecx, offset word - 4
    int 0x82
    dec ebp
    jnz again
spin: jmp spin
.balign 4096
.long 9
word: .long 0
"""


def test_what_a_hypervisor_or_a_driver_s_back_writes_for_a_guest_is_found() -> None:
    """The state of an event channel, asked for thrice; and a letter, brought into the console's ring."""
    session = Session(history=DENSE)
    session.load(replace(assemble(PARAVIRTUAL, "pv.s"), interface=Interface.PARAVIRT), "paravirt")
    session.step(1_000)
    session.inputs.send(b"x")
    session.step(5_000)
    ring = PARAVIRT_START + 0x1000
    assert session.read_memory(ring, 1) == b"x"
    typed = back(session, ring)
    assert session.read_memory(ring, 1) == b"\0"
    session.step()
    assert session.read_memory(ring, 1) == b"x"
    assert typed >= 1_000
    assert all_back(session) == [16, 10, 4, 0]
    session.close()


def test_where_there_is_no_memory_nothing_is_looked_for() -> None:
    session = recorded("again: jmp again")
    session.step(10)
    with pytest.raises(RequestError, match="no memory at guest-physical"):
        back(session, 0xF000_0000)
    with pytest.raises(RequestError, match="no memory at guest-physical"):
        session.next_write(Space.LINEAR, 0xF000_0000)
    assert session.executed == 10
    session.close()
