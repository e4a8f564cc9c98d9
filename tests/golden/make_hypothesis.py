#!/usr/bin/env python3
"""Writes hypothesis.json: numbers, scores, and what SciPy and statements written out in NumPy make of them (see README.md)."""
import itertools
import json
import os

import numpy as np
import scipy
from scipy import stats


def welch_freedom(a, b):
    u, v = np.var(a, ddof=1) / len(a), np.var(b, ddof=1) / len(b)
    return (u + v) ** 2 / (u ** 2 / (len(a) - 1) + v ** 2 / (len(b) - 1))


def t_case(kind, a, b):
    a, b = np.asarray(a), np.asarray(b)
    if kind == "paired":
        result, freedom, deviation = stats.ttest_rel(a, b), len(a) - 1, np.std(a - b, ddof=1)
    else:
        result = stats.ttest_ind(a, b, equal_var=kind == "pooled")
        freedom = len(a) + len(b) - 2 if kind == "pooled" else welch_freedom(a, b)
        deviation = np.sqrt(((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1)) / (len(a) + len(b) - 2))
    return {"kind": kind, "a": a.tolist(), "b": b.tolist(), "t": result.statistic, "p": result.pvalue,
            "freedom": float(freedom), "effect": float((a.mean() - b.mean()) / deviation)}


def holm(p):
    """Holm (1979): the k-th smallest of m counts m - k + 1 times, and never less than a smaller one."""
    order, out, highest = np.argsort(p, kind="stable"), np.zeros(len(p)), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[i]))
        out[i] = highest
    return out.tolist()


def anova_case(groups):
    f, p = stats.f_oneway(*groups)
    everything = np.concatenate(groups)
    between = sum(len(g) * (np.mean(g) - everything.mean()) ** 2 for g in groups)
    pairs = [stats.ttest_ind(a, b, equal_var=False).pvalue for a, b in itertools.combinations(groups, 2)]
    return {"groups": [list(map(float, g)) for g in groups], "f": f, "p": p,
            "eta_squared": float(between / ((everything - everything.mean()) ** 2).sum()),
            "pairs": [float(p) for p in pairs], "holm": holm(pairs)}


def delong_case(labels, a, b):
    """The paper's structural components, every pair of samples looked at."""
    labels, a, b = np.asarray(labels), np.asarray(a), np.asarray(b)
    v10, v01, auc = [], [], []
    for scores in (a, b):
        live, spoof = scores[labels == 0], scores[labels == 1]
        psi = (live[:, None] > spoof) + 0.5 * (live[:, None] == spoof)
        v10.append(psi.mean(1)), v01.append(psi.mean(0)), auc.append(psi.mean())
    s = np.cov(v10) / len(v10[0]) + np.cov(v01) / len(v01[0])
    z = (auc[0] - auc[1]) / np.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    return {"labels": labels.tolist(), "a": a.tolist(), "b": b.tolist(), "auc": auc, "variance": [s[0, 0], s[1, 1]],
            "covariance": s[0, 1], "z": z, "p": 2 * stats.norm.sf(abs(z))}


def main():
    rng = np.random.default_rng(11)
    a, b = rng.normal(0.9, 0.02, 8).round(4), rng.normal(0.88, 0.05, 8).round(4)
    groups = [rng.normal(m, s, n).round(5) for m, s, n in ((0.07, 0.02, 5), (0.05, 0.01, 7), (0.11, 0.04, 6), (0.06, 0.02, 5))]
    labels = rng.integers(0, 2, 80)
    latent = np.where(labels == 0, 1.0, -1.0) + rng.normal(0, 1.5, 80)
    cases = {
        "made_with": f"scipy {scipy.__version__}, numpy {np.__version__}",
        "t": [t_case(kind, x, y) for kind in ("paired", "pooled", "welch") for x, y in ((a, b), (b, a), (a, a[::-1] + 1))]
        + [t_case(kind, a, b[:3]) for kind in ("pooled", "welch")],
        "anova": [anova_case(groups), anova_case(groups[:2]), anova_case([a, a + 0.5])],
        "delong": [delong_case(labels, (latent + rng.normal(0, s, 80)).round(r), (latent + rng.normal(0, 1, 80)).round(r))
                   for s, r in ((0.3, 3), (2.0, 1))],
        "coins": [[int(k), int(n - k), stats.binomtest(int(k), int(n)).pvalue]
                  for k, n in ((0, 1), (1, 2), (3, 10), (8, 10), (40, 100), (500, 1100), (2, 60))],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hypothesis.json")
    with open(path, "w") as file:
        json.dump(cases, file)
        file.write("\n")


if __name__ == "__main__":
    main()
