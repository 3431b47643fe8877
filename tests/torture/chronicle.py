"""The figures of a torture as the page docs/reliability.md keeps between two marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures of make torture -->", "<!-- end of figures -->"


def failures_of(results: dict[str, Any]) -> list[str]:
    """All failures of all parts."""
    found = []
    for part, values in results.items():
        if isinstance(values, dict):
            nested = values.values() if part == "fuzz" and "failures" not in values else [values]
            found += [f"{part}: {failure}" for one in nested for failure in one.get("failures", [])]
    return found


def tables(results: dict[str, Any]) -> str:
    """Markdown tables of what was done."""
    failures = failures_of(results)
    lines = [
        f"`make torture MINUTES={results['minutes']:g} SEED={results['seed']}`: **{len(failures)} failures**.",
        "",
        *[f"- {failure[:300]}" for failure in failures],
        *([""] if failures else []),
        "| test | count |",
        "|---|---:|",
    ]
    if steps := results["crashes"].get("steps"):
        lines += [
            f"| kills | {results['crashes']['kills']} |",
            f"| killed runs that were then resumed | {results['crashes']['resumes']} |",
        ]
        lines += [
            f"| kills of {name} (of {results['crashes']['operations'][name]} operations) | {n} |"
            for name, n in steps.items()
        ]
    environment = results["environment"]
    for name in ("full", "read-only", "deleted"):
        if name in environment:
            lines.append(
                f"| steps on a {name} {'disk' if name == 'full' else 'study'} | {environment[name]} |"
            )
    hostile = results["hostile"]
    if "refused" in hostile:
        lines.append(f"| hostile files refused | {hostile['refused']} |")
        lines.append(f"| odd but harmless files read | {hostile['read']} |")
    if "lost" in (annotated := results["annotators"]):
        lines.append(
            f"| labels saved at once by {annotated['annotators']} annotators, "
            f"{annotated['killed']} of whom were killed | {annotated['labels']} |"
        )
        lines.append(f"| ... of which were lost | {annotated['lost']} |")
    if "killed" in (led := results["leaders"]):
        lines.append(f"| law searches whose main process was killed | {led['killed']} |")
        lines.append(f"| ... longest time until this was reported, s | {led['slowest']:.1f} |")
    if "names" in results["names"]:
        lines.append(f"| hostile names | {results['names']['names']} |")
    if "reports" in (opened := results.get("reports", {})):
        browser = (
            f"{Path(opened['browser']).name}" if opened["browser"] else "a browser, which this machine lacks"
        )
        lines.append(f"| reports of studies with hostile names, opened in {browser} | {opened['reports']} |")
    if "cycles" in results["cycles"]:
        cycles = results["cycles"]
        lines.append(
            "| open-close cycles of a panel, of which with a training in a child process "
            f"| {cycles['cycles']}, {cycles['trained']} |"
        )
        for name in ("children", "threads", "files"):
            label = {"children": "child processes", "threads": "threads", "files": "open files"}[name]
            lines.append(
                f"| {label} before and after the cycles | {cycles['before'][name]}, {cycles['after'][name]} |"
            )
        megabytes = f"{cycles['before']['megabytes']:.0f}, {cycles['after']['megabytes']:.0f}"
        lines.append(f"| memory before and after the cycles, MB | {megabytes} |")
    if "steps" in results["memory"]:
        memory = results["memory"]
        lines.append(f"| steps of one training | {memory['steps']:,} |")
        lines.append(
            f"| ... growth of its memory, MB per 1000 steps | {memory['megabytes_per_1000_steps']:+.3f} |"
        )
    if "failures" not in results["fuzz"]:
        lines += [
            "",
            "| reader | randomly changed files | refused | read | slowest, s | peak memory, MB | failures |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for name, one in results["fuzz"].items():
            lines.append(
                f"| {name} | {one['files']} | {one['refused']} | {one['read']} | {one['slowest']:.1f} "
                f"| {one['memory'] >> 20} | {len(one['failures'])} |"
            )
        total = sum(one["files"] for one in results["fuzz"].values())
        lines.append(f"| all | {total} | | | | | |")
    return "\n".join(lines)


def write(results: dict[str, Any], path: Path) -> None:
    """Put the tables between the marks of the page at ``path``."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{tables(results)}\n{END}{after}", encoding="utf-8")
