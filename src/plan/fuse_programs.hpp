#pragma once

#include <set>

#include "fuse_regions.hpp"

namespace liven::detail {

/// Writes the programs of a group: registers, instructions, what is read and written.
class GroupBuilder {
public:
    GroupBuilder(const Regions& regions, size_t region);
    /// The finished group; its inputs are the core's operands first, then what the programs read.
    Group build();

private:
    void add_core_operands();
    std::set<const Node*> needed_members() const;
    void add_epilogue();
    void add_prologue(size_t operand);
    /// Index of an operand among the group's inputs, added when it is new.
    int input_index(const GroupOperand& operand);
    int output_index(const Value& value, const Shape& shape);
    void wait_for(const std::vector<Value>& values);

    const Regions& regions_;
    size_t region_;
    Group group_;
};

}  // namespace liven::detail
