#include "liven/data/prepare.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>

#include "liven/core/error.hpp"
#include "liven/data/manifest.hpp"
#include "liven/data/select.hpp"
#include "liven/data/video.hpp"
#include "src/core/crc32.hpp"
#include "src/core/folder_lock.hpp"
#include "src/data/import/recording.hpp"
#include "src/data/parallel.hpp"
#include "src/data/prepare/fingerprint.hpp"
#include "src/data/prepare/frame_sampling.hpp"
#include "src/data/prepare/framing.hpp"
#include "src/data/prepare/journal.hpp"
#include "src/data/prepare/output_folder.hpp"
#include "src/data/prepare/stages.hpp"
#include "src/data/text.hpp"
#include "src/data/whole_file.hpp"

namespace liven::data {
namespace fs = std::filesystem;
namespace {

/// A sample on its way.
struct PreparedRow {
    Sample sample;
    fs::path file;
    Outcome outcome;
    std::string left_by;  ///< the choice that left it out; empty: it goes on

    std::string_view lost_at() const { return outcome.lost_at.empty() ? left_by : outcome.lost_at; }
    bool kept() const { return lost_at().empty(); }
    bool from_video() const { return sample.frame >= 0 && is_video(sample.path); }
};

/// Framers for as many threads as ask at once: a detector serves one at a time and is slow to make.
class FramerPool {
public:
    explicit FramerPool(const PrepareOptions& options) : options_(options) { give(std::make_unique<Framer>(options)); }
    std::unique_ptr<Framer> take() {
        {
            const std::lock_guard lock(mutex_);
            if (!free_.empty()) {
                std::unique_ptr<Framer> framer = std::move(free_.back());
                free_.pop_back();
                return framer;
            }
        }
        return std::make_unique<Framer>(options_);
    }
    void give(std::unique_ptr<Framer> framer) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(framer));
    }

private:
    const PrepareOptions& options_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Framer>> free_;
};

void lose_row(Outcome& outcome, const char* at, std::string reason, std::string detail = {}) {
    outcome.lost_at = at;
    outcome.reason = std::move(reason);
    outcome.detail = std::move(detail);
}

bool file_is(const fs::path& path, const Outcome& outcome) {
    std::error_code code;
    if (static_cast<int64_t>(fs::file_size(path, code)) != outcome.bytes || code) return false;
    const std::vector<uint8_t> bytes = read_file(path);
    return crc32(0, bytes.data(), bytes.size()) == outcome.crc;
}

/// Carries out the stages on pictures, from any thread.
class RowWorker {
public:
    RowWorker(const PrepareOptions& options, Journal& journal) : options_(options), journal_(journal), pool_(options) {}

    /// Judges (`write` false) or finishes the rows `of`, all frames of one video file or one picture.
    void run(std::vector<PreparedRow>& rows, const std::vector<size_t>& of, bool write) {
        PreparedRow& first = rows[of[0]];
        if (first.from_video()) return run_video(rows, of, write);
        Image picture;
        try {
            picture = decode(first.sample.path);
        } catch (const Error& error) {
            lose_row(first.outcome, stage::readable, "unreadable", skipped_line(first.sample.path.string(), error));
            return journal_.add(static_cast<int64_t>(of[0]), first.outcome);
        }
        finish(first, of[0], std::move(picture), write);
    }

private:
    void run_video(std::vector<PreparedRow>& rows, const std::vector<size_t>& of, bool write) {
        std::vector<int64_t> frames;
        for (const size_t i : of) frames.push_back(rows[i].sample.frame);
        size_t seen = 0;
        std::exception_ptr fatal;
        try {
            visit_frames(rows[of[0]].sample.path, frames, [&](size_t place, Image&& picture) {
                // An error of ours (a full disk) is none of the video's.
                try {
                    if (!fatal) finish(rows[of[place]], of[place], std::move(picture), write);
                } catch (...) {
                    fatal = std::current_exception();
                }
                seen = place + 1;
            });
        } catch (const Error& error) {
            for (size_t k = seen; k < of.size() && !fatal; ++k) {
                Outcome& outcome = rows[of[k]].outcome;
                lose_row(outcome, stage::readable, seen > 0 ? "video ends early" : "unreadable",
                         skipped_line(rows[of[k]].sample.path.string(), error));
                journal_.add(static_cast<int64_t>(of[k]), outcome);
            }
        }
        if (fatal) std::rethrow_exception(fatal);
    }

