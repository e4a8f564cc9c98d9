#include "src/data/import/hdf5.hpp"

#include <algorithm>
#include <array>

#include "liven/core/error.hpp"
#include "src/data/text.hpp"

#if LIVEN_WITH_HDF5
#include <hdf5.h>
#endif

namespace liven::data {

bool has_hdf5() { return LIVEN_WITH_HDF5 == 1; }

void require_hdf5(const std::string& where) {
    if (!has_hdf5())
        throw Error(where, "the data set comes in HDF5 files, and this build of Liven was made without HDF5",
                    "install the Debian package libhdf5-dev and build again");
}

#if LIVEN_WITH_HDF5
namespace {

/// An identifier with the function that closes it.
class Hdf5Id {
public:
    Hdf5Id(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
    Hdf5Id(const Hdf5Id&) = delete;
    Hdf5Id& operator=(const Hdf5Id&) = delete;
    ~Hdf5Id() {
        if (id_ >= 0) close_(id_);
    }
    hid_t get() const { return id_; }
    bool valid() const { return id_ >= 0; }

private:
    hid_t id_;
    herr_t (*close_)(hid_t);
};

constexpr int64_t kMostElements = 192'000'000;

/// Once for the process: errors come back as codes and are not printed, and no file loads code.
void tame_hdf5() {
    static const bool done = [] {
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
        H5PLset_loading_state(0);
        return true;
    }();
    static_cast<void>(done);
}

/// Storage outside the file, and chunks too large to hold.
void require_plain_storage(const std::string& where, const std::string& name, hid_t array) {
    const Hdf5Id creation(H5Dget_create_plist(array), &H5Pclose);
    if (H5Pget_external_count(creation.get()) != 0 || H5Pget_layout(creation.get()) == H5D_VIRTUAL)
        throw Error(where, in_quotes(name) + " lies in other files, which are not followed");
    if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return;
    std::array<hsize_t, H5S_MAX_RANK> chunk{};
    const int rank = H5Pget_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
    double elements = 1;
    for (int i = 0; i < rank; ++i) elements *= static_cast<double>(chunk[static_cast<size_t>(i)]);
    if (elements > static_cast<double>(kMostElements))
        throw Error(where,
                    in_quotes(name) + " is stored in chunks of more than " + thousands(kMostElements) + " elements");
}

}  // namespace

struct Hdf5File::Handle {
    explicit Handle(const std::filesystem::path& path)
        : file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose) {}
    Hdf5Id file;

    /// Every part of the path is a link within the file.
    bool has(const std::string& name) const {
        for (size_t end = 0; end != std::string::npos;) {
            end = name.find('/', end + 1);
            const std::string part = name.substr(0, end);
            H5L_info_t info{};
            if (H5Lexists(file.get(), part.c_str(), H5P_DEFAULT) <= 0 ||
                H5Lget_info(file.get(), part.c_str(), &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
                return false;
        }
        return true;
    }

    /// Reads `array`, or its part at `index`, as `memory` after `fits` has agreed to the type in the file.
    template <class T>
    std::vector<T> read(const std::string& where, const std::string& name, int64_t index, hid_t memory,
                        bool (*fits)(hid_t)) const {
        const Hdf5Id array(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), &H5Dclose);
        const Hdf5Id type(H5Dget_type(array.get()), &H5Tclose);
        if (!array.valid() || !fits(type.get()))
            throw Error(where, in_quotes(name) + " holds elements of another type than expected");
        require_plain_storage(where, name, array.get());
        const Hdf5Id space(H5Dget_space(array.get()), &H5Sclose);
        std::array<hsize_t, H5S_MAX_RANK> extent{}, start{};
        const int rank = H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr);
        if (rank < 1) throw Error(where, in_quotes(name) + " is no array");
        if (index >= 0) {
            if (static_cast<hsize_t>(index) >= extent[0])
                throw Error(where, in_quotes(name) + " ends before number " + std::to_string(index));
            start[0] = static_cast<hsize_t>(index);
            extent[0] = 1;
        }
        double elements = 1;
        for (int i = 0; i < rank; ++i) elements *= static_cast<double>(extent[static_cast<size_t>(i)]);
        if (elements < 1 || elements > static_cast<double>(kMostElements))
            throw Error(where, in_quotes(name) + " has no elements, or more than " + thousands(kMostElements));
        const Hdf5Id part(H5Screate_simple(rank, extent.data(), nullptr), &H5Sclose);
        std::vector<T> out(static_cast<size_t>(elements));
        if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr) < 0 ||
            H5Dread(array.get(), memory, part.get(), space.get(), H5P_DEFAULT, out.data()) < 0)
            throw Error(where, in_quotes(name) + " cannot be read: the file is damaged or cut off");
        return out;
    }
};

