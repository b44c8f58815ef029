/* See lib.h. */
#include "lib.h"

#include <stdarg.h>

#define FEATURE_SYSENTER (1u << 11)

int main(const char *argument);

__attribute__((section(".text.start"), noreturn)) void _start(void *unused, const char *argument);
/* The stack as the kernel made it: a return address that is never used, the argument. */
__asm__(".section .text.start, \"ax\"; .globl _start; _start: xorl %ebp, %ebp; pushl 4(%esp); call main; pushl %eax; call exit");

int call(enum call number, uint32_t a, uint32_t b, uint32_t c)
{
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "S"(b), "D"(c) : "memory");
    return result;
}

static int by_sysenter(enum call number, uint32_t a, uint32_t b, uint32_t c)
{
    int result;
    __asm__ volatile("pushl %%ebp; movl %%esp, %%ecx; movl $1f, %%edx; sysenter; 1: popl %%ebp"
                     : "=a"(result) : "a"(number), "b"(a), "S"(b), "D"(c) : "ecx", "edx", "memory");
    return result;
}

int fast_call(enum call number, uint32_t a, uint32_t b, uint32_t c)
{
    static int has; /* 0: not asked yet, 1: no, 2: yes */
    if (!has) {
        uint32_t eax = 1, edx;
        __asm__ volatile("cpuid" : "+a"(eax), "=d"(edx) : : "ebx", "ecx");
        has = edx & FEATURE_SYSENTER ? 2 : 1;
    }
    return has == 2 ? by_sysenter(number, a, b, c) : call(number, a, b, c);
}

void exit(int status)
{
    call(CALL_EXIT, (uint32_t)status, 0, 0);
    __builtin_unreachable();
}

int fork(void) { return call(CALL_FORK, 0, 0, 0); }
int wait(int *status) { return call(CALL_WAIT, (uint32_t)status, 0, 0); }
int spawn(const char *name, const char *argument) { return call(CALL_SPAWN, (uint32_t)name, (uint32_t)argument, 0); }
int pid(void) { return call(CALL_PID, 0, 0, 0); }

void *grow(uint32_t bytes)
{
    int old = call(CALL_GROW, bytes, 0, 0);
    return old == -1 ? 0 : (void *)old;
}

const char *module_name(char *string)
{
    const char *name = string;
    for (; *string && *string != ' '; string++)
        if (*string == '/')
            name = string + 1;
    *string = 0;
    return name;
}

uint32_t length(const char *text)
{
    uint32_t count = 0;
    while (text[count])
        count++;
    return count;
}

bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

int number(const char *text)
{
    int value = 0;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + *text++ - '0';
    return value;
}

/* A line is put together here and written at once, so that lines of different programs do not mix. */
static char line[256];
static uint32_t filled;

static void flush(void)
{
    call(CALL_WRITE, (uint32_t)line, filled, 0);
    filled = 0;
}

static void put(char c)
{
    line[filled++] = c;
    if (c == '\n' || filled == sizeof line)
        flush();
}

static void put_number(uint32_t value, uint32_t base, int width)
{
    char digits[11];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (width-- > count)
        put(' ');
    while (count)
        put(digits[--count]);
}

void print(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    for (; *format; format++) {
        int width = 0;
        if (*format != '%') {
            put(*format);
            continue;
        }
        while (*++format >= '0' && *format <= '9')
            width = width * 10 + *format - '0';
        if (*format == 's') {
            const char *text = va_arg(list, const char *);
            for (; *text; width--)
                put(*text++);
            while (width-- > 0)
                put(' ');
        } else if (*format == 'd') {
            int value = va_arg(list, int);
            if (value < 0)
                put('-');
            put_number(value < 0 ? -(uint32_t)value : (uint32_t)value, 10, width);
        } else {
            put_number(va_arg(list, uint32_t), *format == 'x' ? 16 : 10, width);
        }
    }
    va_end(list);
    if (filled)
        flush();
}

void *memcpy(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *to, int value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((char *)to)[i] = (char)value;
    return to;
}
