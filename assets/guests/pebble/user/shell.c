/* The shell: one line, one command; a program runs to its end unless the line ends with &. */
#include "lib.h"

static char line[256], contents[16384];

/* Cut the first word off `text`; gives what follows it. */
static char *cut(char *text)
{
    while (*text && *text != ' ')
        text++;
    if (*text)
        *text++ = 0;
    while (*text == ' ')
        text++;
    return text;
}

static void help(void)
{
    char name[32];
    print("help  ps  run PROGRAM [ARGUMENT] [&]  ls  cat FILE  echo TEXT  write FILE TEXT  kill PID  ticks  free\n"
          "bench [NAME]  exit [STATUS]\nprograms:");
    for (uint32_t i = 0; call(CALL_PROGRAM, i, (uint32_t)name, 0) == 0; i++)
        print(" %s", name);
    print("\n");
}

static void ps(void)
{
    static const char *const states[] = {"unused", "ready", "running", "sleeping", "zombie"};
    struct process_info info;
    print("  pid parent state     runs  name\n");
    for (uint32_t i = 0; call(CALL_PROCESS, i, (uint32_t)&info, 0) == 0; i++)
        if (info.state)
            print("%5d %6d %8s %5u  %s\n", info.pid, info.parent, states[info.state], info.runs, info.name);
}

static void ls(void)
{
    char name[32];
    for (uint32_t i = 0; call(CALL_FILE, i, (uint32_t)name, 0) == 0; i++)
        print("%s\n", name);
}

static bool cat_module(const char *name)
{
    struct module_info info;
    int size;
    for (uint32_t i = 0; call(CALL_MODULE, i, (uint32_t)&info, 0) == 0; i++) {
        if (!same(module_name(info.string), name))
            continue;
        for (uint32_t at = 0; (size = call(CALL_MODULE_READ, i, at, (uint32_t)contents)) > 0; at += (uint32_t)size)
            call(CALL_WRITE, (uint32_t)contents, (uint32_t)size, 0);
        return true;
    }
    return false;
}

static void cat(const char *name)
{
    int size = call(CALL_FILE_READ, (uint32_t)name, (uint32_t)contents, sizeof contents);
    if (size >= 0)
        call(CALL_WRITE, (uint32_t)contents, (uint32_t)size, 0);
    else if (!cat_module(name))
        print("cat: there is no file %s\n", name);
}

static void write(const char *name, char *text)
{
    uint32_t size = length(text);
    text[size] = '\n';
    if (call(CALL_FILE_WRITE, (uint32_t)name, (uint32_t)text, size + 1) < 0)
        print("write: %s cannot be written: no disk that can be used, no room, or too long a name\n", name);
}

static void run(const char *name, char *argument)
{
    uint32_t size = length(argument);
    bool behind = size && argument[size - 1] == '&';
    if (behind)
        argument[size - 1] = 0;
    int child = spawn(name, argument), status = 0, ended;
    if (child < 0) {
        print("run: there is no program %s\n", name);
        return;
    }
    while (!behind && (ended = wait(&status)) != child && ended >= 0)
        ;
    if (!behind && status)
        print("%s ended with status %d\n", name, status);
}

int main(const char *unused)
{
    (void)unused;
    for (;;) {
        print("$ ");
        int size = call(CALL_READ, (uint32_t)line, sizeof line - 2, 0);
        if (size <= 0)
            continue;
        line[line[size - 1] == '\n' ? size - 1 : size] = 0;
        char *rest = cut(line);
        if (same(line, "help"))
            help();
        else if (same(line, "ps"))
            ps();
        else if (same(line, "ls"))
            ls();
        else if (same(line, "run")) {
            char *argument = cut(rest);
            run(rest, argument);
        } else if (same(line, "cat"))
            cat(rest);
        else if (same(line, "echo"))
            print("%s\n", rest);
        else if (same(line, "write")) {
            char *text = cut(rest);
            write(rest, text);
        } else if (same(line, "kill"))
            print(call(CALL_KILL, (uint32_t)number(rest), 0, 0) ? "kill: there is no process %s\n" : "", rest);
        else if (same(line, "ticks"))
            print("%d ticks since boot\n", call(CALL_TICKS, 0, 0, 0));
        else if (same(line, "free"))
            print("%d frames free\n", call(CALL_FREE, 0, 0, 0));
        else if (same(line, "bench"))
            run("bench", rest);
        else if (same(line, "exit"))
            call(CALL_HALT, (uint32_t)number(rest), 0, 0);
        else if (line[0])
            print("%s: not a command; try help\n", line);
    }
}
