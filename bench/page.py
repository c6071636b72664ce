"""The figures as text, as the page docs/performance.md, and as plots beside it."""

import json
import re
import sys
from pathlib import Path


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.3g}"


def cells(row):
    peers = ", ".join(f"{who} {number(value)}" for who, value in row["peers"].items())
    ratio = f"{row['ratio']:.2f} ×" if "ratio" in row else ""
    met = {True: "yes", False: "**no**", None: ""}[row["met"]]
    return [row["name"], number(row["ours"]), peers, ratio, row["goal"] or "", met]


HEADINGS = ["measure", "ours", "others", "ratio", "goal", "met"]


def as_text(figures):
    table = [HEADINGS, *map(cells, figures["rows"])]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
    return "\n".join([*lines, "", f"library SHA-256 {figures['library_sha256']}"])


def as_markdown(figures):
    lines = [HEADINGS, ["---"] * len(HEADINGS), *map(cells, figures["rows"])]
    note = (f"Measured on {figures['date']}, medians of {figures['rounds']} rounds, with the library whose SHA-256 is\n"
            f"`{figures['library_sha256']}`.")
    return note + "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def write(docs: Path, figures):
    template = Path(__file__).with_name("performance.md.in").read_text()
    (docs / "performance.md").write_text(template.replace("@TABLE@", as_markdown(figures)))
    plot(docs, figures)


def plot(docs, figures):
    import matplotlib

    matplotlib.use("svg")
    # The same figures make the same file.
    matplotlib.rcParams.update({"svg.hashsalt": "arr-session", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    rows = {row["name"]: row for row in figures["rows"]}
    calls = rows["properties call: instructions"]
    names = ["ours", *calls["peers"]]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
    left.barh(names, [value / 1000 for value in (calls["ours"], *calls["peers"].values())], color=["#2f6fb3"] + ["#b5b5b5"] * 3)
    left.invert_yaxis()
    left.set_title("A properties call: thousand instructions")
    journal = [row for row in figures["rows"] if row["name"].startswith("create with a journal of")]
    right.bar([re.search(r"of ([\d,]+)", row["name"])[1] for row in journal], [row["ours"] for row in journal], color="#2f6fb3")
    right.axhline(100, color="#b04040", linestyle="--", linewidth=1)
    right.set_title("A create: µs of CPU for a journal of so many sessions")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(docs / "performance.svg", metadata={"Date": None})


if __name__ == "__main__":
    write(Path(sys.argv[2]), json.loads(Path(sys.argv[1]).read_text()))
