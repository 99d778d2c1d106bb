# %% [markdown]
# When you have finished this lesson you will be able to
#
# - write the common activation functions and their derivatives,
# - find where a textbook formula breaks in floating-point numbers, and repair it,
# - teach PyTorch a function of your own with a `backward` that you wrote,
# - explain, with a proof and a measurement, why a network needs a non-linearity.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from helpers import (
    activation_functions_demo,
    check_activation_function,
    check_collapse_linear_layers,
    check_gelu,
    check_leaky_relu,
    check_relu,
    check_relu_autograd,
    check_sigmoid,
    check_silu,
    check_tanh,
    line_style,
    new_figure,
    show_figure,
    uses_your_code,
)
from helpers.experiments.activation_functions import (
    accuracy_after_training,
    even_or_odd,
    one_sign_share,
    saturated_share,
)

# %% [markdown]
# ## Three functions and their slopes
#
# A layer of a network computes $z = Wx + b$ and sends each entry of $z$ through an **activation
# function** $a$: the output is $a(z)$, entry by entry, with the shape of $z$. When the network
# learns, the gradient travels back through the same place and is multiplied by the slope $a'(z)$.
# So both matter: the value $a(z)$ on the way forward, the slope $a'(z)$ on the way back.
#
# Three classics, for one number $x$:
#
# | Name | Value | Slope | Range of the value |
# |---|---|---|---|
# | ReLU | $\max(0, x)$ | $1$ for $x > 0$, else $0$ | from 0 up |
# | sigmoid | $s = \dfrac{1}{1 + e^{-x}}$ | $s\,(1 - s)$ | between 0 and 1 |
# | tanh | $t = \dfrac{e^{x} - e^{-x}}{e^{x} + e^{-x}}$ | $1 - t^2$ | between −1 and 1 |
#
# Two things are worth a second look. The slopes of sigmoid and tanh are written with the
# *output*, $s$ or $t$, and not with the input $x$. And the slope of the sigmoid is at most ¼,
# since $s(1-s)$ is largest at $s = ½$; the slope of tanh is at most 1.

# %%
x = torch.linspace(-6, 6, 241)
figure, panels = new_figure(columns=2, width=9.5)
values = {"ReLU": torch.relu(x), "sigmoid": torch.sigmoid(x), "tanh": torch.tanh(x)}
slopes = {
    "ReLU": (x > 0).float(),
    "sigmoid": torch.sigmoid(x) * (1 - torch.sigmoid(x)),
    "tanh": 1 - torch.tanh(x) ** 2,
}
for i, name in enumerate(values):
    panels[0].plot(x, values[name], label=name, **line_style(i))
    panels[1].plot(x, slopes[name], label=name, **line_style(i))
panels[0].set(title="value a(x)", xlabel="x", ylim=(-1.3, 3))
panels[1].set(title="slope a′(x)", xlabel="x", ylim=(-0.1, 1.3))
panels[0].legend()
show_figure(
    figure,
    "Left: ReLU is 0 for negative x and rises as a straight line after 0; sigmoid rises from 0 to "
    "1; tanh rises from −1 to 1. Right: the slope of ReLU jumps from 0 to 1, that of sigmoid is a "
    "low hill of height ¼, that of tanh a hill of height 1.",
)

# %% [markdown]
# ### TODO 1.1
#
# Write the three classes with the textbook formulas above. Each object is called with a tensor and
# returns a tensor of the same shape; its method `derivative` returns the slope at each entry. Use
# elementary operations such as `torch.exp` and `torch.where`; do not call PyTorch's own relu,
# sigmoid or tanh, since writing them is the exercise.
#
# <details><summary>Hint 1: choosing between two values</summary>
#
# `torch.where(condition, a, b)` takes `a` where the condition is true and `b` elsewhere.
# </details>
#
# <details><summary>Hint 2: the slopes</summary>
#
# Inside `derivative` you may call the object itself: `s = self(x)`. For ReLU, `x > 0` is a tensor
# of True and False; `.to(x.dtype)` turns it into ones and zeros.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# 1 / (1 + torch.exp(-x))        # the value of the sigmoid
# s * (1 - s)                    # its slope, with s = self(x)
# ```
#
# and for tanh the fraction from the table, with slope `1 - t ** 2`.
# </details>


