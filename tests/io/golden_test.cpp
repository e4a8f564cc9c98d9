#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "liven/io/npy.hpp"
#include "src/core/crc32.hpp"
#include "tests/golden/formula.hpp"

using namespace liven;

namespace {

struct Parameter {
    std::string name;
    Shape shape;
};

/// AttackNet V2.2 for 32 x 32 images, in the order of pytorch_models.py.
std::vector<Parameter> attacknet_v22() {
    std::vector<Parameter> out;
    const auto add_dense = [&out](const std::string& layer, const Shape& kernel) {
        out.push_back({layer + "/kernel", kernel});
        out.push_back({layer + "/bias", Shape{kernel[-1]}});
    };
    const auto add_norm = [&out](const std::string& layer, int64_t channels) {
        for (const char* name : {"/gamma", "/beta", "/moving_mean", "/moving_variance"})
            out.push_back({layer + name, Shape{channels}});
    };
    // The dense half is constructed first.
    add_dense("dense1", {2048, 128});
    add_norm("bn_dense", 128);
    add_dense("output", {128, 2});
    int64_t inputs = 3;
    for (int64_t p : {1, 2}) {
        const int64_t filters = 16 * p;
        const std::string n = std::to_string(p);
        add_dense("conv" + n + "_1", {3, 3, inputs, filters});
        add_norm("bn" + n + "_1", filters);
        add_dense("conv" + n + "_2", {3, 3, filters, filters});
        add_dense("conv" + n + "_3", {3, 3, filters, filters});
        add_norm("bn" + n + "_final", filters);
        inputs = filters;
    }
    return out;
}

}  // namespace

TEST_CASE("The formula for golden parameters gives Python's bits") {
    const NpzReader golden(LIVEN_GOLDEN "/model_attacknet-v2.2_32x32.npz");
    const int64_t salt = golden.read("salt").values<int64_t>()[0];
    uint32_t crc = 0;
    for (const Parameter& parameter : attacknet_v22()) {
        const HostTensor values = golden::parameter(parameter.name, parameter.shape, salt);
        crc = crc32(crc, values.data.data(), values.bytes());
    }
    CHECK(crc == golden.read("parameters_crc32").values<int64_t>()[0]);
}

TEST_CASE("Every golden archive can be read") {
    for (const auto& entry : std::filesystem::directory_iterator(LIVEN_GOLDEN))
        if (entry.path().extension() == ".npz") CHECK_FALSE(read_npz(entry.path()).empty());
}
