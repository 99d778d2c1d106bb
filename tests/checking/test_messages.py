"""What students read, word for word."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import nn

from helpers import (
    check_activation_function,
    check_collapse_linear_layers,
    check_configure_training,
    check_count_parameters,
    check_numerical_gradient,
    check_relu,
    check_sigmoid,
)
from helpers.answers.activation_functions.formulas import HandReLU, HandSigmoid, HandTanh
from helpers.answers.capstone.settings import configure_training as configure
from helpers.checking import CheckFailed, NotAttempted, uses_your_code


def message(check: Any, *given: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        check(*given)
    return str(caught.value)


class Student:
    """Makes classes as students write them."""

    @staticmethod
    def sigmoid(forward: Any = None, derivative: Any = None) -> type:
        class MySigmoid(nn.Module):
            def forward(self, x: torch.Tensor) -> Any:
                return (forward or HandSigmoid())(x)

            def derivative(self, x: torch.Tensor) -> Any:
                return (derivative or HandSigmoid().derivative)(x)

        return MySigmoid


def test_a_wrong_derivative() -> None:
    wrong = Student.sigmoid(derivative=lambda x: x * (1 - x))
    assert message(check_sigmoid, wrong) == (
        "✗ sigmoid — The derivative of MySigmoid is wrong.\n"
        "  Called with   MySigmoid().derivative(tensor([-1., 0., 2.]))    "
        "(negative, zero and positive)\n"
        "  You returned  tensor([-2., 0., -2.])    shape (3,), float32\n"
        "  Expected      tensor([0.19661, 0.25, 0.10499])    shape (3,), float32\n"
        "  First differs at index (0,), where x is -1: yours -2, expected 0.196612\n"
        "  Likely cause  You used x·(1 − x) where s·(1 − s) is meant, s being the output sigmoid(x).\n"
        "  Next step     Compute s = self(x) first, and use s in the formula."
    )


def test_a_difference_without_a_diagnosis() -> None:
    text = message(check_sigmoid, Student.sigmoid(forward=lambda x: x * 0 + 0.123))
    assert "Likely cause" not in text
    assert text.endswith(
        '  Next step     Reread "What breaks far from zero", compare the two results above, then run this\n'
        "                cell again."
    )


@pytest.mark.parametrize(
    ("wrong", "headline", "row"),
    [
        (lambda x: x.tolist(), "The result is of the wrong type.", "a list"),
        (lambda x: None, "The result is of the wrong type.", "You returned  None"),
        (lambda x: x[:1], "The result has the wrong shape.", "shape (1,), float32"),
        (lambda x: HandSigmoid()(x).half(), "The result has the wrong dtype.", "float16"),
        (lambda x: x * float("nan"), "The result contains NaN or infinity.", "yours nan"),
    ],
)
def test_differences_of_kind(wrong: Any, headline: str, row: str) -> None:
    text = message(check_sigmoid, Student.sigmoid(forward=wrong))
    assert text.startswith(f"✗ sigmoid — {headline}\n")
    assert row in text


def test_an_exception_shows_the_students_line_and_is_chained() -> None:
    def forward(x: torch.Tensor) -> torch.Tensor:
        return x / undefined  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(CheckFailed) as caught:
        check_sigmoid(Student.sigmoid(forward=forward))
    assert str(caught.value).splitlines() == [
        "✗ sigmoid — Your code raised NameError.",
        "  Called with   MySigmoid()(tensor([-1., 0., 2.]))    (negative, zero and positive)",
        "  It says       name 'undefined' is not defined",
        "  Your line     return x / undefined  # type: ignore[name-defined]  # noqa: F821",
        "  Next step     Repair that line, or the call that leads to it, then run this cell again.",
    ]
    assert isinstance(caught.value.__cause__, NameError)


def test_not_attempted() -> None:
    def stub(model: nn.Module) -> int:
        raise NotImplementedError()

    with pytest.raises(NotAttempted) as caught:
        check_count_parameters(stub)
    assert str(caught.value) == (
        "○ number of parameters — not attempted yet: TODO 0.2 (count_parameters).\n"
        "  Next step     Complete TODO 0.2 in the cell above, run that cell, then run this one again."
    )


def test_an_operation_that_a_device_lacks_is_attempted() -> None:
    """PyTorch raises NotImplementedError too, from the student's own line."""

    class MyReLU:
        def __call__(self, x: torch.Tensor) -> torch.Tensor:
            return HandReLU()(x.cpu().to(x.device))

        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            return HandReLU().derivative(x)

    text = message(check_relu, MyReLU)
    assert text.startswith("✗ ReLU — Your code raised NotImplementedError.")
    assert "(a tensor on another device)" in text


