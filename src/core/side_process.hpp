#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// A process beside this one for what may crash, loop or ask for all memory: libraries that read foreign files. It is a
/// fork that runs nothing but the function it is given, so a program that uses Liven needs no second executable, and
/// what comes back is bytes that are checked here. It guards against accidents, not against a file that takes the
/// library over: the system calls of the process beside are not restricted.
///
/// POSIX allows the fork of a program with threads only what is async-signal-safe, since a lock that another thread
/// held stays locked. glibc makes malloc and stdio an exception; for the rest the process says that it is there once it
/// has allocated and prepared, and one that does not is ended and forked again. A lock met later ends by the time
/// limit.
namespace liven {

/// What one may take before it is ended.
struct SideLimits {
    std::chrono::milliseconds start{5'000};  ///< until it is there; tried three times
    std::chrono::milliseconds answer{
        60'000};                        ///< for each answer; time in which this process is stopped does not count
    int64_t memory = int64_t{3} << 30;  ///< bytes beyond what this process has when it forks
};

/// It crashed, was ended, or answered with what is no answer. `what()` goes on from the title: "crashed (Segmentation
/// fault)".
class SideFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What was thrown within: its `what()`, cut to 4,096 bytes.
class SideRefusal : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class SideProcess {
public:
    using Bytes = std::vector<uint8_t>;
    /// Runs beside. An exception becomes the asker's SideRefusal, and the next request may come.
    using Answer = std::function<Bytes(std::span<const uint8_t> request)>;

    /// Forks and waits until `prepare`, which sees no foreign bytes yet, has made what answers. Throws SideFailure.
    explicit SideProcess(const std::function<Answer()>& prepare, const SideLimits& limits = {});
    ~SideProcess();
    SideProcess(const SideProcess&) = delete;
    SideProcess& operator=(const SideProcess&) = delete;

    /// The answer as elements of T, at most `most`. Throws SideRefusal, or SideFailure for this request and all later
    /// ones.
    template <class T>
    std::vector<T> ask(std::span<const uint8_t> request, size_t most) {
        const size_t size = ask_for_size(request, sizeof(T), most);
        std::vector<T> out(size / sizeof(T));
        receive(out.data(), size);
        unread_ = false;
        return out;
    }

    /// The number of the process; -1 when it has ended.
    pid_t id() const { return id_; }

private:
    using Duration = std::chrono::steady_clock::duration;
    bool start(const std::function<Answer()>& prepare);
    size_t ask_for_size(std::span<const uint8_t> request, size_t element, size_t most);
    void send(const void* data, size_t size);
    void receive(void* data, size_t size);
    void wait_for(short events);
    [[noreturn]] void fail(const std::string& how);
    [[noreturn]] void fail_as_it_ended();
    /// Ends it and leaves no zombie; its status, or -1 when somebody else has taken it.
    int reap(bool kill_first);

    SideLimits limits_;
    pid_t id_ = -1;
    int socket_ = -1;
    Duration left_{};      ///< of what the present answer may take
    bool unread_ = false;  ///< an answer was begun and not read to its end
    std::string failure_;
};

}  // namespace liven
