# %% [markdown]
# When you have finished this lesson you will be able to
#
# - complete a TODO, check it, and read what a check says,
# - ask for a hint without seeing the solution at once,
# - compute a slope without calculus, and use it to test any formula for a gradient,
# - count what a model learns.
#
# ## How a lesson works
#
# You write small pieces of code, one at a time. Each piece is a **TODO**: a cell with a
# description, an empty place, and a **check** right below it. Run a cell with `Shift` + `Enter`.
#
# A check tells you one of three things:
#
# | It begins with | It means |
# |---|---|
# | ○ | You have not started this TODO yet. |
# | ✗ | Something differs. The message shows the smallest example, what you returned and what is expected. |
# | ✓ | Your code does what is asked, also on inputs that are not shown. |
#
# You can run a check as often as you like. Nothing is sent anywhere, and only the last state of
# your notebook counts.

# %%
import torch
from torch import nn

from helpers import (
    check_count_parameters,
    check_numerical_gradient,
    new_figure,
    show_figure,
    show_progress,
    show_versions,
    start_here_demo,
    uses_your_code,
)

show_versions()

# %% [markdown]
# The cell above also shows which **device** the experiments use: `cuda` is a graphics card, `cpu`
# is the processor. Every lesson runs on a laptop without a graphics card.
#
# The experiments use 1,797 handwritten digits, real images of 8×8 pixels that are part of scikit-learn,
# as `load("digits")`. Where a lesson names other data, such as `load("mnist")`, you may try them:
# `load("mnist", download=True)` fetches them once. Nothing in the course needs them.
#
# ## A slope without calculus
#
# Training a network means asking one question over and over: *if I change this number a little,
# how does the loss change?* The answer is a slope. For a function $f$ of one number it is
#
# $$ f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}, $$
#
# where $h$ is a small step. This is the **central difference**: one step ahead, one step back,
# divided by the distance $2h$ between the two points.
#
# Why two-sided? Expand $f$ around $x$ (Taylor): the terms with $h^2$ have the same sign on both
# sides and cancel in the difference, so the error shrinks with $h^2$. The one-sided
# $(f(x + h) - f(x)) / h$ keeps an error that shrinks only with $h$.

# %%
x = torch.linspace(-0.4, 2.4, 200)
curve = (x - 0.5) ** 3 + x
figure, axes = new_figure(width=6.5)
axes.plot(x, curve, color="black", label="f(x)")
at, h = 1.0, 0.8


def f(x):
    return (x - 0.5) ** 3 + x


slope = 3 * (at - 0.5) ** 2 + 1
axes.plot(x, f(at) + slope * (x - at), color="#0072B2", linestyle=":", label="slope at x = 1")
axes.plot([at - h, at + h], [f(at - h), f(at + h)], "o--", color="#D55E00", label="central")
axes.plot([at, at + h], [f(at), f(at + h)], "s-.", color="#009E73", label="one-sided")
axes.set(
    xlabel="x",
    ylabel="f(x)",
    title="A wide step, h = 0.8: which line comes nearer to the slope of f?",
)
axes.legend()
show_figure(
    figure,
    "A curve with three lines near x = 1. The line through one step back and one step ahead is a "
    "little steeper than the curve; the line through x and one step ahead is much steeper.",
)

# %% [markdown]
# For a tensor $x$ with many entries the **gradient** has one slope for each entry: move that entry
# by $h$, leave all the others where they are.
#
# Where gradients are wanted, PyTorch keeps a *graph* of the operations that made a result, so that
# `backward()` can go back through them. Here it is not needed: inside `with torch.no_grad():` nothing
# is recorded, and the result carries no graph.
#
# ### TODO 0.1
#
# Complete `numerical_gradient` below. Replace the line with `raise`, run the cell, then run the
# check.
#
# <details><summary>Hint 1: how to begin</summary>
#
# Make a result of zeros that has the shape and dtype of `x`. Then go over all entries.
# </details>
#
# <details><summary>Hint 2: how to go over the entries of any shape</summary>
#
# `flat = x.clone().flatten()` is a vector with a copy of the entries, and `flat.reshape(x.shape)`
# brings the shape back. So it is enough to handle a vector.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# Inside `with torch.no_grad():` and for each index `i` of `flat`:
#
# ```python
# moved = flat.clone()
# moved[i] = flat[i] + h
# ahead = f(moved.reshape(x.shape))
# ```
#
# and the same with `- h` for `back`; then `gradient[i] = (ahead - back) / (2 * h)`. At the end give
# `gradient` the shape of `x`.
# </details>