# %% todo="1.1"
# TODO 1.1: complete the six methods.
class MyReLU(nn.Module):
    """ReLU, max(0, x). Both methods take a vector, a matrix or a batch, in float32 or float64, and
    return a new tensor of that shape and dtype. Not allowed: torch's own relu, sigmoid, tanh.
    """

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.where(x > 0, x, torch.zeros_like(x))
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        return (x > 0).to(x.dtype)
        ### END SOLUTION


class MySigmoid(nn.Module):
    """The sigmoid, 1 / (1 + exp(-x)). Otherwise as MyReLU."""

    def forward(self, x):
        ### BEGIN SOLUTION
        return 1 / (1 + torch.exp(-x))
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        s = self(x)
        return s * (1 - s)
        ### END SOLUTION


class MyTanh(nn.Module):
    """The hyperbolic tangent. Otherwise as MyReLU."""

    def forward(self, x):
        ### BEGIN SOLUTION
        return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        t = self(x)
        return 1 - t**2
        ### END SOLUTION


# %% check="check_activation_function"
check_activation_function(MyReLU, MySigmoid, MyTanh)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch has the three as modules (`nn.ReLU`) and as functions (`torch.relu`). Yours agree with
# them on ordinary numbers:

# %%
with uses_your_code():
    x = torch.linspace(-10, 10, 1001)
    for mine, theirs in ((MyReLU, nn.ReLU), (MySigmoid, nn.Sigmoid), (MyTanh, nn.Tanh)):
        difference = (mine()(x) - theirs()(x)).abs().max().item()
        print(f"{theirs.__name__:<8} largest difference {difference:.1e}")

# %% [markdown]
# ## A demo
#
# Choose a function and drag $x$. The hatched region is where the slope is below 0.05: there the
# function is **saturated**, and almost no gradient passes.

# %%
activation_functions_demo()

# %% [markdown]
# ## What breaks far from zero
#
# Now we send numbers that are larger than usual through the textbook formulas. We also ask
# *autograd* for the slope: the part of PyTorch that computes gradients when you call `backward()`.


