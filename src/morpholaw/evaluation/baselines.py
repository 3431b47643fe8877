"""Baselines for comparison with every scheme: logistic regression and a small decision tree on measured shapes.

The features describe the cell itself (:func:`morpholaw.cells.shape_features.measure_features`): area, axes, outline,
brightness and texture, measured in the segmentation of the crop. Crops without a nucleus get the median of the training
cells.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from morpholaw.cells.shape_features import measure_features

# scikit-learn is imported when a baseline is fitted.

Baseline = Literal["shapes-logistic", "shapes-tree"]
BASELINES: dict[Baseline, str] = {
    "shapes-logistic": "measured shapes + logistic regression",
    "shapes-tree": "measured shapes + small tree",
}
"""Names and descriptions of the baselines."""


def baseline_features(images: np.ndarray) -> np.ndarray:
    """Measure the features of the baselines.

    Parameters
    ----------
    images : ndarray, uint8 (n, s, s)
        Crops.

    Returns
    -------
    ndarray, float64 (n, features)
        Measured shapes; NaN for crops without a nucleus.
    """
    measured: np.ndarray = measure_features(images).to_numpy(np.float64)
    return measured


def fit_baseline(name: Baseline, features: np.ndarray, targets: np.ndarray) -> Any:
    """Fit a baseline with balanced class weights.

    Parameters
    ----------
    name : {"shapes-logistic", "shapes-tree"}
        The baseline.
    features : ndarray, (n, features)
        Measured shapes of the training cells; NaN if missing.
    targets : ndarray, int (n,)
        Classes of the training cells.

    Returns
    -------
    sklearn.pipeline.Pipeline
        The fitted baseline, whose ``predict`` returns classes.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    missing = SimpleImputer(strategy="median", keep_empty_features=True)
    if name == "shapes-tree":
        # Depth two for two classes, more if four leaves are too few for all classes.
        depth = math.ceil(math.log2(2 * len(np.unique(targets))))
        tree = DecisionTreeClassifier(max_depth=depth, class_weight="balanced", random_state=0)
        return make_pipeline(missing, tree).fit(features, targets)
    regression = LogisticRegression(class_weight="balanced", max_iter=2000)
    return make_pipeline(missing, StandardScaler(), regression).fit(features, targets)


def predict_baseline(
    name: Baseline, features: np.ndarray, targets: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """Fit a baseline and predict the classes of other cells.

    Parameters
    ----------
    name : str
        One of :data:`BASELINES`.
    features : ndarray, float64 (n, features)
        Features of the training cells.
    targets : ndarray, int64 (n,)
        Classes of the training cells.
    others : ndarray, float64 (m, features)
        Features of the cells to classify.

    Returns
    -------
    ndarray, int64 (m,)
        Predicted classes.
    """
    return np.asarray(fit_baseline(name, features, targets).predict(others), dtype=np.int64)
