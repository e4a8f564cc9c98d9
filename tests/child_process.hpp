#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <string>

/// The program in a process of its own, for tests that stop it from outside. LIVEN_PROGRAM is its path.

/// Starts it; the child becomes the program itself, so that its id can be killed.
inline pid_t start(const std::string& arguments) {
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string command = "exec " + std::string(LIVEN_PROGRAM) + " " + arguments + " >/dev/null 2>&1";
        ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
        ::_exit(127);
    }
    return child;
}

/// Its exit status; -1 when a signal ended it.
inline int run(const std::string& arguments) {
    int status = 0;
    ::waitpid(start(arguments), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
