#include <catch2/catch.hpp>

#include "liven/data/dataset.hpp"
#include "liven/data/image.hpp"
#include "liven/io/event_file.hpp"
#include "program.hpp"

// data, evaluate, predict, train: sets of pictures in, measures out.

using namespace liven;

namespace {

/// Six drawn subjects and an untrained model.
struct Set {
    Folder folder;
    std::string set = folder / "set", model = folder / "model.safetensors";

    Set() {
        REQUIRE(liven_program("data synth " + set + " --subjects 6 --frames 1 --size 32 --seed 3").status == 0);
        REQUIRE(liven_program("init livenessnet --size 32 --seed 1 --output " + model).status == 0);
    }
    std::string picture(size_t i = 0) const { return data::open_dataset(set).samples[i].path.string(); }
    /// A manifest of twelve pictures, of one person in two splits.
    std::string leaking() const {
        std::string rows = "path,label,subject,split\n";
        for (size_t i = 0; i < 12; ++i)
            rows += picture(i) + (i % 2 ? ",attack" : ",bonafide") + ",one" + (i < 6 ? ",train\n" : ",test\n");
        return folder.file("leaking.csv", rows);
    }
};

}  // namespace

TEST_CASE("data synth says what it drew and data check counts the same") {
    const Set s;
    const Outcome again = liven_program("data synth " + s.set + " --subjects 6 --frames 1 --size 32 --seed 3");
    CHECK(again.status == 0);
    CHECK(has(again.out, "36 pictures, 18 bona fide, 18 attacks"));
    CHECK(liven_program("data synth " + s.set + " --subjects 7 --frames 1 --size 32").one_clear_error());
    const Outcome check = liven_program("data check " + s.set + " --json");
    CHECK(check.status == 0);
    const Json json = check.json();
    CHECK(json.is_object());
    const Outcome table = liven_program("data check " + s.set);
    CHECK(table.status == 0);
    for (const char* word : {"print", "replay", "mask", "train", "test"}) {
        INFO(word);
        CHECK(has(check.out, word));
        CHECK(has(table.out, word));
    }
    CHECK(liven_program("data check " + (s.folder / "nowhere")).one_clear_error());
}

TEST_CASE("data import lists its sets, writes a manifest that check reads, and says what does not fit") {
    const Folder folder;
    const Outcome list = liven_program("data import --list");
    CHECK(list.status == 0);
    for (const char* word : {"replay-attack", "3dmad", "wmca", "ClientRaw", "grandtest"}) CHECK(has(list.out, word));
    const std::string tree = folder / "set", out = folder / "out";
    for (const char* name : {"live", "spoof"}) {
        std::filesystem::create_directories(tree + "/" + name + "/anna");
        data::write(data::Image(8, 8), tree + "/" + name + "/anna/1.png");
    }
    const Outcome made = liven_program("data import folders " + tree + " " + out);
    CHECK(made.status == 0);
    CHECK(has(made.out, "2 rows, 1 bona fide, 1 attacks"));
    CHECK(liven_program("data check " + out + " --json").status == 0);
    CHECK(liven_program("data import nuaa " + tree + " " + out).one_clear_error());
    CHECK(liven_program("data import nuaa").one_clear_error());
    CHECK(liven_program("data import no-such-set " + tree + " " + out).one_clear_error());
}

