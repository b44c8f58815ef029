# Choose: a kernel that asks the CPU who it is, three times, and once what its flags are.
#
# Each of these leaves guest mode or does not, as the control block says. Nothing in the kernel changes.

        .globl  _start

        .equ    EXIT, 0xF4

_start: xor     eax, eax
first:  cpuid                           # who are you?
        xor     eax, eax
second: cpuid                           # and now?
        xor     eax, eax
third:  nop
asks:   pushfd                          # a copy of the flags, IF among them
asked:  pop     eax

        xor     al, al
        out     EXIT, al
