#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <vector>

#include "fuzz/parsers.hpp"
#include "liven/core/log.hpp"

using namespace liven;
namespace fs = std::filesystem;

namespace {

std::vector<uint8_t> bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> corpus_of(const fuzz::Parser& parser) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(fs::path(LIVEN_CORPUS) / parser.name))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

/// Warnings of what is refused would fill the screen.
struct Quiet {
    Quiet() {
        set_log_sink([](LogLevel, std::string_view) {});
    }
    ~Quiet() { set_log_sink({}); }
};

/// A few bytes changed, left out or doubled, or the end cut off.
std::vector<uint8_t> damaged(std::vector<uint8_t> bytes, std::mt19937& random) {
    const auto below = [&](size_t bound) { return static_cast<size_t>(random() % std::max<size_t>(bound, 1)); };
    for (size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
        const size_t at = below(bytes.size());
        const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        switch (below(6)) {
            case 0:
                *here ^= static_cast<uint8_t>(1u << below(8));
                break;
            case 1:
                *here = static_cast<uint8_t>(random());
                break;
            case 2:
                *here = below(2) == 0 ? uint8_t{0} : uint8_t{255};
                break;
            case 3:
                bytes.erase(here);
                break;
            case 4:
                bytes.insert(here, *here);
                break;
            default:
                bytes.resize(at);
        }
    }
    return bytes;
}

}  // namespace

TEST_CASE("every parser has a corpus and every corpus a parser") {
    std::map<std::string, size_t> files;
    for (const auto& folder : fs::directory_iterator(LIVEN_CORPUS)) {
        CHECK_NOTHROW(fuzz::find_parser(folder.path().filename().string()));
        for ([[maybe_unused]] const auto& file : fs::directory_iterator(folder))
            ++files[folder.path().filename().string()];
    }
    for (const fuzz::Parser& parser : fuzz::parsers()) CHECK(files[std::string(parser.name)] > 0);
}

TEST_CASE("parsers read or refuse their corpus, and nothing else happens") {
    const Quiet quiet;
    for (const fuzz::Parser& parser : fuzz::parsers()) {
        bool accepted = false;
        std::string refusals;
        for (const fs::path& file : corpus_of(parser)) {
            INFO(file);
            const std::string refusal = fuzz::refusal(parser, bytes_of(file));
            accepted = accepted || refusal.empty();
            refusals += '\n' + refusal;
        }
        // A corpus that is refused from end to end would test nothing behind the first check. Model files need weights;
        // the lists of these two sets are read to the end before their recordings, of which there are none, are opened.
        const bool lacks_more = parser.name == "model-file" || parser.name == "msu-mfsd" || parser.name == "wmca";
        INFO(parser.name << refusals);
        CHECK((accepted || lacks_more));
    }
}

TEST_CASE("parsers read or refuse damaged files, and nothing else happens") {
    const Quiet quiet;
    std::mt19937 random(1);  // NOLINT: the same damage in every run
    for (const fuzz::Parser& parser : fuzz::parsers())
        for (const fs::path& file : corpus_of(parser)) {
            const std::vector<uint8_t> whole = bytes_of(file);
            for (int round = 0; round < 60; ++round) {
                INFO(file << ", round " << round);
                CHECK_NOTHROW(fuzz::refusal(parser, damaged(whole, random)));
            }
        }
}
