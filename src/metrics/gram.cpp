#include "src/metrics/gram.hpp"

#include <algorithm>

namespace liven::metrics {
namespace {

using Rows = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

// So many numbers are turned into doubles at a time: a picture has far more columns than fit twice.
constexpr int64_t kBlock = 4096;

Rows view(const Features& features) { return {features.values.data(), features.rows, features.columns}; }

}  // namespace

Eigen::VectorXd column_means(const Features& features) {
    return view(features).cast<double>().colwise().mean().transpose();
}

Matrix gram_of_rows(const Features& features, const Eigen::VectorXd& mean) {
    Matrix gram = Matrix::Zero(features.rows, features.rows);
    for (int64_t at = 0; at < features.columns; at += kBlock) {
        const int64_t count = std::min(kBlock, features.columns - at);
        Matrix block = view(features).middleCols(at, count).cast<double>();
        block.rowwise() -= mean.segment(at, count).transpose();
        gram.selfadjointView<Eigen::Lower>().rankUpdate(block);
    }
    return gram.selfadjointView<Eigen::Lower>();
}

Matrix gram_of_columns(const Features& features, const Eigen::VectorXd& mean) {
    Matrix gram = Matrix::Zero(features.columns, features.columns);
    for (int64_t at = 0; at < features.rows; at += kBlock) {
        Matrix block = view(features).middleRows(at, std::min(kBlock, features.rows - at)).cast<double>();
        block.rowwise() -= mean.transpose();
        gram.selfadjointView<Eigen::Lower>().rankUpdate(block.transpose());
    }
    return gram.selfadjointView<Eigen::Lower>();
}

Matrix squared_distances(const Features& features) {
    // About the mean: far from the origin the differences of squares would lose what they are about.
    const Matrix gram = gram_of_rows(features, column_means(features));
    const Eigen::VectorXd squares = gram.diagonal();
    Matrix distances = -2 * gram;
    distances.colwise() += squares;
    distances.rowwise() += squares.transpose();
    distances.diagonal().setZero();
    return distances.cwiseMax(0);
}

}  // namespace liven::metrics
