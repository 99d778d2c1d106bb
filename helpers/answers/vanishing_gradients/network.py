"""The forward pass of a deep network: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.checking.check import Answers, Misconception


class Parts(nn.Module):
    """The constructor that the lesson gives."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        activation: Callable[[], nn.Module],
        num_layers: int = 5,
        hidden_dim: int = 100,
    ) -> None:
        super().__init__()
        self.input_layer = nn.Linear(input_dim, hidden_dim)
        self.layers = nn.ModuleList(nn.Linear(hidden_dim, hidden_dim) for _ in range(num_layers))
        self.activations = nn.ModuleList(activation() for _ in range(num_layers + 1))
        self.output_layer = nn.Linear(hidden_dim, output_dim)


class Network(Parts):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.activations[0](self.input_layer(x))  # (N, hidden)
        for layer, activation in zip(self.layers, self.activations[1:], strict=True):
            x = activation(layer(x))  # (N, hidden)
        return self.output_layer(x)  # (N, out)


def written(forward: Callable[[Any, torch.Tensor], Any], parts: type[Parts] = Parts) -> type:
    """A network with this forward."""
    return type("Network", (parts,), {"forward": forward})


def _by_index(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for i in range(len(self.layers)):
        x = self.activations[i + 1](self.layers[i](x))
    return self.output_layer(x)


def _activation_before_layer(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for activation, layer in zip(self.activations, self.layers, strict=False):
        x = layer(activation(x))
    return self.output_layer(self.activations[-1](x))


def _one_list(self: Any, x: torch.Tensor) -> torch.Tensor:
    for layer, activation in zip([self.input_layer, *self.layers], self.activations, strict=True):
        x = activation(layer(x))
    return self.output_layer(x)


def _sequential(self: Any, x: torch.Tensor) -> torch.Tensor:
    steps = [self.input_layer, self.activations[0]]
    for layer, activation in zip(self.layers, list(self.activations)[1:], strict=True):
        steps += [layer, activation]
    return nn.Sequential(*steps, self.output_layer)(x.flatten(1))


class _MadeInAnotherOrder(Network):
    def __init__(
        self, input_dim: int, output_dim: int, activation: Any, num_layers: int = 5,
        hidden_dim: int = 100,
    ) -> None:  # fmt: skip
        nn.Module.__init__(self)
        self.num_layers = num_layers
        self.activations = nn.ModuleList([activation() for _ in range(num_layers + 1)])
        self.output_layer = nn.Linear(hidden_dim, output_dim)
        self.layers = nn.ModuleList()
        for _ in range(num_layers):
            self.layers.append(nn.Linear(hidden_dim, hidden_dim))
        self.input_layer = nn.Linear(input_dim, hidden_dim)


def _after_output(self: Any, x: torch.Tensor) -> torch.Tensor:
    return self.activations[-1](Network.forward(self, x))


def _shifted_to_output(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer, activation in zip(self.layers, self.activations, strict=False):
        x = activation(layer(x))
    return self.activations[-1](self.output_layer(x))


def _no_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation(layer(x))
    return self.output_layer(x)


def _no_first_shifted(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer, activation in zip(self.layers, self.activations, strict=False):
        x = activation(layer(x))
    return self.output_layer(x)


def _first_twice(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations, strict=False):
        x = activation(layer(x))
    return self.output_layer(x)


def _always_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer in self.layers:
        x = self.activations[0](layer(x))
    return self.output_layer(x)


def _no_activation(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer in self.layers:
        x = layer(x)
    return self.output_layer(x)


def _only_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer in self.layers:
        x = layer(x)
    return self.output_layer(x)


def _no_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    return self.output_layer(self.activations[0](self.input_layer(x)))


def _skips_last_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for i in range(len(self.layers) - 1):
        x = self.activations[i + 1](self.layers[i](x))
    return self.output_layer(x)


def _same_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for i in range(len(self.layers)):
        x = self.activations[i + 1](self.layers[0](x))
    return self.output_layer(x)


def _every_activation_each_time(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer in self.layers:
        for activation in self.activations:
            x = activation(x)
        x = layer(x)
    return self.output_layer(x)


def _always_relu(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = torch.relu(self.input_layer(x))
    for layer in self.layers:
        x = torch.relu(layer(x))
    return self.output_layer(x)


def _activation_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(self.activations[0](x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = layer(activation(x))
    return self.output_layer(x)


def _residual(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = x + activation(layer(x))
    return self.output_layer(x)


def _without_hooks(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0].forward(self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation.forward(layer(x))
    return self.output_layer(x)


def _detached(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation(layer(x.detach()))
    return self.output_layer(x.detach())


def _keeps_what_it_passed(self: Any, x: torch.Tensor) -> Any:
    passed = [self.activations[0](self.input_layer(x))]
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        passed.append(activation(layer(passed[-1])))
    return self.output_layer(passed[-1]), passed


def _returns_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation(layer(x))
    return x


def _no_return(self: Any, x: torch.Tensor) -> None:
    Network.forward(self, x)


class _OneActivation(Parts):
    """All places hold one and the same module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.activations = nn.ModuleList([self.activations[0]] * len(self.activations))


ANSWERS = Answers(
    reference=Network,
    variants={
        "by index": written(_by_index),
        "activation before each layer": written(_activation_before_layer),
        "one list of layers": written(_one_list),
        "a Sequential of the same modules": written(_sequential),
        "another constructor": _MadeInAnotherOrder,
    },
    misconceptions=(
        Misconception(
            "activation-after-output",
            written(_after_output),
            "You put an activation behind the output layer; the loss needs plain numbers (logits).",
            "Return what the output layer gives.",
        ),
        Misconception(
            "activations-shifted",
            written(_shifted_to_output),
            "Your activations are one place late: none after the input layer, one after the output.",
            "activations[0] belongs to the input layer, activations[i + 1] to layers[i].",
        ),
        Misconception(
            "softmax-output",
            written(lambda self, x: Network.forward(self, x).softmax(dim=1)),
            "You return probabilities; F.cross_entropy takes logits and does the softmax itself.",
            "Return what the output layer gives.",
        ),
        Misconception(
            "log-softmax-output",
            written(lambda self, x: Network.forward(self, x).log_softmax(dim=1)),
            "You return log-probabilities; what is asked for are the plain outputs.",
            "Return what the output layer gives.",
        ),
        Misconception(
            "no-activation-after-input",
            written(_no_first),
            "There is no activation after the input layer.",
            "Begin with x = self.activations[0](self.input_layer(x)).",
        ),
        Misconception(
            "no-activation-after-input-shifted",
            written(_no_first_shifted),
            "There is no activation after the input layer, and the last activation is never used.",
            "activations[0] belongs to the input layer, activations[i + 1] to layers[i].",
        ),
        Misconception(
            "first-activation-twice",
            written(_first_twice),
            "The loop begins with activations[0] again, so it is used twice and the last one never.",
            "Let the loop run over self.activations[1:].",
        ),
        Misconception(
            "one-activation-for-all",
            written(_always_first),
            "You use activations[0] everywhere; a hook on the others will never see anything.",
            "layers[i] is followed by activations[i + 1].",
        ),
        Misconception(
            "no-activation",
            written(_no_activation),
            "No activation is used: this deep network is one linear layer (lesson 01).",
            "Pass the result of every layer but the last through its activation.",
        ),
        Misconception(
            "only-first-activation",
            written(_only_first),
            "Only the input layer is followed by an activation.",
            "Inside the loop write x = activation(layer(x)).",
        ),
        Misconception(
            "no-hidden-layers",
            written(_no_hidden),
            "The hidden layers are never used.",
            "Loop over self.layers between the input layer and the output layer.",
        ),
        Misconception(
            "skips-last-hidden",
            written(_skips_last_hidden),
            "The last hidden layer is left out.",
            "range(n) already stops before n: there is nothing to subtract.",
        ),
        Misconception(
            "same-hidden-layer",
            written(_same_hidden),
            "You use layers[0] each time.",
            "The i-th step uses layers[i].",
        ),
        Misconception(
            "every-activation-each-time",
            written(_every_activation_each_time),
            "Two loops stand inside each other, so that all activations follow each layer.",
            "Let one loop walk through layers and activations together, with zip.",
        ),
        Misconception(
            "always-relu",
            written(_always_relu),
            "Your forward uses ReLU whatever activation it was given.",
            "Use the modules in self.activations.",
        ),
        Misconception(
            "activation-before-layer",
            written(_activation_first),
            "Each activation stands before its layer, also before the input layer.",
            "First the layer, then its activation: activation(layer(x)).",
        ),
        Misconception(
            "adds-input",
            written(_residual),
            "You add x to the result of each hidden layer; that is a residual network, and it comes "
            "later.",
            "x = activation(layer(x)), and nothing is added.",
        ),
        Misconception(
            "calls-forward",
            written(_without_hooks),
            "You call activation.forward(x); hooks see a module only when it is called itself.",
            "Write activation(x).",
        ),
        Misconception(
            "detached",
            written(_detached),
            "You cut the graph between the layers with detach(), so no gradient goes back.",
            "Compute with x itself.",
        ),
        Misconception(
            "returns-two-things",
            written(_keeps_what_it_passed),
            "You return the hidden results too.",
            "Return only what the output layer gives.",
        ),
        Misconception(
            "no-output-layer",
            written(_returns_hidden),
            "The output layer is not used.",
            "Return self.output_layer(x).",
        ),
        Misconception(
            "no-return",
            written(_no_return),
            "Your forward returns nothing.",
            "End with return self.output_layer(x).",
        ),
        Misconception(
            "squeezes",
            written(lambda self, x: Network.forward(self, x).squeeze()),
            "You squeeze the output, which loses the batch axis of a single image.",
            "Leave the shape (N, out) as it is.",
        ),
        Misconception(
            "one-shared-activation",
            written(Network.forward, _OneActivation),
            "All places in self.activations hold one and the same module.",
            "Take the constructor as it was given: activation() is called once for each place.",
        ),
    ),
)
