#pragma once

#include <Eigen/Core>

#include "liven/metrics/feature_space.hpp"

namespace liven::metrics {

using Matrix = Eigen::MatrixXd;

/// Mean of each column.
Eigen::VectorXd column_means(const Features& features);
/// X X', of the rows less `mean`, summed in double.
Matrix gram_of_rows(const Features& features, const Eigen::VectorXd& mean);
/// X' X, likewise.
Matrix gram_of_columns(const Features& features, const Eigen::VectorXd& mean);
/// Squared Euclidean distances between the rows, none below zero.
Matrix squared_distances(const Features& features);

}  // namespace liven::metrics
