#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "liven/core/error.hpp"

namespace liven::data {

/// Reads a flat JSON object field by field; what is missing, of the wrong type or unknown is one Error naming it.
class Fields {
public:
    Fields(std::string where, std::string_view text) : where_(std::move(where)) {
        json_ = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
        if (!json_.is_object()) throw Error(where_, "expected a JSON object, but the text is none");
    }

    template <class T>
    bool optional(const char* key, T& value) {
        known_.insert(key);
        const auto it = json_.find(key);
        if (it == json_.end()) return false;
        try {
            if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
                // A silent cut from 256.5, or from a number beyond int, would be a wrong size.
                if (!it->is_number_integer() ||
                    it->template get<int64_t>() != static_cast<int64_t>(it->template get<T>()))
                    bad(key);
            }
            if constexpr (requires { std::tuple_size<T>::value; })
                if (!it->is_array() || it->size() != std::tuple_size<T>::value) bad(key);
            value = it->template get<T>();
        } catch (const nlohmann::json::exception&) {
            bad(key);
        }
        return true;
    }
    template <class T>
    void required(const char* key, T& value) {
        if (!optional(key, value)) throw Error(where_, std::string("the field ") + key + " is missing");
    }
    void finish() const {
        for (const auto& [key, value] : json_.items())
            if (!known_.count(key)) throw Error(where_, "the field \"" + key + "\" is not known");
    }

private:
    [[noreturn]] void bad(const char* key) const {
        throw Error(where_, std::string("the field ") + key + " has a value that cannot be");
    }

    std::string where_;
    nlohmann::json json_;
    std::set<std::string> known_;
};

}  // namespace liven::data
