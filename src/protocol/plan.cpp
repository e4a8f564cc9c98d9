#include "liven/protocol/plan.hpp"

#include "cell_key.hpp"
#include "data_hash.hpp"
#include "plan_file.hpp"
#include "sources.hpp"
#include "src/core/writing.hpp"

namespace liven::protocol {
namespace {

/// Whether any question needs a model of this source.
bool is_trained(const Questions& asked, SourceKind kind) {
    return kind != SourceKind::set || asked.within || asked.cross;
}

/// The sets on which a model of this source is tested.
std::vector<std::string> targets_of(const ProtocolSettings& settings, const Source& source) {
    const Questions& asked = settings.questions;
    std::vector<std::string> names;
    const auto every_set = [&](bool with_own) {
        for (const NamedData& set : settings.data)
            if (with_own || set.name != source.set) names.push_back(set.name);
    };
    switch (source.kind) {
        case SourceKind::set:
            if (asked.within) names.push_back(source.set);
            if (asked.cross) every_set(false);
            break;
        case SourceKind::combined:
            names.push_back(source.name);
            every_set(true);
            break;
        case SourceKind::all_but_set:
            names.push_back(source.set);
            break;
        case SourceKind::set_without_type:
            if (asked.unseen_type) names.push_back(source.name);
            if (asked.cross_type) every_set(false);
            break;
    }
    return names;
}

std::string set_of_settings(const Source& source) {
    const bool several = source.kind == SourceKind::combined || source.kind == SourceKind::all_but_set;
    return several ? "combined" : source.set;
}

Cell cell_of(const ProtocolSettings& settings, const WrittenSources& written, const WrittenSource& from,
             const std::string& model, int64_t seed) {
    Cell cell{.id = model + '_' + from.source.name + "_s" + std::to_string(seed) +
                    (from.fold < 0 ? "" : "_f" + std::to_string(from.fold + 1)),
              .model = model,
              .source = from.source,
              .seed = seed,
              .fold = from.fold,
              .settings = settings.training(model, set_of_settings(from.source), seed),
              .targets = {},
              .trained_types = from.trained_types,
              .train_images = from.train,
              .key = {}};
    cell.settings.data = from.manifest.string();
    std::map<std::filesystem::path, std::string> hashes{{from.manifest, from.hash}};
    for (const std::string& name : targets_of(settings, from.source)) {
        const WrittenSource& target = written.find(name, from.fold);
        cell.targets.push_back({.name = name, .manifest = target.manifest});
        cell.test_images += target.test;
        hashes[target.manifest] = target.hash;
    }
    cell.key = key_of(cell, [&](const std::filesystem::path& manifest) { return hashes.at(manifest); });
    return cell;
}

}  // namespace

Plan make_plan(const ProtocolSettings& settings, const std::filesystem::path& out) {
    make_folders(out / "cells");
    WrittenSources written = write_sources(settings, out);
    Plan plan{.out = out, .cells = {}, .sets = std::move(written.sets), .notes = std::move(written.notes)};
    for (const WrittenSource& from : written.all) {
        if (!is_trained(settings.questions, from.source.kind)) continue;
        for (const std::string& model : settings.models)
            for (const int64_t seed : settings.seeds)
                plan.cells.push_back(cell_of(settings, written, from, model, seed));
    }
    write_plan(plan, settings);
    return plan;
}

}  // namespace liven::protocol
