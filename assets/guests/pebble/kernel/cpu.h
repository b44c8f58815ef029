/* Every instruction that a hypervisor cares about, in one place.
 *
 * The kernel uses no other way to the CPU. The builds differ here: `pebble` saves and restores the interrupt flag with
 * PUSHF and POPF, as every real kernel of its time did; `pebble-clean` (PEBBLE_CLEAN) uses only instructions that trap
 * when they are not allowed, and counts how deeply interrupts are locked instead; `pebble-pv` (PEBBLE_PV) asks a
 * hypervisor, see pv.h.
 */
#ifndef CPU_H
#define CPU_H

#include "layout.h"
#include "types.h"

#define FLAG_INTERRUPTS 0x200

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void out16(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }

static inline u8 in8(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u16 in16(u16 port)
{
    u16 value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u64 timestamp(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}

#ifdef PEBBLE_PV
#include "pv.h"
#else

static inline void interrupts_off(void) { __asm__ volatile("cli" : : : "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("sti" : : : "memory"); }

/* Let interrupts in and sleep until one comes; STI protects HLT, so none is missed in between. */
static inline void wait_for_interrupt(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }

static inline u32 read_cr0(void)
{
    u32 value;
    __asm__ volatile("movl %%cr0, %0" : "=r"(value));
    return value;
}

static inline u32 read_cr2(void)
{
    u32 value;
    __asm__ volatile("movl %%cr2, %0" : "=r"(value));
    return value;
}

static inline void write_cr0(u32 value) { __asm__ volatile("movl %0, %%cr0" : : "r"(value) : "memory"); }
static inline void write_cr3(u32 value) { __asm__ volatile("movl %0, %%cr3" : : "r"(value) : "memory"); }
static inline void forget_page(u32 address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }

static inline void write_msr(u32 number, u32 value)
{
    __asm__ volatile("wrmsr" : : "c"(number), "a"(value), "d"(0));
}

static inline u32 cpu_features(void)
{
    u32 a = 1, d;
    __asm__ volatile("cpuid" : "+a"(a), "=d"(d) : : "ebx", "ecx");
    return d;
}

struct table_register {
    u16 limit;
    u32 base;
} __attribute__((packed));

static inline void load_gdt(struct table_register *table) { __asm__ volatile("lgdt (%0)" : : "r"(table) : "memory"); }
static inline void load_idt(struct table_register *table) { __asm__ volatile("lidt (%0)" : : "r"(table) : "memory"); }
static inline void load_task(u16 selector) { __asm__ volatile("ltr %0" : : "r"(selector)); }

/* End the machine, with a status. */
static inline void power_off(u8 status) { out8(PORT_EXIT, status); }

void console_flush(void); /* what was put must go out now, if it is not already */

/* --- page tables ---------------------------------------------------------------------------------------------------
 *
 * Entries hold frame addresses and flags; tables are frames like any other.
 */
static inline u32 get_entry(const u32 *entry) { return *entry; }
static inline void set_entry(u32 *entry, u32 value) { *entry = value; }
static inline void set_entry_soon(u32 *entry, u32 value) { *entry = value; } /* at the latest by entries_flush */
static inline void entries_flush(void) {}
static inline void table_begins(u32 frame, int level) { (void)frame, (void)level; }
static inline void table_ends(u32 frame, int level) { (void)frame, (void)level; }

/* Of a page that is in use now. */
static inline void change_entry(u32 *entry, u32 address, u32 value)
{
    *entry = value;
    forget_page(address);
}

/* --- locking out interrupts ---------------------------------------------------------------------------------------
 *
 *     u32 lock = lock_interrupts();
 *     ... nobody interrupts ...
 *     unlock_interrupts(lock);
 */
#ifdef PEBBLE_CLEAN

extern int lock_depth; /* 0: interrupts are on; an interrupt handler runs at 1 or more */

static inline u32 lock_interrupts(void)
{
    interrupts_off();
    lock_depth++;
    return 0;
}

static inline void unlock_interrupts(u32 lock)
{
    (void)lock;
    if (--lock_depth == 0)
        interrupts_on();
}

static inline bool interrupts_locked(void) { return lock_depth > 0; }
static inline void handler_begins(void) { lock_depth++; }
static inline void handler_ends(void) { lock_depth--; }

#else

static inline u32 read_flags(void)
{
    u32 flags;
    __asm__ volatile("pushfl; popl %0" : "=r"(flags));
    return flags;
}

static inline u32 lock_interrupts(void)
{
    u32 flags = read_flags();
    interrupts_off();
    return flags;
}

static inline void unlock_interrupts(u32 flags) { __asm__ volatile("pushl %0; popfl" : : "r"(flags) : "memory", "cc"); }

static inline bool interrupts_locked(void) { return !(read_flags() & FLAG_INTERRUPTS); }
static inline void handler_begins(void) {}
static inline void handler_ends(void) {}

#endif
#endif /* PEBBLE_PV */
#endif
