#include "liven/io/event_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>

#include "liven/core/error.hpp"
#include "liven/io/file.hpp"
#include "src/core/crc32.hpp"
#include "src/core/writing.hpp"
#include "src/io/append.hpp"
#include "src/io/little_endian.hpp"

namespace liven {
namespace {

constexpr uint64_t kMostEvents = uint64_t{1} << 30;
constexpr size_t kFrame = 16;  // of a record, beside its bytes: 8 of length, twice 4 of checksum

// Protobuf: a key is the field's number and how its value is written.
enum Wire : uint64_t { varint = 0, eight_bytes = 1, counted = 2, four_bytes = 5 };
constexpr uint64_t key(uint64_t field, Wire wire) { return (field << 3) | wire; }
constexpr uint64_t kWallTime = key(1, eight_bytes), kStep = key(2, varint), kVersion = key(3, counted),
                   kSummary = key(5, counted);                                 // of Event
constexpr uint64_t kValue = key(1, counted);                                   // of Summary
constexpr uint64_t kTag = key(1, counted), kSimpleValue = key(2, four_bytes);  // of Summary.Value

/// Rotated and shifted, so that a checksum of bytes that hold checksums is no trivial one.
uint32_t masked_checksum(std::string_view bytes) {
    const uint32_t crc = crc32c(0, bytes.data(), bytes.size());
    return std::rotr(crc, 15) + 0xa282ead8u;
}

void put_varint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
    out += static_cast<char>(value);
}

void put_counted(std::string& out, uint64_t field, std::string_view bytes) {
    put_varint(out, field);
    put_varint(out, bytes.size());
    out += bytes;
}

std::string framed(const std::string& bytes) {
    std::string record;
    io::store<uint64_t>(record, bytes.size());
    io::store<uint32_t>(record, masked_checksum(record));
    record += bytes;
    io::store<uint32_t>(record, masked_checksum(bytes));
    return record;
}

/// TensorBoard wants to be told the format first.
std::string first_record() {
    std::string event;
    put_counted(event, kVersion, "brain.Event:2");
    return framed(event);
}

/// A protobuf message being read, field by field.
class Message {
public:
    Message(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

    bool next() {
        if (at_ == bytes_.size()) return false;
        key_ = take_varint();
        return true;
    }
    uint64_t key() const { return key_; }
    uint64_t take_varint() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const auto byte = static_cast<unsigned char>(take(1)[0]);
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        fail();
    }
    template <class T>
    T take_fixed() {
        return io::load<T>(take(sizeof(T)), 0);
    }
    std::string_view take_counted() { return take(take_varint()); }
    void skip() {
        switch (key_ & 7) {
            case varint:
                take_varint();
                break;
            case eight_bytes:
                take(8);
                break;
            case counted:
                take_counted();
                break;
            case four_bytes:
                take(4);
                break;
            default:
                fail();
        }
    }

private:
    std::string_view take(uint64_t count) {
        if (count > bytes_.size() - at_) fail();
        const std::string_view part = bytes_.substr(at_, count);
        at_ += count;
        return part;
    }
    [[noreturn]] void fail() const { throw Error(where_, "this is no event", "is it a file of TensorBoard's?"); }

    std::string_view bytes_;
    const std::string& where_;
    size_t at_ = 0;
    uint64_t key_ = 0;
};

void read_value(std::string_view bytes, const std::string& where, Event& event) {
    std::string tag;
    float number = 0;
    bool scalar = false;
    for (Message value(bytes, where); value.next();) {
        if (value.key() == kTag)
            tag = value.take_counted();
        else if (value.key() == kSimpleValue)
            number = std::bit_cast<float>(value.take_fixed<uint32_t>()), scalar = true;
        else
            value.skip();
    }
    if (scalar) event.scalars.emplace_back(std::move(tag), number);
}

Event event_of(std::string_view bytes, const std::string& where) {
    Event event;
    for (Message message(bytes, where); message.next();) {
        if (message.key() == kWallTime)
            event.wall_time = std::bit_cast<double>(message.take_fixed<uint64_t>());
        else if (message.key() == kStep)
            event.step = static_cast<int64_t>(message.take_varint());
        else if (message.key() == kSummary)
            for (Message summary(message.take_counted(), where); summary.next();) {
                if (summary.key() == kValue)
                    read_value(summary.take_counted(), where, event);
                else
                    summary.skip();
            }
        else
            message.skip();
    }
    return event;
}

}  // namespace

std::string record_of(const Event& event) {
    std::string summary;
    for (const auto& [tag, number] : event.scalars) {
        std::string value;
        put_counted(value, kTag, tag);
        put_varint(value, kSimpleValue);
        io::store<uint32_t>(value, std::bit_cast<uint32_t>(number));
        put_counted(summary, kValue, value);
    }
    std::string bytes;
    if (event.wall_time != 0) {  // protobuf leaves zeros out
        put_varint(bytes, kWallTime);
        io::store<uint64_t>(bytes, std::bit_cast<uint64_t>(event.wall_time));
    }
    if (event.step != 0) {
        put_varint(bytes, kStep);
        put_varint(bytes, static_cast<uint64_t>(event.step));
    }
    put_counted(bytes, kSummary, summary);
    return framed(bytes);
}

EventFile::EventFile(std::filesystem::path path, const std::vector<Event>& events) : path_(std::move(path)) {
    std::string text = first_record();
    for (const Event& event : events) text += record_of(event);
    write_file_atomically(path_, text);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    if (descriptor_ < 0) throw_unwritable(path_, errno);
}

EventFile::~EventFile() { ::close(descriptor_); }

void EventFile::append(const Event& event) { io::append_whole(descriptor_, path_, record_of(event)); }

std::vector<Event> read_events(const std::filesystem::path& path) {
    const std::string text = read_text_file(path, kMostEvents);
    const std::string_view all = text;
    std::vector<Event> events;
    for (size_t at = 0; at + kFrame <= all.size();) {
        const std::string where = path.string() + " at offset " + std::to_string(at);
        const auto fail = [&](const char* what) { throw Error(where, what, "is it a file of TensorBoard's?"); };
        const auto length = io::load<uint64_t>(all, at);
        if (io::load<uint32_t>(all, at + 8) != masked_checksum(all.substr(at, 8)))
            fail("the checksum of a record's length is wrong");
        if (length > all.size() - at - kFrame) break;
        const std::string_view bytes = all.substr(at + 12, length);
        if (io::load<uint32_t>(all, at + 12 + length) != masked_checksum(bytes)) fail("a record's checksum is wrong");
        Event event = event_of(bytes, where);
        if (!event.scalars.empty()) events.push_back(std::move(event));
        at += kFrame + length;
    }
    return events;
}

}  // namespace liven
