/* The smallest program: one line, by each of the two ways into the kernel. */
#include "lib.h"

int main(const char *argument)
{
    static const char fast[] = "hello by SYSENTER, or by INT 0x80 where there is none\n";
    print("hello by INT 0x80, %s\n", argument[0] ? argument : "world");
    fast_call(CALL_WRITE, (uint32_t)fast, sizeof fast - 1, 0);
    return 0;
}
