/* What the parts of the kernel offer each other, part by part. */
#ifndef KERNEL_H
#define KERNEL_H

#include "cpu.h"
#include "layout.h"
#include "types.h"

/* --- console.c: what people see, on the serial port and on the screen */
void console_init(void);
void put(char c);
void print(const char *format, ...);                 /* %s %c %d %u %x %p; %08x pads */
void panic(const char *format, ...) __attribute__((noreturn));
void console_input(char c);                          /* from an interrupt handler: a key was typed */
int console_read(char *line, int size);              /* waits for a line; gives its length with the newline */

/* --- segments.c: GDT, TSS */
void segments_init(void);
void enter_space(u32 directory, u32 stack);          /* and where the CPU switches to when it leaves ring 3 */

/* --- idt.c, traps.c: IDT and what comes through it */
struct frame {                                       /* as traps.S leaves it on the kernel's stack */
    u32 edi, esi, ebp, unused, ebx, edx, ecx, eax;
    u32 ds, es;
    u32 vector, error;
    u32 eip, cs, eflags, esp, ss;
};
void traps_init(void);
void trap(struct frame *frame);
void show_frame(const struct frame *frame);

/* --- timer.c: interrupt controllers and the tick */
extern volatile u32 ticks;
void timer_init(void);
void enable_irq(int irq);
void end_irq(int irq);

/* --- memory.c: frames, page tables, copy on write */
extern u32 kernel_directory;
void memory_init(u32 bytes);
u32 frame_alloc(void);                               /* a zeroed frame, or 0 */
void frame_share(u32 frame);
void frame_free(u32 frame);
u32 frames_free(void);
u32 space_new(void);                                 /* a directory with only the kernel in it, or 0 */
u32 space_copy(u32 directory);                       /* for fork: every page shared, written ones copied later */
void space_free(u32 directory);
u32 *page_entry(u32 directory, u32 address, bool make);
bool page_map(u32 directory, u32 address, u32 frame, u32 flags);
bool page_fault(u32 address, u32 error);             /* true if the access may be tried again */
bool user_range(u32 address, u32 size);              /* may the present process give this to a system call? */

#define PAGE_PRESENT 1u
#define PAGE_WRITE 2u
#define PAGE_USER 4u
#define PAGE_COPY 0x200u                             /* ours: shared, to be copied when written */
#define FAULT_PRESENT 1u
#define FAULT_WRITE 2u
#define FAULT_USER 4u

/* --- process.c: processes and who runs */
enum state { UNUSED, READY, RUNNING, SLEEPING, ZOMBIE };
#define PROCESSES 32
#define NAME_SIZE 16

struct process {
    int pid;
    enum state state;
    const void *waits_for;                           /* what a sleeping process will be woken by */
    struct process *parent;
    u32 directory;                                   /* its address space; what CR3 holds while it runs */
    u32 kernel_stack;                                /* the page of its kernel stack */
    u32 saved_esp;                                   /* where switch_stacks left it */
    struct frame *frame;                             /* its registers in ring 3, on its kernel stack */
    u32 heap_start, heap_end;
    int status;
    bool killed;
    u32 runs;                                        /* how often it was given the CPU */
    char name[NAME_SIZE];
};
extern struct process processes[PROCESSES];
extern struct process *current;
void processes_init(void);
struct process *process_spawn(const char *name, const char *argument);
int process_fork(struct frame *frame);
int process_wait(int *status);
void process_exit(int status) __attribute__((noreturn));
bool process_kill(int pid);
void schedule(void);                                 /* let another run; interrupts are locked */
void sleep_on(const void *what);                     /* interrupts are locked */
void wake(const void *what);
void idle(void) __attribute__((noreturn));

/* --- modules.c: files that the boot loader has put into memory */
struct module {                                      /* as the boot loader tells of it */
    u32 start, end;
    const char *string;
    u32 reserved;
};
void modules_init(u32 count, const struct module *list);
const struct module *module_at(u32 index);           /* 0 after the last */
int module_read(const struct module *module, u32 offset, void *block);

/* --- programs.c: the programs that are built into the kernel */
bool program_load(const char *name, u32 directory, u32 *entry, u32 *end);
const char *program_name(int index);                 /* 0 after the last */

/* --- syscall.c */
void system_call(struct frame *frame);

#ifdef PEBBLE_PV
/* --- pv.c */
u32 first_directory(void);
int next_event(void);                                /* the interrupt that an event stands for, or -1 */
#endif

/* --- devices */
void keyboard_init(void);
void keyboard_interrupt(void);
void serial_init(void);
void serial_put(char c);
void serial_listen(void);
void serial_interrupt(void);
bool disk_init(void);
bool disk_read(u32 sector, void *data);
bool disk_write(u32 sector, const void *data);
u32 disk_sectors(void);

/* --- files.c */
void files_init(void);
int file_read(const char *name, char *data, int size);
int file_write(const char *name, const char *data, int size);
bool file_name(int index, char *name);

/* --- bench.c */
u64 kernel_bench(int which, u32 count);
extern const u32 bench_divide[], bench_divided[];

/* --- strings */
void copy(void *to, const void *from, u32 size);
void fill(void *to, u8 value, u32 size);
bool same(const char *a, const char *b);
u32 length(const char *text);

#endif
