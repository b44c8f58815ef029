/* Computes for ever and never gives the CPU up: the timer must take it. With an argument, for so many rounds. */
#include "lib.h"

int main(const char *argument)
{
    volatile uint32_t sum = 0;
    uint32_t rounds = (uint32_t)number(argument);
    for (uint32_t round = 0; !rounds || round < rounds; round++)
        for (uint32_t i = 0; i < 1000; i++)
            sum += i;
    print("greedy: done\n");
    return 0;
}
