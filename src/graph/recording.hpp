#pragma once

#include <vector>

namespace liven::detail {

/// Where recording stands in this thread.
struct Recording {
    struct Pass {
        const char* scope;
        bool gradient;
    };
    int no_grad = 0;
    int types_only = 0;  ///< above 0 while operands have types and no values
    const char* scope = "";
    std::vector<Pass> pass_scopes;  ///< not empty while a pass records
};
Recording& recording();

}  // namespace liven::detail
