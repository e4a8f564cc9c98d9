#pragma once

#include <string>
#include <vector>

#include "liven/metrics/measure.hpp"
#include "results.hpp"

namespace liven::protocol {

/// What statistics take: one number a model and unit (a source -> target cell, a seed or a fold).
struct UnitValues {
    std::string units;                          ///< "source → target cells"
    std::vector<std::string> names;             ///< of the units that are defined for every model
    std::vector<std::vector<double>> by_model;  ///< [model][unit]
    std::vector<std::string> left_out;          ///< "csmad → msspoof: undefined (...)"
};
UnitValues unit_values(const Results& results);

/// The measure that is compared: a field and its name.
Measure Judged::*compared_field(const ProtocolSettings& settings);

}  // namespace liven::protocol
