/* Memory: frames with a count of their users, page tables, pages that appear when touched, and copy on write. */
#include "kernel.h"

#define FRAMES (KERNEL_WINDOW / PAGE_SIZE)
#define ENTRIES 1024
#define FRAME_MASK 0xFFFFF000u
#define FLAGS_MASK 0x00000FFFu
#define PAGING_AND_WRITE_PROTECT 0x80010000u

extern u8 kernel_end[];

u32 kernel_directory;
static u8 users[FRAMES]; /* how many address spaces use a frame; 255: not to be handed out */
static u32 frame_count, next_frame, free_count;

/* --- frames */

u32 frame_alloc(void)
{
    u32 lock = lock_interrupts(), found = 0;
    for (u32 tried = 0; tried < frame_count && !found; tried++) {
        next_frame = next_frame + 1 < frame_count ? next_frame + 1 : 0;
        if (!users[next_frame]) {
            users[next_frame] = 1;
            free_count--;
            found = next_frame * PAGE_SIZE;
        }
    }
    unlock_interrupts(lock);
    if (found)
        fill((void *)found, 0, PAGE_SIZE);
    return found;
}

void frame_share(u32 frame) { users[frame / PAGE_SIZE]++; }

void frame_free(u32 frame)
{
    u32 lock = lock_interrupts();
    if (!--users[frame / PAGE_SIZE])
        free_count++;
    unlock_interrupts(lock);
}

u32 frames_free(void) { return free_count; }

/* --- page tables */

/* The table entry for `address`; where there is no table, one is made if `make`, else the answer is 0. */
u32 *page_entry(u32 directory, u32 address, bool make)
{
    u32 *slot = (u32 *)directory + (address >> 22);
    if (!(*slot & PAGE_PRESENT)) {
        u32 table = make ? frame_alloc() : 0;
        if (!table)
            return 0;
        table_begins(table, 1);
        set_entry(slot, table | PAGE_PRESENT | PAGE_WRITE | PAGE_USER);
    }
    return (u32 *)(get_entry(slot) & FRAME_MASK) + (address >> 12 & (ENTRIES - 1));
}

bool page_map(u32 directory, u32 address, u32 frame, u32 flags)
{
    u32 *entry = page_entry(directory, address, true);
    if (!entry)
        return false;
    set_entry(entry, frame | flags | PAGE_PRESENT);
    return true;
}

/* Frames from `start` up to `end` are not ours to hand out. */
static void keep(u32 start, u32 end)
{
    for (u32 frame = start / PAGE_SIZE; frame < frame_count && frame * PAGE_SIZE < end; frame++)
        if (users[frame] != 255) {
            users[frame] = 255;
            free_count--;
        }
}

#ifndef PEBBLE_PV
/* RAM is mapped one to one for the kernel; every address space shares these tables. */
static void map_memory(u32 bytes)
{
    u32 *directory = (u32 *)KERNEL_TABLES, *entry = directory + ENTRIES;
    fill(directory, 0, PAGE_SIZE);
    for (u32 address = 0; address < bytes; address += PAGE_SIZE, entry++) {
        directory[address >> 22] = ((u32)entry & FRAME_MASK) | PAGE_PRESENT | PAGE_WRITE | PAGE_USER;
        *entry = address | PAGE_PRESENT | PAGE_WRITE;
    }
    kernel_directory = (u32)directory;
    write_cr3(kernel_directory);
    write_cr0(read_cr0() | PAGING_AND_WRITE_PROTECT);
}
#endif

/* What is neither the kernel's nor a module's may be handed out. */
void memory_init(u32 bytes)
{
    if (bytes > KERNEL_WINDOW)
        bytes = KERNEL_WINDOW;
    free_count = frame_count = bytes / PAGE_SIZE;
    keep(0, (u32)kernel_end);
    for (u32 i = 0; module_at(i); i++)
        keep(module_at(i)->start, module_at(i)->end);
    next_frame = (u32)kernel_end / PAGE_SIZE;
#ifdef PEBBLE_PV
    kernel_directory = first_directory(); /* we were started with all of RAM mapped already */
#else
    map_memory(bytes);
#endif
}

