/* Programs: ELF files built into the kernel, since there may be no disk; loading one maps copies of its segments. */
#include "kernel.h"

struct elf {
    u8 magic[16];
    u16 type, machine;
    u32 version, entry, segments, sections, flags;
    u16 size, segment_size, segment_count;
};

struct segment {
    u32 type, offset, address, physical, file_size, memory_size, flags, align;
};

#define LOAD 1

#define PROGRAM(name) extern const u8 program_##name[];
#include "programs.h"
#undef PROGRAM

static const struct {
    const char *name;
    const u8 *image;
} programs[] = {
#define PROGRAM(name) {#name, program_##name},
#include "programs.h"
#undef PROGRAM
};

#define COUNT (sizeof programs / sizeof *programs)

const char *program_name(int index) { return (u32)index < COUNT ? programs[index].name : 0; }

static bool load_segment(u32 directory, const u8 *image, const struct segment *segment)
{
    u32 end = segment->address + segment->memory_size;
    for (u32 page = segment->address & ~(PAGE_SIZE - 1); page < end; page += PAGE_SIZE) {
        u32 *entry = page_entry(directory, page, true);
        u32 frame = entry && *entry & PAGE_PRESENT ? get_entry(entry) & ~(PAGE_SIZE - 1) : frame_alloc();
        if (!entry || !frame)
            return false;
        set_entry(entry, frame | PAGE_PRESENT | PAGE_WRITE | PAGE_USER);
        for (u32 at = page; at < page + PAGE_SIZE; at++) {
            u32 into = at - segment->address;
            if (at >= segment->address && into < segment->file_size)
                ((u8 *)frame)[at - page] = image[segment->offset + into];
        }
    }
    return true;
}

bool program_load(const char *name, u32 directory, u32 *entry, u32 *end)
{
    for (u32 i = 0; i < COUNT; i++) {
        if (!same(programs[i].name, name))
            continue;
        const struct elf *elf = (const struct elf *)programs[i].image;
        const struct segment *segment = (const struct segment *)(programs[i].image + elf->segments);
        *entry = elf->entry;
        *end = USER_BASE;
        for (int n = 0; n < elf->segment_count; n++, segment++) {
            if (segment->type != LOAD)
                continue;
            if (!load_segment(directory, programs[i].image, segment))
                return false;
            if (segment->address + segment->memory_size > *end)
                *end = segment->address + segment->memory_size;
        }
        return true;
    }
    return false;
}
