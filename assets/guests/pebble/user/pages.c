/* Walks over fresh memory, shares it with a child by fork, and sees that each keeps its own copy. */
#include "lib.h"

#define PAGES 64
#define WORDS 1024

int main(const char *unused)
{
    (void)unused;
    uint32_t (*page)[WORDS] = grow(PAGES * sizeof *page);
    int wrong = 0, status = 0;
    for (int i = 0; i < PAGES; i++) {
        wrong += page[i][0] != 0; /* a page that appears is zero */
        page[i][i] = (uint32_t)i;
    }
    if (fork() == 0) {
        for (int i = 0; i < PAGES; i++) {
            wrong += page[i][i] != (uint32_t)i;
            page[i][i] = 1000u + (uint32_t)i; /* copied now */
        }
        exit(wrong);
    }
    wait(&status);
    for (int i = 0; i < PAGES; i++)
        wrong += page[i][i] != (uint32_t)i;
    print("pages: %d touched, %d wrong\n", PAGES, wrong + status);
    return wrong + status;
}
