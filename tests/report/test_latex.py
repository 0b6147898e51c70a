"""LaTeX: what is printed is what was meant, whatever the names are, and it compiles."""

import re
import shutil
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harbench.report.latex import escaped, latex, latex_document, latex_snippets, unprintable
from harbench.report.table import comparison_table
from harbench.report.tabular import Column, Table, Value
from toys.drawn_store import HOSTILE, drawn_store
from toys.thorough import examples

SPECIALS = (
    r"\ & % $ # _ { } ~ ^ < > | ` ' [x] * "
    + '"'
    + r" \input{/etc/passwd} \write18{ls} %\end{table}"
)


def assert_balanced(text):
    """Braces, environments, and as many cells in each line of a tabular as it has columns."""
    bare = re.sub(r"(?m)(?<!\\)%.*$", "", text).replace(r"\\", "")
    bare = bare.replace(r"\{", "").replace(r"\}", "")
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"(?<!\\)\$", bare)) % 2 == 0
    stack = []
    for verb, name in re.findall(r"\\(begin|end)\{(\w+)\}", bare):
        if verb == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    for spec, body in re.findall(
        r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}\n(.*?)\\end\{tabular\}", text, re.DOTALL
    ):
        for line in body.splitlines():
            if line.endswith(r"\\"):
                spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                assert len(re.findall(r"(?<!\\)&", line)) + spans == len(spec) - 1


def hostile_table():
    """Hostile text in every place that plugins and data can reach."""
    table = Table(
        SPECIALS, SPECIALS, [SPECIALS, HOSTILE[3]], [], [], [SPECIALS, "n" * 500, HOSTILE[4]],
        missing=SPECIALS,
    )  # fmt: skip
    table.columns = [
        Column("row", "Model"), Column("nf", SPECIALS, 0, (1,)), Column("a", "printed\nNF"),
        Column("b", "printed\n" + HOSTILE[0]), Column("c", "Window\n/ step"),
    ]  # fmt: skip
    for name in (*HOSTILE, SPECIALS, "[5pt]", "*", "--", "?`!`,,''<<>>"):
        values = {c.key: Value(name, (1, 2), best=c.key == "nf") for c in table.columns}
        table.rows.append(values)
    return table


def drawn_table(tmp_path):
    store = drawn_store(tmp_path, {"top": 0.9, "near": 0.899, "far": 0.5})
    return comparison_table(store, "toys")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("100 % & more_1", r"100 \% \& more\_1"),
        ("89.2 ± 0.5", r"89.2 $\pm$ 0.5"),
        ("Ordóñez and Şahin", "Ordóñez and Şahin"),
        ("α ≤ Ω, λ", r"$\alpha$ $\leq$ $\Omega$, $\lambda$"),
        ("a--b", "a-{}-b"),
        ("---", "-{}-{}-"),
        ("?`", r"?{}\textasciigrave{}"),
        ("[5pt]*", "{[}5pt{]}{*}"),
        ("a\n\nb\tc", "a b c"),
        ("\u202egnp.\u202c", "gnp."),
        ("model 🦑🛰️ x", "model {[}?{]} x"),
        ("שלום", "{[}?{]}"),
        ("ｆｕｌｌ ½", "full 1/2"),
        ("\\def", r"\textbackslash{}def"),
    ],
)
def test_escaped(text, shown):
    assert escaped(text) == shown


@settings(max_examples=examples(150), deadline=None)
@given(st.text(max_size=60))
@example(SPECIALS)
@example("\ufdd0{")
def test_any_text_becomes_harmless(text):
    found = escaped(text)
    assert_balanced(found)
    assert "\n" not in found
    commands = set(re.findall(r"\\([A-Za-z]+|.)", found))
    assert not commands & {"input", "write", "def", "begin", "end", "include", "csname", "catcode"}
    assert all(ord(c) < 0x250 for c in found)


def test_what_was_replaced_is_said():
    table = Table("t", "a 🦑", [], [Column("row", "Model")], [{"row": Value("שׁ")}], [])
    assert unprintable("a 🦑") == ["🦑"]
    assert "% [?] stands for characters that pdflatex has no letter for: U+05E9 U+1F991\n" in latex(
        table
    )
    assert "[?]" not in latex(Table("t", "a", [], [Column("row", "Model")], [], []))


