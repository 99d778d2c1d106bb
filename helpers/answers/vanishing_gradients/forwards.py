"""Forward passes of a deep network, right and wrong, as students write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


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


def by_index(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for i in range(len(self.layers)):
        x = self.activations[i + 1](self.layers[i](x))
    return self.output_layer(x)


def activation_before_layer(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for activation, layer in zip(self.activations, self.layers, strict=False):
        x = layer(activation(x))
    return self.output_layer(self.activations[-1](x))


def one_list(self: Any, x: torch.Tensor) -> torch.Tensor:
    for layer, activation in zip([self.input_layer, *self.layers], self.activations, strict=True):
        x = activation(layer(x))
    return self.output_layer(x)


def sequential(self: Any, x: torch.Tensor) -> torch.Tensor:
    steps = [self.input_layer, self.activations[0]]
    for layer, activation in zip(self.layers, list(self.activations)[1:], strict=True):
        steps += [layer, activation]
    return nn.Sequential(*steps, self.output_layer)(x.flatten(1))


class MadeInAnotherOrder(Network):
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


def after_output(self: Any, x: torch.Tensor) -> torch.Tensor:
    return self.activations[-1](Network.forward(self, x))


def shifted_to_output(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer, activation in zip(self.layers, self.activations, strict=False):
        x = activation(layer(x))
    return self.activations[-1](self.output_layer(x))


def no_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation(layer(x))
    return self.output_layer(x)


def no_first_shifted(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer, activation in zip(self.layers, self.activations, strict=False):
        x = activation(layer(x))
    return self.output_layer(x)


def first_twice(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations, strict=False):
        x = activation(layer(x))
    return self.output_layer(x)


def always_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer in self.layers:
        x = self.activations[0](layer(x))
    return self.output_layer(x)


def no_activation(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer in self.layers:
        x = layer(x)
    return self.output_layer(x)


def only_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer in self.layers:
        x = layer(x)
    return self.output_layer(x)


def no_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    return self.output_layer(self.activations[0](self.input_layer(x)))


def skips_last_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for i in range(len(self.layers) - 1):
        x = self.activations[i + 1](self.layers[i](x))
    return self.output_layer(x)


def same_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for i in range(len(self.layers)):
        x = self.activations[i + 1](self.layers[0](x))
    return self.output_layer(x)


def every_activation_each_time(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(x)
    for layer in self.layers:
        for activation in self.activations:
            x = activation(x)
        x = layer(x)
    return self.output_layer(x)


def always_relu(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = torch.relu(self.input_layer(x))
    for layer in self.layers:
        x = torch.relu(layer(x))
    return self.output_layer(x)


def activation_first(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.input_layer(self.activations[0](x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = layer(activation(x))
    return self.output_layer(x)


def residual(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = x + activation(layer(x))
    return self.output_layer(x)


def without_hooks(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0].forward(self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation.forward(layer(x))
    return self.output_layer(x)


def detached(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation(layer(x.detach()))
    return self.output_layer(x.detach())


def keeps_what_it_passed(self: Any, x: torch.Tensor) -> Any:
    passed = [self.activations[0](self.input_layer(x))]
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        passed.append(activation(layer(passed[-1])))
    return self.output_layer(passed[-1]), passed


def returns_hidden(self: Any, x: torch.Tensor) -> torch.Tensor:
    x = self.activations[0](self.input_layer(x))
    for layer, activation in zip(self.layers, self.activations[1:], strict=True):
        x = activation(layer(x))
    return x


def no_return(self: Any, x: torch.Tensor) -> None:
    Network.forward(self, x)


class OneActivation(Parts):
    """All places hold one and the same module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.activations = nn.ModuleList([self.activations[0]] * len(self.activations))
