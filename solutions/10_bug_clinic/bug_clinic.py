# %% [markdown]
# When you have finished this lesson you will be able to
#
# - start from a symptom (a NaN, a number that changes, a curve that does not bend) and find its cause,
# - tell a repair from a bandage that only hides the symptom,
# - look in the places where a program can be wrong although its output looks right: the gradient,
#   the mode, the buffers, the units of a number, the data it was judged on,
# - say in one sentence what was wrong, which is what a good bug report needs.

# %%
import torch
import torch.nn.functional as F
from torch import nn

from helpers import (
    bug_clinic_demo,
    check_bug_clinic,
    line_style,
    new_figure,
    show_figure,
    uses_your_code,
)
from helpers.experiments.bug_clinic import (
    accuracy_by_company,
    answers_that_change,
    census_of,
    gradient_of_padding,
    nan_share,
    reported_and_real,
    step_on_mail,
    weight_size,
)

SEEDS = range(5)

# %% [markdown]
# ## How the clinic works
#
# Twelve short programs are ill. Each was written for this course, and each has a defect that can be
# found in public tutorials: all of them run, most of them train, and none of them says that it is
# wrong. For each program you
#
# 1. *run* it and look at the symptom,
# 2. *repair* it in the TODO cell; the docstring there says what the program is meant to do,
# 3. *check* the repair: 1 point,
# 4. *explain* in one sentence what was wrong: 1 point, given by hand.
#
# A program takes about five minutes. If you are stuck for longer, go on to the next one, and come back.
#
# You may use everything that PyTorch has; nothing must be written by hand here. Do not change what
# a program is meant to do, and leave its arguments unchanged. Programs 1, 4, 10 and 11 are shown on the
# handwritten digits; `name="mnist"` in their experiments, such as `census_of(Census, name="mnist")`,
# takes other images, if you have them.
#
# The checks do not ask whether the symptom is gone. They ask whether the program is right. Here is
# the difference, on a case that is not one of the twelve.
#
# ### A worked example
#
# *Softplus* is a smooth relative of ReLU, $\operatorname{softplus}(x) = \log(1 + e^x)$, for one
# number $x$. Written down as it stands, it gives infinity for $x = 100$; the right value is 100. A
# student finds a repair: for large $x$ softplus is $x$, so take $x$ there.


# %%
def textbook_softplus(x):
    return torch.log(1 + torch.exp(x))


def patched_softplus(x):
    return torch.where(x > 20, x, torch.log(1 + torch.exp(x)))


def repaired_softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))  # log(exp(x) + exp(0)), without overflow