def test_best_and_ties_are_marked_and_the_marks_explained(tmp_path):
    table = drawn_table(tmp_path)
    best = next(r["row"] for r in table.records if r["nf_standing"] == "best")
    tied = next(r["row"] for r in table.records if r["nf_standing"] == "tied")
    text = latex(table)
    lines = {line.split(" ")[0]: line for line in text.splitlines() if line.endswith(r"\\")}
    assert re.search(r"\\textbf\{\d\d\.\d \$\\pm\$ \d\.\d\}", lines[best])
    assert re.search(r"\\underline\{\d\d\.\d \$\\pm\$ \d\.\d\}\\textsuperscript", lines[tied])
    assert "underline" not in lines["far"] and "textbf" not in lines["far"]
    assert "Bold: the best of its column; underlined: not told apart from it." in text


def test_every_mark_has_its_note_and_every_note_its_mark(tmp_path):
    text = latex(drawn_table(tmp_path))
    body, _, below = text.partition(r"\end{tabular}")
    marks = {n for m in re.findall(r"\\textsuperscript\{([\d,]+)\}", body) for n in m.split(",")}
    notes = re.findall(r"^\\textsuperscript\{(\d+)\}~\S", below, re.MULTILINE)
    assert notes == sorted(notes, key=int) and marks == set(notes)


def test_columns_that_share_a_head_stand_under_it_once():
    columns = [Column("row", "Model"), Column("a", "printed\nNF"), Column("b", "printed\nFLOPs")]
    table = Table("t", "T", [], columns, [{c.key: Value("1") for c in columns}], [])
    assert (
        "\n & \\multicolumn{2}{c}{printed} \\\\\n\\cmidrule(l){2-3}\nModel & NF & FLOPs \\\\\n"
        in latex(table)
    )


def test_long_notes_may_go_on_to_the_next_page():
    table = Table("t", "T", [], [Column("row", "Model")], [], ["n " * 450, "m " * 450])
    text = latex(table)
    assert text.index(r"\end{table}") < text.index("n n n")
    assert_balanced(text)


def test_packages_are_listed_and_no_others_are_needed(tmp_path):
    table = drawn_table(tmp_path)
    text = latex(table)
    listed = re.findall(r"^% \\usepackage(?:\[\w+\])?\{(\w+)\}", text, re.MULTILINE)
    assert listed == ["booktabs", "fontenc", "inputenc"]
    assert r"\usepackage" not in re.sub(r"(?m)^%.*\n", "", text)
    assert latex_snippets([table, table]) == f"{text}\n{text}"
    assert latex_document([table]).startswith(r"\documentclass")


@pytest.mark.parametrize("which", ["hostile", "plain"])
def test_it_is_balanced_and_compiles_where_there_is_a_tex(which, tmp_path):
    table = hostile_table() if which == "hostile" else drawn_table(tmp_path)
    document = latex_document([table, table])
    assert_balanced(latex(table))
    assert_balanced(document)
    if shutil.which("pdflatex") is None:
        return
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    # As an author does it, too: the snippet by its name, after the packages of its comment.
    (tmp_path / "snippet.tex").write_text(latex(table), encoding="utf-8")
    packages = "\n".join(re.findall(r"^% (\\usepackage.*)$", latex(table), re.MULTILINE))
    (tmp_path / "s.tex").write_text(
        f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\n\\input{{snippet}}\n"
        "\\end{document}\n"
    )
    for name in ("t", "s"):
        ended = subprocess.run(
            ["pdflatex", "-halt-on-error", "-no-shell-escape", f"{name}.tex"],
            stdin=subprocess.DEVNULL, cwd=tmp_path, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout.decode("latin-1")[-3000:]
        assert (tmp_path / f"{name}.pdf").stat().st_size > 10_000
        log = (tmp_path / f"{name}.log").read_text(encoding="latin-1")
        assert "LaTeX Warning: Reference" not in log and "Missing character" not in log


def test_standalone_is_for_latex_alone(tmp_path, monkeypatch, capsys):
    from harbench.cli import main

    monkeypatch.chdir(tmp_path)
    drawn_store(tmp_path / "results", {"top": 0.9, "far": 0.5}, seeds=2)
    for form, code in (("latex", 0), ("csv", 2)):
        with pytest.raises(SystemExit) as ended:
            main(["table", "--standalone", "--format", form])
        assert (ended.value.code or 0) == code
        said = capsys.readouterr()
        if code == 0:
            assert said.out.startswith(r"\documentclass") and said.out.endswith("\\end{document}\n")
        else:
            assert said.out == "" and "only LaTeX stands in a document of its own" in said.err
