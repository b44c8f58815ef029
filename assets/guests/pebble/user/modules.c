/* Lists the files that the boot loader has put into memory, each with a sum over its bytes. */
#include "lib.h"

static uint8_t block[MODULE_BLOCK];

static uint32_t sum_of(uint32_t index)
{
    uint32_t sum = 1;
    int size;
    for (uint32_t at = 0; (size = call(CALL_MODULE_READ, index, at, (uint32_t)block)) > 0; at += (uint32_t)size)
        for (int i = 0; i < size; i++)
            sum = sum * 31 + block[i];
    return sum;
}

int main(const char *unused)
{
    struct module_info info;
    uint32_t count = 0;
    (void)unused;
    for (; call(CALL_MODULE, count, (uint32_t)&info, 0) == 0; count++)
        print("modules: %s, %u bytes, page offset %x, sum %x\n", module_name(info.string), info.size,
              info.start % 4096, sum_of(count));
    print("modules: %u\n", count);
    return 0;
}
