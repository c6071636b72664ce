/*
 * wait.exe PROGRAM ARGUMENTS...: runs a program, and exits with its exit code.
 *
 * If threads are starting or ending while a Windows process exits, its Linux process can hang in the C library's exit, and wine's
 * server kills it a second later: a program that succeeded looks killed. Windows still has the right exit code. This program has no
 * threads, so its own exit code is reliable.
 */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define NOT_RUN 127

/* The command line after its first word, unchanged. */
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
    /* No console: there is none to share. */
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
