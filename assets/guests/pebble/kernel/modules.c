/* Modules: files that the boot loader has put into memory, each with a string. */
#include "../calls.h"
#include "kernel.h"

#define MODULES 8

static struct module modules[MODULES];
static char strings[MODULES][MODULE_STRING];
static u32 module_count;

/* The loader's list lies in memory that will be given away: keep a copy. */
void modules_init(u32 count, const struct module *list)
{
    if (count > MODULES)
        panic("%u modules are more than %u", count, MODULES);
    for (; module_count < count; module_count++, list++) {
        char *kept = strings[module_count];
        u32 size = length(list->string);
        copy(kept, list->string, size < MODULE_STRING ? size : MODULE_STRING - 1);
        modules[module_count] = (struct module){list->start, list->end, kept, 0};
    }
}

const struct module *module_at(u32 index) { return index < module_count ? &modules[index] : 0; }

/* Up to a block of bytes from `offset` on; how many. */
int module_read(const struct module *module, u32 offset, void *block)
{
    u32 size = module->end - module->start, left = offset < size ? size - offset : 0;
    u32 part = left < MODULE_BLOCK ? left : MODULE_BLOCK;
    copy(block, (const u8 *)module->start + offset, part);
    return (int)part;
}
