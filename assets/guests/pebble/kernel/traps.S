/* The way into the kernel: a stub for each vector, and SYSENTER; both leave a `struct frame` on the kernel's stack.
 *
 * The .cfi lines become no code. They tell debuggers where, at each instruction, the registers of whoever was
 * interrupted lie, so that a call stack goes on from the kernel into the program. */

#ifdef PEBBLE_PV
#define KERNEL_DATA 0xE021
#define USER_CODE 0xE02B
#define USER_DATA 0xE033
#define VECTOR_UPCALL 256
#define HYPERCALL_IRET 23
#else
#define KERNEL_DATA 0x10
#define USER_CODE 0x1B
#define USER_DATA 0x23
#endif
#define VECTOR_SYSTEM_CALL 0x80

        .text
        .cfi_sections .debug_frame

/* What the CPU has pushed; ESP and SS only if it came from an outer ring. */
        .macro interrupted pushed
        .cfi_def_cfa esp, \pushed + 12
        .cfi_offset eip, -12
        .cfi_offset 41, -8      /* CS */
        .cfi_offset 9, -4       /* EFLAGS */
        .cfi_offset esp, 0
        .endm

/* After PUSHAL. */
        .macro registers_saved
        .cfi_def_cfa_offset 60
        .cfi_offset eax, -32
        .cfi_offset ecx, -36
        .cfi_offset edx, -40
        .cfi_offset ebx, -44
        .cfi_offset ebp, -52
        .cfi_offset esi, -56
        .cfi_offset edi, -60
        .endm

/* After POPAL. */
        .macro registers_restored
        .cfi_def_cfa_offset 28
        .cfi_restore eax
        .cfi_restore ecx
        .cfi_restore edx
        .cfi_restore ebx
        .cfi_restore ebp
        .cfi_restore esi
        .cfi_restore edi
        .endm

/* Sixteen bytes a stub; those whose exception pushes no error code push a zero. */
        .align 16
        .globl stubs
stubs:
        .cfi_startproc simple
        .cfi_signal_frame
        .set vector, 0
        .rept 256
        .align 16
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
        interrupted 0
        pushl $0
        .endif
        interrupted 4
        pushl $vector
        .cfi_def_cfa_offset 20
        jmp enter
        .set vector, vector + 1
        .endr
        .cfi_endproc

#ifdef PEBBLE_PV
        .globl upcall
upcall:                         /* the hypervisor has events for us, and has masked them */
        .cfi_startproc simple
        .cfi_signal_frame
        interrupted 0
        pushl $0
        interrupted 4
        pushl $VECTOR_UPCALL
        .cfi_def_cfa_offset 20
        jmp enter
        .cfi_endproc
#endif

enter:
        .cfi_startproc simple
        .cfi_signal_frame
        interrupted 8
        pushl %es
        .cfi_def_cfa_offset 24
        pushl %ds
        .cfi_def_cfa_offset 28
        pushal
        registers_saved
        movw $KERNEL_DATA, %ax
        movw %ax, %ds
        movw %ax, %es
        cld
        pushl %esp              /* struct frame * */
        .cfi_def_cfa_offset 64
        call trap
        addl $4, %esp
        .cfi_def_cfa_offset 60

        .globl leave
leave:                          /* back to wherever the frame says */
        popal
        registers_restored
        popl %ds
        .cfi_def_cfa_offset 24
        popl %es
        .cfi_def_cfa_offset 20
        addl $8, %esp           /* vector, error */
        .cfi_def_cfa_offset 12
#ifdef PEBBLE_PV
        testl $0x200, 8(%esp)   /* IRET alone will do where events were and stay unmasked */
        jz 1f
        cmpb $0, %ss:shared + 1
        jne 1f
        iret
1:      pushl %eax
        movl $HYPERCALL_IRET, %eax
        int $0x82
#else
        iret
#endif
        .cfi_endproc

/* SYSENTER: the program left its return address in EDX and its stack pointer in ECX; ESP points to the TSS's ESP0. */
        .globl fast_entry
fast_entry:
        .cfi_startproc simple
        .cfi_signal_frame
        .cfi_def_cfa esp, 0
        .cfi_undefined eip      /* it is in EDX, not on the stack */
        movl (%esp), %esp
        pushl $USER_DATA
        pushl %ecx
        pushl $0x202
        pushl $USER_CODE
        pushl %edx
        interrupted 0
        sti
        pushl $0
        .cfi_def_cfa_offset 16
        pushl $VECTOR_SYSTEM_CALL
        .cfi_def_cfa_offset 20
        pushl %es
        .cfi_def_cfa_offset 24
        pushl %ds
        .cfi_def_cfa_offset 28
        pushal
        registers_saved
        movw $KERNEL_DATA, %ax
        movw %ax, %ds
        movw %ax, %es
        cld
        pushl %esp
        .cfi_def_cfa_offset 64
        call trap
        addl $4, %esp
        .cfi_def_cfa_offset 60
        popal
        registers_restored
        popl %ds
        .cfi_def_cfa_offset 24
        popl %es
        .cfi_def_cfa_offset 20
        addl $8, %esp
        .cfi_def_cfa_offset 12
        popl %edx               /* EIP */
        .cfi_undefined eip
        addl $8, %esp           /* CS, EFLAGS */
        popl %ecx               /* ESP */
        sysexit
        .cfi_endproc

/* switch_stacks(u32 *save, u32 load): what a function must keep goes to the old stack, then comes from the new one. */
        .globl switch_stacks
switch_stacks:
        .cfi_startproc
        movl 4(%esp), %eax
        movl 8(%esp), %edx
        pushl %ebp
        .cfi_def_cfa_offset 8
        .cfi_offset ebp, -8
        pushl %ebx
        .cfi_def_cfa_offset 12
        .cfi_offset ebx, -12
        pushl %esi
        .cfi_def_cfa_offset 16
        .cfi_offset esi, -16
        pushl %edi
        .cfi_def_cfa_offset 20
        .cfi_offset edi, -20
        movl %esp, (%eax)
        movl %edx, %esp         /* the same lies on the other stack */
        popl %edi
        .cfi_def_cfa_offset 16
        .cfi_restore edi
        popl %esi
        .cfi_def_cfa_offset 12
        .cfi_restore esi
        popl %ebx
        .cfi_def_cfa_offset 8
        .cfi_restore ebx
        popl %ebp
        .cfi_def_cfa_offset 4
        .cfi_restore ebp
        ret
        .cfi_endproc
