#include "liven/io/safetensors.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "liven/core/error.hpp"
#include "tests/temporary.hpp"

using namespace liven;
using Catch::Contains;

namespace {

/// A file from a header and data bytes.
std::string bytes_of(const std::string& header, const std::string& data = "") {
    const uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), 8) + header + data;
}

std::string raw(const std::vector<uint16_t>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * 2};
}

NamedTensors some_tensors() {
    const std::vector<float> floats{1.5f, -0.0f, std::numeric_limits<float>::infinity(), 1e-45f, 5, 6};
    const std::vector<int64_t> longs{std::numeric_limits<int64_t>::min(), 7};
    const std::vector<int32_t> ints{-1};
    const std::vector<uint8_t> bytes{0, 255, 3};
    return {{"conv1_1/kernel", HostTensor({2, 3}, floats)},
            {"steps", HostTensor({2}, longs)},
            {"scalar", HostTensor({}, ints)},
            {"a \"quoted\" name, \xc3\xa4", HostTensor({3}, bytes)},
            {"empty", HostTensor({0, 4}, DType::f32)}};
}

void check_equal(const NamedTensors& a, const NamedTensors& b) {
    REQUIRE(a.size() == b.size());
    for (const auto& [name, tensor] : a) {
        INFO(name);
        const HostTensor& other = b.at(name);
        CHECK(tensor.shape == other.shape);
        CHECK(tensor.dtype == other.dtype);
        CHECK(std::memcmp(tensor.data.data(), other.data.data(), tensor.bytes()) == 0);
    }
}

}  // namespace

TEST_CASE("Tensors and texts come back from a safetensors file bit by bit") {
    const TemporaryFolder folder;
    const std::map<std::string, std::string> metadata{
        {"model", "attacknet-v2.2"}, {"line\nbreak", "\"\\\x01"}, {"empty", ""}};
    write_safetensors(folder / "m", some_tensors(), metadata);
    const Safetensors read = read_safetensors(folder / "m");
    check_equal(some_tensors(), read.tensors);
    CHECK(read.metadata == metadata);
}

TEST_CASE("The same content gives the same bytes, and tensors are aligned to their elements") {
    const TemporaryFolder folder;
    write_safetensors(folder / "a", some_tensors(), {{"x", "y"}});
    write_safetensors(folder / "b", some_tensors(), {{"x", "y"}});
    CHECK(read_text_file(folder / "a") == read_text_file(folder / "b"));
    const SafetensorsReader reader(folder / "a");
    for (const auto& [name, entry] : reader.entries()) {
        const uint64_t size = entry.dtype == "I64" ? 8 : entry.dtype == "U8" ? 1 : 4;
        CHECK(entry.begin % size == 0);
    }
}

TEST_CASE("A file without tensors is one") {
    const TemporaryFolder folder;
    write_safetensors(folder / "m", {});
    CHECK(read_safetensors(folder / "m").tensors.empty());
}

TEST_CASE("Half floats of every kind become the floats they mean") {
    const TemporaryFolder folder;
    // 1, -2, largest, smallest subnormal, smallest normal, infinity, -0, NaN
    const std::string data = raw({0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00, 0x8000, 0x7e00});
    const auto path = folder.file("m", bytes_of(R"({"x":{"dtype":"F16","shape":[8],"data_offsets":[0,16]}})", data));
    const HostTensor tensor = SafetensorsReader(path).read("x");
    const auto v = tensor.values<float>();
    CHECK(v[0] == 1.0f);
    CHECK(v[1] == -2.0f);
    CHECK(v[2] == 65504.0f);
    CHECK(v[3] == 0x1p-24f);
    CHECK(v[4] == 0x1p-14f);
    CHECK(std::isinf(v[5]));
    CHECK((v[6] == 0.0f && std::signbit(v[6])));
    CHECK(std::isnan(v[7]));
}

