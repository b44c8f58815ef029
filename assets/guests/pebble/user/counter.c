/* Counts aloud, sleeping in between: mostly idle, as most machines are. */
#include "lib.h"

int main(const char *argument)
{
    int rounds = argument[0] ? number(argument) : 5;
    for (int i = 1; i <= rounds; i++) {
        print("counter: %d\n", i);
        call(CALL_SLEEP, 2, 0, 0);
    }
    return 0;
}
