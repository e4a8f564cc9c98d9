#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "kernels/step.hpp"

namespace liven::kernels {

/// What the time of a convolution or matrix product depends on, in one line: operation, window, extents, and how many
/// instructions and sums its programs have. Empty for other operations, which have no kernels to choose from.
std::string problem_key(const Problem& problem);

/// How long kernels took over problems of one machine. As text (UTF-8, at most 4 MiB):
///
///     liven-tuning 1
///     # seconds kernel ISA problem
///     0.00123 conv2d_fwd_direct_nhwc_f32 avx512 conv2d 3x3 stride 1x1 ...
class TuningTable {
public:
    struct Key {
        Isa isa = Isa::baseline;
        std::string kernel, problem;
        bool operator<(const Key& other) const {
            return std::tie(isa, kernel, problem) < std::tie(other.isa, other.kernel, other.problem);
        }
    };

    /// Throws Error with `source` and the line: another format or version, a kernel that is not in the registry, a time
    /// that is none, something twice.
    static TuningTable parse(std::string_view text, std::string_view source);
    /// Throws Error when the file cannot be read.
    static TuningTable read(const std::string& path);

    void set(Key key, double seconds);
    std::optional<double> seconds(const Key& key) const;
    /// Problems over which this kernel was timed.
    size_t problems(const KernelInfo& kernel) const;
    size_t size() const { return seconds_.size(); }
    std::string str() const;
    /// Equal for equal tables; 0 for an empty one.
    uint64_t hash() const { return hash_; }

private:
    void update_hash();

    std::map<Key, double> seconds_;
    uint64_t hash_ = 0;
};

/// What `choose` goes by: the table of the file that LIVEN_TUNING names, read at first use, or an empty one. Throws
/// Error when the file is not in order.
std::shared_ptr<const TuningTable> active_tuning();
/// Takes its place, for plans made from now on.
void set_active_tuning(TuningTable table);

}  // namespace liven::kernels