figure, panels = new_figure(columns=2, width=9.5)
x = torch.linspace(-50, 150, 401, requires_grad=True)
versions = {
    "textbook": textbook_softplus,
    "patched": patched_softplus,
    "repaired": repaired_softplus,
}
for i, (name, softplus) in enumerate(versions.items()):
    y = softplus(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    shift = 0.02 * (1 - i)  # so that lines that agree can all be seen
    panels[0].plot(x.detach(), y.detach() + 150 * shift, label=name, **line_style(i))
    panels[1].plot(x.detach(), slope + shift, label=name, **line_style(i))
    at_100, lost = softplus(x.new_tensor(100.0)), slope.isnan().sum()
    print(f"{name:<9} value at x = 100: {at_100:3.0f}, slope NaN at {lost:3} of {len(x)} points")
panels[0].set(xlabel="x", ylabel="value", title="softplus (lines drawn a little apart)")
panels[1].set(xlabel="x", ylabel="slope by autograd", title="its gradient")
panels[0].legend()
show_figure(
    figure,
    "Left: the value of three versions of softplus. The textbook version ends at x = 89, the other "
    "two rise to 150. Right: the slope. Textbook and patched version end at x = 89, only the "
    "repaired one goes on. The lines are drawn a little apart.",
)

# %% [markdown]
# The patched version has the right value everywhere, and its gradient is NaN at as many points as
# that of the textbook version: `torch.where` computes both branches, and the one that is not chosen
# still takes part in the way back. (You met this in lesson 01.) The patch moved the symptom to a place
# where nobody looked. So, for each program, ask
#
# - *value*: for which inputs, apart from the one on the screen?
# - *gradient*: does it exist, and is it that of the formula?
# - *mode and state*: train and eval, buffers, random numbers, before and after?
# - *meaning*: is this number what its name says, in its unit, measured on the right data?
#
# Three bandages are never a repair: replacing NaN after it has appeared, fixing the random seed, and
# an `if` for the very input that was shown.

# %% [markdown]
# ## Program 1: a squashing function
#
# A first layer sums up the pixels of an image, and `squash` brings the sums between −1 and 1. On
# images whose pixels run from 0 to 1 it works. Then somebody loads the images as bytes, from 0
# to 255.


# %%
def squash(x):
    """tanh(x), entry by entry."""
    up, down = torch.exp(x), torch.exp(-x)
    return (up - down) / (up + down)


for brightness in (1, 255):
    shares = [nan_share(squash, brightness, seed) for seed in SEEDS]
    print(
        f"pixels up to {brightness:3}: {min(shares):.0%} to {max(shares):.0%} of the units are NaN"
    )
print(squash(torch.tensor([-200.0, -1.0, 0.0, 1.0, 200.0])))

# %% [markdown]
# **Symptom.** With pixels up to 1 no unit is NaN. With pixels up to 255 about half of them are, for
# each of five random layers.
#
# ### TODO 10.1
#
# <details><summary>Hint 1: where to look</summary>
#
# Print `up` and `down` for $x = 200$ before they are divided.
# </details>
#
# <details><summary>Hint 2: what a real repair does</summary>
#
# It lets no exponential overflow, in the value and in the gradient. Try your version at $x = 0$ and
# $x = \pm 10000$ with `backward()`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# PyTorch has this function. By hand: $\tanh(x) = 2\,s(2x) - 1$ with the sigmoid $s$.
# </details>


# %% todo="10.1"
# TODO 10.1: repair `squash`.
def repaired_tanh(x):
    """tanh(x), entry by entry.

    x: a tensor, such as a vector or a matrix, float32 or float64, with |x| up to 1e4; it is left
        unchanged.

    Returns a tensor of that shape and dtype. Value and gradient are right to 1e-3 (in float64 to
    1e-6), or to 1e-6 where they are near 0, and the gradient at 0 is 1. NaN is nowhere swept away:
    one that arrives in the gradient stays.
    """
    ### BEGIN SOLUTION
    return torch.tanh(x)
    ### END SOLUTION


# %% check="check_bug_clinic_tanh"
check_bug_clinic("tanh", repaired_tanh)

# %%
with uses_your_code():
    print(repaired_tanh(torch.tensor([-200.0, -1.0, 0.0, 1.0, 200.0])))
    print("NaN now:", [nan_share(repaired_tanh, 255, seed) for seed in SEEDS])

# %% [markdown]
# **Explain** in one sentence: what was wrong in `squash`, and why did it show only for large sums?

# %% [markdown] question="clinic-tanh" points=1
# **Model answer.** For |x| above 88 one of the two exponentials is larger than the largest float32
# and becomes infinity, so the fraction is infinity divided by infinity, which is NaN.
#
# **Rubric (1 point).**
#
# - ¼ point: names an exponential, exp(x) or exp(−x), as the place.
# - ¼ point: says that it overflows, or becomes infinite.
# - ¼ point: says how NaN comes from it, infinity divided by infinity.
# - ¼ point: says why small sums are safe: they stay below the border near 88.

# %% [markdown]
# ## Program 2: a gate that is sure of itself
#
# A spam filter counts words and turns a score into a probability, with 1 for spam. It learns by
# gradient descent. E-mails have up to 50 words; then one of 100 words arrives.


# %%
def sure(x):
    """The sigmoid of x, entry by entry."""
    return 1 / (1 + torch.exp(-x))


for longest in (50.0, 100.0):
    loss, weight = step_on_mail(sure, longest)
    rounded = [round(w, 3) for w in weight.tolist()]
    print(f"longest e-mail {longest:3.0f} words: loss {loss:.4f}, weights after one step {rounded}")
print("value at −200:", sure(torch.tensor(-200.0)).item())

# %% [markdown]
# **Symptom.** Both losses are 0.0542, an ordinary number, and the value at −200 is 0, as it should
# be. But after one step with the longer e-mail all weights are NaN.
#
# ### TODO 10.2
#
# <details><summary>Hint 1: where to look</summary>
#
# The value is right. So look at what `backward()` computes: print the gradient at −200.
# </details>
#
# <details><summary>Hint 2: how autograd gets there</summary>
#
# It multiplies the slope of $1/u$ by the slope of $u = 1 + e^{-x}$. What are the two at
# $x = -200$?
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# PyTorch has this function, and its gradient is safe. By hand:
# $s(x) = \tfrac12 (1 + \tanh(x / 2))$.
# </details>


# %% todo="10.2"
# TODO 10.2: repair `sure`.
def repaired_sigmoid(x):
    """The sigmoid 1 / (1 + exp(−x)), entry by entry.

    x: a tensor, such as a vector or a matrix, float32 or float64, with |x| up to 1e4; it is left
        unchanged.

    Returns a tensor of that shape and dtype. Value and gradient are right to 1e-3 (in float64 to
    1e-6), or to 1e-6 where they are near 0. NaN is nowhere swept away: one that arrives in the
    gradient stays.
    """
    ### BEGIN SOLUTION
    return torch.sigmoid(x)
    ### END SOLUTION


# %% check="check_bug_clinic_sigmoid"
check_bug_clinic("sigmoid", repaired_sigmoid)

# %%
with uses_your_code():
    loss, weight = step_on_mail(repaired_sigmoid, 100.0)
    print(f"loss {loss:.4f}, weights after one step {[round(w, 3) for w in weight.tolist()]}")

# %% [markdown]
# **Explain** in one sentence: the value was right, so where did the NaN come from?

# %% [markdown] question="clinic-sigmoid" points=1
# **Model answer.** At −200 exp(−x) overflows to infinity; the value 1/infinity is 0 and right, but on
# the way back the chain rule multiplies the slope of 1/u, which is 0, by the slope of the
# exponential, which is infinity, and 0 times infinity is NaN.
#
# **Rubric (1 point).**
#
# - ¼ point: says that exp(−x) overflows for very negative x.
# - ¼ point: says that the value is right all the same, since 1/infinity is 0.
# - ¼ point: places the fault in the backward pass, in the chain rule.
# - ¼ point: names the product 0 times infinity.

# %% [markdown]
# ## Program 3: padding that learns
#
# Sentences of different length are padded with rows of zeros, so that they fit into one tensor. Of
# the eight rows below, six are padding. A layer with a bias that starts at 0 follows. Padding
# carries no word, and where ReLU cuts off, no gradient should pass; the gradient that reaches the
# bias from the padding should be 0.


# %%
def rectify(x):
    """ReLU, entry by entry."""
    return torch.maximum(x, torch.zeros_like(x))


print("gradient of the bias from padding, rectify:   ", gradient_of_padding(rectify))
print("gradient of the bias from padding, torch.relu:", gradient_of_padding(torch.relu))

# %% [markdown]
# **Symptom.** Six rows of padding push the bias with a gradient of 3.0; `torch.relu` gives 0.
#
# ### TODO 10.3
#
# <details><summary>Hint 1: where to look</summary>
#
# The values of both are equal everywhere. What goes into the function in a row of padding, exactly?
# </details>
#
# <details><summary>Hint 2: what a tie means</summary>
#
# Where both arguments of `torch.maximum` are equal, both are the largest. Divide 3.0 by 6 rows.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# Choose with a condition that is false at 0, such as `x > 0`, or use PyTorch's ReLU.
# </details>


# %% todo="10.3"
# TODO 10.3: repair `rectify`.
def repaired_relu(x):
    """ReLU: x where x > 0, else exactly 0, entry by entry.

    x: a tensor, such as a vector or a matrix, float32 or float64; it is left unchanged.

    Returns a tensor of that shape and dtype. The gradient is 1 where x > 0, however small, and 0
    elsewhere, at exactly 0 as well.
    """
    ### BEGIN SOLUTION
    return torch.where(x > 0, x, torch.zeros_like(x))
    ### END SOLUTION


# %% check="check_bug_clinic_relu"
check_bug_clinic("relu", repaired_relu)

# %%
with uses_your_code():
    print("gradient of the bias from padding:", gradient_of_padding(repaired_relu))

# %% [markdown]
# **Explain** in one sentence: why did padding push the bias?

# %% [markdown] question="clinic-relu" points=1
# **Model answer.** A row of padding gives exactly 0 before the ReLU, where the two arguments of
# maximum are equal; autograd then shares the gradient, ½ for each, while ReLU'(0) is taken as 0.
#
# **Rubric (1 point).**
#
# - ¼ point: says that padding with a bias of 0 gives an input of exactly 0.
# - ¼ point: says that maximum has a tie there.
# - ¼ point: says that its gradient at the tie is ½ (and 6 times ½ is 3).
# - ¼ point: says that the gradient at 0 should be 0, as PyTorch takes it.

# %% [markdown]
# ## Program 4: a classifier that changes its mind
#
# A classifier of handwritten digits with dropout is trained, and switched to evaluation mode as the
# manual says. Then it is asked twice about the same test images.


# %%
class Classifier(nn.Module):
    def __init__(self, inputs, hidden, outputs, p):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, outputs)
        self.p = p

    def forward(self, x):
        h = torch.relu(self.hidden(x))
        h = F.dropout(h, self.p)
        return self.output(h)


