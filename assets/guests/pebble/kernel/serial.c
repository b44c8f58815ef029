/* The serial port: a 16550, each byte moved by the processor. */
#include "kernel.h"
#include "lab.h"
#include "rings.h"

#define TRANSMIT_EMPTY 0x20
#define DATA_READY 0x01

/* 115200 baud, eight bits, FIFO on. */
void serial_init(void)
{
    out8(PORT_SERIAL + 1, 0);
    out8(PORT_SERIAL + 3, 0x80);
    out8(PORT_SERIAL + 0, 1);
    out8(PORT_SERIAL + 1, 0);
    out8(PORT_SERIAL + 3, 0x03);
    out8(PORT_SERIAL + 2, 0x07);
    out8(PORT_SERIAL + 4, 0x0B);
}

void console_flush(void)
{
    if (lab_console)
        ring_flush();
}

void serial_put(char c)
{
    if (lab_console) {
        ring_put(c);
        return;
    }
    while (!(in8(PORT_SERIAL + 5) & TRANSMIT_EMPTY))
        ;
    out8(PORT_SERIAL, (u8)c);
}

/* An interrupt for every byte received: only now, since the controller must see the request rise. */
void serial_listen(void)
{
    enable_irq(IRQ_SERIAL);
    out8(PORT_SERIAL + 1, 0x01);
}

/* Bytes have come in: take all that there are. */
void serial_interrupt(void)
{
    while (in8(PORT_SERIAL + 5) & DATA_READY)
        console_input((char)in8(PORT_SERIAL));
}