TEST_CASE("data split writes folds and sets without an attack; audit counts look-alikes and draws them") {
    const Set s;
    const std::string out = s.folder / "divided", grid = s.folder / "grid.png";
    const Outcome folds = liven_program("data split " + s.set + " " + out + " --folds 3");
    CHECK(folds.status == 0);
    for (const char* name : {"manifest-fold1.csv", "manifest-fold3.csv"})
        CHECK(data::open_dataset(out + "/" + name).size() == 36);
    CHECK_FALSE(has(folds.err, "one by one"));
    const Outcome warned = liven_program("data split " + s.set + " " + out + " --folds 3 --by image --allow-leak why");
    CHECK(has(warned.err, "36 of 36 pictures are divided one by one, as was asked for"));
    CHECK_FALSE(has(warned.out, "warning"));
    CHECK(has(liven_program("data split " + s.set + " " + out + " --folds 3 --test-share .3").err, "--test-share"));
    REQUIRE(liven_program("data split " + s.set + " " + out + "/loo.csv --test-share .25 --leave-out all").status == 0);
    const data::Dataset left = data::open_dataset(out + "/loo-without-mask.csv");
    for (const data::Sample& sample : left.only(data::Split::train).samples) CHECK(sample.attack_type != "mask");
    CHECK(liven_program("data split " + s.set + " " + out + " --leave-out wax").one_clear_error());
    std::string rows = "path,label,subject,attack_type\n";
    for (const char* subject : {"1", "2", "3", "4", "5", "6"})
        for (const char* kind : {"bonafide,", "attack,", "attack,a/b", "attack,a-b", "attack,unnamed"}) {
            const std::string row(kind);
            rows += std::string(subject) + '-' + std::to_string(rows.size()) + ".png," + row.substr(0, row.find(',')) +
                    ',' + subject + row.substr(row.find(',')) + '\n';
        }
    const std::string slashed = s.folder.file("slashed.csv", rows);
    REQUIRE(liven_program("data split " + slashed + " " + out + "/slashed.csv --leave-out all").status == 0);
    for (const char* name : {"/slashed-without-a%2Fb.csv", "/slashed-without-a-b.csv", "/slashed-without-unnamed.csv",
                             "/slashed-without-%75nnamed.csv"})
        CHECK(data::open_dataset(out + name).count(data::Label::attack) > 0);
    CHECK(liven_program("data split " + s.set + " " + out + " --by face").one_clear_error());
    const Outcome audit = liven_program("audit " + s.set + " --grid " + grid);
    CHECK(audit.status == 0);
    CHECK(has(audit.out, "look alike across splits or classes"));
}

TEST_CASE("explain draws a row a picture, tells scores as JSON, lists maps, and says which layer was meant") {
    const Set s;
    const std::string out = s.folder / "why.png", pictures = s.picture(0) + " " + s.picture(20);
    const Outcome drawn =
        liven_program("explain " + s.model + " " + pictures + " -o " + out + " --method grad-cam,occlusion --json");
    REQUIRE(drawn.status == 0);
    const std::vector<Json> lines = drawn.json_lines();
    REQUIRE(lines.size() == 2);
    CHECK(keys_of(lines[0]) == std::vector<std::string>{"path", "score", "threshold", "label", "explained", "methods"});
    CHECK(lines[0].at("methods").elements().size() == 2);
    const data::Image sheet = data::decode(out);
    CHECK(sheet.width == 3 * 224);
    CHECK(sheet.height > 2 * 224);
    const Outcome layers = liven_program("explain " + s.model + " --layers");
    CHECK(layers.status == 0);
    const std::string layer = lines[0].at("methods").elements()[0].at("layer").text();
    CHECK(has(layers.out, layer));
    const std::string wrong = "explain " + s.model + " " + s.picture() + " -o " + out + " --layer " + layer + "x";
    CHECK(liven_program(wrong).one_clear_error());
    CHECK(has(liven_program(wrong).err, "did you mean '" + layer + "'"));
    CHECK(liven_program("explain " + s.model + " " + s.picture()).one_clear_error());
    CHECK(liven_program("explain " + s.model + " " + s.set + "/none.jpg -o " + out).one_clear_error());
    CHECK(liven_program("explain " + s.model + " " + s.picture() + " -o " + out + " --method cam").one_clear_error());
}

