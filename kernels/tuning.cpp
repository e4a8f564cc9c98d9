#include "kernels/tuning.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <mutex>
#include <sstream>

#include "liven/core/attributes.hpp"
#include "liven/core/environment.hpp"
#include "liven/core/error.hpp"

namespace liven::kernels {
namespace {

constexpr std::string_view kFirstLine = "liven-tuning 1";
constexpr size_t kLargestTable = size_t{4} << 20, kLongestLine = 4096;

void write_window(std::ostream& out, const Conv2dAttributes& attributes) {
    const Window2d& w = attributes.window;
    out << ' ' << w.kernel.h << 'x' << w.kernel.w << " stride " << w.stride.h << 'x' << w.stride.w << " padding "
        << w.padding.top << ',' << w.padding.bottom << ',' << w.padding.left << ',' << w.padding.right << " dilation "
        << w.dilation.h << 'x' << w.dilation.w << " groups " << attributes.groups;
    if (attributes.middle_is_sum) out << " middle_is_sum";
}

void write_operands(std::ostream& out, const std::vector<Operand>& operands) {
    for (const Operand& operand : operands) {
        out << ' ' << operand.shape;
        if (operand.dtype != DType::f32) out << ':' << name_of(operand.dtype);
        if (!operand.dense()) out << '/' << operand.pixel_stride;
    }
}

size_t program_size(const Program& program) { return program.code.size() + program.reductions.size(); }

/// The part of a line before the next blank; the line goes on behind it.
std::string_view take_word(std::string_view& line) {
    const size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

double seconds_from(std::string_view word) {
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && end == word.data() + word.size() && std::isfinite(value) ? value : -1;
}

bool is_registered(const TuningTable::Key& key) {
    const std::string_view op = std::string_view(key.problem).substr(0, key.problem.find(' '));
    return std::any_of(registry().begin(), registry().end(), [&](const KernelInfo& kernel) {
        return kernel.isa == key.isa && kernel.name == key.kernel && kernel.op == op;
    });
}

std::optional<Isa> isa_named(std::string_view name) {
    for (const Isa isa : {Isa::baseline, Isa::avx2, Isa::avx512})
        if (name == name_of(isa)) return isa;
    return std::nullopt;
}

struct ActiveTable {
    std::mutex mutex;
    std::shared_ptr<const TuningTable> table;
};
ActiveTable& active_table() {
    static ActiveTable active;
    return active;
}

}  // namespace

std::string problem_key(const Problem& problem) {
    std::ostringstream out;
    out << problem.op;
    if (problem.op.starts_with("conv2d")) {
        write_window(out, *static_cast<const Conv2dAttributes*>(problem.attributes));
    } else if (problem.op == "matmul") {
        const auto& attributes = *static_cast<const MatmulAttributes*>(problem.attributes);
        out << " transpose " << attributes.transpose_a << ',' << attributes.transpose_b;
    } else {
        return {};
    }
    write_operands(out << " from", problem.inputs);
    write_operands(out << " to", problem.outputs);
    for (int i = 0; i < 2; ++i)
        if (problem.prologue[i])
            out << " made " << i << ' ' << problem.prologue_shape[i] << ' ' << program_size(*problem.prologue[i]);
    if (problem.epilogue) out << " taken " << problem.epilogue_shape << ' ' << program_size(*problem.epilogue);
    return out.str();
}

TuningTable TuningTable::parse(std::string_view text, std::string_view source) {
    TuningTable table;
    size_t number = 0;
    const auto refuse = [&](std::string_view what) {
        throw Error(source, "line " + std::to_string(number) + ": " + std::string(what),
                    "make it again with liven tune");
    };
    if (text.size() > kLargestTable) refuse("a table has at most 4 MiB");
    while (!text.empty()) {
        ++number;
        const size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (number == 1 && line != kFirstLine)
            refuse("expected '" + std::string(kFirstLine) + "', got '" + std::string(line.substr(0, 40)) + "'");
        if (number == 1 || line.empty() || line.front() == '#') continue;
        if (line.size() > kLongestLine) refuse("a line has at most 4,096 characters");
        const double seconds = seconds_from(take_word(line));
        if (!(seconds > 0)) refuse("expected a time above 0 in seconds first");
        Key key{.isa = Isa::baseline, .kernel = std::string(take_word(line)), .problem = {}};
        const std::optional<Isa> isa = isa_named(take_word(line));
        if (!isa) refuse("expected baseline, avx2 or avx512 behind the kernel");
        key.isa = *isa;
        key.problem = line;
        if (!is_registered(key)) refuse("there is no kernel " + key.kernel + " for this ISA and problem");
        if (!table.seconds_.emplace(std::move(key), seconds).second) refuse("the same kernel and problem twice");
    }
    if (number == 0) refuse("the file is empty");
    table.update_hash();
    return table;
}

TuningTable TuningTable::read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(kLargestTable + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.eof() && !file.good()) throw Error(path, "the tuning table cannot be read");
    text.resize(static_cast<size_t>(file.gcount()));
    return parse(text, path);
}

void TuningTable::set(Key key, double seconds) {
    seconds_[std::move(key)] = seconds;
    update_hash();
}

std::optional<double> TuningTable::seconds(const Key& key) const {
    const auto found = seconds_.find(key);
    return found == seconds_.end() ? std::nullopt : std::optional(found->second);
}

size_t TuningTable::problems(const KernelInfo& kernel) const {
    return static_cast<size_t>(std::count_if(seconds_.begin(), seconds_.end(), [&](const auto& entry) {
        return entry.first.isa == kernel.isa && entry.first.kernel == kernel.name;
    }));
}

std::string TuningTable::str() const {
    std::string text = std::string(kFirstLine) + "\n# seconds kernel ISA problem\n";
    for (const auto& [key, seconds] : seconds_) {
        char number[32];
        const auto end = std::to_chars(number, number + sizeof number, seconds).ptr;
        text.append(number, end).append(" ").append(key.kernel).append(" ").append(name_of(key.isa));
        text.append(" ").append(key.problem).append("\n");
    }
    return text;
}

void TuningTable::update_hash() {
    // FNV-1a over the text as it is written, whatever comments were read.
    hash_ = 0;
    if (seconds_.empty()) return;
    hash_ = 0xcbf29ce484222325u;
    for (const char c : str()) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
}

std::shared_ptr<const TuningTable> active_tuning() {
    ActiveTable& active = active_table();
    const std::lock_guard lock(active.mutex);
    if (!active.table) {
        const auto path = environment_value("LIVEN_TUNING");
        active.table = std::make_shared<const TuningTable>(path ? TuningTable::read(*path) : TuningTable());
    }
    return active.table;
}

void set_active_tuning(TuningTable table) {
    ActiveTable& active = active_table();
    const std::lock_guard lock(active.mutex);
    active.table = std::make_shared<const TuningTable>(std::move(table));
}

}  // namespace liven::kernels
