/* Does what it must not, as the argument says: the kernel ends it with a message. */
#include "lib.h"

int main(const char *argument)
{
    volatile int one = 1, zero = 0;
    if (same(argument, "divide"))
        return one / zero;
    if (same(argument, "write"))
        *(volatile int *)0x100000 = 1; /* the kernel's own memory */
    if (same(argument, "privileged"))
        __asm__ volatile("cli");
    if (same(argument, "port"))
        __asm__ volatile("outb %%al, $0xF4" : : "a"(99));
    if (same(argument, "invalid"))
        __asm__ volatile("ud2");
    *(volatile int *)0x60000000 = 1; /* nothing is there */
    return 0;
}
