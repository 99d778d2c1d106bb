# %% [markdown]
# When you have finished this lesson you will be able to
#
# - split a weight into a length and a direction (weight norm), and say what that does to a step,
# - find the largest stretch of a matrix with a few multiplications (power iteration),
# - build a layer that stretches no input (spectral norm), and one whose rows stay short (max norm),
# - bound how fast a whole network can change, and measure how loose the bound is,
# - say when you would constrain weights, and when you would penalise them.
#
# ## The idea
#
# Lesson 04 *asked* weights to stay small: a penalty pulls at them, and the data loss pulls back.
# This lesson writes the weight in another way, or *tells* it: two of the three ways fix something about
# the weight that no data can change. For a linear layer with weight $W$ of shape (out, in):
#
# | Way | What is fixed | How |
# |---|---|---|
# | weight norm | nothing; the length of each row becomes a parameter of its own | $w_i = g_i\, v_i / \lVert v_i \rVert$ |
# | spectral norm | the largest stretch of the matrix is 1 | $W / \sigma(W)$ |
# | max norm | no row is longer than a limit $c$ | cut long rows after each step |
#
# Here $w_i$ is row $i$ of $W$, the weights of output $i$, and $\lVert\cdot\rVert$ is the ordinary
# length: the square root of the sum of the squares. $\sigma(W)$ is the **largest singular value**:
# the largest factor by which $W$ can make a vector longer. (Lesson 02 wrote $\lVert W \rVert_2$ for it.
# Alone, as in lessons 05 and 06, $\sigma$ is a standard deviation.)
#
# A matrix turns a circle into an ellipse. The long half-axis of the ellipse is the largest stretch.

# %%
import torch
from torch import nn
from torch.nn.utils import parametrizations

from helpers import (
    COLORS,
    MARKERS,
    check_max_norm,
    check_power_iteration,
    check_spectral_norm_linear,
    check_weight_norm_linear,
    load,
    new_figure,
    plot_mean_and_spread,
    show_figure,
    uses_your_code,
    weight_and_spectral_norm_demo,
)
from helpers.demos.weight_and_spectral_norm import draw_constraints

show_figure(*draw_constraints())

# %% [markdown]
# Look at the rows, drawn as lines with a dot. With weight norm (here with $g = 1$) both rows end on
# the circle, and still the ellipse reaches further, since the rows point in similar directions.
# **Short rows do not mean a small stretch.** Only spectral norm keeps the ellipse inside the circle.
#
# ## Length and direction
#
# **Weight norm** (Salimans and Kingma 2016) writes each row of the weight as
#
# $$ w_i = g_i \, \frac{v_i}{\lVert v_i \rVert}, $$
#
# where $v_i$, row $i$ of the parameter $v$ of shape (out, in), gives only the *direction*, and
# $g_i$, entry $i$ of the parameter $g$ of shape (out, 1), gives the *length* (and a sign). Both are
# learned. Every weight can still be reached: nothing is forbidden, but the optimiser now walks in
# other coordinates. ($g$ and $v$ are the letters of the paper; in lesson 04 they were the gradient and
# an average of Adam's. Here the gradient is a capital $G$.)
#
# Let $G_i$ be the gradient of the loss for $w_i$, and $\hat v_i = v_i / \lVert v_i \rVert$. The chain
# rule gives
#
# $$ \frac{\partial L}{\partial g_i} = G_i \cdot \hat v_i, \qquad
# \frac{\partial L}{\partial v_i} = \frac{g_i}{\lVert v_i \rVert}
# \left( G_i - (G_i \cdot \hat v_i)\, \hat v_i \right). $$
#
# Two things can be read from the right formula, and we shall measure both. The bracket has no part
# along $v_i$: the gradient is at a right angle to $v_i$. And the longer $v_i$ is, the smaller its
# gradient.
#
# ### TODO 8.1
#
# Write the layer. At the start it must be an ordinary linear layer: $w = v$.
#
# <details><summary>Hint 1: what g must be at the start</summary>
#
# If $w = v$, then $g$ is the length of each row of $v$.
# </details>
#
# <details><summary>Hint 2: how to get one length for each row</summary>
#
# `v.norm(dim=1, keepdim=True)` has the shape (out, 1). With `keepdim`, dividing by it divides each
# row by its own length.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# In the constructor `self.v = nn.Parameter(start.weight.detach().clone())`, and `self.g` and
# `self.bias` alike. In `forward` compute `w` from `self.g` and `self.v`, and then
# `x @ w.T + self.bias`.
# </details>


