/* The console: what the kernel and programs say goes to the serial line and the screen; what is typed comes back. */
#include <stdarg.h>

#include "kernel.h"

#define COLUMNS 80
#define ROWS 25
#define GREY 0x0700

static u16 *const screen = (u16 *)VGA_MEMORY;
static int row, column;

static char input[256]; /* typed and not yet read: a ring */
static u32 input_read, input_written;

static void place_cursor(void)
{
#ifndef PEBBLE_PV /* there the screen is memory and nothing else */
    u16 at = (u16)(row * COLUMNS + column);
    out8(PORT_CRT, 14);
    out8(PORT_CRT + 1, (u8)(at >> 8));
    out8(PORT_CRT, 15);
    out8(PORT_CRT + 1, (u8)at);
#endif
}

static void screen_put(char c)
{
    if (c == '\n') {
        column = 0;
        row++;
    } else if (c == '\b') {
        if (column > 0)
            column--;
    } else if (c >= ' ') {
        screen[row * COLUMNS + column] = (u16)(GREY | (u8)c);
        if (++column == COLUMNS) {
            column = 0;
            row++;
        }
    }
    if (row == ROWS) {
        copy(screen, screen + COLUMNS, (ROWS - 1) * COLUMNS * 2);
        for (int i = 0; i < COLUMNS; i++)
            screen[(ROWS - 1) * COLUMNS + i] = GREY | ' ';
        row--;
    }
}

void console_init(void)
{
    serial_init();
    for (int i = 0; i < ROWS * COLUMNS; i++)
        screen[i] = GREY | ' ';
    place_cursor();
}

/* One character, to both. */
void put(char c)
{
    u32 lock = lock_interrupts();
    if (c == '\n')
        serial_put('\r');
    serial_put(c);
    screen_put(c);
    if (c == '\n')
        place_cursor();
    unlock_interrupts(lock);
}

static void put_number(u32 value, u32 base, int width, char padding)
{
    char digits[11];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (width-- > count)
        put(padding);
    while (count)
        put(digits[--count]);
}

static void print_list(const char *format, va_list list)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        char padding = ' ';
        int width = 0;
        if (*++format == '0')
            padding = '0';
        while (*format >= '0' && *format <= '9')
            width = width * 10 + *format++ - '0';
        switch (*format) {
        case 's':
            for (const char *text = va_arg(list, const char *); *text; text++, width--)
                put(*text);
            while (width-- > 0)
                put(' ');
            break;
        case 'c':
            put((char)va_arg(list, int));
            break;
        case 'd': {
            int value = va_arg(list, int);
            if (value < 0)
                put('-');
            put_number(value < 0 ? -(u32)value : (u32)value, 10, width, padding);
            break;
        }
        case 'u':
            put_number(va_arg(list, u32), 10, width, padding);
            break;
        case 'x':
            put_number(va_arg(list, u32), 16, width, padding);
            break;
        default:
            put(*format);
        }
    }
}

void print(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print_list(format, list);
    va_end(list);
    console_flush();
}

/* Say what is wrong and stop for good. */
void panic(const char *format, ...)
{
    va_list list;
    interrupts_off();
    print("\npanic: ");
    va_start(list, format);
    print_list(format, list);
    va_end(list);
    print("\n");
    power_off(0x7F);
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* A character was typed: echo it, keep it, and wake who waits for a whole line. */
void console_input(char c)
{
    if (c == '\r')
        c = '\n';
    if (c == 0x7F || c == '\b') {
        if (input_written != input_read && input[(input_written - 1) % sizeof input] != '\n') {
            input_written--;
            put('\b');
            put(' ');
            put('\b');
            console_flush();
        }
        return;
    }
    if (input_written - input_read == sizeof input)
        return;
    input[input_written++ % sizeof input] = c;
    put(c);
    console_flush();
    if (c == '\n')
        wake(&input);
}

static bool line_typed(void)
{
    for (u32 at = input_read; at != input_written; at++)
        if (input[at % sizeof input] == '\n')
            return true;
    return false;
}

int console_read(char *line, int size)
{
    int count = 0;
    u32 lock = lock_interrupts();
    while (!line_typed() && !current->killed)
        sleep_on(&input);
    while (count < size && input_read != input_written) {
        line[count] = input[input_read++ % sizeof input];
        if (line[count++] == '\n')
            break;
    }
    unlock_interrupts(lock);
    return count;
}