for seed in SEEDS:
    right, changed = answers_that_change(Classifier, seed)
    print(f"seed {seed}: test accuracy {right:.3f}, another answer the second time: {changed:.1%}")

# %% [markdown]
# **Symptom.** In evaluation mode, between 8 % and 20 % of the test images get another class when the same
# model is asked again, with each of five seeds.
#
# ### TODO 10.4
#
# <details><summary>Hint 1: where to look</summary>
#
# `eval()` sets one attribute in every module. Who reads it in this model?
# </details>
#
# <details><summary>Hint 2: what the function does by itself</summary>
#
# Read the signature with `help(F.dropout)`: what is the default of `training`?
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# Pass `training=self.training`; or make an `nn.Dropout` in `__init__`, as an attribute.
# </details>


# %% todo="10.4"
# TODO 10.4: repair the classifier. You may add to the constructor.
class RepairedClassifier(nn.Module):
    """A linear layer `hidden`, ReLU, dropout, and a linear layer `output`.

    p: the probability with which a hidden unit is dropped.

    In training mode each pass drops anew and divides what it keeps by 1 − p. In evaluation mode
    the output is that of the same network without dropout. Mode is what train() and eval() of
    this model, or of any parent, have set; nothing else counts. The random seed is the caller's.
    """

    def __init__(self, inputs, hidden, outputs, p):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.output = nn.Linear(hidden, outputs)
        self.p = p

    def forward(self, x):
        ### BEGIN SOLUTION
        h = torch.relu(self.hidden(x))
        h = F.dropout(h, self.p, training=self.training)
        return self.output(h)
        ### END SOLUTION


# %% check="check_bug_clinic_dropout"
check_bug_clinic("dropout", RepairedClassifier)

# %%
with uses_your_code():
    for seed in SEEDS:
        right, changed = answers_that_change(RepairedClassifier, seed)
        print(f"seed {seed}: test accuracy {right:.3f}, another answer: {changed:.1%}")

# %% [markdown]
# The repaired model gives the same answer every time, and its test accuracy is higher as well, with each
# of the five seeds by at least 2 points.
#
# **Explain** in one sentence: `eval()` was called, so why were units still dropped?

# %% [markdown] question="clinic-dropout" points=1
# **Model answer.** eval() only sets self.training to False, and F.dropout is a function that does not
# know the module: its argument training has the default True, so it drops in every mode.
#
# **Rubric (1 point).**
#
# - ¼ point: names the call of F.dropout as the place.
# - ¼ point: says what eval() does: it sets self.training (and no more).
# - ¼ point: says that a function does not see that, unless it is told.
# - ¼ point: says that training is True by default, so units are dropped in evaluation.

# %% [markdown]
# ## Program 5: a mask of one's own
#
# Somebody writes dropout by hand. With $p = ½$ it seemed to work. Three things are wrong with it.


# %%
def mask_out(x, p):
    """Inverted dropout: each entry is dropped with probability p."""
    mask = torch.bernoulli(torch.full(x.shape, p))
    return x * mask


torch.manual_seed(0)
ones = torch.ones(100_000)
for p in (0.2, 0.5, 0.8):
    y = mask_out(ones, p)
    print(f"p = {p}: dropped {(y == 0).float().mean():.2f}, mean of the result {y.mean():.2f}")

elsewhere = torch.ones(3, device="meta")  # "meta" stands in for a graphics card
try:
    mask_out(elsewhere, 0.2)
except RuntimeError as error:
    print("on another device:", error)

# %% [markdown]
# **Symptom.** With $p = 0.2$ not 20 % but 80 % of the entries are dropped. The mean of a tensor of
# ones should stay near 1; it becomes 0.2, 0.5 and 0.8. And a tensor on another device is refused.
#
# ### TODO 10.5
#
# <details><summary>Hint 1: where to look</summary>
#
# `torch.bernoulli(q)` gives 1 with probability q. What does a 1 in the mask mean for the entry?
# </details>
#
# <details><summary>Hint 2: the mean</summary>
#
# An entry is kept with probability $1 - p$. By what must it be divided, so that its mean
# is what it was? And what happens to your formula at $p = 1$?
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `torch.rand_like(x)` lives where x lives, and has its dtype: compare it with p, and divide by
# `1 - p`. For p = 1 return zeros.
# </details>


# %% todo="10.5"
# TODO 10.5: repair `mask_out`.
def repaired_mask(x, p):
    """Inverted dropout, as in training.

    x: a tensor, such as a vector or a matrix, float32 or float64, on any device; it is left
        unchanged.
    p: the probability with which each entry is dropped, a float from 0 to 1.

    Returns a tensor of the shape, dtype and device of x: each entry is 0 with probability p, else
    x / (1 − p). The choice is new in each call. For p = 1 all entries are 0. Gradients flow
    through the entries that are kept.
    """
    ### BEGIN SOLUTION
    if p == 1:
        return x * 0
    kept = torch.rand_like(x) >= p
    return x * kept / (1 - p)
    ### END SOLUTION


# %% check="check_bug_clinic_mask"
check_bug_clinic("mask", repaired_mask)

# %%
with uses_your_code():
    for p in (0.2, 0.5, 0.8):
        y = repaired_mask(ones, p)
        print(f"p = {p}: dropped {(y == 0).float().mean():.2f}, mean {y.mean():.2f}")

# %% [markdown]
# **Explain** in one sentence: what were the three defects?

