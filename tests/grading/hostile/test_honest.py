"""Honest trouble costs no points and raises no flag; damage costs only what is damaged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from helpers.grading.examiner import examine
from tests.grading.hostile.submission import (
    NO_POINTS,
    Submission,
    assert_as_expected,
    assert_shown,
    below_the_imports,
    examine_together,
)

COUNT = "def count_parameters(model):\n    {body}"
RIGHT = "return sum(p.numel() for p in set(model.parameters()) if p.requires_grad)"


def own(name: str, code: str, *shows: str) -> Submission:
    """A cell of the student's own, above all work."""
    return Submission(name, above=code, shows=shows)


def inside(name: str, body: str, **settings: object) -> Submission:
    """Something beside the right answer, in the function that is judged."""
    return Submission(
        name, cells={"todo-0-2": COUNT.format(body=f"{body}\n    {RIGHT}")}, **settings
    )  # type: ignore[arg-type]


OWN_CELLS = [
    own("warnings", "import warnings\nwarnings.warn('be careful')", "be careful"),
    own("text on stderr", "import sys\nprint('progress 50%', file=sys.stderr)", "progress 50%"),
    own(
        "a progress bar",
        "import sys, time\nfor i in range(100):\n    sys.stderr.write(f'\\r{i}%')\n    sys.stderr.flush()",
        "99%",
    ),
    own(
        "logging",
        "import logging\nlogging.basicConfig(level=10)\nlogging.getLogger().error('logged')",
    ),
    own(
        "a figure", "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('x')\nplt.show()"
    ),
    own(
        "a figure saved",
        "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.savefig('figure.png')",
    ),
    own(
        "%matplotlib inline",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.hist([1, 2])",
    ),
    own("%time", "%time x = sum(range(10))\nprint('x is', x)", "x is 45"),
    own("%%time", "%%time\nx = sum(range(10))\nprint('x is', x)", "x is 45"),
    own("%timeit", "%timeit -n 2 -r 2 sum(range(10))"),
    own("%%capture", "%%capture\nprint('hidden')"),
    own("%%writefile", "%%writefile note.txt\nhello"),
    own("%autoreload", "%load_ext autoreload\n%autoreload 2"),
    own("an unknown magic", "%no_such_magic\nx = 1"),
    own("an unknown cell magic", "%%no_such_magic\nx = 1"),
    own("%%bash", "%%bash\necho hello"),
    own("%%html", "%%html\n<script>alert(1)</script>"),
    own("!pip install", "!pip install -q torch\nprint('went on')", "went on"),
    own("!ls", "files = !ls\n!ls -la\nprint('went on', files)", "went on"),
    own("%pip", "%pip install torch\nprint('went on')", "went on"),
    own("%cd and %pwd", "%cd /\n%pwd\n%ls"),
    own("help", "print?\nhelp(print)", "Prints the values"),
    own("await", "import asyncio\nawait asyncio.sleep(0.01)\nprint('slept')", "slept"),
    own(
        "async run",
        "import asyncio\nasync def f():\n    return 3\nprint('got', await f())",
        "got 3",
    ),
    own("a missing library", "import no_such_library", "ModuleNotFoundError"),
    own("a missing file", "open('data.csv').read()", "FileNotFoundError"),
    own("division by zero", "1 / 0", "ZeroDivisionError"),
    own("a failed assertion", "assert 1 == 2, 'one is not two'", "one is not two"),
    own("sys.exit", "import sys\nsys.exit(1)"),
    own("exit", "exit()"),
    own("quit", "quit"),
    own("an interrupt", "raise KeyboardInterrupt"),
    own("input", "name = input('Your name? ')", "input() has no answer"),
    own("a password", "import getpass\ngetpass.getpass()"),
    own("a breakpoint", "breakpoint()\nprint('after')"),
    own("a debugger", "import pdb\npdb.set_trace()\nprint('after')"),
    own("another default dtype", "torch.set_default_dtype(torch.float64)"),
    own("no gradients", "torch.set_grad_enabled(False)"),
    own(
        "a seed",
        "torch.manual_seed(0)\nimport numpy as np, random\nnp.random.seed(0)\nrandom.seed(0)",
    ),
    own("determinism", "torch.use_deterministic_algorithms(True)"),
    own("more threads", "torch.set_num_threads(4)\ntorch.ones(500, 500) @ torch.ones(500, 500)"),
    own(
        "printing options",
        "torch.set_printoptions(precision=1)\nimport numpy as np\nnp.set_printoptions(1)",
    ),
    own("strict NumPy", "import numpy as np\nnp.seterr(all='raise')"),
    own("warnings are errors", "import warnings\nwarnings.simplefilter('error')"),
    own("anomaly detection", "torch.autograd.set_detect_anomaly(True)"),
    own("star imports", "from math import *\nfrom helpers import *\nprint(sqrt(4))", "2.0"),
    own("annotations", "from __future__ import annotations\nx: list[int] | None = None"),
    own(
        "dataclasses and typing",
        "from dataclasses import dataclass\nfrom typing import Generic, Protocol, TypeVar\n"
        "T = TypeVar('T')\n@dataclass(frozen=True)\nclass Box(Generic[T]):\n    x: T\nprint(Box(1))",
        "Box(x=1)",
    ),
    own(
        "doctests",
        'def double(x):\n    """\n    >>> double(2)\n    4\n    """\n    return 2 * x\n'
        "import doctest\nprint(doctest.testmod())",
        "failed=0",
    ),
    own("unit tests", "import unittest\nunittest.main(argv=['x'], exit=False)"),
    own(
        "a class redefined",
        "class A:\n    x = 1\nclass A:\n    x = 2\nprint('x is', A.x)",
        "x is 2",
    ),
    own(
        "a table",
        "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<b>x</b>'), Markdown('# y'))",
    ),
    own("widgets", "import ipywidgets\nipywidgets.interact(lambda x: x, x=3)"),
    own(
        "a temporary file",
        "import tempfile\nwith tempfile.TemporaryFile() as f:\n    print(f.write(b'x'), 'written')",
        "1 written",
    ),
    own(
        "a model saved",
        "torch.save(nn.Linear(2, 2).state_dict(), 'm.pt')\nprint(len(torch.load('m.pt')), 'loaded')",
        "2 loaded",
    ),
    own(
        "threads",
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n    print(sum(pool.map(abs, range(9))))",
        "36",
    ),
    own(
        "a data loader",
        "from torch.utils.data import DataLoader\nprint(len(list(DataLoader(range(9), 3))), 'batches')",
        "3 batches",
    ),
    own(
        "digits",
        "from sklearn.datasets import load_digits\nprint(load_digits().data.shape)",
        "(1797, 64)",
    ),
    own("the course's data", "from helpers.data import load\nprint('loaded')"),
    own(
        "torch.compile",
        "f = torch.compile(lambda x: x + 1, backend='eager')\nprint(f(torch.ones(1)))",
        "2.",
    ),
    own(
        "an optimiser",
        "m = nn.Linear(2, 1)\no = torch.optim.Adam(m.parameters())\nm(torch.ones(1, 2)).sum().backward()\no.step()\nprint('stepped')",
        "stepped",
    ),
    own(
        "a second shell",
        "from IPython import get_ipython\nget_ipython().run_line_magic('who', '')\nget_ipython().run_cell('y = 1')",
    ),
    own("a name of Python", "list = [1]\nid = 3\ndel list, id"),
    own("names in Greek", "λ, µ = 0.1, 0.2\nprint('λ is', λ)", "λ is 0.1"),
]

