"""Every fixed address and port of the lab, with the map drawn.

Guest-physical memory of a VM                     Host-physical memory of the machine
─────────────────────────────                     ────────────────────────────────────
0000_0000  (free for the guest)                   0000_0000  bare: the guest itself, from 0
0000_1000  boot GDT (null, code, data)                       otherwise: reserved for the host
0000_2000  multiboot info, memory map, strings    0010_0000  frames handed out by the allocator:
0000_8000  top of the boot stack                             VM memory, monitors' pages
0001_0000  paravirtual: start page, rings,
           frame list, first page tables
0010_0000  where images are usually linked        0800_0000  end of RAM: the bus answers above
0100_0000  end of a VM's memory (default 16 MiB)

Guest-linear space under a monitor: the top 4 MiB belong to the monitor (as VMware's did).
─────────────────────────────
FFC0_0000  shadow GDT (64 KiB: 8192 descriptors)
FFC1_0000  shadow LDT (64 KiB)
FFC2_0000  shadow TSS; under AMD-V with shadow paging a fence: the CPU's TR points here, and nothing is here
FFC3_0000  what translated code may write: what the guest believes of its CPU (one page)
FFC5_0000  translation cache (256 KiB)
FFC9_0000  machine-to-physical table (paravirtual kinds; 4 bytes for each frame of the machine)
FFE0_0000  lookup table of indirect jumps (256 KiB)
"""

from __future__ import annotations

from core.addresses import GuestPhysical, GuestVirtual

KIB, MIB = 1 << 10, 1 << 20

# -- the machine
MACHINE_MEMORY = 128 * MIB
VM_MEMORY = 16 * MIB
HOST_RESERVED = 1 * MIB
MONITOR_MEMORY = 2 * MIB  # what one VM's monitor may take for itself

# -- a VM at power-on
BOOT_GDT = GuestPhysical(0x1000)
BOOT_CODE_SELECTOR = 0x08
BOOT_DATA_SELECTOR = 0x10
MULTIBOOT_INFO = GuestPhysical(0x2000)
MULTIBOOT_INFO_END = GuestPhysical(0x7000)  # what is left below the stack's top is the stack
BOOT_STACK_TOP = GuestPhysical(0x8000)
LOWEST_IMAGE = GuestPhysical(0x8000)  # images lie above the boot tables and stack
MULTIBOOT_BOOTLOADER_MAGIC = 0x2BAD_B002

# -- a paravirtual VM at power-on
PARAVIRT_START = GuestPhysical(0x1_0000)
PARAVIRT_END = GuestPhysical(0x9_F000)  # images lie above

# -- the monitor's region of every guest-linear address space
MONITOR_BASE = GuestVirtual(0xFFC0_0000)
SHADOW_GDT = GuestVirtual(0xFFC0_0000)
SHADOW_LDT = GuestVirtual(0xFFC1_0000)
SHADOW_TSS = GuestVirtual(0xFFC2_0000)
TRANSLATION_VARIABLES = GuestVirtual(0xFFC3_0000)
TRANSLATION_CACHE, TRANSLATION_CACHE_BYTES = GuestVirtual(0xFFC5_0000), 256 * KIB
MACHINE_TO_PHYSICAL = GuestVirtual(0xFFC9_0000)
TRANSLATION_TABLE, TRANSLATION_TABLE_BYTES = GuestVirtual(0xFFE0_0000), 256 * KIB
MONITOR_TSS_SELECTOR, MONITOR_LDT_SELECTOR = 0xFFF0, 0xFFF8  # beyond every guest's own descriptors but the last two
SHADOW_FRAMES = 304  # shadow page tables of one VM at most; with all that is the monitor's they stay below 2 MiB

# -- ports
PORT_PIC_MASTER = 0x20
PORT_PIC_SLAVE = 0xA0
PORT_PIT = 0x40
PORT_SYSTEM_CONTROL = 0x61
PORT_SERIAL = 0x3F8
PORT_EXIT = 0xF4
PORT_KEYBOARD = 0x60
PORT_CMOS = 0x70
PORT_DISK = 0x1F0
PORT_DISK_CONTROL = 0x3F6
PORT_VGA = 0x3C0

# -- interrupt request lines
IRQ_PIT = 0
IRQ_CASCADE = 2
IRQ_SERIAL = 4
IRQ_KEYBOARD = 1
IRQ_DISK = 14

# -- the screen's memory, in every VM's RAM
SCREEN_MEMORY = GuestPhysical(0xB8000)

# -- virtual time: one instruction is ten nanoseconds of the lab's clock, whatever it costs the host
INSTRUCTIONS_PER_SECOND = 100_000_000
PIT_HZ = 1_193_182
