import math

from morpholaw.display import (
    classifier_title,
    correlation,
    counted,
    in_print,
    number,
    p_value,
    percent,
    percent_interval,
    scheme_models,
    scheme_short,
    scheme_title,
    significant,
    spread,
)


def test_numbers_have_a_true_minus_and_no_sign_at_zero():
    assert number(-1.234) == "−1.23"
    assert number(-0.001) == number(0.001, sign=True) == "0.00"
    assert number(0.5, 1, sign=True) == "+0.5"
    assert number(math.nan) == number(math.inf) == significant(math.nan) == "n/a"
    assert significant(-12345.6) == "−12,300"
    assert (significant(1.2345e7), significant(1.2e-5)) == ("1.23e+07", "1.2e−05")


def test_one_of_a_thing_is_not_in_the_plural():
    assert [counted(count, "node") for count in (0, 1, 2, 1200)] == [
        "0 nodes",
        "1 node",
        "2 nodes",
        "1,200 nodes",
    ]


def test_only_a_perfect_correlation_is_displayed_as_one():
    assert correlation(0.95) == "0.95"
    assert correlation(0.999) == "0.99"
    assert correlation(-0.996, sign=True) == "−0.99"
    assert correlation(1.0, sign=True) == "+1.00"


def test_shares_are_in_per_cent_with_their_interval():
    assert percent(0.97) == "97.0 %"
    assert percent(0.0) == "0.0 %"
    assert percent(0.0001) == "less than 0.1 %"
    assert percent(0.003, 0) == "less than 1 %"
    assert percent(0.9996) == "more than 99.9 %"
    assert (percent(1.0), percent(0.9994)) == ("100.0 %", "99.9 %")
    assert percent(math.nan) == "n/a"
    assert percent_interval(0.97, 0.951, 0.982) == "97.0 % (95.1 to 98.2)"
    assert percent_interval(0.9996, 0.996, 1.0) == "more than 99.9 % (99.6 to 100.0)"


def test_formulas_are_printed_as_in_a_book():
    assert in_print("axis_ratio - 2 * width >= -16.1") == "axis_ratio − 2 width ≥ −16.1"


def test_verbs_agree_with_their_number():
    assert counted(1, "track has", "tracks have") == "1 track has"
    assert counted(1200, "track has", "tracks have") == "1,200 tracks have"


def test_small_p_values_are_bounded():
    assert p_value(0.0312) == "p = 0.031"
    assert p_value(1e-9) == "p < 0.001"


def test_spread_is_left_out_where_all_values_agree():
    assert spread([1040, 1040]) == "1040"
    assert spread([99.0, 100.0], 1) == "99.5 ± 0.7"
    assert spread([]) == "n/a"


def test_schemes_are_named_alike_everywhere():
    assert scheme_title(4, "hinge") == "scheme 4: law (hinge)"
    assert scheme_models(2) == "β-TCVAE + dense head"
    assert (scheme_short(3), scheme_short(4, "mse")) == ("3 sparse", "4 mse")
    assert classifier_title("scheme4-hinge") == "Scheme 4, hinge"
    assert (classifier_title("scheme2"), classifier_title("laws-both")) == ("Scheme 2", "laws-both")