IN_FUNCTIONS = [
    inside("prints", "print('counting')"),
    inside("warns", "import warnings\n    warnings.warn('slow')"),
    inside("writes to stderr", "import sys\n    print('x', file=sys.stderr)"),
    inside("logs", "import logging\n    logging.warning('x')"),
    inside("draws", "torch.rand(3)"),
    inside(
        "a helper in a cell of its own", "assert helper() == 1", above="def helper():\n    return 1"
    ),
    inside(
        "a helper in a file of its own",
        "from my_tools import helper\n    assert helper() == 1",
        files={"my_tools.py": b"def helper():\n    return 1\n"},
    ),
    inside(
        "a folder of data",
        "assert open('data/one.txt').read() == '1'",
        files={"data/one.txt": b"1"},
    ),
    Submission(
        "other names and types",
        cells={
            "todo-0-2": "from __future__ import annotations\n\n"
            "def count_parameters(model: nn.Module) -> int:\n    " + RIGHT
        },
    ),
    Submission(
        "a lambda",
        cells={
            "todo-0-2": "count_parameters = lambda model: "
            "sum(p.numel() for p in model.parameters() if p.requires_grad)"
        },
    ),
    Submission("tests under the function", below="assert count_parameters(nn.Linear(2, 3)) == 9"),
    Submission(
        "an exit at the end", below="import os\nos._exit(0)", flags=("ended the whole process",)
    ),
    Submission(
        "a slow cell",
        below="import time\ntime.sleep(100)",
        seconds=2,
        flags=("ran longer than 2 seconds",),
    ),
    Submission(
        "files that do not fit",
        files={"data.bin": bytes(9 * 2**20)},
        flags=("could not be laid out",),
    ),
]

