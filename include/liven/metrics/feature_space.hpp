#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "liven/metrics/measure.hpp"

/// How samples lie in a space of features: pixels, or what a network makes of them.
namespace liven {

/// One sample a row.
struct Features {
    std::vector<float> values;  ///< rows x columns
    int64_t rows = 0, columns = 0;
};
/// Throws Error when the numbers do not fill the rows or one of them is not finite. Everything here calls it first.
void check(const Features& features);

/// Mean silhouette (Rousseeuw 1987) by Euclidean distance: (b - a) / max(a, b) of a sample, a its mean distance to the
/// others of its class, b the least mean distance to another class; 0 for the only sample of a class. From -1 to 1;
/// Liven calls it the separability of the classes. Undefined for less than two classes or when every sample is a class
/// of its own. Throws Error unless there is a label a row.
Measure silhouette(const Features& features, std::span<const int32_t> labels);

/// Principal components (Pearson 1901).
struct PrincipalComponents {
    Features scores;                ///< rows x components: the samples, centred, along the components
    Features components;            ///< components x columns: unit vectors; the largest entry of each is positive
    std::vector<float> mean;        ///< of each column
    std::vector<double> explained;  ///< share of the variance each component has
};
/// The first `components` of them, fewer when the samples span less. By the smaller of the two Gram matrices, in
/// double: for a few thousand rows or columns. Throws Error for less than two rows.
PrincipalComponents principal_components(const Features& features, int64_t components);

/// t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008) in the plane, with forces summed
/// exactly or over a quadtree (Barnes and Hut; van der Maaten 2014). Begins with the first two principal components, so
/// that the same samples give the same picture.
struct TsneOptions {
    double perplexity = 30;  ///< about how many neighbours count; lowered to a third of the samples when they are few
    double theta = 0.5;      ///< a cell is one point when its width is less than theta times its distance; 0: exact
    int64_t iterations = 1000;
    double early_exaggeration = 12;  ///< of the attraction, in the first quarter
    /// 0: rows / early_exaggeration / 4 (Belkina et al. 2019), but at least 50, or rows / early_exaggeration if that is
    /// less: longer steps throw few samples about.
    double learning_rate = 0;
    std::function<void(int64_t done, int64_t all)> progress = {};
};
struct Tsne {
    Features points;        ///< rows x 2
    double divergence = 0;  ///< Kullback and Leibler's, of the picture from the samples
};
/// Throws Error for less than four rows or options that cannot be.
Tsne tsne(const Features& features, const TsneOptions& options = {});

}  // namespace liven
