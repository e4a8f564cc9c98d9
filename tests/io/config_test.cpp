#include "liven/io/config.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "liven/io/suggest.hpp"
#include "src/io/config_parser.hpp"
#include "tests/temporary.hpp"

using namespace liven;
using Catch::Contains;

namespace {

constexpr const char* kExample = R"(seed = 42

[train]
epochs = 20
rate = 1e-4
recipe = "paper"   # a comment
shuffle = true
classes = [1, 2.5]
names = ["a", "b"]

[data.augment]
flip = 1
)";

}  // namespace

TEST_CASE("Settings are read by dotted key, and absent ones keep their default") {
    const Config c = Config::parse(kExample);
    CHECK(c.integer("seed", 0) == 42);
    CHECK(c.integer("train.epochs", 1) == 20);
    CHECK(c.number("train.rate", 0) == 1e-4);
    CHECK(c.text("train.recipe", "") == "paper");
    CHECK(c.boolean("train.shuffle", false));
    CHECK(c.numbers("train.classes", {}) == std::vector<double>{1, 2.5});
    CHECK(c.texts("train.names", {}) == std::vector<std::string>{"a", "b"});
    CHECK(c.number("data.augment.flip", 0) == 1.0);  // an integer is a number
    CHECK(c.integer("train.batch", 16) == 16);
    CHECK_FALSE(c.has("train.absent"));
    CHECK_NOTHROW(c.refuse_unknown());
}

TEST_CASE("A single value of any type can be had as text") {
    const Config c = Config::parse("a = 0.5\nb = \"0.5\"\nc = 3\nd = true\ne = [1]");
    CHECK(c.scalar("a", "") == "0.5");
    CHECK(c.scalar("b", "") == "0.5");
    CHECK(c.scalar("c", "") == "3");
    CHECK(c.scalar("d", "") == "true");
    CHECK(c.scalar("f", "none") == "none");
    CHECK_THROWS_WITH(c.scalar("e", ""), Contains("5:1: 'e' must be a single value"));
}

TEST_CASE("A value of the wrong type or range is an error with file, line and column") {
    const Config c = Config::parse(kExample, "run.toml");
    CHECK_THROWS_WITH(c.integer("train.rate", 0),
                      Contains("run.toml:5:1") && Contains("'train.rate' must be an integer"));
    CHECK_THROWS_WITH(c.integer("train.epochs", 0, {.min = 30}), Contains("run.toml:4:1") && Contains("at least 30"));
    CHECK_THROWS_WITH(c.number("train.rate", 0, {.min = 1, .max = 2}), Contains("at least 1") && Contains("at most 2"));
    CHECK_THROWS_WITH(c.text("train.recipe", "", {"default", "papers"}),
                      Contains("expected one of default, papers") && Contains("did you mean 'papers'"));
    CHECK_THROWS_AS(c.boolean("seed", true), Error);
    CHECK_THROWS_AS(c.text("seed", ""), Error);
    CHECK_THROWS_AS(c.integers("train.classes", {}), Error);
    CHECK_THROWS_AS(c.numbers("train.names", {}), Error);
    CHECK_THROWS_AS(c.texts("train.classes", {}), Error);
    CHECK_THROWS_AS(Config::parse("x = nan").number("x", 0), Error);
    CHECK_THROWS_AS(Config::parse("x = inf").number("x", 0), Error);
    CHECK_THROWS_AS(Config::parse("x = [nan]").numbers("x", {}), Error);
}

TEST_CASE("An unknown key is refused with its place and the nearest known one") {
    const auto unknown = [](const char* toml) {
        const Config c = Config::parse(toml, "run.toml");
        (void)c.integer("train.epochs", 1);
        (void)c.integer("train.batch", 1);
        (void)c.integer("seed", 1);
        c.refuse_unknown();
    };
    CHECK_NOTHROW(unknown("[train]\nepochs = 3"));
    CHECK_THROWS_WITH(unknown("[train]\n  epoch = 3"), Contains("run.toml:2:3") &&
                                                           Contains("unknown key 'epoch' in [train]") &&
                                                           Contains("did you mean 'epochs'"));
    CHECK_THROWS_WITH(unknown("sed = 3"), Contains("unknown key 'sed'") && Contains("did you mean 'seed'"));
    CHECK_THROWS_WITH(unknown("[trian]\nepochs = 3"),
                      Contains("in [trian]") && Contains("did you mean 'train.epochs'"));
    CHECK_THROWS_WITH(unknown("[train]\nzzzzzz = 3\naaaaaa = 3"),
                      Contains(":2:1") && !Contains("did you mean") &&  // the first in the file
                          Contains("known: batch, epochs"));
    CHECK_THROWS_WITH(unknown("zzzzzz = 3"), Contains("outside of every table") && Contains("known: seed"));
    CHECK_THROWS_WITH(unknown("[other]\nzzzzzz = 3"),
                      Contains("in [other]") && Contains("known: seed, train.batch, train.epochs"));
}

TEST_CASE("Written settings read back as the same values") {
    Config c;
    c.set("seed", int64_t{std::numeric_limits<int64_t>::min()});
    c.set("a.tiny", 5e-324);
    c.set("a.third", 1.0 / 3);
    c.set("a.whole", 3.0);
    c.set("a.b.text", std::string("line\nbreak \"quoted\" \\ \x7f \x01 \xc3\xa4"));
    c.set("a.b.flags", std::vector<bool>{true, false});
    c.set("a.numbers", std::vector<double>{1, 2.5});
    c.set("a.none", std::vector<std::string>{});
    c.set("odd key/with slash", true);
    const Config d = Config::parse(c.str());
    CHECK(d.str() == c.str());
    CHECK(d.integer("seed", 0) == std::numeric_limits<int64_t>::min());
    CHECK(d.number("a.tiny", 0) == 5e-324);
    CHECK(d.number("a.third", 0) == 1.0 / 3);
    CHECK(d.text("a.b.text", "") == "line\nbreak \"quoted\" \\ \x7f \x01 \xc3\xa4");
    CHECK(d.integers("a.none", {1}).empty());
    CHECK(d.boolean("odd key/with slash", false));
    const TemporaryFolder folder;
    c.write(folder / "c.toml");
    CHECK(Config::read(folder / "c.toml").keys() == c.keys());
}

TEST_CASE("Keys that contradict each other cannot be set") {
    Config c;
    c.set("a.b", int64_t{1});
    CHECK_THROWS_AS(c.set("a", int64_t{1}), Error);
    CHECK_THROWS_AS(c.set("a.b.c", int64_t{1}), Error);
    CHECK_THROWS_AS(c.set("", true), Error);
    CHECK_THROWS_AS(c.set("a..c", true), Error);
    CHECK_THROWS_AS(c.set(".a", true), Error);
    CHECK_THROWS_AS(c.set("t", std::string("\xff")), Error);
    CHECK_NOTHROW(c.set("a.b", int64_t{2}));
}

TEST_CASE("Broken TOML is one error with file, line and column") {
    const auto refuses = [](const std::string& toml, const std::string& words) {
        INFO(toml.substr(0, 100));
        CHECK_THROWS_WITH(Config::parse(toml, "bad.toml"), Contains("bad.toml") && Contains(words));
    };
    refuses("a = ", "bad.toml:1:");
    refuses("a = 1\na = 2", "bad.toml:2:");
    refuses("[a]\n[a]", "bad.toml:2:");
    refuses("a = 99999999999999999999", "bad.toml:1:");
    refuses("a = \"\xff\"", "bad.toml:1:");
    refuses(std::string("a = \"\0\"", 7), "bad.toml:1:");
    refuses("\n\nd = 2024-01-01", "bad.toml:3:5");
    refuses("x = [1, \"a\"]", "one type");
    refuses("[[a]]\nb = 1", "one type");
    refuses("x = [[1], [2]]", "one type");
    refuses("\"a.b\" = 1", "contains a point");
    refuses("\"\" = 1", "empty");
    refuses(std::string(2 << 20, '#'), "1 MiB");
    refuses("x = " + std::string(100000, '['), "bad.toml:1:");
    refuses("x = " + std::string(100000, '{'), "bad.toml:1:");
}

TEST_CASE("Keys of many parts, whose tables would be destroyed recursively, are refused") {
    std::string deep = "a";
    for (int i = 0; i < 100000; ++i) deep += ".a";
    for (const std::string& toml : {deep + " = 1", "[" + deep + "]", "x = {" + deep + " = 1}", "[[" + deep + "]]"})
        CHECK_THROWS_WITH(Config::parse(toml), Contains("16 parts"));
    CHECK(io::longest_dotted_key("a.b.c = 1.5") == 3);
    CHECK(io::longest_dotted_key("a = 'x.y.z.....' # a.b.c.d") == 1);
    CHECK(io::longest_dotted_key("a = \"x.\\\".y.z\"\nb.\"c.d\".e = 1") == 3);
    CHECK(io::longest_dotted_key("a = \"\"\"x.y.z\n\"\".w\"\"\"\nb.c = 1") == 2);
    CHECK(io::longest_dotted_key("a = '''it's.a.b.c'''\nb.c = 1") == 2);
    CHECK(io::longest_dotted_key("'.'.'.'.'.' = 1") == 3);
    CHECK(io::longest_dotted_key("\"unfinished.\\") == 2);  // no string, for want of its end
}

TEST_CASE("Letters beyond ASCII belong in quotes and comments") {
    CHECK(Config::parse("\xEF\xBB\xBF"
                        "a = \"é\" # é\n\"é\" = 'é'")
              .text("a", "") == "é");
    CHECK_THROWS_WITH(Config::parse("a = 1\né = 2", "x.toml"),
                      Contains("x.toml:2: has a letter that is not ASCII outside quotes"));
    // A quote within a word opens no string, nor does one of five that end one.
    for (const char* word :
         {"a = 0\"\xCF\xBB", "a = [\n0.\"\xCF\xBB", "a = '''''''\xCF\xBB", "a = {b.\" \" = \xCF\xBB}",
          "a = 0x{'\xCF\xBB'", "a = 0x='\xCF\xBB'", "\"\"\"[\\\n\xCF\xBB\"\"\""})
        CHECK_THROWS_WITH(Config::parse(word, "x.toml"), Contains("not ASCII outside quotes"));
    // Behind the end of a line that a backslash hides, or behind a backslash itself.
    for (const char* word : {"\"\"\"\\\\\\\xCA\x90\\\\\"", "a = \"\\\xCF\xBB\"", "a = \"\"\"[q\\\n\n\xEF\xBB\xBD\"\"\"",
                             "a = \"\"\"\\ \t\n \xCF\xBB\"\"\"", "a = \"\"\"\\\xCF\xBB\"\"\""})
        CHECK_THROWS_WITH(Config::parse(word, "x.toml"), Contains("behind a backslash"));
    CHECK(Config::parse("a = \"\"\"\xCF\xBB\\\n  b\xCF\xBB\"\"\"").text("a", "") ==
          "\xCF\xBB"
          "b\xCF\xBB");
    CHECK(Config::parse("a = \"\"\"\\\\\xCF\xBB\"\"\"").text("a", "") == "\\\xCF\xBB");
    CHECK(Config::parse("a.\"\xCF\xBB\" = 1", "x.toml").keys().size() == 1);
    CHECK(Config::parse("a = {b = [1, 2], c.\"\xCF\xBB\" = 1}\nd.\"\xCF\xBB\" = 1").keys().size() >= 3);
    CHECK_THROWS_AS(Config::parse("a = é"), Error);
}

TEST_CASE("Brackets that open nothing are refused") {
    for (const char* toml : {"[=]", "[[[", "[[[a]]]", "[[=", "a = 1\n[["}) CHECK_THROWS_AS(Config::parse(toml), Error);
}

TEST_CASE("Suggestions are near misses, not guesses") {
    const std::vector<std::string> words{"epochs", "batch", "seed", "learning_rate"};
    CHECK(closest("epoch", words) == "epochs");
    CHECK(closest("EPOCHS", words) == "epochs");
    CHECK(closest("bacth", words) == "batch");  // swapped neighbours are one mistake
    CHECK(closest("learning-rate", words) == "learning_rate");
    CHECK(closest("momentum", words).empty());
    CHECK(closest("", words).empty());
    CHECK(did_you_mean("sead", words) == "did you mean 'seed'");
}
