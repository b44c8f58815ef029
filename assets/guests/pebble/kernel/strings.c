/* The few string functions that a kernel cannot do without; the compiler calls the standard ones by itself. */
#include "kernel.h"

void copy(void *to, const void *from, u32 size)
{
    u8 *target = to;
    const u8 *source = from;
    while (size--)
        *target++ = *source++;
}

void fill(void *to, u8 value, u32 size)
{
    u8 *target = to;
    while (size--)
        *target++ = value;
}

void *memcpy(void *to, const void *from, size_t size)
{
    copy(to, from, size);
    return to;
}

void *memset(void *to, int value, size_t size)
{
    fill(to, (u8)value, size);
    return to;
}

bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

u32 length(const char *text)
{
    u32 count = 0;
    while (text[count])
        count++;
    return count;
}
