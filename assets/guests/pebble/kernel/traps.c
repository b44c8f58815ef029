/* Traps: what to do about each exception, interrupt and system call. */
#include "kernel.h"

static const char *const names[] = {
    "divide error", "debug", "NMI", "breakpoint", "overflow", "bound range", "invalid opcode", "no FPU", "double fault",
    "coprocessor overrun", "invalid TSS", "segment not present", "stack fault", "general protection", "page fault",
    "reserved", "FPU error", "alignment check",
};

void show_frame(const struct frame *frame)
{
    print("eip %08x  cs %04x  eflags %08x  vector %u  error %x  cr2 %08x\n", frame->eip, frame->cs & 0xFFFC,
          frame->eflags, frame->vector, frame->error, read_cr2());
    print("eax %08x  ebx %08x  ecx %08x  edx %08x\n", frame->eax, frame->ebx, frame->ecx, frame->edx);
    print("esi %08x  edi %08x  ebp %08x  ds %04x\n", frame->esi, frame->edi, frame->ebp, frame->ds & 0xFFFC);
}

static bool from_program(const struct frame *frame) { return (frame->cs & 3) == 3; }

static void interrupt(struct frame *frame)
{
    int irq = (int)frame->vector - VECTOR_IRQ;
    handler_begins();
    end_irq(irq);
    if (irq == IRQ_TIMER) {
        ticks++;
        wake((const void *)&ticks);
    } else if (irq == IRQ_KEYBOARD) {
        keyboard_interrupt();
    } else if (irq == IRQ_SERIAL) {
        serial_interrupt();
    }
    if (irq == IRQ_TIMER && from_program(frame))
        schedule(); /* the CPU is taken away from a program, never from the kernel */
    handler_ends();
}

/* An exception that the kernel cannot mend ends the program; in the kernel itself it is a panic. */
static void exception(struct frame *frame)
{
    const char *name = frame->vector < sizeof names / sizeof *names ? names[frame->vector] : "exception";
    if (!from_program(frame)) {
        print("\n");
        show_frame(frame);
        panic("%s in the kernel", name);
    }
    handler_begins();
    if (frame->vector == 14)
        print("%s (%d): page fault at %08x, eip %08x\n", current->name, current->pid, read_cr2(), frame->eip);
    else
        print("%s (%d): %s, eip %08x\n", current->name, current->pid, name, frame->eip);
    handler_ends();
    interrupts_on();
    process_exit(128 + (int)frame->vector);
}

void trap(struct frame *frame)
{
    if (frame->vector == VECTOR_SYSTEM_CALL) {
        system_call(frame);
#ifdef PEBBLE_PV
    } else if (frame->vector == VECTOR_UPCALL) {
        for (int irq; (irq = next_event()) >= 0; interrupt(frame))
            frame->vector = VECTOR_IRQ + (u32)irq;
#endif
    } else if (frame->vector >= VECTOR_IRQ && frame->vector < VECTOR_IRQ + 16) {
        interrupt(frame);
    } else if (frame->vector == 0 && frame->eip == (u32)bench_divide) {
        frame->eip = (u32)bench_divided;
    } else if (frame->vector == 14) {
        handler_begins();
        bool mended = page_fault(read_cr2(), frame->error);
        handler_ends();
        if (!mended)
            exception(frame);
    } else {
        exception(frame);
    }
    if (from_program(frame) && current->killed) {
        interrupts_on();
        process_exit(137);
    }
}
