/* What is different under a hypervisor: starting, traps, page tables, the tick, and the drivers over rings.
 *
 * It stands in the place of segments.c, idt.c, timer.c, serial.c, keyboard.c and disk.c. */
#include "kernel.h"
#include "rings.h"

#define NANOSECONDS_A_STAMP 10
#define NANOSECONDS_A_TICK (1000000000u / TICKS_A_SECOND)
#define VIRQ_TIMER 0
#define TRAP_MASKS 4 /* a trap's flag: with events masked */
#define EXCEPTIONS 20
#define STUB_BYTES 16
#define QUEUE 64

struct start_page {
    char magic[32];
    u32 pages, shared_frame, directory, table_pages, frame_list, machine_frames;
    u32 console_ring, console_channel, disk_ring, disk_channel, disk_sectors;
};

struct trap_entry {
    u8 vector, flags;
    u16 selector;
    u32 address;
};

struct update {
    u32 at, at_high, value, value_high;
};

struct call {
    u32 number, result, arguments[6];
};

struct extended {
    u32 command, argument, unused;
};

extern const u8 stubs[], upcall[];

const struct start_page *start_page = (void *)1; /* boot.S puts it here; not zero, so that it is not cleared */
volatile struct shared_page shared __attribute__((aligned(4096)));
const u32 *frame_list, *machine_frames;
volatile u32 ticks;

static void must(int result, const char *what)
{
    if (result < 0)
        panic("the hypervisor has refused %s (%d)", what, result);
}

/* --- starting */

static u32 to_machine(u32 address) { return frame_list[address / PAGE_SIZE] * PAGE_SIZE | address % PAGE_SIZE; }

/* The first thing that the kernel does: see the shared page, and the rings. */
void serial_init(void)
{
    const struct start_page *start = start_page;
    frame_list = (const u32 *)start->frame_list;
    machine_frames = (const u32 *)start->machine_frames;
    rings_init((void *)start->console_ring, (void *)start->disk_ring);
    must(hypercall(HYPERCALL_UPDATE_VA_MAPPING, (u32)&shared,
                   start->shared_frame * PAGE_SIZE | PAGE_PRESENT | PAGE_WRITE, FORGET_PAGE, 0), "the shared page");
}

void segments_init(void)
{
    must(hypercall(HYPERCALL_SET_CALLBACKS, KERNEL_CODE, (u32)upcall, KERNEL_CODE, (u32)upcall), "the upcall");
}

void traps_init(void)
{
    static struct trap_entry table[EXCEPTIONS + 2];
    for (u32 vector = 0; vector < EXCEPTIONS; vector++)
        table[vector] = (struct trap_entry){(u8)vector, TRAP_MASKS, KERNEL_CODE, (u32)stubs + vector * STUB_BYTES};
    table[EXCEPTIONS] = (struct trap_entry){VECTOR_SYSTEM_CALL, 3, KERNEL_CODE,
                                            (u32)stubs + VECTOR_SYSTEM_CALL * STUB_BYTES};
    must(hypercall(HYPERCALL_SET_TRAP_TABLE, (u32)table, 0, 0, 0), "the trap table");
}

void power_off(u8 status)
{
    u32 how[2] = {0, status};
    console_flush();
    for (;;)
        hypercall(HYPERCALL_SCHED, SCHED_SHUTDOWN, (u32)how, 0, 0);
}

/* --- page tables */

static struct update queue[QUEUE];
static u32 queued;

u32 first_directory(void) { return start_page->directory; }

void entries_flush(void)
{
    u32 count = queued;
    queued = 0;
    if (count)
        must(hypercall(HYPERCALL_MMU_UPDATE, (u32)queue, count, 0, 0), "page-table entries");
}

void set_entry_soon(u32 *entry, u32 value)
{
    if (queued == QUEUE)
        entries_flush();
    queue[queued++] = (struct update){to_machine((u32)entry), 0, value & PAGE_PRESENT ? to_machine(value) : value, 0};
}

void set_entry(u32 *entry, u32 value)
{
    set_entry_soon(entry, value);
    entries_flush();
}

void change_entry(u32 *entry, u32 address, u32 value)
{
    (void)entry;
    must(hypercall(HYPERCALL_UPDATE_VA_MAPPING, address, to_machine(value), FORGET_PAGE, 0), "an entry");
}

static struct call show(u32 frame, u32 flags)
{
    return (struct call){HYPERCALL_UPDATE_VA_MAPPING, 0, {frame, to_machine(frame) | flags, FORGET_PAGE}};
}

static struct call extend(struct extended *extended)
{
    return (struct call){HYPERCALL_MMUEXT, 0, {(u32)extended, 1, 0}};
}

