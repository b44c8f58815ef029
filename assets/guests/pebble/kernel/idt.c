/* The IDT: a gate for every vector, and SYSENTER. */
#include "kernel.h"

#define GATE_INTERRUPT 0x8E00 /* present, ring 0, masks interrupts */
#define GATE_CALL 0xEF00      /* present, ring 3 may use it, leaves interrupts on */
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define FEATURE_SYSENTER (1u << 11)
#define STUB_BYTES 16

extern const u8 stubs[], fast_entry[];
extern u32 task[]; /* the TSS; its second word is ESP0 */

static u64 idt[256];

static void set_gate(int vector, u32 handler, u32 kind)
{
    idt[vector] = (handler & 0xFFFF) | KERNEL_CODE << 16 | (u64)(kind | (handler & 0xFFFF0000)) << 32;
}

void traps_init(void)
{
    for (int vector = 0; vector < 256; vector++)
        set_gate(vector, (u32)stubs + (u32)vector * STUB_BYTES, GATE_INTERRUPT);
    set_gate(VECTOR_SYSTEM_CALL, (u32)stubs + VECTOR_SYSTEM_CALL * STUB_BYTES, GATE_CALL);
    struct table_register table = {sizeof idt - 1, (u32)idt};
    load_idt(&table);
    if (cpu_features() & FEATURE_SYSENTER) {
        write_msr(MSR_SYSENTER_CS, KERNEL_CODE);
        write_msr(MSR_SYSENTER_ESP, (u32)&task[1]);
        write_msr(MSR_SYSENTER_EIP, (u32)fast_entry);
    }
}