# %% [markdown] question="clinic-mask" points=1
# **Model answer.** The mask keeps entries with probability p although p is the probability of dropping,
# the kept entries are not divided by 1 − p, so that the mean changes, and the mask is made on the CPU,
# so that it cannot be multiplied by a tensor on a graphics card.
#
# **Rubric (1 point).**
#
# - ¼ point: says that p was used as the probability of keeping.
# - ¼ point: says that the kept entries were not divided by 1 − p (a division by p is wrong).
# - ¼ point: says that the mask did not follow x to its device.
# - ¼ point: says why p = ½ hid the first defect: then p = 1 − p.

# %% [markdown]
# ## Program 6: a penalty that pulls at everything alike
#
# This program is meant to penalise large weights, with the L2 penalty of lesson 04,
#
# $$ \lambda\,\Omega_2 = \tfrac12 \lambda \sum_{W} \sum_{ij} W_{ij}^2, $$
#
# where the outer sum runs over all weights, the parameters with two or more axes. An L2 penalty
# pulls hard at large weights and hardly at small ones: its gradient is $\lambda W$.


# %%
def penalty(model, lam):
    """The L2 penalty of all weights, without biases."""
    return lam * sum(p.norm() for p in model.parameters() if p.dim() >= 2)


torch.manual_seed(0)
for scale in (0.01, 1.0, 2.0, 100.0):
    layer = nn.Linear(20, 10, bias=False)
    nn.init.constant_(layer.weight, scale)
    value = penalty(layer, lam=0.1)
    value.backward()
    print(
        f"weights {scale:6.2f}: penalty {value:8.3f}, norm of its gradient {layer.weight.grad.norm():.3f}"
    )

# %% [markdown]
# **Symptom.** Twice the weights give twice the penalty; the square in the formula asks for four times. And
# the gradient has the norm 0.1, whether the weights are 0.01 or 100.
#
# ### TODO 10.6
#
# <details><summary>Hint 1: where to look</summary>
#
# Write out `p.norm()` as a formula, and lay it beside the formula above.
# </details>
#
# <details><summary>Hint 2: two things to compare</summary>
#
# There is one root too many, and a factor too few. Do not take the root and square it again: think
# of the gradient where all weights are 0.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `0.5 * lam * sum((p ** 2).sum() for ...)`
# </details>


# %% todo="10.6"
# TODO 10.6: repair `penalty`.
def repaired_penalty(model, lam):
    """The L2 penalty ½·λ·Σ w², over all entries of all weights of a model.

    model: an nn.Module; its weights are the parameters with two or more axes, so biases do not
        count.
    lam: λ, a float of at least 0.

    Returns a 0-d tensor through which gradients flow: the gradient with respect to a weight w is
    λ·w, also where w is 0.
    """
    ### BEGIN SOLUTION
    return 0.5 * lam * sum((p**2).sum() for p in model.parameters() if p.dim() >= 2)
    ### END SOLUTION


# %% check="check_bug_clinic_norms"
check_bug_clinic("norms", repaired_penalty)

# %%
with uses_your_code():
    for scale in (0.01, 1.0, 2.0, 100.0):
        nn.init.constant_(layer.weight, scale)
        layer.weight.grad = None
        value = repaired_penalty(layer, lam=0.1)
        value.backward()
        print(
            f"weights {scale:6.2f}: penalty {value:10.3f}, gradient {layer.weight.grad.norm():8.3f}"
        )

# %% [markdown]
# **Explain** in one sentence: what did the program compute instead of the L2 penalty, and what does
# that change in training?

# %% [markdown] question="clinic-norms" points=1
# **Model answer.** It adds the norms of the layers and not half of their squares, so the gradient has the
# same size λ for every layer, however large its weights are, instead of growing with them as λw.
#
# **Rubric (1 point).**
#
# - ¼ point: says that the norm is not squared (a root too many).
# - ¼ point: says that the factor ½ is missing, or that the formula is ½λ‖w‖².
# - ¼ point: says that the gradient of the norm has a fixed size, whatever the weights.
# - ¼ point: says what is meant: a pull that grows with the weight, λw.

# %% [markdown]
# ## Program 7: a formula and a code that disagree
#
# Linear regression with a penalty, by gradient descent with momentum. The *formula is given*, and
# it is right. For weights $w$ of shape (features,), inputs $X$ of shape (samples, features) and targets
# $y$ of shape (samples,),
#
# $$ F(w) = \frac{1}{2n} \lVert Xw - y \rVert^2 + \lambda \lVert w \rVert^2,
#    \qquad n \text{ samples}. $$
#
# We try it where the answer can be found on paper: one sample, $X = 1$, $y = 1$, and $\lambda = ½$. Then
# $F(w) = ½(w - 1)^2 + ½w^2$, which is smallest at $w = ½$, where it is ¼.


# %%
def descend(w, X, y, lam, lr, momentum, steps):
    """Minimise F(w) = ½·mean((Xw − y)²) + λ‖w‖² by gradient descent with momentum."""
    velocity = torch.zeros_like(w)
    objectives = []
    for _ in range(steps):
        residual = X @ w - y
        objectives.append((0.5 * (residual**2).mean() + lam * (w**2).sum()).item())
        gradient = X.T @ residual / len(y) + lam * w
        velocity = momentum * velocity + gradient
        w = w - lr * velocity
    return w, objectives


one = torch.ones(1)
w, objectives = descend(
    torch.zeros(1), torch.ones(1, 1), one, lam=0.5, lr=0.1, momentum=0.5, steps=200
)
print(f"ends at w = {w.item():.3f}, where F = {objectives[-1]:.4f}")
print("on paper  w = 0.500, where F = 0.2500")

# %% [markdown]
# **Symptom.** It ends at $w = 0.667$, where $F = 0.2778$, and stays there: the descent has found a minimum, but
# not that of $F$.
#
# ### TODO 10.7
#
# <details><summary>Hint 1: where to look</summary>
#
# Differentiate $\lambda \lVert w \rVert^2$ with respect to $w$, and compare with the line
# `gradient = ...`.
# </details>
#
# <details><summary>Hint 2: how many places</summary>
#
# λ appears in two lines. Only one of them is wrong; the formula is given. The learning rate is not
# part of the formula.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# The gradient of the penalty is `2 * lam * w`. It belongs in `gradient`, before the momentum.
# </details>