def test_half_attempted_is_not_attempted() -> None:
    class MyTanh(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return HandTanh()(x)

        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            raise NotImplementedError()

    with pytest.raises(NotAttempted, match=r"TODO 1\.1"):
        check_activation_function(HandReLU, HandSigmoid, MyTanh)


def test_a_module_without_forward() -> None:
    class MyReLU(nn.Module):
        def derivative(self, x: torch.Tensor) -> torch.Tensor:
            return x

    text = message(check_relu, MyReLU)
    assert text.startswith("✗ ReLU — Your class has no method `forward`.")


@pytest.mark.parametrize("use", [torch.relu, nn.ReLU(), lambda x: x.relu(), nn.functional.relu])
def test_a_forbidden_function_is_named(use: Any) -> None:
    class MyReLU:
        def __call__(self, x: torch.Tensor) -> Any:
            return use(x)

        def derivative(self, x: torch.Tensor) -> Any:
            return (x > 0).to(x.dtype)

    text = message(check_relu, MyReLU)
    assert text.startswith(
        "✗ ReLU — Your code calls PyTorch's own `relu`, which this exercise asks you to write."
    )


@pytest.mark.parametrize("aten", [torch.ops.aten.relu, torch.ops.aten.relu.default])
def test_a_forbidden_function_by_its_back_door(aten: Any) -> None:
    class MyReLU:
        def __call__(self, x: torch.Tensor) -> Any:
            return aten(x)

        def derivative(self, x: torch.Tensor) -> Any:
            return (x > 0).to(x.dtype)

    assert "PyTorch's own `relu`" in message(check_relu, MyReLU)


@pytest.mark.parametrize(
    ("check", "given", "expected"),
    [
        (check_relu, None, "✗ ReLU — The check takes the class `MyReLU` itself."),
        (check_relu, HandReLU(), "✗ ReLU — The check takes the class `MyReLU` itself."),
        (check_relu, torch.zeros(3), "✗ ReLU — The check takes the class `MyReLU` itself."),
        (check_relu, object, "✗ ReLU — Your class `MyReLU` has no method `derivative`."),
        (check_relu, nn.ReLU, "✗ ReLU — Your class `MyReLU` has no method `derivative`."),
        (
            check_numerical_gradient,
            nn.Linear,
            "✗ numerical gradient — The check takes the function `numerical_gradient` itself.",
        ),
        (
            check_numerical_gradient,
            torch.zeros(2),
            "✗ numerical gradient — The check takes the function `numerical_gradient` itself.",
        ),
    ],
)
def test_the_wrong_thing_is_given(check: Any, given: Any, expected: str) -> None:
    text = message(check, given)
    assert text.splitlines()[0] == expected
    assert "Next step" in text


def test_what_was_printed_is_shown() -> None:
    def collapse(weights: Any, biases: Any) -> Any:
        print("my weights:", len(weights))
        return weights

    text = message(check_collapse_linear_layers, collapse)
    assert "  It printed    my weights: 1\n" in text


def test_changed_arguments_are_seen() -> None:
    def count(model: nn.Module) -> int:
        for p in model.parameters():
            p.requires_grad_(False)
        return 0 if not list(model.parameters()) else sum(p.numel() for p in model.parameters())

    assert "Your code changed which parameters are trained." in message(
        check_count_parameters, count
    )


@pytest.mark.parametrize(
    ("do", "sentence"),
    [
        (lambda: torch.set_default_dtype(torch.float64), "changed PyTorch's default dtype."),
        (lambda: torch.manual_seed(0), "set the random seed, which belongs to the caller."),
        (lambda: torch.set_grad_enabled(False), "switched grad mode and left it so."),
    ],
)
def test_changed_global_state_is_named(do: Any, sentence: str) -> None:
    def count(model: nn.Module) -> int:
        do()
        return sum(p.numel() for p in model.parameters() if p.requires_grad)

    assert sentence in message(check_count_parameters, count)


def test_html_says_the_same_and_is_escaped() -> None:
    with pytest.raises(CheckFailed) as caught:
        check_sigmoid(Student.sigmoid(forward=lambda x: "<script>"))
    html = caught.value._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    for label in re.findall(r"^  (\w+ \w+) ", str(caught.value), re.MULTILINE):
        assert label in html


def test_the_error_shows_the_message_and_no_frames() -> None:
    with pytest.raises(CheckFailed) as caught:
        check_relu(None)
    assert "\n".join(caught.value._render_traceback_()) == str(caught.value)
    assert caught.value.check == "check_relu"
    assert caught.value.misconception is None


def test_success_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_relu(HandReLU) is None
    out, err = capsys.readouterr()
    assert out == "✓ ReLU — right everywhere, and its slope at 0 is 0, as PyTorch takes it.\n"
    assert err == ""


def test_an_experiment_names_the_todo_that_it_waits_for(capsys: pytest.CaptureFixture[str]) -> None:
    # TODO 1.3: this is how a stub looks in a notebook
    def my_sigmoid(x: float) -> float:
        raise NotImplementedError()

    with uses_your_code():
        my_sigmoid(1.0)
    assert capsys.readouterr().out == (
        "○ This cell needs your my_sigmoid: finish TODO 1.3 first, then run it again.\n"
    )


def test_an_experiment_hides_no_other_error() -> None:
    with pytest.raises(ZeroDivisionError), uses_your_code():
        _ = 1 / 0
    with pytest.raises(NotImplementedError), uses_your_code():
        nn.Module()(1)


def test_a_forgotten_return_is_what_to_look_for() -> None:
    text = message(check_sigmoid, Student.sigmoid(forward=lambda x: None))
    assert "You returned  None" in text
    assert "every way through your code ends with `return`" in text


def test_an_error_that_no_line_of_the_student_raised() -> None:
    """The check calls the scheduler; there is no line to show and to repair."""

    def configure_training(model: nn.Module, total_steps: int) -> tuple[Any, Any]:
        optimizer, _ = configure(model, total_steps)
        return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps - 1)

    text = message(check_configure_training, configure_training)
    assert "Tried to step 21 times" in text
    assert "Your line" not in text
    assert "No line of yours raised this" in text
