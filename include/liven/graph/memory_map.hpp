#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "liven/core/shape.hpp"

namespace liven {

/// What lies where in a plan's arena, and during which segments. Leaves, results and states are outside it.
struct MemoryMap {
    struct Block {
        std::string op;          ///< of the step that makes it
        std::string scope = {};  ///< path of its module; empty outside modules
        bool is_gradient = false;
        bool is_repeated = false;   ///< made a second time for the backward pass
        bool is_workspace = false;  ///< the step's own, otherwise a value
        bool is_kept = false;       ///< made in the first run of a session and kept
        Shape shape;                ///< of a value
        int64_t offset = 0, bytes = 0;
        int64_t first = 0, last = 0;  ///< segments, both included

        /// What a picture tells apart: what a session keeps, values of the forward and the backward pass, workspaces.
        enum class Role { kept, forward, backward, workspace };
        Role role() const {
            if (is_kept) return Role::kept;
            return is_workspace ? Role::workspace : is_gradient || is_repeated ? Role::backward : Role::forward;
        }
        /// "gradient of conv1: max_pool_grad 16x128x128x16", "conv1: workspace of conv2d".
        std::string str() const;
    };
    std::vector<Block> blocks = {};  ///< none of them empty, in the order of their steps
    std::vector<int64_t> live = {};  ///< by segment: bytes of the blocks in use
    int64_t peak_segment = 0;        ///< where most are in use
    int64_t arena_bytes = 0;         ///< what the blocks take as they are placed
    int64_t lower_bound = 0;         ///< live[peak_segment]: no placing takes less
    int64_t scratch_bytes = 0;       ///< a thread, beside the arena
    double repeated = 0;             ///< FLOPs done a second time rather than their results held, of all
    int64_t repeated_bytes = 0;      ///< of maps that are made again in the backward pass rather than held for it
    int64_t recomputed_bytes = 0;    ///< of maps that every step computes that reads them, rather than one storing them
    int64_t recomputed_traffic = 0;  ///< what is read and written less for that, a run

    /// A chart of what is in use over the segments, `columns` wide, and a table of what makes the peak.
    std::string str(int columns = 96) const;
    /// Every block as a rectangle, segments by offsets, with a title to hover over; a whole SVG file.
    std::string svg() const;
};

}  // namespace liven
