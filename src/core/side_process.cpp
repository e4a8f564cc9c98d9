#include "src/core/side_process.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "src/core/side_work.hpp"

namespace liven {
namespace {

/// No signal in the fork before it has its own way with them; the parent's go on afterwards.
class SignalsHeld {
public:
    SignalsHeld() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsHeld(const SignalsHeld&) = delete;
    SignalsHeld& operator=(const SignalsHeld&) = delete;
    ~SignalsHeld() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

std::string seconds_text(std::chrono::milliseconds time) {
    std::string text = std::to_string(static_cast<double>(time.count()) / 1000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text + " s";
}

SideFailure not_started(int reason) {
    return SideFailure("could not be started in a process of its own (" + std::string(::strerrordesc_np(reason)) + ")");
}

/// True when it has ended within a second, or its status is somebody else's. One that is gone must not be killed: where
/// a program waits for every child, the number may be another's by then.
bool ends_by_itself(pid_t id) {
    for (int waits = 0; waits < 1000; ++waits) {
        siginfo_t ended{};
        if (::waitid(P_PID, static_cast<id_t>(id), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == id)
            return true;
        ::poll(nullptr, 0, 1);
    }
    return false;
}

std::string signal_text(int signal) {
    const char* text = ::sigdescr_np(signal);
    return text ? text : "signal " + std::to_string(signal);
}

}  // namespace

SideProcess::SideProcess(const std::function<Answer()>& prepare, const SideLimits& limits) : limits_(limits) {
    for (int attempt = 0; attempt < 3; ++attempt)
        if (start(prepare)) return;
    throw SideFailure("could not be started in a process of its own within " + seconds_text(limits_.start));
}

SideProcess::~SideProcess() {
    if (id_ >= 0) reap(true);
}

/// False when it did not come up in time.
bool SideProcess::start(const std::function<Answer()>& prepare) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw not_started(errno);
    {
        const SignalsHeld held;
        id_ = ::fork();
        if (id_ == 0) side_work(ends[1], prepare, limits_);
    }
    const int reason = errno;
    ::close(ends[1]);
    socket_ = ends[0];
    if (id_ < 0) {
        ::close(socket_);
        throw not_started(reason);
    }
    left_ = limits_.start;
    uint8_t here = 0;
    try {
        receive(&here, 1);
        return true;
    } catch (const SideFailure&) {
        if (left_ > Duration::zero()) throw;  // it ended by itself
        failure_.clear();
        return false;
    }
}

size_t SideProcess::ask_for_size(std::span<const uint8_t> request, size_t element, size_t most) {
    if (id_ < 0) throw SideFailure(failure_);
    if (unread_) fail("was left in the middle of an answer");
    unread_ = true;
    left_ = limits_.answer;
    const SideRequestHead asked{.size = request.size()};
    send(&asked, sizeof asked);
    send(request.data(), request.size());
    SideAnswerHead head;
    receive(&head, sizeof head);
    if (head.refused != 0) {
        if (head.size > kMostRefusalBytes) fail("answered with what is no answer");
        std::string text(head.size, '\0');
        receive(text.data(), text.size());
        unread_ = false;
        throw SideRefusal(text);
    }
    if (head.size % element != 0 || head.size / element > most) fail("answered with what is no answer");
    return head.size;
}

/// Waits for the socket while there is time left, of which each wait takes at most its own length: not the hours in
/// which this process was stopped, nor nothing when signals interrupt it again and again.
void SideProcess::wait_for(short events) {
    constexpr std::chrono::milliseconds longest{100};
    for (;;) {
        pollfd waited{.fd = socket_, .events = events, .revents = 0};
        const auto begin = std::chrono::steady_clock::now();
        const int ready = ::poll(&waited, 1, static_cast<int>(longest.count()));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) fail("could not be waited for");
        left_ -= std::min<Duration>(std::chrono::steady_clock::now() - begin, longest);
        if (left_ <= Duration::zero()) fail("did not finish within " + seconds_text(limits_.answer) + " and was ended");
    }
}

void SideProcess::send(const void* data, size_t size) {
    const auto* from = static_cast<const uint8_t*>(data);
    while (size > 0) {
        const ssize_t sent = ::send(socket_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            from += sent;
            size -= static_cast<size_t>(sent);
        } else if (errno == EAGAIN) {
            wait_for(POLLOUT);
        } else if (errno != EINTR) {
            fail_as_it_ended();
        }
    }
}

void SideProcess::receive(void* data, size_t size) {
    auto* to = static_cast<uint8_t*>(data);
    while (size > 0) {
        const ssize_t received = ::recv(socket_, to, size, MSG_DONTWAIT);
        if (received > 0) {
            to += received;
            size -= static_cast<size_t>(received);
        } else if (received < 0 && errno == EAGAIN) {
            wait_for(POLLIN);
        } else if (received == 0 || errno != EINTR) {
            fail_as_it_ended();
        }
    }
}

int SideProcess::reap(bool kill_first) {
    const pid_t id = std::exchange(id_, -1);
    ::close(std::exchange(socket_, -1));
    if (kill_first || !ends_by_itself(id)) ::kill(id, SIGKILL);
    int status = -1;
    while (::waitpid(id, &status, 0) < 0)
        if (errno != EINTR) return -1;  // the program ignores SIGCHLD, or waits for every child
    return status;
}

void SideProcess::fail(const std::string& how) {
    reap(true);
    failure_ = how;
    throw SideFailure(failure_);
}

/// Its end of the socket is closed: nobody but the process has it, and that closes it by ending alone.
void SideProcess::fail_as_it_ended() {
    const int status = reap(false);
    const int signal = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (signal == SIGPROF)
        failure_ = "did not finish within " + seconds_text(limits_.answer) + " and was ended";
    else if (signal == SIGKILL)
        failure_ = "was killed from outside, as the system does when memory runs out";
    else if (signal != 0)
        failure_ = "crashed (" + signal_text(signal) + ")";
    else
        failure_ = "ended without an answer" +
                   (status >= 0 ? " (status " + std::to_string(WEXITSTATUS(status)) + ")" : std::string());
    throw SideFailure(failure_);
}

}  // namespace liven
