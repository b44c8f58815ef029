/* The keyboard: scan codes of set 1 become characters, on a US layout. */
#include "kernel.h"

#define STATUS (PORT_KEYBOARD + 4)
#define OUTPUT_FULL 0x01
#define NOBODY 0xFF /* what an empty port reads as */
#define RELEASED 0x80
#define LEFT_SHIFT 0x2A
#define RIGHT_SHIFT 0x36

static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static bool shift;

/* What was typed before we were ready is of no interest. */
void keyboard_init(void)
{
    for (int tries = 0; tries < 16; tries++) {
        u8 status = in8(STATUS);
        if (status == NOBODY || !(status & OUTPUT_FULL))
            break;
        in8(PORT_KEYBOARD);
    }
    enable_irq(IRQ_KEYBOARD);
}

void keyboard_interrupt(void)
{
    u8 status = in8(STATUS);
    if (status == NOBODY || !(status & OUTPUT_FULL))
        return;
    u8 code = in8(PORT_KEYBOARD), key = code & (u8)~RELEASED;
    if (key == LEFT_SHIFT || key == RIGHT_SHIFT)
        shift = !(code & RELEASED);
    else if (!(code & RELEASED) && key < sizeof plain - 1 && plain[key])
        console_input(shift ? shifted[key] : plain[key]);
}
