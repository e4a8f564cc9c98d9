#pragma once

#include <span>
#include <string>
#include <vector>

#include "liven/data/image.hpp"

namespace liven::data {

/// One picture of a sheet.
struct SheetTile {
    Image picture;
    std::vector<std::string> lines = {};  ///< written below it; what does not fit is cut off
    bool marked = false;                  ///< framed in red, with red lines
};

/// Pictures in rows on white, all as large as each other, with lines of words below them. Words are in ASCII: other
/// letters become '?'.
class Sheet {
public:
    struct Options {
        int columns = 6;
        int side = 160;  ///< pixels; pictures keep their proportions within
        int lines = 1;   ///< below each picture
    };
    /// Throws Error for no column, a side below 16 or less than no lines.
    explicit Sheet(const Options& options);

    /// In the next place, a row further when this one is full.
    Sheet& add(SheetTile tile);
    /// What comes next begins a row.
    Sheet& end_row();
    /// Throws Error when there is no tile.
    Image image() const;

private:
    struct Placed {
        SheetTile tile;
        int column, row;
    };
    Options options_;
    std::vector<Placed> placed_;
    int column_ = 0, row_ = 0;
};

/// Numbers as colours that grow lighter and stay apart in print and for colour-blind eyes: black at 0
/// and for NaN, light yellow at `full` and above. Throws Error unless there are width x height of them.
Image colour_map(std::span<const float> values, int width, int height, double full);

/// Two pictures of one height, side by side. Throws Error for different heights.
Image beside(const Image& left, const Image& right);

}  // namespace liven::data
