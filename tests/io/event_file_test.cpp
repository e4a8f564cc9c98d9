#include "liven/io/event_file.hpp"

#include <catch2/catch.hpp>

#include "liven/core/error.hpp"
#include "src/core/crc32.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

/// Those of tests/golden/make_events.py.
std::vector<Event> golden_events() {
    return {{.wall_time = 1700000000.25, .step = 41, .scalars = {{"loss", 0.693f}, {"val_acer", 0.25f}}},
            {.wall_time = 1700000060.5, .step = 300000, .scalars = {{"learning_rate", 1e-4f}}}};
}

}  // namespace

TEST_CASE("CRC-32C has its published check value, and the one of 32 zeros") {
    CHECK(crc32c(0, "123456789", 9) == 0xE3069283u);
    CHECK(crc32c(0, std::string(32, '\0').data(), 32) == 0x8A9136AAu);  // RFC 3720, B.4
}

TEST_CASE("Events are TensorFlow's, byte for byte, and TensorFlow's file reads as what was written") {
    const TemporaryFolder folder;
    const std::string golden = contents_of(LIVEN_GOLDEN "/events.tfevents");
    const auto path = folder / "events.out.tfevents.test";
    {
        EventFile file(path, {golden_events()[0]});
        file.append(golden_events()[1]);
    }
    CHECK(contents_of(path) == golden);
    CHECK(read_events(LIVEN_GOLDEN "/events.tfevents") == golden_events());
}

TEST_CASE("Odd events come back: no step, negative steps, no scalars, any number") {
    const TemporaryFolder folder;
    const std::vector<Event> events{{.wall_time = 0, .step = 0, .scalars = {{"", 0.0f}}},
                                    {.wall_time = -1.5, .step = -7, .scalars = {{std::string(300, 'x'), -1e30f}}}};
    const auto path = folder / "tfevents";
    EventFile file(path, events);
    file.append({.wall_time = 1, .step = 2, .scalars = {}});
    CHECK(read_events(path) == events);  // one without scalars tells nothing
}

TEST_CASE("A cut-off event file gives its whole events; a damaged one is an error with its place") {
    const TemporaryFolder folder;
    const std::string golden = contents_of(LIVEN_GOLDEN "/events.tfevents");
    for (size_t length = 0; length < golden.size(); ++length) {
        const std::vector<Event> read = read_events(folder.file("cut", golden.substr(0, length)));
        CHECK(read.size() < 2);
    }
    for (size_t at = 0; at < golden.size(); ++at) {
        std::string damaged = golden;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
        CHECK_THROWS_WITH(read_events(folder.file("damaged", damaged)), Catch::Contains("offset"));
    }
    CHECK_THROWS_AS(read_events(folder / "none"), Error);
    CHECK_THROWS_AS(EventFile(folder / "no" / "tfevents", {}), Error);
}

TEST_CASE("Bytes with a right checksum that are no event are an error, not a crash") {
    const TemporaryFolder folder;
    const std::string whole = record_of(golden_events()[0]);
    const std::string body = whole.substr(12, whole.size() - 16);
    const auto framed = [](const std::string& bytes) {
        const auto number = [](uint64_t value, int count) {
            std::string text;
            for (int i = 0; i < count; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
            return text;
        };
        const auto masked = [&](const std::string& text) {
            const uint32_t crc = crc32c(0, text.data(), text.size());
            return number(((crc >> 15) | (crc << 17)) + 0xa282ead8u, 4);
        };
        const std::string length = number(bytes.size(), 8);
        return length + masked(length) + bytes + masked(bytes);
    };
    REQUIRE(framed(body) == whole);
    int errors = 0;
    for (size_t at = 0; at < body.size(); ++at)
        for (const int bit : {0x01, 0x80}) {
            std::string damaged = body;
            damaged[at] = static_cast<char>(damaged[at] ^ bit);
            try {
                read_events(folder.file("damaged", framed(damaged)));
            } catch (const Error&) {
                ++errors;
            }
        }
    CHECK(errors > 10);
    for (const std::string& bytes :
         {std::string("\x2a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), std::string(12, '\xff'), std::string("\x0b")})
        CHECK_THROWS_AS(read_events(folder.file("damaged", framed(bytes))), Error);
}
