/* Writes a file and reads it again; says so if there is no disk. */
#include "lib.h"

static char text[2000], back[2000];

int main(const char *argument)
{
    const char *name = argument[0] ? argument : "letters";
    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    if (call(CALL_FILE_WRITE, (uint32_t)name, (uint32_t)text, sizeof text) < 0) {
        print("writer: no disk to write to\n");
        return 2;
    }
    int size = call(CALL_FILE_READ, (uint32_t)name, (uint32_t)back, sizeof back), wrong = 0;
    for (uint32_t i = 0; i < sizeof text; i++)
        wrong += text[i] != back[i];
    print("writer: %d bytes written and read, %d wrong\n", size, wrong);
    return wrong != 0;
}
