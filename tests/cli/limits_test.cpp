#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <sstream>

#include "tests/cli/program.hpp"

// Disks that are full, places where nothing may be written, and sets that are large.

using namespace liven;
namespace fs = std::filesystem;

namespace {

/// The program where no file may grow beyond so many halves of a kilobyte.
Outcome on_a_full_disk(const std::string& arguments, int halves) {
    return liven_program(arguments, "trap '' XFSZ; ulimit -f " + std::to_string(halves) + ";");
}

/// The program with no more rights than a file's bits give: root has others, and tests may run as root.
Outcome without_rights(const std::string& arguments) {
    return liven_program(
        arguments, ::geteuid() == 0 ? "exec setpriv --bounding-set=-dac_override,-dac_read_search" : std::string());
}

/// Six drawn subjects, their pictures once more in class folders, and a short training of them.
struct Inputs : Folder {
    std::string set = *this / "set", classes = *this / "classes", run = *this / "run",
                model = run + "/model.safetensors", picture = set + "/s000/s000v00_000.jpg", protocol;

    Inputs() {
        REQUIRE(liven_program("data synth " + set + " --subjects 6 --frames 1 --size 32 --seed 1").status == 0);
        int pictures = 0;
        for (const auto& entry : fs::recursive_directory_iterator(set)) {
            if (entry.path().extension() != ".jpg") continue;
            const fs::path to = fs::path(classes) / (pictures++ % 2 == 0 ? "live" : "spoof");
            fs::create_directories(to);
            fs::copy_file(entry.path(), to / entry.path().filename());
        }
        REQUIRE(
            liven_program("train --model livenessnet --size 16 --epochs 1 --data " + set + " --out " + run).status ==
            0);
        protocol =
            file("p.toml", "models = [\"livenessnet\"]\nprotocols = [\"within\"]\nresamples = 20\n[data]\na = \"" +
                               set + "\"\n[train]\nsize = 16\nepochs = 1\n");
    }

    /// Each command that writes, below or into `out`; a file to write is `out` with an ending.
    std::vector<std::string> commands(const std::string& out) const {
        const std::string judge = model + " --data " + set;
        return {"data synth " + out + " --subjects 3 --frames 1 --size 64",
                "data import folders " + classes + " " + out + ".csv",
                "data split " + set + " " + out + ".csv",
                "data split " + set + " " + out + " --folds 3",
                "data prepare " + set + " " + out + " --size 32",
                "data augment " + set + " --show 1 1 0 -o " + out + ".png",
                "evaluate " + judge + " --resamples 0 --split all --scores " + out + ".csv",
                "evaluate " + judge + " --resamples 0 --split all --errors " + out + ".png",
                "explain " + model + " " + picture + " -o " + out + ".png",
                "features " + judge + " -o " + out + ".svg",
                "report " + run + " --resamples 20 -o " + out + ".html",
                "plan livenessnet --size 16 --batch 1 --memory --svg " + out + ".svg",
                "init livenessnet --size 16 -o " + out + ".safetensors",
                training(out),
                searching(out),
                protocolling(out)};
    }
    std::string training(const std::string& out) const {
        return "train --model livenessnet --size 16 --epochs 1 --tensorboard --data " + set + " --out " + out;
    }
    std::string searching(const std::string& out) const {
        return "search --model livenessnet --size 16 --epochs 1 --trials 1 --vary learning_rate=1e-4..1e-3:log "
               "--data " +
               set + " --out " + out;
    }
    std::string protocolling(const std::string& out) const { return "protocol --config " + protocol + " --out " + out; }
};

/// What is as long as files may be was cut off there.
void check_nothing_half_written(const fs::path& folder, uintmax_t limit) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (!entry.is_regular_file()) continue;
        INFO(entry.path());
        CHECK(entry.path().extension() != ".part");
        CHECK(entry.path().extension() != ".partial");
        CHECK(entry.file_size() < limit);
    }
}

}  // namespace

TEST_CASE("A full disk is one error of every command that writes, the older file stays, and nothing is half written",
          "[slow]") {
    const Inputs inputs;
    for (const std::string& command : inputs.commands("$OUT")) {
        const Folder there;
        for (const char* ending : {".csv", ".png", ".svg", ".html", ".safetensors"})
            there.file(std::string("out") + ending, "older");
        std::string arguments = command;
        arguments.replace(arguments.find("$OUT"), 4, there / "out");
        INFO(command);
        const Outcome said = on_a_full_disk(arguments, 1);
        CAPTURE(said.err);
        CHECK(said.status == 1);
        CHECK(has(said.err, "cannot be written: File too large. Hint: make room"));
        check_nothing_half_written(there.path(), 512);
        for (const auto& entry : fs::directory_iterator(there.path()))
            if (entry.is_regular_file()) CHECK(contents_of(entry.path()) == "older");
        CHECK_FALSE(fs::exists(there / "out/manifest.csv"));
    }
}

TEST_CASE("A disk that is full in the middle of a training is one error, and the same command goes on", "[slow]") {
    const Inputs inputs;
    // Settings, logs and tables fit, checkpoints and pictures do not.
    const int halves = 64;
    const auto undertake = [&](const std::string& command, const std::string& goes_on, const std::string& made) {
        INFO(command);
        const std::string out = inputs / "out";
        const Outcome full = on_a_full_disk(command, halves);
        CAPTURE(full.err);
        CHECK(full.status == 1);
        CHECK(has(full.err, "cannot be written"));
        CHECK((!has(command, "protocol ") || has(full.err, "livenessnet_a_s42 failed: ")));
        check_nothing_half_written(out, halves * 512);
        CHECK_FALSE(fs::exists(out + made));
        const Outcome again = liven_program(goes_on);
        CAPTURE(again.err);
        CHECK(again.status == 0);
        CHECK(fs::exists(out + made));
        fs::remove_all(out);
    };
    const std::string out = inputs / "out";
    undertake(inputs.training(out), "train --resume " + out, "/model.safetensors");
    undertake(inputs.searching(out), inputs.searching(out), "/best.toml");
    undertake(inputs.protocolling(out), inputs.protocolling(out), "/cells/livenessnet_a_s42/result.json");
    undertake("data synth " + out + " --subjects 3 --frames 20 --size 64 --video",
              "data synth " + out + " --subjects 3 --frames 20 --size 64 --video", "/manifest.csv");
}

