#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "liven/io/event_file.hpp"
#include "tests/child_process.hpp"
#include "tests/temporary.hpp"

// The program itself is run, killed and run again: what a user's machine does to it.

namespace fs = std::filesystem;

namespace {

/// Starts the program and kills it after so many milliseconds; true when it was still running.
bool run_and_kill(const std::string& arguments, int milliseconds) {
    const pid_t child = start(arguments);
    ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
}

}  // namespace

TEST_CASE("A run killed at random moments ends with the bytes of one that was not", "[slow]") {
    const TemporaryFolder folder;
    const std::string set = (folder / "set").string();
    REQUIRE(run("data synth " + set + " --subjects 6 --frames 2 --size 32 --seed 3") == 0);
    const auto train = [&](const char* name) {
        return "train --model attacknet-v2.2 --data " + set +
               " --size 32 --epochs 16 --batch 8 --checkpoint-every 2 --seed 5 --threads 1 --out " +
               (folder / name).string();
    };
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(run(train("whole")) == 0);
    const auto whole_time =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
    const fs::path killed = folder / "killed";
    // Shares of the whole run's time, so that a fast machine is interrupted too.
    int kills = 0;
    for (const double share : {0.45, 0.3, 0.4, 0.35, 0.5}) {
        const bool begun = fs::exists(killed / "config.toml");
        const std::string arguments = begun ? "train --resume " + killed.string() + " --threads 1" : train("killed");
        kills += run_and_kill(arguments, static_cast<int>(share * static_cast<double>(whole_time))) ? 1 : 0;
    }
    CHECK(kills >= 2);
    if (!fs::exists(killed / "config.toml")) REQUIRE(run(train("killed")) == 0);
    REQUIRE(run("train --resume " + killed.string() + " --threads 2") == 0);
    const std::string whole = contents_of(folder / "whole" / "model.safetensors");
    CHECK(!whole.empty());
    CHECK(whole == contents_of(killed / "model.safetensors"));
}

TEST_CASE("A training of clips killed within an epoch ends with the bytes of one that was not", "[slow]") {
    const TemporaryFolder folder;
    const std::string set = (folder / "set").string();
    REQUIRE(run("data synth " + set +
                " --subjects 6 --bonafide-videos 1 --attack-videos 1 --frames 6 --size 32 --video "
                "--seed 3") == 0);
    const auto train = [&](const char* name) {
        return "train --model resnet50-gru --data " + set +
               " --size 32 --frames 3 --clips-per-video 2 --epochs 2 --batch 2 --checkpoint-every 2 --seed 5 --threads "
               "1 "
               "--option train_from=layer4 --option units=8 --option hidden=8 --tensorboard --out " +
               (folder / name).string();
    };
    REQUIRE(run(train("whole")) == 0);
    const fs::path killed = folder / "killed", checkpoints = killed / "checkpoints";
    const auto newest = [&] {
        std::string name;
        if (fs::exists(checkpoints))
            for (const fs::directory_entry& entry : fs::directory_iterator(checkpoints))
                if (entry.path().extension() == ".safetensors") name = std::max(name, entry.path().filename().string());
        return name;
    };
    // Each time as soon as it is one checkpoint further: an epoch has several.
    for (const bool first : {true, false}) {
        const std::string before = newest();
        const pid_t child = start(first ? train("killed") : "train --resume " + killed.string() + " --threads 1");
        int status = 0;
        while (newest() == before && ::waitpid(child, &status, WNOHANG) == 0) ::usleep(1000);
        ::kill(child, SIGKILL);
        ::waitpid(child, &status, 0);
        CHECK(WIFSIGNALED(status));
        CHECK_FALSE(fs::exists(killed / "model.safetensors"));
        CHECK(contents_of(killed / "log.jsonl").empty());  // no epoch is over
    }
    REQUIRE(run("train --resume " + killed.string() + " --threads 2") == 0);
    const std::string whole = contents_of(folder / "whole" / "model.safetensors");
    CHECK(!whole.empty());
    CHECK(whole == contents_of(killed / "model.safetensors"));
    // The log for TensorBoard went on with the run by itself.
    const auto steps = [](const fs::path& file) {
        std::vector<int64_t> of;
        for (const liven::Event& event : liven::read_events(file)) of.push_back(event.step);
        return of;
    };
    CHECK(steps(folder / "whole" / "events.out.tfevents.liven").size() == 2);
    CHECK(steps(killed / "events.out.tfevents.liven") == steps(folder / "whole" / "events.out.tfevents.liven"));
}

