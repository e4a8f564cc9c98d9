#include <catch2/catch.hpp>

#include "liven/data/dataset.hpp"
#include "liven/data/manifest.hpp"
#include "program.hpp"

using namespace liven;

namespace {

/// Six drawn subjects, 36 pictures.
struct DrawnSet {
    Folder folder;
    std::string set = folder / "set";

    DrawnSet() {
        REQUIRE(liven_program("data synth " + set + " --subjects 6 --frames 1 --size 32 --seed 3").status == 0);
    }
};

}  // namespace

TEST_CASE("data prepare writes a set that check reads, does nothing twice, and says in a line what cannot be") {
    const DrawnSet s;
    const std::string out = s.folder / "prepared faces";
    const std::string command = "data prepare " + s.set + " '" + out + "' --size 24 --quality 0.2 --no-gates ";
    const Outcome plan = liven_program(command + "--dry-run");
    CHECK(plan.status == 0);
    CHECK(has(plan.out, "listed"));
    CHECK_FALSE(std::filesystem::exists(out));
    const Outcome made = liven_program(command + "--enhance auto --balance");
    CHECK(made.status == 0);
    CHECK(has(made.out, "balanced"));
    CHECK(has(contents_of(out + "/report.html"), "<svg"));
    CHECK(has(liven_program(command + "--enhance auto --balance").out, "is there already"));
    const data::Dataset set = data::open_dataset(out);
    CHECK(set.size() <= 36);
    CHECK(data::decode(set.samples[0].path).width == 24);
    CHECK(liven_program("data check '" + out + "' --json").status == 0);
    CHECK(liven_program(command + "--enhance photo").one_clear_error());
    CHECK(liven_program("data prepare " + s.set + " " + s.set).one_clear_error());
    for (const char* wrong : {"--size 0", "--size 12x", "--margin 2", "--filter cubic", "--faces yunet"})
        CHECK(liven_program("data prepare " + s.set + " " + (s.folder / "other") + " " + wrong).one_clear_error());
    for (const char* unused :
         {"--detector-model yunet.onnx", "--faces boxes --detector-score .9", "--jpeg-quality 80"}) {
        const Outcome refused = liven_program("data prepare " + s.set + " " + (s.folder / "other") + " " + unused);
        INFO(unused << " -> " << refused.err);
        CHECK(refused.one_clear_error());
        CHECK(has(refused.err, "Hint: add --"));
    }
}

TEST_CASE("data prepare on a full disk is one error, and goes on when there is room") {
    const DrawnSet s;
    const std::string out = s.folder / "out";
    const std::string command =
        std::string(LIVEN_PROGRAM) + " data prepare " + s.set + " " + out + " 2>" + out + ".err";
    // Files of a kilobyte at most: the first picture does not fit.
    CHECK(WEXITSTATUS(std::system(("(trap '' XFSZ; ulimit -f 1; " + command + " >/dev/null)").c_str())) == 1);
    const std::string said = contents_of(out + ".err");
    CHECK(has(said, "cannot be written"));
    CHECK_FALSE(std::filesystem::exists(out + "/manifest.csv"));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(out))
        CHECK(entry.path().extension() != ".part");
    CHECK(std::system((command + " >/dev/null").c_str()) == 0);
    CHECK(data::open_dataset(out).size() == 36);
}

TEST_CASE("data split --config assigns whole sources to splits, and keeps what leaks from passing") {
    const DrawnSet s;
    const std::string other = s.folder / "other", out = s.folder / "combined";
    REQUIRE(liven_program("data synth " + other + " --subjects 4 --frames 1 --size 32 --seed 8").status == 0);
    // Drawn with another seed, its people are others, which only the name of the data set tells.
    data::Dataset people = data::open_dataset(other);
    for (data::Sample& sample : people.samples) sample.dataset = "drawn later";
    data::write_manifest(people, other + "/manifest.csv");
    const std::string file = s.folder.file("sources.toml",
                                           "[sources]\nfirst = \"set\"\nsecond = \"other/manifest.csv\"\n"
                                           "[split]\ntrain = [\"first\"]\nval = [\"second/train\"]\ntest = "
                                           "[\"second/test\"]\n");
    const Outcome made = liven_program("data split --config " + file + " " + out);
    CHECK(made.status == 0);
    CHECK(has(made.err, "warning: "));
    CHECK_FALSE(has(made.out, "warning: "));
    const data::Dataset set = data::open_dataset(out);
    CHECK(set.count(data::Split::train) == 36);
    CHECK(set.samples[0].dataset == "synthetic");
    CHECK(set.samples.back().dataset == "drawn later");
    CHECK(liven_program("data split --config " + file + " " + s.set + " " + out).one_clear_error());
    CHECK(liven_program("data split --config " + file + " " + out + " --folds 3").one_clear_error());
    CHECK(has(liven_program("data split --config " + file + " " + out + " --test-share .3").err, "no share is drawn"));
    CHECK(liven_program("data split " + s.set).one_clear_error());
    const std::string wrong =
        s.folder.file("wrong.toml", "[sources]\nfirst = \"set\"\n[split]\ntraining = [\"first\"]\n");
    CHECK(liven_program("data split --config " + wrong + " " + out).one_clear_error());
    // The person is in train and test.
    const std::string torn = s.folder.file("torn.toml",
                                           "[sources]\nfirst = \"torn.csv\"\n[split]\ntrain = [\"first/train\"]\n"
                                           "test = [\"first/test\"]\n");
    s.folder.file("torn.csv", "path,label,subject,split\n1.png,bonafide,anna,train\n2.png,attack,anna,test\n");
    CHECK(has(liven_program("data split --config " + torn + " " + out).err, "more than one split"));
    // So is one in two sources of one data set, which two manifests of it are.
    s.folder.file("one.csv", "path,label,subject,dataset\n1.png,bonafide,anna,oulu\n2.png,attack,ben,oulu\n");
    s.folder.file("two.csv", "path,label,subject,dataset\n3.png,bonafide,anna,oulu\n4.png,attack,carl,oulu\n");
    const std::string halves = s.folder.file("halves.toml",
                                             "[sources]\none = \"one.csv\"\ntwo = \"two.csv\"\n"
                                             "[split]\ntrain = [\"one\"]\ntest = [\"two\"]\n");
    CHECK(has(liven_program("data split --config " + halves + " " + out).err, "subject anna (train 1, test 1)"));
}
