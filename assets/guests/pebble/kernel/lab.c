/* Drivers over rings on hardware: the kernel finds out that a hypervisor is beneath it, and calls it by VMMCALL.
 *
 * Asked for on the command line (pv=console,disk); then the console's output and the disk go by rings, and cost an exit
 * a line and a sector instead of some for each byte. What is typed still comes by the serial port. */
#include "lab.h"

#include "kernel.h"
#include "rings.h"

#define HYPERVISOR_LEAF 0x40000000u
#define KEY "pv="
enum { CALL_RING = 0x52530001, CALL_NOTIFY = 0x52530002 };

bool lab_console, lab_disk;
static u32 sectors;
static u8 pages[2][PAGE_SIZE] __attribute__((aligned(4096)));

static bool in_the_lab(void)
{
    u32 a = HYPERVISOR_LEAF, name[4] = {0};
    __asm__ volatile("cpuid" : "+a"(a), "=b"(name[0]), "=c"(name[1]), "=d"(name[2]));
    return a >= HYPERVISOR_LEAF && same((const char *)name, "RingsideVMM.");
}

static int vmmcall(u32 number, u32 ring, u32 page)
{
    int result;
    __asm__ volatile("vmmcall" : "=a"(result) : "a"(number), "b"(ring), "c"(page) : "memory");
    return result;
}

/* Does the command line name `what` behind the key? */
static bool wanted(const char *line, const char *what)
{
    u32 size = length(what);
    for (; *line; line++) {
        bool key = true;
        for (u32 i = 0; i < sizeof KEY - 1 && key; i++)
            key = line[i] == KEY[i];
        for (const char *at = line + sizeof KEY - 1; key && at[-1] && *at && *at != ' '; at++) {
            u32 i = 0;
            while (i < size && at[i] == what[i])
                i++;
            if (i == size)
                return true;
        }
    }
    return false;
}

void lab_init(const char *command_line)
{
    bool console = wanted(command_line, "console"), disk = wanted(command_line, "disk");
    if ((!console && !disk) || !in_the_lab())
        return;
    rings_init((void *)pages[RING_CONSOLE], (void *)pages[RING_DISK]);
    if (console)
        lab_console = vmmcall(CALL_RING, RING_CONSOLE, (u32)pages[RING_CONSOLE] / PAGE_SIZE) >= 0;
    if (disk) {
        int found = vmmcall(CALL_RING, RING_DISK, (u32)pages[RING_DISK] / PAGE_SIZE);
        lab_disk = found > 0;
        sectors = lab_disk ? (u32)found : 0;
    }
}

u32 lab_sectors(void) { return sectors; }
void ring_notify(enum ring ring) { vmmcall(CALL_NOTIFY, ring, 0); }
u32 ring_frame(const void *page) { return (u32)page / PAGE_SIZE; }
