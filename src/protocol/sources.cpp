#include "sources.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "combine.hpp"
#include "data_hash.hpp"
#include "liven/core/error.hpp"
#include "liven/data/file_owners.hpp"
#include "liven/data/folds.hpp"
#include "liven/data/manifest.hpp"
#include "src/core/writing.hpp"

namespace liven::protocol {
namespace {

/// A name as part of a file name; different names stay different, and no name is one too.
std::string as_file_name(const std::string& name) {
    if (name.empty()) return "untyped-" + hash_of(name).substr(0, 6);
    std::string out;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        out += plain ? c : '-';
    }
    if (out == name) return out;
    return out.substr(0, 40) + '-' + hash_of(name).substr(0, 6);
}

std::vector<std::string> trained_types(const data::Dataset& set) {
    return data::attack_types(set.only(data::Split::train));
}

class Writer {
public:
    Writer(const ProtocolSettings& settings, const std::filesystem::path& out)
        : settings_(settings), folder_(std::filesystem::absolute(out / "data").lexically_normal()) {
        make_folders(folder_);
    }

    WrittenSources run() {
        std::vector<data::Dataset> sets;
        for (const NamedData& each : settings_.data) sets.push_back(read(each));
        if (settings_.folds == 0)
            divide_and_write(sets, -1);
        else
            for (int64_t fold = 0; fold < settings_.folds; ++fold) divide_and_write(sets, fold);
        return std::move(out_);
    }

private:
    data::SplitOptions options() const {
        return {.seed = settings_.split_seed,
                .group_by = data::group_by_from(settings_.group_by),
                .allow_leak = settings_.allow_leak};
    }

    /// Whatever a set says of where its samples come from, here they come from that set. Throws Error when one that
    /// was read before has a file of it.
    data::Dataset read(const NamedData& named) {
        data::Dataset set = data::open_dataset(named.path);
        for (const data::Sample& sample : set.samples) owners_.add(sample.path, named.name);
        for (data::Sample& sample : set.samples)
            sample.dataset =
                sample.dataset.empty() || sample.dataset == named.name ? named.name : named.name + '/' + sample.dataset;
        return set;
    }

    /// The same set divided for that fold; an Error names it.
    data::Dataset divided(const data::Dataset& set, const NamedData& named, int64_t fold) {
        data::Dataset out = set;
        try {
            data::SplitRecord record;
            if (fold < 0) {
                record = assign_splits(out, options());
            } else {
                const auto folds = data::draw_folds(set, settings_.folds, options());
                record = data::test_on_fold(out, folds, fold, options());
            }
            if (fold > 0) {
                add_leak_reason(named.name, record);
                return out;
            }
            for (const std::string& warning : record.warnings) out_.notes.push_back(named.name + ": " + warning);
            out_.sets.push_back({.name = named.name,
                                 .train = record.train,
                                 .val = record.val,
                                 .test = record.test,
                                 .ungrouped = data::count_ungrouped(out, record.group_by),
                                 .leak_reason = record.leak_reason});
        } catch (const Error& error) {
            throw Error("data." + named.name, error.what());
        }
        return out;
    }

    /// Groups may be torn apart in some folds alone.
    void add_leak_reason(const std::string& name, const data::SplitRecord& record) {
        for (SetSummary& summary : out_.sets)
            if (summary.name == name && summary.leak_reason.empty()) summary.leak_reason = record.leak_reason;
    }

    void divide_and_write(const std::vector<data::Dataset>& sets, int64_t fold) {
        std::vector<data::Dataset> parts;
        for (size_t i = 0; i < sets.size(); ++i) {
            parts.push_back(divided(sets[i], settings_.data[i], fold));
            const std::string& name = settings_.data[i].name;
            write(parts.back(), {.kind = SourceKind::set, .name = name, .set = name, .type = {}}, fold);
        }
        if (settings_.questions.combined) write_combined(parts, fold);
        if (settings_.questions.unseen_set) write_all_but_one(parts, fold);
        if (settings_.questions.unseen_type || settings_.questions.cross_type) write_without_types(parts, fold);
    }

    void write_combined(const std::vector<data::Dataset>& parts, int64_t fold) {
        const data::Dataset all = equally_represented(parts, settings_.split_seed);
        write(all, {.kind = SourceKind::combined, .name = "combined", .set = {}, .type = {}}, fold);
        if (fold <= 0)
            out_.sets.push_back({.name = "combined",
                                 .train = all.count(data::Split::train),
                                 .val = all.count(data::Split::val),
                                 .test = all.count(data::Split::test),
                                 .leak_reason = {}});
    }

    void write_all_but_one(const std::vector<data::Dataset>& parts, int64_t fold) {
        for (size_t left_out = 0; left_out < parts.size(); ++left_out) {
            std::vector<data::Dataset> others = parts;
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(left_out));
            const std::string& name = settings_.data[left_out].name;
            write(equally_represented(others, settings_.split_seed),
                  {.kind = SourceKind::all_but_set, .name = "all-but-" + name, .set = name, .type = {}}, fold);
        }
    }

    void write_without_types(const std::vector<data::Dataset>& parts, int64_t fold) {
        for (size_t i = 0; i < parts.size(); ++i)
            for (const std::string& type : data::attack_types(parts[i])) {
                const std::string& name = settings_.data[i].name;
                const auto rest = without_type(parts[i], type, name, fold);
                if (!rest) continue;
                write(*rest,
                      {.kind = SourceKind::set_without_type,
                       .name = name + "-without-" + as_file_name(type),
                       .set = name,
                       .type = type},
                      fold);
            }
    }

    /// Nothing, and a note, when the set cannot do without.
    std::optional<data::Dataset> without_type(const data::Dataset& set, const std::string& type,
                                              const std::string& name, int64_t fold) {
        try {
            return data::leave_attack_out(set, type);
        } catch (const Error& error) {
            out_.notes.push_back(name + (fold < 0 ? "" : ", fold " + std::to_string(fold + 1)) + ": " + error.what());
            return std::nullopt;
        }
    }

    void write(const data::Dataset& set, Source source, int64_t fold) {
        for (const WrittenSource& other : out_.all)
            if (other.source.name == source.name && other.fold == fold)
                throw Error("data", "two sets that the protocol makes would both be called '" + source.name + "'",
                            "give the sets of [data] other names");
        const std::string file = source.name + (fold < 0 ? "" : "-fold" + std::to_string(fold + 1)) + ".csv";
        data::write_manifest(set, folder_ / file);
        out_.all.push_back({.source = std::move(source),
                            .fold = fold,
                            .manifest = folder_ / file,
                            .trained_types = trained_types(set),
                            .train = set.count(data::Split::train),
                            .val = set.count(data::Split::val),
                            .test = set.count(data::Split::test),
                            .hash = hash_of_manifest(folder_ / file)});
    }

    const ProtocolSettings& settings_;
    std::filesystem::path folder_;
    data::FileOwners owners_;
    WrittenSources out_;
};

}  // namespace

const WrittenSource& WrittenSources::find(const std::string& name, int64_t fold) const {
    const auto found = std::find_if(all.begin(), all.end(), [&](const WrittenSource& written) {
        return written.source.name == name && written.fold == fold;
    });
    if (found == all.end()) throw Error("protocol", "there is no set '" + name + "'");
    return *found;
}

WrittenSources write_sources(const ProtocolSettings& settings, const std::filesystem::path& out) {
    return Writer(settings, out).run();
}

}  // namespace liven::protocol
