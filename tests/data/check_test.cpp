#include "liven/data/check.hpp"

#include <catch2/catch.hpp>
#include <sstream>

#include "helpers.hpp"
#include "liven/data/folder.hpp"
#include "liven/data/manifest.hpp"

using namespace liven::data;
using Catch::Contains;
namespace fs = std::filesystem;

TEST_CASE("The check counts classes, subjects, types and sizes, and names what is broken or doubled") {
    TemporaryFolder root;
    write_picture(root / "real/anna/1.png", 1);
    write_picture(root / "real/ben/2.png", 2, 20, 16);
    write_picture(root / "fake/print/anna/3.png", 3);
    fs::copy(root / "real/anna/1.png", root / "fake/print/anna/4.png");
    write_bytes(root / "fake/mask/ben/5.png", "no picture");
    write_bytes(root / "fake/mask/ben/6.jpg", "");
    write_bytes(root / "fake/notes.txt", "hello");
    int64_t last = 0;
    const CheckReport r = check(read_folder(root.path()), {.threads = 2, .progress = [&](int64_t done, int64_t total) {
                                                               CHECK(done == ++last);
                                                               CHECK(total == 6);
                                                           }});
    CHECK(last == 6);
    CHECK(r.samples == 6);
    CHECK(r.classes.bonafide == 2);
    CHECK(r.classes.attack == 4);
    CHECK(r.subjects.at("anna").attack == 2);
    CHECK(r.attack_types.at("mask") == 2);
    CHECK(r.sizes.at("12x10") == 3);
    CHECK(r.sizes.at("20x16") == 1);
    REQUIRE(r.broken.size() == 2);
    CHECK_THAT(r.broken[0].path, Contains("5.png"));
    CHECK_THAT(r.broken[1].reason, Contains("empty"));
    REQUIRE(r.duplicates.size() == 1);
    CHECK(r.duplicates[0].paths.size() == 2);
    CHECK(r.duplicates[0].labels_differ);
    CHECK(r.skipped.size() == 1);
    CHECK_FALSE(r.clean());

    std::ostringstream text;
    text << r;
    CHECK_THAT(text.str(), Contains("6 (2 bona fide, 4 attack)") && Contains("5.png") && Contains("LABELS DIFFER") &&
                               Contains("needs attention"));
    CHECK_THAT(r.to_json(), Contains("\"unreadable\"") && Contains("\"clean\": false"));
}

TEST_CASE("A clean set is called clean, the same on one thread and two") {
    TemporaryFolder root;
    for (int i = 0; i < 6; ++i)
        write_picture(root / (i % 2 ? "real" : "fake") / std::to_string(i) / "1.png", static_cast<uint64_t>(i) + 10);
    const Dataset d = read_folder(root.path());
    CHECK(check(d, {.threads = 1}).clean());
    CHECK(check(d, {.threads = 1}).to_json() == check(d, {.threads = 2}).to_json());
}

TEST_CASE("The check names leaks, boxes off the picture, and missing files") {
    TemporaryFolder root;
    write_picture(root / "a.png", 1);
    write_picture(root / "b.png", 2);
    write_bytes(root / "manifest.csv",
                "path,label,subject,split,box\na.png,real,s1,train,\nb.png,attack,s1,test,500 0 10 "
                "10\nc.png,attack,s2,test,\n");
    const CheckReport r = check(open_dataset(root.path()));
    REQUIRE(r.leaks.size() == 1);
    CHECK(r.leaks[0].group == "subject s1");
    REQUIRE(r.broken.size() == 2);
    CHECK_THAT(r.broken[0].reason, Contains("box 500 0 10 10"));
    CHECK_THAT(r.broken[1].reason, Contains("does not exist"));
}

TEST_CASE("File names that are no UTF-8 do not break the report") {
    TemporaryFolder root;
    write_picture(root / "real/\xff\xfe.png", 1);
    write_bytes(root / "fake/\xc3\x28.png", "x");
    const CheckReport r = check(read_folder(root.path()));
    CHECK(r.broken.size() == 1);
    CHECK_NOTHROW(r.to_json());
}