TEST_CASE("Where nothing may be written is one error before anything is computed, and reading needs no right to write",
          "[slow]") {
    const Inputs inputs;
    const fs::path closed = inputs / "closed";
    fs::create_directory(closed);
    fs::permissions(closed, fs::perms::owner_read | fs::perms::owner_exec);
    std::vector<std::string> commands = inputs.commands((closed / "out").string());
    commands.push_back("audit " + inputs.set + " --grid " + (closed / "out.png").string());
    commands.push_back("audit " + inputs.set + " --measure --out " + (closed / "out").string());
    for (const std::string& command : commands) {
        const Outcome said = without_rights(command);
        INFO(command << " -> " << said.out << said.err);
        // No measure, no line about the data: it is the first thing said.
        CHECK((said.one_clear_error() || has(command, "--measure")));
        CHECK(said.status == 1);
        CHECK(has(said.err, "cannot be written: Permission denied. Hint: choose a place"));
        CHECK(fs::is_empty(closed));
    }
    for (const std::string& folder : {inputs.set, inputs.run})
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::remove);
    for (const std::string& folder : {inputs.set, inputs.run})
        fs::permissions(folder, fs::perms::owner_write, fs::perm_options::remove);
    CHECK(without_rights("report " + inputs.run).one_clear_error());
    CHECK(without_rights("train --resume " + inputs.run).one_clear_error());
    const std::string judge = inputs.model + " --data " + inputs.set;
    for (const std::string& command :
         {"data check " + inputs.set, "data split " + inputs.set + " " + (inputs / "out.csv"),
          "evaluate " + judge + " --resamples 0",
          "explain " + inputs.model + " " + inputs.picture + " -o " + (inputs / "out.png"),
          "report " + inputs.run + " --resamples 20 -o " + (inputs / "out.html"), inputs.training(inputs / "out")}) {
        const Outcome made = without_rights(command);
        INFO(command << " -> " << made.err);
        CHECK(made.status == 0);
    }
    for (const std::string& folder : {inputs.set, inputs.run}) {  // or they could not be removed
        fs::permissions(folder, fs::perms::owner_write, fs::perm_options::add);
        for (const auto& entry : fs::recursive_directory_iterator(folder))
            fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
    }
    fs::permissions(closed, fs::perms::owner_write, fs::perm_options::add);
}

TEST_CASE("Output that cannot be written is an error, not a success without a word") {
    for (const char* command : {"models", "--help", "version"}) {
        const Folder folder;
        const std::string err = folder / "err";
        INFO(command);
        CHECK(WEXITSTATUS(std::system((std::string(LIVEN_PROGRAM) + " " + command + " >/dev/full 2>" + err).c_str())) ==
              1);
        CHECK(has(contents_of(err), "liven: the standard output: cannot be written"));
    }
}

TEST_CASE("A manifest of 100000 rows is divided, checked, planned and trained on in seconds", "[slow]") {
    const Folder folder;
    std::ostringstream rows;
    rows << "path,label,subject,video,attack_type\n";
    for (int i = 0; i < 100'000; ++i)
        rows << "img/" << i << ".png," << (i % 2 ? "live," : "attack,") << 's' << i / 50 << ",v" << i / 10 << ','
             << (i % 2 ? "" : "print") << '\n';
    const std::string set = folder.file("manifest.csv", rows.str()), divided = folder / "divided.csv";
    // Seconds of the processor: one step that takes all rows for each row would need more.
    const auto soon = [](const std::string& arguments) { return liven_program(arguments, "ulimit -t 20;"); };
    const Outcome split = soon("data split " + set + " " + divided);
    CAPTURE(split.err);
    CHECK(split.status == 0);
    CHECK(has(split.out, "train 68000 (34000 bona fide), val 12000 (6000 bona fide), test 20000 (10000 bona fide)"));
    CHECK(soon("data split " + set + " " + (folder / "folds") + " --folds 3").status == 0);
    CHECK(has(soon("data check " + divided).out, "unreadable            100,000"));
    CHECK(has(soon("audit " + divided).out, "100000 unreadable"));
    CHECK(has(soon("data prepare " + set + " " + (folder / "out") + " --dry-run").out, "100"));
    const Outcome training =
        soon("train --model livenessnet --size 16 --data " + divided + " --out " + (folder / "run"));
    CHECK(training.status == 1);
    CHECK(has(training.err, "68000 train / 12000 val / 20000 test images"));
    CHECK(has(training.err, "pictures can be read. Hint: the first one"));
    const std::string config =
        folder.file("p.toml", "models = [\"livenessnet\"]\nprotocols = [\"within\", \"unseen-type\"]\n[data]\na = \"" +
                                  set + "\"\n[train]\nsize = 16\n");
    const Outcome plan = soon("protocol --config " + config + " --out " + (folder / "protocol") + " --plan");
    CAPTURE(plan.err);
    CHECK(plan.status == 0);
    CHECK(has(plan.out, "livenessnet_a_s42   68000 pictures"));
}
