/* Nanobenchmarks of the kernel's own: five of the seven of Adams & Agesen (2006); programs measure the other two. */
#include "../calls.h"
#include "kernel.h"

static __attribute__((noinline)) void nothing(void) { __asm__ volatile(""); }

static void divide_by_zero(void)
{
    __asm__ volatile("xorl %%edx, %%edx; xorl %%ecx, %%ecx; movl $1, %%eax\n"
                     ".globl bench_divide, bench_divided\n"
                     "bench_divide: divl %%ecx\n"
                     "bench_divided:" : : : "eax", "ecx", "edx", "cc");
}

/* Change an entry of the kernel's own page table: a page that nobody uses for anything else. */
static void modify_entry(u32 round)
{
    static u8 page[PAGE_SIZE] __attribute__((aligned(4096)));
    u32 *entry = page_entry(current->directory, (u32)page, false);
    set_entry(entry, (get_entry(entry) & ~0xE00u) | (round & 7) << 9); /* bits that the CPU leaves to us */
}

/* Cycles for `count` rounds. */
u64 kernel_bench(int which, u32 count)
{
    u64 start = timestamp();
    for (u32 round = 0; round < count; round++) {
        switch ((enum bench)which) {
        case BENCH_IN:
            in8(PORT_DELAY);
            break;
        case BENCH_CRWR:
            write_cr0(read_cr0());
            break;
        case BENCH_CALLRET:
            nothing();
            break;
        case BENCH_DIVZERO:
            divide_by_zero();
            break;
        case BENCH_PTEMOD:
            modify_entry(round);
            break;
        case KERNEL_BENCHES:
            break;
        }
    }
    return timestamp() - start;
}