    void finish(PreparedRow& row, size_t number, Image picture, bool write) {
        const bool video = row.from_video();
        try {
            FramedFace face = framed(std::move(picture), row.sample);
            judge(row.outcome, face.image);
            if (write && row.outcome.lost_at.empty())
                write_face(row, std::move(face), video ? options_.video_frames : options_.pictures);
        } catch (const NoFace& none) {
            lose_row(row.outcome, stage::face, none.reason);
        }
        journal_.add(static_cast<int64_t>(number), row.outcome);
    }

    FramedFace framed(Image picture, const Sample& sample) {
        std::unique_ptr<Framer> framer = pool_.take();
        try {
            FramedFace face = framer->frame(std::move(picture), sample);
            pool_.give(std::move(framer));
            return face;
        } catch (const NoFace&) {
            pool_.give(std::move(framer));
            throw;
        }
    }

    void judge(Outcome& outcome, const Image& face) const {
        if (!options_.judge) return;
        if (!outcome.before) outcome.before = quality_of(face);
        if (!options_.least_quality) return;
        if (outcome.before->total() < *options_.least_quality)
            lose_row(outcome, stage::quality, "below " + number(*options_.least_quality));
        else if (options_.gates && !outcome.before->passes_gates())
            lose_row(outcome, stage::quality, "too dark, too bright, flat or blurred");
    }

    void write_face(PreparedRow& row, FramedFace face, Enhancement enhancement) const {
        face = resized(std::move(face), options_.width, options_.height, options_.interpolation);
        if (enhancement != Enhancement::none) face.image = enhance(face.image, enhancement);
        Outcome& outcome = row.outcome;
        if (options_.judge) outcome.after = quality_of(face.image);
        const std::vector<uint8_t> bytes =
            options_.jpeg ? encode_jpeg(face.image, options_.jpeg_quality) : encode_png(face.image, true);
        write_whole(row.file, bytes);
        outcome.written = true;
        outcome.box = face.box;
        outcome.landmarks = std::move(face.landmarks);
        outcome.bytes = static_cast<int64_t>(bytes.size());
        outcome.crc = crc32(0, bytes.data(), bytes.size());
    }

    const PrepareOptions& options_;
    Journal& journal_;
    FramerPool pool_;
};

/// Frames of one video file are decoded in one go, everything else by itself.
std::vector<std::vector<size_t>> units_of(const std::vector<PreparedRow>& rows) {
    std::vector<std::vector<size_t>> units;
    std::map<fs::path, size_t> videos;
    for (size_t i = 0; i < rows.size(); ++i) {
        if (!rows[i].kept()) continue;
        if (!rows[i].from_video()) {
            units.push_back({i});
            continue;
        }
        const auto [it, fresh] = videos.try_emplace(rows[i].sample.path, units.size());
        if (fresh) units.emplace_back();
        units[it->second].push_back(i);
    }
    for (std::vector<size_t>& unit : units)
        std::stable_sort(unit.begin(), unit.end(),
                         [&](size_t a, size_t b) { return rows[a].sample.frame < rows[b].sample.frame; });
    return units;
}

/// A set going through the stages.
class Preparation {
public:
    Preparation(const Dataset& dataset, const PrepareOptions& options)
        : options_(options), dataset_(dataset), folder_(options.output) {
        options.validate();
        if (dataset.samples.empty()) throw Error("prepare", "the set holds no samples");
        sampled_ = sample_frames(dataset, options.frames, options.every, options.threads);
        for (size_t i = 0; i < sampled_.samples.size(); ++i) {
            PreparedRow& row = rows_.emplace_back();
            row.sample = std::move(sampled_.samples[i]);
            if (options.equal_sources) row.sample.split = Split::none;
            row.file = folder_.picture(i, row.sample, options.jpeg);
        }
    }

    PreparationReport plan() {
        PreparationReport out;
        out.options = options_.to_json();
        count_stages(out);
        return out;
    }

