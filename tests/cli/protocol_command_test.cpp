#include <catch2/catch.hpp>

#include "liven/data/dataset.hpp"
#include "liven/data/manifest.hpp"
#include "program.hpp"

namespace {

/// Two small sets and a configuration of them.
struct Sets : Folder {
    std::string config;

    explicit Sets(const std::string& more = "") {
        for (const char* name : {"a", "b"})
            REQUIRE(liven_program("data synth " + (*this / name) + " --subjects 6 --frames 1 --size 32 --seed " +
                                  (name[0] == 'a' ? "1" : "2"))
                        .status == 0);
        config =
            file("p.toml", "models = [\"livenessnet\"]\nresamples = 20\n" + more + "[data]\na = \"" + (*this / "a") +
                               "\"\nb = \"" + (*this / "b") + "\"\n[train]\nsize = 16\nepochs = 1\n");
    }
};

}  // namespace

TEST_CASE("protocol says what it would train, does it, and does not do it twice") {
    const Sets sets("protocols = [\"within\", \"cross\"]\n");
    const std::string command = "protocol --config " + sets.config + " --out " + (sets / "out");
    const Outcome plan = liven_program(command + " --plan");
    CHECK(plan.status == 0);
    CHECK(has(plan.out, "livenessnet_a_s42   24 pictures x 1 epochs, tested on a b"));
    const Outcome first = liven_program(command + " --jobs 2");
    CHECK(first.status == 0);
    CHECK(has(first.err, "2 trainings, 0 of them finished"));
    CHECK(has(first.out, "protocol.html"));
    const std::string tables = contents_of(sets / "out/tables/tables.md");
    CHECK(has(tables, "Within-set performance"));
    const Outcome second = liven_program(command);
    CHECK(second.status == 0);
    CHECK(has(second.err, "2 trainings, 2 of them finished"));
    CHECK(contents_of(sets / "out/tables/tables.md") == tables);
}

TEST_CASE("A protocol's trainings heed the program's own options") {
    const Sets sets("protocols = [\"within\"]\n");
    const auto messages = [&](const std::string& options, const std::string& out) {
        REQUIRE(liven_program(options + " protocol --config " + sets.config + " --out " + out).status == 0);
        return contents_of(out + "/cells/livenessnet_a_s42/messages.txt");
    };
    CHECK(has(messages("--verbose 1", sets / "planned"), "plan: "));
    const std::string reference = messages("--verbose 1 --executor reference", sets / "reference");
    CHECK(has(reference, "data  "));
    CHECK_FALSE(has(reference, "plan: "));
}

TEST_CASE("A protocol whose cell fails names it, goes on and ends with status 1") {
    const Sets sets("protocols = [\"within\"]\n");
    const std::string config =
        sets.file("bad.toml", contents_of(sets.config) + "[on.a]\noptimizer = \"sgd\"\nlearning_rate = 1e30\n");
    const Outcome outcome = liven_program("protocol --config " + config + " --out " + (sets / "out"));
    CHECK(outcome.status == 1);
    CHECK(has(outcome.err, "livenessnet_a_s42 failed: "));
    CHECK(has(contents_of(sets / "out/tables/k07.md"), "undefined (livenessnet_a_s42 is not finished)"));
    CHECK(has(contents_of(sets / "out/tables/k07.md"), "| LivenessNet | b | 0."));
}

TEST_CASE("A mistake in a protocol's configuration is one line before anything is trained") {
    const Folder folder;
    const std::string config = folder.file("p.toml", "models = [\"livenesnet\"]\n");
    const Outcome outcome = liven_program("protocol --config " + config + " --out " + (folder / "out"));
    CHECK(outcome.one_clear_error());
    CHECK(has(outcome.err, "p.toml:1"));
    CHECK(has(outcome.err, "did you mean 'livenessnet'"));
    CHECK_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_CASE("search ends with a command that trains by what was best") {
    const Sets sets;
    const Outcome outcome =
        liven_program("search --model livenessnet --size 16 --epochs 1 --trials 2 --data " + (sets / "a") +
                      " --vary learning_rate=1e-4..1e-2:log dropout=0..0.5 --out '" + (sets / "my search") + "'");
    CHECK(outcome.status == 0);
    const size_t at = outcome.out.find("train   liven ");
    REQUIRE(at != std::string::npos);
    const std::string command = outcome.out.substr(at + 14, outcome.out.find('\n', at) - at - 14);
    CHECK(liven_program(command).status == 0);
    CHECK(std::filesystem::exists(sets / "my search/best/model.safetensors"));
    CHECK(liven_program("search --data " + (sets / "a") + " --vary lerning_rate=1..2 --out " + (sets / "other"))
              .one_clear_error());
}

TEST_CASE("search takes a set whose own split leaks for a reason alone") {
    const Sets sets;
    liven::data::Dataset set = liven::data::open_dataset(sets / "a");
    for (liven::data::Sample& sample : set.samples) sample.subject = "one", sample.target.clear(), sample.video.clear();
    const std::string leaking = sets / "leaking.csv";
    liven::data::write_manifest(set, leaking);
    const std::string command = "search --model livenessnet --size 16 --epochs 1 --trials 1 --data " + leaking +
                                " --vary dropout=0..0.5 --out " + (sets / "search");
    CHECK(has(liven_program(command).err, "more than one split"));
    CHECK(liven_program(command + " --allow-leak 'to see it'").status == 0);
}

TEST_CASE("audit --measure tells by how much a split by image flatters") {
    const Sets sets;
    const Outcome outcome = liven_program("audit " + (sets / "a") + " --measure --size 16 --epochs 1");
    CHECK(outcome.status == 0);
    for (const char* part : {"How much a split by image flatters", "| by image |", "| by group |", "| difference |"})
        CHECK(has(outcome.out, part));
}
