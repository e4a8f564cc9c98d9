#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "src/metrics/tsne.hpp"

namespace liven::metrics {

/// Points of the plane in cells of four cells, each with its count and centre of mass.
class Quadtree {
public:
    explicit Quadtree(const std::vector<Point>& points) : points_(points) {
        double reach = 0;
        for (const Point& point : points) reach = std::max({reach, std::abs(point[0]), std::abs(point[1])});
        cells_.push_back({.centre = {0, 0}, .half = reach + 1e-9});
        for (size_t i = 0; i < points.size(); ++i) insert(i);
    }

    /// Adds the repulsion of all other points: (y_i - y_j) / (1 + d^2)^2; returns the sum of 1 / (1 + d^2).
    double repel(size_t i, double theta, Point& force) const { return repel(0, points_[i], theta, force); }

private:
    struct Cell {
        Point centre;
        double half = 0;
        Point sum = {0, 0};  ///< of its points
        double count = 0;
        size_t child = 0;     ///< the first of four; 0: none
        Point only = {0, 0};  ///< where all its points lie, as long as it has no cells
    };
    static constexpr double kSmallest = 1e-12;  // points nearer than that share a cell

    static size_t quarter(const Cell& cell, const Point& p) {
        return (p[0] > cell.centre[0] ? 1u : 0u) + (p[1] > cell.centre[1] ? 2u : 0u);
    }

    void insert(size_t i) {
        const Point& p = points_[i];
        size_t at = 0;
        for (;;) {
            Cell& cell = cells_[at];
            const bool together = cell.count > 0 && cell.child == 0 && (cell.only == p || cell.half < kSmallest);
            if (cell.count > 0 && cell.child == 0 && !together) split(at);
            Cell& entered = cells_[at];
            if (entered.count == 0) entered.only = p;
            entered.sum[0] += p[0], entered.sum[1] += p[1];
            ++entered.count;
            if (entered.child == 0) return;
            at = entered.child + quarter(entered, p);
        }
    }

    /// Moves what the cell holds into one of four new ones.
    void split(size_t at) {
        const size_t first = cells_.size();
        const Cell old = cells_[at];
        for (size_t q = 0; q < 4; ++q) {
            const double half = old.half / 2;
            cells_.push_back(
                {.centre = {old.centre[0] + (q % 2 ? half : -half), old.centre[1] + (q / 2 ? half : -half)},
                 .half = half});
        }
        cells_[at].child = first;
        Cell& heir = cells_[first + quarter(old, old.only)];
        heir.sum = old.sum, heir.count = old.count, heir.only = old.only;
    }

    double repel(size_t at, const Point& p, double theta, Point& force) const {
        const Cell& cell = cells_[at];
        if (cell.count == 0) return 0;
        const Point mean{cell.sum[0] / cell.count, cell.sum[1] / cell.count};
        const double dx = p[0] - mean[0], dy = p[1] - mean[1], squared = dx * dx + dy * dy;
        if (cell.child == 0 || 4 * cell.half * cell.half < theta * theta * squared) {
            // The point itself is among those of its own cell, at distance 0: it pushes nowhere.
            const double count = cell.child == 0 && cell.only == p ? cell.count - 1 : cell.count;
            const double kernel = 1 / (1 + squared);
            force[0] += count * kernel * kernel * dx;
            force[1] += count * kernel * kernel * dy;
            return count * kernel;
        }
        double sum = 0;
        for (size_t q = 0; q < 4; ++q) sum += repel(cell.child + q, p, theta, force);
        return sum;
    }

    const std::vector<Point>& points_;
    std::vector<Cell> cells_;
};

}  // namespace liven::metrics
