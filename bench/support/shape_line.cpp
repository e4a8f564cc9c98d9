#include "bench/support/shape_line.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "liven/core/error.hpp"

namespace liven::bench {
namespace {

/// "16x256x256x3" with any sign between the numbers.
std::vector<int64_t> numbers_of(const std::string& text, char separator) {
    std::vector<int64_t> numbers;
    const char *next = text.data(), *end = text.data() + text.size();
    while (next != end) {
        int64_t number = 0;
        const auto [rest, status] = std::from_chars(next, end, number);
        if (status != std::errc() || number < 0 || (rest != end && (*rest != separator || rest + 1 == end)))
            throw Error("shapes",
                        "expected numbers with '" + std::string(1, separator) + "' between, got '" + text + "'");
        numbers.push_back(number);
        next = rest == end ? end : rest + 1;
    }
    return numbers;
}

int64_t one_number(const std::string& text) {
    const std::vector<int64_t> numbers = numbers_of(text, ' ');
    if (numbers.size() != 1) throw Error("shapes", "expected one number, got '" + text + "'");
    return numbers[0];
}

Shape shape_from(const std::string& text) {
    return text == "scalar" ? Shape{} : Shape(std::span<const int64_t>(numbers_of(text, 'x')));
}

/// "kernel=3x3 padding=1" between brackets.
void read_attributes(const std::string& text, ShapeLine& line) {
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const size_t equals = word.find('=');
        if (equals == std::string::npos) throw Error("shapes", "expected name=value, got '" + word + "'");
        line.attributes[word.substr(0, equals)] = word.substr(equals + 1);
    }
}

/// How many of the taps of all windows along one axis lie inside the image.
int64_t taps_inside(int64_t input, int64_t output, int64_t kernel, int64_t stride, int64_t dilation, int64_t low) {
    int64_t taps = 0;
    for (int64_t o = 0; o < output; ++o)
        for (int64_t k = 0; k < kernel; ++k) {
            const int64_t at = o * stride - low + k * dilation;
            taps += at >= 0 && at < input;
        }
    return taps;
}

/// Of a file's first line.
int64_t batch_of(const std::string& line, const std::string& model) {
    const std::string before = "# liven plan " + model + " --batch ", behind = " --shapes";
    if (line.starts_with("# by hand")) return 0;
    if (!line.starts_with(before) || !line.ends_with(behind))
        throw Error("shapes", "expected '" + before + "N" + behind + "' or '# by hand', got '" + line + "'");
    return one_number(line.substr(before.size(), line.size() - before.size() - behind.size()));
}

double product(const Shape& shape) { return static_cast<double>(shape.count()); }

}  // namespace

Extent2d ShapeLine::extent(const std::string& name, Extent2d fallback) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) return fallback;
    const std::vector<int64_t> both = numbers_of(found->second, 'x');
    if (both.size() != 2) throw Error("shapes", name + " expects two extents, got '" + found->second + "'");
    return {both[0], both[1]};
}

AxisArray ShapeLine::axes(const std::string& name) const {
    AxisArray axes{};
    const auto found = attributes.find(name);
    if (found == attributes.end()) return axes;
    const std::vector<int64_t> numbers = numbers_of(found->second, 'x');
    if (numbers.size() > axes.size())
        throw Error("shapes", name + " expects a number an axis, got '" + found->second + "'");
    std::copy(numbers.begin(), numbers.end(), axes.begin());
    return axes;
}

Padding2d ShapeLine::padding() const {
    const auto found = attributes.find("padding");
    if (found == attributes.end()) return {};
    const std::vector<int64_t> sides = numbers_of(found->second, ',');
    if (sides.size() == 1) return {sides[0], sides[0], sides[0], sides[0]};
    if (sides.size() != 4) throw Error("shapes", "padding expects one or four numbers, got '" + found->second + "'");
    return {sides[0], sides[1], sides[2], sides[3]};
}

int64_t ShapeLine::integer(const std::string& name, int64_t fallback) const {
    return static_cast<int64_t>(number(name, static_cast<double>(fallback)));
}

double ShapeLine::number(const std::string& name, double fallback) const {
    const auto found = attributes.find(name);
    if (found == attributes.end()) return fallback;
    double value = 0;
    const char* end = found->second.data() + found->second.size();
    if (std::from_chars(found->second.data(), end, value).ptr != end)
        throw Error("shapes", name + " expects a number, got '" + found->second + "'");
    return value;
}

