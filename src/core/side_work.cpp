#include "src/core/side_work.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <exception>
#include <new>
#include <string_view>

namespace liven {
namespace {

constexpr int kSocket = 3;

/// A crash is a crash and no handler of the program's. What asks programs to stop is meant for the program: it decides,
/// and this process ends with it.
void leave_signals() {
    struct sigaction action {};
    for (int signal = 1; signal < NSIG; ++signal) {
        const bool program_decides = signal == SIGINT || signal == SIGHUP || signal == SIGQUIT || signal == SIGTERM;
        action.sa_handler = program_decides || signal == SIGPIPE ? SIG_IGN : SIG_DFL;
        ::sigaction(signal, &action, nullptr);  // SIGKILL and SIGSTOP stay
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

/// No file of the program stays open, no lock on one held, and nothing is printed.
void leave_files(int socket) {
    const int high = ::fcntl(socket, F_DUPFD, kSocket + 1), nothing = ::open("/dev/null", O_RDWR);
    if (high < 0 || nothing < 0) ::_exit(1);
    for (int standard = 0; standard < kSocket; ++standard) ::dup2(nothing, standard);
    ::dup2(high, kSocket);
    if (::close_range(kSocket + 1, ~0U, 0) == 0) return;
    for (int file = kSocket + 1; file < 65'536; ++file) ::close(file);  // before Linux 5.9
}

/// Bytes of address space this process has, or -1.
int64_t mapped_bytes() {
    std::array<char, 64> text{};
    const int file = ::open("/proc/self/statm", O_RDONLY);
    const ssize_t size = file < 0 ? -1 : ::read(file, text.data(), text.size());
    ::close(file);
    int64_t pages = -1;
    if (size > 0) std::from_chars(text.data(), text.data() + size, pages);
    return pages < 0 ? -1 : pages * ::sysconf(_SC_PAGESIZE);
}

/// No core files, also none that a program of the system's collects; address space.
void limit(int64_t memory) {
    ::prctl(PR_SET_DUMPABLE, 0);
    const rlimit nothing{0, 0};
    ::setrlimit(RLIMIT_CORE, &nothing);
    const int64_t mapped = mapped_bytes();
    rlimit space{};
    if (mapped < 0 || ::getrlimit(RLIMIT_AS, &space) != 0) return;
    space.rlim_cur = std::min<rlim_t>(space.rlim_max, static_cast<rlim_t>(mapped + memory));
    ::setrlimit(RLIMIT_AS, &space);
}

/// Ends an endless loop also when the program, which would, is gone.
void limit_cpu(std::chrono::milliseconds time) {
    itimerval timer{};
    timer.it_value.tv_sec = time.count() / 1000;
    timer.it_value.tv_usec = time.count() % 1000 * 1000;
    ::setitimer(ITIMER_PROF, &timer, nullptr);
}

/// False when there is nothing more to come.
bool read_whole(void* data, size_t size) {
    auto* to = static_cast<uint8_t*>(data);
    while (size > 0) {
        const ssize_t got = ::read(kSocket, to, size);
        if (got > 0) {
            to += got;
            size -= static_cast<size_t>(got);
        } else if (got == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

void write_whole(const void* data, size_t size) {
    const auto* from = static_cast<const uint8_t*>(data);
    while (size > 0) {
        const ssize_t put = ::write(kSocket, from, size);
        if (put >= 0) {
            from += put;
            size -= static_cast<size_t>(put);
        } else if (errno != EINTR) {
            ::_exit(0);  // nobody wants it any more
        }
    }
}

void reply(const SideAnswerHead& head, const void* data) {
    write_whole(&head, sizeof head);
    write_whole(data, head.size);
}

void refuse(std::string_view text) {
    reply({.refused = 1, .size = std::min<uint64_t>(text.size(), kMostRefusalBytes)}, text.data());
}

}  // namespace

void side_work(int socket, const std::function<SideProcess::Answer()>& prepare, const SideLimits& limits) noexcept {
    leave_signals();
    leave_files(socket);
    limit(limits.memory);
    const SideProcess::Answer answer = prepare();
    write_whole("", 1);
    SideProcess::Bytes request, bytes;
    for (SideRequestHead head; read_whole(&head, sizeof head);) {
        request.resize(head.size);
        if (!read_whole(request.data(), request.size())) break;
        limit_cpu(limits.answer);
        try {
            bytes = answer(request);
            reply({.refused = 0, .size = bytes.size()}, bytes.data());
        } catch (const std::bad_alloc&) {
            refuse("it asks for more memory than it may have");
        } catch (const std::exception& error) {
            refuse(error.what());
        }
        bytes = {};
    }
    ::_exit(0);
}

}  // namespace liven
