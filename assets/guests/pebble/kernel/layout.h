/* Where things are.
 *
 *   0000_0000  all of RAM, one to one, for the kernel only; the same in every address space
 *   0001_0000    the tables that map it
 *   0010_0000    the kernel itself
 *   4000_0000  a program: its code and data, then its heap, growing up
 *   7FFF_F000  the program's stack, growing down from 8000_0000
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define PAGE_SIZE 4096u
#define KERNEL_WINDOW 0x10000000u /* RAM beyond this is not used */
#define KERNEL_TABLES 0x10000u /* below the image, in the memory that every PC has free there */
#define USER_BASE 0x40000000u
#define USER_END 0x80000000u
#define STACK_TOP USER_END
#define STACK_LIMIT (STACK_TOP - 64 * PAGE_SIZE)
#define VGA_MEMORY 0xB8000u

#ifdef PEBBLE_PV /* the hypervisor's own descriptors */
#define KERNEL_CODE 0xE019
#define KERNEL_DATA 0xE021
#define USER_CODE 0xE02B
#define USER_DATA 0xE033
#define VECTOR_UPCALL 256 /* no vector: the hypervisor has events for us */
#else
/* Selectors: index into the GDT; SYSENTER and SYSEXIT demand this order. */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_CODE (0x18 | 3)
#define USER_DATA (0x20 | 3)
#define TASK_STATE 0x28
#endif

/* Ports. */
#define PORT_PIC1 0x20
#define PORT_PIC2 0xA0
#define PORT_TIMER 0x40
#define PORT_KEYBOARD 0x60
#define PORT_DELAY 0x80
#define PORT_EXIT 0xF4
#define PORT_DISK 0x1F0
#define PORT_DISK_CONTROL 0x3F6
#define PORT_CRT 0x3D4
#define PORT_SERIAL 0x3F8

/* Interrupts: the two controllers' sixteen requests come in as vectors 32 to 47. */
#define VECTOR_IRQ 32
#define IRQ_TIMER 0
#define IRQ_KEYBOARD 1
#define IRQ_SERIAL 4
#define VECTOR_SYSTEM_CALL 0x80

#define TICKS_A_SECOND 100

#endif
