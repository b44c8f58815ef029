/* What programs have: system calls, a little printing, and strings. */
#ifndef LIB_H
#define LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../calls.h"

int call(enum call number, uint32_t a, uint32_t b, uint32_t c);          /* by INT 0x80 */
int fast_call(enum call number, uint32_t a, uint32_t b, uint32_t c);     /* by SYSENTER, if the CPU has it */

void exit(int status) __attribute__((noreturn));
int fork(void);
int wait(int *status);
int spawn(const char *name, const char *argument);
int pid(void);
const char *module_name(char *string);                                   /* its first word, without folders; cuts */
void *grow(uint32_t bytes);                                              /* new zeroed memory, or 0 */

void print(const char *format, ...);                                     /* %s %d %u %x, with widths */
int number(const char *text);
bool same(const char *a, const char *b);
uint32_t length(const char *text);

static inline uint64_t timestamp(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

#endif
