"""Commands that change held-out cells and see what becomes of their classes: attack and interventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from morpholaw.cli.options import LOSS, STUDY
from morpholaw.cli.progress_bar import progress
from morpholaw.cli.study import open_study
from morpholaw.errors import InputError


@click.command()
@STUDY
@click.option("--scheme", type=click.IntRange(1, 4))
@click.option("--name", default="", help="A classifier by its name, in place of --scheme.")
@LOSS
@click.option("--space", type=click.Choice(["image", "latent"]), default="image", show_default=True)
@click.option("--keep", default="", help="Latents held fixed: morphology, or names such as z3,z17.")
@click.option(
    "--eps", default="0,0.05,0.1,0.15,0.2,0.25", show_default=True, help="Magnitudes, comma-separated."
)
@click.option("--towards", metavar="CLASS", help="Move cells towards a class.")
@click.option(
    "--pairs", is_flag=True, help="Move cells towards each class: success for each pair of classes."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A folder for the curve.")
def attack(
    study: Path,
    scheme: int | None,
    name: str,
    loss: str,
    space: str,
    keep: str,
    eps: str,
    towards: str | None,
    pairs: bool,
    out: Path,
) -> None:
    """Accuracy under fast gradient sign attacks: a table and a figure."""
    from morpholaw.cells.files import write_table
    from morpholaw.escape import file_name

    try:
        magnitudes = tuple(float(part) for part in eps.split(","))
    except ValueError:
        raise InputError(f"--eps {eps!r} is not a list of numbers such as 0.1,0.2.") from None
    if (scheme is None) == (not name):
        raise InputError("Give --scheme or --name, to say which classifier is attacked.")
    if towards == "":
        raise InputError("--towards needs the name of a class.")
    if pairs and towards:
        raise InputError("--pairs moves cells towards every class; leave out --towards.")
    settings: dict[str, Any] = {"loss": loss, "space": space, "keep": keep, "eps": magnitudes}
    settings |= {"name": name} if scheme is None else {"scheme": scheme}
    held = "-".join(part.strip().replace(" ", "_") for part in keep.split(",") if part.strip())
    attacked = name or f"scheme{scheme}{'-mse' if scheme == 4 and loss == 'mse' else ''}"
    file = f"{file_name(attacked, 'classifier')}-{space}{held and '-keep-' + held}"
    if pairs:
        with progress() as monitor:
            table = open_study(study).attack_pairs(monitor=monitor, **settings)
        write_table(out / f"{file}-pairs.csv", table)
        shown = _pairs_figure(table, out / f"{file}-pairs.png")
        click.echo(
            f"Share of each class (rows) taken for another after an attack towards it, in %, at {shown[0]:g}:"
        )
        click.echo((100 * shown[1]).round(1).to_string(na_rep=""))
        click.echo(f"Split {table['split'].iloc[0]}. The table and the figure are in {out}.")
        return
    with progress() as monitor:
        table = open_study(study).attack(towards=towards or "", monitor=monitor, **settings)
    if towards:
        file += f"-towards-{file_name(towards, 'class')}"
    write_table(out / f"{file}.csv", table)
    _attack_figure(table, out / f"{file}.png")
    by_eps = table.groupby("eps")
    shown = by_eps["accuracy"].agg(["mean", "std"]).assign(random_signs=by_eps["random_signs"].mean())
    if towards:
        shown["success"] = by_eps["success"].mean()
    if table["energy_inside"].notna().any():
        shown = shown.join(by_eps[["energy_inside", "nucleus_area"]].mean())
    click.echo(shown.round(4).to_string())
    click.echo(f"Split {table['split'].iloc[0]}. The table and the figure are in {out}.")


@click.command()
@STUDY
@click.option("--scheme", type=click.IntRange(1, 4), help="Left out: all classifiers of the study.")
@click.option("--name", help="A classifier by the name that it was trained under, in place of --scheme.")
@LOSS
@click.option("--cells", type=click.IntRange(4), default=1000, show_default=True, help="Test cells, at most.")
@click.option("--out", type=click.Path(path_type=Path), help="The table, CSV.")
def interventions(
    study: Path,
    scheme: int | None,
    name: str | None,
    loss: Literal["hinge", "mse"],
    cells: int,
    out: Path | None,
) -> None:
    """Put held-out cells into other surroundings, shift and turn them: how many calls change."""
    from morpholaw.cells.files import write_table
    from morpholaw.display import percent_interval
    from morpholaw.study import Study
    from morpholaw.study.intervention_step import verdicts

    with progress() as monitor:
        chosen = name or scheme
        table = Study(study).interventions(
            () if chosen is None else (chosen,), loss=loss, cells=cells, monitor=monitor
        )
    sentences = verdicts(table)
    for classifier, rows in table.groupby("classifier", sort=False):
        first = rows.iloc[0]
        click.echo(
            f"{classifier}, {first['cells']} test cells of {first['groups']} groups, split {first['split']}"
        )
        click.echo(f"  {'':58}  {'balanced accuracy':22}  predicted classes that change")
        for row in rows.to_dict("records"):
            shares = [
                percent_interval(row[key], row[f"{key}_low"], row[f"{key}_high"])
                for key in ("balanced_accuracy", "flips")
            ]
            click.echo(f"  {row['meaning']:58}  {shares[0]:22}  {shares[1]}")
        click.echo(sentences[str(classifier)])
    if out is not None:
        write_table(out, table)
        click.echo(f"The table is {out}.")


def _pairs_figure(table: Any, path: Path) -> tuple[float, Any]:
    """Draw the success of each pair of classes at the largest eps; return that eps, and the matrix as a table."""
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
