#include "liven/io/file.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "liven/core/error.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

size_t files_in(const std::filesystem::path& folder) {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
    return count;
}

}  // namespace

TEST_CASE("Writing replaces the whole file and leaves nothing else behind") {
    const TemporaryFolder folder;
    write_file_atomically(folder / "a", "first, and longer");
    write_file_atomically(folder / "a", "second");
    CHECK(read_text_file(folder / "a") == "second");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("When writing fails half-way, the old file stays") {
    const TemporaryFolder folder;
    write_file_atomically(folder / "a", "old");
    const auto fail = [&] {
        write_file_atomically(folder / "a", [](OutputFile& file) {
            file.write(std::string(1 << 20, 'x'));
            throw std::runtime_error("no");
        });
    };
    CHECK_THROWS_AS(fail(), std::runtime_error);
    CHECK(read_text_file(folder / "a") == "old");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("Pieces of every size arrive in order, and the offset counts them") {
    const TemporaryFolder folder;
    std::string expected;
    write_file_atomically(folder / "a", [&](OutputFile& file) {
        for (size_t size : {1u, 0u, 262143u, 262144u, 300000u, 7u, 262137u, 5u}) {
            const std::string piece(size, static_cast<char>('a' + size % 26));
            file.write(piece);
            expected += piece;
            CHECK(file.offset() == expected.size());
        }
    });
    CHECK(read_text_file(folder / "a") == expected);
}

TEST_CASE("Writers of one path at the same time leave the file of one of them") {
    const TemporaryFolder folder;
    std::vector<std::thread> writers;
    for (char c = 'a'; c < 'e'; ++c)
        writers.emplace_back([&folder, c] {
            for (int i = 0; i < 6; ++i) write_file_atomically(folder / "shared", std::string(100000, c));
        });
    for (std::thread& writer : writers) writer.join();
    const std::string text = read_text_file(folder / "shared");
    CHECK(text == std::string(100000, text[0]));
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("A writer killed at any moment leaves the old file or the new one") {
    const TemporaryFolder folder;
    const std::string old_text(50000, 'o'), new_text(3000000, 'n');
    for (int chunks : {0, 1, 10, 30}) {
        write_file_atomically(folder / "a", old_text);
        const pid_t child = ::fork();
        if (child == 0) {  // dies after so many chunks, inside the write
            write_file_atomically(folder / "a", [&](OutputFile& file) {
                for (int i = 0; i < 30; ++i) {
                    if (i == chunks) ::kill(::getpid(), SIGKILL);
                    file.write(std::string_view(new_text).substr(0, 100000));
                }
            });
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(read_text_file(folder / "a") == (chunks == 30 ? new_text : old_text));
    }
    write_file_atomically(folder / "a", "after");  // and what the dead left is no obstacle
    CHECK(read_text_file(folder / "a") == "after");
    CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("A link stays a link, and its target is replaced") {
    const TemporaryFolder folder;
    write_file_atomically(folder / "target", "old");
    std::filesystem::create_symlink("target", folder / "link");
    write_file_atomically(folder / "link", "new");
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(read_text_file(folder / "target") == "new");
}

TEST_CASE("Paths that cannot be files are errors that name them") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(write_file_atomically(folder.path(), "x"), Catch::Contains("regular file"));
    CHECK_THROWS_WITH(write_file_atomically(folder / "none" / "a", "x"), Catch::Contains("No such file"));
    CHECK_THROWS_WITH(read_text_file(folder / "absent"), Catch::Contains("absent") && Catch::Contains("No such file"));
    CHECK_THROWS_WITH(read_text_file(folder.path()), Catch::Contains("regular file"));
    CHECK_THROWS_WITH(InputFile("/dev/null"), Catch::Contains("regular file"));
    CHECK_THROWS_AS(write_file_atomically("", "x"), Error);
}

TEST_CASE("Reading past the end says where the file ends") {
    const TemporaryFolder folder;
    const InputFile file(folder.file("a", "12345"));
    char four[4];
    file.read(1, four, 4);
    CHECK(std::string(four, 4) == "2345");
    CHECK_THROWS_WITH(file.read(3, four, 4), Catch::Contains("offset 5") && Catch::Contains("2 more bytes"));
    CHECK_THROWS_WITH(read_text_file(folder / "a", 4), Catch::Contains("at most 4"));
}