# %% todo="8.1"
# TODO 8.1: complete this class.
class WeightNormLinear(nn.Module):
    """A linear layer with the weight w = g·v/‖v‖, row by row.

    Parameters: g (out_features, 1), v (out_features, in_features), bias (out_features,).
    At the start w = v, so g is the length of each row of v. v and bias may start as those of
    nn.Linear. Rows of v may be as short as 1e-4, so do not add a number such as 1e-5 to a length.

    forward: x (..., in_features), with any number of leading axes; returns (..., out_features).
    The same in training and in evaluation. The parameters themselves are not changed.

    Not allowed: PyTorch's own weight_norm, in any form.
    """

    def __init__(self, in_features, out_features):
        super().__init__()
        start = nn.Linear(in_features, out_features)  # weight (out, in), bias (out,)
        ### BEGIN SOLUTION
        self.v = nn.Parameter(start.weight.detach().clone())
        self.g = nn.Parameter(self.v.detach().norm(dim=1, keepdim=True))
        self.bias = nn.Parameter(start.bias.detach().clone())
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        w = self.g * self.v / self.v.norm(dim=1, keepdim=True)  # (out, in)
        return x @ w.T + self.bias
        ### END SOLUTION


# %% check="check_weight_norm_linear"
check_weight_norm_linear(WeightNormLinear)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch adds weight norm to a layer that exists already. It calls $g$ `original0` and $v$
# `original1`. We copy its parameters into your layer and compare outputs and gradients on real
# digits. Choose another dataset by its name: `load("mnist")`, for example.

# %%
data = load("digits").flat()  # images as vectors of 64 numbers
device = data.x_train.device

with uses_your_code():
    torch.manual_seed(0)
    theirs = parametrizations.weight_norm(nn.Linear(data.num_features, 32)).to(device)
    mine = WeightNormLinear(data.num_features, 32).to(device)
    original = theirs.parametrizations.weight
    with torch.no_grad():
        mine.g.copy_(original.original0)
        mine.v.copy_(original.original1)
        mine.bias.copy_(theirs.bias)
    images = data.x_train[:100]
    outputs = theirs(images), mine(images)
    for output in outputs:
        output.square().mean().backward()
    pairs = {
        "output": outputs,
        "gradient of g": (original.original0.grad, mine.g.grad),
        "gradient of v": (original.original1.grad, mine.v.grad),
    }
    for name, (a, b) in pairs.items():
        print(f"{name:14} largest difference {(a - b).abs().max().item():.0e}")

# %% [markdown]
# ### An experiment: the length of v is a step size
#
# We multiply all $v$ by 0.01, 0.1, 1 or 10 before training. The network computes the same outputs as
# before, since only the direction of $v$ counts. Then we train it with plain SGD (step 0.1, no
# momentum, 10 epochs), five times each, with different weights and orders of the batches.

# %%
from helpers.experiments.weight_and_spectral_norm import SEEDS, row_lengths

SCALES = (0.01, 0.1, 1.0, 10.0)

