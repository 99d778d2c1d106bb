"""Parameter groups for weight decay: right and wrong answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from helpers.checking.check import Answers, Misconception

Groups = list[dict[str, Any]]
Rule = Callable[[nn.Module, str, nn.Parameter], bool]

NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)


def _spared(module: nn.Module, name: str, parameter: nn.Parameter) -> bool:
    return "bias" in name or isinstance(module, NORMS)


def _sorted_by(rule: Rule, frozen: bool = False, again: bool = False) -> Any:
    """The two groups by a rule about a module, its parameter's own name and the parameter."""

    def parameter_groups(model: nn.Module, weight_decay: float) -> Groups:
        decayed: list[nn.Parameter] = []
        spared: list[nn.Parameter] = []
        seen: set[int] = set()
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if (id(parameter) in seen and not again) or not (parameter.requires_grad or frozen):
                    continue
                seen.add(id(parameter))
                (spared if rule(module, name, parameter) else decayed).append(parameter)
        return [
            {"params": decayed, "weight_decay": weight_decay},
            {"params": spared, "weight_decay": 0.0},
        ]

    return parameter_groups


parameter_groups = _sorted_by(_spared)


def by_identity(model: nn.Module, weight_decay: float) -> Groups:
    """Collect what is spared, then walk through the parameters, the other group first."""
    spared = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    free = [p for n, p in trained if id(p) in spared or "bias" in n.rsplit(".", 1)[-1]]
    kept = {id(p) for p in free}
    return [
        {"params": free, "weight_decay": 0, "name": "free"},
        {"params": (p for _, p in trained if id(p) not in kept), "weight_decay": weight_decay},
    ]


