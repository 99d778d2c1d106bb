"""Code in the lessons' text: every block is run, every inline name exists, every line is Python."""

from __future__ import annotations

import ast
import builtins
import keyword
import math
import re
import textwrap
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jupytext
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms import v2

from helpers.course import LESSONS, Lesson

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = {"torch": torch, "nn": nn, "F": F, "np": np, "math": math, "v2": v2}
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)


class Run(NamedTuple):
    """How a block is run: what stands before it, what fills each `...` in turn, and what holds."""

    before: str
    holds: str
    fills: tuple[str, ...] = ()


SELF = "from types import SimpleNamespace; self = SimpleNamespace"
BLOCKS = {
    # The first line of each block of a lesson, in its lesson's order.
    ("start_here", "moved = flat.clone()"): Run(
        "x = torch.ones(2); flat, i, h, f = x, 0, 0.5, torch.sum",
        "ahead == 2.5 and flat.equal(torch.ones(2))",
    ),
    ("activation_functions", "1 / (1 + torch.exp(-x))        # the value of the sigmoid"): Run(
        "x = torch.tensor(0.0); s = torch.sigmoid(x)",
        "1 / (1 + torch.exp(-x)) == s == 0.5 and s * (1 - s) == 0.25",
    ),
    ("activation_functions", "cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))"): Run(
        "x = torch.tensor(0.7)",
        "cdf.allclose(torch.special.ndtr(x))"
        " and density.allclose(torch.distributions.Normal(0, 1).log_prob(x).exp())",
    ),
    ("vanishing_gradients", "x = self.activations[0](self.input_layer(x))"): Run(
        f"{SELF}(activations=[torch.relu] * 3, input_layer=torch.neg, layers=[torch.neg] * 2,"
        " output_layer=torch.neg); x = -torch.ones(2)",
        "result.equal(torch.zeros(2))",
        ("activation(layer(x))",),
    ),
    ("vanishing_gradients", "gradients = [p.grad for p in parameters if p.grad is not None]"): Run(
        "p = nn.Parameter(torch.zeros(2)); p.grad = torch.tensor([3.0, 4.0]);"
        " parameters, max_norm = [p, nn.Parameter(torch.zeros(1))], 1.0",
        "result == 5 and p.grad.norm().allclose(torch.ones(()))",
        ("g.square().sum().item()", "max_norm / norm"),
    ),
    ("dying_relu", "def hook(module, inputs, output):  # inputs is a tuple"): Run(
        f"seen = []; print = seen.append; {SELF}; model = nn.Sequential(); x = torch.ones(1, 2);"
        " model.linear1 = nn.Linear(2, 3)",
        "seen == [(1, 3)] and not model.linear1._forward_hooks",
    ),
    ("dying_relu", "def remember(name):"): Run(
        "recorded = {}",
        "remember('a')(None, (), torch.ones(2)) is None and recorded['a'].equal(torch.ones(2))",
        ("recorded[name] = output.detach().clone()",),
    ),
    ("dying_relu", "try:"): Run(
        "done = []",
        "done == ['pass', 'removed']",
        ("done.append('pass')", "done.append('removed')"),
    ),
    ("weight_decay", "with torch.no_grad():"): Run(
        "p = nn.Parameter(torch.ones(2)); p.grad = torch.ones(2); q = nn.Parameter(torch.ones(2));"
        " parameters = [q, p]",
        "p.equal(torch.full((2,), 0.5)) and q.equal(torch.ones(2))",
        ("0.5 * p.grad",),
    ),
    ("weight_decay", 'torch.optim.SGD([{"params": weights, "weight_decay": 0.01},'): Run(
        "weights, others = [nn.Parameter(torch.ones(2))], [nn.Parameter(torch.ones(1))]", "True"
    ),
    ("weight_decay", "decayed, spared, seen = [], [], set()"): Run(
        "model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))",
        "len(seen) == 4 and len(decayed) == 4",
        ("decayed.append(p)",),
    ),
    ("weight_decay", "beta1, beta2 = betas"): Run(
        "w, m, v, grad, t = *[torch.zeros(1)] * 3, torch.ones(1), 1;"
        " betas, eps, lr = (0.9, 0.999), 1e-8, 0.1",
        "result[0].allclose(torch.tensor([-0.1]))",
        ("beta1 * m + (1 - beta1) * grad", "beta2 * v + (1 - beta2) * grad**2", "step"),
    ),
    ("dropout", "if not 0 <= dropout <= 1:"): Run(
        "X, dropout = torch.ones(1000), 0.2", "700 < mask.sum() < 900", ("'a sentence'",)
    ),
    ("dropout", "kept = np.random.random(X.shape) < keep"): Run(
        f"X, keep = np.ones(1000, dtype=np.float32), 0.5; {SELF}()",
        "set(result.tolist()) == {0, 2} and result.dtype == np.float32",
    ),
    ("dropout", "return dropout_layer(X, self.p) if ... else X"): Run(
        f"X = torch.ones(3); {SELF}(p=1.0, training=False); dropout_layer = F.dropout",
        "result is X",
        ("self.training",),
    ),
    ("dropout", "modes = [(module, module.training) for module in model.modules()]"): Run(
        "model = nn.Sequential(nn.Dropout(), nn.Linear(2, 3)); x = torch.ones(4, 2); n_samples = 5",
        "samples.shape == (5, 4, 3) and model[0].training and model.training",
        ("model.eval()",),
    ),
    ("batch_normalization", "centered = x - x.mean(dim=0)"): Run(
        "x, eps = torch.randn(6, 2), 1e-5",
        "torch.allclose(centered / std, F.batch_norm(x, None, None, training=True), atol=1e-5)",
    ),
    ("batch_normalization", "normal, std, gamma = cache"): Run(
        "x = torch.randn(5, 2, dtype=torch.float64); N, dy = 5, torch.randn(5, 2).double();"
        " std = x.var(dim=0, correction=0).sqrt(); normal = (x - x.mean(dim=0)) / std;"
        " cache = normal, std, torch.ones(2); dbeta, dgamma = dy.sum(0), (dy * normal).sum(0)",
        "dx.sum(0).abs().max() < 1e-9 and (dx * normal).sum(0).abs().max() < 1e-9",
        ("dgamma / N",),
    ),
    ("batch_normalization", "if self.training:"): Run(
        f"x = torch.randn(8, 3); bn = nn.BatchNorm1d(3); bn(x); {SELF}(training=True, momentum=0.1,"
        " running_mean=torch.zeros(3), running_var=torch.ones(3), num_batches_tracked=0)",
        "self.running_mean.allclose(bn.running_mean) and self.running_var.allclose(bn.running_var)"
        " and self.num_batches_tracked == 1",
        ("", "self.running_var.mul_(1 - self.momentum).add_(self.momentum * var * n / (n - 1))"),
    ),
    ("batch_normalization", "mean = x.mean(dim=self.axes, keepdim=True)"): Run(
        f"x = torch.randn(2, 3, 4); {SELF}(axes=(-2, -1))",
        "((x - mean) / var.sqrt()).allclose(F.layer_norm(x, (3, 4), eps=0), atol=1e-5)",
    ),
    ("batch_normalization", "scale = bn.weight / torch.sqrt(bn.running_var + bn.eps)"): Run(
        "x = torch.randn(8, 4); linear, bn, new = nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(4, 3);"
        " bn(linear(x)); bn.eval()",
        "new(x).allclose(bn(linear(x)), atol=1e-5)",
        ("scale * (linear.bias - bn.running_mean) + bn.bias",),
    ),
    ("mixup_and_cutout", "one_hot = F.one_hot(y, num_classes).to(x.dtype)"): Run(
        "x, y, lam, permutation = torch.tensor([0.0, 1.0]), torch.tensor([0, 1]), 0.25, [1, 0];"
        " num_classes = 2",
        "x_mix.tolist() == [0.75, 0.25] and one_hot.tolist() == [[1, 0], [0, 1]]",
    ),
    ("mixup_and_cutout", "top, left = int(row) - size // 2, int(column) - size // 2"): Run(
        "result, i, row, column, size = torch.ones(1, 1, 4, 4), 0, 0, 2, 3",
        "result.sum() == 10 and result[0, 0, 2:].sum() == 8",
        ("max(left, 0) : left + size",),
    ),
    ("mixup_and_cutout", "if value < self.best - self.min_delta:"): Run(
        f"value = math.nan; {SELF}(best=1.0, min_delta=0, count=1, patience=2)",
        "result is True and self.best == 1",
        ("self.count += 1",),
    ),
    ("weight_and_spectral_norm", "for _ in range(num_iterations):"): Run(
        "W = torch.diag(torch.tensor([3.0, 1.0])); num_iterations, u = 20, torch.ones(2)",
        "result[0].allclose(torch.tensor(3.0))",
        ("u = W @ v; u = u / u.norm()",),
    ),
    ("weight_and_spectral_norm", "with torch.no_grad():"): Run(
        f"{SELF}(weight=nn.Parameter(torch.diag(torch.tensor([3.0, 1.0]))), n_power_iterations=30,"
        " u=torch.ones(2), training=True)\n"
        "from helpers.answers.weight_and_spectral_norm.power_iteration import power_iteration",
        "sigma.allclose(torch.tensor(3.0)) and sigma.requires_grad and self.u is u",
        ("self.u = u",),
    ),
    ("capstone", "inside = F.relu(self.bn1(self.conv1(x)))"): Run(
        f"x = torch.ones(1); {SELF}(conv1=torch.neg, bn1=torch.neg, conv2=torch.neg, bn2=torch.abs)",
        "inside == 1",
    ),
    ("capstone", "chosen = {id(m.weight) for m in model.modules() if isinstance(m, LAYERS)}"): Run(
        "LAYERS = (nn.Linear,); model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))",
        "len(trained) == 4 and decayed[0] is model[0].weight and len(decayed) == 1",
    ),
}
KEYS_AND_PATHS = {
    *("Shift", "Enter", "course progress", "<", ">=", "train/<class>/", "test/<class>/"),
    "helpers/experiments/capstone.py",
}
PLACEHOLDERS = {
    # names that a sentence or a hint makes up for the reader, beside those of the lesson's code
    *("a", "b", "i", "d", "mask", "vector", "module", "name", "device", "tensor", "terms", "start"),
    *("cuda", "cpu", "nan", "course", "w", "p", "x", "v", "n", "c", "q", "image", "s", "r", "u"),
    *(
        "bias_ih_l0",
        "in_proj_bias",
        "nan_to_num",
        "Wv",
        "zeros",
        "factor",
        "original0",
        "original1",
    ),
    *("condition", "λ", "lam", "relu", "weight_decay", "dropout", "g", "step", "h", "A"),
    *("download", "result", "derivative", "model"),
}