/* --- address spaces */

u32 space_new(void)
{
    u32 directory = frame_alloc();
    if (directory) {
        copy((void *)directory, (void *)kernel_directory, (USER_BASE >> 22) * 4);
        table_begins(directory, 2);
    }
    return directory;
}

/* Share every page of a program; writable ones become read-only in both spaces until one of them writes. */
u32 space_copy(u32 directory)
{
    u32 made = space_new();
    if (!made)
        return 0;
    for (u32 slot = USER_BASE >> 22; slot < USER_END >> 22; slot++) {
        u32 table = ((u32 *)directory)[slot];
        if (!(table & PAGE_PRESENT))
            continue;
        u32 *entries = (u32 *)(get_entry(&table) & FRAME_MASK);
        for (u32 index = 0; index < ENTRIES; index++) {
            u32 entry = get_entry(&entries[index]);
            if (!(entry & PAGE_PRESENT))
                continue;
            if (entry & PAGE_WRITE) {
                entry = (entry & ~PAGE_WRITE) | PAGE_COPY;
                set_entry_soon(&entries[index], entry);
            }
            u32 *target = page_entry(made, slot << 22 | index << 12, true);
            if (!target) {
                entries_flush();
                space_free(made);
                return 0;
            }
            frame_share(entry & FRAME_MASK);
            set_entry_soon(target, entry);
        }
    }
    entries_flush();
    write_cr3(current->directory); /* writable translations of the old space must go */
    return made;
}

void space_free(u32 directory)
{
    table_ends(directory, 2);
    for (u32 slot = USER_BASE >> 22; slot < USER_END >> 22; slot++) {
        u32 table = ((u32 *)directory)[slot];
        if (!(table & PAGE_PRESENT))
            continue;
        u32 *entries = (u32 *)(get_entry(&table) & FRAME_MASK);
        for (u32 index = 0; index < ENTRIES; index++)
            if (entries[index] & PAGE_PRESENT)
                frame_free(get_entry(&entries[index]) & FRAME_MASK);
        table_ends((u32)entries, 1);
        frame_free((u32)entries);
    }
    frame_free(directory);
}

/* --- page faults */

/* A page shared since a fork is written: copy it, unless nobody else uses it any more. */
static bool copy_on_write(u32 *entry, u32 address)
{
    u32 frame = get_entry(entry) & FRAME_MASK;
    if (users[frame / PAGE_SIZE] > 1) {
        u32 own = frame_alloc();
        if (!own)
            return false;
        copy((void *)own, (void *)frame, PAGE_SIZE);
        frame_free(frame);
        frame = own;
    }
    change_entry(entry, address, frame | (*entry & FLAGS_MASK & ~PAGE_COPY) | PAGE_WRITE);
    return true;
}

static bool may_appear(u32 address)
{
    return (address >= current->heap_start && address < current->heap_end) ||
           (address >= STACK_LIMIT && address < STACK_TOP);
}

bool page_fault(u32 address, u32 error)
{
    if (!current || address < USER_BASE || address >= USER_END)
        return false;
    u32 *entry = page_entry(current->directory, address, false);
    if (error & FAULT_PRESENT)
        return entry && error & FAULT_WRITE && *entry & PAGE_COPY && copy_on_write(entry, address);
    if (!may_appear(address))
        return false;
    u32 frame = frame_alloc(); /* zeroed: a page of heap or stack appears when it is first touched */
    return frame && page_map(current->directory, address & FRAME_MASK, frame, PAGE_WRITE | PAGE_USER);
}

/* A system call may read and write the program's own pages; the kernel's own access will make them appear. */
bool user_range(u32 address, u32 size)
{
    if (address < USER_BASE || address >= USER_END || size > USER_END - address)
        return false;
    for (u32 page = address & FRAME_MASK; page < address + size; page += PAGE_SIZE) {
        u32 *entry = page_entry(current->directory, page, false);
        if (!(entry && *entry & PAGE_PRESENT) && !may_appear(page))
            return false;
    }
    return true;
}