with uses_your_code():
    lengths = {
        scale: [row_lengths(WeightNormLinear, data, scale, seed) for seed in SEEDS]
        for scale in SCALES
    }
    figure, axes = new_figure(width=7.5)
    for i, (scale, runs) in enumerate(lengths.items()):
        curves = [run.mean_length for run in runs]
        plot_mean_and_spread(axes, range(len(curves[0])), curves, f"v times {scale:g}", i)
    axes.set(yscale="log", xlabel="step", ylabel="mean length of the rows of v", ylim=(3e-3, 300))
    axes.set_title("Rows never become shorter, and short ones grow at once")
    axes.legend(loc="upper right", ncols=2)
    show_figure(
        figure,
        "The mean length of the rows of v in the second layer against the step, for four lengths "
        "at the start. The two short starts rise steeply within the first steps, the start of "
        "nn.Linear hardly rises, and the long start is level.",
    )
    print("v times   loss after 10 epochs (mean, smallest, largest)   largest fall of a row")
    for scale, runs in lengths.items():
        losses = [run.loss for run in runs]
        mean = sum(losses) / len(losses)
        fall = max(run.largest_shrink for run in runs)
        print(f"{scale:7g}   {mean:.2f}  ({min(losses):.2f} to {max(losses):.2f}) {fall:36.0e}")

# %% [markdown]
# **What we saw.** In no step of any run did a row become shorter, apart from rounding (less than one
# part in 100,000). That is Pythagoras: the step is at a right angle to $v_i$, so
# $\lVert v_i + \Delta \rVert^2 = \lVert v_i \rVert^2 + \lVert \Delta \rVert^2$.
#
# Rows that start a hundred times too short take huge first steps, grow more than twentyfold, and
# then learn well: the loss ends below 0.4 in every run, as with the usual start. Weight norm
# corrects a step that is *too large*. It cannot correct one that is *too small*: with $v$ ten times
# too long the directions hardly move, and the loss stays above 1.5 in every run. The start $w = v$
# is there to begin between the two.
#
# ## The largest stretch
#
# The largest singular value is $\sigma(W) = \max_{x \neq 0} \lVert Wx \rVert / \lVert x \rVert$. Why
# does it matter? For two inputs $a$ and $b$ of a linear layer,
# $\lVert (Wa + \text{bias}) - (Wb + \text{bias}) \rVert \le \sigma(W) \lVert a - b \rVert$, and ReLU
# moves no two vectors further apart. So for a network $f$ of such layers
#
# $$ \lVert f(a) - f(b) \rVert \le \sigma(W_1)\, \sigma(W_2) \cdots \sigma(W_n)\,
# \lVert a - b \rVert. $$
#
# The product is a **Lipschitz bound**: a promise about *all* pairs of inputs, also those that nobody
# has tried.
#
# How do we find $\sigma$ without a full singular value decomposition at each step? Multiply again
# and again, and keep the length at 1. One step of **power iteration** is
#
# $$ v \leftarrow \frac{W^\top u}{\lVert W^\top u \rVert}, \qquad
# u \leftarrow \frac{W v}{\lVert W v \rVert}, $$
#
# with $u$ of shape (out,) and $v$ of shape (in,), one vector each; this $v$ has nothing to do with the
# $v$ of weight norm. Each multiplication stretches the part of the
# vector along the best direction more than all other parts, until only that part is left. Then
# $\sigma = u^\top W v$.
#
# ### TODO 8.2
#
# Write power iteration. The order matters: first $v$ from $u$, then $u$ from the new $v$.
#
# <details><summary>Hint 1: the start</summary>
#
# Ask `if u is None:`. A random start has the length `W.shape[0]`, and the dtype and the device of
# `W`.
# </details>
#
# <details><summary>Hint 2: one step</summary>
#
# `W.T @ u` is a vector; divide it by its `.norm()`. Assign to new names or to `u` and `v`; do not
# write into the `u` that you were given.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# for _ in range(num_iterations):
#     v = W.T @ u
#     v = v / v.norm()
#     ...              # the same for u, with W @ v
# return u @ W @ v, u, v
# ```
# </details>


