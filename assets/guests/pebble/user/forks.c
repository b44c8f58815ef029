/* A tree of processes: each forks two children until the tree is deep enough; the sum of all statuses is its size. */
#include "lib.h"

static int tree(int depth)
{
    int size = 1, status;
    if (depth == 0)
        return size;
    for (int i = 0; i < 2; i++) {
        int child = fork();
        if (child == 0)
            exit(tree(depth - 1));
        if (child < 0)
            return 0;
    }
    while (wait(&status) > 0)
        size += status;
    return size;
}

int main(const char *argument)
{
    int depth = argument[0] ? number(argument) : 3;
    int before = call(CALL_FREE, 0, 0, 0), size = tree(depth), after = call(CALL_FREE, 0, 0, 0);
    print("forks: a tree of %d processes, %d frames lost\n", size, before - after);
    return size == (2 << depth) - 1 && before == after ? 0 : 1;
}
