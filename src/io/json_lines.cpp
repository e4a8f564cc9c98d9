#include "liven/io/json_lines.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "src/core/writing.hpp"
#include "src/io/append.hpp"

namespace liven {
namespace {

constexpr uint64_t kMaxLog = uint64_t{1} << 30;

/// Length of the file up to its last line break. What follows must look like a line of ours before it may be cut off.
uint64_t whole_lines(const std::filesystem::path& path) {
    const std::string text = read_text_file(path, kMaxLog);
    const size_t end = text.rfind('\n');
    const size_t whole = end == std::string::npos ? 0 : end + 1;
    if (whole < text.size() && text[whole] != '{')
        throw Error(path.string(),
                    "ends, at offset " + std::to_string(whole) + ", with something that is no JSON object",
                    "is it a log?");
    return whole;
}

}  // namespace

JsonLines::JsonLines(std::filesystem::path path) : path_(std::move(path)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw_unwritable(path_, errno);
    try {
        if (::ftruncate(descriptor_, static_cast<off_t>(whole_lines(path_))) != 0) throw_unwritable(path_, errno);
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

JsonLines::JsonLines(JsonLines&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

JsonLines& JsonLines::operator=(JsonLines&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

JsonLines::~JsonLines() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void JsonLines::append(const Json& line) { io::append_whole(descriptor_, path_, line.str() + '\n'); }

void visit_json_lines(const std::filesystem::path& path, const std::function<void(const Json&)>& see) {
    const std::string text = read_text_file(path, kMaxLog);
    size_t number = 0;
    for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
        const std::string where = path.string() + ":" + std::to_string(++number);
        const Json line = Json::parse(std::string_view(text).substr(begin, end - begin), where);
        if (!line.is_object()) throw Error(where, "expected a JSON object", "is it a log?");
        try {
            see(line);
        } catch (const Error& error) {
            throw Error(where, error.what());
        }
    }
}

std::vector<Json> read_json_lines(const std::filesystem::path& path) {
    std::vector<Json> lines;
    visit_json_lines(path, [&](const Json& line) { lines.push_back(line); });
    return lines;
}

}  // namespace liven