TEST_CASE("data augment shows what a sample becomes: the same for the same seed and epoch, by place or by name") {
    const Set s;
    const std::string out = s.folder / "seen.png",
                      command = "data augment " + s.set + " --size 32 -o " + out + " --show ";
    const Outcome two = liven_program(command + "7 1 0 --epochs 2");
    REQUIRE(two.status == 0);
    const std::vector<Json> lines = two.json_lines();
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].at("draw").str() != lines[1].at("draw").str());
    const data::Image sheet = data::decode(out);
    CHECK(sheet.width == 3 * 224);
    const std::string name = std::filesystem::path(lines[0].at("path").text()).filename().string();
    const Outcome second = liven_program(command + "7 2 " + name);
    CHECK(second.json_lines().at(0).str() == lines[1].str());
    CHECK(liven_program(command + "7 2 0 --augmentation paper-k").json_lines().at(0).str() != lines[1].str());
    CHECK(liven_program(command + "7 0 0").one_clear_error());
    CHECK(liven_program(command + "7 1 100000").one_clear_error());
    CHECK(liven_program(command + "7 1 nobody.jpg").one_clear_error());
    CHECK(liven_program(command + "7 1 0 --augmentation sand").one_clear_error());
    CHECK(has(liven_program("data augment " + s.folder / "none" + " --show 7 1 0 -o seen.gif").err, ".png, .jpg"));
    const std::string leaking = "data augment " + s.leaking() + " --size 32 -o " + out + " --show 7 1 0";
    CHECK(has(liven_program(leaking).err, "more than one split"));
    CHECK(liven_program(leaking + " --allow-leak 'to see it'").json_lines().size() == 1);
}

TEST_CASE("evaluate --json has the measures, and its table the same words") {
    const Set s;
    const Outcome outcome = liven_program("evaluate " + s.model + " --data " + s.set + " --split test --json");
    REQUIRE(outcome.status == 0);
    const Json json = outcome.json();
    for (const char* key : {"auc", "acer", "apcer", "bpcer", "eer", "accuracy"}) {
        INFO(key);
        CHECK(json.at(key).number() >= 0);
        CHECK(json.at(key).number() <= 1);
    }
    CHECK(json.at("threshold").number() == 0.5);
    CHECK(json.at("samples").integer() == data::open_dataset(s.set).only(data::Split::test).size());
    const Outcome table = liven_program("evaluate " + s.model + " --data " + s.set);
    CHECK(has(table.out, "ROC-AUC"));
    CHECK(has(table.out, "threshold 0.5"));
    CHECK(liven_program("evaluate " + s.model + " --data " + s.set + " --split all --json")
              .json()
              .at("samples")
              .integer() == 36);
}

TEST_CASE("evaluate judges by video or subject, gives intervals, writes scores and draws the worst errors") {
    const Set s;
    const std::string scores = s.folder / "scores.csv", errors = s.folder / "errors.png";
    const std::string all = "evaluate " + s.model + " --data " + s.set + " --split all ";
    const Outcome frames = liven_program(all + "--json --resamples 50 --scores " + scores + " --errors " + errors);
    REQUIRE(frames.status == 0);
    const Json measures = frames.json();
    for (const char* key : {"auc", "acer", "apcer", "bpcer", "eer"}) {
        const std::vector<Json>& interval = measures.at("intervals").at(key).elements();
        REQUIRE(interval.size() == 2);
        CHECK(interval[0].number() <= interval[1].number());
    }
    const std::string lines = contents_of(scores);
    CHECK(lines.rfind("name,label,attack_type,group,score,accepted,threshold,threshold_rule\n", 0) == 0);
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 37);
    CHECK(data::decode(errors).width > 0);
    const Outcome subjects = liven_program(all + "--json --resamples 0 --by subject");
    CHECK(subjects.json().at("samples").integer() < 36);
    CHECK(subjects.json().at("by").text() == "subject");
    CHECK_FALSE(subjects.json().find("intervals"));
    const Outcome optimum = liven_program(all + "--within-set-optimum 'to see how far it flatters'");
    CHECK(has(optimum.out, "within-set optimum, chosen on these samples: to see how far it flatters"));
    CHECK(has(liven_program(all + "--by video").out, "by video"));
    CHECK(has(liven_program(all + "--by subject --errors " + errors).err, "each frame by itself: "));
    const std::string bare = s.folder.file("bare.csv", "path,label\n" + s.picture(0) + ",bonafide\n");
    CHECK(liven_program("evaluate " + s.model + " --data " + bare + " --split all --by video").one_clear_error());
    CHECK(liven_program(all + "--scores " + s.set).one_clear_error());
}

