/* Processes: making them, letting them wait, and taking turns. Every switch happens with interrupts locked once. */
#include "kernel.h"

#define USER_FLAGS 0x202 /* interrupts on */

extern void switch_stacks(u32 *save, u32 load);
extern void leave(void);

struct process processes[PROCESSES];
struct process *current;
static u32 idle_esp; /* the stack of `idle`, which is nobody's */
static int next_pid = 1;

#ifdef PEBBLE_CLEAN
int lock_depth = 1; /* the machine starts with interrupts off */
#endif

static void assert_locked(void)
{
    if (!interrupts_locked())
        panic("interrupts are on where the kernel has turned them off");
}

/* --- taking turns */

/* The next process that is ready, after the one that ran last. */
static struct process *pick(void)
{
    static u32 last;
    for (u32 step = 1; step <= PROCESSES; step++) {
        u32 index = (last + step) % PROCESSES;
        if (processes[index].state == READY) {
            last = index;
            return &processes[index];
        }
    }
    return 0;
}

static void run(struct process *next, u32 *save)
{
    current = next;
    next->state = RUNNING;
    next->runs++;
    enter_space(next->directory, next->kernel_stack + PAGE_SIZE);
    switch_stacks(save, next->saved_esp);
}

void schedule(void)
{
    struct process *old = current;
    assert_locked();
    if (old->state == RUNNING)
        old->state = READY;
    struct process *next = pick();
    if (next == old) {
        old->state = RUNNING;
        return;
    }
    if (next) {
        run(next, &old->saved_esp);
    } else {
        current = 0;
        write_cr3(kernel_directory);
        switch_stacks(&old->saved_esp, idle_esp);
    }
}

/* Nobody is ready: sleep until an interrupt makes somebody so. */
void idle(void)
{
    assert_locked();
    for (;;) {
        struct process *next = pick();
        if (next)
            run(next, &idle_esp);
        else
#ifdef PEBBLE_CLEAN
        {
            lock_depth = 0;
            wait_for_interrupt();
            lock_depth = 1;
        }
#else
            wait_for_interrupt();
#endif
    }
}

void sleep_on(const void *what)
{
    assert_locked();
    current->waits_for = what;
    current->state = SLEEPING;
    schedule();
    current->waits_for = 0;
}

void wake(const void *what)
{
    for (int i = 0; i < PROCESSES; i++)
        if (processes[i].state == SLEEPING && processes[i].waits_for == what)
            processes[i].state = READY;
}

/* --- making and ending */

/* Where a new process begins: in the kernel, with interrupts locked by whoever switched to it. */
static void first_steps(void)
{
#ifdef PEBBLE_CLEAN
    lock_depth = 0;
#endif
}

static void begin(void)
{
    first_steps();
    __asm__ volatile("movl %0, %%esp; jmp leave" : : "r"(current->frame));
    __builtin_unreachable();
}

/* A free slot, with a kernel stack that will come to `begin` when it is switched to. */
static struct process *process_new(const char *name)
{
    u32 lock = lock_interrupts();
    struct process *made = 0;
    for (int i = 0; i < PROCESSES && !made; i++)
        if (processes[i].state == UNUSED)
            made = &processes[i];
    if (made) {
        fill(made, 0, sizeof *made);
        made->kernel_stack = frame_alloc();
        if (!made->kernel_stack) {
            made = 0;
        } else {
            made->state = SLEEPING; /* taken, and woken by nobody */
            made->pid = next_pid++;
            made->parent = current;
            copy(made->name, name, length(name) < NAME_SIZE ? length(name) : NAME_SIZE - 1);
            u32 top = made->kernel_stack + PAGE_SIZE;
            made->frame = (struct frame *)(top - sizeof(struct frame));
            u32 *stack = (u32 *)made->frame - 5; /* EDI, ESI, EBX, EBP, return address */
            stack[4] = (u32)begin;
            made->saved_esp = (u32)stack;
        }
    }
    unlock_interrupts(lock);
    return made;
}

