#include "liven/train/judged.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "liven/core/error.hpp"
#include "liven/train/score_file.hpp"
#include "tests/temporary.hpp"

using namespace liven;

namespace {

data::Sample sample(const std::string& path, data::Label label, const std::string& subject, const std::string& video,
                    const std::string& type = {}) {
    data::Sample s;
    s.path = path;
    s.label = label;
    s.subject = subject;
    s.video = video;
    s.attack_type = type;
    s.dataset = "set";
    return s;
}

/// Two frames of a face, two of an attack on it, one of another face; pictures of a few pixels.
struct Five {
    TemporaryFolder folder;
    data::Dataset set;
    Scored scored;

    Five() {
        scored.scores = {.scores = {0.9, 0.3, 0.6, 0.2, 0.8},
                         .labels = {0, 0, 1, 1, 0},
                         .attack_types = {"", "", "print", "print", ""}};
        scored.samples = {0, 1, 2, 3, 4};
        const auto bonafide = data::Label::bonafide, attack = data::Label::attack;
        set.samples = {sample("a0.png", bonafide, "a", "v0"), sample("a,1.png", bonafide, "a", "v0"),
                       sample("a2.png", attack, "a", "v1", "print"), sample("a3.png", attack, "a", "v1", "print"),
                       sample("b.png", bonafide, "b", "v2")};
        for (data::Sample& s : set.samples) {
            s.path = folder / s.path;
            data::write(data::Image(9, 7), s.path);
        }
    }
};

}  // namespace

TEST_CASE("Frames, videos and subjects are judged with the group that each belongs to") {
    const Five five;
    const Judged frames = judged_by(Unit::frame, five.set, five.scored);
    CHECK(frames.scores.scores == five.scored.scores.scores);
    CHECK(frames.groups == std::vector<std::string>{"set/a", "set/a", "set/a", "set/a", "set/b"});
    const Judged videos = judged_by(Unit::video, five.set, five.scored);
    CHECK(videos.names == std::vector<std::string>{"set/a/v0", "set/a/v1", "set/b/v2"});
    CHECK(videos.groups == std::vector<std::string>{"set/a", "set/a", "set/b"});
    CHECK(videos.scores.scores[1] == Approx(0.4));
    const Judged subjects = judged_by(Unit::subject, five.set, five.scored);
    CHECK(subjects.names == std::vector<std::string>{"set/a", "set/a", "set/b"});  // its face, and the attack on it
    CHECK(subjects.scores.labels == std::vector<int32_t>{0, 1, 0});
    Five alike;  // people whose videos have one name, as where each has a folder
    for (data::Sample& s : alike.set.samples) s.video = "video";
    CHECK(judged_by(Unit::video, alike.set, alike.scored).names ==
          std::vector<std::string>{"set/a/video", "set/a/video", "set/b/video"});  // the second is the attack
    Five nameless;
    nameless.set.samples[1].video.clear();
    CHECK_THROWS_WITH(judged_by(Unit::video, nameless.set, nameless.scored), Catch::Contains("a,1.png"));
    CHECK_THROWS_AS(unit_from("frames"), Error);
}

TEST_CASE("Scores are written with every digit and names with commas in quotes, and read back equal") {
    Five five;
    five.scored.scores.scores[1] = 1.0 / 3;
    const std::filesystem::path file = five.folder / "scores.csv";
    const ScoreFile written{
        .judged = judged_by(Unit::frame, five.set, five.scored), .threshold = 0.1 + 0.2, .threshold_rule = "a, \"b\""};
    write_scores(file, written);
    const std::string text = contents_of(file);
    CHECK(text.find("a,1.png\",bonafide,,set/a,0.3333333333333333,1,0.30000000000000004,\"a, \"\"b\"\"\"\n") !=
          std::string::npos);
    CHECK(text.find("a2.png,attack,print,set/a,0.6,1,") != std::string::npos);
    const ScoreFile read = read_scores(file);
    CHECK(read.judged.scores == written.judged.scores);
    CHECK(read.judged.names == written.judged.names);
    CHECK(read.judged.groups == written.judged.groups);
    CHECK(read.threshold == written.threshold);
    CHECK(read.threshold_rule == written.threshold_rule);
    CHECK_THROWS_AS(write_scores(five.folder / "no" / "scores.csv", {}), Error);
}

TEST_CASE("Scores of others need a name, a label and a score; what is wrong is named with its line") {
    const Five five;
    const std::filesystem::path file = five.folder / "scores.csv";
    const auto read = [&](const std::string& text) {
        std::ofstream(file) << text;
        return read_scores(file);
    };
    const ScoreFile bare = read("score,who,label,name\n0.25,x,attack,a\r\n-3,y,bonafide,b\n");
    CHECK(bare.judged.scores.scores == std::vector<double>{0.25, -3});
    CHECK(bare.judged.groups == bare.judged.names);
    CHECK_FALSE(bare.threshold.has_value());
    for (const auto& [text, message] : std::initializer_list<std::pair<const char*, const char*>>{
             {"", "got nothing"},
             {"name,label\n", "no column score"},
             {"name,label,score\n", "got none"},
             {"name,label,score\na,live,1\n", "bonafide or attack, got \"live\""},
             {"name,label,score\na,attack,nan\n", "got \"nan\""},
             {"name,label,score\na,attack,0.5x\n", "got \"0.5x\""},
             {"name,label,score\na,attack\n", "expected 3 fields, got 2"},
             {"name,label,score\na,attack,1\na,attack,1\n", "\"a\" again"},
             {"name,label,score,threshold\na,attack,1,0.5\nb,attack,1,0.6\n", "one threshold"}}) {
        CAPTURE(text);
        CHECK_THROWS_WITH(read(text), Catch::Contains("scores.csv") && Catch::Contains(message));
    }
}

TEST_CASE("The gallery has the worst errors of each kind, worst first, and none when all is right") {
    const Five five;
    const ErrorGallery gallery = error_gallery(five.set, five.scored, 0.5);
    CHECK(gallery.accepted_attacks == 1);
    CHECK(gallery.rejected_bonafide == 1);
    CHECK(gallery.picture.width == 160);  // one a row
    CHECK(gallery.picture.height > 320);
    CHECK(error_gallery(five.set, five.scored, 0.85, 1).picture.height * 2 == gallery.picture.height);
    Five right;
    right.scored.scores.scores = {0.9, 0.8, 0.1, 0.2, 0.8};
    CHECK(error_gallery(right.set, right.scored, 0.5).picture.empty());
    CHECK(error_gallery(right.set, right.scored, 0.9 + 1e-12).rejected_bonafide == 3);
}
