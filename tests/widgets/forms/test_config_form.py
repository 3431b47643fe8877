"""Forms made of configurations keep every digit and say what is wrong below the field."""

from __future__ import annotations

import pytest
from magicgui.widgets import CheckBox, ComboBox, LineEdit, SpinBox
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication

from morpholaw import config as settings
from morpholaw.errors import InputError, SettingError
from morpholaw.widgets.forms.config_form import ConfigForm


def all_configurations(base: type[settings.StepConfig]) -> list[type[settings.StepConfig]]:
    return [one for kind in base.__subclasses__() for one in (kind, *all_configurations(kind))]


ALL = all_configurations(settings.StepConfig)


@pytest.fixture
def form(qtbot):
    form = ConfigForm(
        settings.ClassifierConfig, fields=("models", "learning_rate", "sparsity", "hidden", "test_fraction")
    )
    qtbot.addWidget(form)
    return form


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_configuration_comes_through_the_form_unchanged(qtbot, kind):
    form = ConfigForm(kind)
    qtbot.addWidget(form)
    assert set(form.editors) == set(kind.model_fields)
    assert form.values() == {}
    assert form.config() == kind()
    form.set_values(kind())  # every default written to its editor and read back, digit by digit
    assert form.values() == {}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_setting_has_a_label_and_a_tooltip_and_takes_the_focus(qtbot, kind):
    form = ConfigForm(kind)
    qtbot.addWidget(form)
    for name, editor in form.editors.items():
        assert editor.label[0].isupper()
        assert "_" not in editor.label
        assert (kind.model_fields[name].description or "")[:20] in editor.native.toolTip()
        assert editor.native.focusPolicy() == Qt.FocusPolicy.StrongFocus


def test_settings_are_edited_by_magicguis_widgets(qtbot):
    form = ConfigForm(settings.EncoderConfig)
    qtbot.addWidget(form)
    expected = {"epochs": SpinBox, "symmetry": CheckBox, "sampling": ComboBox, "start_from": LineEdit}
    assert {name: type(form.editors[name]) for name in expected} == expected


@pytest.mark.parametrize("value", [1e-3, 5e-4, 1e-9, 0.1 + 0.2, 123456.789, 1.0])
def test_no_digit_of_a_number_is_lost(form, value):
    form.set_values({"learning_rate": value})
    assert form.editors["learning_rate"].value == value


def test_typed_numbers_keep_their_digits(form):
    form.editors["learning_rate"].native.setText("0.00012345")
    form.editors["sparsity"].native.setText("9.51e-1")
    assert form.config().learning_rate == 0.00012345
    assert form.values() == {"learning_rate": 0.00012345}  # 9.51e-1 is the default


def test_only_what_differs_is_returned(form, qtbot):
    with qtbot.waitSignal(form.changed):
        form.editors["models"].value = 3
    form.editors["hidden"].native.setText("8, 8")
    form.editors["test_fraction"].native.setText("0.3")
    assert form.values() == {"models": 3, "hidden": (8, 8), "test_fraction": 0.3}
    form.editors["test_fraction"].native.setText("")
    assert form.config().test_fraction is None


def test_reset_returns_to_the_defaults_and_to_what_the_form_began_with(qtbot):
    form = ConfigForm(settings.ClassifierConfig, fields=("models", "device"), preset={"device": "cpu"})
    qtbot.addWidget(form)
    form.set_values({"models": 3, "device": "cuda", "learning_rate": 0.5})
    form.reset_button.click()
    assert form.values() == {"device": "cpu"}


def test_the_papers_settings_are_one_click_away(qtbot):
    form = ConfigForm(settings.EncoderConfig, preset={"device": "cpu"})
    qtbot.addWidget(form)
    form.set_values({"texture": 3})
    with qtbot.waitSignal(form.changed):
        form.paper_button.click()
    assert form.config() == settings.EncoderConfig.from_values({"preset": "paper", "device": "cpu"})


def test_the_papers_settings_are_given_even_where_they_are_the_defaults(qtbot):
    # Scheme 1 makes 8 passes where the settings do not say how many; the paper's 100 are the default of the others.
    form = ConfigForm(settings.ClassifierConfig)
    qtbot.addWidget(form)
    assert "epochs" not in form.config().model_fields_set
    form.paper_button.click()
    assert form.config().for_scheme(1).epochs == 100
    form.reset_button.click()
    assert form.config().for_scheme(1).epochs == 16


def test_ranges_come_from_the_configuration(form, qtbot):
    models = form.editors["models"]
    assert (models.min, models.max) == (1, 1000)
    form = ConfigForm(settings.CropConfig)
    qtbot.addWidget(form)
    assert form.editors["size"].step == 16


def test_a_number_can_be_typed_digit_by_digit_and_counts_before_the_field_is_left(qtbot):
    form = ConfigForm(settings.CropConfig)
    qtbot.addWidget(form)
    form.show()
    line = form.editors["size"].native.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "96")  # 9 alone is below the smallest crop
    assert form.values() == {"size": 96}
    line.selectAll()
    qtbot.keyClicks(line, "9")
    with pytest.raises(SettingError, match="Crop size"):
        form.config()


@pytest.mark.parametrize("text", ["fast", "-1", ""])
def test_a_wrong_value_is_said_below_its_field_until_it_is_changed(form, text):
    form.editors["learning_rate"].native.setText(text)
    with pytest.raises(InputError, match="Learning rate"):
        form.config()
    assert "Learning rate" in form.error
    form.editors["learning_rate"].native.setText("0.01")
    assert form.error == ""
    form.config()


def test_an_error_in_a_hidden_setting_opens_its_section(form, qtbot):
    form.show()
    form.editors["dropout"].native.setText("2")
    assert not form.editors["dropout"].native.isVisible()
    with pytest.raises(InputError, match="Dropout"):
        form.config()
    assert form.editors["dropout"].native.isVisible()