# %% todo="10.7"
# TODO 10.7: repair `descend`.
def repaired_descent(w, X, y, lam, lr, momentum, steps):
    """Minimise F(w) = ½·mean((Xw − y)²) + λ‖w‖² by gradient descent with momentum.

    w: where to start, shape (features,); it is left unchanged. X: (samples, features).
    y: (samples,). lam: λ. lr, momentum: as in torch.optim.SGD, with a velocity that starts at 0.

    Returns (w, objectives): w after all steps, and a list with F(w) before each step.
    """
    ### BEGIN SOLUTION
    velocity = torch.zeros_like(w)
    objectives = []
    for _ in range(steps):
        residual = X @ w - y
        objectives.append((0.5 * (residual**2).mean() + lam * (w**2).sum()).item())
        gradient = X.T @ residual / len(y) + 2 * lam * w
        velocity = momentum * velocity + gradient
        w = w - lr * velocity
    return w, objectives
    ### END SOLUTION


# %% check="check_bug_clinic_decay"
check_bug_clinic("decay", repaired_descent)

# %%
with uses_your_code():
    start = torch.zeros(1)
    w, objectives = repaired_descent(start, torch.ones(1, 1), one, 0.5, 0.1, 0.5, 200)
    print(f"ends at w = {w.item():.3f}, where F = {objectives[-1]:.4f}")

# %% [markdown]
# **Explain** in one sentence: which factor was missing where, and which `weight_decay` of
# `torch.optim.SGD` belongs to this formula?

# %% [markdown] question="clinic-decay" points=1
# **Model answer.** The gradient of λ‖w‖² is 2λw, and the step used λw, which belongs to ½λ‖w‖²; so the
# descent minimised another function. The formula corresponds to weight_decay = 2λ.
#
# **Rubric (1 point).**
#
# - ¼ point: names the line of the gradient as the place, and not the objective.
# - ¼ point: says that the gradient of λ‖w‖² is 2λw.
# - ¼ point: says that λw belongs to another penalty, ½λ‖w‖², which was minimised instead.
# - ¼ point: gives weight_decay = 2λ.

# %% [markdown]
# ## Program 8: prices that rise with λ
#
# A small network predicts the price of a house. It should have an L2 penalty on its two weights; a
# larger $\lambda$ should make the weights smaller.


# %%
class Regressor(nn.Module):
    def __init__(self, inputs, hidden, lam):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, 1)
        self.lam = lam

    def forward(self, x):
        price = self.second(torch.relu(self.first(x))).squeeze(1)
        squares = (self.first.weight**2).sum() + (self.second.weight**2).sum()
        return price + 0.5 * self.lam * squares

    def loss(self, x, y):
        return ((self(x) - y) ** 2).mean()


house = torch.ones(1, 5)
for lam in (0.0, 0.5, 5.0):
    torch.manual_seed(0)
    print(
        f"λ = {lam}: price of the same house, same weights: {Regressor(5, 8, lam)(house).item():.2f}"
    )
for lam in (0.0, 0.5):
    sizes = [weight_size(Regressor, lam, seed)[0] for seed in SEEDS]
    print(
        f"λ = {lam}: norm of the weights after training, five seeds: {[round(s, 2) for s in sizes]}"
    )

# %% [markdown]
# **Symptom.** With the same weights, the price of the same house rises with $\lambda$. And after training with
# $\lambda = ½$ the weights are about as large as without a penalty: 0.9 to 1.3 times, over five seeds.
#
# ### TODO 10.8
#
# <details><summary>Hint 1: where to look</summary>
#
# Which of the two methods should know λ?
# </details>
#
# <details><summary>Hint 2: why training does not mind</summary>
#
# A number that is added to every price can be subtracted again by the bias of `second`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `forward` returns `price`. `loss` takes the mean squared error and adds `0.5 * self.lam * squares`
# once, if `self.training`.
# </details>


# %% todo="10.8"
# TODO 10.8: repair the regressor.
class RepairedRegressor(nn.Module):
    """Prices from a network with one hidden layer, trained with an L2 penalty.

    forward(x): x of shape (samples, inputs) gives prices of shape (samples,), which do not depend
        on lam.
    loss(x, y): in training mode the mean squared error plus ½·lam·Σ w², once, over the entries of
        `first.weight` and `second.weight`; in evaluation mode the mean squared error alone, so that
        models with different lam can be compared. A 0-d tensor through which gradients flow.
    """

    def __init__(self, inputs, hidden, lam):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, 1)
        self.lam = lam

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.second(torch.relu(self.first(x))).squeeze(1)
        ### END SOLUTION

    def loss(self, x, y):
        ### BEGIN SOLUTION
        error = ((self(x) - y) ** 2).mean()
        if not self.training:
            return error
        squares = (self.first.weight**2).sum() + (self.second.weight**2).sum()
        return error + 0.5 * self.lam * squares
        ### END SOLUTION


# %% check="check_bug_clinic_outputs"
check_bug_clinic("outputs", RepairedRegressor)

# %%
with uses_your_code():
    for lam in (0.0, 0.5):
        sizes = [weight_size(RepairedRegressor, lam, seed)[0] for seed in SEEDS]
        print(f"λ = {lam}: norm of the weights, five seeds: {[round(s, 2) for s in sizes]}")

# %% [markdown]
# Now $\lambda = ½$ makes the weights smaller by at least a quarter, with each of the five seeds.
#
# A word of caution: this program uses the squared error. With cross-entropy the same mistake would
# hide even better, since adding one number to all logits does not change the softmax at all.
#
# **Explain** in one sentence: why did the penalty not make the weights smaller?

# %% [markdown] question="clinic-outputs" points=1
# **Model answer.** The penalty was added to every prediction and not to the loss, so it only shifted all
# prices by one number, which the bias of the last layer learned to subtract; nothing rewarded small
# weights.
#
# **Rubric (1 point).**
#
# - ¼ point: says that the penalty was added to the outputs (in forward).
# - ¼ point: says that it belongs to the loss.
# - ¼ point: says that it shifted every prediction by the same number.
# - ¼ point: says that the bias makes up for it, so that nothing pulls the weights towards 0.

# %% [markdown]
# ## Program 9: penalties that look at the data
#
# The *elastic net* adds both penalties to a data loss. With weights $w$ (all entries of all
# parameters with two or more axes) it is
#
# $$ J = \operatorname{mean}\big((\hat y - y)^2\big) + \lambda_1 \sum |w| + \tfrac12 \lambda_2 \sum w^2, $$
#
# where $\hat y$ are the outputs of the model and $y$ the targets, both of shape (samples, outputs). The
# author found functions with fitting names.


