#include "liven/train/score_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <vector>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "src/data/csv.hpp"
#include "src/data/text.hpp"

namespace liven {
namespace {

std::string shortest(double value) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// The lines of a file of scores, by the names of their columns.
class ScoreLines {
public:
    ScoreLines(std::string_view text, const std::string& name) : csv_(text, name) {
        if (!csv_.next(columns_)) csv_.fail("expected a line with the names of the columns, got nothing");
        for (const char* needed : {"name", "label", "score"})
            if (std::find(columns_.begin(), columns_.end(), needed) == columns_.end())
                csv_.fail("expected the columns name, label and score, but there is no column " + std::string(needed),
                          "liven evaluate MODEL --data SET --scores FILE.csv writes such files");
    }

    bool next() {
        if (!csv_.next(fields_)) return false;
        if (fields_.size() != columns_.size())
            csv_.fail("expected " + std::to_string(columns_.size()) + " fields, got " + std::to_string(fields_.size()));
        return true;
    }

    /// Empty where there is no such column.
    std::string field(std::string_view column) const {
        const auto at = std::find(columns_.begin(), columns_.end(), column);
        return at == columns_.end() ? std::string() : fields_[static_cast<size_t>(at - columns_.begin())];
    }

    double number(std::string_view column) const {
        const std::string text = field(column);
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
            fail("expected a number as " + std::string(column) + ", got " + data::in_quotes(text));
        return value;
    }

    int32_t label() const {
        const std::string text = field("label");
        if (text != "bonafide" && text != "attack")
            fail("expected the label bonafide or attack, got " + data::in_quotes(text));
        return text == "attack" ? attack_class : bonafide_class;
    }

    [[noreturn]] void fail(const std::string& what) const { csv_.fail(what); }

private:
    data::CsvReader csv_;
    std::vector<std::string> columns_, fields_;
};

/// The threshold and its rule: those of the first line, which every other must repeat.
void read_threshold(const ScoreLines& line, ScoreFile& out) {
    const bool first = out.judged.names.size() == 1;
    const std::string text = line.field("threshold"), rule = line.field("threshold_rule");
    const std::optional<double> threshold =
        text.empty() ? std::optional<double>() : std::optional<double>(line.number("threshold"));
    if (first) {
        out.threshold = threshold;
        out.threshold_rule = rule;
    } else if (threshold != out.threshold || rule != out.threshold_rule) {
        line.fail("expected one threshold for all lines, got " + data::in_quotes(text));
    }
}

}  // namespace

void write_scores(const std::filesystem::path& path, const ScoreFile& scores) {
    const Judged& judged = scores.judged;
    std::string text = "name,label,attack_type,group,score,accepted,threshold,threshold_rule\n";
    const std::string end =
        (scores.threshold ? shortest(*scores.threshold) : "") + ',' + data::csv_field(scores.threshold_rule) + '\n';
    for (size_t i = 0; i < judged.names.size(); ++i) {
        const bool attack = judged.scores.labels[i] == attack_class;
        const std::string type = judged.scores.attack_types.empty() ? "" : judged.scores.attack_types[i];
        const double score = judged.scores.scores[i];
        text += data::csv_field(judged.names[i]) + (attack ? ",attack," : ",bonafide,") + data::csv_field(type) + ',' +
                data::csv_field(judged.groups[i]) + ',' + shortest(score) + ',' +
                (scores.threshold ? score >= *scores.threshold ? "1" : "0" : "") + ',' + end;
    }
    write_file_atomically(path, text);
}

ScoreFile read_scores(const std::filesystem::path& path) {
    const std::string text = read_text_file(path);
    ScoreLines line(text, path.string());
    ScoreFile out;
    Judged& judged = out.judged;
    std::set<std::string> names;
    while (line.next()) {
        judged.names.push_back(line.field("name"));
        // Of one subject the file has its face and each type of attack on it.
        const std::string type = line.field("attack_type"), group = line.field("group");
        judged.scores.labels.push_back(line.label());
        judged.scores.attack_types.push_back(type);
        judged.scores.scores.push_back(line.number("score"));
        judged.groups.push_back(group.empty() ? judged.names.back() : group);
        if (!names.insert(judged.names.back() + '\n' + line.field("label") + '\n' + type).second)
            line.fail("expected each sample once, got " + data::in_quotes(judged.names.back()) + " again");
        read_threshold(line, out);
    }
    if (judged.names.empty()) line.fail("expected scores, got none");
    return out;
}

}  // namespace liven
