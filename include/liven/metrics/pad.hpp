#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "liven/metrics/classification.hpp"
#include "liven/metrics/measure.hpp"
#include "liven/metrics/scores.hpp"

/// Measures of presentation attack detection, ISO/IEC 30107-3. In the words of verification FAR = APCER, FRR = BPCER.
namespace liven {

/// Attacks accepted / attacks.
Measure apcer(const Confusion& counts);
/// Bona fide samples rejected / bona fide samples.
Measure bpcer(const Confusion& counts);
/// Mean of APCER, over all attacks together, and BPCER.
Measure acer(const Confusion& counts);

/// APCER of each attack type. Throws Error when the samples have no attack types.
std::map<std::string, double> apcer_by_type(const ScoredSamples& samples, double threshold);
/// The attack type with the highest APCER, which is what the standard reports; the first by name when several have it.
struct WorstType {
    std::string type;
    Measure apcer = Measure::undefined("no attack samples");
};
WorstType worst_apcer(const ScoredSamples& samples, double threshold);

/// A threshold, and the measure it was chosen for; both undefined for one class or constant scores.
struct Threshold {
    Measure threshold;
    Measure value;
};

/// The threshold of least ACER. ACER changes only at scores, so each gap between neighbouring distinct scores (and
/// accepting or rejecting all) is one candidate, and the threshold is the gap's middle. When several gaps have the
/// least ACER: that with the least |APCER - BPCER|, then the widest, then the lowest. Accepting all means the lowest
/// score, rejecting all the number next above the highest; both count as gaps of width zero.
Threshold minimum_acer(const ScoredSamples& samples);
/// Where APCER and BPCER meet on the ROC curve, its points joined by straight lines; the threshold is interpolated too.
Threshold equal_error_rate(const ScoredSamples& samples);
/// The least BPCER among thresholds with APCER <= limit (0.01, 0.05, 0.10 are called BPCER100, 20, 10), not
/// interpolated; the threshold is the lowest score accepted. Throws Error when the limit is outside [0, 1].
Threshold bpcer_at_apcer(const ScoredSamples& samples, double limit);

/// Half total error rate: mean of FAR and FRR on `test` at the threshold fixed on `development` by equal error rate.
/// Two sets, because a threshold fitted to the test samples makes HTER nothing but their EER: throws Error when both
/// hold the same samples.
Threshold half_total_error_rate(const ScoredSamples& development, const ScoredSamples& test);

/// How many samples of each class scored in each of `bins` equal parts of [low, high]; scores outside go to the ends.
struct ScoreHistogram {
    double low = 0, high = 1;
    std::vector<int64_t> bonafide, attack;
};
/// Over [0, 1] when all scores lie inside, else from the lowest to the highest. Throws Error when bins < 1.
ScoreHistogram score_histogram(const ScoredSamples& samples, int bins = 50);

/// Everything at one threshold, and what needs none.
struct PadReport {
    double threshold = 0;
    Confusion confusion;
    Measure apcer, bpcer, acer;
    std::map<std::string, double> apcer_by_type;  ///< empty without attack types
    WorstType worst;
    Measure acer_worst;  ///< mean of the worst type's APCER and BPCER; undefined without attack types
    Measure accuracy, roc_auc, pr_auc_bonafide, pr_auc_attack, log_loss, mcc, kappa;
    Threshold eer;
    Measure bpcer100, bpcer20, bpcer10;
    /// With bona fide and with attack as the positive class.
    struct ByPositive {
        Measure precision, recall, specificity, f1;
    } bonafide_positive, attack_positive;
};
PadReport pad_report(const ScoredSamples& samples, double threshold);

/// How a threshold is chosen.
enum class ThresholdRule : uint8_t { minimum_acer, equal_error_rate };
struct ThresholdChoice {
    ThresholdRule rule = ThresholdRule::minimum_acer;
    /// Why the threshold may be chosen on the samples that are judged, in words. It flatters: say in every table that
    /// it is a within-set optimum.
    std::string within_set_optimum = {};
};
/// Test samples at the threshold chosen on validation samples. Throws Error when both hold the same samples and no
/// words say that this is meant, or when no threshold can be chosen.
PadReport pad_report(const ScoredSamples& validation, const ScoredSamples& test, const ThresholdChoice& choice = {});

}  // namespace liven
