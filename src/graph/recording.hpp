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
    const char* scope = "";
    std::vector<Pass> pass_scopes;  ///< not empty while a pass records
};
Recording& recording();

}  // namespace liven::detail
