#include "src/data/import/hdf5_library.hpp"

#if LIVEN_WITH_HDF5
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "src/data/text.hpp"

namespace liven::data {
namespace {

using Bytes = std::vector<uint8_t>;

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

[[noreturn]] void refuse_hdf5(const std::string& what) { throw std::runtime_error(what); }

/// How elements are handed over, and which types in the file may become them.
struct ElementKind {
    hid_t memory;
    size_t size;
    bool (*fits)(hid_t type);
};

ElementKind element_kind(Hdf5Request::Kind kind) {
    if (kind == Hdf5Request::Kind::bytes)
        return {H5T_NATIVE_UINT8, 1, [](hid_t type) {
                    return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1 &&
                           H5Tget_sign(type) == H5T_SGN_NONE;
                }};
    if (kind == Hdf5Request::Kind::words)
        return {H5T_NATIVE_UINT16, 2, [](hid_t type) {
                    return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) <= 2 &&
                           H5Tget_sign(type) == H5T_SGN_NONE;
                }};
    return {H5T_NATIVE_DOUBLE, 8,
            [](hid_t type) { return H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT; }};
}

/// Storage outside the file, and chunks too large to hold.
void require_plain_storage(const std::string& name, hid_t array) {
    const Hdf5Id creation(H5Dget_create_plist(array), &H5Pclose);
    if (H5Pget_external_count(creation.get()) != 0 || H5Pget_layout(creation.get()) == H5D_VIRTUAL)
        refuse_hdf5(in_quotes(name) + " lies in other files, which are not followed");
    if (H5Pget_layout(creation.get()) != H5D_CHUNKED) return;
    std::array<hsize_t, H5S_MAX_RANK> chunk{};
    const int rank = H5Pget_chunk(creation.get(), static_cast<int>(chunk.size()), chunk.data());
    double elements = 1;
    for (int i = 0; i < rank; ++i) elements *= static_cast<double>(chunk[static_cast<size_t>(i)]);
    if (elements > static_cast<double>(kMostHdf5Elements))
        refuse_hdf5(in_quotes(name) + " is stored in chunks of more than " + thousands(kMostHdf5Elements) +
                    " elements");
}

/// The elements that are asked for: all, or a part of the first axis.
struct Hyperslab {
    int rank = 0;
    std::array<hsize_t, H5S_MAX_RANK> start{}, extent{};
    size_t elements = 0;
};

Hyperslab hyperslab_of(const std::string& name, hid_t space, int64_t index) {
    Hyperslab slab;
    slab.rank = H5Sget_simple_extent_dims(space, slab.extent.data(), nullptr);
    if (slab.rank < 1) refuse_hdf5(in_quotes(name) + " is no array");
    if (index >= 0) {
        if (static_cast<hsize_t>(index) >= slab.extent[0])
            refuse_hdf5(in_quotes(name) + " ends before number " + std::to_string(index));
        slab.start[0] = static_cast<hsize_t>(index);
        slab.extent[0] = 1;
    }
    double elements = 1;
    for (int i = 0; i < slab.rank; ++i) elements *= static_cast<double>(slab.extent[static_cast<size_t>(i)]);
    if (elements < 1 || elements > static_cast<double>(kMostHdf5Elements))
        refuse_hdf5(in_quotes(name) + " has no elements, or more than " + thousands(kMostHdf5Elements));
    slab.elements = static_cast<size_t>(elements);
    return slab;
}

}  // namespace

