"""Parameter groups for weight decay: the recipe, its slips, and other right answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from helpers.checking.recipe import Answers, Recipe, family, slip

Groups = list[dict[str, Any]]

NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)


def _two_groups(decayed: Any, spared: Any, weight_decay: float) -> Groups:
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]


def _own(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return module.named_parameters(recurse=False)


def _with_inner(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return module.named_parameters()


def grouping(
    modules: Any = lambda model: model.named_modules(),
    held: Any = _own,
    counts: Any = lambda p: p.requires_grad,
    once: bool = True,
    is_bias: Any = lambda name, full, p: "bias" in name,
    is_norm: Any = lambda module, full, p: isinstance(module, NORMS),
    is_other: Any = lambda module, name, p: False,
    collect: Any = list,
    groups: Any = _two_groups,
    afterwards: Any = lambda spared: None,
) -> Callable[[nn.Module, float], Any]:
    """Each module's own parameters, once, sorted by their names and by the module's kind.

    `full` is the whole name; `is_other` what else is spared.
    """

    def parameter_groups(model: nn.Module, weight_decay: float) -> Any:
        decayed: list[nn.Parameter] = []
        spared: list[nn.Parameter] = []
        seen: set[int] = set()
        for path, module in modules(model):
            for name, p in held(module):
                if not counts(p) or (once and id(p) in seen):
                    continue
                seen.add(id(p))
                full = f"{path}.{name}".lstrip(".")
                free = is_bias(name, full, p) or is_norm(module, full, p)
                (spared if free or is_other(module, name, p) else decayed).append(p)
        afterwards(spared)
        return groups(collect(decayed), collect(spared), weight_decay)

    return parameter_groups


parameter_groups = grouping()


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


def names_that_decay(model: nn.Module, weight_decay: float) -> Groups:
    """As a library of transformers prints it: first the names outside normalisation layers."""

    def names(module: nn.Module, kinds: Any) -> list[str]:
        inner = [
            f"{name}.{n}"
            for name, child in module.named_children()
            if not isinstance(child, kinds)
            for n in names(child, kinds)
        ]
        return inner + [n for n, _ in module.named_parameters(recurse=False)]

    decay = [] if isinstance(model, NORMS) else names(model, NORMS)
    decay = [name for name in decay if "bias" not in name]
    trained = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    return [
        {"params": [p for n, p in trained if n in decay], "weight_decay": weight_decay},
        {"params": [p for n, p in trained if n not in decay], "weight_decay": 0.0},
    ]


def _known(*kinds: type) -> dict[str, Any]:
    """Only the weights of these layers are decayed; the rest is spared."""
    return {"is_other": lambda m, n, p: not (isinstance(m, kinds) and n == "weight"), "held": _own}


def _only(*kinds: type) -> dict[str, Any]:
    return {"is_norm": lambda module, full, p: isinstance(module, kinds)}


def _by_words(*words: str, lower: bool = False) -> dict[str, Any]:
    """The kind of a layer by words in its name."""

    def is_norm(module: nn.Module, full: str, p: nn.Parameter) -> bool:
        return any(word in (full.lower() if lower else full) for word in words)

    return {"is_norm": is_norm}


def _one_each(decayed: Any, spared: Any, weight_decay: float) -> Groups:
    groups = _two_groups(decayed, spared, weight_decay)
    return [{**group, "params": [p]} for group in groups for p in group["params"]]


def _children(model: nn.Module) -> Any:
    return list(model.named_children()) or [("", model)]


def _texts(parameters: list[nn.Parameter]) -> list[str]:
    return [f"weight {i}" for i, _ in enumerate(parameters)]


def _freeze(spared: list[nn.Parameter]) -> None:
    for p in spared:
        p.requires_grad_(False)


def _never(*_: Any) -> bool:
    return False


LISTS = {
    "BatchNorm": (nn.modules.batchnorm._BatchNorm,),
    "LayerNorm": (nn.LayerNorm,),
    "BatchNorm and LayerNorm": (nn.modules.batchnorm._BatchNorm, nn.LayerNorm),
    "BatchNorm and GroupNorm": (nn.modules.batchnorm._BatchNorm, nn.GroupNorm),
    "BatchNorm, LayerNorm and GroupNorm": (
        nn.modules.batchnorm._BatchNorm,
        nn.LayerNorm,
        nn.GroupNorm,
    ),
    "BatchNorm, InstanceNorm and LayerNorm": (nn.modules.batchnorm._NormBase, nn.LayerNorm),
    "BatchNorm, InstanceNorm, LayerNorm and GroupNorm": NORMS[:3],
}
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
BY_AXES: Any = lambda name, full, p: p.ndim < 2  # noqa: E731

ANSWERS = Answers(
    recipe=Recipe(grouping),
    variants={
        "by identity, a generator inside": by_identity,
        "by class name, without empty groups": by_class_name,
        "pairs with names": with_names,
        "a tuple of groups": lambda m, wd: tuple(parameter_groups(m, wd)),
        "one axis, or a normalisation layer": grouping(is_bias=BY_AXES),
        "as a library prints it: the names that decay": names_that_decay,
    },
    slips=(
        slip(
            "bias-by-axes",
            "You know biases by their one axis, and there are biases of two axes, such as (1, 4).",
            "A bias is a parameter whose own name contains 'bias'.",
            is_bias=BY_AXES,
        ),
        slip(
            "spares-embeddings",
            "You spare embeddings; here only biases and normalisation layers are spared.",
            "The weight of nn.Embedding is decayed.",
            is_other=lambda m, n, p: isinstance(m, nn.Embedding),
        ),
        slip(
            "bias-anywhere-in-name",
            "You look for 'bias' in the full name, and a layer may be called 'debias'.",
            "Only the last part of the name is the parameter's own: name.split('.')[-1].",
            is_bias=lambda name, full, p: "bias" in full,
        ),
        slip(
            "decays-everything",
            "You decay all parameters, biases and normalisation layers too.",
            "Sort them: two lists, one loop.",
            is_bias=_never,
            is_norm=_never,
        ),
        slip(
            "only-biases",
            "You sort out the biases alone; the weights of normalisation layers belong with them.",
            "Ask isinstance(module, ...) for the module that holds the parameter.",
            is_norm=_never,
        ),
        slip(
            "only-norms",
            "You spare the normalisation layers but decay the other biases.",
            "A parameter whose own name contains 'bias' is not decayed.",
            is_bias=_never,
        ),
        slip(
            "by-axes",
            "You sort by the number of axes, and a LayerNorm over two axes has a weight with two.",
            "Ask what kind of module holds the parameter, not how many axes it has.",
            {"is_bias": BY_AXES, "is_norm": _never},
            {"is_bias": lambda name, full, p: p.ndim < 2 or "bias" in name, "is_norm": _never},
        ),
        slip(
            "by-name-of-layer",
            "You look for words in the full name, and a layer's name does not say what it is.",
            "In nn.Sequential a BatchNorm is called '1': ask isinstance(module, ...).",
            _by_words("norm"),
            _by_words("norm", lower=True),
            _by_words("LayerNorm.weight"),
            _by_words("LayerNorm"),
            _by_words("bn"),
            _by_words("_bn"),
            _by_words("norm", "bn"),
            _by_words("norm", "bn", lower=True),
            _by_words("norm", "bn", "ln", lower=True),
            _by_words("LayerNorm.weight", "bn"),
            _by_words("BatchNorm", "LayerNorm"),
        ),
        family(
            "some-norms-only",
            "You spare {constant} only; there are other normalisation layers.",
            "NORMALISATION above the function lists them all.",
            LISTS,
            lambda name: _only(*LISTS[name]),
        ),
        slip(
            "ends-with-bias",
            "You ask for names that end in 'bias', and an LSTM has bias_ih_l0.",
            "Ask whether the parameter's own name contains 'bias'.",
            is_bias=lambda name, full, p: name.endswith("bias"),
        ),
        slip(
            "exactly-bias",
            "You ask for the name 'bias' exactly; there are in_proj_bias and bias_ih_l0 as well.",
            "Ask whether the parameter's own name contains 'bias'.",
            is_bias=lambda name, full, p: name == "bias",
        ),
        slip(
            "known-layers-only",
            "You decay weights that you list, by layer or by name, and spare all the rest, such as "
            "those of an LSTM.",
            "Turn it round: name what is spared, and decay everything else.",
            _known(nn.Linear),
            _known(nn.Linear, nn.Conv2d),
            _known(nn.Linear, *CONVOLUTIONS),
            _known(nn.Linear, *CONVOLUTIONS, nn.Embedding),
            {"is_other": lambda m, n, p: not n.endswith("weight"), "held": _own},
        ),
        slip(
            "includes-frozen",
            "You put frozen parameters into the groups.",
            "Look at requires_grad of each parameter.",
            counts=lambda p: True,
        ),
        slip(
            "shared-twice",
            "A weight that two layers share stands in your groups twice.",
            "Remember what you have seen, by identity: a set of id(parameter).",
            once=False,
        ),
        slip(
            "children-only",
            "You look at the outermost modules only.",
            "model.modules() walks through all modules, also those inside others.",
            {"modules": lambda model: model.named_children()},
            {"modules": _children},
        ),
        slip(
            "whole-children",
            "You sort each outermost module as a whole, and inside it there are others.",
            "model.modules() walks through all modules, also those inside others.",
            {"modules": lambda model: model.named_children(), "held": _with_inner, "once": True},
            {"modules": _children, "held": _with_inner, "once": True},
        ),
        slip(
            "recurses",
            "You take also the parameters of the modules inside a module, so the model itself "
            "comes first and holds them all.",
            "module.named_parameters(recurse=False) gives those that the module holds itself.",
            {"held": _with_inner},
            {"held": _with_inner, "once": False},
        ),
        slip(
            "swapped",
            "Your groups have changed places: biases decay and weights do not.",
            "Look at which list gets which weight_decay.",
            groups=lambda decayed, spared, wd: _two_groups(spared, decayed, wd),
        ),
        slip(
            "same-decay",
            "Both of your groups have the same weight decay.",
            "The second group gets 'weight_decay': 0.0.",
            {"groups": lambda d, s, wd: [{"params": x, "weight_decay": wd} for x in (d, s)]},
            {"groups": lambda d, s, wd: [{"params": x, "weight_decay": 0.0} for x in (d, s)]},
        ),
        slip(
            "relies-on-default",
            "One of your groups does not say weight_decay, so the optimiser's default holds: 0.01 "
            "in AdamW.",
            "Write 'weight_decay': 0.0 into the group that is spared.",
            {"groups": lambda d, s, wd: [{"params": d, "weight_decay": wd}, {"params": s}]},
            {"groups": lambda d, s, wd: [{"params": d}, {"params": s, "weight_decay": 0.0}]},
        ),
        slip(
            "drops-the-spared",
            "Your groups lack the parameters that do not decay, so they would not be trained.",
            "They need a group of their own, with 'weight_decay': 0.0.",
            groups=lambda d, s, wd: [{"params": d, "weight_decay": wd}],
        ),
        slip(
            "two-lists",
            "You return two lists of parameters, and two dicts are meant.",
            "Each group is a dict with the keys 'params' and 'weight_decay'.",
            groups=lambda d, s, wd: (d, s),
        ),
        slip(
            "one-dict",
            "You return one dict, and a list of two dicts is meant.",
            "Each group is a dict of its own, with the keys 'params' and 'weight_decay'.",
            {"groups": lambda d, s, wd: {"decayed": d, "spared": s}},
            {"groups": lambda d, s, wd: {"params": d, "weight_decay": wd}},
        ),
        slip(
            "an-optimiser",
            "You return an optimiser, and the groups for one are meant.",
            "Return the list of the two dicts.",
            groups=lambda d, s, wd: torch.optim.SGD(_two_groups(d, s, wd), lr=0.1),
        ),
        family(
            "fixed-decay",
            "Your function uses the number {constant} and not the weight decay that it is given.",
            "Use the argument weight_decay.",
            (0.01, 0.1, 0.001, 1e-4, 5e-4),
            lambda c: {"groups": lambda d, s, wd: _two_groups(d, s, c)},
        ),
        slip(
            "one-group-each",
            "You make a group for every parameter.",
            "Collect the parameters in two lists first.",
            {"groups": _one_each},
        ),
        slip(
            "names-only",
            "Your groups hold texts and not the parameters.",
            "Put the parameter itself into the list.",
            {"collect": _texts},
        ),
        slip(
            "copies",
            "Your groups hold copies of the parameters, which an optimiser would change in vain.",
            "Put the parameter itself into the list, without .data, detach() or clone().",
            collect=lambda parameters: [p.detach().clone() for p in parameters],
        ),
        slip(
            "sets",
            "Your groups hold sets, which PyTorch's optimisers refuse, since a set has no order.",
            "Collect the parameters in lists; a set of id(parameter) tells which ones you have.",
            {"collect": set},
        ),
        slip(
            "freezes-spared",
            "You froze the parameters that should not decay, so they do not learn any more.",
            "No weight decay is not the same as no training: leave requires_grad alone.",
            afterwards=_freeze,
        ),
    ),
)
