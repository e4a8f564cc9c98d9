#include "src/data/prepare/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>

#include "liven/core/error.hpp"
#include "src/core/writing.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

json json_of(const Quality& q) {
    return json::array({q.sharpness, q.contrast, q.brightness, q.blur, q.mean, q.deviation, q.edges});
}
Quality quality_from(const json& v) {
    const auto n = v.get<std::array<double, 7>>();
    return {n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
}

std::string line_of(int64_t sample, const Outcome& o) {
    json line{{"sample", sample}};
    if (!o.lost_at.empty()) line["lost"] = {o.lost_at, o.reason, o.detail};
    if (o.before) line["before"] = json_of(*o.before);
    if (o.after) line["after"] = json_of(*o.after);
    if (o.written) line["file"] = {o.bytes, o.crc};
    if (o.box) line["box"] = {o.box->x, o.box->y, o.box->width, o.box->height};
    for (const Point& p : o.landmarks) line["points"].push_back({p.x, p.y});
    return line.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

std::pair<int64_t, Outcome> outcome_from(const json& line) {
    Outcome o;
    if (line.contains("lost")) {
        o.lost_at = line["lost"].at(0).get<std::string>();
        o.reason = line["lost"].at(1).get<std::string>();
        o.detail = line["lost"].at(2).get<std::string>();
    }
    if (line.contains("before")) o.before = quality_from(line["before"]);
    if (line.contains("after")) o.after = quality_from(line["after"]);
    o.written = line.contains("file");
    if (o.written) {
        o.bytes = line["file"].at(0).get<int64_t>();
        o.crc = line["file"].at(1).get<uint32_t>();
    }
    if (line.contains("box")) {
        const auto b = line["box"].get<std::array<float, 4>>();
        o.box = Box{b[0], b[1], b[2], b[3]};
    }
    if (line.contains("points"))
        for (const json& p : line["points"]) o.landmarks.push_back({p.at(0).get<float>(), p.at(1).get<float>()});
    return {line.at("sample").get<int64_t>(), std::move(o)};
}

}  // namespace

Journal::Journal(const fs::path& folder, const std::string& fingerprint) : path_(path_in(folder)) {
    make_folders(folder);
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) throw_unwritable(path_, errno);
    file_.reset(::fdopen(descriptor, "r+b"));
    if (!file_) {
        ::close(descriptor);
        throw_unwritable(path_, errno);
    }
    read(fingerprint);
}

void Journal::read(const std::string& fingerprint) {
    std::string text;
    std::array<char, 65536> block{};
    for (size_t got = 0; (got = std::fread(block.data(), 1, block.size(), file_.get())) > 0;)
        text.append(block.data(), got);
    size_t whole = 0;
    bool headed = false;
    for (size_t end = 0; (end = text.find('\n', whole)) != std::string::npos; whole = end + 1) {
        const json line = json::parse(text.begin() + static_cast<std::ptrdiff_t>(whole),
                                      text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
        try {
            if (!headed && line.at("preparation").get<std::string>() != fingerprint)
                throw Error(path_.parent_path().string(), "the folder holds another preparation that was stopped",
                            "the same options go on with it; --overwrite begins anew");
            if (headed) {
                auto [sample, outcome] = outcome_from(line);
                finished_[sample] = std::move(outcome);
            }
            headed = true;
        } catch (const json::exception&) {
            break;  // what a crash left of a line
        }
    }
    if (!headed) whole = 0;
    if (::ftruncate(::fileno(file_.get()), static_cast<off_t>(whole)) != 0 ||
        std::fseek(file_.get(), static_cast<long>(whole), SEEK_SET) != 0)
        throw_unwritable(path_, errno);
    if (!headed) append(json{{"preparation", fingerprint}}.dump() + '\n');
}

std::optional<std::string> Journal::fingerprint_in(const fs::path& folder) {
    std::ifstream file(path_in(folder), std::ios::binary);
    std::string line;
    if (!std::getline(file, line)) return {};
    const json head = json::parse(line, nullptr, false);
    const auto found = head.is_object() ? head.find("preparation") : head.end();
    return found != head.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void Journal::append(const std::string& line) {
    if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() || std::fflush(file_.get()) != 0)
        throw_unwritable(path_, errno);
}

void Journal::add(int64_t sample, const Outcome& outcome) {
    const std::string line = line_of(sample, outcome);
    const std::lock_guard lock(mutex_);
    append(line);
}

void Journal::close() {
    std::error_code code;
    fs::remove(path_, code);
    if (code) throw Error(path_.string(), "cannot be removed: " + code.message());
    file_.reset();
}

}  // namespace liven::data