TEST_CASE("evaluate and explain refuse a file they cannot write before they compute, and measures go before scores") {
    const Set s;
    const std::string none = s.folder / "none.safetensors", gif = s.folder / "errors.gif";
    const Outcome ending = liven_program("evaluate " + none + " --data " + s.set + " --errors " + gif);
    CHECK(ending.one_clear_error());
    CHECK(has(ending.err, ".png, .jpg"));
    const Outcome folder = liven_program("evaluate " + none + " --data " + s.set + " --scores " + gif + "/scores.csv");
    CHECK(has(folder.err, "there is no folder"));
    CHECK(has(liven_program("explain " + s.model + " " + s.set + "/none.jpg -o " + gif).err, ".png, .jpg"));
    std::filesystem::create_directory(s.folder / "scores.csv.partial");  // in the way of the one that is written
    const Outcome late =
        liven_program("evaluate " + s.model + " --data " + s.set + " --scores " + s.folder / "scores.csv");
    CHECK(late.status == 1);
    CHECK(has(late.out, "ROC-AUC"));
}

TEST_CASE("evaluate takes as many frames of a video file as the training did, and a file without a name is a video") {
    const Folder folder;
    const std::string set = folder / "set", run = folder / "run";
    REQUIRE(liven_program("data synth " + set +
                          " --subjects 6 --bonafide-videos 1 --attack-videos 1 --frames 6 --size 32 --video --seed 3")
                .status == 0);
    REQUIRE(liven_program("train --model livenessnet --data " + set +
                          " --size 32 --epochs 1 --clips-per-video 2 --out " + run)
                .status == 0);
    std::string rows = "path,label\n";
    const std::vector<data::Sample> videos = data::open_dataset(set).samples;
    for (const data::Sample& video : videos)
        rows += video.path.string() + (video.label == data::Label::attack ? ",attack\n" : ",bonafide\n");
    const std::string evaluate = "evaluate " + run + "/model.safetensors --data " + folder.file("bare.csv", rows) +
                                 " --split all --resamples 0 --json ";
    const auto files = static_cast<int64_t>(videos.size());
    CHECK(liven_program(evaluate).json().at("samples").integer() == 2 * files);
    CHECK(liven_program(evaluate + "--clips-per-video 3").json().at("samples").integer() == 3 * files);
    CHECK(liven_program(evaluate + "--by video").json().at("samples").integer() == files);
}

TEST_CASE("train --tensorboard writes its file where an old one lies, even a damaged one") {
    const Set s;
    const std::string run = s.folder / "run", events = run + "/events.out.tfevents.liven";
    std::filesystem::create_directory(run);
    std::ofstream(events) << "not what TensorBoard wrote";
    const Outcome trained =
        liven_program("train --model livenessnet --data " + s.set + " --size 32 --epochs 1 --tensorboard --out " + run);
    REQUIRE(trained.status == 0);
    CHECK(has(trained.err, "begun anew"));
    CHECK(read_events(events).size() == 1);
    // What a run that goes on would not heed is refused.
    const Outcome resumed = liven_program("train --resume " + run + " --tensorboard --epochs 3");
    CHECK(resumed.one_clear_error());
    CHECK(has(resumed.err, "--epochs is given"));
    CHECK(liven_program("train --resume " + run + " --tensorboard --threads 1").status == 0);
}

