#include <map>
#include <set>
#include <vector>

#include "fuse_regions.hpp"

// What the rules of fusion have computed in several steps rather than stored: a map that more than one step takes, each
// making it of what it reads. Had it been stored, one step would write it and the others read it in the place of what
// they make it of; a map that is made on the way to another such map would stay in registers all the same, and is not
// counted.

namespace liven::detail {
namespace {

class RecomputedMaps {
public:
    explicit RecomputedMaps(const Regions& regions) : regions_(regions) {
        for (const Node* node : regions.order())
            for (const Value& input : node->inputs) users_[input.node.get()].push_back(node);
        // Readers come behind what they read.
        for (auto node = regions.order().rbegin(); node != regions.order().rend(); ++node)
            if (is_unstored(*node)) find_takers(*node);
    }

    Recomputed sum() {
        Recomputed total;
        for (const auto& [map, writer] : counted_) total.stored_bytes += bytes_of({map, 0});
        total.moved_bytes = total.stored_bytes;  // written once
        for (size_t group = 0; group < regions_.group_count(); ++group)
            total.moved_bytes += read_bytes(group, true) - read_bytes(group, false);
        return total;
    }

private:
    static double bytes_of(const ValueKey& map) {
        return static_cast<double>(map.first->outputs[map.second].type.bytes());
    }

    bool is_unstored(const Node* node) const {
        return regions_.role(node) == Role::pointwise && !regions_.is_stored(node);
    }

    /// The steps that take the map, but for those that take another of these made of it.
    void find_takers(const Node* map) {
        std::set<int>& takers = takers_[map];
        for (const Node* user : users_[map]) {
            if (const int home = regions_.home(user); home >= 0)
                takers.insert(home);
            else if (is_unstored(user) && !counted_.contains(user))
                takers.insert(takers_[user].begin(), takers_[user].end());
        }
        if (const int home = regions_.home(map); home >= 0) takers.insert(home);
        if (takers.size() > 1) counted_[map] = regions_.home(map) >= 0 ? regions_.home(map) : *takers.begin();
    }

    /// Bytes of the maps that a step reads, or would read if those that are counted were stored.
    double read_bytes(size_t group, bool stored) {
        std::set<ValueKey> maps;
        const Node* core = regions_.core(group);
        if (core)
            for (size_t i = 0; i < core->inputs.size(); ++i) collect(core->inputs[i], group, stored, maps);
        for (const Node* member : regions_.members(group))
            for (const Value& input : member->inputs) collect(input, group, stored, maps);
        double bytes = 0;
        for (const ValueKey& map : maps) bytes += bytes_of(map);
        return bytes;
    }

    void collect(const Value& value, size_t group, bool stored, std::set<ValueKey>& maps) const {
        const Value from = storage_of(value);
        const Node* node = from.node.get();
        if (regions_.role(node) == Role::constant || regions_.home(node) == static_cast<int>(group)) return;
        const auto counted = counted_.find(node);
        const bool read = stored && counted != counted_.end() && counted->second != static_cast<int>(group);
        if (read || !is_unstored(node)) {
            maps.insert(key_of(from));
            return;
        }
        for (const Value& input : node->inputs) collect(input, group, stored, maps);
    }

    const Regions& regions_;
    std::map<const Node*, std::vector<const Node*>> users_;
    std::map<const Node*, std::set<int>> takers_;
    std::map<const Node*, int> counted_;  ///< with the step that would write it
};

}  // namespace

Recomputed recomputed_maps(const Regions& regions) { return RecomputedMaps(regions).sum(); }

}  // namespace liven::detail
