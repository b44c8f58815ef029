/* Drivers over rings on hardware, where the command line wants them: see lab.c. */
#ifndef LAB_H
#define LAB_H

#include "types.h"

extern bool lab_console, lab_disk;
void lab_init(const char *command_line);
u32 lab_sectors(void);

#endif
