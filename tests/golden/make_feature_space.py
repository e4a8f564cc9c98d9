#!/usr/bin/env python3
"""Writes feature_space.json: features, and what scikit-learn and t-SNE's formulas in NumPy make of them (see README.md)."""
import json
import os

import numpy as np
import sklearn
from scipy.optimize import brentq
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score


def pca_case(x, k):
    fitted = PCA(k, svd_solver="full").fit(x)
    signs = np.sign(fitted.components_[np.arange(k), np.abs(fitted.components_).argmax(1)])
    return {"values": x.ravel().tolist(), "rows": x.shape[0], "columns": x.shape[1],
            "components": (fitted.components_ * signs[:, None]).ravel().tolist(),
            "scores": (fitted.transform(x) * signs).ravel().tolist(),
            "explained": fitted.explained_variance_ratio_.tolist()}


def joint_probabilities(x, perplexity):
    """Each row's Gaussian by root finding on its entropy."""
    squared = ((x[:, None] - x) ** 2).sum(-1)
    p = np.zeros_like(squared)
    for i in range(len(x)):
        d = np.delete(squared[i], i)

        def weights(log_beta):
            w = np.exp(-np.exp(log_beta) * (d - d.min()))
            return w / w.sum()

        def excess(log_beta):
            w = weights(log_beta)
            return -(w * np.log(np.maximum(w, 1e-300))).sum() - np.log(perplexity)

        p[i, np.arange(len(x)) != i] = weights(brentq(excess, -20, 20, xtol=1e-14))
    return (p + p.T) / (2 * len(x))


def gradient(p, y, exaggeration):
    difference = y[:, None] - y
    kernel = 1 / (1 + (difference ** 2).sum(-1))
    np.fill_diagonal(kernel, 0)
    q = kernel / kernel.sum()
    return (4 * ((exaggeration * p - q) * kernel)[:, :, None] * difference).sum(1)


def main():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, 40)
    x = np.float32(rng.normal(0, 1, (40, 6)) + labels[:, None]).astype(np.float64)
    y = rng.normal(0, 1, (40, 2)).round(5)
    p = joint_probabilities(x, 8)
    cases = {
        "made_with": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "pca": [pca_case(x, 4), pca_case(np.float32(rng.normal(3, 2, (7, 20))).astype(np.float64), 5)],
        "silhouette": {"values": x.ravel().tolist(), "rows": 40, "columns": 6, "labels": labels.tolist(),
                       "three": silhouette_score(x, labels), "two": silhouette_score(x, np.minimum(labels, 1))},
        "tsne": {"perplexity": 8, "affinities": p.ravel().tolist(), "points": y.ravel().tolist(),
                 "gradient": gradient(p, y, 1).ravel().tolist(), "exaggerated": gradient(p, y, 12).ravel().tolist()},
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "feature_space.json")
    with open(path, "w") as file:
        json.dump(cases, file)
        file.write("\n")


if __name__ == "__main__":
    main()
