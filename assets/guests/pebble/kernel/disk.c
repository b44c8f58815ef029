/* The disk: one ATA drive, sector by sector, the processor moving every word itself (PIO). */
#include "kernel.h"
#include "lab.h"
#include "rings.h"

enum { DATA, ERROR, COUNT, LBA_LOW, LBA_MIDDLE, LBA_HIGH, DRIVE, COMMAND };
#define BUSY 0x80
#define REQUEST 0x08
#define FAILED 0x21
#define IDENTIFY 0xEC
#define READ 0x20
#define WRITE 0x30
#define FLUSH 0xE7
#define PATIENCE 100000

static u32 sectors;

static bool wait_until(u8 mask, u8 value)
{
    for (int tries = 0; tries < PATIENCE; tries++)
        if ((in8(PORT_DISK + COMMAND) & mask) == value)
            return true;
    return false;
}

static void command(u8 code, u32 sector)
{
    out8(PORT_DISK + DRIVE, (u8)(0xE0 | sector >> 24));
    out8(PORT_DISK + COUNT, 1);
    out8(PORT_DISK + LBA_LOW, (u8)sector);
    out8(PORT_DISK + LBA_MIDDLE, (u8)(sector >> 8));
    out8(PORT_DISK + LBA_HIGH, (u8)(sector >> 16));
    out8(PORT_DISK + COMMAND, code);
}

/* The drive has the data ready, or wants them. */
static bool data_wanted(void) { return wait_until(BUSY | REQUEST, REQUEST) && !(in8(PORT_DISK + COMMAND) & FAILED); }

/* Is there a drive? An empty channel reads as all ones, or as zero. */
bool disk_init(void)
{
    u16 identity[256];
    if (lab_disk) {
        sectors = lab_sectors();
        return true;
    }
    out8(PORT_DISK + DRIVE, 0xE0); /* firmware may have left the other one selected */
    for (int delay = 0; delay < 4; delay++)
        in8(PORT_DISK_CONTROL);
    u8 status = in8(PORT_DISK + COMMAND);
    if (status == 0xFF || status == 0x7F || status == 0)
        return false;
    out8(PORT_DISK_CONTROL, 0x02); /* no interrupts: we look ourselves */
    command(IDENTIFY, 0);
    if (!data_wanted())
        return false;
    for (int i = 0; i < 256; i++)
        identity[i] = in16(PORT_DISK + DATA);
    sectors = identity[60] | (u32)identity[61] << 16;
    return sectors != 0;
}

u32 disk_sectors(void) { return sectors; }

bool disk_read(u32 sector, void *data)
{
    if (lab_disk)
        return ring_disk(0, sector, data);
    if (sector >= sectors || !wait_until(BUSY, 0))
        return false;
    command(READ, sector);
    if (!data_wanted())
        return false;
    for (int i = 0; i < 256; i++)
        ((u16 *)data)[i] = in16(PORT_DISK + DATA);
    return true;
}

bool disk_write(u32 sector, const void *data)
{
    if (lab_disk)
        return ring_disk(1, sector, (void *)data);
    if (sector >= sectors || !wait_until(BUSY, 0))
        return false;
    command(WRITE, sector);
    if (!data_wanted())
        return false;
    for (int i = 0; i < 256; i++)
        out16(PORT_DISK + DATA, ((const u16 *)data)[i]);
    if (!wait_until(BUSY, 0))
        return false;
    out8(PORT_DISK + COMMAND, FLUSH);
    return wait_until(BUSY, 0);
}
