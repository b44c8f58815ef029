/* Files: a directory in the disk's first sectors, and for each of its sixteen files a fixed place of 16 KiB.
 *
 *   sector 0   the directory: magic, a sum over it, and the files' names and sizes
 *   sector 1 + 32 n   the contents of file n
 */
#include "kernel.h"

#define MAGIC 0x4C424550u /* PEBL */
#define FILES 16
#define FILE_SECTORS 32
#define SECTOR 512

struct directory {
    u32 magic, sum;
    struct {
        char name[24];
        u32 size;
    } files[FILES];
    u8 unused[SECTOR - 8 - FILES * 28];
};

static struct directory directory;
static bool usable;

static u32 sum_of(const struct directory *summed)
{
    const u8 *bytes = (const u8 *)summed->files;
    u32 sum = 1;
    for (u32 i = 0; i < SECTOR - 8; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static bool directory_write(void)
{
    directory.magic = MAGIC;
    directory.sum = sum_of(&directory);
    return disk_write(0, &directory);
}

static bool blank(const struct directory *looked_at)
{
    for (u32 i = 0; i < SECTOR; i++)
        if (((const u8 *)looked_at)[i])
            return false;
    return true;
}

static bool sound(void)
{
    if (directory.magic != MAGIC || directory.sum != sum_of(&directory))
        return false;
    for (int i = 0; i < FILES; i++)
        if (directory.files[i].size > FILE_SECTORS * SECTOR || directory.files[i].name[23])
            return false;
    return true;
}

/* A blank disk is made ours; one that is neither blank nor sound is left as it is. */
void files_init(void)
{
    if (!disk_init()) {
        print("disk: none\n");
    } else if (disk_sectors() < 1 + FILES * FILE_SECTORS || !disk_read(0, &directory)) {
        print("disk: too small or unreadable, not used\n");
    } else if (blank(&directory)) {
        usable = directory_write();
        print("disk: %u sectors, blank, made ready\n", disk_sectors());
    } else if (sound()) {
        usable = true;
        print("disk: %u sectors\n", disk_sectors());
    } else {
        print("disk: its directory is damaged or not ours; not used, and not touched\n");
    }
}

static int find(const char *name)
{
    for (int i = 0; usable && i < FILES; i++)
        if (directory.files[i].name[0] && same(directory.files[i].name, name))
            return i;
    return -1;
}

bool file_name(int index, char *name)
{
    for (int i = 0; usable && i < FILES; i++)
        if (directory.files[i].name[0] && index-- == 0) {
            copy(name, directory.files[i].name, sizeof directory.files[i].name);
            return true;
        }
    return false;
}

int file_read(const char *name, char *data, int size)
{
    u8 sector[SECTOR];
    int file = find(name), done = 0;
    if (file < 0)
        return -1;
    if (size > (int)directory.files[file].size)
        size = (int)directory.files[file].size;
    while (done < size) {
        int part = size - done < SECTOR ? size - done : SECTOR;
        if (!disk_read(1 + (u32)(file * FILE_SECTORS + done / SECTOR), sector))
            return -1;
        copy(data + done, sector, (u32)part);
        done += part;
    }
    return done;
}

static int file_make(const char *name)
{
    for (int i = 0; usable && length(name) < 24 && i < FILES; i++)
        if (!directory.files[i].name[0]) {
            copy(directory.files[i].name, name, length(name) + 1);
            return i;
        }
    return -1;
}

int file_write(const char *name, const char *data, int size)
{
    u8 sector[SECTOR];
    int file = find(name);
    if (size < 0 || size > FILE_SECTORS * SECTOR || !name[0])
        return -1;
    if (file < 0 && (file = file_make(name)) < 0)
        return -1;
    for (int done = 0; done < size; done += SECTOR) {
        int part = size - done < SECTOR ? size - done : SECTOR;
        fill(sector, 0, SECTOR);
        copy(sector, data + done, (u32)part);
        if (!disk_write(1 + (u32)(file * FILE_SECTORS + done / SECTOR), sector))
            return -1;
    }
    directory.files[file].size = (u32)size;
    return directory_write() ? size : -1;
}
