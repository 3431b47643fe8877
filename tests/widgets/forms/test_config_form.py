"""Forms made of configurations keep every digit and say what is wrong beside the field."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from morpholaw import config as settings
from morpholaw.errors import InputError
from morpholaw.widgets.forms.config_form import ConfigForm

ALL = [
    settings.CropConfig, settings.ImportConfig, settings.SimulateConfig, settings.EncoderConfig,
    settings.ClassifierConfig, settings.TuneConfig, settings.LawConfig, settings.AttackConfig,
]  # fmt: skip


@pytest.fixture
def form(qtbot):
    form = ConfigForm(
        settings.ClassifierConfig, fields=("models", "learning_rate", "sparsity", "hidden", "test_fraction")
    )
    qtbot.addWidget(form)
    return form


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_configuration_starts_at_its_defaults(qtbot, kind):
    form = ConfigForm(kind)
    qtbot.addWidget(form)
    assert form.values() == {}
    assert form.config() == kind()
    assert set(form.editors) == set(kind.model_fields)


def test_small_numbers_keep_their_digits(form):
    form.editors["learning_rate"].setText("0.00012345")
    form.editors["sparsity"].setText("9.51e-1")
    assert form.config().learning_rate == 0.00012345
    assert form.values() == {"learning_rate": 0.00012345}  # 9.51e-1 is the default


def test_only_what_differs_is_given(form, qtbot):
    with qtbot.waitSignal(form.changed):
        form.editors["models"].setValue(3)
    form.editors["hidden"].setText("8, 8")
    form.editors["test_fraction"].setText("0.3")
    assert form.values() == {"models": 3, "hidden": (8, 8), "test_fraction": 0.3}
    form.editors["test_fraction"].setText("")
    assert form.config().test_fraction is None


def test_ranges_and_tooltips_come_from_the_configuration(form):
    models = form.editors["models"]
    assert (models.minimum(), models.maximum()) == (1, 1000)
    assert "paper: 10" in models.toolTip()


@pytest.mark.parametrize("text", ["fast", "-1", ""])
def test_a_wrong_value_is_said_beside_its_field(form, text):
    form.editors["learning_rate"].setText(text)
    with pytest.raises(InputError, match="learning rate"):
        form.config()
    assert "learning rate" in form.error
    form.editors["learning_rate"].setText("0.01")
    form.config()
    assert form.error == ""


def test_values_come_back_as_they_were_put_in(qtbot):
    form = ConfigForm(settings.ImportConfig)
    qtbot.addWidget(form)
    given = {
        "classes": {"metaphase": ["Metaphase", "Aligned"], "interphase": ["Interphase"]},
        "group_regex": r"m(\d+)",
    }
    form.set_values(given)
    assert form.values() == given
    form.set_values({})
    assert form.values() == {}


def test_two_equal_classes_are_refused_in_words(qtbot):
    form = ConfigForm(settings.ClassifierConfig)
    qtbot.addWidget(form)
    form.editors["positive"].setText("interphase")
    with pytest.raises(InputError, match="The two classes must differ"):
        form.config()


def test_the_wheel_does_not_change_a_setting_that_it_passes_over(form, qtbot):
    form.show()
    models = form.editors["models"]
    wheel = QWheelEvent(
        QPointF(2, 2), QPointF(2, 2), QPoint(0, 120), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(models, wheel)
    assert models.value() == 10
