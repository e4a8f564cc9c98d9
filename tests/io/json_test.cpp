#include "liven/io/json.hpp"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <limits>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "liven/io/json_lines.hpp"
#include "tests/temporary.hpp"

using namespace liven;
using Catch::Contains;

TEST_CASE("JSON is written in the order in which it was built") {
    Json json = Json::object({{"path", "a \"b\"\n"}, {"score", 0.97f}, {"n", 3u}});
    json["list"] = Json::array_of(std::vector<int>{1, 2});
    json["none"] = nullptr;
    json["empty"] = Json::object();
    json["ok"] = true;
    CHECK(json.str() == R"({"path":"a \"b\"\n","score":0.97,"n":3,"list":[1,2],"none":null,"empty":{},"ok":true})");
    CHECK(Json::object({{"a", Json::array({1, Json::object()})}}).str(2) == "{\n  \"a\": [\n    1,\n    {}\n  ]\n}");
}

TEST_CASE("Numbers come back bit-equal, and what is no number is null") {
    for (double x : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e22, 3.0}) {
        const double y = Json::parse(Json(x).str()).number();
        CHECK(std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y));
    }
    const float third = 1.0f / 3;
    CHECK(Json(third).str() == "0.33333334");
    CHECK(static_cast<float>(Json::parse(Json(third).str()).number()) == third);
    CHECK(Json(3.0).str() == "3.0");
    CHECK(Json(std::nan("")).str() == "null");
    CHECK(Json(-std::numeric_limits<float>::infinity()).str() == "null");
    CHECK(Json::parse("9223372036854775807").integer() == std::numeric_limits<int64_t>::max());
    CHECK(Json(std::numeric_limits<uint64_t>::max()).number() == 0x1p64);
}

TEST_CASE("Texts that are not UTF-8 are repaired, not passed on") { CHECK(Json("a\xff").str() == "\"a\xef\xbf\xbd\""); }

TEST_CASE("Asking for another type or an absent member says what is there") {
    const Json json = Json::parse(R"({"epochs": 3, "name": "x"})");
    CHECK(json.at("epochs").number() == 3.0);
    CHECK(json.find("absent") == nullptr);
    CHECK_THROWS_WITH(json.at("epoch"), Contains("did you mean 'epochs'"));
    CHECK_THROWS_WITH(json.at("name").integer(), Contains("expected an integer, got a text"));
    CHECK_THROWS_AS(json.text(), Error);
    CHECK_THROWS_AS(Json(1.5).integer(), Error);
    CHECK_THROWS_AS(Json(1e300).integer(), Error);
}

TEST_CASE("Hostile JSON is one clear error") {
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[1,]"), std::string("nul"), std::string("\"\xff\""),
          std::string("1e999"), std::string("{} x"), std::string("{\"a\":1,\"a\":2}"), std::string(1000000, '['),
          std::string("[\"\0\"]", 5)}) {
        INFO(text.substr(0, 40));
        CHECK_THROWS_WITH(Json::parse(text, "x.json"), Contains("x.json"));
    }
    std::string deep;
    for (int i = 0; i < 1000000; ++i) deep += "{\"a\":";
    CHECK_THROWS_WITH(Json::parse(deep), Contains("100 levels"));
}

TEST_CASE("A log is appended to line by line") {
    const TemporaryFolder folder;
    {
        JsonLines log(folder / "log.jsonl");
        log.append(Json::object({{"step", 1}}));
        log.append(Json::object({{"text", "two\nlines"}}));
        CHECK(read_json_lines(folder / "log.jsonl").size() == 2);  // already there, without closing
    }
    JsonLines(folder / "log.jsonl").append(Json::object({{"step", 3}}));
    const std::vector<Json> lines = read_json_lines(folder / "log.jsonl");
    REQUIRE(lines.size() == 3);
    CHECK(lines[1].at("text").text() == "two\nlines");
    CHECK(lines[2].at("step").integer() == 3);
}

TEST_CASE("A line that a power cut left unfinished is cut off, and nothing else ever is") {
    const TemporaryFolder folder;
    const auto path = folder.file("log.jsonl", "{\"step\":1}\n{\"step\":2,\"lo");
    CHECK(read_json_lines(path).size() == 1);
    JsonLines(path).append(Json::object({{"step", 2}}));
    CHECK(read_text_file(path) == "{\"step\":1}\n{\"step\":2}\n");
    const auto diary = folder.file("diary.txt", "Dear diary");
    CHECK_THROWS_WITH(JsonLines(diary), Contains("no JSON object"));
    CHECK(read_text_file(diary) == "Dear diary");
    folder.file("bad.jsonl", "{\"a\":1}\noops\n");
    CHECK_THROWS_WITH(read_json_lines(folder / "bad.jsonl"), Contains("bad.jsonl:2"));
    CHECK_THROWS_AS(JsonLines(folder / "none" / "log"), Error);
    const auto odd = folder.file("odd.jsonl", "{\"step\":1}\n{\"step\":\"two\"}\n[3]\n");
    CHECK_THROWS_WITH(visit_json_lines(odd, [](const Json& line) { line.at("step").integer(); }),
                      Contains("odd.jsonl:2") && Contains("expected an integer"));
    CHECK_THROWS_WITH(read_json_lines(odd), Contains("odd.jsonl:3") && Contains("expected a JSON object"));
}
