#include "liven/io/npy.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#include "liven/core/error.hpp"
#include "tests/temporary.hpp"

using namespace liven;
using Catch::Contains;

namespace {

/// A .npy file of the given version.
std::string npy(const std::string& description, const std::string& data, int version = 1) {
    std::string out = "\x93NUMPY";
    out += static_cast<char>(version);
    out += '\0';
    const uint32_t length = static_cast<uint32_t>(description.size());
    out.append(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4);
    return out + description + data;
}

std::string describe(const std::string& type, const std::string& shape, const std::string& order = "False") {
    return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

template <class T>
std::string raw(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

TEST_CASE("An array comes back from .npy bit by bit") {
    const TemporaryFolder folder;
    const std::vector<float> floats{1, 2, -0.0f, 4, 5, 6};
    const std::vector<int64_t> longs{-7};
    write_npy(folder / "f.npy", HostTensor({1, 3, 2}, floats));
    const HostTensor read = read_npy(folder / "f.npy");
    CHECK(read.shape == Shape{1, 3, 2});
    CHECK(std::memcmp(read.data.data(), floats.data(), 24) == 0);  // NOLINT: the bits, signs of zeros too
    write_npy(folder / "s.npy", HostTensor({}, longs));
    CHECK(read_npy(folder / "s.npy").shape == Shape{});
    CHECK(read_npy(folder / "s.npy").values<int64_t>()[0] == -7);
    write_npy(folder / "e.npy", HostTensor({0, 3}, DType::u8));
    CHECK(read_npy(folder / "e.npy").shape == Shape{0, 3});
    CHECK(read_npy(folder.file("z.npy", npy(describe("<f4", "(0, 4611686018427387904, 4)", "True"), ""))).count() == 0);
    write_npy(folder / "v.npy", HostTensor({3}, DType::i32));
    CHECK(read_npy(folder / "v.npy").dtype == DType::i32);
}

TEST_CASE("Values begin at a multiple of 64 bytes, as NumPy maps them") {
    const TemporaryFolder folder;
    write_npy(folder / "a.npy", HostTensor({1000, 2, 3}, DType::u8));
    CHECK((read_text_file(folder / "a.npy").size() - 6000) % 64 == 0);
}

TEST_CASE("Every version and type of NumPy that means something here is read") {
    const TemporaryFolder folder;
    const auto read = [&folder](const std::string& bytes) { return read_npy(folder.file("a.npy", bytes)); };
    for (int version : {1, 2, 3})
        CHECK(read(npy(describe("<f4", "(2,)"), raw<float>({1, 2}), version)).values<float>()[1] == 2.0f);
    CHECK(read(npy(describe("<f8", "(1,)"), raw<double>({0.1}))).values<float>()[0] == 0.1f);
    CHECK(read(npy(describe("<f2", "(1,)"), raw<uint16_t>({0x3c00}))).values<float>()[0] == 1.0f);
    CHECK(read(npy(describe("<i4", "(1,)"), raw<int32_t>({-5}))).values<int32_t>()[0] == -5);
    CHECK(read(npy(describe("|u1", "(2,)"), raw<uint8_t>({0, 255}))).values<uint8_t>()[1] == 255);
    CHECK(read(npy(describe("|b1", "(3,)"), raw<uint8_t>({0, 1, 2}))).values<uint8_t>()[2] == 1);
    // Keys in another order, other spaces, no trailing comma, double quotes.
    const HostTensor odd =
        read(npy("{\"shape\":(2 ,1),\"descr\":\"<i8\",\"fortran_order\":False}", raw<int64_t>({8, 9})));
    CHECK(odd.shape == Shape{2, 1});
    CHECK(odd.values<int64_t>()[1] == 9);
}

TEST_CASE("Fortran order is turned into rows") {
    const TemporaryFolder folder;
    // Element (i, j, k) of 2 x 3 x 4 is 100 i + 10 j + k; the first index runs fastest in the file.
    std::vector<int32_t> columns;
    for (int k = 0; k < 4; ++k)
        for (int j = 0; j < 3; ++j)
            for (int i = 0; i < 2; ++i) columns.push_back(100 * i + 10 * j + k);
    const HostTensor t = read_npy(folder.file("a.npy", npy(describe("<i4", "(2, 3, 4)", "True"), raw(columns))));
    size_t at = 0;
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 4; ++k) CHECK(t.values<int32_t>()[at++] == 100 * i + 10 * j + k);
}

TEST_CASE("Hostile .npy files are one clear error each") {
    const TemporaryFolder folder;
    const auto refuses = [&folder](const std::string& bytes, const std::string& words, const NpyLimits& limits = {}) {
        const auto path = folder.file("bad.npy", bytes);
        INFO(bytes.substr(0, 200));
        CHECK_THROWS_WITH(read_npy(path, limits), Contains(path.string()) && Contains(words));
    };
    const std::string one = raw<float>({1});
    refuses("", "0 bytes");
    refuses("PK\x03\x04 and more bytes", "NumPy array");
    refuses(npy(describe("<f4", "(1,)"), one, 4), "version 4");
    refuses(npy(describe("<f4", "(2,)"), one), "8 bytes of values");
    refuses(npy(describe("<f4", "(1,)"), one + "x"), "4 bytes of values");
    refuses(npy(describe("<f4", "(1,)"), one + "xy"), "4 bytes of values");
    refuses(npy(describe(">f4", "(1,)"), one), "little-endian");
    refuses(npy(describe("<c8", "(1,)"), one + one), "'<c8'");
    refuses(npy(describe("|O", "(1,)"), one), "'|O'");
    refuses(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", one), "records");
    refuses(npy(describe("<f4", "(1,)", "Maybe"), one), "True or False");
    refuses(npy(describe("<f4", "(-1,)"), one), "extent");
    refuses(npy(describe("<f4", "(1, x)"), one), "extent");
    refuses(npy(describe("<f4", "(1 1)"), one), "expected ','");
    refuses(npy(describe("<f4", "(1,1,1,1,1,1,1)"), one), "6 axes");
    refuses(npy(describe("<f4", "(99999999999999999999,)"), one), "extent");
    refuses(npy(describe("<f4", "(4294967296, 4294967296)"), one), "64 bits");
    refuses(npy(describe("<f4", "(4611686018427387904,)"), one), "needs more than");
    refuses(npy(describe("<f4", "(1000000000,)"), one), "4000000000 bytes of values");
    refuses(npy(describe("<f4", "(100,)"), std::string(400, 'x')), "more than 399", {.max_array_bytes = 399});
    refuses(npy(describe("<f2", "(100,)"), std::string(200, 'x')), "more than 399", {.max_array_bytes = 399});
    refuses(npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", one), "'descr'");
    refuses(npy("{'descr': '<f4', 'fortran_order': False}", one), "the keys");
    refuses(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", one), "'x'");
    refuses(npy("{'descr': '<f4", one), "without end");
    refuses(npy(std::string(60000, '{'), one), "quoted");
    refuses(npy("", one), "expected '{'");
    refuses(npy(describe("<f4", "(1,)") + "evil", one), "after the description");
    std::string long_header = npy(describe("<f4", "(1,)"), one, 2);
    long_header.replace(8, 4, "\xff\xff\xff\x7f");
    refuses(long_header, "claims a description of 2147483647");
}

TEST_CASE("No flipped bit and no cut crashes the .npy reader") {
    const TemporaryFolder folder;
    const std::string good = npy(describe("<f4", "(2, 3)", "True"), std::string(24, 'x'));
    for (size_t i = 0; i < good.size() * 9; ++i) {
        std::string bytes = good;
        if (i < good.size())
            bytes.resize(i);
        else
            bytes[(i - good.size()) / 8] = static_cast<char>(bytes[(i - good.size()) / 8] ^ (1 << i % 8));
        folder.file("a", bytes);
        try {
            (void)read_npy(folder / "a");  // a flipped value bit is no error
        } catch (const Error&) {
        }
    }
    SUCCEED();
}
