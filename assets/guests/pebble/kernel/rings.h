/* Rings: pages shared with the other half of a driver, which is the hypervisor's. */
#ifndef RINGS_H
#define RINGS_H

#include "types.h"

struct console_ring {
    char in[1024], out[2048];
    u32 in_read, in_written, out_read, out_written;
};

struct disk_request {
    u32 operation, sector, frame, offset; /* 0: read, 1: write; a frame of the machine's */
    u32 status;                           /* 0: done */
    u32 unused[3];
};

struct disk_ring {
    u32 asked, answered, unused[14];
    struct disk_request requests[32];
};

enum ring { RING_CONSOLE, RING_DISK };

void rings_init(volatile struct console_ring *console, volatile struct disk_ring *disk);
void ring_put(char c);
void ring_flush(void);
void ring_receive(void);
bool ring_disk(u32 operation, u32 sector, void *data);

/* Of whoever the other half is asked through. */
void ring_notify(enum ring ring);
u32 ring_frame(const void *page);

#endif
