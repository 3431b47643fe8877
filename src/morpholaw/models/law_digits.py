"""The number of significant digits with which a printed law predicts the same classes as the law itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from morpholaw.models.expressions import first_number_of_digits

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.models.class_laws import ClassLaws
    from morpholaw.models.features import FeatureTable
    from morpholaw.models.law import Law


def digits_needed(law: Law | ClassLaws, features: FeatureTable | pd.DataFrame | np.ndarray) -> int:
    """Return the number of significant digits with which the rounded law predicts the same class for each row.

    Parameters
    ----------
    law : Law or ClassLaws
        The law, or one law per class.
    features : FeatureTable, DataFrame or ndarray
        As for :meth:`morpholaw.models.law.Law.score`.

    Returns
    -------
    int
        As for :func:`morpholaw.models.expressions.first_number_of_digits`.
    """
    predicted = law.predict(features)
    return first_number_of_digits(
        lambda digits: np.array_equal(law.rounded(digits).predict(features), predicted)
    )
