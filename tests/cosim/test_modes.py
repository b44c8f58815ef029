"""Modes that CPUID does not promise and the lab does not carry: every kind stops in words, and can be looked at."""

from __future__ import annotations

import pytest

from core.events import EndHow
from core.looks import Look, Space, Span
from core.session import Session
from core.vmm import kinds_for
from tests.cosim.kernel import PAIR, TO_USER, UNTIL_THE_LOG_IS_FULL, kernel, log, ran_equal, seen

each_kind = pytest.mark.parametrize("kind", list(kinds_for()))
EVERY_KIND_NOTICES = "int 0x30\n"


def ran(text: str, kind: str, *, paging: bool) -> Session:
    PAIR.run(kernel(text, paging=paging), kind)
    return PAIR.session


@each_kind
@pytest.mark.parametrize("paging", [False, True], ids=["flat", "paged"])
@pytest.mark.parametrize(
    ("change", "named"),
    [("and eax, 0xfffffffe", "real mode"), ("and eax, 0x7ffffffe", "real mode")],
    ids=["paging stays", "paging goes"],
)
def test_going_back_to_real_mode_stops_the_machine(kind: str, change: str, named: str, paging: bool) -> None:
    session = ran(f"mov eax, cr0\n {change}\n mov cr0, eax\n {EVERY_KIND_NOTICES}", kind, paging=paging)
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert named in session.end.sentence
    assert "EIP=" in session.report


@each_kind
@pytest.mark.parametrize(
    ("bit", "named"), [(5, "PAE"), (20, "SMEP"), (21, "SMAP"), (18, "OSXSAVE")], ids=["pae", "smep", "smap", "osxsave"]
)
def test_what_cr4_can_turn_on_and_nobody_promised_stops_the_machine(kind: str, bit: int, named: str) -> None:
    text = f"mov eax, {1 << bit | 0x10}\n mov cr4, eax\n {EVERY_KIND_NOTICES}"
    session = ran(text, kind, paging=True)
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert named in session.end.sentence


@each_kind
def test_pages_of_pae_that_were_not_noticed_yet_can_be_looked_at(kind: str) -> None:
    """A loop without a departure: where the CPU alone knows, the views must bear it."""
    session = ran(
        """
    mov dword ptr [0x400000], 0x401001
    mov dword ptr [0x401000], 0x83
    mov eax, 0x400000
    mov cr3, eax
    mov eax, 0x20
    mov cr4, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
again: jmp again
""",
        kind,
        paging=False,
    )
    session.look = Look(Span(Space.PHYSICAL, 0x100000, 64), 0x100000, map=True, page=0x100)
    assert session.snapshot(0, 0).registers
    assert session.peek(0x100000, 4) is None
    if session.end is None:
        session.run(1_000)
    else:
        assert "PAE" in session.end.sentence


@each_kind
def test_a_bit_of_cr4_that_the_cpu_lacks_stays_clear(kind: str) -> None:
    session = ran_equal("mov eax, 0x400004\n mov cr4, eax\n mov eax, cr4\n mov [seen], eax\n", kind)
    assert seen(session, 1) == [4]


@each_kind
def test_the_kernel_reads_time_and_counters_whatever_cr4_says(kind: str) -> None:
    """TSD and PCE rule ring 3 alone; the emulated CPU has no counters, but asks PCE first, the wrong way round."""
    session = ran_equal(
        f"""
    mov eax, 0x104                              # TSD and PCE
    mov cr4, eax
    rdtsc
    mov [seen], eax
    mov dword ptr [resume], offset one
    rdpmc
one:
    {TO_USER}
    mov dword ptr [resume], offset two
    rdtsc
two:
    mov dword ptr [resume], offset three
    rdpmc
three:
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
    )
    assert seen(session, 1) != [0]
    assert [noted.vector for noted in log(session)][:3] == [6, 13, 13]


@each_kind
def test_a_return_checks_no_limit_and_a_jump_does(kind: str) -> None:
    """As the emulated CPU has it (core/cpu/FINDINGS.md)."""
    session = ran_equal(
        """
    mov dword ptr [resume], offset refused
    .byte 0xea
    .long 0x10000
    .word NARROW_CODE
refused:
    mov byte ptr [narrow + 0x10000], 0x66       # jmp far, of 32 bits
    mov byte ptr [narrow + 0x10001], 0xea
    mov dword ptr [narrow + 0x10002], offset after
    mov word ptr [narrow + 0x10006], CODE
    push NARROW_CODE
    push 0x10000
    retf
after:
    push 2
    push NARROW_CODE
    push 0x10000
    mov dword ptr [narrow + 0x10002], offset later
    iretd
later:
""",
        kind,
    )
    assert (log(session)[0].vector, log(session)[0].error) == (13, 0)


@each_kind
@pytest.mark.parametrize(
    "code",
    [
        "0x0f, 0x01, 0xc8", "0x0f, 0x01, 0xc9", "0x0f, 0x01, 0xca", "0x0f, 0x01, 0xcb", "0x0f, 0x01, 0xd1",
        "0x0f, 0x01, 0xd8", "0x0f, 0x01, 0xda", "0x0f, 0x01, 0xdc", "0x0f, 0x01, 0xdf",
    ],
    ids=["monitor", "mwait", "clac", "stac", "xsetbv", "vmrun", "vmload", "stgi", "invlpga"],
)  # fmt: skip
def test_what_cpuid_does_not_promise_is_in_each_ring_what_it_is_on_bare(kind: str, code: str) -> None:
    ran_equal(
        f"""
    xor ecx, ecx
    mov dword ptr [resume], offset one
    .byte {code}
one:
    lahf
    mov [seen], eax
    {TO_USER}
    xor ecx, ecx
    mov dword ptr [resume], offset two
    .byte {code}
two:
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
    )