struct Hdf5Library::File {
    explicit File(const std::string& path) : id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), &H5Fclose) {
        if (!id.valid()) refuse_hdf5("the file is no HDF5 file, or it is damaged");
    }
    Hdf5Id id;

    /// Every part of the path is a link within the file.
    bool has(const std::string& name) const {
        for (size_t end = 0; end != std::string::npos;) {
            end = name.find('/', end + 1);
            const std::string part = name.substr(0, end);
            H5L_info_t info{};
            if (H5Lexists(id.get(), part.c_str(), H5P_DEFAULT) <= 0 ||
                H5Lget_info(id.get(), part.c_str(), &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
                return false;
        }
        return true;
    }

    Bytes names_in(const std::string& name) const {
        const Hdf5Id group(name.empty() ? H5Gopen2(id.get(), "/", H5P_DEFAULT)
                           : has(name)  ? H5Gopen2(id.get(), name.c_str(), H5P_DEFAULT)
                                        : -1,
                           &H5Gclose);
        H5G_info_t info{};
        if (!group.valid() || H5Gget_info(group.get(), &info) < 0) refuse_hdf5("expected a group " + in_quotes(name));
        if (info.nlinks > 1'000'000) refuse_hdf5("the group " + in_quotes(name) + " has more than 1,000,000 names");
        std::vector<std::string> found;
        for (hsize_t i = 0; i < info.nlinks; ++i) {
            std::array<char, 1024> text{};
            const ssize_t length = H5Lget_name_by_idx(group.get(), ".", H5_INDEX_NAME, H5_ITER_INC, i, text.data(),
                                                      text.size(), H5P_DEFAULT);
            if (length > 0 && static_cast<size_t>(length) < text.size()) found.emplace_back(text.data());
        }
        std::sort(found.begin(), found.end());
        Bytes out;
        for (const std::string& one : found) {
            out.insert(out.end(), one.begin(), one.end());
            out.push_back(0);
        }
        if (out.size() > kMostHdf5NameBytes)
            refuse_hdf5("the names in the group " + in_quotes(name) + " take more than " +
                        thousands(kMostHdf5NameBytes) + " bytes");
        return out;
    }

    Bytes shape(const std::string& name) const {
        const Hdf5Id array(has(name) ? H5Dopen2(id.get(), name.c_str(), H5P_DEFAULT) : -1, &H5Dclose);
        if (!array.valid()) refuse_hdf5("expected an array " + in_quotes(name));
        const Hdf5Id space(H5Dget_space(array.get()), &H5Sclose);
        std::array<hsize_t, H5S_MAX_RANK> extent{};
        const int rank = H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr);
        if (rank < 1 || rank > 8) refuse_hdf5(in_quotes(name) + " has no axis, or more than 8");
        std::array<int64_t, 8> whole{};
        for (size_t i = 0; i < static_cast<size_t>(rank); ++i)
            whole[i] = static_cast<int64_t>(std::min<hsize_t>(extent[i], hsize_t{1} << 62));
        Bytes out(static_cast<size_t>(rank) * sizeof(int64_t));
        std::memcpy(out.data(), whole.data(), out.size());
        return out;
    }

    Bytes elements(const Hdf5Request& request) const {
        const ElementKind kind = element_kind(request.kind);
        const std::string& name = request.name;
        const Hdf5Id array(H5Dopen2(id.get(), name.c_str(), H5P_DEFAULT), &H5Dclose);
        const Hdf5Id type(H5Dget_type(array.get()), &H5Tclose);
        if (!array.valid() || !kind.fits(type.get()))
            refuse_hdf5(in_quotes(name) + " holds elements of another type than expected");
        require_plain_storage(name, array.get());
        const Hdf5Id space(H5Dget_space(array.get()), &H5Sclose);
        const Hyperslab slab = hyperslab_of(name, space.get(), request.index);
        const Hdf5Id part(H5Screate_simple(slab.rank, slab.extent.data(), nullptr), &H5Sclose);
        Bytes out(slab.elements * kind.size);
        if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, slab.start.data(), nullptr, slab.extent.data(), nullptr) <
                0 ||
            H5Dread(array.get(), kind.memory, part.get(), space.get(), H5P_DEFAULT, out.data()) < 0)
            refuse_hdf5(in_quotes(name) + " cannot be read: the file is damaged or cut off");
        return out;
    }
};

/// Errors come back as codes and are not printed, and no file loads code.
Hdf5Library::Hdf5Library() {
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    H5PLset_loading_state(0);
}

Hdf5Library::~Hdf5Library() = default;

Bytes Hdf5Library::answer(const Hdf5Request& request) {
    using Kind = Hdf5Request::Kind;
    if (request.kind == Kind::open) {
        file_ = std::make_unique<File>(request.name);
        return {};
    }
    if (!file_) refuse_hdf5("no file is open");
    switch (request.kind) {
        case Kind::has:
            return {file_->has(request.name) ? uint8_t{1} : uint8_t{0}};
        case Kind::names:
            return file_->names_in(request.name);
        case Kind::shape:
            return file_->shape(request.name);
        default:
            return file_->elements(request);
    }
}

}  // namespace liven::data
#endif
