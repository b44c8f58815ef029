/* The kernel begins: look at what the boot loader says, bring up each part, start the first process. */
#include "kernel.h"
#include "lab.h"

#define MULTIBOOT_LOADED 0x2BADB002
#define HAS_MEMORY (1u << 0)
#define HAS_COMMAND (1u << 2)
#define HAS_MODULES (1u << 3)
#define MEBIBYTE 0x100000u

struct multiboot {
    u32 flags, lower, upper, boot_device, command_line, modules;
    const struct module *module_list;
};

char command_line[256];

/* Without the program's own name, which boot loaders put first. */
static void keep_command_line(const char *given)
{
    while (*given && *given != ' ')
        given++;
    while (*given == ' ')
        given++;
    if (length(given) >= sizeof command_line)
        panic("the command line has %u characters, more than %u", length(given), sizeof command_line - 1);
    copy(command_line, given, length(given) + 1);
}

void kernel_main(u32 magic, const struct multiboot *boot)
{
    console_init();
    if (magic != MULTIBOOT_LOADED || !(boot->flags & HAS_MEMORY))
        panic("Pebble wants to be started by a multiboot loader");
    u32 memory = boot->upper * 1024 + MEBIBYTE;
    if (boot->flags & HAS_COMMAND)
        keep_command_line((const char *)boot->command_line);
#ifndef PEBBLE_PV /* there the rings are all there is */
    lab_init(command_line);
#endif
    if (boot->flags & HAS_MODULES)
        modules_init(boot->modules, boot->module_list);
    segments_init();
    traps_init();
    memory_init(memory);
    print("Pebble: %u KiB free\n", frames_free() * PAGE_SIZE / 1024);
    timer_init();
    keyboard_init();
    serial_listen();
    files_init();
    if (!process_spawn("init", ""))
        panic("there is no first process");
    idle();
}