# %%
def show_far_from_zero(activation, points=(-1000.0, -100.0, -20.0, 0.0, 20.0, 100.0, 1000.0)):
    """Print the value and the slope by autograd at each point."""
    x = torch.tensor(points, requires_grad=True)
    y = activation(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    for row in zip(points, y.tolist(), slope.tolist(), strict=True):
        print("x = {:8.0f}   value {:8.3g}   slope by autograd {:8.3g}".format(*row))


def textbook_tanh(x):
    return (torch.exp(x) - torch.exp(-x)) / (torch.exp(x) + torch.exp(-x))


def textbook_sigmoid(x):
    return 1 / (1 + torch.exp(-x))


print("tanh, the textbook formula")
show_far_from_zero(textbook_tanh)
print("sigmoid, the textbook formula")
show_far_from_zero(textbook_sigmoid)

# %% [markdown]
# `nan` means *not a number*. One of them in a gradient is enough to spoil all weights within a step
# or two. Where does it come from?
#
# - **In the value.** In float32 the largest number is about $3.4 \cdot 10^{38}$, and $e^x$ exceeds
#   it from about $x = 89$ on; the result is infinity. (In float64 this happens from about 710 on.)
#   Then tanh computes infinity divided by infinity, which has no value.
# - **Only in the gradient.** The sigmoid at $x = -100$ is $1 / (1 + \infty) = 0$, which is right to
#   more than 40 decimal places! But on the way back the chain rule multiplies the slope of the
#   division, which is 0, by the slope of the exponential, which is infinity. And $0 \cdot \infty$
#   has no value.
#
# So a right value proves nothing about the gradient. Computing in float64 does not help either: it
# only moves the border from 89 to 710.

# %%
for dtype in (torch.float32, torch.float64):
    whole = torch.arange(0, 1000, dtype=dtype)
    first = whole[torch.exp(whole).isinf()][0].item()
    print(f"{dtype}: exp(x) is infinite from x = {first:.0f} on (among whole numbers)")

# %% [markdown]
# **The repair.** It is always the same: never let `exp` see a large positive number. For the sigmoid,
#
# $$ s(x) = \frac{1}{1 + e^{-x}} \;\text{ for } x \ge 0, \qquad
#    s(x) = \frac{e^{x}}{1 + e^{x}} \;\text{ for } x < 0, $$
#
# are the same function, and in each half the exponential is at most 1. There is one more trap:
# `torch.where` computes *both* halves for *all* entries, and the half that is not chosen still
# takes part in the gradient, as $0 \cdot \infty$. So the *argument* of each `exp` must be made safe
# too, with a `torch.where` of its own. Another way is to clamp the argument: beyond ±30 the sigmoid
# is so near to 0 or 1 that its value hardly changes. But the clamp cuts the gradient to 0 there, and a
# loss with $\log s(x)$ needs it: its slope at $x = -100$ is 1, and with a clamp an image that is
# classified wrongly and with certainty would teach nothing. Such a loss takes `F.logsigmoid(x)`, or the
# logits themselves.
#
# **At zero.** The question is another one. ReLU has a corner there, and no slope. PyTorch takes
# $a'(0) = 0$, and so does this course. Formulas for ReLU that look alike differ in just this point:

# %%
x = torch.zeros(1, requires_grad=True)
for name, relu in {
    "torch.relu(x)": torch.relu,
    "torch.maximum(x, 0)": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "torch.where(x >= 0, x, 0)": lambda x: torch.where(x >= 0, x, 0.0),
    "torch.where(x > 0, x, 0)": lambda x: torch.where(x > 0, x, 0.0),
}.items():
    (slope,) = torch.autograd.grad(relu(x).sum(), x)
    print(f"{name:<28} slope at 0: {slope.item():.1f}")

# %% [markdown]
# The next three checks are strict. They ask for the right value, the right `derivative` and the
# right gradient by autograd for $|x|$ up to 10,000, in float32 and float64. Write the three classes
# once more, now safe. (Where your first version is safe already, write it again.)
#
# ### TODO 1.2
#
# ReLU, with the slope 0 at 0.
#
# <details><summary>Hint 1: where to look</summary>
#
# Look at the four lines above: which formulas give the slope 0?
# </details>
#
# <details><summary>Hint 2: what happens at 0</summary>
#
# `torch.where(x > 0, ...)` takes its second branch at 0, and that branch does not depend on x.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `torch.where(x > 0, x, torch.zeros_like(x))`, and for the slope `(x > 0)` as numbers.
# </details>


# %% todo="1.2"
# TODO 1.2: write ReLU again, right at 0 and far from 0.
class MyReLU(nn.Module):
    """ReLU. The slope at 0 is 0, in `derivative` and by autograd.

    Both methods take a vector, a matrix or a batch, in float32 or float64; they return a new tensor
    of that shape and dtype, and leave x unchanged. Not allowed: torch's own relu, sigmoid, tanh.
    """

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.where(x > 0, x, torch.zeros_like(x))
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        return (x > 0).to(x.dtype)
        ### END SOLUTION


# %% check="check_relu"
check_relu(MyReLU)

# %% [markdown]
# ### TODO 1.3
#
# The sigmoid, safe from −10,000 to 10,000.
#
# <details><summary>Hint 1: two safe arguments</summary>
#
# Use the two halves from the text. First make two safe arguments: one that is never negative, and
# one that is never positive.
# </details>
#
# <details><summary>Hint 2: how to make one</summary>
#
# `torch.where(x >= 0, x, 0)` is never negative; it is x where x is positive and 0 elsewhere.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# With `up = torch.where(x >= 0, x, 0)` and `e = torch.exp(torch.where(x >= 0, 0, x))` the halves
# are `1 / (1 + torch.exp(-up))` and `e / (1 + e)`. A third `torch.where` chooses between them.
# </details>


# %% todo="1.3"
# TODO 1.3: write the sigmoid again, without overflow.
class MySigmoid(nn.Module):
    """The sigmoid, with a right value, derivative and autograd gradient for |x| up to 1e4.

    Shapes, dtypes and what is not allowed: as MyReLU.
    """

    def forward(self, x):
        ### BEGIN SOLUTION
        positive = x >= 0
        up = torch.where(positive, x, 0)
        e = torch.exp(torch.where(positive, 0, x))
        return torch.where(positive, 1 / (1 + torch.exp(-up)), e / (1 + e))
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        s = self(x)
        return s * (1 - s)
        ### END SOLUTION


# %% check="check_sigmoid"
check_sigmoid(MySigmoid)

# %% [markdown]
# ### TODO 1.4
#
# Tanh, safe from −10,000 to 10,000, with the slope 1 at 0.
#
# <details><summary>Hint 1: use what you have</summary>
#
# You have a safe sigmoid now. Tanh is a sigmoid that is stretched and shifted.
# </details>
#
# <details><summary>Hint 2: how the two are related</summary>
#
# Multiply numerator and denominator of tanh by $e^{-x}$ and compare with the sigmoid at $2x$.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# $\tanh(x) = 2\,s(2x) - 1$, where $s$ is the sigmoid: call `MySigmoid()(2 * x)`.
# </details>


# %% todo="1.4"
# TODO 1.4: write tanh again, without overflow.
class MyTanh(nn.Module):
    """Tanh, with a right value, derivative and autograd gradient for |x| up to 1e4.

    Shapes, dtypes and what is not allowed: as MyReLU. You may use your MySigmoid.
    """

    def forward(self, x):
        ### BEGIN SOLUTION
        return 2 * MySigmoid()(2 * x) - 1
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        return 1 - self(x) ** 2
        ### END SOLUTION


# %% check="check_tanh"
check_tanh(MyTanh)

# %%
with uses_your_code():
    print("your tanh")
    show_far_from_zero(MyTanh())
    print("your sigmoid")
    show_far_from_zero(MySigmoid())

# %% [markdown]
# ## Three younger functions
#
# | Name | Value | What it is for |
# |---|---|---|
# | LeakyReLU (Maas et al. 2013) | $x$ for $x > 0$, else $\alpha x$ | never quite flat: units cannot die (lesson 03) |
# | GELU (Hendrycks and Gimpel 2016) | $x\,\Phi(x)$ | smooth; common in transformers |
# | SiLU, or Swish (Hendrycks and Gimpel 2016; Ramachandran et al. 2017) | $x\,s(x)$ | smooth; with a learned gate (SwiGLU) common in language models |
#
# Here $\alpha$ is the *negative slope*, a small number such as 0.01. $\Phi(x)$ is the share of a
# standard normal distribution that lies below $x$:
#
# $$ \Phi(x) = \tfrac12\left(1 + \operatorname{erf}\!\left(\tfrac{x}{\sqrt 2}\right)\right),
#    \qquad \Phi'(x) = \varphi(x) = \frac{e^{-x^2/2}}{\sqrt{2\pi}}, $$
#
# and $\operatorname{erf}$ is a standard function that PyTorch has as `torch.erf`. For both smooth
# functions the slope follows from the product rule, $(x \cdot g)' = g + x \cdot g'$.

# %%
x = torch.linspace(-4, 4, 201)
figure, axes = new_figure(width=6.5)
for i, (name, y) in enumerate(
    {"LeakyReLU, slope 0.1": F.leaky_relu(x, 0.1), "GELU": F.gelu(x), "SiLU": F.silu(x)}.items()
):
    axes.plot(x, y, label=name, **line_style(i))
axes.set(xlabel="x", ylabel="value", ylim=(-0.6, 3))
axes.legend()
show_figure(
    figure,
    "LeakyReLU is a straight line with a small slope for negative x. GELU and SiLU dip slightly "
    "below 0 for negative x and approach the line y = x for positive x.",
)

# %% [markdown]
# ### TODO 1.5
#
# LeakyReLU. The slope can be any number, also one above 1 or below 0. At $x = 0$ the derivative is
# the negative slope, as in PyTorch.
#
# <details><summary>Hint 1: the constructor</summary>
#
# Keep the argument in `__init__`: `self.negative_slope = negative_slope`. In an `nn.Module`, call
# `super().__init__()` first.
# </details>
#
# <details><summary>Hint 2: which branch</summary>
#
# The larger of $x$ and $\alpha x$ is right only for $\alpha$ up to 1. Decide by the sign of x.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `torch.where(x > 0, x, self.negative_slope * x)`; for the derivative put a tensor of ones and one
# filled with the slope in the two places: `torch.full_like(x, self.negative_slope)`.
# </details>


# %% todo="1.5"
# TODO 1.5: complete the three methods.
class MyLeakyReLU(nn.Module):
    """LeakyReLU: x for x > 0, else negative_slope * x. At 0 the derivative, also by autograd, is
    negative_slope, which is any number and belongs to the object.

    Shapes and dtypes as MyReLU. Not allowed: torch's own leaky_relu, prelu, rrelu.
    """

    def __init__(self, negative_slope=0.01):
        ### BEGIN SOLUTION
        super().__init__()
        self.negative_slope = negative_slope
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.where(x > 0, x, self.negative_slope * x)
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        return torch.where(x > 0, torch.ones_like(x), torch.full_like(x, self.negative_slope))
        ### END SOLUTION


# %% check="check_leaky_relu"
check_leaky_relu(MyLeakyReLU)

# %% [markdown]
# ### TODO 1.6
#
# GELU, in its exact form with erf, and its derivative.
#
# <details><summary>Hint 1: the parts</summary>
#
# `math.sqrt(2)` and `math.pi` are plain numbers; `torch.erf` and `torch.exp` take tensors.
# </details>
#
# <details><summary>Hint 2: the derivative</summary>
#
# The derivative has two terms: $\Phi(x)$ and $x\,\varphi(x)$.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
# density = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
# ```
# </details>


# %% todo="1.6"
# TODO 1.6: complete both methods.
import math


class MyGELU(nn.Module):
    """GELU, x * Phi(x), exact.

    Shapes and dtypes as MyReLU. Not allowed: torch's own gelu.
    """

    def forward(self, x):
        ### BEGIN SOLUTION
        return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        density = torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return cdf + x * density
        ### END SOLUTION


# %% check="check_gelu"
check_gelu(MyGELU)

# %% [markdown]
# ### TODO 1.7
#
# SiLU, $x \cdot s(x)$, and its derivative, safe far from zero. You may use your `MySigmoid` or
# `torch.sigmoid`.
#
# <details><summary>Hint 1: where the trouble lies</summary>
#
# The fraction $x / (1 + e^{-x})$ has the same trouble as the textbook sigmoid. A safe sigmoid has
# not.
# </details>
#
# <details><summary>Hint 2: the derivative</summary>
#
# The product rule with $g = s$: the slope of the sigmoid is $s\,(1 - s)$.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# The derivative is $s + x\,s\,(1 - s)$.
# </details>


# %% todo="1.7"
# TODO 1.7: complete both methods.
class MySiLU(nn.Module):
    """SiLU, x * sigmoid(x), for |x| up to 1e4.

    Shapes and dtypes as MyReLU. Not allowed: torch's own silu.
    """

    def forward(self, x):
        ### BEGIN SOLUTION
        return x * torch.sigmoid(x)
        ### END SOLUTION

    def derivative(self, x):
        ### BEGIN SOLUTION
        s = torch.sigmoid(x)
        return s + x * s * (1 - s)
        ### END SOLUTION


# %% check="check_silu"
check_silu(MySiLU)

# %%
with uses_your_code():
    x = torch.linspace(-10, 10, 1001)
    for mine, theirs in ((MyLeakyReLU, nn.LeakyReLU), (MyGELU, nn.GELU), (MySiLU, nn.SiLU)):
        difference = (mine()(x) - theirs()(x)).abs().max().item()
        print(f"{theirs.__name__:<10} largest difference from PyTorch's {difference:.1e}")

# %% [markdown]
# ## Your own node in the graph
#
# Until now autograd found the gradient by itself, from the operations that you used. Sometimes one
# knows a better way back: a cheaper one, or a safer one. Then one writes a
# `torch.autograd.Function` with two static methods:
#
# - `forward(ctx, x)` computes the value, and keeps on `ctx` what the way back will need;
# - `backward(ctx, grad_output)` gets the gradient of the loss with respect to the *output*, of the
#   shape of the output, and returns the gradient with respect to the *input*, by the chain rule:
#   `grad_output` times the slope.
#
# It is used as `ReLUFunction.apply(x)`. `ctx` belongs to one call: what is kept there cannot be
# mixed up with another call.
#
# ### TODO 1.8
#
# Write ReLU as such a function.
#
# <details><summary>Hint 1: what to keep</summary>
#
# `ctx.save_for_backward(x)` keeps x; `(x,) = ctx.saved_tensors` gets it back.
# </details>
#
# <details><summary>Hint 2: the way back</summary>
#
# The slope is 1 where x is positive and 0 elsewhere. Multiply it by `grad_output`; do not write
# into `grad_output`, since others may use it too.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `return grad_output * (x > 0)`
# </details>


# %% todo="1.8"
# TODO 1.8: complete both methods.
class ReLUFunction(torch.autograd.Function):
    """ReLU with a backward of its own; once differentiable is enough.

    x and grad_output: tensors of the same shape and dtype; neither is changed. The slope at 0 is 0.
    Not allowed: torch's own relu.
    """

    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        ctx.save_for_backward(x)
        return torch.where(x > 0, x, torch.zeros_like(x))
        ### END SOLUTION

    @staticmethod
    def backward(ctx, grad_output):
        ### BEGIN SOLUTION
        (x,) = ctx.saved_tensors
        return grad_output * (x > 0)
        ### END SOLUTION


# %% check="check_relu_autograd"
check_relu_autograd(ReLUFunction)

# %% [markdown]
# PyTorch has a tester for such functions. `torch.autograd.gradcheck` does what you did in lesson
# 00: it compares your `backward` with central differences, in float64.

# %%
with uses_your_code():
    x = torch.randn(5, dtype=torch.float64, requires_grad=True)
    print("gradcheck:", torch.autograd.gradcheck(ReLUFunction.apply, (x,)))

# %% [markdown]
# ## Why a network needs a bend
#
# What happens without any activation function? Two linear layers in a row compute
#
# $$ W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\,x + (W_2 b_1 + b_2), $$
#
# with $x$ of shape (in,), $W_1$ of shape (hidden, in), $W_2$ of shape (out, hidden). That is again
# one linear layer, with the weight $W = W_2 W_1$ of shape (out, in) and the bias
# $b = W_2 b_1 + b_2$ of shape (out,). However many layers you stack, no new function is gained.
#
# ### TODO 1.9
#
# Write the function that finds this one layer for a stack of any depth.
#
# <details><summary>Hint 1: the plan</summary>
#
# Begin with the first layer's weight and bias, and take in one more layer at a time.
# </details>
#
# <details><summary>Hint 2: one step of it</summary>
#
# A later weight is multiplied from the left: `w @ weight`. The bias so far goes through the later
# weight as well.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# In the loop: `weight, bias = w @ weight, w @ bias + b`.
# </details>


# %% todo="1.9"
# TODO 1.9: complete this function.
def collapse_linear_layers(weights, biases):
    """The single affine map equal to a stack of linear layers.

    weights: list of tensors (out, in), first layer first; the `in` of each is the `out` of the one
        before.
    biases: list of tensors (out,), one for each weight.

    Returns (W, b) with W of shape (out of the last, in of the first) and b of shape (out of the
    last,), in the dtype of the weights, so that W @ x + b is what the stack computes. The arguments
    are left unchanged, and gradients flow through.
    """
    ### BEGIN SOLUTION
    layers = list(zip(weights, biases, strict=True))
    weight, bias = layers[0]
    for w, b in layers[1:]:
        weight, bias = w @ weight, w @ bias + b
    return weight, bias
    ### END SOLUTION


# %% check="check_collapse_linear_layers"
check_collapse_linear_layers(collapse_linear_layers)

# %%
with uses_your_code():
    layers = [nn.Linear(64, 32), nn.Linear(32, 32), nn.Linear(32, 2)]
    W, b = collapse_linear_layers([m.weight for m in layers], [m.bias for m in layers])
    x = torch.randn(5, 64)
    difference = (nn.Sequential(*layers)(x) - F.linear(x, W, b)).abs().max().item()
    print(f"stack of three: {tuple(W.shape)} and {tuple(b.shape)}, difference {difference:.0e}")

# %% [markdown]
# ### An experiment: is the image even or odd?
#
# The same can be measured. The data are 1,797 handwritten digits (8×8 pixels). The task is to
# say whether the digit is even or odd: two classes, each a mixture of five quite different shapes,
# which no single plane separates well. We train five networks five times each, with the same
# data, the same number of steps and the same step size; only depth and activation differ. Each of
# the five times has its own **seed**, a number that fixes all random draws: the initial weights and
# the order of the images. We measure the *test accuracy*, the share of right answers on images that
# took no part in the training. (Try `even_or_odd("mnist")` if you have MNIST on your computer.)

# %%
data = even_or_odd()
SEEDS = range(5)

with uses_your_code():
    networks = {
        "1 linear layer": (None, 1),
        "3 linear layers": (None, 3),
        "3 layers, your sigmoid": (MySigmoid, 3),
        "3 layers, your tanh": (MyTanh, 3),
        "3 layers, your ReLU": (MyReLU, 3),
    }
    results = {
        name: [accuracy_after_training(data, activation, depth, seed, epochs=15) for seed in SEEDS]
        for name, (activation, depth) in networks.items()
    }
    figure, axes = new_figure(width=7.5, height=3.2)
    for i, (name, runs) in enumerate(results.items()):
        mean = sum(runs) / len(runs)
        axes.plot(runs, [i] * len(runs), "o", color="#0072B2", alpha=0.6)
        axes.plot([mean], [i], "|", color="black", markersize=18)
        print(f"{name:<24} {mean:.3f}   from {min(runs):.3f} to {max(runs):.3f}")
    axes.set(
        yticks=range(len(results)),
        yticklabels=list(results),
        xlabel="test accuracy (dots: five seeds, line: mean)",
        ylim=(len(results) - 0.5, -0.5),
    )
    show_figure(
        figure,
        "Test accuracy of five networks on even against odd digits. Both linear ones lie near "
        "0.91; with sigmoid it is near 0.94, with tanh and ReLU near 0.98.",
    )

# %% [markdown]
# **What we saw.** One linear layer reaches about 0.91 (0.90 to 0.92 over five seeds), and three
# linear layers reach the same: depth alone gains no new function. With tanh or ReLU between the layers the
# accuracy is about 0.98, at least 4 points more in every seed. The sigmoid lies between them at
# about 0.94; in the same number of steps it learns more slowly. Why? It differs from tanh in two
# things: its slope is at most ¼, and its outputs are not centred at 0. We repair them one at a time.

# %%
from functools import partial

from helpers.experiments.activation_functions import Bend

with uses_your_code():
    sigmoid = MySigmoid()
    repaired = {
        "sigmoid": (sigmoid, 0.1),
        "sigmoid, step size 0.3": (sigmoid, 0.3),
        "centred: s(x) - 1/2": (lambda x: sigmoid(x) - 0.5, 0.1),
        "centred, slope 1: 4 s(x) - 2": (lambda x: 4 * sigmoid(x) - 2, 0.1),
        "tanh": (MyTanh(), 0.1),
    }
    for name, (function, step) in repaired.items():
        runs = [
            accuracy_after_training(data, partial(Bend, function), 3, seed, epochs=15, lr=step)
            for seed in SEEDS
        ]
        print(f"{name:<30} {sum(runs) / len(runs):.3f}   from {min(runs):.3f} to {max(runs):.3f}")

# %% [markdown]
# **What we saw.** Mainly it is the slope: a step size three times as long makes up for it, and the
# sigmoid reaches about 0.97. A missing centre costs something too: with the same small slope, centred
# outputs gain about 1.5 points on average. With both repaired the sigmoid is as good as tanh. (It *is*
# tanh, of $x/2$ and twice as high.) Saturation, which many texts name first, plays no part at these
# weights: almost all units are where the slope is large. When does it?
#
# ### Saturation
#
# The more widely the numbers that arrive at a sigmoid or tanh are spread, the more units sit where
# the function is flat. We send the test digits through a random layer with 256 units and scale the numbers that
# arrive, so that their standard deviation is 0.5, 1, 3 or 10:

# %%
with uses_your_code():
    SCALES = (0.5, 1.0, 3.0, 10.0)
    print("standard deviation ", "  ".join(f"{scale:>5}" for scale in SCALES))
    for name, activation in (("sigmoid", MySigmoid()), ("tanh", MyTanh()), ("ReLU", MyReLU())):
        shares = saturated_share(activation.derivative, SCALES)
        print(f"{name:<8} slope < 0.05", "  ".join(f"{share:>5.0%}" for share in shares))

# %% [markdown]
# At a standard deviation of 1 almost no unit is saturated (sigmoid below 2 %, tanh below 6 %). At 10
# more than 70 % are, for both. For ReLU it is about half, always: its slope does not depend on the
# scale. So a network with sigmoid or tanh needs weights of the right size; lesson 02 shows how to
# choose them.
#
# ### Zero-centred or not
#
# The outputs of the sigmoid are all positive. Take a unit of the next layer. For one image the
# gradient of each of its weights is (the error of the unit) × (the output of the sigmoid that the
# weight multiplies), so *all* its weights are pushed in the same direction, all up or all down. To
# turn one weight up and another down, learning must zigzag. The outputs of tanh have both signs. We
# count the units whose weights one image pushes in one direction only:

# %%
with uses_your_code():
    for name, activation in (("sigmoid", MySigmoid()), ("ReLU", MyReLU()), ("tanh", MyTanh())):
        print(
            f"{name:<8} {one_sign_share(activation):.0%} of the units are pushed in one direction only"
        )

# %% [markdown]
# All of them for the sigmoid, none for tanh, and that in every seed. ReLU has the same defect as
# the sigmoid, since its outputs are never negative, and still learns well: as the runs above say, the
# slope matters more than the centre.
#
# ## One question to think about
#
# Explain, in your own words and with at least one formula: **why does a network need a non-linear
# activation function, and what happens with a linear one, such as $a(x) = 3x$? Does it then help to
# make the network deeper or wider?** Use your measurement of even and odd digits as evidence.

# %% [markdown] question="why-non-linear"
# **Model answer.** A linear layer is the map x ↦ Wx + b. With a linear activation a(x) = cx between
# two layers the network computes W₂(c(W₁x + b₁)) + b₂ = (cW₂W₁)x + (cW₂b₁ + b₂), which is one
# linear layer again. By induction this holds for any depth. So the set of functions that the
# network can represent does not grow with depth; width does not help either (a narrow layer can even
# restrict the rank of W). Such a network separates two classes only by a plane. Even and odd digits
# are not separable by a plane: one and three linear layers both reached about 0.91, and the same three
# layers with tanh or ReLU about 0.98. A non-linear activation bends the map, so that the composition of
# layers is richer than each of them; unless it is a polynomial, one layer with enough units can
# approximate any continuous function on a closed and bounded region (Leshno et al. 1993; for the sigmoid
# Cybenko 1989).
#
# **Rubric (4 points).**
#
# - 1 point: shows by a formula that two linear layers with a linear activation are one linear layer.
# - 1 point: concludes that this holds for any depth, and that width does not help.
# - 1 point: says what a non-linear activation adds: richer functions than a plane.
# - 1 point: uses the measurement, with its numbers, as evidence.

# %% [markdown]
# ## Summary
#
# An activation function bends the line, and without a bend a stack of layers is one linear layer.
# What it does to the gradient matters as much as its value: sigmoid and tanh saturate, ReLU passes
# a slope of exactly 1 or 0. Formulas with `exp` must be written so that nothing overflows, in
# the value and on the way back.
#
# **Common mistakes**
#
# - Writing the slope of the sigmoid with the input, $x(1-x)$, where the output is meant.
# - Looking at values only: the gradient can be NaN where the value is right.
# - Hiding a NaN with `nan_to_num`, or moving it away with float64, and calling it a repair.
# - Believing that `torch.where` skips the branch that is not chosen.
#
# **Sources**
#
# - X. Glorot, A. Bordes and Y. Bengio, *Deep Sparse Rectifier Neural Networks*, AISTATS 2011.
# - Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, *Efficient BackProp*, in *Neural Networks: Tricks
#   of the Trade*, Springer 1998: saturation, and why centred outputs help.