Convolution convolution_of(const ShapeLine& line) {
    const bool input_grad = line.op == "conv2d_input_grad", weight_grad = line.op == "conv2d_weight_grad";
    return {.src = input_grad ? line.outputs[0] : line.inputs[0],
            .weights = weight_grad ? line.outputs[0] : line.inputs[1],
            .dst = input_grad    ? line.inputs[0]
                   : weight_grad ? line.inputs[1]
                                 : line.outputs[0],
            .window = {.kernel = line.extent("kernel", 1),
                       .stride = line.extent("stride", 1),
                       .padding = line.padding(),
                       .dilation = line.extent("dilation", 1)},
            .groups = line.integer("groups", 1),
            .middle_is_sum = line.integer("middle_is_sum", 0) != 0};
}

double ShapeLine::flops() const {
    if (is_conv2d()) {
        const Convolution c = convolution_of(*this);
        return 2.0 * product(c.dst) * product(c.weights) / static_cast<double>(c.weights[3]);
    }
    if (is_matmul()) {
        const Shape& a = inputs[0];
        return 2.0 * product(outputs[0]) * static_cast<double>(a[integer("transpose_a", 0) ? -2 : -1]);
    }
    double largest = 0;
    for (const Shape& shape : inputs) largest = std::max(largest, product(shape));
    return largest;
}

double ShapeLine::least_flops() const {
    if (!is_conv2d()) return flops();
    const Convolution c = convolution_of(*this);
    const Window2d& w = c.window;
    const auto share = [](int64_t inside, int64_t windows, int64_t kernel) {
        return static_cast<double>(inside) / static_cast<double>(windows * kernel);
    };
    return flops() *
           share(taps_inside(c.src[1], c.dst[1], w.kernel.h, w.stride.h, w.dilation.h, w.padding.top), c.dst[1],
                 w.kernel.h) *
           share(taps_inside(c.src[2], c.dst[2], w.kernel.w, w.stride.w, w.dilation.w, w.padding.left), c.dst[2],
                 w.kernel.w);
}

double ShapeLine::bytes() const {
    double elements = 0;
    for (const Shape& shape : inputs) elements += product(shape);
    for (const Shape& shape : outputs) elements += product(shape);
    return 4.0 * elements;
}

ShapeLine shape_line_from(const std::string& text) {
    ShapeLine line;
    const size_t star = text.rfind(" *");
    line.text = text.substr(0, star);
    if (star != std::string::npos) line.count = one_number(text.substr(star + 2));
    const size_t end_of_op = line.text.find_first_of("[ ");
    line.op = line.text.substr(0, end_of_op);
    size_t next = end_of_op;
    if (next != std::string::npos && line.text[next] == '[') {
        const size_t closing = line.text.find(']', next);
        if (closing == std::string::npos) throw Error("shapes", "expected ']' in '" + text + "'");
        read_attributes(line.text.substr(next + 1, closing - next - 1), line);
        next = closing + 1;
    }
    std::istringstream words(next == std::string::npos ? "" : line.text.substr(next));
    bool arrow = false;
    for (std::string word; words >> word;) {
        if (word == "->")
            arrow = true;
        else
            (arrow ? line.outputs : line.inputs).push_back(shape_from(word));
    }
    const size_t operands = line.is_conv2d() || line.is_matmul() ? 2 : 1;
    if (line.inputs.size() < operands || line.outputs.empty())
        throw Error("shapes", "expected an operation, its inputs, '->' and its results, got '" + text + "'");
    return line;
}

Shapes read_shapes(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) throw Error(file.string(), "cannot be read");
    Shapes shapes;
    shapes.model = file.stem().string();
    int number = 0;
    for (std::string text; std::getline(in, text);) {
        ++number;
        try {
            if (number == 1)
                shapes.batch = batch_of(text, shapes.model);
            else if (!text.empty())
                shapes.lines.push_back(shape_line_from(text));
        } catch (const Error& error) {
            throw Error(file.string() + ":" + std::to_string(number), error.what());
        }
    }
    return shapes;
}

}  // namespace liven::bench