# %% todo="8.2"
# TODO 8.2: complete this function.
def power_iteration(W, num_iterations, u=None):
    """The largest singular value of a matrix, and its two directions, by power iteration.

    W: matrix (out, in), float32 or float64.
    num_iterations: 1 or more; exactly that many times v ← Wᵀu/‖Wᵀu‖, and then u ← Wv/‖Wv‖.
    u: the start, (out,), of any length; it is not changed. Without it the start is random.

    Returns (sigma, u, v): sigma = uᵀWv as a 0-d tensor, u (out,) and v (in,) of length 1, all with
    the dtype and on the device of W. A gradient can flow from sigma to W.

    Not allowed: PyTorch's singular values, eigenvalues and matrix norms (torch.linalg.svd, svdvals,
    eigh, matrix_norm and their like). The norm of a vector is fine.
    """
    ### BEGIN SOLUTION
    if u is None:
        u = torch.randn(W.shape[0], dtype=W.dtype, device=W.device)
    for _ in range(num_iterations):
        v = W.T @ u
        v = v / v.norm()
        u = W @ v
        u = u / u.norm()
    return u @ W @ v, u, v
    ### END SOLUTION


# %% check="check_power_iteration"
check_power_iteration(power_iteration)

# %% [markdown]
# ### The same with PyTorch
#
# `torch.linalg.svdvals` gives all singular values, the largest first.

# %%
with uses_your_code():
    torch.manual_seed(0)
    matrix = torch.randn(20, 30, dtype=torch.float64)
    print(f"PyTorch:            {torch.linalg.svdvals(matrix)[0].item():.6f}")
    for steps in (1, 5, 20, 100):
        print(f"yours, {steps:3} steps:   {power_iteration(matrix, steps)[0].item():.6f}")

# %% [markdown]
# ### How many steps are enough?
#
# It depends on how clearly the best direction wins. Below, each singular value is a fixed ratio of
# the one before it. The bands show five random matrices and starts.

# %%
from helpers.experiments.weight_and_spectral_norm import sigma_errors

STEPS = (1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 100, 200)
RATIOS = (0.5, 0.9, 0.99)

with uses_your_code():
    figure, axes = new_figure(width=7.5)
    for i, ratio in enumerate(RATIOS):
        errors = [sigma_errors(power_iteration, ratio, STEPS, seed) for seed in SEEDS]
        shown = [[max(error, 1e-15) for error in run] for run in errors]
        plot_mean_and_spread(axes, STEPS, shown, f"second / first singular value = {ratio}", i)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="steps",
        ylabel="relative error of sigma",
        ylim=(3e-16, 1e4),
    )
    axes.set_title("The nearer the two largest stretches, the slower")
    axes.legend(loc="upper right")
    show_figure(
        figure,
        "The error of sigma against the number of steps. With a ratio of 0.5 it falls to rounding "
        "within about fifteen steps, with 0.9 within about a hundred, with 0.99 it is still "
        "visible after two hundred.",
    )

# %% [markdown]
# **What we saw.** After ten steps the error is below $10^{-8}$ with the ratio 0.5, and still between
# 0.5 and 5 percent with the ratio 0.99, in each of five draws. Once the best direction leads, each
# step multiplies the error by about the fourth power of the ratio: 1/16 for 0.5. (One power for
# each of the two multiplications, and then squared, since $\sigma$ depends on the *square* of what
# is left of the wrong directions.)
#
# ### A demo
#
# Watch `Wv` turn to the long axis of the ellipse, step by step.

# %%
weight_and_spectral_norm_demo()

