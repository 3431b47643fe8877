import pytest

from morpholaw.config import AttackConfig, ClassifierConfig, EncoderConfig, LawConfig
from morpholaw.errors import InputError, SettingError


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(InputError, match="no setting 'epoch' here"):
        EncoderConfig.from_values({"epoch": 3})


def test_a_value_out_of_range_is_one_sentence():
    with pytest.raises(InputError, match="'learning_rate' cannot be -1"):
        EncoderConfig.from_values({"learning_rate": -1})


def test_text_from_the_command_line_becomes_numbers():
    assert EncoderConfig.from_values({"epochs": "3", "beta": "2.5"}).beta == 2.5


def test_settings_survive_json():
    config = ClassifierConfig(models=3, hidden=(8, 8))
    assert ClassifierConfig.model_validate_json(config.model_dump_json()) == config


def test_classes_must_differ_and_be_two_or_more():
    with pytest.raises(InputError, match=r"'classes' cannot be .*: the classes must differ"):
        ClassifierConfig.from_values({"classes": ("a", "b", "a")})
    with pytest.raises(InputError, match="two classes or more"):
        ClassifierConfig.from_values({"classes": "a"})


def test_classes_are_read_from_one_text():
    assert ClassifierConfig.from_values({"classes": "late anaphase, b,c"}).classes == (
        "late anaphase",
        "b",
        "c",
    )


def test_settings_of_version_0_1_name_two_classes_by_their_sign():
    assert ClassifierConfig.from_values({"positive": "late"}).classes == ("interphase", "late")
    assert ClassifierConfig.from_values({"negative": "a", "positive": "b"}).classes == ("a", "b")


def test_help_shows_every_setting_with_its_default():
    for kind in (EncoderConfig, ClassifierConfig):
        for name, field in kind.model_fields.items():
            assert f"\n{name} : " in kind.__doc__
            assert field.description.split()[0] in kind.__doc__
    assert "learning_rate : float, default 0.0005" in EncoderConfig.__doc__


def test_several_values_are_read_from_one_text():
    assert LawConfig.from_values({"latents": "1, 3,17"}).latents == (1, 3, 17)
    assert AttackConfig.from_values({"eps": "0,0.1"}).eps == (0.0, 0.1)
    with pytest.raises(SettingError, match="latents"):
        LawConfig.from_values({"latents": "1,x"})
