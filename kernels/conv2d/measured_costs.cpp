#include "kernels/conv2d/measured_costs.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>

#include "liven/core/error.hpp"

namespace liven::kernels {
namespace {

constexpr std::string_view kCostsLine = "liven-costs 1";

/// In parts: compilers need not take a longer string than 65,536 characters.
constexpr std::string_view kBuiltIn[] = {
#include "kernels/conv2d/measured_costs.inc"
};

/// What two convolutions must have in common for one to say something of the other.
std::string class_of(const MeasuredConvolution& c) {
    const Window2d& w = c.attributes.window;
    const Padding2d& p = w.padding;
    std::ostringstream out;
    out << c.op << ' ' << w.kernel.h << 'x' << w.kernel.w << " stride " << w.stride.h << 'x' << w.stride.w
        << " padding " << p.top << ',' << p.bottom << ',' << p.left << ',' << p.right << " dilation " << w.dilation.h
        << 'x' << w.dilation.w << " groups " << c.attributes.groups;
    if (c.attributes.middle_is_sum) out << " middle_is_sum";
    return out.str();
}

/// Octaves between two extents, in shares of the most that is near: above 1 they are not.
double apart(int64_t a, int64_t b, double most) {
    return std::abs(std::log2(static_cast<double>(a) / static_cast<double>(b))) / std::log2(most);
}

/// How far the measured shape is from another of its class; infinity when it is not near.
double distance(const Conv2dGeometry& a, const Conv2dGeometry& b) {
    const std::array<double, 5> all{apart(a.src_c, b.src_c, 1.5), apart(a.dst_c, b.dst_c, 1.5),
                                    apart(a.dst_h, b.dst_h, 2), apart(a.dst_w, b.dst_w, 2),
                                    apart(a.samples, b.samples, 4)};
    double sum = 0;
    for (const double part : all) {
        if (part > 1) return INFINITY;
        sum += part;
    }
    return (a.samples == 1) == (b.samples == 1) ? sum : INFINITY;
}

double share_of(const MeasuredConvolution& c, std::string_view kernel) {
    const auto found = std::find_if(c.shares.begin(), c.shares.end(), [&](const auto& s) { return s.first == kernel; });
    return found == c.shares.end() ? 0 : found->second;
}

/// A line of the table, word by word; fails for good at the first that does not fit.
class Words {
public:
    explicit Words(std::string_view line) : rest_(line) {}

    bool failed() const { return failed_; }
    bool done() const { return rest_.empty(); }
    /// What lies before the next `end`, which is passed.
    std::string_view until(char end) {
        const size_t at = rest_.find(end);
        if (at == std::string_view::npos) failed_ = true;
        return take(std::min(at, rest_.size()));
    }
    std::string_view word() { return take(std::min(rest_.find(' '), rest_.size())); }
    std::string_view rest() { return take(rest_.size()); }
    void expect(std::string_view text) {
        if (rest_.starts_with(text))
            rest_.remove_prefix(text.size());
        else
            failed_ = true;
    }
    int64_t whole(std::string_view text, int64_t least) {
        int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < least || value > 1 << 24)
            failed_ = true;
        return failed_ ? least : value;
    }
    double share(std::string_view text) {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || !(value > 0 && value < 100)) failed_ = true;
        return value;
    }

private:
    std::string_view take(size_t count) {
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(std::min(count + 1, rest_.size()));
        return taken;
    }

    std::string_view rest_;
    bool failed_ = false;
};

Extent2d read_extent(Words& words) {
    const int64_t h = words.whole(words.until('x'), 1), w = words.whole(words.word(), 1);
    return {h, w};
}

/// Behind the instruction set: what class_of() writes.
MeasuredConvolution read_class(Words& words) {
    MeasuredConvolution c;
    c.op = words.word();
    Window2d& w = c.attributes.window;
    w.kernel = read_extent(words);
    words.expect("stride ");
    w.stride = read_extent(words);
    words.expect("padding ");
    w.padding.top = words.whole(words.until(','), 0);
    w.padding.bottom = words.whole(words.until(','), 0);
    w.padding.left = words.whole(words.until(','), 0);
    w.padding.right = words.whole(words.word(), 0);
    words.expect("dilation ");
    w.dilation = read_extent(words);
    words.expect("groups ");
    c.attributes.groups = words.whole(words.word(), 1);
    c.attributes.middle_is_sum = words.rest() == "middle_is_sum";
    if (words.failed()) return {};
    return c;
}