TURN_SYSTEM_CALLS_ON = """
    mov ecx, 0xc0000080
    xor edx, edx
    mov eax, 1                                  # EFER.SCE
    wrmsr
    mov ecx, 0xc0000081
    mov edx, 0x00130008                         # STAR: the selectors for SYSRET and SYSCALL
    mov eax, offset refused
    wrmsr
"""


@pytest.mark.parametrize("kind", ["hardware", "hardware_shadow"])
@pytest.mark.parametrize("code", ["0x0f, 0x07", "0x0f, 0x05"], ids=["sysret", "syscall"])
def test_system_calls_that_a_guest_turned_on_are_what_they_are_on_bare(kind: str, code: str) -> None:
    """CPUID promises neither; SYSRET runs, SYSCALL is refused in every ring."""
    session = ran_equal(
        f"""
    {TURN_SYSTEM_CALLS_ON}
    mov ecx, 0xc0000080
    rdmsr
    mov [seen], eax
    mov ebp, esp
    mov ecx, offset user
    mov dword ptr [resume], offset refused
    .byte {code}
refused:
    mov esp, ebp
    {TO_USER}
    mov dword ptr [resume], offset one
    .byte 0x0f, 0x05
one:
    mov dword ptr [resume], offset two
    .byte 0x0f, 0x07
two:
    {UNTIL_THE_LOG_IS_FULL}
""",
        kind,
    )
    assert seen(session, 1) == [1]
    assert [noted.vector for noted in log(session)][:2] == ([6, 13] if code == "0x0f, 0x07" else [6, 6])


@pytest.mark.parametrize("kind", ["hardware", "hardware_shadow"])
def test_sysret_is_refused_again_when_the_guest_has_turned_it_off(kind: str) -> None:
    session = ran_equal(
        f"""
    {TURN_SYSTEM_CALLS_ON}
    mov ecx, 0xc0000080
    xor eax, eax
    xor edx, edx
    wrmsr
    mov dword ptr [resume], offset refused
    sysret
refused:
""",
        kind,
    )
    assert [noted.vector for noted in log(session)] == [6]


@pytest.mark.parametrize("kind", ["hardware", "hardware_shadow"])
@pytest.mark.parametrize(("number", "left"), [(0xC000_0080, 0x1901), (0xC001_0114, 0)], ids=["EFER", "VM_CR"])
def test_a_guest_reads_back_the_bits_that_the_cpu_has(kind: str, number: int, left: int) -> None:
    session = ran_equal(f"mov ecx, {number}\n xor edx, edx\n mov eax, -1\n wrmsr\n rdmsr\n mov [seen], eax\n", kind)
    assert seen(session, 1) == [left]


@pytest.mark.parametrize("kind", ["trap_emulate", "translation"])
def test_a_monitor_that_runs_the_kernel_in_another_ring_refuses_system_calls_in_words(kind: str) -> None:
    """Else SYSCALL would lead from the guest's programs into the real ring 0."""
    session = ran(TURN_SYSTEM_CALLS_ON + "refused:\n" + EVERY_KIND_NOTICES, kind, paging=False)
    assert session.end is not None
    assert session.end.how is EndHow.ERROR
    assert "0xc0000080" in session.end.sentence


@each_kind
def test_the_registers_of_system_calls_keep_what_was_written_over_a_departure(kind: str) -> None:
    session = ran_equal(
        """
    mov edi, offset seen
    mov ecx, 0xc0000081
next:
    mov eax, ecx
    xor edx, edx
    wrmsr
    inc ecx
    cmp ecx, 0xc0000085
    jb next
    xor eax, eax
    cpuid
    in al, 0x21
    mov ecx, 0xc0000081
read:
    rdmsr
    stosd
    inc ecx
    cmp ecx, 0xc0000085
    jb read
""",
        kind,
    )
    assert seen(session, 4) == [0xC0000081 + each for each in range(4)]
