"""Check of SpectralNormLinear: a linear layer whose weight is divided by its largest stretch.

Right layers differ in the order of the power iteration and in what else they store, so everything
is looked at after it has converged: the singular values of the weights halve from one to the next,
and what is left of the start after `FORWARDS` steps is below the tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from helpers.checking import Argument, Aspect, Case, Check, run_check
from helpers.checks.weight_and_spectral_norm.layers import (
    assign,
    in_a_model,
    parameters_of,
    parts_of_torch,
    saved_among,
)
from helpers.checks.weight_and_spectral_norm.matrices import (
    NoticeMatrixNorms,
    with_singular_values,
)
from helpers.checks.weight_and_spectral_norm.power import OWN_DECOMPOSITIONS

FORWARDS = 12
EVALUATIONS = 3
"""So many passes in evaluation would move u, if they could."""


def _cases(rng: torch.Generator) -> Iterator[Case]:
    def case(
        name: str,
        out_features: int,
        in_features: int,
        x_shape: tuple[int, ...],
        *,
        largest: float = 3.0,
        forwards: int = FORWARDS,
        n: int = 1,
        shift: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ) -> Case:
        def weight(first: float, ratio: float) -> torch.Tensor:
            values = [first * ratio**i for i in range(min(out_features, in_features))]
            return with_singular_values(rng, out_features, in_features, values, dtype)

        def draw(*shape: int) -> torch.Tensor:
            return torch.randn(shape, generator=rng, dtype=dtype)

        close_weight = weight(2.0, 0.95)
        return Case(
            name,
            in_features=in_features,
            out_features=out_features,
            settings="" if n == 1 else f", n_power_iterations={n}",
            n=n,
            forwards=forwards,
            weight=weight(largest, 0.5),
            next_weight=weight(2.0, 0.5),
            close_weight=close_weight,
            left=torch.linalg.svd(close_weight.double()).U,
            bias=draw(out_features),
            x=draw(*x_shape, in_features) + shift,
            upstream=draw(*x_shape, out_features),
        )

    yield case("two outputs", 2, 3, (4,))
    yield case("a weight that shrinks every vector", 3, 2, (4,), largest=0.4)
    yield case("as many outputs as inputs", 3, 3, (4,), dtype=torch.float64)
    yield case("one pass with many iterations", 4, 3, (3,), forwards=1, n=FORWARDS)
    yield case("two leading axes", 2, 4, (2, 3))
    yield case("inputs near 1000", 3, 2, (4,), shift=1e3)
    yield case("no leading axis", 3, 2, ()).beyond()


def _observe(make: Any, case: Case) -> Iterator[tuple[str, Any]]:
    def new() -> Any:
        sizes = (case.in_features, case.out_features)
        return make(*sizes) if case.n == 1 else make(*sizes, n_power_iterations=case.n)

    layer = new()
    yield "parameters", parameters_of(layer)
    yield "torch's parts", parts_of_torch(layer)
    yield "buffer u", _shape_of_u(layer)
    yield "saved", saved_among(layer, ("bias", "weight", "u"))
    if case.out_features > 1:
        yield "starts", len({str(made.u.tolist()) for made in (layer, new(), new())})
    model = in_a_model(layer).to(case.x.dtype)
    assign(layer, weight=case.weight, bias=case.bias)
    yield from _in_training(model, layer, case)
    yield "output in evaluation", model.eval()(case.x)
    yield "output in evaluation again", model(case.x)
    other = new().to(case.x.dtype)
    other.load_state_dict(layer.state_dict())
    yield "output of a loaded copy", other.eval()(case.x)
    yield from _after_new_weights(model, layer, case)
    if min(case.in_features, case.out_features) > 1 and case.x.dim() == 2:
        yield "second direction", _second_direction(model.double(), layer, case)
        yield "one pass", _progress(model, layer, case)


def _shape_of_u(layer: Any) -> str:
    u = dict(layer.named_buffers()).get("u")
    return "no buffer u" if u is None else f"u {tuple(u.shape)}"


def _in_training(model: Any, layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """Output, gradients and state when the power iteration has converged."""
    leaf = case.x.detach().clone().requires_grad_()
    with NoticeMatrixNorms() as norms:
        for _ in range(case.forwards - 1):
            model(case.x)
        out = model(leaf)
    yield "torch's norm", norms.any
    yield "output", out
    yield "connected", bool(getattr(out, "requires_grad", False))
    leaves = (leaf, layer.weight, layer.bias)
    gradients = torch.autograd.grad(out, leaves, case.upstream, allow_unused=True)
    yield "input gradient", gradients[0]
    yield "weight gradient", gradients[1]
    yield "bias gradient", gradients[2]
    yield "u·uᵀ", torch.outer(layer.u, layer.u)  # u may change sign
    yield "graph of u", bool(layer.u.requires_grad)
    yield "weight afterwards", layer.weight
    yield "bias afterwards", layer.bias
    yield "x afterwards", leaf


def _after_new_weights(model: Any, layer: Any, case: Case) -> Iterator[tuple[str, Any]]:
    """In evaluation u stays where it was; in training it follows the weight."""
    assign(layer, weight=case.next_weight)
    for _ in range(EVALUATIONS):
        model(case.x)
    yield "u·uᵀ after evaluation", torch.outer(layer.u, layer.u)
    model.train()
    with torch.no_grad():  # the mode decides, not whether there are gradients
        for _ in range(case.forwards):
            model(case.x)
    yield "u·uᵀ after training", torch.outer(layer.u, layer.u)
    yield "output after training", model.eval()(case.x)


def _second_direction(model: Any, layer: Any, case: Case) -> float:
    """How far the gradient's second part is from u·vᵀ, one step after the weight has changed.

    With W/σ = N and the gradient G of N, the gradient of W is (G − ⟨G, N⟩·S)/σ, where S is the
    gradient of σ. For constant u and v, whatever they are, S = u·vᵀ: all its 2×2 minors vanish.
    """
    x, upstream = case.x.double(), case.upstream.double()
    assign(layer, weight=case.close_weight.double())
    out = model.train()(x)
    plain = x @ layer.weight.detach().T  # (B, out)
    sigma = plain.square().sum() / (plain * (out.detach() - layer.bias.detach())).sum()
    (gradient,) = torch.autograd.grad(out, layer.weight, upstream)
    S = upstream.T @ x / sigma - gradient  # (out, in), up to a factor
    minors = S[:, :, None, None] * S - S[:, None, None, :] * S.T[None, :, :, None]
    return float(minors.abs().max() / S.square().sum())


def _progress(model: Any, layer: Any, case: Case) -> float:
    """The part of the second singular vector in u, against the first one, after a pass by what it
    was before it. Each iteration multiplies it by (second / first singular value)², in whichever
    order, and so this counts the iterations of a pass.
    """

    def part() -> float:
        first, second = case.left.T[:2] @ layer.u.detach()
        return float(second / first)

    with torch.no_grad():
        model(case.x.double())
        before = part()
        model(case.x.double())
    return part() / before if before else 0.0


MADE = "layer = SpectralNormLinear({in_features}, {out_features}{settings})"
USED = "layer({x}) in training, pass {forwards}, weight = {weight}, bias = {bias}"
LOOSE: Any = {"rtol": 1e-3, "atol": 1e-4}

SPECTRAL_NORM_LINEAR = Check(
    name="check_spectral_norm_linear",
    lesson="weight_and_spectral_norm",
    topic="SpectralNormLinear",
    takes=(Argument("SpectralNormLinear", "class"),),
    cases=_cases,
    observe=_observe,
    aspects={
        "parameters": Aspect(
            f"{MADE}, and then its parameters",
            "The parameters do not have the names, shapes or dtype that are asked for.",
        ),
        "torch's parts": Aspect(
            f"{MADE}, and then the modules inside it that PyTorch wrote",
            "Your layer uses PyTorch's own parametrization, which this exercise asks you to write.",
        ),
        "buffer u": Aspect(f"{MADE}, and then its buffer u", "The buffer u is not as asked for."),
        "saved": Aspect(
            f"{MADE}, and then which of bias, weight, u are in layer.state_dict()",
            "The state_dict does not hold all that a copy of the layer needs.",
        ),
        "starts": Aspect(
            f"{MADE} three times, and then the number of different u",
            "The buffer u must be random at the start.",
        ),
        "torch's norm": Aspect(
            f"{USED}, and then whether it used torch.linalg.norm of a matrix",
            "Your layer uses PyTorch's own matrix norm, which this exercise asks you to do without.",
        ),
        "output": Aspect(USED, "The output in training is wrong.", **LOOSE),
        "connected": Aspect(
            f"{USED}, and then requires_grad of the output",
            "The output is cut off from the parameters, so nothing can learn.",
        ),
        "input gradient": Aspect(
            f"{USED}, .backward({{upstream}}), and then x.grad",
            "The gradient of the input is wrong.",
            **LOOSE,
        ),
        "weight gradient": Aspect(
            f"{USED}, .backward({{upstream}}), and then weight.grad",
            "The gradient of the weight is wrong.",
            of_largest=True,
            **LOOSE,
        ),
        "bias gradient": Aspect(
            f"{USED}, .backward({{upstream}}), and then bias.grad",
            "The gradient of the bias is wrong.",
            **LOOSE,
        ),
        "u·uᵀ": Aspect(
            f"{USED}, and then torch.outer(layer.u, layer.u)",
            "The buffer u does not become the first left singular vector, of length 1.",
            **LOOSE,
        ),
        "graph of u": Aspect(
            f"{USED}, and then layer.u.requires_grad",
            "The buffer u carries a graph, which grows with every step.",
        ),
        "weight afterwards": Aspect(f"{USED}, and then weight", "Your forward changed weight."),
        "bias afterwards": Aspect(f"{USED}, and then bias", "Your forward changed the bias."),
        "x afterwards": Aspect(f"{USED}, and then x", "Your forward changed x."),
        "output in evaluation": Aspect(
            "model.eval(), and then model({x})", "The output in evaluation mode is wrong.", **LOOSE
        ),
        "output in evaluation again": Aspect(
            "model.eval(), and then model({x}) for a second time",
            "Two outputs in evaluation mode differ.",
            **LOOSE,
        ),
        "output of a loaded copy": Aspect(
            "another layer, other.load_state_dict(layer.state_dict()), and then other.eval()({x})",
            "A layer that loaded the saved state gives another output.",
            **LOOSE,
        ),
        "u·uᵀ after evaluation": Aspect(
            "the weight is changed, some passes in evaluation mode, and then "
            "torch.outer(layer.u, layer.u)",
            "A pass in evaluation mode changed the buffer u.",
            **LOOSE,
        ),
        "u·uᵀ after training": Aspect(
            "the weight is changed, some passes in training, and then torch.outer(layer.u, layer.u)",
            "The buffer u does not follow the weight when the weight changes.",
            **LOOSE,
        ),
        "output after training": Aspect(
            "the weight is changed, some passes in training, and then model.eval()({x})",
            "The output is wrong after the weight has changed.",
            **LOOSE,
        ),
        "second direction": Aspect(
            "one pass in training after the weight has changed, then how far the gradient of sigma "
            "is from u·vᵀ",
            "Autograd looked into the power iteration; u and v must be constants.",
            atol=1e-6,
        ),
        "one pass": Aspect(
            "one pass in training after the weight has changed, and then the factor by which u came "
            "nearer to the first singular vector",
            "A pass in training does not make n_power_iterations, which is 1 unless it is given.",
            rtol=1e-3,
        ),
    },
    praise="no input is stretched by more than 1, up to what the iteration has not found yet.",
    reread="Dividing by the largest stretch",
    forbidden=OWN_DECOMPOSITIONS,
)


def check_spectral_norm_linear(SpectralNormLinear: Any) -> None:
    """Check `SpectralNormLinear(in_features, out_features, n_power_iterations=1)`, an `nn.Module`
    with the parameters `weight` (out, in) and `bias` (out,) and the buffer `u` (out,).

    Judged after many passes, where the order of the iteration and extra buffers do not show. What
    counts: the output with weight/sigma and the whole bias, the gradients with u and v as constants,
    u random at the start and updated in training only, by n_power_iterations a pass, the weight
    itself unchanged, the `state_dict`. Source: Miyato, Kataoka, Koyama and Yoshida 2018, "Spectral
    Normalization for Generative Adversarial Networks".

    Raises:
        NotAttempted: the stub is still there.
        CheckFailed: with the smallest case that differs, and the mistake where it is known.

    >>> from helpers.answers.weight_and_spectral_norm.spectral_layers import PowerIteration
    >>> check_spectral_norm_linear(PowerIteration)
    ✓ SpectralNormLinear — no input is stretched by more than 1, up to what the iteration has not found yet.
    """
    run_check(SPECTRAL_NORM_LINEAR, SpectralNormLinear)