TEST_CASE("Control-C ends the step, writes a checkpoint and exits with 130; the run goes on from there", "[slow]") {
    const TemporaryFolder folder;
    const std::string set = (folder / "set").string();
    const fs::path out = folder / "run";
    REQUIRE(run("data synth " + set + " --subjects 6 --frames 1 --size 32 --seed 3") == 0);
    const pid_t child = start("train --model livenessnet --data " + set +
                              " --size 32 --epochs 2000 --batch 8 --threads 1 --out " + out.string());
    int status = 0;
    while (!fs::exists(out / "log.jsonl") && ::waitpid(child, &status, WNOHANG) == 0) ::usleep(1000);
    ::kill(child, SIGINT);
    ::waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 130);
    CHECK_FALSE(fs::is_empty(out / "checkpoints"));
    CHECK_FALSE(fs::exists(out / "model.safetensors"));
    // It says so when the settings are changed in between.
    std::string settings = contents_of(out / "config.toml");
    const size_t place = settings.find("warm_up = 0");
    REQUIRE(place != std::string::npos);
    settings.replace(place, 11, "warm_up = 3");
    std::ofstream(out / "config.toml") << settings;
    CHECK(run("train --resume " + out.string()) == 1);
}

TEST_CASE("Control-C in audit --measure exits with 130 and leaves no temporary folder", "[slow]") {
    const TemporaryFolder folder;
    const std::string set = (folder / "set").string();
    const fs::path temporary = folder / "temporary";
    REQUIRE(run("data synth " + set + " --subjects 6 --frames 1 --size 32 --seed 3") == 0);
    fs::create_directory(temporary);
    const char* before = std::getenv("TMPDIR");
    const std::string own = before ? before : "";
    ::setenv("TMPDIR", temporary.c_str(), 1);
    const pid_t child = start("audit " + set + " --measure --size 32 --epochs 20000 --threads 1");
    before ? ::setenv("TMPDIR", own.c_str(), 1) : ::unsetenv("TMPDIR");
    const auto training = [&] {
        for (const auto& entry : fs::directory_iterator(temporary))
            if (fs::exists(entry.path() / "by-image-seed42" / "log.jsonl")) return true;
        return false;
    };
    int status = 0;
    while (!training() && ::waitpid(child, &status, WNOHANG) == 0) ::usleep(1000);
    ::kill(child, SIGINT);
    ::waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 130);
    CHECK(fs::is_empty(temporary));
}

TEST_CASE("Wrong use and failures have their own exit status", "[slow]") {
    const TemporaryFolder folder;
    CHECK(run("train --epochs 3") == 2);
    CHECK(run("summary no-such-model") == 1);
    CHECK(run("train --resume " + folder.path().string()) == 1);
    CHECK(run("evaluate " + (folder / "none.safetensors").string() + " --data " + folder.path().string()) == 1);
    CHECK(run("summary attacknet-v2.2 --json") == 0);
}

TEST_CASE("Damaged model files are one clear error", "[slow]") {
    const TemporaryFolder folder;
    const fs::path model = folder / "model.safetensors";
    REQUIRE(run("init livenessnet --size 32 --seed 1 --output " + model.string()) == 0);
    const std::string good = contents_of(model);
    const auto broken = [&](const std::string& bytes) {
        std::ofstream(model, std::ios::binary) << bytes;
        return run("evaluate " + model.string() + " --data " + folder.path().string());
    };
    CHECK(broken(good.substr(0, good.size() / 2)) == 1);
    CHECK(broken("") == 1);
    CHECK(broken(std::string(4096, 'x')) == 1);
    std::string flipped = good;
    flipped[flipped.size() - 4000] = static_cast<char>(flipped[flipped.size() - 4000] ^ 0x40);
    CHECK(broken(flipped) == 1);
}