TEST_CASE("bfloat16 and double become float, and a double too large for that is an error") {
    const TemporaryFolder folder;
    const auto bf16 =
        folder.file("b", bytes_of(R"({"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", raw({0x3f80, 0xc049})));
    CHECK(SafetensorsReader(bf16).read("x").values<float>()[1] == -3.140625f);
    const double values[] = {0.1, std::numeric_limits<double>::infinity(), 1e39};
    const std::string data(reinterpret_cast<const char*>(values), sizeof values);
    const auto f64 = folder.file(
        "d",
        bytes_of(
            R"({"big":{"dtype":"F64","shape":[1],"data_offsets":[16,24]},"x":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}})",
            data));
    const SafetensorsReader reader(f64);
    CHECK(reader.read("x").values<float>()[0] == 0.1f);
    CHECK(std::isinf(reader.read("x").values<float>()[1]));
    CHECK_THROWS_WITH(reader.read("big"), Contains("no 32-bit float"));
}

TEST_CASE("A bf16 tensor is written as such and read as float") {
    const TemporaryFolder folder;
    HostTensor tensor({2}, DType::bf16);
    std::memcpy(tensor.data.data(), raw({0x3f80, 0x4000}).data(), 4);
    write_safetensors(folder / "m", {{"x", tensor}});
    const SafetensorsReader reader(folder / "m");
    CHECK(reader.entry("x").dtype == "BF16");
    CHECK(reader.read("x").values<float>()[1] == 2.0f);
}

TEST_CASE("A tensor can be read into memory of the caller") {
    const TemporaryFolder folder;
    write_safetensors(folder / "m", some_tensors());
    const SafetensorsReader reader(folder / "m");
    std::vector<float> target(6), wrong(5);
    reader.read_into("conv1_1/kernel", target);
    CHECK(target[5] == 6.0f);
    CHECK_THROWS_WITH(reader.read_into("conv1_1/kernel", wrong), Contains("2x3") && Contains("5 floats"));
    CHECK_THROWS_AS(reader.read_into("steps", target), Error);
    CHECK_THROWS_WITH(reader.read("conv1_1/kernal"), Contains("did you mean 'conv1_1/kernel'"));
}

TEST_CASE("What cannot be written is refused and the old file stays") {
    const TemporaryFolder folder;
    write_safetensors(folder / "m", {});
    CHECK_THROWS_WITH(write_safetensors(folder / "m", {}, {{"x", "\xff"}}), Contains("UTF-8"));
    CHECK_THROWS_AS(write_safetensors(folder / "m", {{"__metadata__", HostTensor({1}, DType::f32)}}), Error);
    CHECK(read_safetensors(folder / "m").metadata.empty());
}

TEST_CASE("Hostile safetensors headers are one clear error each") {
    const TemporaryFolder folder;
    const auto refuses = [&folder](const std::string& bytes, const std::string& words) {
        const auto path = folder.file("bad", bytes);
        INFO(bytes.substr(0, 200));
        CHECK_THROWS_WITH(read_safetensors(path), Contains(path.string()) && Contains(words));
    };
    const std::string tensor = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
    const std::string four = "abcd";
    refuses("", "0 bytes");
    refuses("1234567", "7 bytes");
    refuses(std::string(8, '\0'), "no header");
    refuses(std::string(8, '\xff') + "{}", "claims a header of 18446744073709551615");
    refuses(bytes_of("{}").substr(0, 9), "truncated");
    refuses(bytes_of(" {}"), "expected '{'");
    refuses(bytes_of("{\"x\":"), "not valid JSON at offset");
    refuses(bytes_of("{} {}"), "not valid JSON");
    refuses(bytes_of("{}", "x"), "1 bytes follow");
    refuses(bytes_of("{\"x\":" + std::string(100000, '[')), "array where none");
    refuses(bytes_of("{\"x\":" + std::string(100000, '{')), "not valid JSON");
    refuses(bytes_of("{\"x\":{\"dtype\":\"U8\",\"shape\":" + std::string(100000, '[')), "array where none");
    refuses(bytes_of("{\"x\":" + tensor + ",\"x\":" + tensor + "}", four), "'x' twice");
    refuses(bytes_of("{\"x\":" + tensor + "}", "abc"), "ends at offset 4 of 3");
    refuses(bytes_of("{\"x\":" + tensor + "}", "abcde"), "1 bytes follow");
    refuses(bytes_of("{\"x\":" + tensor + ",\"y\":" + tensor + "}", four), "inside another");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})", four), "after a gap");
    refuses(bytes_of(R"({"x":{"dtype":"F32","shape":[4],"data_offsets":[0,4]}})", four), "F32 4");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}})", four), "[4, 0]");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0]}})", four), "two numbers");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}})", four), "negative");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}})", four), "whole");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,4]}})", four), "whole");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", four), "64 bits");
    refuses(bytes_of(R"({"x":{"dtype":"I64","shape":[4611686018427387904],"data_offsets":[0,0]}})"), "I64");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[1,1,1,1,1,1,4],"data_offsets":[0,4]}})", four), "6 axes");
    refuses(bytes_of(R"({"x":{"dtype":"Q4","shape":[4],"data_offsets":[0,4]}})", four), "'Q4'");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[4]}})", four), "without dtype");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[4],"shape":[4],"data_offsets":[0,4]}})", four), "'shape' twice");
    refuses(bytes_of(R"({"x":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"evil":1}})", four), "'evil'");
    refuses(bytes_of(R"({"x":7})"), "number where none");
    refuses(bytes_of(R"({"x":null})"), "null");
    refuses(bytes_of(R"({"__metadata__":{"a":1}})"), "number where none");
    refuses(bytes_of(R"({"__metadata__":{"a":"1","a":"2"}})"), "'a' twice");
    refuses(bytes_of(R"({"__metadata__":{},"__metadata__":{}})"), "twice");
    refuses(bytes_of("{\"\xff\xfe\":" + tensor + "}", four), "not valid JSON");
}

TEST_CASE("A type that Liven lacks is listed, and refused only when read") {
    const TemporaryFolder folder;
    const auto path = folder.file("m", bytes_of(R"({"x":{"dtype":"U16","shape":[2],"data_offsets":[0,4]}})", "abcd"));
    const SafetensorsReader reader(path);
    CHECK(reader.entry("x").dtype == "U16");
    CHECK_THROWS_WITH(reader.read("x"), Contains("U16"));
}

TEST_CASE("No flipped bit and no cut crashes the safetensors reader") {
    const TemporaryFolder folder;
    write_safetensors(folder / "m", some_tensors(), {{"key", "value"}});
    const std::string good = read_text_file(folder / "m");
    const auto path = folder / "damaged";
    for (size_t i = 0; i < good.size() * 2; ++i) {
        std::string bytes = good;
        if (i < good.size())
            bytes.resize(i);
        else
            bytes[i - good.size()] = static_cast<char>(bytes[i - good.size()] ^ (1 << i % 8));
        folder.file("damaged", bytes);
        try {
            (void)read_safetensors(path);  // a flipped value bit is no error
        } catch (const Error& error) {
            CHECK(std::string(error.what()).find(path.string()) != std::string::npos);
        }
    }
}
