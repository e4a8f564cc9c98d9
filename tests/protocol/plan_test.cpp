#include "liven/protocol/plan.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "helpers.hpp"
#include "liven/core/error.hpp"
#include "liven/data/manifest.hpp"
#include "liven/data/split.hpp"
#include "liven/protocol/cell.hpp"

using namespace liven;
using namespace liven::protocol;

namespace {

std::vector<std::string> ids_of(const Plan& plan) {
    std::vector<std::string> ids;
    for (const Cell& cell : plan.cells) ids.push_back(cell.id);
    return ids;
}

std::vector<std::string> targets_of(const Cell& cell) {
    std::vector<std::string> names;
    for (const Target& target : cell.targets) names.push_back(target.name);
    return names;
}

const Cell& cell_of(const Plan& plan, const std::string& id) {
    const auto found = std::find_if(plan.cells.begin(), plan.cells.end(), [&](const Cell& c) { return c.id == id; });
    REQUIRE(found != plan.cells.end());
    return *found;
}

/// What a hostile configuration is answered with.
std::string refusal(const std::string& toml) {
    try {
        ProtocolSettings::read(Config::parse(toml, "p.toml"));
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("A model is trained once on a set, whatever is asked of it") {
    const TwoSets sets;
    const Plan plan =
        make_plan(sets.settings("models = [\"livenessnet\", \"attacknet-v2.2\"]\nseeds = [1, 2]"), sets.folder / "out");
    CHECK(plan.cells.size() == 3 * 2 * 2);
    const Cell& within = cell_of(plan, "livenessnet_csmad_s1");
    CHECK(targets_of(within) == std::vector<std::string>{"csmad", "msspoof"});
    CHECK(within.trained_types == std::vector<std::string>{"mask", "print", "replay"});
    CHECK(targets_of(cell_of(plan, "attacknet-v2.2_combined_s2")) ==
          std::vector<std::string>{"combined", "csmad", "msspoof"});
    const auto ids = ids_of(plan);
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == ids.size());
}

TEST_CASE("The combined set represents its parts equally and keeps people on their side") {
    const TwoSets sets;
    const Plan plan =
        make_plan(sets.settings("models = [\"livenessnet\"]\nprotocols = [\"combined\"]"), sets.folder / "out");
    const data::Dataset all = data::open_dataset(sets.folder / "out/data/combined.csv");
    int64_t a = 0, b = 0;
    for (const data::Sample& sample : all.samples) ++(sample.dataset.rfind("csmad", 0) == 0 ? a : b);
    CHECK(b == 36);  // the smaller set, whole
    // The larger has 54 pictures; drawn down to the median, about 45, in people of 6 pictures, by split.
    CHECK(a >= 36);
    CHECK(a <= 48);
    CHECK(data::find_leaks(all).empty());
    for (const NamedData& set : sets.settings("models = [\"livenessnet\"]").data) {
        const data::Dataset alone = data::open_dataset(sets.folder / ("out/data/" + set.name + ".csv"));
        for (const data::Sample& sample : all.samples)
            for (const data::Sample& same : alone.samples)
                if (same.path == sample.path) CHECK(same.split == sample.split);
    }
}

TEST_CASE("Sets that share a picture are refused by both names") {
    TwoSets sets;
    data::Dataset more = data::open_dataset(sets.b);
    more.samples.push_back(data::open_dataset(sets.a).samples[0]);
    sets.b = (sets.folder / "b-and-one.csv").string();
    data::write_manifest(more, sets.b);
    CHECK_THROWS_WITH(make_plan(sets.settings("models = [\"livenessnet\"]"), sets.folder / "out"),
                      Catch::Contains("csmad") && Catch::Contains("msspoof") && Catch::Contains("share the file"));
}

TEST_CASE("An attack left out is in no training sample and alone among the attacks tested") {
    const TwoSets sets;
    const Plan plan =
        make_plan(sets.settings("models = [\"livenessnet\"]\nprotocols = [\"unseen-type\", \"cross-type\"]"),
                  sets.folder / "out");
    const Cell& cell = cell_of(plan, "livenessnet_csmad-without-mask_s42");
    CHECK(targets_of(cell) == std::vector<std::string>{"csmad-without-mask", "msspoof"});
    CHECK(cell.trained_types == std::vector<std::string>{"print", "replay"});
    for (const data::Sample& sample : data::open_dataset(cell.settings.data).samples)
        if (sample.label == data::Label::attack)
            CHECK((sample.attack_type == "mask") == (sample.split == data::Split::test));
}

TEST_CASE("Each fold is tested once and all sets but one are pooled for the unseen one") {
    const TwoSets sets;
    const Plan plan =
        make_plan(sets.settings("models = [\"livenessnet\"]\nfolds = 3\nprotocols = [\"within\", \"unseen-set\"]"),
                  sets.folder / "out");
    CHECK(plan.cells.size() == 3 * (2 + 2));
    std::set<std::string> tested;
    for (int fold = 1; fold <= 3; ++fold)
        for (const data::Sample& sample :
             data::open_dataset(sets.folder / ("out/data/csmad-fold" + std::to_string(fold) + ".csv")).samples)
            if (sample.split == data::Split::test) CHECK(tested.insert(sample.path.string()).second);
    CHECK(tested.size() == 54);
    const Cell& pooled = cell_of(plan, "livenessnet_all-but-csmad_s42_f2");
    CHECK(targets_of(pooled) == std::vector<std::string>{"csmad"});
    for (const data::Sample& sample : data::open_dataset(pooled.settings.data).samples)
        CHECK(sample.dataset.rfind("msspoof", 0) == 0);
}

TEST_CASE("A plan is the same the second time, and a cell is read back as it was") {
    const TwoSets sets;
    const ProtocolSettings settings = sets.settings("models = [\"attacknet-v2.2\"]");
    const Plan first = make_plan(settings, sets.folder / "out");
    const std::string written = contents_of(sets.folder / "out/plan.json");
    make_plan(settings, sets.folder / "out");
    CHECK(contents_of(sets.folder / "out/plan.json") == written);
    for (const Cell& cell : first.cells) {
        const Cell back = read_cell(sets.folder / "out", cell.id);
        CHECK(back.settings.to_config().str() == cell.settings.to_config().str());
        CHECK(back.key == cell.key);
        CHECK(targets_of(back) == targets_of(cell));
    }
    CHECK_THROWS_AS(read_cell(sets.folder / "out", "nobody"), Error);
}

TEST_CASE("Recipe, [train], [model] and [on] override each other in this order") {
    const TwoSets sets;
    const ProtocolSettings settings =
        sets.settings("models = [\"livenessnet\", \"attacknet-v2.2\"]\nallow_leak = \"why\"",
                      "recipe = \"paper-k\"\n[model.attacknet-v2.2]\nbatch = 4\n"
                      "model_options.dropout = \"0.3\"\n[on.combined]\nbatch = 2\n");
    const TrainSettings csmad = settings.training("livenessnet", "csmad", 7);
    CHECK(csmad.recipe == "paper-k-csmad");
    CHECK(csmad.learning_rate == 7e-8);  // K's table 6
    CHECK(csmad.batch == 8);
    CHECK(csmad.epochs == 1);
    CHECK(csmad.seed == 7);
    CHECK(csmad.allow_leak == "why");
    CHECK(settings.training("attacknet-v2.2", "csmad", 7).batch == 4);
    CHECK(settings.training("attacknet-v2.2", "csmad", 7).model_options.at("dropout") == "0.3");
    const TrainSettings combined = settings.training("attacknet-v2.2", "combined", 7);
    CHECK(combined.recipe == "paper-k-combined");
    CHECK(combined.batch == 2);
}

TEST_CASE("A mistake in the configuration is one line with its place, its key and what was meant") {
    const TwoSets sets;
    const auto refused = [&](const std::string& top, const std::string& below, const std::vector<const char*>& parts) {
        const std::string answer = refusal(sets.toml(top, below));
        CAPTURE(top, below, answer);
        CHECK(answer.find('\n') == std::string::npos);
        for (const char* part : parts) CHECK(says(answer, part));
    };
    const std::string models = "models = [\"livenessnet\"]";
    refused("", "", {"models"});
    refused("models = [\"livenesnet\"]", "", {"p.toml:1", "livenesnet", "did you mean 'livenessnet'"});
    refused("models = [\"livenessnet\", \"livenessnet\"]", "", {"p.toml:1", "twice"});
    refused("models = \"livenessnet\"", "", {"p.toml:1", "models"});
    refused(models + "\nseed = 3", "", {"p.toml:2", "seed", "did you mean 'seeds'"});
    refused(models + "\nseeds = []", "", {"p.toml:2", "seeds"});
    refused(models + "\nseeds = [-1]", "", {"p.toml:2", "seeds"});
    refused(models + "\nfolds = 1", "", {"p.toml:2", "folds"});
    refused(models + "\nprotocols = [\"crosss\"]", "", {"p.toml:2", "crosss", "did you mean 'cross'"});
    refused(models + "\nthreshold = \"0.5\"", "", {"p.toml:2", "threshold", "minimum-acer"});
    refused(models, "epoch = 3", {"epoch", "did you mean 'epochs'"});
    refused(models, "learning_rate = -1", {"learning_rate"});
    refused(models, "seed = 3", {"seed", "top"});
    refused(models, "recipe = \"papr-k\"", {"papr-k"});
    refused(models, "recipe = \"paper-m-x\"", {"paper-m-x", "paper-m"});
    refused(models, "model_options.drop = \"1\"", {"drop"});
    refused(models, "[model.livenesnet]\nbatch = 1", {"livenesnet", "did you mean 'livenessnet'"});
    refused(models, "[on.csmd]\nbatch = 1", {"csmd", "did you mean 'csmad'"});
    refused(models, "[trian]\nbatch = 1", {"trian"});
    refused(models, "[train", {"p.toml"});
    CHECK(says(refusal(models), "[data]"));
    CHECK(says(refusal(models + "\n[data]\nx = \"/nowhere\""), "/nowhere"));
    CHECK(says(refusal(models + "\n[data]\n\"a b\" = \"/tmp\""), "a b"));
    CHECK(says(refusal(models + "\n[data]\ncombined = \"/tmp\""), "combined"));
    CHECK(says(refusal(models + "\n[data]\nmsu-mfsd = \"/tmp\"\nMSU_MFSD = \"/tmp\""), "one name"));
    CHECK(says(refusal(models + "\n[data]\nx = \"/tmp\""), "another set"));
}

TEST_CASE("A picture that is replaced changes the keys of the cells that see it, and none of theirs runs by the plan") {
    const TwoSets sets;
    const ProtocolSettings settings = sets.settings("models = [\"livenessnet\"]\nprotocols = [\"within\"]");
    const Plan before = make_plan(settings, sets.folder / "out");
    const std::filesystem::path picture = data::open_dataset(before.cells[0].settings.data).samples[0].path;
    std::ofstream(picture, std::ios::app) << "more";
    CHECK_THROWS_WITH(run_cell(before.cells[0], before.folder(before.cells[0])),
                      Catch::Matchers::Contains("no longer those that were planned"));
    const Plan after = make_plan(settings, sets.folder / "out");
    CHECK(after.cells[0].key != before.cells[0].key);
    CHECK(after.cells[1].key == before.cells[1].key);
}

TEST_CASE("A file of pretrained weights that is replaced changes the keys of the cells that start from it") {
    const TwoSets sets;
    const std::filesystem::path weights = sets.folder / "weights.safetensors";
    std::ofstream(weights) << "some";
    const ProtocolSettings settings = sets.settings("models = [\"resnet50-gru\"]\nprotocols = [\"within\"]",
                                                    "[on.csmad]\npretrained = \"" + weights.string() + "\"\n");
    const Plan before = make_plan(settings, sets.folder / "out");
    CHECK(make_plan(settings, sets.folder / "out").cells[0].key == before.cells[0].key);
    std::ofstream(weights, std::ios::app) << " more";
    CHECK_THROWS_WITH(run_cell(before.cells[0], before.folder(before.cells[0])),
                      Catch::Matchers::Contains("pretrained weights are no longer those that were planned"));
    const Plan after = make_plan(settings, sets.folder / "out");
    CHECK(after.cells[0].key != before.cells[0].key);
    CHECK(after.cells[1].key == before.cells[1].key);
}

TEST_CASE("No two sets of a protocol share a name") {
    const TwoSets sets;
    const std::string tables = "[data]\na = \"" + sets.a + "\"\na-without-mask = \"" + sets.b + "\"\n";
    const auto settings = ProtocolSettings::read(
        Config::parse("models = [\"livenessnet\"]\nprotocols = [\"unseen-type\"]\n" + tables, "p.toml"));
    CHECK_THROWS_WITH(make_plan(settings, sets.folder / "out"),
                      Catch::Matchers::Contains("'a-without-mask'") && Catch::Matchers::Contains("other names"));
}

TEST_CASE("Attacks without a type and those of type untyped are two") {
    const TwoSets sets;
    data::Dataset set = data::open_dataset(sets.a);
    for (data::Sample& sample : set.samples)
        if (sample.attack_type == "mask")
            sample.attack_type = "";
        else if (sample.attack_type == "print")
            sample.attack_type = "untyped";
    data::write_manifest(set, sets.folder / "renamed.csv");
    const auto settings = ProtocolSettings::read(
        Config::parse("models = [\"livenessnet\"]\nprotocols = [\"unseen-type\"]\n[data]\na = \"" +
                          (sets.folder / "renamed.csv").string() + "\"\n",
                      "p.toml"));
    const auto ids = ids_of(make_plan(settings, sets.folder / "out"));
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 3);
}

TEST_CASE("A set that cannot be written stops the plan, one that cannot do without a type is noted in every fold") {
    const TwoSets sets;
    const std::string top = "models = [\"livenessnet\"]\nprotocols = [\"unseen-type\"]";
    std::filesystem::create_directories(sets.folder / "full/data/csmad-without-mask.csv/taken");
    CHECK_THROWS_AS(make_plan(sets.settings(top), sets.folder / "full"), Error);
    data::Dataset set = data::open_dataset(sets.a);
    std::erase_if(set.samples, [](const data::Sample& sample) {
        return sample.label == data::Label::attack && sample.attack_type != "mask";
    });
    data::write_manifest(set, sets.folder / "masks.csv");
    const auto settings = ProtocolSettings::read(
        Config::parse(top + "\nfolds = 2\n[data]\na = \"" + (sets.folder / "masks.csv").string() + "\"\n", "p.toml"));
    const Plan plan = make_plan(settings, sets.folder / "out");
    CHECK(std::count_if(plan.notes.begin(), plan.notes.end(),
                        [](const std::string& note) { return note.rfind("a, fold ", 0) == 0; }) == 2);
}

TEST_CASE("The settings of a protocol come back from what they are written as") {
    const TwoSets sets;
    const std::string top =
        "models = [\"attacknet-v2.2\"]\nseeds = [7, 8]\nfolds = 3\nsplit_seed = 5\ngroup_by = \"video\"\nallow_leak = "
        "\"why\"\n"
        "protocols = [\"cross\", \"unseen-type\"]\nthreshold = \"equal-error-rate\"\ncompare = \"auc\"\nunits = "
        "\"folds\"\n"
        "resamples = 33";
    const ProtocolSettings settings = sets.settings(
        top, "[model.attacknet-v2.2]\nbatch = 3\nmodel_options.dropout = \"0.3\"\n[on.csmad]\nlearning_rate = 0.25\n");
    const std::string text = settings.to_config().str();
    const ProtocolSettings again = ProtocolSettings::read(Config::parse(text, "again"));
    CHECK(again.to_config().str() == text);
    CHECK(again.seeds == std::vector<int64_t>{7, 8});
    CHECK(again.folds == 3);
    CHECK(again.split_seed == 5);
    CHECK(again.group_by == "video");
    CHECK(again.allow_leak == "why");
    CHECK(again.questions.cross);
    CHECK(again.questions.unseen_type);
    CHECK_FALSE(again.questions.within);
    CHECK(again.threshold == ThresholdRule::equal_error_rate);
    CHECK(again.compare == "auc");
    CHECK(again.units == Units::folds);
    CHECK(again.resamples == 33);
    for (const char* source : {"csmad", "msspoof"})
        CHECK(again.training("attacknet-v2.2", source, 7).to_config().str() ==
              settings.training("attacknet-v2.2", source, 7).to_config().str());
    CHECK(again.training("attacknet-v2.2", "csmad", 7).learning_rate == 0.25);
    CHECK(again.training("attacknet-v2.2", "csmad", 7).batch == 3);
}

TEST_CASE("A plan comes back from its folder, also when the data is gone") {
    const TwoSets sets;
    const ProtocolSettings settings = sets.settings(
        "models = [\"livenessnet\"]\nseeds = [1, 2]\nprotocols = [\"within\", \"cross\", \"combined\", \"unseen-set\", "
        "\"unseen-type\"]");
    const std::filesystem::path out = sets.folder / "out";
    const Plan plan = make_plan(settings, out);
    for (const std::string& set : {sets.a, sets.b}) std::filesystem::remove_all(set);
    const Plan again = read_plan(out);
    REQUIRE(again.cells.size() == plan.cells.size());
    for (size_t i = 0; i < plan.cells.size(); ++i) {
        const Cell &a = plan.cells[i], &b = again.cells[i];
        CHECK(a.id == b.id);
        CHECK(a.model == b.model);
        CHECK(a.source.kind == b.source.kind);
        CHECK(a.source.name == b.source.name);
        CHECK(a.source.set == b.source.set);
        CHECK(a.source.type == b.source.type);
        CHECK(a.seed == b.seed);
        CHECK(a.fold == b.fold);
        CHECK(a.key == b.key);
        CHECK(a.settings.to_config().str() == b.settings.to_config().str());
        CHECK(targets_of(a) == targets_of(b));
        CHECK(a.trained_types == b.trained_types);
        CHECK(a.train_images == b.train_images);
        CHECK(a.test_images == b.test_images);
    }
    REQUIRE(again.sets.size() == plan.sets.size());
    for (size_t i = 0; i < plan.sets.size(); ++i) {
        CHECK(again.sets[i].name == plan.sets[i].name);
        CHECK(again.sets[i].train == plan.sets[i].train);
        CHECK(again.sets[i].val == plan.sets[i].val);
        CHECK(again.sets[i].test == plan.sets[i].test);
        CHECK(again.sets[i].ungrouped == plan.sets[i].ungrouped);
        CHECK(again.sets[i].leak_reason == plan.sets[i].leak_reason);
    }
    CHECK(again.notes == plan.notes);
    CHECK(read_settings(out).to_config().str() == settings.to_config().str());
    CHECK_THROWS_WITH(ProtocolSettings::read(Config::read(out / "protocol.toml")), Catch::Contains("does not exist"));
    std::filesystem::remove(out / "protocol.toml");
    CHECK_THROWS_WITH(read_settings(out), Catch::Contains("an earlier Liven") && Catch::Contains("--tables"));
    CHECK_THROWS_WITH(read_plan(sets.folder / "none"), Catch::Contains("no protocol here"));
}