def test_values_come_back_as_they_were_put_in(qtbot):
    form = ConfigForm(settings.ImportConfig)
    qtbot.addWidget(form)
    values = {
        "classes": {"metaphase": ["Metaphase", "Aligned"], "interphase": ["Interphase"]},
        "group_regex": r"m(\d+)",
    }
    form.set_values(values)
    assert form.values() == values
    form.set_values({})
    assert form.values() == {}


def test_a_channel_is_a_name_or_a_number(qtbot):
    form = ConfigForm(settings.CropConfig)
    qtbot.addWidget(form)
    for text, value in (("1", 1), ("H2B", "H2B"), ("", None)):
        form.editors["channel"].native.setText(text)
        assert form.config().channel == value


def test_names_of_classes_may_have_spaces(qtbot):
    form = ConfigForm(settings.LawConfig)
    qtbot.addWidget(form)
    form.set_values({"classes": ("late anaphase", "interphase")})
    assert form.config().classes == ("late anaphase", "interphase")


def test_a_value_that_no_longer_fits_is_shown_as_the_default(form):
    form.set_values({"models": 10**6, "hidden": (8,)})
    assert form.values() == {"hidden": (8,)}


def test_two_equal_classes_are_refused_in_words(qtbot):
    form = ConfigForm(settings.ClassifierConfig)
    qtbot.addWidget(form)
    form.editors["classes"].native.setText("interphase, interphase")
    with pytest.raises(InputError, match="the classes must differ"):
        form.config()
    assert form.error.endswith("the classes must differ.")


def test_the_wheel_does_not_change_a_setting_that_it_passes_over(form, qtbot):
    form.show()
    models = form.editors["models"]
    wheel = QWheelEvent(
        QPointF(2, 2), QPointF(2, 2), QPoint(0, 120), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(models.native, wheel)
    assert models.value == 10


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Give --frame-offset -10 (frame_offset=-10) where", 'Give "Advanced > Frame offset" -10 where'),
        ("or --frame-offset 0 to leave out", 'or "Advanced > Frame offset" 0 to leave out'),
        ("state it with --pixel-size (pixel_size=...).", 'state it with "Pixel size".'),
        ("exchange them (--swap-xy).", 'exchange them (tick "Advanced > Swap x and y").'),
        ("seem to be exchanged; give --swap-xy.", 'seem to be exchanged; tick "Advanced > Swap x and y".'),
        (
            "choose --z max, or --z 0 to --z 4.",
            'choose "Advanced > Z-stack" max, or "Advanced > Z-stack" 0 to "Advanced > Z-stack" 4.',
        ),
        ("give it (--set frame_interval=...).", 'give it ("Advanced > Frame interval").'),
        (
            "or --ids per-frame (ids='per-frame') to take",
            'or "Advanced > Numbers in masks" per-frame to take',
        ),
        (
            "The setting 'pixel_size' is 3, which is no 'pixel'; it must be below 'frame_offset'.",
            "The setting 'Pixel size' is 3, which is no 'pixel'; it must be below 'Frame offset'.",
        ),
        ("of a file --unheard-of by the form", "of a file --unheard-of by the form"),
    ],
)
def test_messages_name_the_fields_of_the_form(qtbot, said, read):
    main = ("size", "pixel_size")
    form = ConfigForm(
        settings.CropConfig,
        fields=main,
        advanced=[one for one in settings.CropConfig.model_fields if one not in main],
    )
    qtbot.addWidget(form)
    assert form.by_labels(said) == read


def test_choices_are_in_words_and_their_values_stay_those_of_the_configuration(qtbot):
    form = ConfigForm(settings.AttackConfig)
    qtbot.addWidget(form)
    box = form.editors["gradient_loss"].native
    assert [box.itemText(row) for row in range(box.count())] == ["cross-entropy (bce)", "hinge"]
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert form.values() == {"gradient_loss": "hinge"}
    crops = ConfigForm(settings.CropConfig, advanced=("ids",))
    qtbot.addWidget(crops)
    assert crops.by_labels("give --ids=linked") == 'give "Advanced > Numbers in masks" link by overlap'


def test_settings_out_of_use_are_hidden_and_not_returned(form, qtbot):
    form.editors["sparsity"].value = 0.5
    form.editors["models"].value = 3
    form.use({"models", "epochs"}, {"epochs": 16})
    form.show()
    assert form.editors["models"].native.isVisible()
    assert not form.editors["sparsity"].native.isVisible()
    assert form.editors["epochs"].value == 16
    assert form.values() == {"models": 3}
    form.editors["epochs"].value = 100  # the configuration's own default
    assert form.values() == {"models": 3, "epochs": 100}
    form.reset()
    assert form.editors["epochs"].value == 16
    form.use({"models", "sparsity", "epochs"}, {})
    assert form.editors["epochs"].value == 100


def test_settings_that_were_set_by_hand_come_back_after_the_papers(qtbot):
    form = ConfigForm(settings.ClassifierConfig)
    qtbot.addWidget(form)
    form.show()
    form.advanced.expand()
    form.editors["models"].value = 3
    form.editors["learning_rate"].native.setText("0.0123")
    by_hand = form.values()
    for button in (form.paper_button, form.reset_button):
        assert not form.undo_button.isVisible()
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert form.values() != by_hand
        qtbot.mouseClick(form.undo_button, Qt.MouseButton.LeftButton)
        assert form.values() == by_hand
    form.reset()
    qtbot.mouseClick(form.reset_button, Qt.MouseButton.LeftButton)
    assert not form.undo_button.isVisible()  # there is nothing to undo
