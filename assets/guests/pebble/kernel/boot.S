/* Where Pebble begins: the multiboot header, and the first instructions on a stack of our own. */

#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* modules page-aligned, memory sizes wanted */

        .section .multiboot, "a"
        .align 4
        .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

#ifdef PEBBLE_PV
        .section .note.ringside, "a", @note
        .long 9, 4, 0x100       /* name, descriptor, type: this kernel is for a hypervisor that it can call */
        .asciz "Ringside"
        .align 4
        .long 1                 /* version of the interface */
#endif

        .text
        .cfi_sections .debug_frame
        .globl _start
_start:
        .cfi_startproc simple
        .cfi_def_cfa esp, 0
        .cfi_undefined eip      /* nobody called this */
        movl $boot_stack_top, %esp
#ifdef PEBBLE_PV
        movl %esi, start_page   /* what the hypervisor tells us */
#endif
        xorl %ebp, %ebp         /* the end of every chain of frame pointers */
        pushl %ebx              /* the boot loader's information */
        pushl %eax              /* its magic number */
        call kernel_main
        .cfi_endproc

        .bss
        .align 4096
boot_stack:
        .skip 4096
boot_stack_top:
