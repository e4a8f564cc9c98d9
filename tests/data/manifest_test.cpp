#include "liven/data/manifest.hpp"

#include <catch2/catch.hpp>

#include "helpers.hpp"
#include "liven/core/error.hpp"

using namespace liven::data;
using Catch::Contains;
using liven::Error;

namespace {
Dataset parse(std::string_view text) { return parse_manifest(text, "/set", "m.csv"); }
}  // namespace

TEST_CASE("A manifest gives every column") {
    const Dataset d = parse(
        "path,label,subject,video,frame,attack_type,dataset,split,box,target,modality,depth_path,mask_path\n"
        "a/b.png,attack,s1,v1,12,print,nuaa,train,1 2 30.5 40,s9,vis,d.png,m.png\n");
    REQUIRE(d.size() == 1);
    const Sample& s = d.samples[0];
    CHECK(s.path == "/set/a/b.png");
    CHECK(s.label == Label::attack);
    CHECK(s.subject == "s1");
    CHECK(s.video == "v1");
    CHECK(s.frame == 12);
    CHECK(s.attack_type == "print");
    CHECK(s.dataset == "nuaa");
    CHECK(s.split == Split::train);
    CHECK(s.box == Box{1, 2, 30.5f, 40});
    CHECK(s.target == "s9");
    CHECK(s.modality == "vis");
    CHECK(s.depth_path == "/set/d.png");
    CHECK(s.mask_path == "/set/m.png");
}

TEST_CASE("Columns come in any order and case, most may be missing, unknown ones are named") {
    const Dataset d = parse("\xef\xbb\xbf Label ,colour,PATH\r\nreal,red,x.png\r\n\r\nSpoof,blue,/abs/y.png");
    REQUIRE(d.size() == 2);
    CHECK(d.samples[0].label == Label::bonafide);
    CHECK(d.samples[0].frame == -1);
    CHECK_FALSE(d.samples[0].box);
    CHECK(d.samples[1].path == "/abs/y.png");
    REQUIRE(d.warnings.size() == 1);
    CHECK_THAT(d.warnings[0], Contains("colour"));
}

TEST_CASE("Split names of the literature are read") {
    const Dataset d = parse(
        "path,label,split\na,real,devel\nb,real,dev\nc,real,validation\nd,real,Val\ne,real,TEST\nf,real,training\ng,"
        "real,\n");
    for (size_t i = 0; i < 4; ++i) CHECK(d.samples[i].split == Split::val);
    CHECK(d.samples[4].split == Split::test);
    CHECK(d.samples[5].split == Split::train);
    CHECK(d.samples[6].split == Split::none);
}

TEST_CASE("Quoted fields hold commas, quotes and line breaks") {
    const Dataset d = parse(
        "path,label,subject\n\"a,b.png\",real,\"the \"\"one\"\"\"\n\"two\nlines.png\",attack,\"\"\nlast.png,real,x");
    REQUIRE(d.size() == 3);
    CHECK(d.samples[0].path == "/set/a,b.png");
    CHECK(d.samples[0].subject == "the \"one\"");
    CHECK(d.samples[1].path == "/set/two\nlines.png");
    CHECK(d.samples[2].subject == "x");
}

TEST_CASE("Faults are told with their line") {
    const auto says = [](std::string_view text, const char* line, const char* what) {
        CAPTURE(std::string(text.substr(0, 200)));
        CHECK_THROWS_WITH(parse(text), Contains(line) && Contains(what));
    };
    says("label\nreal\n", "line 1", "path");
    says("path\nx\n", "line 1", "label");
    says("path,label,PATH\n", "line 1", "twice");
    says("path,label\na.png,real\nb.png\n", "line 3", "2 fields");
    says("path,label\n\n\"a\nb\",real,x\n", "line 3", "fields");
    says("path,label\na,real\n\"open,real\nb,real\n", "line 3", "never closes");
    says("path,label\na\"b,real\n", "line 2", "quote");
    says("path,label\n\"a\"b,real\n", "line 2", "behind a closing quote");
    says("path,label\na,maybe\n", "line 2", "maybe");
    says("path,label\na,1\n", "line 2", "numbers are not read");
    says("path,label\n,real\n", "line 2", "path is empty");
    says("path,label,split\na,real,later\n", "line 2", "later");
    says("path,label,frame\na,real,-1\n", "line 2", "frame");
    says("path,label,frame\na,real,1e3\n", "line 2", "frame");
    says("path,label,frame\na,real,99999999999999999999\n", "line 2", "frame");
    for (const char* box :
         {"1 2 3", "1 2 3 4 5", "1 2 0 4", "1 2 3 -4", "a b c d", "1,2,3,4", "nan 0 1 1", "0 0 inf 1", "1 2 3 4x"})
        says("path,label,box\na,real,\"" + std::string(box) + "\"\n", "line 2", "box");
    says("path,label\na,real\nb,real\n./a,attack\n", "line 4", "line 2");
    says("", "m.csv", "empty");
    says("\n\n", "m.csv", "empty");
    says("path,label\n", "m.csv", "no rows");
}

TEST_CASE("Two faces of one picture are two samples") {
    CHECK(parse("path,label,box\na,real,0 0 5 5\na,attack,9 0 5 5\n").size() == 2);
}

TEST_CASE("Hostile bytes give one error") {
    CHECK_THROWS_WITH(parse(std::string_view("path,label\na\0b,real\n", 20)), Contains("line 2") && Contains("NUL"));
    CHECK_THROWS_WITH(parse("path,label\n" + std::string(1 << 20, 'x') + ",real\n"),
                      Contains("line 2") && Contains("65536"));
    CHECK_THROWS_WITH(parse("path,label\n\"" + std::string(1 << 20, '\n') + "\",real\n"), Contains("line 2"));
    CHECK_THROWS_WITH(parse(std::string(5000, ',')), Contains("columns"));
    liven::Random random(5);
    for (int i = 0; i < 200; ++i) {
        std::string text = "path,label,box\n";
        for (int k = 0; k < 300; ++k) text += "ab,\"\n\r1 \xff"[random.below(9)];
        try {
            parse(text);
        } catch (const Error& error) {
            CHECK(std::string(error.what()).find('\n') == std::string::npos);
        }
    }
}

TEST_CASE("A manifest survives writing and reading") {
    TemporaryFolder folder;
    Dataset d = parse_manifest(
        "path,label,subject,video,frame,attack_type,dataset,split,box\n"
        "\"x, y.png\",real,\"q\"\"q\",v,3,,set,val,0.1 2 3 4\n/elsewhere/z.png,attack,,,,mask,,,\n",
        folder.path(), "m");
    write_manifest(d, folder / "manifest.csv");
    const Dataset again = read_manifest(folder / "manifest.csv");
    REQUIRE(again.size() == 2);
    CHECK(again.samples[0].path == folder / "x, y.png");
    CHECK(again.samples[0].subject == "q\"q");
    CHECK(again.samples[0].split == Split::val);
    CHECK(again.samples[0].box == Box{0.1f, 2, 3, 4});
    CHECK(again.samples[1].path == "/elsewhere/z.png");
    CHECK(again.samples[1].attack_type == "mask");
    CHECK(again.name == folder.path().filename().string());
    CHECK_THROWS_AS(write_manifest(d, "/nonexistent/manifest.csv"), Error);
}

TEST_CASE("A manifest opens by its own name and by its folder") {
    TemporaryFolder folder;
    write_bytes(folder / "manifest.csv", "path,label\na.png,real\n");
    CHECK(open_dataset(folder.path()).size() == 1);
    CHECK(open_dataset(folder / "manifest.csv").size() == 1);
    CHECK_THROWS_WITH(open_dataset(folder / "none.csv"), Contains("no such"));
    write_bytes(folder / "empty.csv", "");
    CHECK_THROWS_WITH(open_dataset(folder / "empty.csv"), Contains("empty"));
}
