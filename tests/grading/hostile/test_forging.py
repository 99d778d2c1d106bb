"""Points that were not earned: the student's process lies, and the judge outside is not moved."""

from __future__ import annotations

from typing import Any

import pytest

from tests.grading.hostile.submission import (
    NO_POINTS,
    WRONG,
    Submission,
    assert_as_expected,
    attack,
)

NO_ANSWER = ("gave an answer that is none",) * 2
"""The flags of a child that broke the protocol at both checks."""


DIED = ("ended the whole process",)


def forge(name: str, code: str, flags: tuple[str, ...] = (), **settings: Any) -> Submission:
    """Wrong answers, and code above them that is to make them count."""
    return Submission(name, code, cells=WRONG, scores=NO_POINTS, flags=flags, **settings)


def forge_answer(name: str, what: str, flags: tuple[str, ...] = NO_ANSWER[:1]) -> Submission:
    """Wrong answers, and in place of each observation the bytes or the object `what`."""
    code = f"""
        import json, struct
        from helpers.grading import wire
        real = wire.message
        NUMBERS = b""

        def packed(text, numbers=b""):
            text = text if isinstance(text, bytes) else json.dumps(text).encode()
            return struct.pack(">QQ", len(text), len(numbers)) + text + numbers

        def a_list(*items):
            return {{"$": "list", "items": list(items)}}

        def a_dict(**items):
            return {{"$": "dict", "items": [[k, v] for k, v in items.items()]}}

        def observed(changed=None, **seen):
            one = {{"seen": a_dict(**seen), "trouble": None, "printed": "", "builtins": a_list()}}
            return {{"observations": a_list(a_dict(**{{**one, **(changed or {{}})}}))}}

        def tensor(shape, stride, start=0, length=8, dtype="float64"):
            return {{"$": "tensor", "dtype": dtype, "shape": shape, "stride": stride,
                    "grad": False, "device": "cpu", "start": start, "bytes": length, "offset": 0}}

        def forged(answer):
            if "observations" not in answer:
                return real(answer)
            return {what}

        wire.message = forged
    """
    check = "check_count_parameters"
    return Submission(name, code, cells=WRONG, checks=(check,), scores={check: 0.0}, flags=flags)


PATCHES = [
    forge(
        "torch says equal", "torch.equal = torch.allclose = torch.isclose = lambda *a, **k: True"
    ),
    forge("Tensor.__eq__ says yes", "torch.Tensor.__eq__ = lambda self, other: True"),
    forge("Tensor.clone forgets", "torch.Tensor.clone = lambda self, *a, **k: torch.ones(())"),
    forge(
        "the comparison finds nothing",
        "import helpers.checking.compare as c, helpers.checking.judging as j\n"
        "c.compare = j.compare = lambda *a, **k: None",
    ),
    forge(
        "the judge is bribed",
        "import helpers.checking.judging as j, helpers.checking.running as r\n"
        "j.judge = r.judge = lambda *a, **k: j.Verdict('passed')",
    ),
    forge(
        "run_check returns points",
        "import helpers.checking.running as r\nr.run_check = lambda *a: 4.0",
    ),
    forge(
        "the checks are replaced",
        "check_count_parameters = check_numerical_gradient = lambda *a: print('✓ right')",
    ),
    forge(
        "failures are no errors",
        "import builtins, helpers.checking as c\n"
        "builtins.AssertionError = c.CheckFailed = c.NotAttempted = Warning",
    ),
    forge(
        "snapshot is replaced",
        "import helpers.checking.observing as o\no.snapshot = lambda value: True",
    ),
    forge(
        "observe is replaced",
        "from helpers.checking.observing import Observation\n"
        "import helpers.grading.sandbox.child as c\nc.observe = lambda *a: Observation()",
    ),
    forge("isinstance says yes", "import builtins\nbuiltins.isinstance = lambda *a: True", DIED),
    forge("len and sorted lie", "import builtins\nbuiltins.sorted = lambda *a, **k: []"),
    forge("shape lies", "torch.Tensor.shape = property(lambda self: torch.Size([3]))"),
    forge("fake praise", "print('✓ number of parameters — All points. 4.0')"),
    forge("a fake score is displayed", "from IPython.display import display\ndisplay(4.0)\n4.0"),
    forge(
        "the shell forges its outputs",
        "get_ipython().run = lambda *a: (True, [{'output_type': 'execute_result', 'data': "
        "{'text/html': '<script>', 'text/plain': '4.0'}}])",
    ),
    forge(
        "fake answers are imported",
        "import sys, types\nfake = types.ModuleType('helpers.answers')\n"
        "sys.modules['helpers.answers'] = sys.modules['helpers.answers.start_here'] = fake",
    ),
    forge(
        "the check has no cases", "from helpers.checks import start_here\nstart_here.CHECKS = ()"
    ),
    forge("hidden in atexit", "import atexit\natexit.register(print, '✓ right')"),
    forge(
        "every exception is swallowed",
        "import sys, threading\nsys.excepthook = threading.excepthook = lambda *a: None",
    ),
]