    PreparationReport run() {
        PreparationReport out;
        out.options = options_.to_json();
        out.manifest = folder_.manifest();
        out.fingerprint = fingerprint();
        // A finished folder may be read-only, and a stranger's is refused before a lock is left in it.
        out.found_finished = folder_.is_finished(out.fingerprint, options_.overwrite);
        if (out.found_finished) return out;
        const FolderLock lock(folder_.path(), FolderLock::Wait::no, ".lock");
        out.found_finished = folder_.holds(out.fingerprint, options_.overwrite);
        if (out.found_finished) return out;
        Journal journal(folder_.path(), out.fingerprint);
        take_over(journal);
        folder_.make();
        if (options_.equal_sources || options_.balance) {
            work(journal, false, options_.judging);
            choose();
        }
        work(journal, true, options_.progress);
        describe(out);
        write_result(out);
        journal.close();
        return out;
    }

private:
    std::string fingerprint() const {
        std::vector<Sample> samples;
        for (const PreparedRow& row : rows_) samples.push_back(row.sample);
        return fingerprint_of(options_, samples);
    }

    void take_over(const Journal& journal) {
        for (const auto& [number, outcome] : journal.finished())
            if (number >= 0 && static_cast<size_t>(number) < rows_.size())
                rows_[static_cast<size_t>(number)].outcome = outcome;
        if (!journal.finished().empty()) folder_.remove_partial_files();
    }

    void work(Journal& journal, bool write, const ProgressCallback& progress) {
        const std::vector<std::vector<size_t>> units = units_of(rows_);
        int64_t total = 0, done = 0;
        for (const std::vector<size_t>& unit : units) total += static_cast<int64_t>(unit.size());
        RowWorker worker(options_, journal);
        std::mutex mutex;
        parallel_for(static_cast<int64_t>(units.size()), options_.threads, [&](int64_t u) {
            const std::vector<size_t>& unit = units[static_cast<size_t>(u)];
            std::vector<size_t> open;
            for (const size_t i : unit)
                if (!finished(rows_[i], write)) open.push_back(i);
            if (!open.empty()) worker.run(rows_, open, write);
            const std::lock_guard lock(mutex);
            done += static_cast<int64_t>(unit.size());
            if (progress) progress(done, total);
        });
    }

    static bool finished(PreparedRow& row, bool write) {
        if (!write) return row.outcome.before.has_value() || row.outcome.written;
        if (row.outcome.written && file_is(row.file, row.outcome)) return true;
        row.outcome.written = false;
        return false;
    }

    void choose() {
        if (options_.equal_sources)
            keep(stage::sources, [&](const Dataset& d) { return equal_sources(d, options_.seed); });
        if (options_.balance) keep(stage::balanced, [](const Dataset& d) { return balance(d); });
    }

    template <class Choice>
    void keep(const char* name, Choice&& choice) {
        std::vector<size_t> numbers;
        const Dataset open = kept_samples(numbers);
        Selection selection = choice(open);
        std::move(selection.warnings.begin(), selection.warnings.end(), std::back_inserter(warnings_));
        for (const size_t i : numbers) rows_[i].left_by = name;
        for (const size_t k : selection.kept) rows_[numbers[k]].left_by.clear();
    }

    Dataset kept_samples(std::vector<size_t>& numbers) const {
        Dataset out{.name = dataset_.name, .samples = {}, .skipped = {}, .warnings = {}};
        for (size_t i = 0; i < rows_.size(); ++i) {
            if (!rows_[i].kept()) continue;
            numbers.push_back(i);
            Sample& s = out.samples.emplace_back(rows_[i].sample);
            if (rows_[i].outcome.before) s.quality = rows_[i].outcome.before->total();
        }
        return out;
    }

    void count_stages(PreparationReport& out) const {
        StageCounter counter(options_);
        for (const Sample& s : dataset_.samples) counter.list(s);
        for (size_t i = 0; i < sampled_.lost.size(); ++i)
            counter.count(sampled_.lost[i], stage::sampled, sampled_.reasons[i]);
        for (const PreparedRow& row : rows_)
            counter.count(row.sample, row.lost_at(), row.outcome.lost_at.empty() ? "not chosen" : row.outcome.reason);
        out.stages = counter.take();
    }

