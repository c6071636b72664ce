/*
 * wait.exe PROGRAM ARGUMENTS...: runs a program, and ends with its exit code.
 *
 * When a Windows process ends whose threads are just starting or ending, what it is for Linux can hang in its C library's exit, and
 * wine's server kills it a second later: a program that has ended well then looks as if it had been killed. The exit code that
 * Windows knows is the right one. This program has no threads, so its own end is seen as it is.
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define NOT_RUN 127

/* What follows the first word, as whoever started this wrote it. */
static WCHAR *after_first_word(WCHAR *line)
{
    BOOL quoted = FALSE;

    for (; *line != 0 && (quoted || *line != ' '); line++) {
        quoted ^= *line == '"';
    }
    return line + wcsspn(line, L" ");
}

int main(void)
{
    WCHAR *call = after_first_word(GetCommandLineW());
    STARTUPINFOW startup;
    PROCESS_INFORMATION process;
    DWORD code;

    GetStartupInfoW(&startup);
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    /* There is no console to share, and none has to be made. */
    if (!CreateProcessW(NULL, call, NULL, NULL, TRUE, DETACHED_PROCESS, NULL, NULL, &startup, &process)) {
        fprintf(stderr, "cannot run %ls: error %lu\n", call, GetLastError());
        return NOT_RUN;
    }
    if (WaitForSingleObject(process.hProcess, INFINITE) != WAIT_OBJECT_0 || !GetExitCodeProcess(process.hProcess, &code)) {
        fprintf(stderr, "cannot wait for %ls: error %lu\n", call, GetLastError());
        return NOT_RUN;
    }
    return (int)code;
}