# %%
def total_loss(model, x, y, l1, l2):
    """Mean squared error with an L1 and an L2 penalty."""
    outputs = model(x)
    data = F.mse_loss(outputs, y)
    return data + l1 * F.l1_loss(outputs, y) + 0.5 * l2 * F.mse_loss(outputs, y)


torch.manual_seed(0)
x = torch.randn(50, 4)
for scale in (1, 10, 1000):
    model = nn.Linear(4, 1, bias=False)
    nn.init.constant_(model.weight, scale)
    y = model(x).detach()  # targets that this model fits exactly
    print(
        f"weights of {scale:>4}: loss with both penalties {total_loss(model, x, y, 1.0, 1.0):.1f}"
    )

# %% [markdown]
# **Symptom.** Weights of 1, 10 or 1000: whenever the fit is exact, the loss with both penalties is 0.0.
#
# ### TODO 10.9
#
# <details><summary>Hint 1: where to look</summary>
#
# Which of the arguments of `l1_loss` and `mse_loss` here are weights?
# </details>
#
# <details><summary>Hint 2: sums and means</summary>
#
# If you want to use them with weights: `l1_loss(w, zeros)` is a *mean* over the entries of w, and
# the formula has a sum. And ½ belongs to one of the two penalties only.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# With `weights = [p for p in model.parameters() if p.dim() >= 2]` add
# `l1 * sum(w.abs().sum() for w in weights)` and the same with half the squares.
# </details>


# %% todo="10.9"
# TODO 10.9: repair `total_loss`.
def repaired_loss(model, x, y, l1, l2):
    """mean((ŷ − y)²) + l1·Σ|w| + ½·l2·Σ w², with ŷ = model(x).

    model: an nn.Module; its weights w are all entries of the parameters with two or more axes, so
        biases do not count. x: a batch of inputs. y: targets of the shape of model(x).

    Returns a 0-d tensor through which gradients flow.
    """
    ### BEGIN SOLUTION
    weights = [p for p in model.parameters() if p.dim() >= 2]
    first = sum(w.abs().sum() for w in weights)
    second = sum((w**2).sum() for w in weights)
    return F.mse_loss(model(x), y) + l1 * first + 0.5 * l2 * second
    ### END SOLUTION


# %% check="check_bug_clinic_losses"
check_bug_clinic("losses", repaired_loss)

# %%
with uses_your_code():
    for scale in (1, 10, 1000):
        nn.init.constant_(model.weight, scale)
        y = model(x).detach()
        print(f"weights of {scale:>4}: loss {repaired_loss(model, x, y, 1.0, 1.0):.1f}")

# %% [markdown]
# **Explain** in one sentence: what do `l1_loss` and `mse_loss` measure, and what is a penalty about?

# %% [markdown] question="clinic-losses" points=1
# **Model answer.** l1_loss(outputs, y) and mse_loss(outputs, y) measure how far outputs are from targets,
# so they are data losses and only reweigh the fit; a penalty is a function of the weights alone, and
# grows with them however good the fit is.
#
# **Rubric (1 point).**
#
# - ¼ point: says that both functions compare outputs with targets.
# - ¼ point: says that they are therefore data losses (0 for an exact fit).
# - ¼ point: says that a penalty depends on the weights.
# - ¼ point: says that it depends on nothing else, neither inputs nor targets.

# %% [markdown]
# ## Program 10: half of the units are dead, it says
#
# A network tells even from odd digits. Its author has heard of dying ReLUs (lesson 03) and prints a *death
# rate*. A unit is **dead** if it is 0 for every sample. Three things are wrong here; one of them
# shows in the accuracy.


# %%
class Census(nn.Module):
    def __init__(self, inputs, hidden, outputs, activation=nn.ReLU):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.activation = activation()
        self.output = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.output(self.hidden(x))

    def death_rate(self, batches):
        zeros, count = 0, 0
        for x in batches:
            h = self.activation(self.hidden(x))
            zeros += (h == 0).sum().item()
            count += h.numel()
        return zeros / count


for seed in SEEDS:
    rate, right = census_of(Census, seed)
    print(f"seed {seed}: {rate:.1f} % of the units are dead, test accuracy {right:.3f}")

# %% [markdown]
# **Symptom.** It prints "0.5 % of the units are dead" with every seed (between 0.45 and 0.55 before
# rounding). With 64 units, one dead unit alone would be 1.6 %. And the test accuracy is near 0.91, which
# is what a *linear* model reaches on this task (lesson 01); a hidden layer with ReLU should reach 0.97.
#
# ### TODO 10.10
#
# <details><summary>Hint 1: where to look for the accuracy</summary>
#
# Compare the first line of the loop in `death_rate` with `forward`: are these the same hidden units?
# </details>
#
# <details><summary>Hint 2: what is counted</summary>
#
# An activation that is 0 for one image is not a dead unit. Ask for each unit whether it is 0 for all
# samples of all batches. And what should be printed before a % sign?
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# Begin with `alive = False`, and in the loop `alive = alive | (h != 0).any(dim=0)`. After it, return
# 100 times the share of units that are not alive.
# </details>


# %% todo="10.10"
# TODO 10.10: repair the census.
class RepairedCensus(nn.Module):
    """A linear layer `hidden`, an activation, and a linear layer `output`.

    activation: a class or factory of modules, such as nn.ReLU or nn.LeakyReLU.
    forward(x): `output` of the activated hidden units.
    death_rate(batches): the percentage of hidden units, a float from 0 to 100, that are exactly 0
        after the activation for every sample of every batch. `batches` is an iterable of tensors
        (samples, inputs) that can perhaps be read only once, with at least one batch.
    """

    def __init__(self, inputs, hidden, outputs, activation=nn.ReLU):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden)
        self.activation = activation()
        self.output = nn.Linear(hidden, outputs)

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.output(self.activation(self.hidden(x)))
        ### END SOLUTION

    def death_rate(self, batches):
        ### BEGIN SOLUTION
        alive = False
        for x in batches:
            alive = alive | (self.activation(self.hidden(x)) != 0).any(dim=0)
        return 100 * (~alive).float().mean().item()
        ### END SOLUTION