Hdf5File::Hdf5File(const std::filesystem::path& path) : where_(path.string()) {
    tame_hdf5();
    std::error_code code;
    if (!std::filesystem::is_regular_file(path, code))
        throw Error(where_, std::filesystem::exists(path, code) ? "expected a file" : "there is no such file");
    handle_ = std::make_unique<Handle>(path);
    if (!handle_->file.valid()) throw Error(where_, "the file is no HDF5 file, or it is damaged");
}

bool Hdf5File::has(const std::string& name) const { return handle_->has(name); }

std::vector<std::string> Hdf5File::names_in(const std::string& group) const {
    const Hdf5Id id(group.empty()         ? H5Gopen2(handle_->file.get(), "/", H5P_DEFAULT)
                    : handle_->has(group) ? H5Gopen2(handle_->file.get(), group.c_str(), H5P_DEFAULT)
                                          : -1,
                    &H5Gclose);
    H5G_info_t info{};
    if (!id.valid() || H5Gget_info(id.get(), &info) < 0) throw Error(where_, "expected a group " + in_quotes(group));
    if (info.nlinks > 1'000'000)
        throw Error(where_, "the group " + in_quotes(group) + " has more than 1,000,000 names");
    std::vector<std::string> out;
    for (hsize_t i = 0; i < info.nlinks; ++i) {
        std::array<char, 1024> name{};
        const ssize_t length =
            H5Lget_name_by_idx(id.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
        if (length > 0 && static_cast<size_t>(length) < name.size()) out.emplace_back(name.data());
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<int64_t> Hdf5File::shape(const std::string& array) const {
    const Hdf5Id id(handle_->has(array) ? H5Dopen2(handle_->file.get(), array.c_str(), H5P_DEFAULT) : -1, &H5Dclose);
    if (!id.valid()) throw Error(where_, "expected an array " + in_quotes(array));
    const Hdf5Id space(H5Dget_space(id.get()), &H5Sclose);
    std::array<hsize_t, H5S_MAX_RANK> extent{};
    const int rank = H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr);
    if (rank < 1 || rank > 8) throw Error(where_, in_quotes(array) + " has no axis, or more than 8");
    std::vector<int64_t> out;
    for (int i = 0; i < rank; ++i)
        out.push_back(static_cast<int64_t>(std::min<hsize_t>(extent[static_cast<size_t>(i)], hsize_t{1} << 62)));
    return out;
}

std::vector<uint8_t> Hdf5File::bytes(const std::string& array, int64_t index) const {
    return handle_->read<uint8_t>(where_, array, index, H5T_NATIVE_UINT8, [](hid_t type) {
        return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
    });
}

std::vector<uint16_t> Hdf5File::words(const std::string& array, int64_t index) const {
    return handle_->read<uint16_t>(where_, array, index, H5T_NATIVE_UINT16, [](hid_t type) {
        return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) <= 2 && H5Tget_sign(type) == H5T_SGN_NONE;
    });
}

std::vector<double> Hdf5File::numbers(const std::string& array, int64_t index) const {
    return handle_->read<double>(where_, array, index, H5T_NATIVE_DOUBLE, [](hid_t type) {
        return H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT;
    });
}

#else

struct Hdf5File::Handle {};

Hdf5File::Hdf5File(const std::filesystem::path& path) : where_(path.string()) { require_hdf5(where_); }
bool Hdf5File::has(const std::string&) const { return false; }
std::vector<std::string> Hdf5File::names_in(const std::string&) const { return {}; }
std::vector<int64_t> Hdf5File::shape(const std::string&) const { return {}; }
std::vector<uint8_t> Hdf5File::bytes(const std::string&, int64_t) const { return {}; }
std::vector<uint16_t> Hdf5File::words(const std::string&, int64_t) const { return {}; }
std::vector<double> Hdf5File::numbers(const std::string&, int64_t) const { return {}; }

#endif

Hdf5File::~Hdf5File() = default;

}  // namespace liven::data
