#include "src/data/import/hdf5.hpp"

#include <algorithm>
#include <cstring>

#include "liven/core/error.hpp"
#include "src/core/side_process.hpp"
#include "src/data/import/hdf5_library.hpp"
#include "src/data/text.hpp"

namespace liven::data {

using Kind = Hdf5Request::Kind;

bool has_hdf5() { return LIVEN_WITH_HDF5 == 1; }

void require_hdf5(const std::string& where) {
    if (!has_hdf5())
        throw Error(where, "the data set comes in HDF5 files, and this build of Liven was made without HDF5",
                    "install the Debian package libhdf5-dev and build again");
}

std::vector<uint8_t> Hdf5Request::encoded() const {
    std::vector<uint8_t> out(1 + sizeof index + name.size());
    out[0] = static_cast<uint8_t>(kind);
    std::memcpy(out.data() + 1, &index, sizeof index);
    std::memcpy(out.data() + 1 + sizeof index, name.data(), name.size());
    return out;
}

Hdf5Request Hdf5Request::decoded(std::span<const uint8_t> bytes) {
    Hdf5Request out;
    out.kind = static_cast<Kind>(bytes[0]);
    std::memcpy(&out.index, bytes.data() + 1, sizeof out.index);
    const std::span<const uint8_t> rest = bytes.subspan(1 + sizeof out.index);
    out.name.assign(rest.begin(), rest.end());
    return out;
}

#if LIVEN_WITH_HDF5

struct Hdf5File::Beside {
    explicit Beside(const SideLimits& limits)
        : process(
              [] {
                  auto library = std::make_shared<Hdf5Library>();
                  return [library](std::span<const uint8_t> request) {
                      return library->answer(Hdf5Request::decoded(request));
                  };
              },
              limits) {}
    SideProcess process;
};

namespace {

/// `work`, with what goes wrong beside as an Error that names the file.
template <class Work>
auto told_of(const std::string& where, const Work& work) {
    try {
        return work();
    } catch (const SideRefusal& refusal) {
        throw Error(where, refusal.what());
    } catch (const SideFailure& failure) {
        throw Error(where, std::string("expected a sound HDF5 file, but the HDF5 library ") + failure.what(),
                    "the file is damaged or was made to do harm: fetch it again");
    }
}

}  // namespace

template <class T>
std::vector<T> Hdf5File::ask(Kind kind, const std::string& name, int64_t index, size_t most) const {
    return told_of(where_, [&] {
        return beside_->process.ask<T>(Hdf5Request{.kind = kind, .index = index, .name = name}.encoded(), most);
    });
}

Hdf5File::Hdf5File(const std::filesystem::path& path, const SideLimits& limits) : where_(path.string()) {
    std::error_code code;
    if (!std::filesystem::is_regular_file(path, code))
        throw Error(where_, std::filesystem::exists(path, code) ? "expected a file" : "there is no such file");
    try {
        beside_ = std::make_unique<Beside>(limits);
    } catch (const SideFailure& failure) {  // no fault of the file, which was not looked at
        throw Error(where_, std::string("the HDF5 library ") + failure.what(),
                    "the system may lack memory, processes or open files: ulimit -a");
    }
    ask<uint8_t>(Kind::open, where_, -1, 0);
}

bool Hdf5File::has(const std::string& name) const {
    const std::vector<uint8_t> answer = ask<uint8_t>(Kind::has, name, -1, 1);
    return !answer.empty() && answer[0] == 1;
}

std::vector<std::string> Hdf5File::names_in(const std::string& group) const {
    std::vector<std::string> out;
    const std::vector<char> text = ask<char>(Kind::names, group, -1, kMostHdf5NameBytes);
    for (auto at = text.begin(); at != text.end();) {
        const auto end = std::find(at, text.end(), '\0');
        out.emplace_back(at, end);
        at = end == text.end() ? end : end + 1;
    }
    return out;
}

std::vector<int64_t> Hdf5File::shape(const std::string& array) const { return ask<int64_t>(Kind::shape, array, -1, 8); }

std::vector<uint8_t> Hdf5File::bytes(const std::string& array, int64_t index) const {
    return ask<uint8_t>(Kind::bytes, array, index, kMostHdf5Elements);
}

std::vector<uint16_t> Hdf5File::words(const std::string& array, int64_t index) const {
    return ask<uint16_t>(Kind::words, array, index, kMostHdf5Elements);
}

std::vector<double> Hdf5File::numbers(const std::string& array, int64_t index) const {
    return ask<double>(Kind::numbers, array, index, kMostHdf5Elements);
}

pid_t Hdf5File::process() const { return beside_->process.id(); }

#else

struct Hdf5File::Beside {};

Hdf5File::Hdf5File(const std::filesystem::path& path, const SideLimits&) : where_(path.string()) {
    require_hdf5(where_);
}
bool Hdf5File::has(const std::string&) const { return false; }
std::vector<std::string> Hdf5File::names_in(const std::string&) const { return {}; }
std::vector<int64_t> Hdf5File::shape(const std::string&) const { return {}; }
std::vector<uint8_t> Hdf5File::bytes(const std::string&, int64_t) const { return {}; }
std::vector<uint16_t> Hdf5File::words(const std::string&, int64_t) const { return {}; }
std::vector<double> Hdf5File::numbers(const std::string&, int64_t) const { return {}; }
pid_t Hdf5File::process() const { return -1; }

#endif

Hdf5File::~Hdf5File() = default;

}  // namespace liven::data
