#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "liven/data/dataset.hpp"
#include "liven/metrics/feature_space.hpp"
#include "liven/report/chart.hpp"
#include "liven/train/model_file.hpp"

/// Samples as points in the plane: how the classes lie, in pixels or in what a network makes of them.
namespace liven {

/// A row a readable sample.
struct FeatureRows {
    Features rows;
    std::vector<data::Sample> samples;
    std::string what;  ///< "dense1 of livenessnet, 64 features", "pixels, 32 x 32"
};
/// What goes into the network's last step (saliency::penultimate).
FeatureRows network_features(LoadedModel& model, const data::Dataset& set, int64_t batch = 16);
/// The pixels, 0 to 1, of the face box if there is one, size x size x 3 (Kuznetsov et al. 2026, figure 8). Of a
/// recording the frame in its middle.
FeatureRows pixel_features(const data::Dataset& set, int64_t size = 32);

/// At most `most` samples in the set's order, evenly spaced among those of a class, data set and attack type, so that
/// an order of the set that repeats itself hides none of them: maps make matrices of the samples by the samples. Two
/// or more have both classes.
data::Dataset evenly_chosen(const data::Dataset& set, int64_t most);

struct FeatureMapOptions {
    bool tsne = true;  ///< else the first two principal components
    double perplexity = 30;
    double theta = 0.5;  ///< of t-SNE; 0: exact
};
struct FeatureMap {
    FeatureRows of;
    Features points;                                            ///< rows x 2
    Measure separability = Measure::undefined("not computed");  ///< silhouette of the two classes, in the features
    std::vector<std::pair<std::string, Measure>> by_dataset =
        {};                      ///< the same in each data set, when there are several
    std::string x = {}, y = {};  ///< what the axes are
    bool tsne = false;           ///< what made the points; else principal components
};
FeatureMap feature_map(FeatureRows rows, const FeatureMapOptions& options = {});

/// What has a colour of its own.
enum class PointsBy : uint8_t { label, attack_type, dataset };
/// Points told by their file when hovered over.
report::LineChart chart_of(const FeatureMap& map, PointsBy by = PointsBy::attack_type, const std::string& title = {});

}  // namespace liven
