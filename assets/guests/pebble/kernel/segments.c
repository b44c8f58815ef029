/* Segments: two flat ones for the kernel, two for programs, and the one TSS, which names the kernel's stack. */
#include "kernel.h"

struct task_state {
    u32 link, esp0, ss0, unused[22];
    u16 trap, io_bitmap;
} __attribute__((packed));

struct task_state task;
static u64 gdt[6];

/* A flat segment of 4 GiB; `kind` is 0xA for code, 2 for data. The CPU sets the accessed bit when it is loaded. */
static u64 flat(u32 kind, u32 ring) { return 0x00CF00000000FFFFull | (u64)(0x90 | ring << 5 | kind) << 40; }

static void load_segments(void)
{
    __asm__ volatile("pushl %0; pushl $1f; lret; 1:\n"
                     "movw %1, %%ax; movw %%ax, %%ds; movw %%ax, %%es; movw %%ax, %%fs; movw %%ax, %%gs\n"
                     "movw %%ax, %%ss"
                     : : "i"(KERNEL_CODE), "i"(KERNEL_DATA) : "eax", "memory");
}

void segments_init(void)
{
    u32 base = (u32)&task, limit = sizeof task - 1;
    gdt[1] = flat(0xA, 0);
    gdt[2] = flat(0x2, 0);
    gdt[3] = flat(0xA, 3);
    gdt[4] = flat(0x2, 3);
    gdt[5] = limit | (u64)(base & 0xFFFFFF) << 16 | (u64)0x89 << 40 | (u64)(base >> 24) << 56;
    struct table_register table = {sizeof gdt - 1, (u32)gdt};
    load_gdt(&table);
    load_segments();
    task.ss0 = KERNEL_DATA;
    task.io_bitmap = sizeof task; /* beyond the limit: programs may touch no port */
    load_task(TASK_STATE);
}

/* Another address space, and the stack on which its process enters the kernel. */
void enter_space(u32 directory, u32 stack)
{
    task.esp0 = stack;
    write_cr3(directory);
}