@cache
def cells(lesson: Lesson) -> list[tuple[str, str]]:
    source = ROOT / "solutions" / lesson.folder / f"{lesson.slug}.py"
    made = jupytext.read(source, fmt="py:percent").cells
    return [(cell.cell_type, cell.source) for cell in made if "question" not in cell.metadata]


def prose(lesson: Lesson) -> str:
    return "\n".join(source for kind, source in cells(lesson) if kind == "markdown")


def blocks(lesson: Lesson) -> list[str]:
    return [code for _, code in re.findall(r"```(\w+)\n(.*?)```", prose(lesson), re.DOTALL)]


def inline(lesson: Lesson) -> list[str]:
    text = re.sub(r"```.*?```", "", prose(lesson), flags=re.DOTALL)
    return sorted(set(re.findall(r"`([^`]+)`", text)) - KEYS_AND_PATHS)


def filled(block: str, fills: tuple[str, ...]) -> str:
    parts = block.split("...")
    assert len(parts) == len(fills) + 1, "one fill for each ..."
    return parts[0] + "".join(fill + part for fill, part in zip(fills, parts[1:], strict=True))


class ResultAndNames(ast.NodeTransformer):
    """`return x` becomes `result = x; return locals()`, but not in functions within the block."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self.generic_visit(node) if node.name == "run" else node  # type: ignore[return-value]

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        assert node.value is not None
        keep = ast.Assign([ast.Name("result", ast.Store())], node.value)
        if ast.unparse(node) == "return locals()":
            return [node]
        return [keep, *ast.parse("def f(): return locals()").body[0].body]


@pytest.mark.parametrize(("slug", "first"), BLOCKS, ids=lambda part: re.sub(r"\W+", "-", part)[:40])
def test_a_block_does_what_the_text_says(slug: str, first: str) -> None:
    """A hint leaves out what it does not give away: `fills` puts it in."""
    (lesson,) = (lesson for lesson in LESSONS if lesson.slug == slug)
    (block,) = (block for block in blocks(lesson) if block.splitlines()[0] == first)
    how = BLOCKS[slug, first]
    body = filled(block, how.fills)
    names: dict[str, Any] = dict(LIBRARIES)
    torch.manual_seed(0)
    exec(how.before, names)
    given = ", ".join(f"{name}={name}" for name in names if not name.startswith("__"))
    tree = ast.parse(f"def run({given}):\n{textwrap.indent(body, '    ')}\n    return locals()")
    exec(compile(ast.fix_missing_locations(ResultAndNames().visit(tree)), first, "exec"), names)
    names |= names["run"]()
    assert eval(how.holds, names), f"{body}\n{how.holds}"


@each_lesson
def test_every_block_is_run(lesson: Lesson) -> None:
    first = [(lesson.slug, block.splitlines()[0]) for block in blocks(lesson)]
    assert sorted(first) == sorted(key for key in BLOCKS if key[0] == lesson.slug)


def parsed(code: str) -> ast.AST:
    """A piece of code as it stands in a sentence: `.item()`, `/ 2 * h` and `if u is None:` too."""
    if keyword.iskeyword(code):
        return ast.Pass()
    forms = (code, f"x{code}", f"x {code}", f"{code} pass", f"f({code})", f"def f(): {code}")
    forms += (f"x[{code}]", f"for x in y: {code}")
    for form in forms:
        try:
            return ast.parse(form.replace("for ...", "for x in y").replace("if ...", "if x"))
        except SyntaxError:
            continue
    raise AssertionError(f"`{code}` is no Python")


@each_lesson
def test_inline_code_is_python_and_its_names_exist(lesson: Lesson) -> None:
    """What belongs to a library is there; other names stand in the code of this or an earlier lesson."""
    earlier = [one for one in LESSONS if one.number <= lesson.number]
    code = "\n".join(source for one in earlier for kind, source in cells(one) if kind == "code")
    code += "\n".join(blocks(lesson))
    known = set(re.findall(r"\w+", code)) | PLACEHOLDERS | {"f", "y"}
    known |= {
        *dir(builtins),
        *keyword.kwlist,
        *dir(nn.Module),
        *dir(torch.Tensor),
        *dir(F),
        *dir(nn),
    }
    known |= {*dir(torch.optim), *dir(torch.optim.lr_scheduler), *dir(v2), *dir(v2.functional)}
    for one in inline(lesson):
        for node in ast.walk(parsed(" ".join(one.split()))):
            if isinstance(node, ast.Attribute):
                dotted = ast.unparse(node).split(".")
                if dotted[0] in LIBRARIES and all(part.isidentifier() for part in dotted):
                    thing: Any = LIBRARIES[dotted[0]]
                    for part in dotted[1:]:
                        assert hasattr(thing, part), f"`{one}`: there is no {ast.unparse(node)}"
                        thing = getattr(thing, part)
            names = [getattr(node, key, None) for key in ("id", "attr", "arg")]
            for name in (name for name in names if isinstance(name, str)):
                assert name in known or hasattr(torch, name), f"`{one}` names {name}"
