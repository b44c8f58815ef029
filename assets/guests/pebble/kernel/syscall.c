/* System calls: what programs may ask for. Every address that a program gives is looked at before it is used. */
#include "../calls.h"
#include "kernel.h"

extern char command_line[];

static bool good_text(u32 address)
{
    for (u32 at = address; user_range(at, 1); at++)
        if (!*(const char *)at)
            return true;
    return false;
}

static int call_write(u32 text, u32 size)
{
    if (!user_range(text, size))
        return -1;
    for (u32 i = 0; i < size; i++)
        put(((const char *)text)[i]);
    console_flush();
    return (int)size;
}

static int call_spawn(u32 name, u32 argument)
{
    char kept_name[NAME_SIZE] = {0}, kept_argument[256] = {0};
    if (!good_text(name) || !good_text(argument))
        return -1;
    for (u32 i = 0; i < sizeof kept_name - 1 && ((const char *)name)[i]; i++)
        kept_name[i] = ((const char *)name)[i];
    for (u32 i = 0; i < sizeof kept_argument - 1 && ((const char *)argument)[i]; i++)
        kept_argument[i] = ((const char *)argument)[i];
    struct process *made = process_spawn(kept_name, kept_argument);
    return made ? made->pid : -1;
}

static int call_grow(int bytes)
{
    u32 old = current->heap_end;
    if (bytes < 0 || old + (u32)bytes > STACK_LIMIT)
        return -1;
    current->heap_end += (u32)bytes; /* the pages appear when they are touched */
    return (int)old;
}

static int call_sleep(u32 duration)
{
    u32 lock = lock_interrupts(), until = ticks + duration;
    while ((int)(until - ticks) > 0 && !current->killed)
        sleep_on((const void *)&ticks);
    unlock_interrupts(lock);
    return 0;
}

static int call_process(u32 index, u32 info)
{
    if (index >= PROCESSES || !user_range(info, sizeof(struct process_info)))
        return -1;
    const struct process *shown = &processes[index];
    struct process_info told = {shown->pid, shown->parent ? shown->parent->pid : 0, shown->state, shown->runs, {0}};
    copy(told.name, shown->name, NAME_SIZE);
    copy((void *)info, &told, sizeof told);
    return 0;
}

static int tell_name(const char *name, u32 buffer)
{
    if (!name || !user_range(buffer, 32))
        return -1;
    copy((void *)buffer, name, length(name) + 1);
    return 0;
}

static int call_file(u32 index, u32 buffer)
{
    char name[32];
    return file_name((int)index, name) ? tell_name(name, buffer) : -1;
}

static int call_module(u32 index, u32 info)
{
    const struct module *module = module_at(index);
    if (!module || !user_range(info, sizeof(struct module_info)))
        return -1;
    struct module_info told = {module->start, module->end - module->start, {0}};
    copy(told.string, module->string, length(module->string));
    copy((void *)info, &told, sizeof told);
    return 0;
}

static int call_module_read(u32 index, u32 offset, u32 block)
{
    const struct module *module = module_at(index);
    return module && user_range(block, MODULE_BLOCK) ? module_read(module, offset, (void *)block) : -1;
}

static int call_bench(u32 which, u32 count, u32 cycles)
{
    if (which >= KERNEL_BENCHES || !user_range(cycles, sizeof(u64)))
        return -1;
    *(u64 *)cycles = kernel_bench((int)which, count);
    return 0;
}

static int call_yield(void)
{
    u32 lock = lock_interrupts();
    schedule();
    unlock_interrupts(lock);
    return 0;
}

static int call_command(u32 buffer, u32 size)
{
    if (!user_range(buffer, size) || length(command_line) >= size)
        return -1;
    copy((void *)buffer, command_line, length(command_line) + 1);
    return 0;
}

void system_call(struct frame *frame)
{
    u32 a = frame->ebx, b = frame->esi, c = frame->edi;
    int result = -1, status = 0;
    switch ((enum call)frame->eax) {
    case CALL_EXIT:
        process_exit((int)a);
    case CALL_WRITE:
        result = call_write(a, b);
        break;
    case CALL_READ:
        result = user_range(a, b) ? console_read((char *)a, (int)b) : -1;
        break;
    case CALL_FORK:
        result = process_fork(frame);
        break;
    case CALL_WAIT:
        if (user_range(a, sizeof status)) {
            result = process_wait(&status);
            *(int *)a = status;
        }
        break;
    case CALL_SPAWN:
        result = call_spawn(a, b);
        break;
    case CALL_KILL:
        result = process_kill((int)a) ? 0 : -1;
        break;
    case CALL_PID:
        result = current->pid;
        break;
    case CALL_YIELD:
        result = call_yield();
        break;
    case CALL_TICKS:
        result = (int)ticks;
        break;
    case CALL_SLEEP:
        result = call_sleep(a);
        break;
    case CALL_GROW:
        result = call_grow((int)a);
        break;
    case CALL_PROCESS:
        result = call_process(a, b);
        break;
    case CALL_PROGRAM:
        result = tell_name(program_name((int)a), b);
        break;
    case CALL_FILE:
        result = call_file(a, b);
        break;
    case CALL_FILE_READ:
        result = good_text(a) && user_range(b, c) ? file_read((const char *)a, (char *)b, (int)c) : -1;
        break;
    case CALL_FILE_WRITE:
        result = good_text(a) && user_range(b, c) ? file_write((const char *)a, (const char *)b, (int)c) : -1;
        break;
    case CALL_BENCH:
        result = call_bench(a, b, c);
        break;
    case CALL_FREE:
        result = (int)frames_free();
        break;
    case CALL_COMMAND:
        result = call_command(a, b);
        break;
    case CALL_MODULE:
        result = call_module(a, b);
        break;
    case CALL_MODULE_READ:
        result = call_module_read(a, b, c);
        break;
    case CALL_HALT:
        power_off((u8)a);
        break;
    case CALLS:
        break;
    }
    frame->eax = (u32)result;
}
