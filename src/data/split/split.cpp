#include "liven/data/split.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "liven/core/error.hpp"
#include "liven/core/philox.hpp"
#include "liven/data/folds.hpp"
#include "src/data/fields.hpp"
#include "src/data/split/groups.hpp"
#include "src/data/text.hpp"

namespace liven::data {

std::string_view name_of(GroupBy group_by) {
    switch (group_by) {
        case GroupBy::automatic:
            return "automatic";
        case GroupBy::subject:
            return "subject";
        case GroupBy::video:
            return "video";
        case GroupBy::image:
            return "image";
    }
    return "?";
}

GroupBy group_by_from(std::string_view name) {
    for (const auto by : {GroupBy::automatic, GroupBy::subject, GroupBy::video, GroupBy::image})
        if (name == name_of(by)) return by;
    throw Error("--by", "expected automatic, subject, video or image, but got " + std::string(name));
}

namespace {

void validate(const SplitOptions& o) {
    if (!(o.test >= 0 && o.test < 1))
        throw Error("split", "expected a test share from 0 to below 1, but got " + number(o.test));
    if (!(o.validation >= 0 && o.validation < 1))
        throw Error("split", "expected a validation share from 0 to below 1, but got " + number(o.validation));
}

void warn_about_groups(const Dataset& dataset, GroupBy by, SplitRecord& record) {
    if (const int64_t alone = count_ungrouped(dataset, by); alone > 0)
        record.warnings.push_back(
            thousands(alone) + " of " + thousands(dataset.size()) + " pictures are divided one by one" +
            (by == GroupBy::image ? ", as was asked for: "
                                  : ": nothing says whose face they show or which video they come from, so ") +
            "the same person may be on both sides and the figures too good");
}

/// What the groups turned out to be.
GroupBy resolved(const Dataset& dataset, GroupBy by) {
    if (by != GroupBy::automatic) return by;
    const auto any = [&](auto has) { return std::any_of(dataset.samples.begin(), dataset.samples.end(), has); };
    if (any([](const Sample& s) { return !s.subject.empty(); })) return GroupBy::subject;
    return any([](const Sample& s) { return !s.video.empty(); }) ? GroupBy::video : GroupBy::image;
}

void set_split(Dataset& dataset, const std::vector<std::vector<size_t>>& groups, const std::vector<size_t>& chosen,
               Split split) {
    for (size_t g : chosen)
        for (size_t i : groups[g]) dataset.samples[i].split = split;
}

void draw_splits(Dataset& dataset, const SplitOptions& options, SplitRecord& record) {
    const auto groups = groups_of(dataset, options.group_by);
    record.groups = static_cast<int64_t>(groups.size());
    const size_t least = size_t{1} + (options.test > 0) + (options.validation > 0);
    if (groups.size() < least)
        throw Error("split",
                    "expected at least " + std::to_string(least) + " subjects or videos to divide, but there are " +
                        std::to_string(groups.size()),
                    "give a split column, or more subjects");
    const Drawer drawer(dataset, groups);
    std::vector<size_t> open(groups.size());
    std::iota(open.begin(), open.end(), size_t{0});
    for (Sample& s : dataset.samples) s.split = Split::train;
    // One group stays for training, and one for validation.
    const size_t stay = options.validation > 0 ? 2 : 1;
    if (options.test > 0)
        set_split(dataset, groups, drawer.take(open, options.test, Random(options.seed, 0), stay), Split::test);
    if (options.validation > 0)
        set_split(dataset, groups, drawer.take(open, options.validation, Random(options.seed, 1)), Split::val);
    warn_about_groups(dataset, options.group_by, record);
}

/// A manifest with train and test alone: validation is cut from train.
void draw_validation(Dataset& dataset, const SplitOptions& options, SplitRecord& record) {
    Dataset train = dataset.only(Split::train);
    const auto groups = groups_of(train, options.group_by);
    if (groups.size() < 2) {
        record.warnings.emplace_back("there is no validation set, and one group in train cannot be divided");
        return;
    }
    const Drawer drawer(train, groups);
    std::vector<size_t> open(groups.size());
    std::iota(open.begin(), open.end(), size_t{0});
    set_split(train, groups, drawer.take(open, options.validation, Random(options.seed, 1)), Split::val);
    auto drawn = train.samples.begin();
    for (Sample& s : dataset.samples)
        if (s.split == Split::train) s.split = (drawn++)->split;
    record.warnings.push_back("the data name no validation set: " + thousands(dataset.count(Split::val)) +
                              " of the train pictures serve as one");
}

std::string leak_text(const std::vector<Leak>& leaks) {
    constexpr size_t shown = 8;
    std::string text;
    for (size_t i = 0; i < std::min(leaks.size(), shown); ++i) {
        const Leak& l = leaks[i];
        text += (i ? "; " : "") + l.group + " (";
        std::string parts;
        for (const auto& [name, count] :
             {std::pair{"train ", l.train}, std::pair{"val ", l.val}, std::pair{"test ", l.test}})
            if (count) parts += (parts.empty() ? "" : ", ") + (name + std::to_string(count));
        text += parts + ")";
    }
    return leaks.size() > shown ? text + "; and " + std::to_string(leaks.size() - shown) + " more" : text;
}

void judge_leaks(const Dataset& dataset, const SplitOptions& options, SplitRecord& record) {
    record.leaks = find_leaks(dataset);
    if (record.leaks.empty()) return;
    if (options.allow_leak.find_first_not_of(" \t\r\n") == std::string::npos)
        throw Error("split",
                    thousands(static_cast<long long>(record.leaks.size())) +
                        " groups lie in more than one split: " + leak_text(record.leaks),
                    "leave the split column out to have the data divided by group, or allow the leak with a reason "
                    "that goes into every report");
    record.leak_reason = options.allow_leak;
}

}  // namespace

int64_t count_ungrouped(const Dataset& dataset, GroupBy by) {
    if (by == GroupBy::image) return dataset.size();
    return std::count_if(dataset.samples.begin(), dataset.samples.end(), [by](const Sample& s) {
        return s.video.empty() && (by == GroupBy::video || (s.subject.empty() && s.target.empty()));
    });
}

std::vector<Leak> find_leaks(const Dataset& dataset) {
    const GroupNames names(dataset);
    std::map<std::string, Leak> found;
    const auto count = [&](const std::string& name, Split split) {
        Leak& leak = found[name];
        leak.group = name;
        if (split == Split::train) ++leak.train;
        if (split == Split::val) ++leak.val;
        if (split == Split::test) ++leak.test;
    };
    for (const Sample& s : dataset.samples) {
        if (!s.subject.empty()) count(names.identity(s, s.subject), s.split);
        if (!s.target.empty() && s.target != s.subject) count(names.identity(s, s.target), s.split);
        // A video of a subject that leaks leaks with it; it is named when only the video tells.
        if (s.subject.empty() && !s.video.empty()) count(names.video(s), s.split);
    }
    std::vector<Leak> leaks;
    for (auto& [name, leak] : found)
        if ((leak.train > 0) + (leak.val > 0) + (leak.test > 0) > 1) leaks.push_back(std::move(leak));
    return leaks;
}

SplitRecord assign_splits(Dataset& dataset, const SplitOptions& options) {
    validate(options);
    if (dataset.samples.empty()) throw Error("split", "there are no samples to divide");
    SplitRecord record;
    record.seed = options.seed;
    record.group_by = resolved(dataset, options.group_by);
    const int64_t open = dataset.count(Split::none);
    record.given = open == 0;
    if (open > 0 && open < dataset.size())
        throw Error("split", thousands(open) + " of " + thousands(dataset.size()) + " samples have no split",
                    "give all of them one, or leave the column out");
    if (record.given) {
        record.groups = static_cast<int64_t>(groups_of(dataset, options.group_by).size());
        if (dataset.count(Split::train) == 0) record.warnings.emplace_back("the data name no train set");
        if (dataset.count(Split::test) == 0) record.warnings.emplace_back("the data name no test set");
        judge_leaks(dataset, options, record);
        if (dataset.count(Split::val) == 0 && dataset.count(Split::train) > 0 && options.validation > 0)
            draw_validation(dataset, options, record);
    } else {
        draw_splits(dataset, options, record);
        judge_leaks(dataset, options, record);
    }
    record.train = dataset.count(Split::train);
    record.val = dataset.count(Split::val);
    record.test = dataset.count(Split::test);
    return record;
}

std::vector<int64_t> draw_folds(const Dataset& dataset, int64_t folds, const SplitOptions& options) {
    const auto groups = groups_of(dataset, options.group_by);
    if (folds < 2 || folds > static_cast<int64_t>(groups.size()))
        throw Error("split", "expected 2 folds or more, and no more than the " + std::to_string(groups.size()) +
                                 " subjects or videos to divide, but got " + std::to_string(folds));
    const Drawer drawer(dataset, groups);
    std::vector<size_t> open(groups.size());
    std::iota(open.begin(), open.end(), size_t{0});
    std::vector<int64_t> out(dataset.samples.size(), folds - 1);
    for (int64_t fold = 0; fold + 1 < folds; ++fold) {
        const auto left = static_cast<size_t>(folds - fold);
        std::vector<size_t> chosen =
            drawer.take(open, 1.0 / static_cast<double>(left), Random(options.seed, static_cast<uint64_t>(fold)));
        // Large groups may not leave fewer than one for each fold to come.
        while (open.size() < left - 1) {
            open.push_back(chosen.back());
            chosen.pop_back();
        }
        for (size_t g : chosen)
            for (size_t i : groups[g]) out[i] = fold;
    }
    return out;
}

SplitRecord test_on_fold(Dataset& dataset, std::span<const int64_t> folds, int64_t fold, const SplitOptions& options) {
    if (folds.size() != dataset.samples.size())
        throw Error("split", "expected a fold for each of the " + thousands(dataset.size()) + " samples, but got " +
                                 std::to_string(folds.size()));
    if (std::find(folds.begin(), folds.end(), fold) == folds.end())
        throw Error("split", "there is no fold " + std::to_string(fold));
    for (size_t i = 0; i < folds.size(); ++i) dataset.samples[i].split = folds[i] == fold ? Split::test : Split::train;
    SplitRecord record = assign_splits(dataset, options);
    warn_about_groups(dataset, options.group_by, record);
    return record;
}

std::string SplitRecord::to_json() const {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Leak& l : leaks)
        list.push_back({{"group", l.group}, {"train", l.train}, {"val", l.val}, {"test", l.test}});
    const nlohmann::ordered_json json{{"given", given}, {"group_by", name_of(group_by)},
                                      {"seed", seed},   {"groups", groups},
                                      {"train", train}, {"val", val},
                                      {"test", test},   {"leak_reason", leak_reason},
                                      {"leaks", list},  {"warnings", warnings}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

SplitRecord SplitRecord::from_json(std::string_view text) {
    Fields fields("split", text);
    SplitRecord r;
    std::string by;
    nlohmann::json leaks;
    fields.required("given", r.given);
    fields.required("group_by", by);
    fields.required("seed", r.seed);
    fields.required("groups", r.groups);
    fields.required("train", r.train);
    fields.required("val", r.val);
    fields.required("test", r.test);
    fields.required("leak_reason", r.leak_reason);
    fields.required("leaks", leaks);
    fields.required("warnings", r.warnings);
    fields.finish();
    for (auto g : {GroupBy::automatic, GroupBy::subject, GroupBy::video, GroupBy::image})
        if (by == name_of(g)) r.group_by = g;
    if (!leaks.is_array()) throw Error("split", "the field leaks is no list");
    for (const nlohmann::json& item : leaks) {
        Fields leak("split", item.dump());
        Leak& l = r.leaks.emplace_back();
        leak.required("group", l.group);
        leak.required("train", l.train);
        leak.required("val", l.val);
        leak.required("test", l.test);
        leak.finish();
    }
    return r;
}

}  // namespace liven::data
