"""Commands that change held-out cells and measure how predicted classes respond: attack and interventions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from morpholaw.cli.options import CLASSIFIER, LOSS, SCHEME, STUDY, named_classifier
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.display import Loss
from morpholaw.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.study import Study


@click.command()
@STUDY
@SCHEME
@CLASSIFIER
@LOSS
@click.option(
    "--space",
    type=click.Choice(["image", "latent"]),
    default="image",
    show_default=True,
    help="Perturb the pixels or the latents.",
)
@click.option("--keep", default="", help="Latents to hold fixed: morphology, or names such as z3,z17.")
@click.option(
    "--eps",
    default="0,0.05,0.1,0.15,0.2,0.25",
    show_default=True,
    help="Magnitudes of the perturbation, separated by commas.",
)
@click.option(
    "--towards", metavar="CLASS", help="Attack towards this class instead of away from the cell's own."
)
@click.option(
    "--pairs", is_flag=True, help="Attack towards each class, and report the success per pair of classes."
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder for the table and the figure."
)
def attack(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: str,
    space: str,
    keep: str,
    eps: str,
    towards: str | None,
    pairs: bool,
    out: Path,
) -> None:
    """Measure accuracy under fast gradient sign attacks (FGSM), as a table and a figure.

    An attack changes every pixel or latent of a cell by EPS, up or down, so as to increase the loss most.
    """
    from morpholaw.cells.files import write_table
    from morpholaw.escape import file_name
    from morpholaw.store.classifier_record import name_of

    try:
        magnitudes = tuple(float(part) for part in eps.split(","))
    except ValueError:
        raise InputError(f"--eps {eps!r} is not a list of numbers such as 0.1,0.2.") from None
    classifier = named_classifier(scheme, name, "is attacked")
    if towards == "":
        raise InputError("--towards needs the name of a class.")
    if pairs and towards:
        raise InputError("--pairs moves cells towards every class; leave out --towards.")
    settings: dict[str, Any] = {"loss": loss, "space": space, "keep": keep, "eps": magnitudes}
    settings |= {"name": classifier} if isinstance(classifier, str) else {"scheme": classifier}
    suffix = "-".join(part.strip().replace(" ", "_") for part in keep.split(",") if part.strip())
    attacked = name or f"scheme{scheme}{'-mse' if scheme == 4 and loss == 'mse' else ''}"
    file = f"{file_name(attacked, 'classifier')}-{space}{suffix and '-keep-' + suffix}"
    if pairs:
        with progress() as monitor:
            table = open_study(study).attack_pairs(monitor=monitor, **settings)
        write_table(out / f"{file}-pairs.csv", table)
        largest, matrix = _pairs_figure(table, out / f"{file}-pairs.png")
        click.echo(
            f"Cells of each class (rows) that are called another (columns) after an attack towards it of eps = "
            f"{largest:g}, in %:"
        )
        click.echo((100 * matrix).round(1).to_string(na_rep=""))
        click.echo(f"Split {table['split'].iloc[0]}. The table and the figure are in {out}.")
        return
    opened = open_study(study)
    with progress() as monitor:
        table = opened.attack(towards=towards or "", monitor=monitor, **settings)
    if towards:
        file += f"-towards-{file_name(towards, 'class')}"
    write_table(out / f"{file}.csv", table)
    _attack_figure(table, out / f"{file}.png")
    for sentence in _attack_text(table, opened, name or name_of(int(classifier), loss)):
        click.echo(sentence)
    click.echo(f"Split {table['split'].iloc[0]}. The table and the figure are in {out}.")


@click.command()
@STUDY
@click.option(
    "--scheme", type=click.IntRange(1, 4), help="Scheme to measure. Default: all classifiers of the study."
)
@CLASSIFIER
@LOSS
@click.option(
    "--cells", type=click.IntRange(4), default=1000, show_default=True, help="Maximum number of test cells."
)
@click.option("--out", type=click.Path(path_type=Path), help="CSV file for the table.")
def interventions(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: Loss,
    cells: int,
    out: Path | None,
) -> None:
    """Measure how predicted classes change when the surroundings, position or orientation of test cells change."""
    from morpholaw.cells.files import write_table
    from morpholaw.display import counted, percent_interval
    from morpholaw.study import Study
    from morpholaw.study.intervention_step import verdicts

    classifier = name or scheme
    schemes = () if classifier is None else (classifier,)
    with progress() as monitor:
        table = Study(study).interventions(schemes, loss=loss, cells=cells, monitor=monitor)
    sentences = verdicts(table)
    for name_measured, rows in table.groupby("classifier", sort=False):
        first = rows.iloc[0]
        click.echo(
            f"{name_measured}, {counted(first['cells'], 'test cell')} of {counted(first['groups'], 'group')}, "
            f"split {first['split']}"
        )
        click.echo(f"  {'':58}  {'balanced accuracy':22}  predicted classes that change")
        for row in rows.to_dict("records"):
            shares = [
                percent_interval(row[key], row[f"{key}_low"], row[f"{key}_high"])
                for key in ("balanced_accuracy", "flips")
            ]
            changed = "" if row["intervention"] == "none" else shares[1]
            click.echo(f"  {row['meaning']:58}  {shares[0]:22}  {changed}".rstrip())
        click.echo(sentences[str(name_measured)])
    if out is not None:
        write_table(out, table)
        click.echo(f"The table is {out}.")


EPS = {
    "image": "change of each pixel, on the grey scale of the crops from 0 to 1",
    "latent": "change of each latent; latents vary by about 1 from cell to cell",
}
"""Meaning of eps in each space."""


def _attack_text(table: pd.DataFrame, study: Study, name: str) -> Iterator[str]:
    """Yield the accuracies under attack in %, and what they have to be compared with."""
    import numpy as np
    import pandas as pd

    from morpholaw.display import classifier_title, counted, percent, spread
    from morpholaw.store import classifiers

    classes, (_, targets) = classifiers.record(study, name).classes, study.held_out(name)
    counts = np.bincount(targets, minlength=len(classes))
    of_laws = table["scheme"].iloc[0] == 4
    models = counted(table["model"].nunique(), "law" if of_laws else "model")
    yield (
        f"{classifier_title(name)}: accuracy in % on {counted(len(targets), 'held-out cell')}, mean ± standard "
        f"deviation over {models}"
    )
    towards = table["towards"].iloc[0] if "towards" in table else ""
    rows_of_eps = list(table.groupby("eps"))
    columns = {
        "eps": [f"{eps:g}" for eps, _ in rows_of_eps],
        "attacked": [spread(100 * rows["accuracy"], 1) for _, rows in rows_of_eps],
    }
    if of_laws:
        columns["attacked, law 1"] = [f"{100 * rows['accuracy'].iloc[0]:.1f}" for _, rows in rows_of_eps]
    columns["random signs"] = [f"{100 * rows['random_signs'].mean():.1f}" for _, rows in rows_of_eps]
    if towards:
        called = [f"{100 * rows['success'].mean():.1f}" for _, rows in rows_of_eps]
        columns[f"other cells called {towards}"] = called
    yield pd.DataFrame(columns).to_string(index=False, col_space=8)
    yield f"eps: {EPS[table['space'].iloc[0]]}."
    yield (
        f"{percent(counts.max() / counts.sum())} of the cells are {classes[counts.argmax()]}, which is the accuracy if "
        "this class is always predicted."
    )
    if (inside := table["energy_inside"].dropna()).size:
        area = table["nucleus_area"].mean()
        yield (
            f"Where attacks succeed, {percent(inside.mean(), 0)} of the gradient's energy is inside the nucleus, which "
            f"covers {percent(area, 0)} of the crop."
        )


def _pairs_figure(table: Any, path: Path) -> tuple[float, Any]:
    """Draw the success for each pair of classes at the largest eps; return this eps and the matrix."""
    from morpholaw.cells.files import atomic_file
    from morpholaw.figures.attacks import attack_matrix

    eps = float(table["eps"].max())
    classes = list(dict.fromkeys(table["class"]))
    rows = table[table["eps"] == eps]
    matrix = rows.pivot(index="class", columns="towards", values="success").reindex(
        index=classes, columns=classes
    )
    figure = attack_matrix(matrix.to_numpy(), classes, eps=eps, space=table["space"].iloc[0])
    with atomic_file(path) as stream:
        figure.savefig(stream, format="png", dpi=150)
    return eps, matrix


def _attack_figure(table: Any, path: Path) -> None:
    import numpy as np

    from morpholaw.cells.files import atomic_file
    from morpholaw.figures.attacks import attack_curves

    eps = np.unique(table["eps"])
    accuracy, control = (
        table.pivot(index="model", columns="eps", values=column).to_numpy()
        for column in ("accuracy", "random_signs")
    )
    figure = attack_curves(
        eps,
        accuracy[None],
        schemes=(int(table["scheme"].iloc[0]),),
        control=control[None],
        space=table["space"].iloc[0],
    )
    with atomic_file(path) as stream:
        figure.savefig(stream, format="png", dpi=150)
