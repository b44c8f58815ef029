/* The way into the kernel: a stub for each vector, and SYSENTER; both leave a `struct frame` on the kernel's stack. */

#define KERNEL_DATA 0x10
#define USER_CODE 0x1B
#define USER_DATA 0x23
#define VECTOR_SYSTEM_CALL 0x80

        .text

/* Sixteen bytes a stub; those whose exception pushes no error code push a zero. */
        .align 16
        .globl stubs
stubs:
        .set vector, 0
        .rept 256
        .align 16
        .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17)
        pushl $0
        .endif
        pushl $vector
        jmp enter
        .set vector, vector + 1
        .endr

enter:
        pushl %es
        pushl %ds
        pushal
        movw $KERNEL_DATA, %ax
        movw %ax, %ds
        movw %ax, %es
        cld
        pushl %esp              /* struct frame * */
        call trap
        addl $4, %esp

        .globl leave
leave:                          /* back to wherever the frame says */
        popal
        popl %ds
        popl %es
        addl $8, %esp           /* vector, error */
        iret

/* SYSENTER: the program left its return address in EDX and its stack pointer in ECX; ESP points to the TSS's ESP0. */
        .globl fast_entry
fast_entry:
        movl (%esp), %esp
        pushl $USER_DATA
        pushl %ecx
        pushl $0x202
        pushl $USER_CODE
        pushl %edx
        sti
        pushl $0
        pushl $VECTOR_SYSTEM_CALL
        pushl %es
        pushl %ds
        pushal
        movw $KERNEL_DATA, %ax
        movw %ax, %ds
        movw %ax, %es
        cld
        pushl %esp
        call trap
        addl $4, %esp
        popal
        popl %ds
        popl %es
        addl $8, %esp
        popl %edx               /* EIP */
        addl $8, %esp           /* CS, EFLAGS */
        popl %ecx               /* ESP */
        sysexit

/* switch_stacks(u32 *save, u32 load): what a function must keep goes to the old stack, then comes from the new one. */
        .globl switch_stacks
switch_stacks:
        movl 4(%esp), %eax
        movl 8(%esp), %edx
        pushl %ebp
        pushl %ebx
        pushl %esi
        pushl %edi
        movl %esp, (%eax)
        movl %edx, %esp
        popl %edi
        popl %esi
        popl %ebx
        popl %ebp
        ret