/// Source, result channels, kernels with their shares.
MeasuredConvolution read_convolution(MeasuredConvolution c, Words& words, const std::map<int64_t, std::string>& names) {
    Conv2dGeometry& g = c.geometry;
    g.groups = c.attributes.groups;
    g.window = c.attributes.window;
    g.samples = words.whole(words.until('x'), 1);
    g.src_h = words.whole(words.until('x'), 1);
    g.src_w = words.whole(words.until('x'), 1);
    g.src_c = words.whole(words.word(), 1);
    g.dst_c = words.whole(words.word(), 1);
    g.dst_h = g.window.out_h(g.src_h);
    g.dst_w = g.window.out_w(g.src_w);
    while (!words.done() && !words.failed()) {
        const auto name = names.find(words.whole(words.word(), 0));
        const double share = words.share(words.word());
        if (name == names.end()) return {};
        c.shares.emplace_back(name->second, share);
    }
    return words.failed() || g.dst_h < 1 || g.dst_w < 1 ? MeasuredConvolution{} : c;
}

/// Whether no map is stored in bf16: nothing was measured of those.
bool over_floats(const Problem& problem) {
    const auto is_bf16 = [](const Operand& operand) { return operand.dtype == DType::bf16; };
    return std::none_of(problem.inputs.begin(), problem.inputs.end(), is_bf16) &&
           std::none_of(problem.outputs.begin(), problem.outputs.end(), is_bf16);
}

std::optional<Isa> isa_of(std::string_view name) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
        if (name == name_of(isa)) return isa;
    return std::nullopt;
}

std::string rounded(double share) {
    char text[16];
    const auto end = std::to_chars(text, text + sizeof text, share, std::chars_format::fixed, 3).ptr;
    return {text, end};
}

}  // namespace

std::optional<MeasuredConvolution> MeasuredConvolution::of(const Problem& problem) {
    if (!problem.op.starts_with("conv2d")) return std::nullopt;
    Conv2dProblem parsed = parse_conv2d(problem);
    if (!parsed.refusal.empty()) return std::nullopt;
    return MeasuredConvolution{.op = std::string(problem.op),
                               .attributes = *static_cast<const Conv2dAttributes*>(problem.attributes),
                               .geometry = parsed.geometry,
                               .shares = {}};
}

Problem MeasuredConvolution::problem() const {
    const Conv2dGeometry& g = geometry;
    const auto dense = [](const Shape& shape) { return Operand{.shape = shape, .pixel_stride = shape[3]}; };
    const Operand src = dense({g.samples, g.src_h, g.src_w, g.src_c}),
                  dst = dense({g.samples, g.dst_h, g.dst_w, g.dst_c});
    const Operand weights = dense({g.window.kernel.h, g.window.kernel.w, g.group_src_c(), g.dst_c});
    Problem out;
    out.op = op;
    out.attributes = &attributes;
    if (op == "conv2d") {
        out.inputs = {src, weights};
        out.outputs = {dst};
    } else if (op == "conv2d_input_grad") {
        out.inputs = {dst, weights};
        out.outputs = {src};
    } else {
        out.inputs = {src, dst};
        out.outputs = {weights};
    }
    return out;
}

MeasuredCosts MeasuredCosts::parse(std::string_view text, std::string_view source) {
    MeasuredCosts costs;
    std::map<int64_t, std::string> names;
    std::optional<Isa> isa;
    MeasuredConvolution kind;  // of the lines that follow
    size_t number = 0;
    const auto refuse = [&](const char* what) {
        throw Error(source, "line " + std::to_string(number) + ": " + what,
                    "make it again with liven tune --as-default");
    };
    while (!text.empty()) {
        ++number;
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (number == 1 && line != kCostsLine) refuse("expected 'liven-costs 1'");
        if (number == 1 || line.empty() || line.front() == '#') continue;
        Words words(line);
        const std::string_view first = words.word();
        if (first.empty()) {
            MeasuredConvolution convolution = read_convolution(kind, words, names);
            if (!isa || convolution.shares.empty())
                refuse("expected a source, result channels, and kernels with shares of the peak");
            costs.set(*isa, std::move(convolution));
        } else if (first == "kernel") {
            const int64_t index = words.whole(words.word(), 0);
            const std::string_view name = words.rest();
            if (words.failed() || name.empty()) refuse("expected 'kernel NUMBER NAME'");
            names[index] = name;
        } else {
            isa = isa_of(first == "machine" ? words.word() : first);
            if (!isa) refuse("expected baseline, avx2 or avx512");
            if (first == "machine") {
                costs.set_machine(*isa, std::string(words.rest()));
                continue;
            }
            kind = read_class(words);
            if (kind.op.empty()) refuse("expected a convolution with its window, padding and groups");
        }
    }
    if (number == 0) refuse("the file is empty");
    return costs;
}

const MeasuredCosts& MeasuredCosts::built_in() {
    static const MeasuredCosts costs = [] {
        std::string text;
        for (const std::string_view part : kBuiltIn) text += part;
        return parse(text, "kernels/conv2d/measured_costs.inc");
    }();
    return costs;
}