    void describe(PreparationReport& out) {
        count_stages(out);
        fill_histograms(out);
        fill_examples(out);
        out.warnings = dataset_.warnings;
        out.warnings.insert(out.warnings.end(), warnings_.begin(), warnings_.end());
        out.skipped = dataset_.skipped;
        out.skipped.insert(out.skipped.end(), sampled_.unread.begin(), sampled_.unread.end());
        int64_t maps = 0;
        for (const PreparedRow& row : rows_) {
            if (!row.outcome.detail.empty()) out.skipped.push_back(row.outcome.detail);
            if (row.kept()) ++out.written;
            maps += row.kept() && (!row.sample.depth_path.empty() || !row.sample.mask_path.empty());
        }
        if (maps > 0)
            out.warnings.push_back(
                thousands(maps) +
                " pictures have a depth or mask picture beside them, which is kept as it is, neither "
                "cut nor resized");
        if (out.written == 0)
            throw Error("prepare", "no picture is left of " + thousands(dataset_.size()), losses(out));
    }

    static std::string losses(const PreparationReport& report) {
        std::string out;
        for (const StageCount& s : report.stages)
            for (const auto& [reason, count] : s.left_out)
                out += (out.empty() ? "" : ", ") + reason + ' ' + thousands(count);
        return out + (report.skipped.empty() ? "" : "; " + report.skipped[0]);
    }

    void fill_histograms(PreparationReport& out) const {
        if (!options_.judge) return;
        for (const char* part : {"total", "sharpness", "contrast", "brightness", "blur"})
            for (auto* histograms : {&out.before, &out.after}) histograms->push_back({.part = part});
        const auto add = [](std::vector<QualityHistogram>& to, const Quality& q, Label label) {
            const std::array<double, 5> parts{q.total(), q.sharpness, q.contrast, q.brightness, q.blur};
            for (size_t i = 0; i < parts.size(); ++i) {
                const auto bin = static_cast<size_t>(std::clamp(parts[i] * 20, 0.0, 19.0));
                ++(label == Label::bonafide ? to[i].bonafide : to[i].attack)[bin];
            }
        };
        for (const PreparedRow& row : rows_) {
            if (row.outcome.before) add(out.before, *row.outcome.before, row.sample.label);
            if (row.kept() && row.outcome.after) add(out.after, *row.outcome.after, row.sample.label);
        }
    }

    /// Six that stay and six that were too poor, spread evenly.
    void fill_examples(PreparationReport& out) const {
        constexpr size_t shown = 6;
        std::vector<size_t> kept, poor;
        for (size_t i = 0; i < rows_.size(); ++i) {
            if (rows_[i].kept()) kept.push_back(i);
            if (rows_[i].lost_at() == stage::quality) poor.push_back(i);
        }
        for (const std::vector<size_t>* of : {&kept, &poor})
            for (size_t k = 0; k < std::min(shown, of->size()); ++k) {
                const PreparedRow& row = rows_[(*of)[k * of->size() / std::min(shown, of->size())]];
                out.examples.push_back({.sample = row.sample,
                                        .prepared = row.kept() ? row.file : fs::path(),
                                        .quality = row.outcome.before ? row.outcome.before->total() : 0});
            }
    }

    Dataset result(PreparationReport& out) const {
        std::vector<size_t> numbers;
        Dataset set = kept_samples(numbers);
        for (size_t k = 0; k < numbers.size(); ++k) {
            const PreparedRow& row = rows_[numbers[k]];
            Sample& s = set.samples[k];
            s.path = row.file;
            s.box = row.outcome.box;
            s.landmarks = row.outcome.landmarks;
        }
        if (options_.equal_sources) try {
                const SplitRecord record = assign_splits(set, {.seed = options_.seed});
                out.warnings.insert(out.warnings.end(), record.warnings.begin(), record.warnings.end());
            } catch (const Error& error) {
                out.warnings.push_back(std::string("not divided: ") + error.what());
            }
        return set;
    }

    void write_result(PreparationReport& out) const {
        const Dataset set = result(out);
        write_whole(folder_.report(), out.to_json());
        if (options_.before_manifest) options_.before_manifest(out);
        write_manifest(set, folder_.manifest());
    }

    const PrepareOptions& options_;
    const Dataset& dataset_;
    OutputFolder folder_;
    SampledFrames sampled_;
    std::vector<PreparedRow> rows_;
    std::vector<std::string> warnings_;
};

}  // namespace

PreparationReport plan_preparation(const Dataset& dataset, const PrepareOptions& options) {
    return Preparation(dataset, options).plan();
}

PreparationReport prepare(const Dataset& dataset, const PrepareOptions& options) {
    return Preparation(dataset, options).run();
}

}  // namespace liven::data
