#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "liven/graph/profile.hpp"

namespace liven::cli {

/// Writes a run as Trace Event Format (JSON), which chrome://tracing and Perfetto show: a row a thread, an event a unit
/// of a step or a wait. From 20,000 events on, units of one stage that a thread ran one right behind the other are one
/// event. `steps` are the profile's entries, `title` names the process.
void write_timeline(const std::filesystem::path& path, const Timeline& timeline, const std::vector<ProfileEntry>& steps,
                    const std::string& title);

}  // namespace liven::cli
