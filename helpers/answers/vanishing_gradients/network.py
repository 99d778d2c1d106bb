"""The forward pass of a deep network: the recipe, its slips, and answers written differently."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip

Tensor = torch.Tensor


class Given(nn.Module):
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


class Network(Given):
    """The forward pass from its parts."""

    def enter(self, x: Tensor) -> Any:
        return self.activations[0](self.input_layer(x))

    def places(self) -> Any:
        return zip(self.layers, self.activations[1:], strict=True)

    def step(self, x: Tensor, layer: Any, activation: Any) -> Any:
        return activation(layer(x))

    def leave(self, x: Tensor) -> Any:
        return self.output_layer(x)

    def hand_in(self, output: Tensor, x: Tensor) -> Any:
        return output

    def forward(self, x: Tensor) -> Any:
        x = self.enter(x)  # (N, hidden)
        for layer, activation in self.places():
            x = self.step(x, layer, activation)  # (N, hidden)
        return self.hand_in(self.leave(x), x)  # (N, out)


def written(forward: Callable[[Any, Tensor], Any]) -> type:
    """A network with this forward."""
    return type("Network", (Given,), {"forward": forward})


def by_index(self: Any, x: Tensor) -> Any:
    x = self.activations[0](self.input_layer(x))
    for i in range(len(self.layers)):
        x = self.activations[i + 1](self.layers[i](x))
    return self.output_layer(x)


def activation_before_layer(self: Any, x: Tensor) -> Any:
    x = self.input_layer(x)
    for activation, layer in zip(self.activations, self.layers, strict=False):
        x = layer(activation(x))
    return self.output_layer(self.activations[-1](x))


def one_list(self: Any, x: Tensor) -> Any:
    for layer, activation in zip([self.input_layer, *self.layers], self.activations, strict=True):
        x = activation(layer(x))
    return self.output_layer(x)


def sequential(self: Any, x: Tensor) -> Any:
    steps = [self.input_layer, self.activations[0]]
    for layer, activation in zip(self.layers, list(self.activations)[1:], strict=True):
        steps += [layer, activation]
    return nn.Sequential(*steps, self.output_layer)(x.flatten(1))


def enumerated(self: Any, inputs: Tensor) -> Any:
    out = self.activations[0](self.input_layer(inputs.view(inputs.shape[0], -1)))
    for i, fc in enumerate(self.layers, 1):
        out = fc(out)
        out = self.activations[i](out)
    logits = self.output_layer(out)
    return logits


class MadeInAnotherOrder(nn.Module):
    def __init__(
        self, input_dim: int, output_dim: int, activation: Any, num_layers: int = 5,
        hidden_dim: int = 100,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_layers = num_layers
        self.activations = nn.ModuleList([activation() for _ in range(num_layers + 1)])
        self.output_layer = nn.Linear(hidden_dim, output_dim)
        self.layers = nn.ModuleList()
        for _ in range(num_layers):
            self.layers.append(nn.Linear(hidden_dim, hidden_dim))
        self.input_layer = nn.Linear(input_dim, hidden_dim)

    forward = by_index


def built(share: bool = False, fewer: int = 0, layers: int = 5, hidden: int = 100) -> Any:
    """A constructor that differs from the given one."""

    def __init__(  # noqa: N807
        self: Any,
        input_dim: int,
        output_dim: int,
        activation: Any,
        num_layers: int = layers,
        hidden_dim: int = hidden,
    ) -> None:
        Given.__init__(self, input_dim, output_dim, activation, num_layers, hidden_dim)
        self.layers = self.layers[: num_layers - fewer]
        if share:
            self.activations = nn.ModuleList([self.activations[0]] * len(self.activations))

    return __init__


def all_activations(self: Any, x: Tensor, layer: Any, activation: Any) -> Any:
    for each in self.activations:
        x = each(x)
    return layer(x)


def all_then_output(self: Any, x: Tensor) -> Any:
    for each in self.activations:
        x = each(x)
    return self.output_layer(x)


def only_input(self: Any, x: Tensor) -> Any:
    return self.input_layer(x)


def from_the_first(self: Any) -> Any:
    """The loop begins with the first activation again."""
    return zip(self.layers, self.activations, strict=False)


def one_more_at_the_end(self: Any, x: Tensor) -> Any:
    return self.activations[-1](self.output_layer(x))


def lost(self: Any, x: Tensor, layer: Any, activation: Any) -> Any:
    activation(layer(x))
    return x


def without_graph(network: Any) -> Any:
    def forward(self: Any, x: Tensor) -> Any:
        with torch.no_grad():
            return network.forward(self, x)

    return type("Network", (network,), {"forward": forward})


FUNCTIONS = {"ReLU": torch.relu, "tanh": torch.tanh, "the sigmoid": torch.sigmoid}
"""Functions that people write in the place of the modules."""

PLACES = "activations[0] belongs to the input layer, activations[i + 1] to layers[i]."
LOGITS = "Return what the output layer gives."

ANSWERS = Answers(
    recipe=Recipe(Network),
    variants={
        "by index": written(by_index),
        "activation before each layer": written(activation_before_layer),
        "one list of layers": written(one_list),
        "a Sequential of the same modules": written(sequential),
        "another constructor": MadeInAnotherOrder,
        "as a textbook prints it: enumerate and view": written(enumerated),
    },
    slips=(
        slip(
            "activation-after-output",
            "You put an activation after the output layer; the loss needs plain numbers (logits).",
            LOGITS,
            {"leave": one_more_at_the_end},
            {"leave": lambda self, x: self.activations[0](self.output_layer(x))},
        ),
        slip(
            "activations-shifted",
            "Your activations are one place late: none after the input layer, one after the output.",
            PLACES,
            enter=only_input,
            places=from_the_first,
            leave=one_more_at_the_end,
        ),
        slip(
            "softmax-output",
            "You return probabilities; F.cross_entropy takes logits and does the softmax itself.",
            LOGITS,
            hand_in=lambda self, output, x: output.softmax(dim=-1),
        ),
        slip(
            "log-softmax-output",
            "You return log-probabilities; what is asked for are the plain outputs.",
            LOGITS,
            hand_in=lambda self, output, x: output.log_softmax(dim=-1),
        ),
        family(
            "function-after-output",
            "You put {constant} after the output layer; the loss needs plain numbers (logits).",
            LOGITS,
            FUNCTIONS,
            lambda c: {"hand_in": lambda self, output, x: FUNCTIONS[c](output)},
        ),
        slip(
            "returns-classes",
            "You return the most likely class, and its logits are asked for.",
            LOGITS,
            hand_in=lambda self, output, x: output.argmax(dim=-1),
        ),
        slip(
            "no-activation-after-input",
            "There is no activation after the input layer.",
            "Begin with x = self.activations[0](self.input_layer(x)).",
            enter=only_input,
        ),
        slip(
            "no-activation-after-input-shifted",
            "There is no activation after the input layer, and the last activation is never used.",
            PLACES,
            enter=only_input,
            places=from_the_first,
        ),
        slip(
            "first-activation-twice",
            "The loop begins with activations[0] again, so it is used twice and the last one never.",
            "Let the loop run over self.activations[1:].",
            places=from_the_first,
        ),
        slip(
            "one-activation-for-all",
            "You use activations[0] everywhere; a hook on the others will never see anything.",
            "layers[i] is followed by activations[i + 1].",
            places=lambda self: ((layer, self.activations[0]) for layer in self.layers),
        ),
        slip(
            "last-activation-for-all",
            "You use the last activation after every hidden layer.",
            "layers[i] is followed by activations[i + 1].",
            places=lambda self: ((layer, self.activations[-1]) for layer in self.layers),
        ),
        slip(
            "no-activation",
            "No activation is used: this deep network is one linear layer (lesson 01).",
            "Pass the result of every layer but the last through its activation.",
            enter=only_input,
            step=lambda self, x, layer, activation: layer(x),
        ),
        slip(
            "only-first-activation",
            "Only the input layer is followed by an activation.",
            "Inside the loop write x = activation(layer(x)).",
            step=lambda self, x, layer, activation: layer(x),
        ),
        slip(
            "no-activation-before-output",
            "There is no activation after the last hidden layer.",
            "Every hidden layer has one, the last one too: x = activation(layer(x)).",
            enter=only_input,
            places=from_the_first,
            step=lambda self, x, layer, activation: layer(activation(x)),
        ),
        slip(
            "activations-at-the-end",
            "Your activations follow one another after all of the layers.",
            "Let one loop walk through layers and activations together, with zip.",
            enter=only_input,
            step=lambda self, x, layer, activation: layer(x),
            leave=all_then_output,
        ),
        slip(
            "only-activations",
            "Your loop calls the activations and leaves out the hidden layers.",
            "Inside the loop write x = activation(layer(x)).",
            step=lambda self, x, layer, activation: activation(x),
        ),
        slip(
            "activation-twice",
            "Each hidden layer is followed by its activation twice.",
            "Inside the loop write x = activation(layer(x)), once.",
            step=lambda self, x, layer, activation: activation(activation(layer(x))),
        ),
        slip(
            "no-hidden-layers",
            "The hidden layers are never used.",
            "Loop over self.layers between the input layer and the output layer.",
            places=lambda self: (),
        ),
        slip(
            "result-lost",
            "Your loop calls the hidden layers and throws their results away.",
            "Inside the loop write x = activation(layer(x)).",
            step=lost,
        ),
        slip(
            "only-first-hidden",
            "Your loop ends after the first hidden layer.",
            "Put the return after the loop, and not inside of it.",
            places=lambda self: zip(self.layers[:1], self.activations[1:2], strict=True),
        ),
        slip(
            "skips-last-hidden",
            "The last hidden layer is left out.",
            "Walk through all of self.layers; a range(n) stops before n by itself.",
            places=lambda self: zip(self.layers[:-1], self.activations[1:], strict=False),
        ),
        slip(
            "skips-first-hidden",
            "The first hidden layer is left out.",
            "Walk through all of self.layers, from 0 on.",
            {"places": lambda self: zip(self.layers[1:], self.activations[2:], strict=True)},
            {"places": lambda self: zip(self.layers[1:], self.activations[1:], strict=False)},
        ),
        slip(
            "same-hidden-layer",
            "You use layers[0] each time.",
            "The i-th step uses layers[i].",
            places=lambda self: ((self.layers[0], a) for a in self.activations[1:]),
        ),
        slip(
            "hidden-backwards",
            "You walk through the hidden layers from the last one to the first.",
            "Go through self.layers in their order.",
            {"places": lambda self: [*zip(self.layers, self.activations[1:], strict=True)][::-1]},
            {"places": lambda self: zip(self.layers[::-1], self.activations[1:], strict=True)},
        ),
        slip(
            "activation-past-the-end",
            "You use self.activations[i + 2] after layers[i], which runs past the end.",
            PLACES,
            {
                "places": lambda self: (
                    (layer, self.activations[i + 2]) for i, layer in enumerate(self.layers)
                )
            },
        ),
        slip(
            "one-layer-too-many",
            "Your loop asks for one hidden layer more than there are.",
            "There are len(self.layers) hidden layers, and one activation more.",
            {"places": lambda self: ((self.layers[i], a) for i, a in enumerate(self.activations))},
            {
                "places": lambda self: (
                    (self.layers[i], self.activations[i + 1]) for i in range(len(self.layers) + 1)
                )
            },
        ),
        slip(
            "every-activation-each-time",
            "Two loops stand inside each other, so that all activations follow each layer.",
            "Let one loop walk through layers and activations together, with zip.",
            enter=only_input,
            step=all_activations,
        ),
        family(
            "always-the-same",
            "Your forward uses {constant} whatever activation it was given.",
            "Use the modules in self.activations.",
            FUNCTIONS,
            lambda c: {
                "enter": lambda self, x: FUNCTIONS[c](self.input_layer(x)),
                "step": lambda self, x, layer, activation: FUNCTIONS[c](layer(x)),
            },
        ),
        slip(
            "activation-before-layer",
            "Each activation stands before its layer, also before the input layer.",
            "First the layer, then its activation: activation(layer(x)).",
            enter=lambda self, x: self.input_layer(self.activations[0](x)),
            step=lambda self, x, layer, activation: layer(activation(x)),
        ),
        slip(
            "activation-before-hidden",
            "In your loop each activation stands before its layer, so two follow the input layer and "
            "none the last hidden one.",
            "First the layer, then its activation: activation(layer(x)).",
            step=lambda self, x, layer, activation: layer(activation(x)),
        ),
        slip(
            "adds-input",
            "You add x to the result of each hidden layer; that is a residual network, and it comes "
            "later.",
            "x = activation(layer(x)), and nothing is added.",
            step=lambda self, x, layer, activation: x + activation(layer(x)),
        ),
        slip(
            "calls-forward",
            "You call activation.forward(x); hooks see a module only when it is called itself.",
            "Write activation(x).",
            {
                "enter": lambda self, x: self.activations[0].forward(self.input_layer(x)),
                "step": lambda self, x, layer, activation: activation.forward(layer(x)),
            },
            {"step": lambda self, x, layer, activation: activation.forward(layer(x))},
        ),
        slip(
            "detached",
            "You cut the graph between the layers, so no gradient goes back.",
            "Compute with x itself, without detach(), .data or no_grad().",
            {"step": lambda self, x, layer, activation: activation(layer(x.detach()))},
            {"leave": lambda self, x: self.output_layer(x.detach())},
            {"hand_in": lambda self, output, x: output.detach()},
            {"around": without_graph},
        ),
        slip(
            "returns-two-things",
            "You return the hidden results too.",
            "Return only what the output layer gives.",
            {"hand_in": lambda self, output, x: (output, x)},
            {"hand_in": lambda self, output, x: [output, x]},
        ),
        slip(
            "no-output-layer",
            "The output layer is not used.",
            "Return self.output_layer(x).",
            leave=lambda self, x: x,
        ),
        slip(
            "no-return",
            "Your forward returns nothing.",
            "End with return self.output_layer(x).",
            hand_in=lambda self, output, x: None,
        ),
        slip(
            "squeezes",
            "You squeeze the output, which loses the batch axis of a single image.",
            "Leave the shape (N, out) as it is.",
            hand_in=lambda self, output, x: output.squeeze(),
        ),
        slip(
            "one-shared-activation",
            "All places in self.activations hold one and the same module.",
            "Take the constructor as it was given: activation() is called once for each place.",
            {"__init__": built(share=True)},
        ),
        slip(
            "one-hidden-layer-missing",
            "Your constructor makes one hidden layer too few.",
            "Take the constructor as it was given: num_layers counts the hidden layers.",
            {"__init__": built(fewer=1)},
        ),
        slip(
            "other-defaults",
            "Your constructor has other defaults than the given one.",
            "Take the constructor as it was given: num_layers=5, hidden_dim=100.",
            {"__init__": built(layers=3)},
            {"__init__": built(hidden=64)},
        ),
    ),
)
