#include "table.hpp"

#include <map>
#include <string>

#include "conv2d.hpp"
#include "matmul.hpp"
#include "move.hpp"
#include "pointwise.hpp"
#include "pool.hpp"
#include "reduce.hpp"
#include "resize.hpp"

namespace liven::reference {
namespace {

template <class T>
std::map<std::string_view, Function<T>> make_table() {
    return {
        {"matmul", matmul<T>},
        {"product_norm", product_norm<T>},
        {"conv2d", conv2d<T>},
        {"conv2d_input_grad", conv2d_input_grad<T>},
        {"conv2d_weight_grad", conv2d_weight_grad<T>},
        {"max_pool", max_pool<T>},
        {"max_pool_grad", max_pool_grad<T>},
        {"max_pool_pick", max_pool_pick<T>},
        {"avg_pool", avg_pool<T>},
        {"avg_pool_grad", avg_pool_grad<T>},
        {"resize", resize<T>},
        {"resize_grad", resize_grad<T>},
        {"concat", concat<T>},
        {"slice", slice<T>},
        {"pad", pad<T>},
        {"permute", permute<T>},
        {"broadcast", broadcast<T>},
    };
}

}  // namespace

template <class T>
Function<T> function(std::string_view name) {
    static const std::map<std::string_view, Function<T>> table = make_table<T>();
    if (const auto found = table.find(name); found != table.end()) return found->second;
    if (const auto elementwise = pointwise_function<T>(name)) return elementwise;
    return reduce_function<T>(name);
}

template Function<float> function<float>(std::string_view);
template Function<double> function<double>(std::string_view);

}  // namespace liven::reference