RESULTS = [
    Submission(
        f"returns {name}",
        f"{code}\nmade = {call}",
        cells={
            "todo-0-1": "def numerical_gradient(f, x, h=1e-5):\n    return made",
            "todo-0-2": "def count_parameters(model):\n    return made",
        },
        scores=NO_POINTS,
    )
    for name, code, call in (
        (
            "what equals all",
            "class All:\n    __eq__ = lambda s, o: True\n    __hash__ = None",
            "All()",
        ),
        (
            "an int that equals all",
            "class All(int):\n    __eq__ = lambda s, o: True\n    __hash__ = int.__hash__",
            "All(3)",
        ),
        (
            "a float that equals all",
            "class All(float):\n    __eq__ = lambda s, o: True\n    __hash__ = None",
            "All(3)",
        ),
        (
            "a tensor that equals all",
            "class All(torch.Tensor):\n"
            "    @classmethod\n"
            "    def __torch_function__(cls, *a, **k):\n"
            "        return True",
            "torch.ones(2, dtype=torch.float64).as_subclass(All)",
        ),
        ("NaN", "", "float('nan')"),
        ("infinity", "", "float('inf')"),
        ("True", "", "True"),
        ("a number without end", "", "10**4000"),
        ("a tensor of a billion", "", "torch.zeros(1, dtype=torch.float64).expand(10**9)"),
        ("a tensor without numbers", "", "torch.zeros(3, device='meta')"),
        ("a sparse tensor", "", "torch.zeros(3).to_sparse()"),
        ("a mock", "from unittest.mock import MagicMock", "MagicMock()"),
        ("a class", "", "nn.Linear"),
        ("an array of long doubles", "import numpy as np", "np.zeros(3, dtype=np.longdouble)"),
    )
]

EXCEPTIONS = [
    Submission(
        f"raises {name}",
        cells={
            "todo-0-1": f"def numerical_gradient(f, x, h=1e-5):\n    {code}",
            "todo-0-2": f"def count_parameters(model):\n    {code}",
        },
        scores=NO_POINTS,
    )
    for name, code in (
        ("that it has no GPU", "raise RuntimeError('meta tensors have no nonzero, no item()')"),
        ("CheckFailed", "from helpers.checking import CheckFailed\n    raise CheckFailed"),
        ("SystemExit(0)", "raise SystemExit(0)"),
        ("an error that cannot be shown", "raise type('E', (Exception,), {'__str__': None})"),
        (
            "an error of many lines",
            "raise type('\\n✓ right\\n', (Exception,), {})('✓ number of parameters\\n' * 10_000)",
        ),
    )
]

