#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "liven/graph/engine.hpp"
#include "liven/graph/graph.hpp"

namespace liven::detail {

/// Everything two traces must share to use the same plan, as plain words: structure, shapes, types, structural
/// attributes, which leaves are the same, roots, and the options that change plans. Values of leaves are not part of
/// it.
class PlanKey {
public:
    /// Writes the key of the ordered nodes; keeps its memory from call to call. `nodes` must carry their indices.
    void write(const std::vector<Node*>& nodes, std::span<const Value> keep, std::span<const Engine::Target> targets,
               const EngineOptions& options);

    const std::vector<uint64_t>& words() const { return words_; }
    uint64_t hash() const;
    /// "conv1_1: conv2d stride_h": what word i of the key of these nodes stands for.
    std::string name_of_word(size_t i, const std::vector<Node*>& nodes, std::span<const Value> keep,
                             std::span<const Engine::Target> targets, const EngineOptions& options);

private:
    void push(uint64_t word, std::string_view name = {});
    void write_type(const TensorType& type);
    void write_node(const Node& node);
    std::vector<uint64_t> words_;
    size_t wanted_ = SIZE_MAX;
    std::string found_;
    const Node* current_ = nullptr;
    friend class FieldWriter;
};

/// True when two keys of the same length differ in exactly one word.
bool differ_in_one_word(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b, size_t& where);

}  // namespace liven::detail
