#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "liven/train/callback.hpp"

namespace liven {

/// The callbacks of a training in their order, and states from a checkpoint whose callbacks have not come yet.
class CallbackList {
public:
    /// Appends, and restores the state that waits under its name. Throws Error when the name is taken.
    Callback& add(std::unique_ptr<Callback> callback);

    /// Of all named callbacks, and those that still wait.
    std::map<std::string, CallbackState> states() const;
    /// Gives each callback its state and keeps the others for add().
    void restore(std::map<std::string, CallbackState> states);
    /// Warns of states that nobody has come for.
    void warn_of_waiting() const;

    auto begin() const { return callbacks_.begin(); }
    auto end() const { return callbacks_.end(); }

private:
    void claim(Callback& callback);

    std::vector<std::unique_ptr<Callback>> callbacks_;
    std::map<std::string, CallbackState> waiting_;
};

}  // namespace liven