PROTOCOL = [
    forge_answer("no bytes of the protocol", "b'x' * 100"),
    forge_answer("a length beyond all bounds", "struct.pack('>QQ', 2**63, 0)"),
    forge_answer("a negative length", "struct.pack('>qq', -1, -1)"),
    forge_answer("numbers beyond all bounds", "struct.pack('>QQ', 2, 2**40) + b'{}'"),
    forge_answer("deep JSON", "packed(b'[' * 100_000)"),
    forge_answer("deep values", 'packed(b\'{"a":{"$":"list","items":[\' * 9_000)'),
    forge_answer("much JSON", "packed(b'[' + b'[],' * 2_000_000 + b'[]]')"),
    forge_answer("a list for a message", "packed([1, 2])"),
    forge_answer("no JSON", "packed(b'\\xff\\xfe')"),
    forge_answer("an empty answer", "packed({})"),
    forge_answer("nothing seen", "packed(observed())", ()),
    forge_answer("seen is a list", "packed(observed({'seen': 3}))"),
    forge_answer("trouble is a number", "packed(observed({'trouble': 3}))"),
    forge_answer(
        "printed is a tensor", "packed(observed({'printed': tensor([1], [1])}), bytes(8))"
    ),
    forge_answer(
        "an unknown kind of value", "packed(observed(result={'$': 'code', 'text': 'print()'}))"
    ),
    forge_answer(
        "a pickle",
        "packed(observed(result={'$': 'array', 'dtype': 'object', 'shape': [1], 'order': 'C', "
        "'start': 0, 'bytes': 8}), b'cos\\nsys.')",
    ),
    forge_answer("an integer beyond all", "packed(observed(**{'result': 10**4000}))"),
    forge_answer(
        "one number, a billion times", "packed(observed(result=tensor([10**9], [0])), bytes(8))"
    ),
    forge_answer(
        "a tensor out of bounds", "packed(observed(result=tensor([2], [10**9])), bytes(16))"
    ),
    forge_answer("a negative shape", "packed(observed(result=tensor([-1], [1])), bytes(8))"),
    forge_answer("a shape of fractions", "packed(observed(result=tensor([1.5], [1])), bytes(8))"),
    forge_answer(
        "an endless shape", "packed(observed(result=tensor([1] * 999, [1] * 999)), bytes(8))"
    ),
    forge_answer(
        "a shape beyond int64", "packed(observed(result=tensor([2**39] * 3, [0] * 3)), b'')"
    ),
    forge_answer(
        "one stretch of numbers for many tensors",
        "packed(observed(**{str(i): tensor([4 * 2**20], [1], length=2**25) for i in range(9_000)}), "
        "bytes(2**25))",
    ),
    forge_answer(
        "a yes for every key",
        "packed(observed(**{k: True for k in ('result', 'gradient', 'count', 'value', 'unchanged')}))",
        (),
    ),
    forge_answer("answers twice", "real(answer) * 2", ()),
    forge_answer("no observations", "packed({'observations': a_list()})"),
    forge_answer("observations are a number", "packed({'observations': 3})"),
    forge_answer("observations are numbers", "packed({'observations': a_list(1, 2)})"),
    forge_answer(
        "more observations than cases", "real({'observations': answer['observations'] * 100})"
    ),
    forge_answer(
        "says that it waits for a GPU",
        "real({'observations': [{**answer['observations'][0], 'seen': {}, 'trouble': dict("
        "kind='raised', type='RuntimeError', message='meta item()', line='', where='')}]})",
        (),
    ),
    forge_answer("says that it failed", "packed({'failed': 'no'})", ("ended the whole process",)),
    forge_answer("says that it is refused", "packed({'refused': 'no'})"),
    forge(
        "facts that are tensors",
        "from helpers.grading import wire\nreal = wire.message\n"
        "wire.message = lambda what: real({'facts': [{'is_class': torch.ones(2)}]} "
        "if 'facts' in what else what)",
        NO_ANSWER,
    ),
    forge(
        "facts that are endless",
        "from helpers.grading import wire\nreal = wire.message\n"
        "wire.message = lambda what: real({'facts': [{'written': 'x' * 10**6}] * 3} "
        "if 'facts' in what else what)",
        NO_ANSWER,
    ),
    forge(
        "a missing name that is a page",
        "from helpers.grading import wire\nreal = wire.message\n"
        "wire.message = lambda what: real({'missing': '\\n✓ right\\n' * 9999} "
        "if 'facts' in what else what)",
        NO_ANSWER,
    ),
    forge(
        "writes on every file",
        "import os\nfor number in range(300):\n"
        "    try:\n        os.write(number, b'{\"seen\": {}}' * 9)\n    except OSError:\n        pass",
        ("broke the connection",),
    ),
    forge(
        "a thread that answers",
        "import os, threading, time\n"
        "def answer():\n"
        "    while True:\n"
        "        for number in range(3, 9):\n"
        "            try:\n                os.write(number, bytes(16))\n"
        "            except OSError:\n                pass\n"
        "threading.Thread(target=answer, daemon=True).start()\ntime.sleep(0.3)",
        ("broke the connection",),
    ),
    forge(
        "reads the questions away",
        "import os\nfor number in range(3, 9):\n"
        "    try:\n        os.read(number, 10**6)\n    except OSError:\n        pass",
        ("ran longer than 2 seconds",),
        seconds=2,
    ),
    forge(
        "hangs up",
        "import os\nos.closerange(3, 300)",
        ("ended the whole process",),
    ),
]

