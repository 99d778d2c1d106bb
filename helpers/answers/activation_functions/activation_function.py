"""The three textbook functions: right and wrong answers."""

from __future__ import annotations

import torch

from helpers.answers.activation_functions.formulas import (
    ReLU,
    Sigmoid,
    Tanh,
    TextbookSigmoid,
    TextbookTanh,
    activation,
    hand_three,
    in_float64,
    relu_by_where,
    relu_slope,
    safe_sigmoid,
    safe_sigmoid_slope,
    safe_tanh,
    safe_tanh_slope,
    textbook_tanh,
    textbook_tanh_slope,
)
from helpers.checking.check import Answers, Misconception


class TorchStyleSigmoid(torch.nn.Module):
    """The form that most students write: an nn.Module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 1 / (1 + torch.exp(-x))

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        s = self(x)
        return s * (1 - s)


ANSWERS = Answers(
    reference=(ReLU, Sigmoid, Tanh),
    variants={
        "textbook formulas": hand_three(sigmoid=TextbookSigmoid, tanh=TextbookTanh),
        "a module": hand_three(sigmoid=TorchStyleSigmoid),
        "factories": tuple((lambda c=c: c()) for c in hand_three()),
        "clamp": hand_three(relu=activation(lambda x: x.clamp(min=0), relu_slope)),
        "absolute value": hand_three(relu=activation(lambda x: (x + x.abs()) / 2, relu_slope)),
        "float64 inside": hand_three(
            tanh=activation(in_float64(textbook_tanh), textbook_tanh_slope)
        ),
    },
    misconceptions=(
        Misconception(
            "relu-absolute",
            hand_three(relu=activation(torch.abs, relu_slope)),
            "Your ReLU is |x|: it turns negative numbers into positive ones.",
            "For a negative x the result is 0.",
        ),
        Misconception(
            "relu-derivative-is-value",
            hand_three(relu=activation(relu_by_where, relu_by_where)),
            "Your derivative of ReLU returns max(0, x) again, which is its value.",
            "To the right of 0 ReLU is the line y = x. What is the slope of that line?",
        ),
        Misconception(
            "relu-derivative-always-one",
            hand_three(relu=activation(relu_by_where, torch.ones_like)),
            "Your derivative of ReLU is 1 everywhere, also where ReLU is flat.",
            "Look at the plot to the left of 0: how steep is it there?",
        ),
        Misconception(
            "relu-derivative-sign",
            hand_three(relu=activation(relu_by_where, torch.sign)),
            "Your derivative of ReLU is the sign of x, which is −1 for negative x.",
            "To the left of 0 ReLU is flat, so its slope there is 0.",
        ),
        Misconception(
            "sigmoid-missing-minus",
            hand_three(sigmoid=activation(lambda x: 1 / (1 + torch.exp(x)), safe_sigmoid_slope)),
            "Your sigmoid falls from 1 to 0: the minus sign in exp(−x) is missing.",
            "For a large positive x the result must come close to 1.",
        ),
        Misconception(
            "sigmoid-derivative-of-input",
            hand_three(sigmoid=activation(safe_sigmoid, lambda x: x * (1 - x))),
            "You used x·(1 − x) where s·(1 − s) is meant, s being the output sigmoid(x).",
            "Compute s = self(x) first, and use s in the formula.",
        ),
        Misconception(
            "sigmoid-derivative-plus",
            hand_three(
                sigmoid=activation(safe_sigmoid, lambda x: safe_sigmoid(x) * (1 + safe_sigmoid(x)))
            ),
            "You used s·(1 + s) where s·(1 − s) is meant.",
            "At x = 0 the slope of the sigmoid is ¼.",
        ),
        Misconception(
            "sigmoid-derivative-square",
            hand_three(sigmoid=activation(safe_sigmoid, lambda x: 1 - safe_sigmoid(x) ** 2)),
            "You used 1 − s², which is the rule for tanh; for the sigmoid it is s·(1 − s).",
            "At x = 0 the slope of the sigmoid is ¼.",
        ),
        Misconception(
            "sigmoid-derivative-is-value",
            hand_three(sigmoid=activation(safe_sigmoid, safe_sigmoid)),
            "Your derivative of the sigmoid returns its value.",
            "Use the value s = self(x) in the formula s·(1 − s).",
        ),
        Misconception(
            "tanh-missing-minus",
            hand_three(
                tanh=activation(
                    lambda x: (torch.exp(x) + torch.exp(-x)) / (torch.exp(x) - torch.exp(-x)),
                    safe_tanh_slope,
                )
            ),
            "Your tanh has numerator and denominator exchanged.",
            "The difference of the exponentials stands above the line, their sum below.",
        ),
        Misconception(
            "tanh-half-argument",
            hand_three(tanh=activation(lambda x: 2 * safe_sigmoid(x) - 1, safe_tanh_slope)),
            "You computed 2·sigmoid(x) − 1, which is tanh(x/2).",
            "tanh(x) = 2·sigmoid(2x) − 1.",
        ),
        Misconception(
            "tanh-is-sinh",
            hand_three(
                tanh=activation(lambda x: (torch.exp(x) - torch.exp(-x)) / 2, safe_tanh_slope)
            ),
            "You computed sinh(x): the difference of the exponentials is divided by 2.",
            "Divide by the sum of the exponentials, so that the result stays between −1 and 1.",
        ),
        Misconception(
            "tanh-derivative-of-input",
            hand_three(tanh=activation(safe_tanh, lambda x: 1 - x**2)),
            "You used 1 − x² where 1 − t² is meant, t being the output tanh(x).",
            "Compute t = self(x) first, and use t in the formula.",
        ),
        Misconception(
            "tanh-derivative-sigmoid-rule",
            hand_three(tanh=activation(safe_tanh, lambda x: safe_tanh(x) * (1 - safe_tanh(x)))),
            "You used t·(1 − t), which is the rule for the sigmoid; for tanh it is 1 − t².",
            "At x = 0 the slope of tanh is 1.",
        ),
        Misconception(
            "tanh-derivative-not-squared",
            hand_three(tanh=activation(safe_tanh, lambda x: 1 - safe_tanh(x))),
            "You used 1 − t where 1 − t² is meant: the square is missing.",
            "At x = −10 the slope of tanh is nearly 0, and yours is nearly 2.",
        ),
    ),
)
