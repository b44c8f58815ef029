/* System calls, for the kernel and the programs alike: number in EAX, arguments in EBX, ESI, EDI, result in EAX. */
#ifndef CALLS_H
#define CALLS_H

enum call {
    CALL_EXIT,      /* (status) */
    CALL_WRITE,     /* (text, size): to the console */
    CALL_READ,      /* (buffer, size): a line from the console */
    CALL_FORK,      /* (): 0 to the child, its number to the parent */
    CALL_WAIT,      /* (int *status): number of a child that ended, or -1 */
    CALL_SPAWN,     /* (name, argument): number of a new process, or -1 */
    CALL_KILL,      /* (pid) */
    CALL_PID,       /* () */
    CALL_YIELD,     /* () */
    CALL_TICKS,     /* (): hundredths of a second since boot */
    CALL_SLEEP,     /* (ticks) */
    CALL_GROW,      /* (bytes): the old end of the heap, or -1 */
    CALL_PROCESS,   /* (index, struct process_info *): 0, or -1 after the last */
    CALL_PROGRAM,   /* (index, name): 0, or -1 after the last */
    CALL_FILE,      /* (index, name): 0, or -1 after the last */
    CALL_FILE_READ, /* (name, buffer, size): bytes read, or -1 */
    CALL_FILE_WRITE,/* (name, data, size): bytes written, or -1 */
    CALL_BENCH,     /* (which, count, cycles): measures inside the kernel */
    CALL_FREE,      /* (): free frames */
    CALL_COMMAND,   /* (buffer, size): the kernel's command line */
    CALL_MODULE,    /* (index, struct module_info *): 0, or -1 after the last */
    CALL_MODULE_READ, /* (index, offset, block): bytes read, 0 at the end, -1 if there is no such module */
    CALL_HALT,      /* (status): end the machine */
    CALLS
};

struct process_info {
    int pid, parent, state;
    unsigned runs;
    char name[16];
};

#define MODULE_STRING 64
#define MODULE_BLOCK 512

struct module_info {
    unsigned start, size;
    char string[MODULE_STRING];
};

enum bench { BENCH_IN, BENCH_CRWR, BENCH_CALLRET, BENCH_DIVZERO, BENCH_PTEMOD, KERNEL_BENCHES };

#endif