def by_class_name(model: nn.Module, weight_decay: float) -> Groups:
    """Also spares 0-d and 1-d parameters, and drops a group that is empty."""
    chosen: dict[bool, dict[int, nn.Parameter]] = {True: {}, False: {}}
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            is_free = p.ndim < 2 or "Norm" in type(module).__name__ or "bias" in name
            if p.requires_grad:
                chosen[is_free][id(p)] = p
    groups = [
        {"params": list(chosen[False].values()), "weight_decay": weight_decay},
        {"params": list(chosen[True].values()), "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def with_names(model: nn.Module, weight_decay: float) -> Groups:
    """Pairs (name, parameter), as torch's optimisers take them too."""
    names = {id(p): n for n, p in model.named_parameters()}
    return [
        {**group, "params": [(names[id(p)], p) for p in group["params"]]}
        for group in parameter_groups(model, weight_decay)
    ]


def _by_full_name(rule: Callable[[str, nn.Parameter], bool]) -> Any:
    def function(model: nn.Module, weight_decay: float) -> Groups:
        trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        return [
            {"params": [p for n, p in trained if not rule(n, p)], "weight_decay": weight_decay},
            {"params": [p for n, p in trained if rule(n, p)], "weight_decay": 0.0},
        ]

    return function


def _swapped(model: nn.Module, weight_decay: float) -> Groups:
    first, second = parameter_groups(model, weight_decay)
    return [{**first, "weight_decay": 0.0}, {**second, "weight_decay": weight_decay}]


def _default(model: nn.Module, weight_decay: float) -> Groups:
    first, second = parameter_groups(model, weight_decay)
    return [first, {"params": second["params"]}]


def _fixed(model: nn.Module, weight_decay: float) -> Groups:
    return parameter_groups(model, 0.01)


def _one_per_parameter(model: nn.Module, weight_decay: float) -> Groups:
    return [
        {"params": [p], "weight_decay": group["weight_decay"]}
        for group in parameter_groups(model, weight_decay)
        for p in group["params"]
    ]


def _names_only(model: nn.Module, weight_decay: float) -> Groups:
    names = {id(p): n for n, p in model.named_parameters()}
    return [
        {**group, "params": [names[id(p)] for p in group["params"]]}
        for group in parameter_groups(model, weight_decay)
    ]


def _children_only(model: nn.Module, weight_decay: float) -> Groups:
    modules = list(model.children()) or [model]
    pairs = [(m, n, p) for m in modules for n, p in m.named_parameters(recurse=False)]
    pairs = [entry for entry in pairs if entry[2].requires_grad]
    return [
        {"params": [p for m, n, p in pairs if not _spared(m, n, p)], "weight_decay": weight_decay},
        {"params": [p for m, n, p in pairs if _spared(m, n, p)], "weight_decay": 0.0},
    ]


def _known_layers_only(model: nn.Module, weight_decay: float) -> Groups:
    """Only linear and convolutional layers are decayed; the rest is spared."""
    layers = (nn.Linear, nn.Conv1d, nn.Conv2d)
    rule: Rule = lambda m, n, p: not (isinstance(m, layers) and n == "weight")  # noqa: E731
    return _sorted_by(rule)(model, weight_decay)


def _freezes(model: nn.Module, weight_decay: float) -> Groups:
    groups = parameter_groups(model, weight_decay)
    for p in groups[1]["params"]:
        p.requires_grad_(False)
    return groups


def _bias_anywhere(model: nn.Module, weight_decay: float) -> Groups:
    norms = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    return _by_full_name(lambda n, p: "bias" in n or id(p) in norms)(model, weight_decay)


BATCH_NORM = nn.modules.batchnorm._BatchNorm

ANSWERS = Answers(
    reference=parameter_groups,
    variants={
        "by identity, a generator inside": by_identity,
        "by class name, without empty groups": by_class_name,
        "pairs with names": with_names,
        "a tuple of groups": lambda m, wd: tuple(parameter_groups(m, wd)),
    },
    misconceptions=(
        Misconception(
            "decays-everything",
            _sorted_by(lambda m, n, p: False),
            "You decay all parameters, biases and normalisation layers too.",
            "Sort them: two lists, one loop.",
        ),
        Misconception(
            "only-biases",
            _sorted_by(lambda m, n, p: "bias" in n),
            "You spare the biases but decay the weights of normalisation layers.",
            "Ask isinstance(module, ...) for the module that holds the parameter.",
        ),
        Misconception(
            "only-norms",
            _sorted_by(lambda m, n, p: isinstance(m, NORMS)),
            "You spare the normalisation layers but decay the other biases.",
            "A parameter whose own name contains 'bias' is not decayed.",
        ),
        Misconception(
            "by-axes",
            _sorted_by(lambda m, n, p: p.ndim < 2),
            "You sort by the number of axes, and a LayerNorm over two axes has a weight with two.",
            "Ask what kind of module holds the parameter, not how many axes it has.",
        ),
        Misconception(
            "only-batch-norm",
            _sorted_by(lambda m, n, p: "bias" in n or isinstance(m, BATCH_NORM)),
            "You spare BatchNorm only; there are other normalisation layers.",
            "LayerNorm, GroupNorm, InstanceNorm and RMSNorm belong to them too.",
        ),
        Misconception(
            "no-group-norm",
            _sorted_by(
                lambda m, n, p: (
                    "bias" in n or isinstance(m, (nn.modules.batchnorm._NormBase, nn.LayerNorm))
                )
            ),
            "You forgot GroupNorm or RMSNorm.",
            "Look through torch.nn for the classes whose name contains Norm.",
        ),
        Misconception(
            "by-full-name",
            _by_full_name(lambda n, p: "bias" in n or "norm" in n),
            "You look for words in the full name, and a layer's name does not say what it is.",
            "In nn.Sequential a BatchNorm is called '1': ask isinstance(module, ...).",
        ),
        Misconception(
            "bias-anywhere-in-name",
            _bias_anywhere,
            "You look for 'bias' in the full name, and a layer may be called 'debias'.",
            "Only the last part of the name is the parameter's own: name.split('.')[-1].",
        ),
        Misconception(
            "ends-with-bias",
            _sorted_by(lambda m, n, p: n.endswith("bias") or isinstance(m, NORMS)),
            "You ask for names that end in 'bias', and an LSTM has bias_ih_l0.",
            "Ask whether the parameter's own name contains 'bias'.",
        ),
        Misconception(
            "exactly-bias",
            _sorted_by(lambda m, n, p: n == "bias" or isinstance(m, NORMS)),
            "You ask for the name 'bias' exactly; there are in_proj_bias and bias_ih_l0 as well.",
            "Ask whether the parameter's own name contains 'bias'.",
        ),
        Misconception(
            "known-layers-only",
            _known_layers_only,
            "You decay linear and convolutional layers only and spare all the rest.",
            "Turn it round: name what is spared, and decay everything else.",
        ),
        Misconception(
            "spares-embeddings",
            _sorted_by(lambda m, n, p: _spared(m, n, p) or isinstance(m, nn.Embedding)),
            "You spare embeddings; here only biases and normalisation layers are spared.",
            "The weight of nn.Embedding is decayed.",
        ),
        Misconception(
            "includes-frozen",
            _sorted_by(_spared, frozen=True),
            "You put frozen parameters into the groups.",
            "Look at requires_grad of each parameter.",
        ),
        Misconception(
            "shared-twice",
            _sorted_by(_spared, again=True),
            "A weight that two layers share stands in your groups twice.",
            "Remember what you have seen, by identity: a set of id(parameter).",
        ),
        Misconception(
            "children-only",
            _children_only,
            "You look at the outermost modules only.",
            "model.modules() walks through all modules, also those inside others.",
        ),
        Misconception(
            "swapped",
            _swapped,
            "Your groups have changed places: biases decay and weights do not.",
            "Look at which list gets which weight_decay.",
        ),
        Misconception(
            "relies-on-default",
            _default,
            "Your second group does not say weight_decay, so the optimiser's default holds: 0.01 in AdamW.",
            "Write 'weight_decay': 0.0 into the group.",
        ),
        Misconception(
            "fixed-decay",
            _fixed,
            "Your function does not use the weight decay that it is given.",
            "Use the argument weight_decay.",
        ),
        Misconception(
            "one-group-each",
            _one_per_parameter,
            "You make a group for every parameter.",
            "Collect the parameters in two lists first.",
        ),
        Misconception(
            "names-only",
            _names_only,
            "Your groups hold the names of the parameters, not the parameters.",
            "Put the parameter itself into the list.",
        ),
        Misconception(
            "freezes-spared",
            _freezes,
            "You froze the parameters that should not decay, so they do not learn any more.",
            "No weight decay is not the same as no training: leave requires_grad alone.",
        ),
    ),
)
