#include "plan_file.hpp"

#include <algorithm>
#include <array>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "liven/io/json.hpp"

namespace liven::protocol {
namespace {

constexpr std::array<std::string_view, 4> kSourceKinds{"set", "combined", "all-but-set", "set-without-type"};

std::filesystem::path plan_file(const std::filesystem::path& out) { return out / "plan.json"; }
std::filesystem::path settings_file(const std::filesystem::path& out) { return out / "protocol.toml"; }

Json json_of(const Source& source) {
    return Json::object({{"kind", kSourceKinds[static_cast<size_t>(source.kind)]},
                         {"name", source.name},
                         {"set", source.set},
                         {"type", source.type}});
}

Source source_from(const Json& json) {
    const auto kind = std::find(kSourceKinds.begin(), kSourceKinds.end(), json.at("kind").text());
    if (kind == kSourceKinds.end()) throw Error("plan.json", "there is no source '" + json.at("kind").text() + "'");
    return {.kind = static_cast<SourceKind>(kind - kSourceKinds.begin()),
            .name = json.at("name").text(),
            .set = json.at("set").text(),
            .type = json.at("type").text()};
}

Json json_of(const Cell& cell) {
    Json targets = Json::array();
    for (const Target& target : cell.targets)
        targets.push_back(Json::object({{"name", target.name}, {"manifest", target.manifest.string()}}));
    return Json::object({{"id", cell.id},
                         {"model", cell.model},
                         {"source", json_of(cell.source)},
                         {"seed", cell.seed},
                         {"fold", cell.fold},
                         {"key", cell.key},
                         {"settings", cell.settings.to_config().str()},
                         {"targets", targets},
                         {"trained_types", Json::array_of(cell.trained_types)},
                         {"train_images", cell.train_images},
                         {"test_images", cell.test_images}});
}

Cell cell_from(const Json& json) {
    Cell cell{.id = json.at("id").text(),
              .model = json.at("model").text(),
              .source = source_from(json.at("source")),
              .seed = json.at("seed").integer(),
              .fold = json.at("fold").integer(),
              .settings = {},
              .targets = {},
              .trained_types = {},
              .train_images = json.at("train_images").integer(),
              .test_images = json.at("test_images").integer(),
              .key = json.at("key").text()};
    cell.settings.read(Config::parse(json.at("settings").text(), cell.id));
    for (const Json& target : json.at("targets").elements())
        cell.targets.push_back({.name = target.at("name").text(), .manifest = target.at("manifest").text()});
    for (const Json& type : json.at("trained_types").elements()) cell.trained_types.push_back(type.text());
    return cell;
}

Json json_of(const SetSummary& set) {
    return Json::object({{"name", set.name},
                         {"train", set.train},
                         {"val", set.val},
                         {"test", set.test},
                         {"ungrouped", set.ungrouped},
                         {"leak_reason", set.leak_reason}});
}

SetSummary summary_from(const Json& json) {
    return {.name = json.at("name").text(),
            .train = json.at("train").integer(),
            .val = json.at("val").integer(),
            .test = json.at("test").integer(),
            .ungrouped = json.at("ungrouped").integer(),
            .leak_reason = json.at("leak_reason").text()};
}

[[noreturn]] void refuse_earlier(const std::filesystem::path& out) {
    throw Error(out.string(), "the protocol was planned by an earlier Liven, which did not write down all of it",
                "liven protocol --config FILE.toml --out " + out.string() +
                    " --tables plans it anew and keeps what is finished");
}

/// Throws Error for a plan that lacks what this Liven asks of one.
Json checked_plan(const std::filesystem::path& out) {
    const std::filesystem::path file = plan_file(out);
    if (!has_plan(out)) throw Error(out.string(), "there is no protocol here: plan.json is missing");
    Json plan = Json::parse(read_text_file(file, uint64_t{1} << 30), file.string());
    if (!plan.find("sets")) refuse_earlier(out);
    return plan;
}

}  // namespace

void write_plan(const Plan& plan, const ProtocolSettings& settings) {
    Json cells = Json::array(), sets = Json::array();
    for (const Cell& cell : plan.cells) cells.push_back(json_of(cell));
    for (const SetSummary& set : plan.sets) sets.push_back(json_of(set));
    const Json json = Json::object({{"cells", cells}, {"sets", sets}, {"notes", Json::array_of(plan.notes)}});
    write_file_atomically(plan_file(plan.out), json.str(1) + "\n");
    settings.to_config().write(settings_file(plan.out));
}

bool has_plan(const std::filesystem::path& out) { return std::filesystem::exists(plan_file(out)); }

Plan read_plan(const std::filesystem::path& out) {
    const Json json = checked_plan(out);
    Plan plan{.out = out, .cells = {}, .sets = {}, .notes = {}};
    for (const Json& cell : json.at("cells").elements()) plan.cells.push_back(cell_from(cell));
    for (const Json& set : json.at("sets").elements()) plan.sets.push_back(summary_from(set));
    for (const Json& note : json.at("notes").elements()) plan.notes.push_back(note.text());
    return plan;
}

ProtocolSettings read_settings(const std::filesystem::path& out) {
    if (has_plan(out) && !std::filesystem::exists(settings_file(out))) refuse_earlier(out);
    return ProtocolSettings::read(Config::read(settings_file(out)), DataCheck::may_be_gone);
}

Cell read_cell(const std::filesystem::path& out, const std::string& id) {
    for (Cell& cell : read_plan(out).cells)
        if (cell.id == id) return std::move(cell);
    throw Error(plan_file(out).string(), "there is no cell '" + id + "'");
}

}  // namespace liven::protocol
