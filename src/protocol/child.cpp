#include "child.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "src/core/writing.hpp"

namespace liven::protocol {
namespace {

void say(const char* text) {
    if (text && ::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;  // the status says it too
}

/// In the new process: only what is safe between fork and exec.
[[noreturn]] void become(char* const* arguments, const char* messages, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it died before the line above
    ::setpgid(0, 0);                          // Control-C reaches the parent alone, which asks its children to stop
    const int file = ::open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0644), nothing = ::open("/dev/null", O_RDONLY);
    if (file >= 0) {
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
    }
    if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
    ::execvp(arguments[0], arguments);
    say("the program cannot be started: ");
    say(::strerrordesc_np(errno));
    ::_exit(127);
}

}  // namespace

Child::Child(const std::vector<std::string>& command, std::filesystem::path messages) : messages_(std::move(messages)) {
    make_folders(messages_.parent_path());
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ < 0) throw Error("protocol", "the system gives no further process", "use fewer --jobs");
    if (id_ == 0) become(arguments.data(), messages_.c_str(), parent);
}

Child::Child(Child&& other) noexcept : id_(std::exchange(other.id_, -1)), messages_(std::move(other.messages_)) {}

Child::~Child() {
    if (id_ < 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
}

std::optional<int> Child::ended() {
    int status = 0;
    if (id_ < 0 || ::waitpid(id_, &status, WNOHANG) != id_) return std::nullopt;
    id_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Child::stop() const {
    if (id_ >= 0) ::kill(id_, SIGTERM);
}

std::string Child::last_words() const {
    if (!std::filesystem::exists(messages_)) return {};
    const std::string text = read_text_file(messages_);
    const size_t end = text.find_last_not_of("\r\n");
    if (end == std::string::npos) return {};
    const size_t begin = text.find_last_of("\r\n", end);
    const std::string line = text.substr(begin + 1, end - begin);
    return line.rfind("liven: ", 0) == 0 ? line.substr(7) : line;
}

}  // namespace liven::protocol