TEST_CASE("features tells how far apart the classes lie, in a model and in pixels, and draws a map") {
    const Set s;
    const std::string map = s.folder / "map.svg", data = " --data " + s.set;
    const Outcome model = liven_program("features " + s.model + data + " -o " + map);
    REQUIRE(model.status == 0);
    CHECK(has(model.out, "36 samples"));
    CHECK(has(model.out, "separability"));
    const std::string svg = contents_of(map);
    for (const char* part : {"xmlns=\"http://www.w3.org/2000/svg\"", "bona fide", "replay", "t-SNE 1", "--c1:"}) {
        INFO(part);
        CHECK(has(svg, part));
    }
    const Outcome pixels =
        liven_program("features pixels" + data + " --method pca --size 8 --most 20 --by class --json -o " + map);
    REQUIRE(pixels.status == 0);
    const Json json = pixels.json();
    CHECK(json.at("samples").integer() == 20);
    CHECK(std::abs(json.at("separability").number()) <= 1);
    CHECK(has(contents_of(map), "component 1"));
    CHECK(liven_program("features pixels" + data + " -o " + (s.folder / "map.txt")).one_clear_error());
    CHECK(liven_program("features " + s.picture() + data).one_clear_error());
    const std::string leaking = "features pixels --method pca --split test --json --data " + s.leaking();
    CHECK(has(liven_program(leaking).err, "more than one split"));
    CHECK(liven_program(leaking + " --allow-leak 'to see it'").json().at("samples").integer() == 6);
}

TEST_CASE("predict --json prints an object a line: path, score, label, threshold") {
    const Set s;
    const std::string first = s.picture(0), second = s.picture(1);
    const Outcome outcome = liven_program("predict " + s.model + " " + first + " " + second + " --json");
    REQUIRE(outcome.status == 0);
    const auto lines = outcome.json_lines();
    REQUIRE(lines.size() == 2);
    CHECK(keys_of(lines[0]) == std::vector<std::string>{"path", "score", "label", "threshold"});
    CHECK(lines[0].at("path").text() == first);
    CHECK(lines[1].at("path").text() == second);
    for (const Json& line : lines) {
        const double score = line.at("score").number();
        CHECK(score >= 0);
        CHECK(score <= 1);
        CHECK(line.at("label").text() == (score >= line.at("threshold").number() ? "bonafide" : "attack"));
    }
    CHECK(has(liven_program("predict " + s.model + " " + first).out, "score"));
}

TEST_CASE("A file that is no picture is one line on stderr; the others are scored") {
    const Set s;
    const std::string text = s.folder.file("notes.jpg", "this is no picture");
    const Outcome alone = liven_program("predict " + s.model + " " + text);
    CHECK(alone.one_clear_error());
    CHECK(has(alone.err, "notes.jpg"));
    const std::string whole = contents_of(s.picture());
    const std::string half = s.folder.file("half.jpg", whole.substr(0, whole.size() / 2));
    const std::string empty = s.folder.file("empty.png", "");
    const Outcome mixed =
        liven_program("predict " + s.model + " " + half + " " + s.picture() + " " + empty + " --json");
    CHECK(mixed.status == 1);
    CHECK(mixed.json_lines().size() == 1);
    CHECK(std::count(mixed.err.begin(), mixed.err.end(), '\n') == 2);
    CHECK(liven_program("predict " + s.model + " " + (s.folder / "none.jpg")).one_clear_error());
}

TEST_CASE("Hostile manifests are one clear error") {
    const Set s;
    const auto evaluate = [&](const std::string& manifest) {
        return liven_program("evaluate " + s.model + " --data " + s.folder.file("bad.csv", manifest));
    };
    for (const std::string& manifest :
         {std::string(), std::string("path\na.jpg\n"), std::string("path,label\n"),
          std::string("path,label\na.jpg,perhaps\n"), std::string("path,label,label\na.jpg,attack,attack\n"),
          std::string("path,label\n\"a.jpg,attack\n"), std::string("path,label\na.jpg,attack,more\n"),
          std::string("path,label\n") + std::string(1, '\0') + ",attack\n", std::string(4096, ','),
          std::string("\xff\xfe\x00p", 4)}) {
        const Outcome outcome = evaluate(manifest);
        INFO(manifest.substr(0, 60) << " -> " << outcome.status << ": " << outcome.err);
        CHECK(outcome.one_clear_error());
    }
    // Subjects in two splits.
    const std::string picture = s.picture();
    const std::string leak = s.folder.file("leak.csv", "path,label,subject,split\n" + picture + ",attack,ann,train\n" +
                                                           s.picture(1) + ",bonafide,ann,test\n");
    const Outcome refused = liven_program("train --data " + leak + " --out " + (s.folder / "run"));
    CHECK(refused.one_clear_error());
    CHECK(has(refused.err, "ann"));
    CHECK_FALSE(std::filesystem::exists(s.folder / "run"));
}

