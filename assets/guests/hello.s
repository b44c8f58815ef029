# Hello: the smallest guest: it prints one line on the serial port from ring 0, and ends the run.
#
# Watch how the CPU meets the outside world: each IN asks the serial port whether it is ready, each OUT hands it a byte.

.include "console.inc"

.globl _start
_start:
    print "Hello from ring 0!\n"
    exit 0

