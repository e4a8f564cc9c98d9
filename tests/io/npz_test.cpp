#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <string>

#include "liven/core/error.hpp"
#include "liven/io/npy.hpp"
#include "src/core/crc32.hpp"
#include "src/io/npy_format.hpp"
#include "src/io/zip.hpp"
#include "tests/temporary.hpp"

using namespace liven;
using Catch::Contains;

namespace {

NamedTensors some_arrays() {
    std::vector<float> floats(300000);
    for (size_t i = 0; i < floats.size(); ++i) floats[i] = static_cast<float>(i % 1000) / 7;
    const std::vector<int64_t> longs{1, -2};
    const std::vector<uint8_t> bytes{200};
    return {{"conv1_1/kernel", HostTensor({3, 100, 1000}, floats)},
            {"y", HostTensor({2}, longs)},
            {"empty", HostTensor({0}, DType::i32)},
            {"\xc3\xa4", HostTensor({1}, bytes)}};
}

bool equal(const NamedTensors& a, const NamedTensors& b) {
    if (a.size() != b.size()) return false;
    for (const auto& [name, tensor] : a) {
        const auto other = b.find(name);
        if (other == b.end() || other->second.shape != tensor.shape || other->second.dtype != tensor.dtype ||
            std::memcmp(other->second.data.data(), tensor.data.data(), tensor.bytes()) != 0)
            return false;
    }
    return true;
}

/// An archive written with knobs that write_npz has not.
void write_zip(const std::filesystem::path& path, uint64_t zip64_from, const std::function<void(io::ZipWriter&)>& add) {
    write_file_atomically(path, [&](OutputFile& file) {
        io::ZipWriter zip(file, zip64_from);
        add(zip);
        zip.finish();
    });
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
}

template <class T>
std::string number(T value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

TEST_CASE("The checksum is that of zip") {
    CHECK(crc32(0, "123456789", 9) == 0xcbf43926u);  // the check value of the CRC catalogue
    const std::string text = "slicing by eight must not depend on where the pieces are cut";
    for (size_t cut = 0; cut <= text.size(); ++cut)
        CHECK(crc32(crc32(0, text.data(), cut), text.data() + cut, text.size() - cut) ==
              crc32(0, text.data(), text.size()));
}

TEST_CASE("Arrays come back from an .npz, stored or deflated, and one by one") {
    const TemporaryFolder folder;
    for (bool compress : {false, true}) {
        if (compress && !LIVEN_WITH_ZLIB) continue;
        write_npz(folder / "a.npz", some_arrays(), {.compress = compress});
        CHECK(equal(read_npz(folder / "a.npz"), some_arrays()));
        const NpzReader reader(folder / "a.npz");
        CHECK(reader.has("y"));
        CHECK(reader.entries().at("y").deflated == compress);
        CHECK(reader.read("y").values<int64_t>()[1] == -2);
        CHECK_THROWS_WITH(reader.read("conv1_1/kernle"), Contains("did you mean 'conv1_1/kernel'"));
    }
    write_npz(folder / "none.npz", {});
    CHECK(read_npz(folder / "none.npz").empty());
}

TEST_CASE("The same arrays give the same archive") {
    const TemporaryFolder folder;
    write_npz(folder / "a.npz", some_arrays(), {.compress = LIVEN_WITH_ZLIB != 0});
    write_npz(folder / "b.npz", some_arrays(), {.compress = LIVEN_WITH_ZLIB != 0});
    CHECK(read_text_file(folder / "a.npz") == read_text_file(folder / "b.npz"));
}

TEST_CASE("Archives beyond 4 GB have zip64 records, which are read back") {
    const TemporaryFolder folder;
    for (uint64_t from : {uint64_t{0}, uint64_t{200}, uint64_t{1000000}}) {  // as if the old fields ended there
        write_zip(folder / "a.npz", from, [](io::ZipWriter& zip) {
            for (const auto& [name, tensor] : some_arrays())
                zip.add(name + ".npy", io::npy_header(tensor), {tensor.data.as<const char>(), tensor.bytes()}, false);
        });
        CHECK(equal(read_npz(folder / "a.npz"), some_arrays()));
    }
}

TEST_CASE("An archive written by NumPy is read") {
    // ops_loss.npz was: stored, with zip64 sizes in the local headers.
    const NamedTensors arrays = read_npz(LIVEN_GOLDEN "/ops_loss.npz");
    CHECK(arrays.at("cross_entropy/classes").values<int64_t>()[1] == 2);
    CHECK(arrays.at("triplet/embeddings").shape == Shape{7, 6});
}

TEST_CASE("A bf16 tensor is written as float") {
    const TemporaryFolder folder;
    HostTensor tensor({1}, DType::bf16);
    const uint16_t two = 0x4000;
    std::memcpy(tensor.data.data(), &two, 2);
    write_npz(folder / "a.npz", {{"x", tensor}});
    CHECK(read_npz(folder / "a.npz").at("x").values<float>()[0] == 2.0f);
}

TEST_CASE("Hostile archives are one clear error each") {
    const TemporaryFolder folder;
    const std::vector<float> floats{1, 2, 3, 4};
    write_npz(folder / "good.npz", {{"abc", HostTensor({4}, floats)}});
    const std::string good = read_text_file(folder / "good.npz");
    const auto refuses = [&folder](const std::string& bytes, const std::string& words) {
        const auto path = folder.file("bad.npz", bytes);
        CHECK_THROWS_WITH(read_npz(path), Contains(path.string()) && Contains(words));
    };
    const auto changed = [&good](const std::string& from, const std::string& to) {
        std::string bytes = good;
        replace_all(bytes, from, to);
        REQUIRE(bytes != good);
        return bytes;
    };
    const std::string name = "abc.npy";
    refuses("", "too short");
    refuses(std::string(1000, 'x'), "no zip directory");
    refuses(good.substr(0, good.size() - 1), "no zip directory");
    refuses(good + "x", "no zip directory");
    refuses(good.substr(50), "the zip directory claims");
    refuses(changed(name, "abc.txt"), "no .npy array");
    refuses(changed(name, "abcdnpy"), "no .npy array");
    // Sizes: 144 bytes stored (128 of header, 16 of values).
    refuses(changed(number<uint32_t>(144), number<uint32_t>(0x7fffffff)), "claims 2147483647 bytes");
    refuses(changed(number<uint32_t>(144) + number<uint32_t>(144), number<uint32_t>(144) + number<uint32_t>(145)),
            "claims 145 bytes in 144");
    refuses(
        changed(number<uint32_t>(144) + number<uint32_t>(144), number<uint32_t>(0xffffffff) + number<uint32_t>(144)),
        "zip64 sizes");
    std::string flipped = good;
    flipped[good.find(number<float>(3))] ^= 1;
    refuses(flipped, "checksum");
    std::string renamed = good;
    renamed.replace(good.find(name), 3, "xyz");
    refuses(renamed, "another name");
    std::string encrypted = good;
    encrypted[good.find("PK\x01\x02") + 8] ^= 1;
    refuses(encrypted, "encrypted");
    std::string method = good;
    method[good.find("PK\x01\x02") + 10] = 12;
    refuses(method, "compression method 12");
    std::string many = good;
    many[good.rfind("PK\x05\x06") + 10] = 2;
    refuses(many, "lists 1 entries and claims 2");
    // Two directory records for the same bytes: overlap and a name twice, either is refused.
    std::string twice = good;
    const size_t record = good.find("PK\x01\x02"), end = good.rfind("PK\x05\x06");
    twice.insert(end, good.substr(record, end - record));
    const size_t new_end = twice.rfind("PK\x05\x06");
    twice[new_end + 10] = 2;
    twice.replace(new_end + 12, 4, number(static_cast<uint32_t>(2 * (end - record))));
    refuses(twice, "overlap");
}

TEST_CASE("An array that does not fill its entry is refused") {
    const TemporaryFolder folder;
    const std::vector<float> floats{1, 2};
    const HostTensor tensor({2}, floats);
    const std::string values(tensor.data.as<const char>(), 8);
    for (const std::string& body : {values + "x", values.substr(1)}) {
        write_zip(folder / "a.npz", UINT32_MAX,
                  [&](io::ZipWriter& zip) { zip.add("x.npy", io::npy_header(tensor), body, false); });
        CHECK_THROWS_WITH(read_npz(folder / "a.npz"), Contains("8 bytes of values"));
    }
}

#if LIVEN_WITH_ZLIB

TEST_CASE("A zip bomb is refused before its memory is asked for") {
    const TemporaryFolder folder;
    const HostTensor zeros = [] {
        HostTensor out({1 << 20}, DType::u8);
        std::memset(out.data.data(), 0, out.bytes());
        return out;
    }();
    write_npz(folder / "zeros.npz", {{"x", zeros}}, {.compress = true});
    REQUIRE(read_text_file(folder / "zeros.npz").size() < 5000);
    CHECK(read_npz(folder / "zeros.npz").at("x").count() == 1 << 20);  // honest zeros are fine
    CHECK_THROWS_WITH(read_npz(folder / "zeros.npz", {.max_array_bytes = 1 << 19}), Contains("more than 524288"));
    CHECK_THROWS_WITH(NpzReader(folder / "zeros.npz", {.max_array_bytes = 1 << 19}).read("x"),
                      Contains("more than 524288"));

    // A size that deflate cannot reach.
    std::string liar = read_text_file(folder / "zeros.npz");
    replace_all(liar, number<uint32_t>((1 << 20) + 128), number<uint32_t>(0xf0000000));
    CHECK_THROWS_WITH(read_npz(folder.file("liar.npz", liar)), Contains("claims 4026531840 bytes"));
    // A size within reach that is not true, both ways.
    for (uint32_t claim : {(1u << 20) + 129, (1u << 20) + 127}) {
        std::string other = read_text_file(folder / "zeros.npz");
        replace_all(other, number<uint32_t>((1 << 20) + 128), number<uint32_t>(claim));
        CHECK_THROWS_WITH(read_npz(folder.file("other.npz", other)), Contains("bytes of values"));
    }
}

TEST_CASE("Compressed data that ends early, late or never is refused") {
    const TemporaryFolder folder;
    const std::vector<float> floats(1000, 1.5f);
    const HostTensor tensor({1000}, floats);
    const std::string whole = io::npy_header(tensor) + std::string(tensor.data.as<const char>(), tensor.bytes());
    const auto entry_of = [&](const std::string& packed) {
        folder.file("raw", packed);
        return io::ZipEntry{.name = "x.npy",
                            .header = 0,
                            .data = 0,
                            .compressed = packed.size(),
                            .bytes = whole.size(),
                            .crc = crc32(0, whole.data(), whole.size()),
                            .deflated = true};
    };
    const auto read_all = [&](const std::string& packed) {
        const io::ZipEntry entry = entry_of(packed);
        const InputFile file(folder / "raw");
        io::ZipSource source(file, entry);
        std::string out(whole.size(), '\0');
        source.read(out.data(), out.size());
        source.finish();
        return out;
    };
    const std::string packed = io::deflate({whole});
    CHECK(read_all(packed) == whole);
    for (size_t length = 0; length < packed.size(); ++length)
        CHECK_THROWS_AS(read_all(packed.substr(0, length)), Error);
    CHECK_THROWS_WITH(read_all(io::deflate({whole, "more"})), Contains("does not end after"));
    CHECK_THROWS_WITH(read_all(io::deflate({whole.substr(1)})), Contains("cannot inflate past byte"));
    CHECK_THROWS_WITH(read_all("\xff\xff\xff"), Contains("cannot inflate past byte 0"));
}

#endif

TEST_CASE("No flipped bit and no cut crashes the .npz reader") {
    const TemporaryFolder folder;
    const std::vector<float> floats{1, 2, 3, 4};
    write_npz(folder / "good.npz", {{"a", HostTensor({4}, floats)}, {"b", HostTensor({2, 2}, floats)}},
              {.compress = LIVEN_WITH_ZLIB != 0});
    const std::string good = read_text_file(folder / "good.npz");
    for (size_t i = 0; i < good.size() * 9; ++i) {
        std::string bytes = good;
        if (i < good.size())
            bytes.resize(i);
        else
            bytes[(i - good.size()) / 8] = static_cast<char>(bytes[(i - good.size()) / 8] ^ (1 << i % 8));
        folder.file("a", bytes);
        try {
            (void)read_npz(folder / "a");  // some header bits mean nothing to us
        } catch (const Error&) {
        }
    }
    SUCCEED();
}