# %% todo="0.1"
# TODO 0.1: complete this function.
def numerical_gradient(f, x, h=1e-5):
    """The gradient of a scalar function by central differences, entry by entry.

    f: takes a float64 tensor of the shape of x; returns a float or a 0-d tensor (of shape ()).
    x: float64 tensor of any shape; it is left unchanged.
    h: the step.

    Returns a float64 tensor of the shape of x. It carries no graph.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        flat = x.flatten()
        gradient = torch.zeros_like(flat)
        for i in range(flat.numel()):
            moved = flat.clone()
            moved[i] = flat[i] + h
            ahead = f(moved.reshape(x.shape))
            moved[i] = flat[i] - h
            back = f(moved.reshape(x.shape))
            gradient[i] = (ahead - back) / (2 * h)
    return gradient.reshape(x.shape)
    ### END SOLUTION


# %% check="check_numerical_gradient"
check_numerical_gradient(numerical_gradient)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch computes gradients exactly, by the chain rule, with `backward()`. Your function needs two
# evaluations for each entry; `backward()` needs about one pass for all of them. That is why we
# train with `backward()`, and why your function is still valuable: it knows nothing of the chain
# rule, so it can *test* it.

# %%
with uses_your_code():
    x = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    loss = (x.sin() * x).sum()
    loss.backward()
    mine = numerical_gradient(lambda x: (x.sin() * x).sum(), x)
    print("PyTorch:", [f"{g:.6f}" for g in x.grad.tolist()])
    print("yours:  ", [f"{g:.6f}" for g in mine.tolist()])

# %% [markdown]
# ### An experiment: how small should the step be?
#
# A smaller step makes the formula more exact, but a float64 number has only about 16 digits, and
# a difference of two nearly equal numbers loses most of them. So there is a best step in between.
# We measure it on a real loss: the cross-entropy (the usual loss for classes) of a linear
# classifier on 100 images of handwritten digits.

# %%
from helpers.experiments.start_here import errors_by_step

STEPS = [10.0**-k for k in range(1, 13)]

with uses_your_code():
    errors = errors_by_step(numerical_gradient, STEPS)
    figure, axes = new_figure(width=6.5)
    axes.loglog(STEPS, errors, "o-", color="#0072B2")
    axes.set(
        xlabel="step h",
        ylabel="largest error of the gradient",
        title="Too wide and too small are both bad",
    )
    axes.invert_xaxis()
    show_figure(
        figure,
        "The error of the numerical gradient against the step. It falls from a step of 0.1 to one "
        "near 1e-5, and rises again for smaller steps.",
    )
    best = min(zip(errors, STEPS, strict=True))
    print(f"smallest error {best[0]:.1e}, at a step of {best[1]:.0e}")

# %% [markdown]
# **What we saw.** The error falls until a step between $10^{-4}$ and $10^{-6}$ and then rises again.
# At the best step it is below $10^{-9}$; at $h = 10^{-12}$ it is more than a thousand times larger.
# From $h = 0.1$ to $h = 0.01$ it falls about a hundredfold, as $h^2$ says. We measured this on five
# random draws of the weights and it held in each.
#
# ### A demo
#
# Move the step and watch the two lines turn. Notice that the central line is good long before the
# one-sided line is.

# %%
start_here_demo()

# %% [markdown]
# ## What a model is made of
#
# What a model learns are its **parameters**: tensors of the type `nn.Parameter`. Some models
# *share* one parameter between two places, and some parameters are *frozen*
# (`requires_grad = False`), so that training leaves them alone. **Buffers**, such as the running
# mean of a normalisation layer, belong to a model but are not trained.
#
# ### TODO 0.2
#
# How many numbers does a model learn? Count the entries of all trainable parameters, each once.
#
# <details><summary>Hint 1: where the parameters are</summary>
#
# `model.parameters()` walks through all modules inside and gives every parameter once.
# </details>
#
# <details><summary>Hint 2: what to ask a parameter</summary>
#
# `p.requires_grad` says whether it is trained, and `p.numel()` how many entries it has.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `sum(... for p in model.parameters() if ...)`
# </details>


# %% todo="0.2"
# TODO 0.2: complete this function.
def count_parameters(model):
    """The number of trainable numbers in an nn.Module, as an int.

    Frozen parameters do not count; a parameter that is used in two places counts once.
    """
    ### BEGIN SOLUTION
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
    ### END SOLUTION


# %% check="check_count_parameters"
check_count_parameters(count_parameters)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch has no single function for this, but `nn.utils.parameters_to_vector` puts all parameters
# into one long vector. For a model in which nothing is frozen its length is your number.

# %%
with uses_your_code():
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    vector = nn.utils.parameters_to_vector(model.parameters())
    print("PyTorch:", len(vector))
    print("yours:  ", count_parameters(model))
    print("by hand:", 64 * 32 + 32 + 32 * 10 + 10)

# %% [markdown]
# ## One question to think about
#
# Some points of every lesson are given by a person. Write a few sentences; formulas are welcome.
#
# A classmate checks the gradient of a network with 10,000 parameters with your
# `numerical_gradient`, in float32, with $h = 10^{-5}$, and finds that nearly all entries come out as
# exactly 0. **Is the network's gradient wrong? What would you change about the test, and what does
# the test cost?**

# %% [markdown] question="numerical-gradient"
# **Model answer.** Probably not. In float32 a number has about 7 digits: near a loss of 2.3
# neighbouring numbers are 2.4·10⁻⁷ apart. The difference f(x + h) − f(x − h) is about 2h times the
# slope. A single weight of a network with 10,000 of them has a slope of a few thousandths, so the
# difference is about 6·10⁻⁸: smaller than that spacing, and both values round to the same number.
# The zeros come from the test itself. Run it in float64, where the spacing is about 10⁻¹⁶ times the
# size, or take a larger step, which makes the formula less exact. The test needs two evaluations of
# the loss for each parameter, here 20,000, where backward() needs about one pass; so one tests a
# small network or a random selection of parameters. Compare by the relative error, and mind that a
# ReLU with its corner between x − h and x + h spoils the formula for that entry.
#
# **Rubric (2 points).**
#
# - ½ point: says that the gradient need not be wrong, that the test itself is inexact.
# - ½ point: explains it by the rounding of float32, which the small difference makes visible.
# - ½ point: proposes float64, or a larger step, or both.
# - ½ point: gives the cost, two evaluations for each parameter, or a way to lower it.

# %% [markdown]
# ## Summary
#
# A central difference gives a slope from two values of a function, with an error that shrinks with
# the square of the step. It is slow and it knows nothing of the chain rule, which makes it the
# best test of a gradient. A model learns its trainable parameters, and each of them counts once.
#
# **Common mistakes**
#
# - Dividing by $h$ instead of $2h$; writing `/ 2 * h` for `/ (2 * h)`.
# - Testing gradients in float32.
# - Counting frozen parameters, buffers, or a shared weight twice.
#
# **Sources**
#
# - A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd edition, SIAM 2008: why the chain rule
#   gives all slopes for the price of a few evaluations.
# - N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd edition, SIAM 2002: rounding,
#   and the best step of a difference.
#
# ## The whole course
#
# <!-- table of lessons -->
#
# Take the lessons in order: each uses what came before. Two pages are for looking things up: the
# [conventions](../conventions.ipynb), where books disagree and the course has chosen, and the
# [glossary](../../docs/glossary.md), one entry for each term.
#
# ## How far am I?
#
# What the checks found is kept on this computer. The table shows it, here and, in a terminal,
# with `course progress`.

# %%
show_progress()
