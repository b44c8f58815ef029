/* The kernel's halves of the drivers for console and disk over rings: fill a ring, then tell the other half once. */
#include "rings.h"

#include "kernel.h"

#define SECTOR 512

static volatile struct console_ring *console;
static volatile struct disk_ring *disk;
static u32 told; /* how much of the output the other half knows of */
static u8 page[PAGE_SIZE] __attribute__((aligned(4096)));

void rings_init(volatile struct console_ring *console_page, volatile struct disk_ring *disk_page)
{
    console = console_page;
    disk = disk_page;
}

void ring_flush(void)
{
    if (told != console->out_written) {
        told = console->out_written;
        ring_notify(RING_CONSOLE);
    }
}

void ring_put(char c)
{
    while (console->out_written - console->out_read == sizeof console->out)
        ring_flush();
    console->out[console->out_written % sizeof console->out] = c;
    console->out_written++;
}

void ring_receive(void)
{
    bool full = console->in_written - console->in_read == sizeof console->in;
    while (console->in_read != console->in_written) {
        char c = console->in[console->in_read % sizeof console->in];
        console->in_read++;
        console_input(c);
    }
    if (full)
        ring_notify(RING_CONSOLE); /* more may be waiting */
}

/* One sector, by way of a page of our own; the request is done when the notice returns. */
bool ring_disk(u32 operation, u32 sector, void *data)
{
    volatile struct disk_request *request = &disk->requests[disk->asked % 32];
    if (operation)
        copy(page, data, SECTOR);
    *request = (struct disk_request){operation, sector, ring_frame(page), 0, ~0u, {0}};
    disk->asked++;
    ring_notify(RING_DISK);
    if (disk->answered != disk->asked || request->status)
        return false;
    if (!operation)
        copy(data, page, SECTOR);
    return true;
}
