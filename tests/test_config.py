import pytest

from morpholaw.config import AttackConfig, ClassifierConfig, EncoderConfig, LawConfig, TuneConfig
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


@pytest.mark.parametrize("kind", [EncoderConfig, ClassifierConfig, TuneConfig, LawConfig])
def test_the_papers_preset_changes_every_setting_that_it_names(kind):
    paper, usual = kind.from_values({"preset": "paper"}), kind()
    assert kind.PAPER
    for name in kind.PAPER:
        assert name in paper.model_fields_set
        if (kind, name) != (
            ClassifierConfig,
            "epochs",
        ):  # as many as the heads have; scheme 1 has fewer if unset
            assert getattr(paper, name) != getattr(usual, name)


def test_the_papers_preset_is_the_paper():
    encoder = EncoderConfig.from_values({"preset": "paper"})
    assert (encoder.latents, encoder.filters, encoder.hidden) == (32, (8, 16, 32, 64), 256)
    assert (encoder.epochs, encoder.batch_size, encoder.learning_rate) == (5, 256, 5e-4)
    assert (encoder.texture, encoder.symmetry, encoder.edge_weight, encoder.start_from) == (
        0,
        False,
        1,
        "none",
    )
    heads = ClassifierConfig.from_values({"preset": "paper"})
    assert (heads.models, heads.epochs, heads.batch_size, heads.dropout, heads.warmup_epochs) == (
        10,
        100,
        64,
        0.3,
        20,
    )
    assert (heads.sparsity, heads.update_every, heads.update_fraction) == (0.951, 115, 0.758)
    assert heads.patience == 0
    assert (heads.sparse_method, heads.latent_noise, heads.test_fraction) == ("paper", 0, 0.1)
    law = LawConfig.from_values({"preset": "paper"})
    assert (law.count, law.max_complexity, law.parsimony, law.distillation) == (10, 20, 0.001, "raw")


def test_a_setting_that_is_given_takes_precedence_over_the_preset():
    assert EncoderConfig.from_values({"preset": "paper", "texture": 3}).texture == 3
    assert EncoderConfig.from_values({"preset": None}) == EncoderConfig()
    with pytest.raises(SettingError, match="no preset 'papers'; there is 'paper'"):
        EncoderConfig.from_values({"preset": "papers"})


def test_the_settings_of_a_scheme_are_those_whose_descriptions_name_it():
    schemes = {"Scheme 1:": {1}, "Scheme 3:": {3}, "Schemes 2 and 3:": {2, 3}, "Schemes 2 to 4": {2, 3, 4}}
    used = {scheme: ClassifierConfig.used_by(scheme) for scheme in (1, 2, 3, 4)}
    assert frozenset().union(*used.values()) == set(ClassifierConfig.model_fields)
    for name, field in ClassifierConfig.model_fields.items():
        named = [these for words, these in schemes.items() if field.description.startswith(words)]
        assert all({scheme for scheme in used if name in used[scheme]} == these for these in named), name