# %% [markdown]
# ## Dividing by the largest stretch
#
# **Spectral norm** (Miyato et al. 2018) uses $W / \sigma(W)$ in place of $W$. The largest stretch
# is then 1, whatever the optimiser does to $W$.
#
# Two tricks make it cheap and right:
#
# - **Keep $u$.** The weight changes little in one step of training. So one power iteration a pass is
#   enough, when it starts from the $u$ of the pass before. $u$ is not learned, but it belongs to the
#   layer: it is a **buffer**, as the running mean in lesson 06. It is updated in training only, so
#   that a prediction does not change the model.
# - **Hold $u$ and $v$ constant in the gradient.** The gradient of $\sigma = u^\top W v$ with constant
#   $u$ and $v$ is the matrix $u v^\top$, and once the iteration has converged, this is exactly the
#   gradient of the largest singular value. So the iteration itself needs no graph. But $\sigma$ does
#   depend on $W$: cut $\sigma$ off as well, and the gradient is wrong.
#
# ### TODO 8.3
#
# Write the layer with your `power_iteration`.
#
# <details><summary>Hint 1: the buffer</summary>
#
# `self.register_buffer("u", ...)` with a random vector of `out_features` entries. Then `self.u` is
# saved, moves with the model, and is not a parameter.
# </details>
#
# <details><summary>Hint 2: what belongs inside no_grad</summary>
#
# The call of `power_iteration` and the new `self.u`. Not $\sigma$: compute it again, from the `u` and
# `v` that came out, with `self.weight`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# with torch.no_grad():
#     _, u, v = power_iteration(self.weight, self.n_power_iterations, self.u)
#     if self.training:
#         ...
# sigma = u @ self.weight @ v
# ```
#
# and then a linear layer with `self.weight / sigma` and the whole bias.
# </details>


# %% todo="8.3"
# TODO 8.3: complete this class.
class SpectralNormLinear(nn.Module):
    """A linear layer that uses weight / sigma, sigma being the largest singular value.

    Parameters: weight (out_features, in_features), bias (out_features,). Buffer: u (out_features,),
    random at the start.

    forward: x (..., in_features), with any number of leading axes; returns (..., out_features).
    In training it makes n_power_iterations from u and keeps the new u; in evaluation u stays as it
    is. The bias is not divided, and weight itself is not changed. For autograd u and v are
    constants, and sigma is not.

    Not allowed: PyTorch's own spectral_norm, singular values, eigenvalues and matrix norms.
    """

    def __init__(self, in_features, out_features, n_power_iterations=1):
        super().__init__()
        start = nn.Linear(in_features, out_features)
        self.weight = start.weight
        self.bias = start.bias
        self.n_power_iterations = n_power_iterations
        ### BEGIN SOLUTION
        u = torch.randn(out_features)
        self.register_buffer("u", u / u.norm())
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        with torch.no_grad():
            _, u, v = power_iteration(self.weight, self.n_power_iterations, self.u)
            if self.training:
                self.u = u
        sigma = u @ self.weight @ v
        return x @ (self.weight / sigma).T + self.bias
        ### END SOLUTION


# %% check="check_spectral_norm_linear"
check_spectral_norm_linear(SpectralNormLinear)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch also keeps $v$, and starts with 15 iterations. Once both have converged, they are the same
# layer. We give both the weight of a random layer and make 1,000 passes in training mode.

# %%
with uses_your_code():
    torch.manual_seed(1)
    theirs = nn.Linear(data.num_features, 32)
    mine = SpectralNormLinear(data.num_features, 32)
    mine.load_state_dict(theirs.state_dict(), strict=False)  # strict=False: nn.Linear has no u
    theirs, mine = parametrizations.spectral_norm(theirs).to(device), mine.to(device)
    with torch.no_grad():
        for _ in range(1_000):
            theirs(images[:2]), mine(images[:2])
    outputs = theirs(images), mine(images)
    for output in outputs:
        output.square().mean().backward()
    gradients = theirs.parametrizations.weight.original.grad, mine.weight.grad
    for name, (a, b) in {"output": outputs, "gradient of weight": gradients}.items():
        print(f"{name:18} largest difference {(a - b).abs().max().item():.0e}")

