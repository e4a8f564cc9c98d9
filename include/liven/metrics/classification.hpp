#pragma once

#include <cstdint>
#include <string>

#include "liven/metrics/measure.hpp"
#include "liven/metrics/scores.hpp"

namespace liven {

/// Which class the words "positive", "precision" and "recall" mean. The literature uses both; tables must say which.
enum class Positive : uint8_t { bonafide, attack };

/// Counts of decisions at one threshold.
struct Confusion {
    int64_t bonafide_accepted = 0, bonafide_rejected = 0;
    int64_t attacks_accepted = 0, attacks_rejected = 0;
    bool operator==(const Confusion&) const = default;

    int64_t bonafide() const { return bonafide_accepted + bonafide_rejected; }
    int64_t attacks() const { return attacks_accepted + attacks_rejected; }
    int64_t total() const { return bonafide() + attacks(); }
    int64_t true_positives(Positive positive) const {
        return positive == Positive::bonafide ? bonafide_accepted : attacks_rejected;
    }
    int64_t false_positives(Positive positive) const {
        return positive == Positive::bonafide ? attacks_accepted : bonafide_rejected;
    }
    int64_t false_negatives(Positive positive) const {
        return positive == Positive::bonafide ? bonafide_rejected : attacks_accepted;
    }
    int64_t true_negatives(Positive positive) const {
        return positive == Positive::bonafide ? attacks_rejected : bonafide_accepted;
    }
};

/// Throws Error as check() does, and when the threshold is NaN.
Confusion confusion(const ScoredSamples& samples, double threshold);

/// Share of right decisions.
Measure accuracy(const Confusion& counts);
/// TP / (TP + FP).
Measure precision(const Confusion& counts, Positive positive);
/// TP / (TP + FN), also called sensitivity.
Measure recall(const Confusion& counts, Positive positive);
/// TN / (TN + FP).
Measure specificity(const Confusion& counts, Positive positive);
/// 2 TP / (2 TP + FP + FN).
Measure f1(const Confusion& counts, Positive positive);
/// Matthews's correlation, the same for either positive class; undefined when a class or a decision never occurs.
Measure matthews_correlation(const Confusion& counts);
/// Cohen's kappa; undefined when chance alone agrees always.
Measure cohen_kappa(const Confusion& counts);

/// Area under the ROC curve: the probability that a bona fide sample scores higher than an attack, ties half. The same
/// for either positive class. Undefined for one class or constant scores.
Measure roc_auc(const ScoredSamples& samples);
/// Area under the precision-recall curve as average precision, sum of (R_k - R_k-1) P_k over the distinct scores
/// (scikit-learn's average_precision_score; straight lines between the points would be too optimistic: Davis and
/// Goadrich, ICML 2006). Undefined for one class or constant scores.
Measure pr_auc(const ScoredSamples& samples, Positive positive);
/// Mean negative logarithm of the probability given to the true class; scores must be probabilities of bona fide,
/// clipped to [2^-52, 1 - 2^-52]. Undefined when a score is outside [0, 1].
Measure log_loss(const ScoredSamples& samples);

}  // namespace liven