LOOKING = [
    attack(
        "searches memory for answers",
        """
        import gc
        for thing in gc.get_objects():
            module = getattr(type(thing), "__module__", "")
            if str(module).startswith("helpers.answers") or type(thing).__name__ == "Answers":
                print("LEAKED", type(thing))
        raise LookupError("nothing")
        """,
    ),
    attack(
        "searches memory for the seed",
        """
        import gc
        seed = int("746123" + "7461")
        for thing in gc.get_objects():
            values = thing.values() if type(thing) is dict else thing if type(thing) in (list, tuple) else ()
            if any(type(value) is int and value == seed for value in list(values)):
                if "seed" not in thing:
                    print("LEAKED", type(thing), thing)
        raise LookupError("nothing")
        """,
    ),
    attack(
        "climbs the frames",
        """
        import sys
        frame = sys._getframe()
        while frame is not None:
            for name in ("known", "expected", "reference", "exam", "seed"):
                if name in frame.f_locals:
                    print("LEAKED", name, frame.f_code)
            frame = frame.f_back
        raise LookupError("nothing")
        """,
    ),
    attack(
        "asks the checks for their answers",
        """
        import importlib
        from helpers.checking.judging import answers_to
        from helpers.checks.start_here import CHECKS
        for check in CHECKS:
            print("LEAKED", answers_to(check))
        """,
    ),
]

OTHER_LESSONS = [
    Submission(
        "relu by patched comparison",
        "torch.equal = torch.allclose = torch.isclose = lambda *a, **k: True",
        cells={"todo-1-2": "class MyReLU(nn.Module):\n    def forward(self, x):\n        return x"},
        lesson=1,
        checks=("check_relu", "check_collapse_linear_layers"),
        scores={"check_relu": 0.0},
    ),
    Submission(
        "relu that raises words of a GPU",
        "class Fake(nn.Module):\n"
        "    def forward(self, x):\n        raise RuntimeError('meta: nonzero item()')\n"
        "    derivative = forward",
        cells={"todo-1-2": "MyReLU = Fake"},
        lesson=1,
        checks=("check_relu", "check_collapse_linear_layers"),
        scores={"check_relu": 0.0},
    ),
    Submission(
        "sgd by patched optimiser",
        "torch.optim.SGD.step = lambda self, *a: None",
        cells={"todo-4-2": "def sgd_step(parameters, lr, weight_decay=0.0):\n    list(parameters)"},
        lesson=4,
        checks=("check_sgd_step", "check_soft_threshold"),
        scores={"check_sgd_step": 0.0},
    ),
    Submission(
        "dropout that drops nothing, with a patched random",
        "torch.rand = torch.rand_like = torch.bernoulli = lambda *a, **k: torch.ones(())",
        cells={"todo-5-1": "def dropout_layer(X, dropout):\n    return X"},
        lesson=5,
        checks=("check_dropout_layer",),
        scores={"check_dropout_layer": 0.0},
    ),
    Submission(
        "a training that is none",
        "torch.optim.lr_scheduler.LRScheduler.step = lambda self, *a: None",
        cells={
            "todo-9-2": "def configure_training(model, total_steps):\n"
            "    optimizer = torch.optim.SGD(model.parameters(), 0.1)\n"
            "    return optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)"
        },
        lesson=9,
        checks=("check_configure_training",),
        scores={"check_configure_training": 0.0},
    ),
]

SUBMISSIONS = [*PATCHES, *RESULTS, *EXCEPTIONS, *PROTOCOL, *LOOKING, *OTHER_LESSONS]


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=str)
def test_no_point_is_forged(submission: Submission) -> None:
    assert_as_expected(submission, submission.examine())
