#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>

#include "film.hpp"
#include "helpers.hpp"
#include "liven/data/video.hpp"
#include "tests/full_disk.hpp"

// Disks that are full, and disks that fail.

using namespace liven::data;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// From this offset on no file can be read; none: all can.
off_t first_bad_byte = -1;

/// As long as it lives, the disk gives no byte from that one on.
struct FailingDisk {
    explicit FailingDisk(off_t from) { first_bad_byte = from; }
    FailingDisk(const FailingDisk&) = delete;
    FailingDisk& operator=(const FailingDisk&) = delete;
    ~FailingDisk() { first_bad_byte = -1; }
};

}  // namespace

/// In place of the C library's, also where shared libraries (FFmpeg's) call it.
extern "C" ssize_t read(int descriptor, void* target, size_t bytes) {
    if (first_bad_byte >= 0) {
        const off_t at = ::lseek(descriptor, 0, SEEK_CUR);
        if (at >= first_bad_byte) {
            errno = EIO;
            return -1;
        }
        if (at >= 0) bytes = std::min(bytes, static_cast<size_t>(first_bad_byte - at));
    }
    return ::syscall(SYS_read, descriptor, target, bytes);
}

TEST_CASE("A disk that fails in the middle of a video is told as such, not as its end") {
    const TemporaryFolder folder;
    for (const auto& [name, film] :
         {std::pair<const char*, Film>{"a.avi", {}},
          {"a.mkv", {.container = "matroska", .codec = "mpeg4", .format = AV_PIX_FMT_YUV420P, .key_every = 5}},
          {"a.mpg", {.container = "mpeg", .codec = "mpeg2video", .format = AV_PIX_FMT_YUV420P}}}) {
        INFO(name);
        const fs::path path = folder / name;
        // Large enough that no reader has all of it in its buffer before the first frame.
        Film large = film;
        large.width = large.height = 256;
        large.frames = 40;
        write_film(path, large, [](int64_t i) { return picture(256, 256, static_cast<uint64_t>(i)); });
        const auto bytes = static_cast<off_t>(fs::file_size(path));
        const std::vector<int64_t> last{39};
        CHECK_NOTHROW(read_frames(path, last));
        for (const off_t from : {bytes / 4, bytes / 2, bytes - 4096}) {
            INFO(from << " of " << bytes);
            const FailingDisk disk(from);
            CHECK_THROWS_WITH(read_frames(path, last), Contains(path.string()) && Contains("Input/output error"));
        }
    }
}

TEST_CASE("A file that cannot be read is not told as an empty or a shorter one") {
    const TemporaryFolder folder;
    fs::create_symlink("/proc/self/mem", folder / "a.avi");  // nothing lies at address 0
    CHECK_THROWS_WITH(inspect_video(folder / "a.avi"), Contains("cannot be read: Input/output error"));
    const fs::path refuses = "/sys/class/net/lo/speed";  // a file of 4096 bytes, says the system, but none is given
    if (fs::exists(refuses)) CHECK_THROWS_WITH(read_file(refuses), Contains("cannot be read: Invalid argument"));
}

TEST_CASE("A picture and a video that do not fit the disk leave what was there before, and nothing else") {
    const TemporaryFolder folder;
    const auto frame = [](int64_t i) { return picture(64, 64, static_cast<uint64_t>(i)); };
    for (const std::string name : {"a.png", "a.jpg", "a.avi"}) {
        const fs::path path = folder / name;
        const auto make = [&](int64_t count) {
            if (name == "a.avi")
                write_video(path, count, frame);
            else
                write(picture(static_cast<int>(16 * count), 64, 3), path);
        };
        INFO(name);
        make(2);
        const std::string before = contents_of(path);
        for (const size_t bytes : {size_t{0}, size_t{1}, size_t{1000}, before.size() + 1}) {
            const FullDisk disk(bytes);
            CHECK_THROWS_WITH(make(40), Contains(path.string() + ": cannot be written"));
        }
        CHECK(contents_of(path) == before);
        CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
        fs::remove(path);
    }
}

TEST_CASE("A link stays a link when a picture is written through it") {
    const TemporaryFolder folder;
    write_picture(folder / "there/picture.png", 1);
    fs::create_symlink("there/picture.png", folder / "link.png");
    write(picture(5, 5), folder / "link.png");
    CHECK(fs::is_symlink(folder / "link.png"));
    CHECK(decode(folder / "there/picture.png").width == 5);
}
