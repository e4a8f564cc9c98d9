#include "cross_tests.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "folder_names.hpp"
#include "liven/core/error.hpp"
#include "liven/models/registry.hpp"
#include "training_data.hpp"

namespace liven {
namespace {

namespace fs = std::filesystem;

/// Where the data of a run lies, however its path is written.
fs::path place_of(const RunEvidence& run) {
    fs::path place = fs::weakly_canonical(run.settings.data);
    if (place.filename() == "manifest.csv") place = place.parent_path();
    return place;
}

std::set<std::string> datasets_in(const data::Dataset& set) {
    std::set<std::string> names;
    for (const data::Sample& sample : set.samples) names.insert(sample.dataset);
    return names;
}

/// A set to test on: all test samples of some data, or those of one of the data sets that it is made of.
struct TestedSet {
    std::string name;
    fs::path place;
    std::string dataset;  ///< empty: all
    data::Dataset samples;
};

/// The data of the runs, each once, with a name.
struct RunData {
    fs::path place;
    std::string name;
    const RunEvidence* first;  ///< the run whose division counts for the others
};

std::vector<RunData> data_of(std::span<const RunEvidence> runs) {
    std::vector<RunData> all;
    std::vector<fs::path> places;
    for (const RunEvidence& run : runs) {
        const fs::path place = place_of(run);
        if (std::find(places.begin(), places.end(), place) != places.end()) continue;
        places.push_back(place);
        all.push_back({.place = place, .name = {}, .first = &run});
    }
    for (fs::path& place : places)
        if (place.extension() == ".csv") place.replace_extension();
    const std::vector<std::string> names = names_of(places);
    for (size_t i = 0; i < all.size(); ++i) all[i].name = names[i];
    return all;
}

data::Dataset of_dataset(const data::Dataset& set, const std::string& name) {
    data::Dataset out = set;
    std::erase_if(out.samples, [&](const data::Sample& sample) { return sample.dataset != name; });
    return out;
}

std::vector<TestedSet> tested_sets(const std::vector<RunData>& all) {
    std::vector<TestedSet> sets;
    for (const RunData& each : all) {
        const data::Dataset test = each.first->divided.only(data::Split::test);
        if (test.samples.empty()) continue;
        if (datasets_in(each.first->divided).size() == 1) {
            sets.push_back({.name = each.name, .place = each.place, .dataset = {}, .samples = test});
            continue;
        }
        for (const std::string& name : datasets_in(test))
            sets.push_back({.name = name.empty() ? each.name + ", unnamed" : name,
                            .place = each.place,
                            .dataset = name,
                            .samples = of_dataset(test, name)});
    }
    for (TestedSet& set : sets) {
        const auto alike =
            std::count_if(sets.begin(), sets.end(), [&](const TestedSet& s) { return s.name == set.name; });
        const auto data = std::find_if(all.begin(), all.end(), [&](const RunData& d) { return d.place == set.place; });
        if (alike > 1 && set.name != data->name) set.name += " of " + data->name;
    }
    return sets;
}

/// "file#frame"
std::string file_of(const data::Sample& sample) {
    return fs::weakly_canonical(sample.path).string() + '#' + std::to_string(sample.frame);
}

/// What a model has seen of the samples before they test it.
int64_t seen_before(const std::set<std::string>& seen, const data::Dataset& samples) {
    return std::count_if(samples.samples.begin(), samples.samples.end(),
                         [&](const data::Sample& sample) { return seen.count(file_of(sample)) != 0; });
}

/// All but seed and data: what makes two trainings those of one model.
std::string kind_of(const RunEvidence& run) {
    TrainSettings settings = run.settings;
    settings.seed = 0;
    settings.data.clear();
    return settings.to_config().str();
}

/// A name for each run's model.
std::vector<std::string> model_names_of(std::span<const RunEvidence> runs) {
    std::map<std::string, std::set<std::string>> kinds;  // of a title
    const auto title_of = [](const RunEvidence& run) { return std::string(model_info(run.info.model).title); };
    for (const RunEvidence& run : runs) kinds[title_of(run)].insert(kind_of(run));
    std::map<std::string, std::string> names;  // of a kind, by its first run where the title is not enough
    std::vector<std::string> out;
    for (const RunEvidence& run : runs) {
        const std::string title = title_of(run);
        const auto [name, fresh] =
            names.try_emplace(kind_of(run), kinds[title].size() > 1 ? title + " (" + run.name + ")" : title);
        out.push_back(name->second);
    }
    return out;
}

/// A run's model, loaded when it is first asked for.
class Tester {
public:
    explicit Tester(const RunEvidence& run) : run_(run), place_(place_of(run)) {
        for (const data::Split part : {data::Split::train, data::Split::val})
            for (const data::Sample& sample : run.divided.only(part).samples) seen_.insert(file_of(sample));
    }

