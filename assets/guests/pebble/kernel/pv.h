/* Asking the hypervisor: pebble-pv's side of what cpu.h is for the other builds.
 *
 * The kernel runs in ring 1, so it calls where it may not act: INT 0x82 with a number in EAX and arguments in EBX, ECX,
 * EDX, ESI. Interrupts are events, and what CLI and STI were is a byte in a page shared with the hypervisor. Page tables
 * name machine frames, are read-only to us, and are changed by calls that check each entry; the rest of the kernel goes
 * on thinking in its own frames, numbered from 0, and the translation is here.
 */
#ifndef PV_H
#define PV_H

enum hypercall {
    HYPERCALL_SET_TRAP_TABLE = 0,
    HYPERCALL_MMU_UPDATE = 1,
    HYPERCALL_STACK_SWITCH = 3,
    HYPERCALL_SET_CALLBACKS = 4,
    HYPERCALL_FPU_TASKSWITCH = 5,
    HYPERCALL_MULTICALL = 13,
    HYPERCALL_UPDATE_VA_MAPPING = 14,
    HYPERCALL_SET_TIMER = 15,
    HYPERCALL_VERSION = 17, /* does nothing: a way to let pending events in */
    HYPERCALL_MMUEXT = 26,
    HYPERCALL_SCHED = 29,
    HYPERCALL_EVENT_CHANNEL = 32,
};
enum { MMUEXT_PIN_DIRECTORY = 1, MMUEXT_UNPIN = 4, MMUEXT_NEW_DIRECTORY = 5 };
enum { SCHED_BLOCK = 1, SCHED_SHUTDOWN = 2 };
enum { EVENT_BIND_VIRQ = 1, EVENT_SEND = 4, EVENT_UNMASK = 9 };
#define FORGET_PAGE 2u /* with update_va_mapping */

struct shared_page {
    u8 upcall_pending, upcall_mask; /* the mask is our interrupt flag, the other way round */
    u16 unused;
    u32 selector, fault_address;
    u8 more[0x800 - 12];
    u32 pending[32], masked[32];
};
extern volatile struct shared_page shared;
extern const u32 *frame_list, *machine_frames; /* our frame → the machine's, and back */

static inline int hypercall(u32 number, u32 a, u32 b, u32 c, u32 d)
{
    int result;
    __asm__ volatile("int $0x82" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return result;
}

static inline void barrier(void) { __asm__ volatile("" : : : "memory"); }

static inline void interrupts_off(void)
{
    shared.upcall_mask = 1;
    barrier();
}

static inline void interrupts_on(void)
{
    barrier();
    shared.upcall_mask = 0;
    barrier();
    if (shared.upcall_pending)
        hypercall(HYPERCALL_VERSION, 0, 0, 0, 0);
}

static inline void wait_for_interrupt(void)
{
    hypercall(HYPERCALL_SCHED, SCHED_BLOCK, 0, 0, 0); /* unmasks events, too */
    interrupts_off();
}

static inline u32 lock_interrupts(void)
{
    u32 lock = shared.upcall_mask;
    interrupts_off();
    return lock;
}

static inline void unlock_interrupts(u32 lock)
{
    if (!lock)
        interrupts_on();
}

static inline bool interrupts_locked(void) { return shared.upcall_mask; }
static inline void handler_begins(void) {}
static inline void handler_ends(void) {}

static inline u32 read_cr0(void) { return 0x80010011; } /* as the hypervisor has set it */
static inline u32 read_cr2(void) { return shared.fault_address; }
static inline void write_cr0(u32 value) { hypercall(HYPERCALL_FPU_TASKSWITCH, value >> 3 & 1, 0, 0, 0); }

static inline u32 get_entry(const u32 *entry)
{
    return *entry & 1 ? machine_frames[*entry >> 12] << 12 | (*entry & 0xFFF) : *entry;
}

void write_cr3(u32 directory);
void set_entry(u32 *entry, u32 value);
void set_entry_soon(u32 *entry, u32 value);
void entries_flush(void);
void change_entry(u32 *entry, u32 address, u32 value);
void table_begins(u32 frame, int level);
void table_ends(u32 frame, int level);
void power_off(u8 status) __attribute__((noreturn));
void console_flush(void);

#endif