DAMAGED = [
    own("no Python", "this is no Python"),
    own("half a line", "x = (1,", "SyntaxError"),
    own("wrong indentation", "  x = 1\n y = 2"),
    own("return outside", "return 3"),
    own("a null byte", "x = '\0'"),
    own("a lone surrogate", "x = '\ud800'\nprint(len(x))"),
    own("line ends of Windows", "x = 1\r\ny = 2\r\nprint('y is', y)\r\n", "y is 2"),
    own("a byte order mark", "\ufeffx = 1"),
    own("page breaks", "x = 1\x0c\ny = 2"),
    own("tabs and spaces", "if True:\n\tx = 1\n        y = 2"),
    own("a comment", "# nothing"),
    own("a line without end", "x = '" + "y" * 300_000 + "'"),
    own("merge marks", "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other"),
    own("print of Python 2", "print 'hello'", "SyntaxError"),
    *(
        Submission(
            f"{name} for an answer",
            cells={"todo-0-2": code},
            scores={"check_count_parameters": 0.0},
        )
        for name, code in (
            ("nothing", ""),
            ("spaces", "  \n "),
            ("a comment", "# I do not know"),
            ("half a function", "def count_parameters(model):"),
            ("prose", "I could not do this one."),
            ("a stub", "def count_parameters(model):\n    raise NotImplementedError()"),
            ("a number", "count_parameters = 3"),
            ("None", "count_parameters = None"),
            ("a deleted name", "def count_parameters(model):\n    pass\ndel count_parameters"),
            ("%%bash", "%%bash\ndef count_parameters"),
            ("the other's name", "def count_params(model):\n    " + RIGHT),
        )
    ),
    Submission("a reset", below="%reset -f"),
    Submission("nothing at all", cells={"todo-0-1": "", "todo-0-2": ""}, scores=NO_POINTS),
]

ALONE = (
    "another default dtype",
    "warnings are errors",
    "strict NumPy",
    "determinism",
    "no gradients",
)
"""These change what cells below them do."""
CELLS = [s for s in [*OWN_CELLS, *DAMAGED] if s.above and s.name not in ALONE]
SUBMISSIONS = [s for s in [*OWN_CELLS, *IN_FUNCTIONS, *DAMAGED] if s not in CELLS]


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return examine_together(CELLS)


@pytest.mark.parametrize("submission", CELLS, ids=str)
def test_a_cell_of_ones_own_costs_no_points(shown: dict[str, str], submission: Submission) -> None:
    assert_shown(submission, shown[submission.name])


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=str)
def test_trouble_costs_no_points(submission: Submission) -> None:
    assert_as_expected(submission, submission.examine())


def test_a_stub_is_not_attempted() -> None:
    stub = Submission(
        "stub", cells={"todo-0-2": "def count_parameters(m):\n    raise NotImplementedError()"}
    )
    outcomes = {f.check: f.outcome for f in stub.examine().findings}
    assert outcomes["check_count_parameters"] == "not attempted"


def test_a_deleted_cell_with_the_imports_costs_no_points() -> None:
    exam = Submission("no imports").exam()
    cells = exam.notebook["cells"]
    place = below_the_imports(cells) - 1
    imports = cells[place]
    rest = {**exam.notebook, "cells": cells[:place] + cells[place + 1 :]}
    given = tuple(name for name in exam.given if name != imports["id"])
    lost = {imports["id"]: "".join(imports["source"])}
    found = examine(replace(exam, notebook=rest, given=given, lost=lost))
    assert {finding.share for finding in found.findings} == {1.0}
    (flag,) = found.flags
    assert flag.startswith(f"The cell {imports['id']} of the release was missing.")
    without = examine(replace(exam, notebook=rest, given=given))
    assert 0.0 in {finding.share for finding in without.findings}