# %% check="check_bug_clinic_deaths"
check_bug_clinic("deaths", RepairedCensus)

# %%
with uses_your_code():
    for seed in SEEDS:
        rate, right = census_of(RepairedCensus, seed)
        print(f"seed {seed}: {rate:.1f} % of the units are dead, test accuracy {right:.3f}")

# %% [markdown]
# With the activation in place the accuracy is near 0.975, at least 4 points more with each seed. And there
# are a few dead units now: at most 15 % after training with this step size, and at most 5 % before it.
#
# **Explain** in one sentence: what were the three defects?

# %% [markdown] question="clinic-deaths" points=1
# **Model answer.** It counted single activations of 0, which about half of all healthy ReLU activations
# are, instead of units that are 0 for every sample; it printed a fraction with a % sign; and forward
# left out the activation, so that a linear network was trained and another one measured.
#
# **Rubric (1 point).**
#
# - ¼ point: says that zero activations were counted, which is sparsity and not death.
# - ¼ point: says what is dead: a unit that is 0 for all samples.
# - ¼ point: says that the number was a fraction and not a percentage.
# - ¼ point: says that forward had no activation (or that the trained network was linear).

# %% [markdown]
# ## Program 11: an image is judged by its neighbours
#
# A network with BatchNorm (lesson 06) is trained, and after each epoch the program predicts the test
# images, to show how it gets on. We let it predict the test images once all together, and once
# the zeros by themselves, the ones by themselves, and so on. Network, data and steps are the
# same.


