"""Simple methods that every scheme should be compared with: a regression and a small tree on measured shapes.

They read the features of the cell itself (:func:`morpholaw.cells.shape_features.measure_features`): its area, axes,
outline, brightness and texture, measured in the crop's own segmentation. A crop without a nucleus has the median of the
training cells.
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
"""Names of the baselines and what they are."""


def baseline_features(images: np.ndarray) -> np.ndarray:
    """Measure the shapes that the baselines read: crops, uint8 (n, s, s), to float64 (n, features).

    Parameters
    ----------
    images : ndarray, uint8 (n, s, s)
        Crops.
    """
    measured: np.ndarray = measure_features(images).to_numpy(np.float64)
    return measured


def fit_baseline(name: Baseline, features: np.ndarray, targets: np.ndarray) -> Any:
    """Fit a baseline with classes that count the same.

    Parameters
    ----------
    name : {"shapes-logistic", "shapes-tree"}
        Which one.
    features : ndarray, (n, features)
        Measured shapes of the training cells; NaN where there is none.
    targets : ndarray, int (n,)
        Their classes.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fitted; its ``predict`` returns classes of features.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    missing = SimpleImputer(strategy="median", keep_empty_features=True)
    if name == "shapes-tree":
        # Depth two for two classes; deeper where four leaves could not even name all classes.
        depth = math.ceil(math.log2(2 * len(np.unique(targets))))
        tree = DecisionTreeClassifier(max_depth=depth, class_weight="balanced", random_state=0)
        return make_pipeline(missing, tree).fit(features, targets)
    regression = LogisticRegression(class_weight="balanced", max_iter=2000)
    return make_pipeline(missing, StandardScaler(), regression).fit(features, targets)


def predict_baseline(
    name: Baseline, features: np.ndarray, targets: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """Return the classes of ``others`` (m, features), int64 (m,), by a baseline fitted to the other cells.

    Parameters
    ----------
    name : str
        One of :data:`BASELINES`.
    features : ndarray, float64 (n, features)
        Of the cells to learn from.
    targets : ndarray, int64 (n,)
        Their classes.
    others : ndarray, float64 (m, features)
        Of the cells to classify.
    """
    return np.asarray(fit_baseline(name, features, targets).predict(others), dtype=np.int64)