void MeasuredCosts::set(Isa isa, MeasuredConvolution convolution) {
    auto& all = convolutions_[{isa, class_of(convolution)}];
    const auto same = std::find_if(all.begin(), all.end(), [&](const MeasuredConvolution& c) {
        return distance(c.geometry, convolution.geometry) == 0 && c.geometry.src_h == convolution.geometry.src_h &&
               c.geometry.src_w == convolution.geometry.src_w;
    });
    if (same != all.end())
        *same = std::move(convolution);
    else
        all.push_back(std::move(convolution));
}

std::string MeasuredCosts::str() const {
    std::map<std::string, size_t> names;
    for (const auto& [key, all] : convolutions_)
        for (const MeasuredConvolution& c : all)
            for (const auto& [kernel, share] : c.shares) names.emplace(kernel, 0);
    std::string out = std::string(kCostsLine) + "\n";
    for (const auto& [isa, machine] : machines_)
        out.append("machine ").append(name_of(isa)).append(" ").append(machine).append("\n");
    size_t next = 0;
    for (auto& [name, index] : names) {
        index = next++;
        out.append("kernel ").append(std::to_string(index)).append(" ").append(name).append("\n");
    }
    for (const auto& [key, all] : convolutions_) {
        out.append(name_of(key.first)).append(" ").append(key.second).append("\n");
        for (const MeasuredConvolution& c : all) {
            const Conv2dGeometry& g = c.geometry;
            const Shape src{g.samples, g.src_h, g.src_w, g.src_c};
            out.append(" ").append(src.str()).append(" ").append(std::to_string(g.dst_c));
            for (const auto& [kernel, share] : c.shares)
                out.append(" ").append(std::to_string(names.at(kernel))).append(" ").append(rounded(share));
            out.append("\n");
        }
    }
    return out;
}

std::string MeasuredCosts::machine(Isa isa) const {
    const auto found = machines_.find(isa);
    return found == machines_.end() ? std::string() : found->second;
}

std::vector<const MeasuredConvolution*> MeasuredCosts::all(Isa isa) const {
    std::vector<const MeasuredConvolution*> out;
    for (const auto& [key, convolutions] : convolutions_)
        if (key.first == isa)
            for (const MeasuredConvolution& c : convolutions) out.push_back(&c);
    return out;
}

size_t MeasuredCosts::convolutions(const KernelInfo& kernel) const {
    const auto timed = all(kernel.isa);
    return static_cast<size_t>(std::count_if(timed.begin(), timed.end(), [&](const MeasuredConvolution* c) {
        return c->op == kernel.op && share_of(*c, kernel.name) > 0;
    }));
}

const MeasuredConvolution* MeasuredCosts::near(const Problem& problem, Isa isa,
                                               const std::vector<const KernelInfo*>& kernels) const {
    const auto wanted = MeasuredConvolution::of(problem);
    if (!wanted) return nullptr;
    const auto found = convolutions_.find({isa, class_of(*wanted)});
    if (found == convolutions_.end()) return nullptr;
    const MeasuredConvolution* best = nullptr;
    double least = INFINITY;
    for (const MeasuredConvolution& c : found->second) {
        const double far = distance(c.geometry, wanted->geometry);
        const auto timed = [&](const KernelInfo* kernel) { return share_of(c, kernel->name) > 0; };
        if (far >= least || !std::all_of(kernels.begin(), kernels.end(), timed)) continue;
        least = far;
        best = &c;
    }
    return best;
}

double corrected_cost(const KernelInfo& kernel, const Problem& problem, const MeasuredConvolution& measured) {
    const double seconds = measured.geometry.flops() * 1e-12 / share_of(measured, kernel.name);
    const double missed = seconds / kernel.cost(measured.problem());
    return kernel.cost(problem) * std::clamp(missed, 0.5, 2.0);
}

std::string correct_by_measurements(const Problem& problem, Isa isa, const std::vector<const KernelInfo*>& kernels,
                                    std::vector<double>& costs) {
    const MeasuredConvolution* measured =
        over_floats(problem) ? MeasuredCosts::built_in().near(problem, isa, kernels) : nullptr;
    if (!measured) return {};
    // What the estimates would choose counts for five per cent less: so little may be the machine's, or the shape's.
    const auto estimated = static_cast<size_t>(std::min_element(costs.begin(), costs.end()) - costs.begin());
    for (size_t i = 0; i < kernels.size(); ++i)
        costs[i] = corrected_cost(*kernels[i], problem, *measured) * (i == estimated ? 0.95 : 1.0);
    const Conv2dGeometry& g = measured->geometry;
    return Shape{g.samples, g.src_h, g.src_w, g.src_c}.str() + " -> " + std::to_string(g.dst_c);
}

}  // namespace liven::kernels