static void both(struct call first, struct call second, const char *what)
{
    struct call calls[2] = {first, second};
    must(hypercall(HYPERCALL_MULTICALL, (u32)calls, 2, 0, 0), what);
    must((int)calls[0].result, what);
    must((int)calls[1].result, what);
}

/* A table must be read-only to us before it can be one; a directory is pinned, or it would be checked at each switch. */
void table_begins(u32 frame, int level)
{
    struct extended pin = {MMUEXT_PIN_DIRECTORY, to_machine(frame) / PAGE_SIZE, 0};
    if (level == 2)
        both(show(frame, PAGE_PRESENT), extend(&pin), "a page directory");
    else
        must(hypercall(HYPERCALL_UPDATE_VA_MAPPING, frame, to_machine(frame) | PAGE_PRESENT, FORGET_PAGE, 0),
             "a page table");
}

void table_ends(u32 frame, int level)
{
    struct extended unpin = {MMUEXT_UNPIN, to_machine(frame) / PAGE_SIZE, 0};
    u32 flags = PAGE_PRESENT | PAGE_WRITE;
    if (level == 2)
        both(extend(&unpin), show(frame, flags), "the end of a page directory");
    else
        must(hypercall(HYPERCALL_UPDATE_VA_MAPPING, frame, to_machine(frame) | flags, FORGET_PAGE, 0),
             "the end of a page table");
}

void write_cr3(u32 directory)
{
    struct extended load = {MMUEXT_NEW_DIRECTORY, to_machine(directory) / PAGE_SIZE, 0};
    must(hypercall(HYPERCALL_MMUEXT, (u32)&load, 1, 0, 0), "an address space");
}

void enter_space(u32 directory, u32 stack)
{
    struct extended load = {MMUEXT_NEW_DIRECTORY, to_machine(directory) / PAGE_SIZE, 0};
    struct call stack_switch = {HYPERCALL_STACK_SWITCH, 0, {KERNEL_DATA, stack}};
    both(stack_switch, extend(&load), "an address space");
}

/* --- events */

static u32 timer_channel;
static u64 next_tick;

/* A channel is one bit; it must not be lost if the hypervisor sets another one meanwhile. */
static bool take(u32 channel)
{
    u32 bit = 1u << channel;
    if (!(shared.pending[0] & bit))
        return false;
    __asm__ volatile("andl %1, %0" : "+m"(shared.pending[0]) : "r"(~bit) : "cc");
    return true;
}

int next_event(void)
{
    shared.upcall_pending = 0;
    shared.selector = 0;
    if (take(start_page->console_channel))
        return IRQ_SERIAL;
    return take(timer_channel) ? IRQ_TIMER : -1;
}

static void unmask(u32 channel) { must(hypercall(HYPERCALL_EVENT_CHANNEL, EVENT_UNMASK, (u32)&channel, 0, 0), "events"); }

static void set_tick(void)
{
    next_tick += NANOSECONDS_A_TICK;
    must(hypercall(HYPERCALL_SET_TIMER, (u32)next_tick, (u32)(next_tick >> 32), 0, 0), "the timer");
}

void timer_init(void)
{
    u32 bind[3] = {VIRQ_TIMER, 0, 0};
    must(hypercall(HYPERCALL_EVENT_CHANNEL, EVENT_BIND_VIRQ, (u32)bind, 0, 0), "the timer's events");
    timer_channel = bind[2];
    unmask(timer_channel);
    next_tick = timestamp() * NANOSECONDS_A_STAMP;
    set_tick();
}

void enable_irq(int irq) { (void)irq; }

void end_irq(int irq)
{
    if (irq == IRQ_TIMER)
        set_tick();
}

/* --- drivers */

void ring_notify(enum ring ring)
{
    u32 channel = ring == RING_CONSOLE ? start_page->console_channel : start_page->disk_channel;
    must(hypercall(HYPERCALL_EVENT_CHANNEL, EVENT_SEND, (u32)&channel, 0, 0), "a notice");
}

u32 ring_frame(const void *page) { return to_machine((u32)page) / PAGE_SIZE; }

void serial_put(char c) { ring_put(c); }
void console_flush(void) { ring_flush(); }
void serial_listen(void) { unmask(start_page->console_channel); }
void serial_interrupt(void) { ring_receive(); }

void keyboard_init(void) {} /* there is none */
void keyboard_interrupt(void) {}

bool disk_init(void) { return start_page->disk_sectors != 0; }
u32 disk_sectors(void) { return start_page->disk_sectors; }
bool disk_read(u32 sector, void *data) { return ring_disk(0, sector, data); }
bool disk_write(u32 sector, const void *data) { return ring_disk(1, sector, (void *)data); }
