#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace liven::data {

/// Reads RFC 4180 records one by one: quoted fields may hold commas, doubled quotes and line breaks; lines end in LF or
/// CRLF; blank lines are passed over.
class CsvReader {
public:
    CsvReader(std::string_view text, std::string name);

    /// The next record's fields; false at the end. Throws Error with the line for stray or open quotes, NUL bytes and
    /// fields above `max_field`.
    bool next(std::vector<std::string>& fields);
    /// The line, from 1, on which the record of the last `next` began.
    int64_t line() const { return record_line_; }
    [[noreturn]] void fail(const std::string& what, std::string_view hint = {}) const;

    static constexpr size_t max_field = 65'536;

private:
    bool at_end() const { return at_ >= text_.size(); }
    void quoted_field(std::string& field);
    void plain_field(std::string& field);
    void append(std::string& field, char c);
    bool end_of_record();

    std::string_view text_;
    std::string name_;
    size_t at_ = 0;
    int64_t line_ = 1, record_line_ = 1;
};

/// The field as a CSV writer writes it, quoted where it must be.
std::string csv_field(std::string_view text);

}  // namespace liven::data
