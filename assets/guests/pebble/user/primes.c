/* Counts primes with a sieve: computing and memory, hardly a system call. */
#include "lib.h"

int main(const char *argument)
{
    uint32_t limit = argument[0] ? (uint32_t)number(argument) : 100000, found = 0;
    uint8_t *crossed = grow(limit + 1);
    if (!crossed)
        return 1;
    for (uint32_t i = 2; i <= limit; i++) {
        if (crossed[i])
            continue;
        found++;
        for (uint32_t multiple = i * 2; multiple <= limit; multiple += i)
            crossed[multiple] = 1;
    }
    print("primes: %u up to %u\n", found, limit);
    return 0;
}
