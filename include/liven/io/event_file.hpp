#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

/// The files that TensorBoard reads: TensorFlow's records (a length, its checksum, the bytes, their checksum; CRC-32C,
/// masked), each a protobuf Event, here with scalars alone.
namespace liven {

/// Numbers of one step by their names.
struct Event {
    double wall_time = 0;  ///< seconds since 1970
    int64_t step = 0;
    std::vector<std::pair<std::string, float>> scalars;
    bool operator==(const Event&) const = default;
};

/// One record: what is appended to a file for an event.
std::string record_of(const Event& event);

/// A file of events being written. Each event reaches the system in one write.
class EventFile {
public:
    /// Begins the file anew with these events; `path` should hold "tfevents", by which TensorBoard finds it. Throws
    /// Error when it cannot be written.
    EventFile(std::filesystem::path path, const std::vector<Event>& events);
    EventFile(const EventFile&) = delete;
    EventFile& operator=(const EventFile&) = delete;
    ~EventFile();

    /// Throws Error when the disk is full.
    void append(const Event& event);

private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

/// The events with scalars, in order; an unfinished last record is left out, fields that are not known here are passed
/// over. Throws Error with file and offset for a wrong checksum or bytes that are no event.
std::vector<Event> read_events(const std::filesystem::path& path);

}  // namespace liven