# %%
def fit(model, batches, images, epochs, lr):
    """Train, and return the logits for `images` after each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    predictions = []
    for _ in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        predictions.append(model(images))
    return predictions


company = [accuracy_by_company(fit, seed) for seed in SEEDS]
for seed, (together, apart) in enumerate(company):
    print(f"seed {seed}: all together {together:.3f}, each class by itself {apart:.3f}")
try:
    model = nn.Sequential(nn.Linear(64, 8), nn.BatchNorm1d(8))
    fit(model, [(torch.randn(20, 64), torch.arange(20) % 8)], torch.randn(1, 64), 1, 0.1)
except ValueError as error:
    print("a single image:", error)

# %% [markdown]
# **Symptom.** The accuracy on the *same* images is near 0.93 when they come together, and near 0.13 when they
# come class by class: hardly better than guessing among ten classes. A single image is refused.
#
# ### TODO 10.11
#
# <details><summary>Hint 1: where to look</summary>
#
# In which mode is the model when it predicts? Whose mean and variance does BatchNorm use there?
# </details>
#
# <details><summary>Hint 2: there and back again</summary>
#
# After the prediction comes another epoch of training, and after the last one somebody else may
# train on. And `torch.no_grad()` does not change the mode.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `model.train()` at the start of each epoch and once at the end; `model.eval()` before the prediction,
# and the prediction itself inside `with torch.no_grad():`.
# </details>


# %% todo="10.11"
# TODO 10.11: repair `fit`.
def repaired_fit(model, batches, images, epochs, lr):
    """Train a model with SGD on cross-entropy, and predict `images` after each epoch.

    model: an nn.Module with BatchNorm and perhaps dropout, in training mode; trained in place.
    batches: list of (x, y), one step each, in this order. images: (count, features).

    Returns a list with one tensor of logits (count, classes) for each epoch, without a graph. The
    logits of an image do not depend on the other images, and predicting does not change the
    model. When the function returns, the model is in training mode.
    """
    ### BEGIN SOLUTION
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    predictions = []
    for _ in range(epochs):
        model.train()
        for x, y in batches:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            predictions.append(model(images))
    model.train()
    return predictions
    ### END SOLUTION


# %% check="check_bug_clinic_batchnorm"
check_bug_clinic("batchnorm", repaired_fit)

# %%
with uses_your_code():
    repaired = [accuracy_by_company(repaired_fit, seed) for seed in SEEDS]
    figure, axes = new_figure(width=7.5, height=3.2)
    rows = [
        ("broken, together", [a for a, _ in company], "o", "#D55E00"),
        ("broken, class by class", [b for _, b in company], "s", "#D55E00"),
        ("repaired, together", [a for a, _ in repaired], "o", "#0072B2"),
        ("repaired, class by class", [b for _, b in repaired], "s", "#0072B2"),
    ]
    for i, (_, values, marker, color) in enumerate(rows):
        axes.plot(values, [i] * 5, marker, color=color, alpha=0.6)
    axes.set_yticks(range(4), [name for name, *_ in rows])
    axes.set_ylim(3.5, -0.5)
    axes.axvline(0.1, color="black", linestyle=":", linewidth=1)
    axes.set(xlabel="accuracy on the same test images (dotted: guessing)", xlim=(0, 1))
    show_figure(
        figure,
        "Test accuracy of five seeds. Broken program: near 0.93 when all images are predicted "
        "together, near 0.13 class by class. Repaired: near 0.92 both times.",
    )

# %% [markdown]
# The repaired program has the same accuracy both times, near 0.92. (Note that the broken program looked
# just as good when all images came together: a wrong number need not look wrong.)
#
# **Explain** in one sentence: why did the answer for an image depend on the other images?

# %% [markdown] question="clinic-batchnorm" points=1
# **Model answer.** The model predicted in training mode, where BatchNorm normalises with the mean and the
# variance of the present batch; among nothing but zeros these are the statistics of zeros, which
# removes what tells zeros from the rest. With eval() it uses the running statistics instead.
#
# **Rubric (1 point).**
#
# - ¼ point: says that eval() was missing, or that the model was in training mode.
# - ¼ point: says that BatchNorm then uses mean and variance of the present batch.
# - ¼ point: says why that hurts class by class: these statistics belong to one class only.
# - ¼ point: says what evaluation mode uses: the running statistics from training.

# %% [markdown]
# ## Program 12: the best of many on the test set
#
# Forty sensors, and a label that somebody decided by *flipping a coin*. On new rows no model can be
# right more than half of the time on average. The program below tries 100 models, ridge regressions with four values of $\lambda$
# and 25 choices of five sensors, and reports the best. It was *regularised*, so what could go wrong?
#
# It is called with a function `fit(x, y, setting)` that returns a trained rule: call the rule with
# rows of inputs, and it returns their classes.


# %%
def choose(fit, settings, x, y, x_test, y_test):
    """Return the best setting and its accuracy."""
    best, best_accuracy = None, -1.0
    for setting in settings:
        predict = fit(x, y, setting)
        accuracy = (predict(x_test) == y_test).float().mean().item()
        if accuracy > best_accuracy:
            best, best_accuracy = setting, accuracy
    return best, best_accuracy


def average(pairs):
    return [sum(column) / len(column) for column in zip(*pairs, strict=True)]


broken = [reported_and_real(choose, seed) for seed in range(20)]
reported, real = average(broken)
print(f"over 20 draws: reported {reported:.3f}, on 20,000 new rows {real:.3f}")

# %% [markdown]
# **Symptom.** The program reports an accuracy of about 0.62, averaged over 20 draws of the data. On new rows the
# chosen models are right 0.50 of the time, as a coin must be.
#
# ### TODO 10.12
#
# <details><summary>Hint 1: where to look</summary>
#
# How often is the test set looked at before the number is reported? What does the largest of 100
# numbers say about one of them?
# </details>
#
# <details><summary>Hint 2: three parts of the data</summary>
#
# Models are fitted on one part, compared on a second, and the one that was chosen is measured on a
# third, once. The first two come from x and y.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `kept = len(x) - len(x) // 4`; fit on `x[:kept]`, compare on `x[kept:]`, keep the rule that was
# best, and measure that rule on `x_test` after the loop.
# </details>


# %% todo="10.12"
# TODO 10.12: repair `choose`.
def repaired_choice(fit, settings, x, y, x_test, y_test):
    """Choose a setting honestly, and measure the chosen model once.

    fit(x, y, setting): returns a rule; the rule takes rows of inputs and returns their classes.
    settings: a list. x, y: training rows and their classes. x_test, y_test: the test set.

    The last len(x) // 4 rows of x and y are held out for validation; every model is fitted on the
    others. The setting with the largest accuracy on the validation rows is chosen, the first one
    at a tie. Returns (setting, accuracy): the accuracy of the chosen model, as it was fitted, on
    all of the test set. No other model is tried on the test set.
    """
    ### BEGIN SOLUTION
    kept = len(x) - len(x) // 4
    best, rule, best_accuracy = None, None, -1.0
    for setting in settings:
        predict = fit(x[:kept], y[:kept], setting)
        accuracy = (predict(x[kept:]) == y[kept:]).float().mean().item()
        if accuracy > best_accuracy:
            best, rule, best_accuracy = setting, predict, accuracy
    return best, (rule(x_test) == y_test).float().mean().item()
    ### END SOLUTION


# %% check="check_bug_clinic_choice"
check_bug_clinic("choice", repaired_choice)

# %%
with uses_your_code():
    honest = [reported_and_real(repaired_choice, seed) for seed in range(20)]
    reported, real = average(honest)
    print(f"over 20 draws: reported {reported:.3f}, on 20,000 new rows {real:.3f}")

# %% [markdown]
# The repaired program reports about 0.5 on average: on one draw it may be off by 0.1 or so, since 60 test rows
# are few, but it is off in both directions.
#
# **Explain** in one sentence: why was the reported accuracy too large, although each single accuracy
# was computed rightly?

# %% [markdown] question="clinic-choice" points=1
# **Model answer.** The model was chosen by its accuracy on the test set, and the largest of 100 accuracies,
# each with its own luck on 60 rows, is mostly the luckiest; so the test set took part in the training,
# and only rows that took no part in the choice can show the real accuracy.
#
# **Rubric (1 point).**
#
# - ¼ point: says that the choice was made on the test set.
# - ¼ point: says that each accuracy has luck in it, since the test rows are few.
# - ¼ point: says that the largest of many is the luckiest, so it is too large on average.
# - ¼ point: says what is needed: validation rows for the choice, the test set once, at the end.

# %% [markdown]
# ## The same with PyTorch
#
# For most of the twelve PyTorch has a part that is right already. Your repairs agree with it:

# %%
with uses_your_code():
    x = torch.linspace(-1000, 1000, 4001)
    for mine, theirs in (
        (repaired_tanh, torch.tanh),
        (repaired_sigmoid, torch.sigmoid),
        (repaired_relu, torch.relu),
    ):
        difference = (mine(x) - theirs(x)).abs().max().item()
        print(f"{theirs.__name__:<8} largest difference {difference:.1e}")
    torch.manual_seed(0)
    shares = [(f(ones, 0.2) == 0).float().mean().item() for f in (repaired_mask, F.dropout)]
    print(f"dropout  dropped {shares[0]:.2f} (yours) and {shares[1]:.2f} (PyTorch's), p = 0.2")

# %%
with uses_your_code():
    X, y, start = torch.randn(30, 4), torch.randn(30), torch.randn(4)
    mine, _ = repaired_descent(start, X, y, lam=0.3, lr=0.1, momentum=0.9, steps=50)
    w = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9, weight_decay=2 * 0.3)
    for _ in range(50):
        optimizer.zero_grad()
        (0.5 * ((X @ w - y) ** 2).mean()).backward()
        optimizer.step()
    difference = (mine - w.detach()).abs().max().item()
    print(f"SGD with weight_decay = 2λ: largest difference {difference:.0e}")

# %% [markdown]
# ## A demo
#
# Six of the programs, broken and repaired, over the setting that matters. Hatched regions are NaN.

# %%
bug_clinic_demo()

# %% [markdown]
# ## Summary
#
# A program that runs, and even learns, may still be wrong, and the symptom often shows far from the
# cause. A repair changes what the program does for every input, in the value, the gradient and the
# state; a bandage changes what you see. Before you trust a number, ask what it would be if the
# program were broken.
#
# **Common mistakes**
#
# - Repairing the value and never looking at the gradient.
# - Replacing NaN, fixing the seed, or treating only the input that was shown.
# - Repairing one of three defects and stopping, because the symptom has changed.
# - Taking `torch.no_grad()` for `eval()`, or a data loss for a penalty.
# - Looking at the test set more than once.
#
# **Sources**
#
# - S. Kapoor and A. Narayanan, *Leakage and the Reproducibility Crisis in Machine-Learning-Based Science*,
#   Patterns 4, 2023: how often results that looked good were such mistakes.
# - G. C. Cawley and N. L. C. Talbot, *On Over-fitting in Model Selection and Subsequent Selection Bias in
#   Performance Evaluation*, Journal of Machine Learning Research 11, 2010: program 12, at length.
