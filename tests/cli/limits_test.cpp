#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "tests/cli/program.hpp"

// Disks that are full and sets that are large.

namespace {

/// The program where no file may grow beyond a kilobyte.
Outcome on_a_full_disk(const std::string& arguments) {
    const Folder folder;
    const std::string out = folder / "out", err = folder / "err";
    const std::string command = "(trap '' XFSZ; ulimit -f 1; " + std::string(LIVEN_PROGRAM) + " " + arguments + " >" +
                                out + " 2>" + err + " </dev/null)";
    const int status = std::system(command.c_str());
    return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .out = contents_of(out), .err = contents_of(err)};
}

}  // namespace

TEST_CASE("A full disk is one error, and nothing half written stays") {
    const Folder folder;
    const std::string set = folder / "set", out = folder / "out";
    REQUIRE(liven_program("data synth " + set + " --subjects 6 --frames 1 --size 32 --seed 1").status == 0);
    // The same pictures in class folders.
    int pictures = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(set)) {
        if (entry.path().extension() != ".jpg") continue;
        const std::filesystem::path to = folder.path() / "classes" / (pictures++ % 2 == 0 ? "live" : "spoof");
        std::filesystem::create_directories(to);
        std::filesystem::copy_file(entry.path(), to / entry.path().filename());
    }
    const std::string classes = folder / "classes";
    std::vector<std::string> commands{"data synth ", "data import folders ", "data split ",
                                      "train --size 32 --epochs 1 "};
    commands[0].append(out).append(" --subjects 3 --frames 1 --size 64");
    commands[1].append(classes).append(" ").append(out).append(".csv");
    commands[2].append(set).append(" ").append(out).append(".csv");
    commands[3].append("--model livenessnet --data ").append(set).append(" --out ").append(out);
    for (const std::string& command : commands) {
        INFO(command);
        const Outcome said = on_a_full_disk(command);
        CAPTURE(said.err);
        CHECK(said.status == 1);
        CHECK((has(said.err, "cannot be written") || has(said.err, "cannot write")));
        CHECK_FALSE(std::filesystem::exists(out + ".csv"));
        CHECK_FALSE(std::filesystem::exists(out + "/manifest.csv"));
        CHECK_FALSE(std::filesystem::exists(out + "/model.safetensors"));
        if (std::filesystem::exists(out))
            for (const auto& entry : std::filesystem::recursive_directory_iterator(out)) {
                CHECK(entry.path().extension() != ".part");
                CHECK(entry.path().extension() != ".partial");
            }
        std::filesystem::remove_all(out);
    }
}

TEST_CASE("A manifest of 100,000 rows is divided and checked") {
    const Folder folder;
    std::ostringstream rows;
    rows << "path,label,subject,video,attack_type\n";
    for (int i = 0; i < 100'000; ++i)
        rows << "img/" << i << ".png," << (i % 2 ? "live," : "attack,") << 's' << i / 50 << ",v" << i / 10 << ','
             << (i % 2 ? "" : "print") << '\n';
    const std::string set = folder.file("manifest.csv", rows.str()), divided = folder / "divided.csv";
    const Outcome split = liven_program("data split " + set + " " + divided);
    CAPTURE(split.err);
    CHECK(split.status == 0);
    CHECK(has(split.out, "train 68000 (34000 bona fide), val 12000 (6000 bona fide), test 20000 (10000 bona fide)"));
    CHECK(has(liven_program("audit " + divided).out, "100000 unreadable"));
}
