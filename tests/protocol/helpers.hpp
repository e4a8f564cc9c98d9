#pragma once

#include <string>
#include <string_view>

#include "liven/core/log.hpp"
#include "liven/data/synthesize.hpp"
#include "liven/protocol/settings.hpp"
#include "tests/temporary.hpp"

/// Messages of trainings are no part of a test's output.
struct Silence {
    Silence() {
        liven::set_log_sink([](liven::LogLevel, std::string_view) {});
    }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    ~Silence() { liven::set_log_sink({}); }
};

/// Two small sets of synthetic faces, one of them with more people.
struct TwoSets {
    Silence silence;
    TemporaryFolder folder;
    std::string a = (folder / "a").string(), b = (folder / "b").string();

    TwoSets() {
        using liven::data::Difficulty;
        liven::data::synthesize(a, {.subjects = 9, .frames = 1, .size = 32, .seed = 1, .difficulty = Difficulty::easy});
        liven::data::synthesize(b, {.subjects = 6, .frames = 1, .size = 32, .seed = 2, .difficulty = Difficulty::hard});
    }

    /// A configuration of them; `top` goes above its tables, `below` below.
    std::string toml(const std::string& top, const std::string& below = "") const {
        return top + "\n[data]\ncsmad = \"" + a + "\"\nmsspoof = \"" + b +
               "\"\n[train]\nsize = 32\nepochs = 1\nbatch = 8\n" + below;
    }
    liven::protocol::ProtocolSettings settings(const std::string& top, const std::string& below = "") const {
        return liven::protocol::ProtocolSettings::read(liven::Config::parse(toml(top, below), "p.toml"));
    }
};
