/* The seven nanobenchmarks of Adams & Agesen (ASPLOS 2006): rounds, cycles of the time-stamp counter, cycles a round. */
#include "lib.h"

#define ROUNDS 1000
#define PAGE 4096

static uint64_t bench_syscall(void)
{
    uint64_t start = timestamp();
    for (int i = 0; i < ROUNDS; i++)
        pid();
    return timestamp() - start;
}

static uint64_t bench_page_fault(void)
{
    volatile char *memory = grow(ROUNDS * PAGE);
    uint64_t start = timestamp();
    for (int i = 0; i < ROUNDS; i++)
        memory[i * PAGE] = 1;
    return timestamp() - start;
}

static uint64_t bench_kernel(enum bench which)
{
    uint64_t cycles = 0;
    call(CALL_BENCH, which, ROUNDS, (uint32_t)&cycles);
    return cycles;
}

static void report(const char *name, uint64_t cycles)
{
    print("bench %s: %d rounds, %u cycles, %u a round\n", name, ROUNDS, (uint32_t)cycles, (uint32_t)cycles / ROUNDS);
}

int main(const char *argument)
{
    bool all = !argument[0];
    if (all || same(argument, "syscall"))
        report("syscall", bench_syscall());
    if (all || same(argument, "in"))
        report("in", bench_kernel(BENCH_IN));
    if (all || same(argument, "crwr"))
        report("crwr", bench_kernel(BENCH_CRWR));
    if (all || same(argument, "callret"))
        report("callret", bench_kernel(BENCH_CALLRET));
    if (all || same(argument, "pgfault"))
        report("pgfault", bench_page_fault());
    if (all || same(argument, "divzero"))
        report("divzero", bench_kernel(BENCH_DIVZERO));
    if (all || same(argument, "ptemod"))
        report("ptemod", bench_kernel(BENCH_PTEMOD));
    return 0;
}
