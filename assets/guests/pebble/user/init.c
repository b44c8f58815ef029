/* The first process: does what the command line says (run=PROGRAM [ARGUMENT]), or starts the shell for ever. */
#include "lib.h"

static char command[256];

/* The text behind `key`, or 0. */
static char *value_of(const char *key)
{
    for (char *at = command; *at; at++) {
        uint32_t i = 0;
        while (key[i] && at[i] == key[i])
            i++;
        if (!key[i] && (at == command || at[-1] == ' '))
            return at + i;
    }
    return 0;
}

/* Wait for process `wanted`, and on the way for whoever else has become ours. */
static int status_of(int wanted)
{
    int status = -1;
    while (wait(&status) != wanted)
        ;
    return status;
}

int main(const char *unused)
{
    (void)unused;
    call(CALL_COMMAND, (uint32_t)command, sizeof command, 0);
    char *name = value_of("run="), *argument;
    if (name) {
        for (argument = name; *argument && *argument != ' '; argument++)
            ;
        if (*argument)
            *argument++ = 0;
        int child = spawn(name, argument);
        if (child < 0) {
            print("init: there is no program %s\n", name);
            call(CALL_HALT, 127, 0, 0);
        }
        call(CALL_HALT, (uint32_t)status_of(child), 0, 0);
    }
    for (;;)
        status_of(spawn("shell", ""));
}
