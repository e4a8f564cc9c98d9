#include "src/data/prepare/stages.hpp"

namespace liven::data {
namespace {

void add_sample(StageCount& count, const Sample& sample) {
    if (sample.label == Label::bonafide) {
        ++count.classes.bonafide;
    } else {
        ++count.classes.attack;
        ++count.attack_types[sample.attack_type];
    }
}

}  // namespace

StageCounter::StageCounter(const PrepareOptions& o) {
    const auto add = [&](const char* name, bool there) {
        if (there) counts_.push_back({.stage = name});
    };
    add(stage::listed, true);
    add(stage::sampled, true);
    add(stage::readable, true);
    add(stage::face, o.faces != FaceSource::none || o.align);
    add(stage::quality, o.least_quality.has_value());
    add(stage::sources, o.equal_sources);
    add(stage::balanced, o.balance);
}

void StageCounter::list(const Sample& sample) { add_sample(counts_[0], sample); }

void StageCounter::count(const Sample& sample, std::string_view lost_at, const std::string& reason) {
    for (size_t i = 1; i < counts_.size(); ++i) {
        if (counts_[i].stage == lost_at) {
            ++counts_[i].left_out[reason];
            return;
        }
        add_sample(counts_[i], sample);
    }
}

}  // namespace liven::data
