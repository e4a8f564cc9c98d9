#include "src/data/csv.hpp"

#include "liven/core/error.hpp"

namespace liven::data {

CsvReader::CsvReader(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {
    if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3;  // the byte order mark spreadsheets write
}

void CsvReader::fail(const std::string& what, std::string_view hint) const {
    throw Error(name_ + ", line " + std::to_string(record_line_), what, hint);
}

void CsvReader::append(std::string& field, char c) {
    if (c == '\0') fail("there is a NUL byte", "is this a text file in UTF-8?");
    if (field.size() >= max_field)
        fail("a field is longer than " + std::to_string(max_field) + " bytes", "is a quote missing?");
    field += c;
}

bool CsvReader::end_of_record() {
    if (at_end()) return true;
    if (text_[at_] == '\n') {
        ++at_;
    } else if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') {
        at_ += 2;
    } else {
        return false;
    }
    ++line_;
    return true;
}

void CsvReader::quoted_field(std::string& field) {
    for (++at_;; ++at_) {
        if (at_end()) fail("a quote that opens here never closes");
        const char c = text_[at_];
        if (c == '"') {
            if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
            ++at_;
        }
        if (c == '\n') ++line_;
        append(field, c);
    }
    ++at_;
}

void CsvReader::plain_field(std::string& field) {
    for (; !at_end(); ++at_) {
        const char c = text_[at_];
        if (c == ',' || c == '\n' || (c == '\r' && text_.substr(at_, 2) == "\r\n")) return;
        if (c == '"')
            fail("there is a quote inside a field that does not begin with one", "write \"a \"\"b\"\"\" for a \"b\"");
        append(field, c);
    }
}

bool CsvReader::next(std::vector<std::string>& fields) {
    fields.clear();
    while (!at_end() && end_of_record()) {
    }
    if (at_end()) return false;
    record_line_ = line_;
    for (;;) {
        std::string& field = fields.emplace_back();
        if (fields.size() > 1000) fail("there are more than 1,000 columns");
        if (!at_end() && text_[at_] == '"')
            quoted_field(field);
        else
            plain_field(field);
        if (end_of_record()) return true;
        if (text_[at_] != ',') fail("there is text behind a closing quote");
        ++at_;
        if (at_end()) {
            fields.emplace_back();
            return true;
        }
    }
}

std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string out = "\"";
    for (char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

}  // namespace liven::data