TEST_CASE("Hostile configurations are one clear error with file and line") {
    const Set s;
    const auto train = [&](const std::string& toml) {
        return liven_program("train --data " + s.set + " --out " + (s.folder / "run") + " --config " +
                             s.folder.file("bad.toml", toml));
    };
    struct Bad {
        std::string toml, named;
    };
    for (const Bad& bad :
         {Bad{"epoch = 3\n", "epochs"}, Bad{"epochs = \"three\"\n", "bad.toml:1"}, Bad{"\nepochs = 0\n", "bad.toml:2"},
          Bad{"epochs = \n", "bad.toml:1"}, Bad{"[", "bad.toml"}, Bad{"learning_rate = nan\n", "learning_rate"},
          Bad{"batch = 99999999999999999999\n", "bad.toml"}, Bad{"optimizer = \"lion\"\n", "adam"},
          Bad{"model = \"resnet-9000\"\n", "attacknet-v2.2"}, Bad{"recipe = \"best\"\n", "default"},
          Bad{"size = 1e9\n", "size"}, Bad{"[model_options]\ndropuot = \"0.1\"\n", "dropout"},
          Bad{std::string("seed = 1\n\0x", 11), "bad.toml"}}) {
        const Outcome outcome = train(bad.toml);
        INFO(bad.toml << " -> " << outcome.status << ": " << outcome.err);
        CHECK(outcome.one_clear_error());
        CHECK(has(outcome.err, bad.named));
    }
    CHECK(train(std::string(2 << 20, '#')).one_clear_error());
    CHECK_FALSE(std::filesystem::exists(s.folder / "run"));
}

TEST_CASE("Wrong usage is status 2, with nothing on stdout", "[slow]") {
    for (const char* arguments :
         {"", "--no-such-option", "no-such-command", "summary", "summary attacknet-v2.2 extra", "train --epochs 3",
          "train --out run", "train --data set --out run --epochs 0", "data prepare set out --frames 4 --every 2",
          "train --data set --out run --epochs three", "evaluate model.safetensors", "predict model.safetensors",
          "init livenessnet", "plan attacknet-v2.2 --mode sideways", "bench attacknet-v2.2 --batch 0", "data",
          "grad m --input x --target y --output g --label-smoothing 1.5", "completion fish", "kernels --threads 0"}) {
        const Outcome outcome = liven_program(arguments);
        INFO(arguments << " -> " << outcome.status << ": " << outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK_FALSE(outcome.err.empty());
    }
}

TEST_CASE("A failure is status 1 with one line") {
    for (const char* arguments :
         {"summary no-such-model", "summary attacknet-v2.2 --input 3x3", "summary attacknet-v2.2 --option dropout=much",
          "summary attacknet-v2.2 --option dropout", "summary attacknet-v2.2 --input 1x1x3", "kernels --isa sse9",
          "kernels --executor fast", "predict none.safetensors none.jpg", "evaluate none.safetensors --data none",
          "train --resume none", "report none -o /no/such/folder/report.html",
          "init livenessnet --size 16 --output /no/such/folder/model.safetensors"}) {
        const Outcome outcome = liven_program(arguments);
        INFO(arguments << " -> " << outcome.status << ": " << outcome.err);
        CHECK(outcome.one_clear_error());
    }
}