static void process_drop(struct process *dropped)
{
    u32 lock = lock_interrupts();
    if (dropped->directory)
        space_free(dropped->directory);
    frame_free(dropped->kernel_stack);
    dropped->state = UNUSED;
    unlock_interrupts(lock);
}

/* The argument goes to the top of the new stack: main(const char *argument). */
static bool give_argument(struct process *made, const char *argument)
{
    u32 frame = frame_alloc(), size = length(argument) + 1;
    if (!frame || !page_map(made->directory, STACK_TOP - PAGE_SIZE, frame, PAGE_WRITE | PAGE_USER))
        return false;
    if (size > 256)
        return false;
    u32 at = PAGE_SIZE - 256;
    copy((void *)(frame + at), argument, size);
    ((u32 *)(frame + at))[-1] = STACK_TOP - PAGE_SIZE + at; /* the argument of main */
    made->frame->esp = STACK_TOP - PAGE_SIZE + at - 8;      /* below it, a return address that is never used */
    return true;
}

struct process *process_spawn(const char *name, const char *argument)
{
    u32 entry, end;
    struct process *made = process_new(name);
    if (!made)
        return 0;
    made->directory = space_new();
    if (!made->directory || !program_load(name, made->directory, &entry, &end) || !give_argument(made, argument)) {
        process_drop(made);
        return 0;
    }
    made->heap_start = made->heap_end = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    struct frame *frame = made->frame;
    frame->eip = entry;
    frame->cs = USER_CODE;
    frame->ss = frame->ds = frame->es = USER_DATA;
    frame->eflags = USER_FLAGS;
    made->state = READY;
    return made;
}

/* The child is a copy that returns 0; the parent gets the child's number. */
int process_fork(struct frame *frame)
{
    struct process *made = process_new(current->name);
    if (!made)
        return -1;
    u32 lock = lock_interrupts();
    made->directory = space_copy(current->directory);
    unlock_interrupts(lock);
    if (!made->directory) {
        process_drop(made);
        return -1;
    }
    made->heap_start = current->heap_start;
    made->heap_end = current->heap_end;
    *made->frame = *frame;
    made->frame->eax = 0;
    made->state = READY;
    return made->pid;
}

/* Wait for any child to end: its number, or -1 if there is none. */
int process_wait(int *status)
{
    u32 lock = lock_interrupts();
    for (;;) {
        bool any = false;
        for (int i = 0; i < PROCESSES; i++) {
            struct process *child = &processes[i];
            if (child->state == UNUSED || child->parent != current)
                continue;
            any = true;
            if (child->state == ZOMBIE) {
                int pid = child->pid;
                *status = child->status;
                process_drop(child);
                unlock_interrupts(lock);
                return pid;
            }
        }
        if (!any || current->killed) {
            unlock_interrupts(lock);
            return -1;
        }
        sleep_on(current);
    }
}

/* What is left is a zombie that tells its status to its parent; orphans are the first process's. */
void process_exit(int status)
{
    lock_interrupts();
    if (current->pid == 1)
        panic("the first process has ended with status %d", status);
    for (int i = 0; i < PROCESSES; i++)
        if (processes[i].state != UNUSED && processes[i].parent == current) {
            processes[i].parent = &processes[0];
            wake(&processes[0]);
        }
    current->status = status;
    current->state = ZOMBIE;
    wake(current->parent);
    schedule();
    panic("a process has come back from its end");
}

bool process_kill(int pid)
{
    u32 lock = lock_interrupts();
    bool found = false;
    for (int i = 0; i < PROCESSES; i++) {
        struct process *victim = &processes[i];
        if (victim->state == UNUSED || victim->state == ZOMBIE || victim->pid != pid || pid == 1)
            continue;
        victim->killed = found = true;
        if (victim->state == SLEEPING)
            victim->state = READY; /* it will notice on its way back to ring 3 */
    }
    unlock_interrupts(lock);
    return found;
}
