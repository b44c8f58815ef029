# Self: a kernel that changes its own code, as loaders and debuggers do.
#
# It calls a function that gives 7, writes 42 over the 7, and calls it again.

        .globl  _start

        .equ    EXIT, 0xF4

_start: mov     esp, 0x300000
        call    seven                   # so that it is translated as it is
change: mov     byte ptr [seven + 1], 42
        call    seven
        cmp     al, 42
        setne   al                      # 0 if all is well
after:  out     EXIT, al

        .balign 64
seven:  mov     al, 7                   # until somebody writes over it
        ret
