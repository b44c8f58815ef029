/* The programs, as they were linked, inside the kernel. PROGRAMS(name) is defined by the build. */
        .section .rodata
        .macro program name
        .balign 4
        .globl program_\name
program_\name:
        .incbin "user/\name\().elf"
        .endm

#define PROGRAM(name) program name;
#include "programs.h"
