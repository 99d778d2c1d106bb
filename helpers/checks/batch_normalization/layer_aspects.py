"""How to speak about what is looked at in a batch-normalisation module."""

from __future__ import annotations

from helpers.checking import Aspect
from helpers.checks.batch_normalization.by_hand import value_aspect

STATE = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
"""The names in the state_dict of PyTorch's layers: two parameters and three buffers."""


def layer_aspects(cls: str) -> dict[str, Aspect]:
    new = f"layer = {cls}({{channels}}{{more}})"
    loads = "layer.load_state_dict(torch_layer.state_dict())"
    in_training = f"{new}; layer({{x}}) in training"
    ordinals = {1: "", 2: " of the second batch", 3: " of the third batch"}
    both = {
        "y of a new layer in eval mode": value_aspect(
            f"{new}; layer.eval(); layer(x)",
            "The output of a new layer in evaluation mode is wrong.",
        ),
        "y after train()": value_aspect(
            f"{new}; eval() and then train() of its parent; layer(x)",
            "The output is wrong after evaluation mode has been switched off again.",
        ),
    }
    for i, which in ordinals.items():
        both[f"y in batch {i}"] = value_aspect(
            in_training, f"The output{which} in training is wrong."
        )
        for name in ("x", "weight", "bias"):
            both[f"gradient of {name} in batch {i}"] = value_aspect(
                f"{in_training}; the gradient of {name}",
                f"The gradient of {name} in training is wrong.",
            )
        for key in STATE[2:]:
            both[f"{key} after batch {i}"] = value_aspect(
                f"{new}; layer(x) in training, {i} time{'s'[: i > 1]}; layer.{key}",
                f"{key} is wrong after {i} batch{'es' if i > 1 else ''} in training.",
            )
    both["y in eval mode"] = value_aspect(
        f"{new}; training; then eval() of its parent; layer(x)",
        "The output in evaluation mode is wrong.",
    )
    for name in ("x", "weight", "bias"):
        both[f"gradient of {name} in eval mode"] = value_aspect(
            f"{new}; eval() of its parent; layer(x); the gradient of {name}",
            f"The gradient of {name} in evaluation mode is wrong.",
        )
    for key in STATE[2:]:
        both[f"{key} after eval mode"] = value_aspect(
            f"{new}; layer(x) in evaluation mode; layer.{key}",
            f"{key} is not the same any more after a batch in evaluation mode.",
        )
    alone = {
        "connected": Aspect(
            f"{new}; layer(x).requires_grad", "Autograd cannot see through your layer."
        ),
        "parameters": Aspect(
            f"{new}; the names of layer.named_parameters()", "The parameters have other names."
        ),
        "state_dict": Aspect(
            f"{new}; the names in layer.state_dict()",
            "The state_dict does not have the five names of PyTorch's layer.",
        ),
        "shapes": Aspect(
            f"{new}; shapes and dtypes in layer.state_dict()",
            "The shapes or dtypes in the state_dict are not those of PyTorch's layer.",
        ),
        "graph": Aspect(
            f"{new}; layer(x) in training; layer.running_mean.requires_grad",
            "The running statistics are part of the graph.",
        ),
        "x afterwards": Aspect(f"{new}; layer(x), and then x", "Your layer changed x."),
        "one value in training": Aspect(
            f"{new}; layer(x) in training for x of shape {{shape}}",
            "One value per channel in training must be refused with a ValueError.",
        ),
        "one value in eval mode": Aspect(
            f"{new}; layer.eval(); layer(x) for x of shape {{shape}}",
            "One value per channel is enough in evaluation mode.",
        ),
        "one image in training": Aspect(
            f"{new}; layer(x) in training for x of shape {{shape}}",
            "One image has many values per channel; it is a batch like any other.",
        ),
        "loading from torch": Aspect(loads, "PyTorch's state_dict cannot be loaded."),
        "y with torch's state": Aspect(
            f"{loads}; layer.eval(); layer(x)",
            "The output with the state of PyTorch's layer is wrong.",
        ),
        "loading into torch": Aspect(
            "torch_layer.load_state_dict(layer.state_dict())",
            "Your state_dict cannot be loaded into PyTorch's layer.",
        ),
        "y on another device": Aspect(
            f"{new}.to(device); layer(x)", "The output on another device is wrong."
        ),
        "y in eval mode on another device": Aspect(
            f"{new}.to(device).eval(); layer(x)", "The output on another device is wrong."
        ),
        "running_mean on another device": Aspect(
            f"{new}.to(device); layer.running_mean", "running_mean did not move with the layer."
        ),
    }
    for key in STATE:
        alone[f"new {key}"] = Aspect(f"{new}; layer.{key}", f"A new layer has a wrong {key}.")
        alone[f"torch's {key}"] = Aspect(
            f"torch_layer.load_state_dict(layer.state_dict()); torch_layer.{key}",
            f"PyTorch's layer received a wrong {key}.",
        )
    for key in STATE[2:]:
        alone[f"{key} after torch's state"] = Aspect(
            f"{loads}; layer(x) in training; layer.{key}",
            f"{key} is wrong after a state_dict was loaded.",
        )
    return {**both, **alone}