    report::TestMeasures operator()(const TestedSet& set) {
        if (set.place == place_ && set.dataset.empty() && run_.test)
            return report::TestMeasures::of(run_.test->report);  // judged already
        // Its own data is divided its own way.
        const data::Dataset samples = set.place != place_ ? set.samples : own(set.dataset);
        if (samples.samples.empty()) return report::TestMeasures::undefined("it has no test samples of this set");
        if (const int64_t seen = seen_before(seen_, samples); seen > 0)
            return report::TestMeasures::undefined("trained or chosen on " + std::to_string(seen) + " of its " +
                                                   std::to_string(samples.size()) + " samples");
        try {
            if (!loaded_) loaded_ = std::make_unique<LoadedModel>(load_model(run_.folder / "model.safetensors"));
            const data::Dataset as_seen = samples_of(samples, run_.settings);
            return report::TestMeasures::of(
                score_part(*loaded_, as_seen, run_.settings.batch, run_.name + " on " + set.name).report);
        } catch (const Error& error) {
            return report::TestMeasures::undefined(error.what());
        }
    }

    /// Whether it was trained on samples of this set's kind.
    bool is_within(const TestedSet& set) const {
        return set.place == place_ &&
               (set.dataset.empty() || !of_dataset(run_.divided.only(data::Split::train), set.dataset).samples.empty());
    }

private:
    data::Dataset own(const std::string& dataset) const {
        const data::Dataset test = run_.divided.only(data::Split::test);
        return dataset.empty() ? test : of_dataset(test, dataset);
    }

    const RunEvidence& run_;
    fs::path place_;
    std::set<std::string> seen_;
    std::unique_ptr<LoadedModel> loaded_;
};

}  // namespace

bool cover_several_sets(std::span<const RunEvidence> runs) {
    const std::vector<RunData> all = data_of(runs);
    return all.size() > 1 || tested_sets(all).size() > 1;
}

report::SetTests test_across(std::span<const RunEvidence> runs) {
    const std::vector<RunData> all = data_of(runs);
    const std::vector<TestedSet> sets = tested_sets(all);
    const std::vector<std::string> models = model_names_of(runs);
    report::SetTests out;
    for (const std::string& model : models)
        if (std::find(out.models.begin(), out.models.end(), model) == out.models.end()) out.models.push_back(model);
    for (const RunData& each : all) out.sources.push_back(each.name);
    for (const TestedSet& set : sets) out.targets.push_back(set.name);
    for (size_t i = 0; i < runs.size(); ++i) {
        Tester test(runs[i]);
        const auto source =
            std::find_if(all.begin(), all.end(), [&](const RunData& each) { return each.place == place_of(runs[i]); });
        for (const TestedSet& set : sets)
            out.tests.push_back({.model = models[i],
                                 .source = source->name,
                                 .target = set.name,
                                 .within = test.is_within(set),
                                 .measures = test(set)});
    }
    return out;
}

}  // namespace liven