# %% [markdown]
# ## A limit for each row
#
# **Max norm** is the simplest of the three. Train as usual, and after each step look at the rows: a
# row that is longer than a limit $c$ is scaled back to the length $c$, with its direction kept. Rows
# that fit are left alone. (Srebro, Rennie and Jaakkola 2004, for the factors of a matrix;
# Srivastava et al. 2014, for networks with dropout.)
#
# The weight is a parameter, so it must be changed **in place**, and without a graph.
#
# ### TODO 8.4
#
# Write the function that is called after each step.
#
# <details><summary>Hint 1: one factor for each row</summary>
#
# A row of length $\ell$ is multiplied by $c / \ell$ if $\ell > c$, and by 1 if not. That is
# $\min(c / \ell, 1)$.
# </details>
#
# <details><summary>Hint 2: in place</summary>
#
# Inside `with torch.no_grad():`, `weight.mul_(factor)` changes the tensor itself.
# `weight = weight * factor` would only make a new one.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `factor = (max_norm / weight.norm(dim=1, keepdim=True)).clamp(max=1)`. For a row of zeros this
# divides by zero and gives infinity, which `clamp` turns into 1.
# </details>


# %% todo="8.4"
# TODO 8.4: complete this function.
def apply_max_norm(weight, max_norm):
    """Scale every row of `weight` that is longer than `max_norm` to that length, in place.

    weight: tensor, parameter or a layer's weight.data, (out, in). Only long rows change; a row of
    zeros stays zero. The numbers change where they are: no new tensor takes the place of the old.
    max_norm: the limit, a positive number.

    Whether the weight asks for gradients, and its gradient, stay as they are. What is returned does
    not matter.

    Not allowed: torch.renorm.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        lengths = weight.norm(dim=1, keepdim=True)  # (out, 1)
        weight.mul_((max_norm / lengths).clamp(max=1))
    ### END SOLUTION


# %% check="check_max_norm"
check_max_norm(apply_max_norm)

# %% [markdown]
# ### The same with PyTorch
#
# `torch.renorm(weight, p=2, dim=0, maxnorm=c)` does it, and returns a new tensor.

# %%
with uses_your_code():
    torch.manual_seed(0)
    weight = torch.randn(5, 3)
    expected = torch.renorm(weight, p=2, dim=0, maxnorm=1.5)
    print("lengths before:", [f"{length:.3f}" for length in weight.norm(dim=1).tolist()])
    apply_max_norm(weight, 1.5)
    print("PyTorch:       ", [f"{length:.3f}" for length in expected.norm(dim=1).tolist()])
    print("yours:         ", [f"{length:.3f}" for length in weight.norm(dim=1).tolist()])

# %% [markdown]
# ## An experiment: what each of them does
#
# Four networks with two hidden layers of 128 ReLU units: no constraint, weight norm, spectral norm,
# and max norm with the limit 0.75. All start from the same weights, see the same batches, and make
# the same 20 epochs of SGD (step 0.05, momentum 0.9). The step was not tuned for any of them; the
# limit was chosen after a look at 0.5, 0.75 and 1, so this is not a contest between the methods. Each
# trains on clean digits, and on digits where 30 % of the training labels are drawn anew at random.
# All of it five times.
#
# We measure the accuracy and, for the networks with clean labels, two factors:
#
# - the *bound*: the product of the layers' largest stretches, which is the promise,
# - the *largest stretch seen*: the largest $\lVert f(a) - f(b) \rVert / \lVert a - b \rVert$ over all
#   pairs of 300 test images.
#
# The next cell only draws. The one after it trains, for about 20 seconds.

# %%
from helpers.experiments.weight_and_spectral_norm import Method, compare, values


def mean(numbers):
    return sum(numbers) / len(numbers)


def show_accuracy(results):
    figure, panels = new_figure(columns=2, width=9.5, height=3.8)
    for axes, (labels, by_method) in zip(panels, results.items(), strict=True):
        print(f"{labels:20} training accuracy    test accuracy (smallest to largest)")
        for i, (name, outcomes) in enumerate(by_method.items()):
            train, test = values(outcomes, "train_accuracy"), values(outcomes, "test_accuracy")
            spread = f"({min(test):.3f} to {max(test):.3f})"
            print(f"  {name:18} {mean(train):.3f}                {mean(test):.3f} {spread}")
            axes.plot([i] * len(test), test, MARKERS[i], color=COLORS[i], alpha=0.6)
            axes.plot([i - 0.25, i + 0.25], [mean(test)] * 2, color=COLORS[i])
        axes.set(title=labels, ylabel="test accuracy", ylim=(0.78, 1.0))
        axes.set_xticks(range(len(by_method)), [name.replace(" ", "\n") for name in by_method])
    show_figure(
        figure,
        "Test accuracy of five runs for each method. With clean labels, no constraint, weight norm "
        "and max norm are near 0.97 and spectral norm near 0.90. With random labels, no constraint "
        "is near 0.84, weight norm near 0.87, spectral norm near 0.90 and max norm near 0.92.",
    )


FACTORS = {
    "bound": "bound after training",
    "stretch": "largest stretch seen",
    "settled_bound": "bound after 200 more passes without steps",
}


def show_bounds(by_method):
    figure, axes = new_figure(width=8, height=4)
    for i, (what, label) in enumerate(FACTORS.items()):
        for position, outcomes in enumerate(by_method.values()):
            points = values(outcomes, what)
            place = [position + 0.2 * (i - 1)] * len(points)
            named = label if position == 0 else None
            axes.plot(place, points, MARKERS[i], color=COLORS[i], alpha=0.7, label=named)
    axes.axhline(1, color="black", linestyle=":", linewidth=1.5)
    axes.set(yscale="log", ylabel="factor", title="What is promised, and what is seen")
    axes.set(ylim=(0.5, 120))
    axes.set_xticks(range(len(by_method)), list(by_method))
    axes.legend(loc="upper right")
    show_figure(
        figure,
        "For each method the bound and the largest stretch seen, on a logarithmic axis. Without a "
        "constraint the bound is near 17 and the stretch near 7.5; with weight norm 15 and 6.5; "
        "with spectral norm 1.2 and 0.8, and the bound settles at 1.0; with max norm 7 and 3.5.",
    )
    print("bound:         before training   after training   settled   largest stretch seen")
    for name, outcomes in by_method.items():
        before, after, settled, seen = (
            mean(values(outcomes, what))
            for what in ("bound_before", "bound", "settled_bound", "stretch")
        )
        print(f"{name:14} {before:15.2f} {after:16.2f} {settled:9.3f} {seen:22.2f}")


# %%
METHODS = {
    "none": Method(nn.Linear),
    "weight norm": Method(WeightNormLinear),
    "spectral norm": Method(SpectralNormLinear),
    "max norm": Method(nn.Linear, after_step=lambda weight: apply_max_norm(weight, 0.75)),
}

with uses_your_code():
    results = {
        "clean labels": compare(METHODS, data),
        "30 % random labels": compare(METHODS, data.with_label_noise(0.3)),
    }
    show_accuracy(results)
    show_bounds(results["clean labels"])

# %% [markdown]
# **What we saw: accuracy.**
#
# - With clean labels nothing helps. Weight norm and max norm stay within 1.5 points of the network
#   without a constraint, in every run. Spectral norm *costs* at least 4 points in every run: it does
#   not even fit the training data (about 91 % there, where the others reach 99 %).
# - With random labels the order is reversed. Without a constraint the network learns wrong labels by
#   heart. Spectral norm gains at least 2 points and max norm at least 4 in every run, about 6 and 8
#   on average. Weight norm gains about 3 points on average.
#
# Why does spectral norm underfit? The largest stretch of the whole network is 1, so the ten outputs
# for two different digits lie no further apart than the images do. Cross-entropy wants outputs far
# apart, and cannot have them. Where one needs both, one multiplies the output by a number that is
# learned or chosen. Miyato et al. use the layer where a small stretch is the purpose: in a generative
# adversarial network (GAN), in the part that learns to tell real images from generated ones.
#
# Weight norm forbids nothing: every weight can still be reached. So what it gains with random labels
# must come from the other way that the steps take.
#
# **What we saw: the bound.**
#
# - The bound held for every network, as it must.
# - It is loose. Without a constraint it is about 17, and the largest stretch seen is between 6 and 9:
#   a little less than half of it. A bound is made for the worst pair of inputs, not for those at hand.
# - Training without a constraint raised the bound from about 1 to more than 12. Max norm kept it
#   below 10. Weight norm does not bound it at all.
# - With spectral norm, $u$ lags behind the weight: one iteration a pass, while each step moves the
#   weight. After training the bound is not 1 but between 1.0 and 1.6, and before the first pass,
#   with a random $u$, it is above 1.3. After 200 more passes without steps it is 1 (within 0.03). If
#   you need the promise to hold exactly, let the iteration catch up before you rely on it.
#
# ### Try it
#
# Change the limit of max norm to 0.3 and to 3. At which limit does it begin to cost accuracy on clean
# labels, and from which limit on does it do nothing?
#
# ## One question to think about
#
# You can hold weights back by adding a penalty to the loss (lesson 04), or by a constraint (max norm,
# spectral norm). **What is the difference for the optimiser and for what is guaranteed afterwards?
# Name a situation in which you would penalise and one in which you would constrain, and say what
# each choice costs.**

# %% [markdown] question="penalise-or-constrain"
# **Model answer.** A penalty adds a pull to the gradient of every weight, at every step, also when the
# weight is small. How small the weights get is a compromise with the data loss and depends on the
# strength λ, on the data and on the step; nothing is guaranteed. A constraint does nothing while it
# is met and is absolute when it is not: after max norm no row is longer than c, after spectral norm
# (when the power iteration has converged) no input is stretched by more than 1, whatever the data
# say. For a convex problem the two are related: for each penalised solution there is a limit that
# gives the same solution, and λ is the price (the Lagrange multiplier) of that limit. I would
# penalise when I only want better test accuracy and can choose λ on validation data: it is smooth,
# cheap, and leaves the network free where the data speak clearly. I would constrain when something
# must hold for all inputs, for example a Lipschitz bound against small disturbances of the input or
# for a network that judges images made by another one, or when large steps must not blow the weights up. The
# constraint costs flexibility (spectral norm underfitted the clean digits here), extra computation
# in each pass or step, and state such as u that must be kept; and its bound can be loose. The penalty
# costs the tuning of λ and gives no promise.
#
# **Rubric (4 points).**
#
# - 1 point: says that a penalty is a compromise with the data loss (a pull at all times), and a
#   constraint holds whatever the data say (nothing inside, absolute at the limit).
# - 1 point: says what is guaranteed afterwards: nothing by a penalty, a row length or a Lipschitz
#   bound by a constraint.
# - 1 point: names one fitting situation for each, with a reason.
# - 1 point: names a cost of each, for example tuning λ; underfitting, extra computation, a loose bound.

# %% [markdown]
# ## Summary
#
# Weight norm gives each row a length $g$ and a direction $v$; it forbids nothing, but the length of
# $v$ becomes a step size that corrects itself when it is too large. Spectral norm divides a weight by
# its largest stretch, found by power iteration with a vector that is kept between passes, and so
# bounds how fast the network can change. Max norm cuts long rows after each step; on noisy labels
# both constraints helped here, and on clean ones they did nothing or cost accuracy.
#
# **Common mistakes**
#
# - Taking the length of columns, or of the whole matrix, where the length of each row is meant.
# - Cutting $\sigma$ off from the weight together with $u$ and $v$; only the two vectors are constants.
# - Updating $u$ in evaluation, so that a prediction changes the model.
# - Believing that short rows mean a small stretch, or that the bound is what really happens.
#
# **Sources**
#
# - T. Salimans and D. P. Kingma, *Weight Normalization: A Simple Reparameterization to Accelerate
#   Training of Deep Neural Networks*, NeurIPS 2016.
# - T. Miyato, T. Kataoka, M. Koyama and Y. Yoshida, *Spectral Normalization for Generative Adversarial
#   Networks*, ICLR 2018.
