/* The tick: two interrupt controllers set to vectors 32 to 47, and a timer that fires a hundred times a second. */
#include "kernel.h"

#define TIMER_HZ 1193182
#define END_OF_INTERRUPT 0x20

volatile u32 ticks;
static u16 masked = 0xFFFB; /* only the second controller's line is open */

static void controllers_init(void)
{
    out8(PORT_PIC1, 0x11);
    out8(PORT_PIC2, 0x11);
    out8(PORT_PIC1 + 1, VECTOR_IRQ);
    out8(PORT_PIC2 + 1, VECTOR_IRQ + 8);
    out8(PORT_PIC1 + 1, 4);
    out8(PORT_PIC2 + 1, 2);
    out8(PORT_PIC1 + 1, 1);
    out8(PORT_PIC2 + 1, 1);
    out8(PORT_PIC1 + 1, (u8)masked);
    out8(PORT_PIC2 + 1, (u8)(masked >> 8));
}

void enable_irq(int irq)
{
    masked &= (u16) ~(1 << irq);
    out8(PORT_PIC1 + 1, (u8)masked);
    out8(PORT_PIC2 + 1, (u8)(masked >> 8));
}

void end_irq(int irq)
{
    if (irq >= 8)
        out8(PORT_PIC2, END_OF_INTERRUPT);
    out8(PORT_PIC1, END_OF_INTERRUPT);
}

void timer_init(void)
{
    u16 count = TIMER_HZ / TICKS_A_SECOND;
    controllers_init();
    out8(PORT_TIMER + 3, 0x34); /* channel 0, both bytes, rate generator */
    out8(PORT_TIMER, (u8)count);
    out8(PORT_TIMER, (u8)(count >> 8));
    enable_irq(IRQ_TIMER);
}
