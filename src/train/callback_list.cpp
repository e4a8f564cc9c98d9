#include "callback_list.hpp"

#include <utility>

#include "liven/core/error.hpp"
#include "liven/core/log.hpp"

namespace liven {

void CallbackList::claim(Callback& callback) {
    const auto found = waiting_.find(callback.name());
    if (found == waiting_.end()) return;
    callback.restore(found->second);
    waiting_.erase(found);
}

Callback& CallbackList::add(std::unique_ptr<Callback> callback) {
    const std::string name = callback->name();
    for (const auto& other : callbacks_)
        if (!name.empty() && other->name() == name)
            throw Error("trainer", "there is a callback named '" + name + "' already");
    claim(*callback);
    callbacks_.push_back(std::move(callback));
    return *callbacks_.back();
}

std::map<std::string, CallbackState> CallbackList::states() const {
    std::map<std::string, CallbackState> states = waiting_;
    for (const auto& callback : callbacks_)
        if (const std::string name = callback->name(); !name.empty()) states[name] = callback->state();
    return states;
}

void CallbackList::restore(std::map<std::string, CallbackState> states) {
    waiting_ = std::move(states);
    for (const auto& callback : callbacks_) claim(*callback);
}

void CallbackList::warn_of_waiting() const {
    for (const auto& [name, state] : waiting_)
        log_warning("the checkpoint holds the state of a callback '" + name + "' that was not added");
}

}  // namespace liven
