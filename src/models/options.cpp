#include "liven/models/options.hpp"

#include <charconv>
#include <set>
#include <sstream>

#include "liven/core/error.hpp"

namespace liven::detail {
namespace {

class Reader final : public OptionVisitor {
public:
    Reader(std::string_view model, const OptionMap& map) : model_(model), map_(map) {}
    void operator()(std::string_view name, float& value) override { number(name, value, "a number"); }
    void operator()(std::string_view name, int64_t& value) override { number(name, value, "a whole number"); }
    void operator()(std::string_view name, bool& value) override {
        const std::string* text = find(name);
        if (!text) return;
        if (*text != "true" && *text != "false") fail(name, *text, "true or false");
        value = *text == "true";
    }
    void operator()(std::string_view name, std::string& value) override {
        if (const std::string* text = find(name)) value = *text;
    }
    void check_all_known() const {
        std::string names;
        for (const std::string& name : known_) names += (names.empty() ? "" : ", ") + name;
        for (const auto& [name, value] : map_)
            if (!known_.contains(name))
                throw Error(model_, "there is no option '" + name + "'", "its options are " + names);
    }

private:
    const std::string* find(std::string_view name) {
        known_.insert(std::string(name));
        const auto found = map_.find(std::string(name));
        return found == map_.end() ? nullptr : &found->second;
    }
    template <class T>
    void number(std::string_view name, T& value, const char* expected) {
        const std::string* text = find(name);
        if (!text) return;
        const auto [end, status] = std::from_chars(text->data(), text->data() + text->size(), value);
        if (status != std::errc() || end != text->data() + text->size()) fail(name, *text, expected);
    }
    [[noreturn]] void fail(std::string_view name, const std::string& text, const char* expected) const {
        throw Error(model_, "option " + std::string(name) + " expects " + expected + ", got '" + text + "'");
    }

    std::string model_;
    const OptionMap& map_;
    std::set<std::string> known_;
};

class Writer final : public OptionVisitor {
public:
    void operator()(std::string_view name, float& value) override { put(name, value); }
    void operator()(std::string_view name, int64_t& value) override { put(name, value); }
    void operator()(std::string_view name, bool& value) override { map[std::string(name)] = value ? "true" : "false"; }
    void operator()(std::string_view name, std::string& value) override { map[std::string(name)] = value; }
    OptionMap map;

private:
    template <class T>
    void put(std::string_view name, T value) {
        char text[64];
        const auto result =
            std::to_chars(text, text + sizeof text, value);  // the shortest text that reads back the same
        map[std::string(name)] = std::string(text, result.ptr);
    }
};

}  // namespace

void read_options(std::string_view model, const OptionMap& map, void* options, void (*visit)(void*, OptionVisitor&)) {
    Reader reader(model, map);
    visit(options, reader);
    reader.check_all_known();
}

OptionMap write_options(void* options, void (*visit)(void*, OptionVisitor&)) {
    Writer writer;
    visit(options, writer);
    return writer.map;
}

}  // namespace liven::detail
