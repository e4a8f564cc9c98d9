#!/usr/bin/env python3
"""Writes metrics.json: scored samples and what scikit-learn and SciPy make of them (see README.md)."""
import json
import os

import numpy as np
import sklearn
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn import metrics as sk

# Liven: a higher score is more bona fide, class 0 is bona fide. scikit-learn's "positive" is bona fide here unless said.


def case(name, scores, labels, threshold):
    scores, labels = np.asarray(scores, float), np.asarray(labels)
    bonafide = (labels == 0).astype(int)
    decided = (scores >= threshold).astype(int)
    fpr, tpr, _ = sk.roc_curve(bonafide, scores)
    eer = brentq(lambda x: 1 - x - interp1d(fpr, tpr)(x), 0, 1, xtol=1e-14)
    out = {
        "name": name, "scores": scores.tolist(), "labels": labels.tolist(), "threshold": threshold,
        "roc_auc": sk.roc_auc_score(bonafide, scores),
        "pr_auc_bonafide": sk.average_precision_score(bonafide, scores),
        "pr_auc_attack": sk.average_precision_score(1 - bonafide, -scores),
        "eer": float(eer),
        "accuracy": sk.accuracy_score(bonafide, decided),
        "mcc": sk.matthews_corrcoef(bonafide, decided),
        "kappa": sk.cohen_kappa_score(bonafide, decided),
        "apcer": float(np.mean(decided[bonafide == 0])), "bpcer": float(np.mean(1 - decided[bonafide == 1])),
    }
    if scores.min() >= 0 and scores.max() <= 1:
        out["log_loss"] = sk.log_loss(bonafide, scores, labels=[0, 1])
    for key, truth, guess in (("bonafide", bonafide, decided), ("attack", 1 - bonafide, 1 - decided)):
        out[key] = {"precision": sk.precision_score(truth, guess), "recall": sk.recall_score(truth, guess),
                    "f1": sk.f1_score(truth, guess), "specificity": sk.recall_score(1 - truth, 1 - guess)}
    for limit in (0.01, 0.05, 0.1):
        out[f"bpcer_at_{limit}"] = float(1 - tpr_at(bonafide, scores, limit))
    # Every threshold that makes a difference, tried one by one.
    every = np.concatenate([np.unique(scores), [scores.max() + 1]])
    out["min_acer"] = float(min((np.mean(scores[bonafide == 0] >= t) + np.mean(scores[bonafide == 1] < t)) / 2
                                for t in every))
    return out


def tpr_at(bonafide, scores, limit):
    fpr, tpr, _ = sk.roc_curve(bonafide, scores, drop_intermediate=False)
    return tpr[fpr <= limit + 1e-12].max()


def half_total_error(development, test):
    """Threshold from the development ROC's equal error rate, (FAR + FRR) / 2 on the test samples."""
    bonafide, scores = 1 - np.asarray(development["labels"]), np.asarray(development["scores"])
    fpr, tpr, thresholds = sk.roc_curve(bonafide, scores, drop_intermediate=False)
    thresholds[0] = thresholds[1] + 1e9  # scikit-learn writes infinity; no crossing lies there
    place = brentq(lambda i: (1 - np.interp(i, range(len(tpr)), tpr)) - np.interp(i, range(len(fpr)), fpr), 0,
                   len(fpr) - 1, xtol=1e-14)
    threshold = float(np.interp(place, range(len(thresholds)), thresholds))
    decided, truth = np.asarray(test["scores"]) >= threshold, np.asarray(test["labels"]) == 0
    return {"development": development["name"], "test": test["name"], "threshold": threshold,
            "hter": float((np.mean(decided[~truth]) + np.mean(~decided[truth])) / 2)}


def main():
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 2, 200)
    logits = rng.normal(np.where(labels == 0, 1.0, -1.0), 1.5)
    cases = [
        case("six by hand", [0.9, 0.8, 0.35, 0.6, 0.3, 0.1], [0, 0, 0, 1, 1, 1], 0.5),
        case("overlapping logits", np.round(logits, 6), labels, 0.25),
        case("probabilities with many ties", np.round(1 / (1 + np.exp(-logits)), 1), labels, 0.5),
        case("unequal classes", np.round(rng.random(97), 4), (np.arange(97) % 7 != 0).astype(int), 0.4),
        case("perfectly apart", [0.9, 0.7, 0.6, 0.4, 0.2], [0, 0, 0, 1, 1], 0.5),
        case("saturated probabilities", [1.0, 1.0, 0.0, 0.5, 0.0, 1.0, 0.0], [0, 0, 0, 0, 1, 1, 1], 0.5),
    ]
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "metrics.json")
    with open(path, "w") as file:
        json.dump({"made_with": f"scikit-learn {sklearn.__version__}", "cases": cases,
                   "hter": [half_total_error(cases[a], cases[b]) for a, b in ((1, 2), (2, 3), (3, 1))]}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
