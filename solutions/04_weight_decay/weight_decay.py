# %% [markdown]
# When you have finished this lesson you will be able to
#
# - write the L1 and the L2 penalty, and say what each does to a weight,
# - show that an L2 penalty *is* weight decay for SGD, factor 2 included, and that it is not for Adam,
# - sort a model's parameters into those that decay and those that do not,
# - tell an experiment in which a penalty learns better from one that only looks like it.
#
# ## The idea
#
# A model with many parameters can fit its training data in many ways. Some of these fits use large
# weights that cancel each other on the training data and do harm everywhere else. That is
# **overfitting**: the training error is small, the test error is not. Whatever makes the error on new
# data smaller, rather than that on the training data, is called **regularisation**. One of the oldest
# ways is a **penalty**, which makes large weights cost something:
#
# $$ J(w) = L(w) + \lambda\, \Omega(w), $$
#
# where $w \in \mathbb{R}^d$ are all $d$ weights in one vector, $L(w)$ is the data loss (one number),
# $\Omega(w) \ge 0$ is the penalty (one number) and $\lambda \ge 0$ says how much it counts.
# The two penalties that everybody uses are
#
# $$ \Omega_1(w) = \sum_{i=1}^{d} |w_i|, \qquad \Omega_2(w) = \tfrac12 \sum_{i=1}^{d} w_i^2
#    = \tfrac12 \lVert w \rVert^2 . $$

# %%
import torch
import torch.nn.functional as F
from torch import nn

from helpers import (
    check_adamw_step,
    check_parameter_groups,
    check_penalties,
    check_ridge_solution,
    check_sgd_step,
    check_soft_threshold,
    check_weight_decay_for,
    load,
    new_figure,
    plot_mean_and_spread,
    show_figure,
    uses_your_code,
    weight_decay_demo,
)

SEEDS = range(5)

# %%
w = torch.linspace(-2, 2, 201)
figure, panels = new_figure(columns=2, width=8.5, height=3.4)
panels[0].plot(w, w.abs(), color="#0072B2", label="L1: |w|")
panels[0].plot(w, w**2 / 2, "--", color="#D55E00", label="L2: ½w²")
panels[0].set(xlabel="weight w", ylabel="penalty", title="What a weight costs")
left, right = w[w < 0], w[w > 0]
panels[1].plot(left, left.sign(), color="#0072B2", label="L1: sign(w)")
panels[1].plot(right, right.sign(), color="#0072B2")
panels[1].plot(w, w, "--", color="#D55E00", label="L2: w")
panels[1].set(xlabel="weight w", ylabel="slope of the penalty", title="How hard it is pushed to 0")
for panel in panels:
    panel.legend()
show_figure(
    figure,
    "Two panels. Left: the L1 penalty is a V, the L2 penalty a parabola. Right: their slopes. "
    "The slope of L1 is minus one or one whatever the size of the weight, the slope of L2 is the "
    "weight itself and becomes small near 0.",
)

# %% [markdown]
# The right panel holds the whole lesson. L2 pushes a large weight hard and a small one hardly at
# all, so weights become small but seldom 0. L1 pushes all weights equally hard, also the small
# ones, so many arrive at exactly 0.
#
# ## Two penalties
#
# Three things go wrong again and again, also in published tutorials:
#
# - **The norm for the squared norm.** $\lVert w \rVert$ is not $\lVert w \rVert^2$. Test: double all
#   weights; $\tfrac12\lVert w\rVert^2$ becomes *four* times as large.
# - **The mean for the sum.** `F.l1_loss` and `F.mse_loss` are losses for data. They average, so
#   that a weight in a large tensor would count less than one in a small tensor.
# - **A number that autograd cannot see.** After `.item()` the loss that is printed is right, and
#   training ignores the penalty.
#
# ### TODO 4.1
#
# Write both penalties, each for all parameters of a model together.
#
# <details><summary>Hint 1: how to begin</summary>
#
# For one tensor `p`, `p.abs().sum()` and `0.5 * (p ** 2).sum()` are the two terms. Add them up over
# all tensors.
# </details>
#
# <details><summary>Hint 2: no parameters</summary>
#
# Python's `sum` starts from the int 0. Give it a tensor to start from: `sum(terms, start)`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `return sum((... for p in parameters), torch.zeros(()))`
#
# A 0-d tensor on the CPU may be added to one of another dtype or on another device.
# </details>


# %% todo="4.1"
# TODO 4.1: complete both functions.
def l1_penalty(parameters):
    """The sum of |w| over all entries of all tensors.

    parameters: tensors of any shapes to loop over, such as model.parameters(). All of them
        count, also biases.

    Returns a 0-d tensor through which gradients flow, of the dtype of the parameters; a zero
    tensor for no parameters.
    Nothing is changed, and backward() is not called. Everything in torch is allowed.
    """
    ### BEGIN SOLUTION
    return sum((p.abs().sum() for p in parameters), torch.zeros(()))
    ### END SOLUTION


def l2_penalty(parameters):
    """Half the sum of w² over all entries of all tensors; otherwise as l1_penalty."""
    ### BEGIN SOLUTION
    return sum((0.5 * (p**2).sum() for p in parameters), torch.zeros(()))
    ### END SOLUTION


# %% check="check_penalties"
check_penalties(l1_penalty, l2_penalty)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch has no penalty function, but it has norms of vectors.

# %%
with uses_your_code():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    vector = nn.utils.parameters_to_vector(model.parameters())
    l1, l2 = vector.norm(1), 0.5 * vector.norm() ** 2
    print(f"L1  PyTorch {l1:8.3f}   yours {l1_penalty(model.parameters()):8.3f}")
    print(f"L2  PyTorch {l2:8.3f}   yours {l2_penalty(model.parameters()):8.3f}")

# %% [markdown]
# ## Weight decay is a step
#
# Take one step of gradient descent with step size $\eta$ on $L(w) + \tfrac{\lambda}{2}\lVert w\rVert^2$.
# The gradient of the penalty is $\lambda w$, so
#
# $$ w \leftarrow w - \eta\,(g + \lambda w) = (1 - \eta\lambda)\, w - \eta\, g, \qquad g = \nabla L(w). $$
#
# Every step first multiplies the weights by a number a little below 1: they **decay**, and
# only the data keep them up. So nobody has to compute the penalty. The optimiser adds $\lambda w$ to the
# gradient, and calls $\lambda$ `weight_decay`. Hanson and Pratt (1988) let the weights of small networks decay;
# Krogh and Hertz (1991) showed, for linear networks, that this removes what the data do not determine
# and that it can lessen the harm of noise in the targets.
#
# ### TODO 4.2
#
# Write this step. "In place" means that the tensors themselves change, as with `p -= ...`: whoever
# else holds the same tensor sees the new values. (`p = p - ...` only gives a new tensor the name p.)
#
# <details><summary>Hint 1: why it complains about a leaf</summary>
#
# PyTorch refuses to change a parameter in place while autograd is recording. Do it inside
# `with torch.no_grad():`.
# </details>
#
# <details><summary>Hint 2: which parameters</summary>
#
# A parameter that took no part in the loss has `p.grad is None`. Skip it with `continue`, decay
# and all. A gradient of zeros is something else: there the decay still acts.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# with torch.no_grad():
#     for p in parameters:
#         if p.grad is None:
#             continue
#         p -= ...
# ```
# </details>


# %% todo="4.2"
# TODO 4.2: complete this function.
def sgd_step(parameters, lr, weight_decay=0.0):
    """One step of gradient descent with weight decay, in place, as torch.optim.SGD.

    parameters: tensors to loop over, such as model.parameters(), with gradients in p.grad. Those
        whose grad is None are left alone.
    lr: the step size, a number.
    weight_decay: λ; lr·λ·w is subtracted from w together with lr times the gradient.

    The tensors themselves change. The gradients and requires_grad do not, and nothing is recorded
    by autograd. Not allowed: torch.optim.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        for p in parameters:
            if p.grad is None:
                continue
            p -= lr * (p.grad + weight_decay * p)
    ### END SOLUTION


# %% check="check_sgd_step"
check_sgd_step(sgd_step)

# %% [markdown]
# ### The same with PyTorch
#
# A linear classifier on 300 digits, 20 steps, once with your function and once with
# `torch.optim.SGD`, from the same initial weights.

# %%
digits = load("digits", "cpu").flat()
x, y = digits.x_train[:300], digits.y_train[:300]


def twenty_steps(step, model):
    for _ in range(20):
        model.zero_grad()
        F.cross_entropy(model(x), y).backward()
        step()
    return model.weight.detach()


with uses_your_code():
    torch.manual_seed(0)
    first, second = nn.Linear(64, 10), nn.Linear(64, 10)
    second.load_state_dict(first.state_dict())
    mine = twenty_steps(lambda: sgd_step(first.parameters(), 0.1, weight_decay=0.05), first)
    optimizer = torch.optim.SGD(second.parameters(), lr=0.1, weight_decay=0.05)
    theirs = twenty_steps(optimizer.step, second)
    print(f"largest difference of a weight: {(mine - theirs).abs().max():.1e}")

# %% [markdown]
# ## A factor of two
#
# Books do not agree on the formula. Some write $\tfrac12\lambda\lVert w\rVert^2$, others
# $\lambda\lVert w\rVert^2$. The gradients are $\lambda w$ and $2\lambda w$, so the same $\lambda$ means two
# different strengths. Before you compare two results, look which formula was meant.
#
# ### TODO 4.3
#
# Write the function that turns the $\lambda$ of either formula into `weight_decay`.
#
# <details><summary>Hint 1: what is asked</summary>
#
# `weight_decay` is the number before $w$ in the gradient. Differentiate each penalty.
# </details>
#
# <details><summary>Hint 2: the error</summary>
#
# `raise ValueError("a sentence that says what is allowed")`
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# Two `if`s, each with a `return`, and the `raise` after them.
# </details>


# %% todo="4.3"
# TODO 4.3: complete this function.
def weight_decay_for(lam, penalty):
    """The weight_decay of torch.optim.SGD that equals a penalty.

    lam: λ, a number of 0 or more.
    penalty: "half_squared" for ½λ‖w‖², "squared" for λ‖w‖². Anything else is a ValueError.

    Returns a number.
    """
    ### BEGIN SOLUTION
    if penalty == "half_squared":
        return lam
    if penalty == "squared":
        return 2 * lam
    raise ValueError(f"The penalty must be 'half_squared' or 'squared', not {penalty!r}.")
    ### END SOLUTION


# %% check="check_weight_decay_for"
check_weight_decay_for(weight_decay_for)

# %% [markdown]
# ### An experiment: the penalty in the loss, or the decay in the optimiser?
#
# We train a network on digits twice, from the same weights and with the same batches: once with
# $\lambda\,\Omega_2$ added to the loss, once with `weight_decay`. After 50 steps we compare all weights.
# We also do it with **momentum**, where a step follows not the last gradient but a running sum of the
# gradients so far, in which older ones fade: $\text{velocity} \leftarrow 0.9 \cdot \text{velocity} + g$.

# %%
from helpers.experiments.weight_decay import penalty_against_decay

with uses_your_code():
    for name in ("SGD", "SGD with momentum"):
        apart = [penalty_against_decay(l2_penalty, name, seed) for seed in SEEDS]
        print(f"{name:18s} largest difference over five seeds: {max(apart):.0e}")

# %% [markdown]
# **What we saw.** For SGD, with momentum too, the two are the same to far below $10^{-6}$, in each of
# five seeds. For Adam they will not be, as we shall see below.
#
# ## The experiment that textbooks like, and why it misleads
#
# Several books and courses show weight decay like this. There are 200 features and only 20 training
# samples,
#
# $$ y = 0.05 + \sum_{i=1}^{200} 0.01\, x_i + \varepsilon, \qquad x_i \sim \mathcal N(0, 1),\quad
#    \varepsilon \sim \mathcal N(0, 0.01^2), $$
#
# and a linear model is trained with $\lambda = 0$ and with $\lambda = 3$. The test error falls
# dramatically, and the conclusion is that weight decay cured overfitting. We repeat it, with a smaller
# batch, a longer step, a bias that is learned and half the loss, none of which changes the story, and we
# measure three more things: the test error *before* training, other initial weights, and the
# error of a "model" that predicts 0.05 for everything. What we measure is the **half squared error**
# $\tfrac12(\hat y - y)^2$, averaged over 2,000 test samples; `nn.MSELoss` would give twice that.

# %%
from helpers.experiments.weight_decay import STARTS, textbook_run

runs = {(s, lam): [textbook_run(s, lam, k) for k in SEEDS] for s in STARTS for lam in (0.0, 3.0)}


def spread(values):
    return f"{sum(values) / len(values):8.4f} ({min(values):.4f} to {max(values):.4f})"


for start in STARTS:
    print(f"initial weights: {start}")
    print("   before training  ", spread([run.test[0] for run in runs[start, 0.0]]))
    print("   trained with λ=0 ", spread([run.test[-1] for run in runs[start, 0.0]]))
    print("   trained with λ=3 ", spread([run.test[-1] for run in runs[start, 3.0]]))
print("predicting 0.05     ", spread([run.constant for run in runs["zero", 0.0]]))

# %%
figure, panels = new_figure(columns=3, width=10.5, height=3.5)
epochs = range(101)
for panel, start in zip(panels, STARTS, strict=True):
    for i, lam in enumerate((0.0, 3.0)):
        curves = [run.test for run in runs[start, lam]]
        plot_mean_and_spread(panel, epochs, curves, f"λ = {lam:.0f}", i)
    panel.axhline(0.01, color="black", linestyle=":", linewidth=1.5, label="predict 0.05")
    panel.set(yscale="log", xlabel="epoch", title=f"start: {start}", ylim=(0.005, 200))
panels[0].set_ylabel("test error (half squared)")
panels[2].legend()
show_figure(
    figure,
    "Test error against the epoch for three kinds of initial weights, mean and range over five "
    "seeds. From large initial weights the error stays near its first value without weight decay "
    "and falls with it, to the dotted line of a constant prediction. From zero weights both curves "
    "lie on that line from the beginning.",
)

# %% [markdown]
# **What we saw** (half squared error, mean over five seeds; each trained model with $\lambda = 0$ fits its
# 20 samples perfectly):
#
# | initial weights | before training | trained, λ = 0 | trained, λ = 3 |
# |---|---|---|---|
# | N(0, 1) | 100 | 89 | 0.0105 |
# | those of `nn.Linear` | 0.17 | 0.16 | 0.0095 |
# | zero | 0.011 | 0.010 | 0.0095 |
# | *predict 0.05 always* | | *0.010* | |
#
# So the famous fall is real, and it is not learning. Look at the columns: without a penalty the
# test error after training is about what it was *before* training. Here is why. The gradient of
# the loss is a sum of the 20 training samples, each times a number. So training moves $w$ only in
# the at most 20 directions that these samples span. In the other 180 directions of the 200 the
# initial weights stay as they were drawn, and that noise is nearly all of the test error:
#
# $$ \tfrac12 \cdot \tfrac{180}{200}\,\lVert w_0 - w^\star\rVert^2 \approx 90 \text{ for } \mathcal N(0, 1)
#    \quad\text{and}\quad 0.16 \text{ for } \texttt{nn.Linear}, $$
#
# where $w_0$ are the initial weights and $w^\star = (0.01, \ldots, 0.01)$ the true ones.
# Weight decay multiplies those directions by $1 - \eta\lambda$ in every step, until nothing is left of
# them. You get the same by starting from zero. And what remains, 0.0095 to 0.0105, is hardly better than the
# 0.010 of a constant, and in some seeds worse: with 20 samples almost nothing about 200 features
# can be learned.
#
# Two habits to keep: **compare with a constant prediction, and compare with the untrained model.**
#
# ## What should not decay
#
# A bias shifts a unit and does not make the function wilder. The weight of a normalisation layer
# (lesson 06) is a scale that the network is meant to choose. So common practice decays neither,
# and an optimiser takes **parameter groups** with a setting each:
#
# ```python
# torch.optim.SGD([{"params": weights, "weight_decay": 0.01},
#                  {"params": others, "weight_decay": 0.0}], lr=0.1)
# ```
#
# You often see the short cut "everything with fewer than two axes". It fails for `nn.LayerNorm((3, 5))`,
# whose weight has two axes, and for a bias of shape (1, 4).
#
# ### TODO 4.4
#
# Sort the parameters of a model into the two groups.
#
# <details><summary>Hint 1: how to know what a parameter belongs to</summary>
#
# `model.modules()` gives every module, the model itself too. For each,
# `module.named_parameters(recurse=False)` gives the parameters that it holds itself, with their own
# short names.
# </details>
#
# <details><summary>Hint 2: which modules normalise</summary>
#
# `isinstance(module, NORMALISATION)` with the tuple above the function. A bias is
# a parameter whose short name contains `"bias"`: an LSTM has `bias_ih_l0`, attention `in_proj_bias`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# decayed, spared, seen = [], [], set()
# for module in model.modules():
#     for name, p in module.named_parameters(recurse=False):
#         if not p.requires_grad or id(p) in seen:
#             continue
#         seen.add(id(p))
#         ...
# ```
# </details>


# %% todo="4.4"
# TODO 4.4: complete this function.
NORMALISATION = (
    nn.modules.batchnorm._NormBase,  # BatchNorm and InstanceNorm of all kinds
    nn.LayerNorm,
    nn.GroupNorm,
    nn.RMSNorm,
)


def parameter_groups(model, weight_decay):
    """Two groups of an nn.Module's parameters for an optimiser: decayed and not decayed.

    Returns a list of two dicts with the keys "params" (a list of parameters) and "weight_decay"
    (a number, 0 for the second). Both groups need it, since the default of AdamW is not 0.

    Not decayed: biases (the parameter's own name contains "bias") and the parameters of
    torch's normalisation layers, of any number of axes. Decayed: every other weight.
    Each parameter appears once, also one that two layers share; frozen ones are left out.
    The model is not changed.
    """
    ### BEGIN SOLUTION
    decayed, spared, seen = [], [], set()
    for module in model.modules():
        for name, p in module.named_parameters(recurse=False):
            if not p.requires_grad or id(p) in seen:
                continue
            seen.add(id(p))
            if "bias" in name or isinstance(module, NORMALISATION):
                spared.append(p)
            else:
                decayed.append(p)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    ### END SOLUTION


# %% check="check_parameter_groups"
check_parameter_groups(parameter_groups)

# %% [markdown]
# ### An experiment: from overfitting to underfitting
#
# Now a setting in which the penalty does help. We take 300 images of digits and draw 30 % of their labels
# anew at random, as if careless people had labelled them. The **validation set** is a third part of the
# data, beside the training and the test set: we do not train on it, we choose by it, here the best
# $\lambda$. The validation and test labels
# stay clean. A network with one hidden layer of 64 units can learn all 300 labels by heart, the wrong
# ones too. We train it with seven values of $\lambda$; the rest is the same: data, first weights, batches
# and number of steps. (Another dataset: write
# `load("fashion_mnist")` for `load("digits")`, if you have downloaded it.)

# %%
from helpers.experiments.weight_decay import network_run

LAMBDAS = [0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 1.0]

with uses_your_code():
    data = load("digits")
    networks = [
        [network_run(parameter_groups, lam, seed, data) for lam in LAMBDAS] for seed in SEEDS
    ]
    figure, axes = new_figure(width=7)
    places = range(len(LAMBDAS))
    for i, part in enumerate(("train", "val", "test")):
        curves = [[getattr(run, part) for run in row] for row in networks]
        plot_mean_and_spread(axes, places, curves, {"val": "validation"}.get(part, part), i)
    axes.set_xticks(places, [f"{lam:g}" for lam in LAMBDAS])
    axes.set(xlabel="weight decay λ", ylabel="accuracy", ylim=(0, 1.02))
    axes.set_title("Too little learns the noise, too much learns nothing")
    axes.legend()
    show_figure(
        figure,
        "Accuracy against weight decay, mean and range over five seeds. Training accuracy falls "
        "from 1.0 all the way; validation and test accuracy rise from about 0.7 to above 0.8 "
        "and fall to chance for the largest weight decay.",
    )
    for seed, row in enumerate(networks):
        best = max(range(len(LAMBDAS)), key=lambda i: row[i].val)
        print(
            f"seed {seed}: without {row[0].test:.3f}, "
            f"with λ = {LAMBDAS[best]:g}, chosen on the validation images, {row[best].test:.3f}"
        )

# %% [markdown]
# **What we saw**, in each of five seeds:
#
# - Without weight decay the training accuracy is above 0.95, on labels that are partly
#   random, and the test accuracy is only about 0.71. This is overfitting.
# - With the $\lambda$ that the *validation* images choose (0.03 or 0.1), the test accuracy is higher by more than
#   5 points in every seed and by about 15 points on average. The training accuracy is lower: the network no
#   longer believes the wrong labels.
# - With $\lambda = 1$ it learns nothing at all. That is underfitting.
#
# The test images took no part in the choice. Had we taken the $\lambda$ that is best on them, the number we
# report would be too good. Our validation labels are clean, which real ones may not be.
#
# ### The histogram of the weights

# %%
with uses_your_code():
    figure, axes = new_figure(width=7)
    pair = {lam: network_run(parameter_groups, lam, 0, load("digits")) for lam in (0.0, 0.03)}
    for (lam, run), color, style in zip(
        pair.items(), ("#0072B2", "#D55E00"), ("-", "--"), strict=True
    ):
        axes.hist(
            run.weights.tolist(),
            bins=[i / 40 for i in range(-60, 61)],
            histtype="step",
            color=color,
            linestyle=style,
            linewidth=2,
            label=f"λ = {lam:g}, ‖w‖ = {run.weights.norm():.1f}",
        )
    axes.set(
        xlabel="weight", xlim=(-1.5, 1.5), ylabel="number of weights (log scale)", yscale="log"
    )
    axes.set_title("Weight decay makes weights small, not zero")
    axes.legend()
    show_figure(
        figure,
        "Histograms of the weights of one network without and with weight decay. Without it they "
        "spread over a wide bell; with it there is a narrow peak at 0 and wide tails.",
    )
    for lam, run in pair.items():
        share = (run.weights.abs() < 0.01).float().mean().item()
        print(f"λ = {lam:g}: {share:.0%} of the weights lie between −0.01 and 0.01")

# %% [markdown]
# With $\lambda = 0.03$ the norm of the weights is less than half of what it is without, and more than 20 %
# of the weights lie within 0.01 of zero, against less than 10 % (five seeds). The scale is
# logarithmic: the tails are the few weights that the data keep up.
#
# ### Where to start
#
# For SGD on many images `weight_decay=1e-4` and `weight_decay=1e-3` are usual first values. Few data and
# wrong labels ask for more, as above. What counts is the order of magnitude, so search on a *logarithmic
# grid*, on which each value is the one before times the same number: `[1e-5, 1e-4, 1e-3, 1e-2, 1e-1]`.
# If the best value is the first or the last one, make the grid longer; if not, try a few values around it.
#
# **Optimisation** makes the *training* loss small: a better optimiser, step size or initialisation, more
# steps. *Regularisation* makes the error on *new* data small, often at the price of a larger training loss, as
# in our experiment. So look at the training error first. While it is large, optimise better or take a larger model (or a smaller
# $\lambda$): a stronger penalty only makes it larger. When it is small and the validation error is not, regularise. One setting
# may do both: a step size that is changed, or a training that ends early, acts on both errors.
#
# ## Adam needs another way
#
# Adam (Kingma and Ba 2015) divides each step by the recent size of that weight's gradients. With
# $g_t$ the gradient in step $t$, all operations entry by entry:
#
# $$ m_t = \beta_1 m_{t-1} + (1-\beta_1)\, g_t, \qquad v_t = \beta_2 v_{t-1} + (1-\beta_2)\, g_t^2, $$
# $$ \hat m_t = \frac{m_t}{1-\beta_1^t}, \qquad \hat v_t = \frac{v_t}{1-\beta_2^t}, \qquad
#    s_t = \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}. $$
#
# Here $\beta_1, \beta_2$ and $\epsilon$ are settings of Adam, with the values 0.9, 0.999 and $10^{-8}$, and
# $\eta$ is the step size, as before. $m$ and $v$ begin at 0; dividing by $1-\beta^t$ corrects for that. If the penalty is in the loss,
# $\lambda w$ becomes part of $g_t$ and is divided by $\sqrt{\hat v_t}$ as well. A weight with
# large gradients then hardly decays. **AdamW** (Loshchilov and Hutter 2019) leaves the gradient alone and decays
# the weight itself:
#
# $$ w_t = w_{t-1} - \eta\,(s_t + \lambda\, w_{t-1}). $$
#
# Mind the names: in PyTorch `Adam(weight_decay=...)` is the *penalty*, and `AdamW(weight_decay=...)` the
# decay. And mind the factor: this is PyTorch's form. In the paper the decay is $\lambda$ times a
# schedule that begins at 1, and not times $\eta$, so its $\lambda$ is a thousand times smaller than
# PyTorch's for the same decay at $\eta = 10^{-3}$.
#
# ### TODO 4.5
#
# Write one step of AdamW.
#
# <details><summary>Hint 1: pure</summary>
#
# Do not write `m *= ...` or `m.mul_(...)`: they change the caller's tensors. `m = beta1 * m + ...`
# makes a new one.
# </details>
#
# <details><summary>Hint 2: what to return</summary>
#
# Return $m_t$ and $v_t$ themselves. The corrected ones are used in this step only.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# beta1, beta2 = betas
# m = ...
# v = ...
# step = (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
# return w - lr * (...), m, v
# ```
# </details>


# %% todo="4.5"
# TODO 4.5: complete this function.
def adamw_step(w, grad, m, v, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
    """One step of AdamW; equals torch.optim.AdamW over many steps.

    w, grad, m, v: tensors of one shape: weight, gradient, the averages of gradient and of its
        square, zeros before the first step.
    t: the number of this step; the first one is 1.

    Returns (w, m, v) after the step as new tensors; no argument is changed. Not allowed:
    torch.optim.
    """
    ### BEGIN SOLUTION
    beta1, beta2 = betas
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad**2
    step = (m / (1 - beta1**t)) / ((v / (1 - beta2**t)).sqrt() + eps)
    return w - lr * (step + weight_decay * w), m, v
    ### END SOLUTION


# %% check="check_adamw_step"
check_adamw_step(adamw_step)

# %% [markdown]
# ### The same with PyTorch
#
# Thirty steps on the digits, with your function and with `torch.optim.AdamW`.

# %%
with uses_your_code():
    torch.manual_seed(0)
    start = torch.randn(10, 64) / 8
    theirs = start.clone().requires_grad_()
    optimizer = torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.1)
    mine, m, v = start.clone(), torch.zeros(10, 64), torch.zeros(10, 64)
    for t in range(1, 31):
        optimizer.zero_grad()
        F.cross_entropy(x @ theirs.T, y).backward()
        optimizer.step()
        leaf = mine.clone().requires_grad_()
        (grad,) = torch.autograd.grad(F.cross_entropy(x @ leaf.T, y), leaf)
        mine, m, v = adamw_step(mine, grad, m, v, t, lr=0.01, weight_decay=0.1)
    print(f"largest difference of a weight: {(mine - theirs).abs().max().item():.1e}")

# %% [markdown]
# And the comparison that we owe: the penalty in the loss under Adam, beside `Adam(weight_decay=λ)`
# and beside `AdamW(weight_decay=λ)`.

# %%
with uses_your_code():
    for name in ("Adam", "AdamW"):
        apart = [penalty_against_decay(l2_penalty, name, seed) for seed in SEEDS]
        print(f"Adam with a penalty, beside {name:5s}: {min(apart):.0e} to {max(apart):.0e}")

# %% [markdown]
# **What we saw.** `Adam(weight_decay=λ)` is the penalty, to far below $10^{-6}$. `AdamW` is another
# algorithm: after 50 steps with the same $\lambda$ some weight differs by more than 0.1, in each of five seeds.
#
# ## Why L1 gives exact zeros
#
# The slope of $|w|$ jumps at 0, and a gradient step over that jump lands on the other side, again
# and again. The clean way is a **proximal step**: first a step on the data loss alone, then the $u$ that
# minimises
#
# $$ \tfrac12 (u - w)^2 + \theta\,|u|, $$
#
# entry by entry, with the threshold $\theta = \eta\lambda \ge 0$. The answer is the **soft threshold**: move $w$
# towards 0 by $\theta$, and stop at 0.

# %%
w = torch.linspace(-3, 3, 301)
figure, axes = new_figure(width=6, height=3.6)
axes.plot(w, w, ":", color="black", label="unchanged")
axes.plot(w, F.softshrink(w, 1.0), color="#0072B2", label="L1 step: soft threshold, θ = 1")
axes.plot(w, w / 2, "--", color="#D55E00", label="L2 step: w / (1 + θ)")
axes.set(xlabel="weight before", ylabel="weight after", title="L1 subtracts, L2 divides")
axes.legend()
show_figure(
    figure,
    "The weight after a step against the weight before it. The soft threshold is 0 between minus "
    "one and one and runs one unit nearer to 0 outside. The L2 step is a straight line of half the "
    "slope, which is 0 only at 0.",
)

# %% [markdown]
# ### TODO 4.6
#
# Write the soft threshold, for a whole tensor at once.
#
# <details><summary>Hint 1: three cases</summary>
#
# What becomes of 3, of 0.5 and of −2 if the threshold is 1?
# </details>
#
# <details><summary>Hint 2: size and sign</summary>
#
# The size of the result is $\max(|w| - \theta, 0)$. The sign stays.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `w.sign() * (...).clamp(min=0)`
# </details>


# %% todo="4.6"
# TODO 4.6: complete this function.
def soft_threshold(w, threshold):
    """The proximal step of the L1 norm, entry by entry.

    w: a tensor of any shape; it is left unchanged.
    threshold: a number above 0.

    Returns a tensor of the shape and dtype of w, through which gradients flow.
    Not allowed: torch's own softshrink.
    """
    ### BEGIN SOLUTION
    return w.sign() * (w.abs() - threshold).clamp(min=0)
    ### END SOLUTION


# %% check="check_soft_threshold"
check_soft_threshold(soft_threshold)

# %% [markdown]
# ### The same with PyTorch

# %%
with uses_your_code():
    w = torch.tensor([3.0, 0.5, -2.0, 1.25])
    print("PyTorch:", F.softshrink(w, 1.0).tolist())
    print("yours:  ", soft_threshold(w, 1.0).tolist())

# %% [markdown]
# ### An experiment: which features matter?
#
# Here we must know the truth, so we make the data: 180 samples of 200 features, of which only ten
# matter (their true weights are 1 or −1), and noise of standard deviation 0.5. Both models are trained by the same loop,
# from zero, with the same steps. One takes your soft threshold after each step, the other weight decay.

# %%
from helpers.experiments.weight_decay import sparse_run

with uses_your_code():
    sparse = [sparse_run(soft_threshold, seed) for seed in SEEDS]
    for name in ("l1", "l2"):
        found = [getattr(run, name) for run in sparse]
        right = [
            int(((w != 0) & (run.true != 0)).sum()) for w, run in zip(found, sparse, strict=True)
        ]
        extra = [
            int(((w != 0) & (run.true == 0)).sum()) for w, run in zip(found, sparse, strict=True)
        ]
        print(
            f"{name.upper()}: of the 10 that matter, found {right}; of the 190 others, kept {extra}"
        )
    figure, panels = new_figure(columns=2, width=9, height=3.4)
    order = sparse[0].true.abs().argsort(descending=True, stable=True)
    for panel, name in zip(panels, ("l1", "l2"), strict=True):
        weights = getattr(sparse[0], name)[order]
        panel.plot(range(1, 11), weights[:10].abs(), "o", color="#0072B2", label="matters")
        panel.plot(range(11, 201), weights[10:].abs(), "x", color="#D55E00", label="does not")
        panel.set(xlabel="feature", ylabel="|weight|", title=name.upper(), ylim=(-0.03, 1))
        panel.legend()
    show_figure(
        figure,
        "The size of 200 weights found with L1 and with L2. With L1 the ten that matter are well "
        "above 0 and all others are exactly 0. With L2 all are different from 0, and those that "
        "do not matter reach half the size of those that do.",
    )

# %% [markdown]
# **What we saw**, in each of five seeds: with L1 ($\lambda = 0.35$, chosen because we know the truth) the
# weights that are not 0 are exactly the ten that matter. With L2 ($\lambda = 0.3$) all 200 weights differ from 0, more than 80 of them by
# more than 0.05. Sorted by size, the right ten come first here too; but the largest of the others is between
# 30 and 80 % of the smallest of the ten, and nothing in the weights says that there are ten. L1 has its price: the ten weights should be 1 and are
# between 0.35 and 0.75 on average, since every weight loses the same amount. One often takes
# the features that L1 found and fits them again without a penalty.
#
# ### To predict or to select?
#
# We took $\lambda = 0.35$ with the truth in hand, and nobody has that. Without it one chooses $\lambda$ by
# the error on samples that were held out of the training. We do so on the same data, with seven values
# of $\lambda$ and 100 held-out samples.

# %%
from helpers.experiments.ridge_and_lasso import sparse_path

L1_LAMBDAS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5]

with uses_your_code():
    print("        λ chosen on held-out samples    |      λ chosen knowing the truth")
    print("seed      λ   error  of 10  of 190      |      λ   error  of 10  of 190")
    for seed in SEEDS:
        path = sparse_path(soft_threshold, L1_LAMBDAS, seed)
        row = [
            f"{L1_LAMBDAS[i]:7g} {path.error[i]:7.2f} {path.found[i]:6d} {path.others[i]:7d}"
            for i in (path.chosen, L1_LAMBDAS.index(0.35))
        ]
        print(f"{seed:4d}" + "      |".join(row))

# %% [markdown]
# **What we saw**, in each of five seeds. The $\lambda$ that predicts best is 0.02 or 0.05. With it L1
# finds all ten and keeps between 20 and 72 of the 190 others. From $\lambda = 0.2$ on, exactly the ten
# are left; but at 0.35 the error is more than three times as large, since the ten weights have lost so
# much. One $\lambda$ cannot do both. *To predict*, choose it on held-out samples, and do not read the
# weights that are left as a list of what matters. *To select*, take a larger one, and then fit the
# features that are left without a penalty.
#
# ## One problem with an exact answer
#
# For a linear model with squared error the minimum can be written down. With $X$ of shape $(n, d)$, one row a
# sample ($n$ samples; where a batch is meant, the lessons write $N$), and $y$ of shape $(n,)$, minimise
#
# $$ \tfrac12 \lVert Xw - y\rVert^2 + \tfrac12\lambda\lVert w\rVert^2 . $$
#
# Set the gradient $X^\top (Xw - y) + \lambda w$ to zero and sort the terms:
#
# $$ (X^\top X + \lambda I)\, w = X^\top y . $$
#
# This is **ridge regression** (Hoerl and Kennard 1970). For $\lambda > 0$ the matrix can always be inverted, also with fewer
# samples than features. There is no intercept here: the data are centred first.
#
# ### TODO 4.7
#
# Write the function that solves this equation for $w$.
#
# <details><summary>Hint 1: a linear system</summary>
#
# `torch.linalg.solve(A, b)` solves $Aw = b$, and is better than computing an inverse.
# </details>
#
# <details><summary>Hint 2: the identity matrix</summary>
#
# `torch.eye(d, dtype=X.dtype, device=X.device)`. And `X.T @ X + lam` is something else: it adds
# λ to *every* entry.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `torch.linalg.solve(X.T @ X + ..., X.T @ y)`
# </details>


# %% todo="4.7"
# TODO 4.7: complete this function.
def ridge_solution(X, y, lam):
    """The w that minimises ½‖Xw − y‖² + ½λ‖w‖²; no intercept.

    X: (n, d), one row a sample; n may be smaller than d. y: (n,). lam: λ > 0, a number.

    Returns w of shape (d,), of the dtype of X, through which gradients flow.
    X and y are left unchanged. Everything in torch is allowed.
    """
    ### BEGIN SOLUTION
    identity = torch.eye(X.shape[1], dtype=X.dtype, device=X.device)
    return torch.linalg.solve(X.T @ X + lam * identity, X.T @ y)
    ### END SOLUTION


# %% check="check_ridge_solution"
check_ridge_solution(ridge_solution)

# %% [markdown]
# ### The same with PyTorch: gradient descent gets there too
#
# The formula has a *sum* over the samples, a training loop has a *mean*. Divide everything by $n$: the mean
# of the half squared error with `weight_decay` $\lambda$ has the minimum of the ridge problem with
# $\lambda n$. `nn.MSELoss` has no ½, so its data part counts double, and the minimum is that with
# $\lambda n / 2$. We train on the task of the next section (40 images) and compare.

# %%
from helpers.experiments.weight_decay import descent_meets_ridge

with uses_your_code():
    for what, apart in descent_meets_ridge(ridge_solution, lam=0.5).items():
        print(f"{what:16s} the weights differ by {apart:.0e} of the largest one")

# %% [markdown]
# With the right factor the two agree to far below one part in a million; with $\lambda$ for
# $\lambda n$ they differ by more than 20 %, and with $\lambda n$ for $\lambda n / 2$ by more than 10 % (five seeds).
#
# ### An experiment: a penalty that learns better
#
# Real data again. The task: predict the pixel in the middle of a digit from the 63 others. There are 40
# training images, fewer than features, so a linear model fits them perfectly without learning
# much. We compare with the two rivals that the textbooks' experiment forgot: the fit without a penalty,
# here the one with the smallest weights of all perfect fits, which is where training from zero weights
# ends; and the constant, the mean of that pixel over the training images.
# $\lambda$ is chosen on 300 validation images, and the error is measured on 397 test images.

# %%
from helpers.experiments.weight_decay import ridge_path

RIDGE_LAMBDAS = [10.0**k for k in range(-3, 6)]

with uses_your_code():
    paths = [ridge_path(ridge_solution, RIDGE_LAMBDAS, seed, load("digits")) for seed in range(10)]
    figure, axes = new_figure(width=7.5, height=4.2)
    plot_mean_and_spread(axes, RIDGE_LAMBDAS, [p.train for p in paths], "train", 0)
    plot_mean_and_spread(axes, RIDGE_LAMBDAS, [p.test for p in paths], "test", 1)
    constant = sum(p.constant for p in paths) / len(paths)
    axes.axhline(constant, color="black", linestyle=":", linewidth=1.5, label="constant, test")
    axes.set(xscale="log", yscale="log", xlabel="λ", ylim=(0.02, 10))
    axes.set_ylabel("mean squared error\n(standard deviations²)")
    axes.set_title("Left of the valley: overfitting. Right of it: underfitting.")
    axes.legend()
    show_figure(
        figure,
        "Training and test error of ridge regression against λ, mean and range over ten draws of "
        "40 training images. The training error rises all the way from near 0. The test error starts "
        "far above that of a constant, falls to half of it at λ = 10, and rises to it again.",
    )
    print("draw   no penalty   constant   chosen λ: test error")
    for seed, p in enumerate(paths):
        best = f"{RIDGE_LAMBDAS[p.chosen]:g}: {p.test[p.chosen]:.2f}"
        print(f"{seed:3d} {p.unpenalised:10.2f} {p.constant:11.2f} {best:>14s}")

# %% [markdown]
# **What we saw**, in each of ten draws: the fit without a penalty is *worse* than the constant; the $\lambda$ that
# the validation images choose (10 every time) gives at most three quarters of the constant's error and
# at most 60 % of the unpenalised fit's. On average the errors are about 0.5 with the penalty, 0.97
# for the constant and above 1.8 without a penalty. For very large $\lambda$ the weights vanish, and what is left is the constant.
# This penalty does not tidy up initial noise, since there is none. It learns better.
#
# ### Why it works: direction by direction
#
# The features can be replaced by others: by their values along directions $v_1, v_2, \ldots$ of length 1, at
# right angles to each other. They can be chosen so that no two of the new columns $Xv_i$ have anything to
# do with each other: $Xv_i$ and $Xv_j$ are at right angles too. The length $s_i = \lVert Xv_i \rVert$ is called
# a *singular value* of $X$. It says how much the samples differ along $v_i$.
#
# Along each of these directions ridge regression is a problem with a single weight. Without a
# penalty this weight is the part of $y$ along $Xv_i$, divided by $s_i$. With one it is that number times
#
# $$ \frac{s_i^2}{s_i^2 + \lambda}, $$
#
# the **shrinkage factor**. It is near 1 where $s_i^2$ is much larger than $\lambda$, and near 0 where it is
# much smaller. Those are the right ones to shrink: where the samples hardly differ, $s_i$ is small, and a little
# noise in $y$, divided by it, makes a large weight.

# %%
from helpers.experiments.ridge_and_lasso import draw_shrinkage, shrinkage

with uses_your_code():
    show_figure(*draw_shrinkage(shrinkage(ridge_solution, [0.1, 10.0, 1000.0], seed=0)))

# %% [markdown]
# **What we saw.** The points come from your function, the curves from the formula. With $\lambda = 10$ between
# 16 and 20 of the 39 directions keep more than half (all ten draws). The others hold at most 6 % of the squared
# differences between the samples, and without a penalty more than 80 % of the squared length of the weights.
#
# ### Two features that say the same
#
# Two features are **correlated** when they rise and fall together, as neighbouring pixels do. Take it to
# the extreme: $b$ is a copy of $a$. Then the data determine the *sum* of the two weights and nothing else.
# L2 prefers two halves, since $(\tfrac12)^2 + (\tfrac12)^2$ is less than $1^2 + 0^2$. L1 does not mind how a sum
# is divided, as long as no weight is negative. So we make the copy slightly imperfect, $b = a + 0.1 \cdot{}$noise,
# and fit $y = a + 0.5 \cdot{}$noise, 100 samples.

# %%
from helpers.experiments.ridge_and_lasso import two_copies

with uses_your_code():
    print("seed     no penalty             L2               L1      (weights of a and b)")
    for seed in SEEDS:
        fits = two_copies(ridge_solution, soft_threshold, seed)
        print(f"{seed:4d}", "  ".join(f"{w[0]:7.2f} {w[1]:7.2f}" for w in fits.values()))

# %% [markdown]
# **What we saw**, in each of five seeds. Without a penalty the two weights differ by more than 1, though the
# features say nearly the same. L2 *shares*: both weights lie between 0.35 and 0.6. The samples hardly differ along
# $a - b$, so that direction is shrunk most. L1 *chooses*: one weight is exactly 0, the other lies between 0.8 and 0.95.
# In some seeds it keeps $a$, in others the copy, for noise decides. So a weight of 0 does not
# say that a feature tells nothing: its twin may have been chosen.
#
# ### A demo
#
# Move $\lambda$ and change the penalty. The left panel shows a polynomial of degree 9 fitted to twelve
# points, the middle its weights. The right panel shows the picture of every textbook: the
# ellipses are lines of equal data loss, the shaded region has equal penalty, and the minimum is where they touch.

# %%
weight_decay_demo()

# %% [markdown]
# ## One question to think about
#
# **What does an L2 penalty do to the parameters of a model, and why does that reduce overfitting?** Say also
# when it does not help. A few sentences and one formula are enough.

# %% [markdown] question="weight-decay"
# **Model answer.** The penalty ½λ‖w‖² adds λw to the gradient, so each step multiplies the weights
# by 1 − ηλ before the data move them: w ← (1 − ηλ)w − ηg. Weights that the data do not hold up
# decay towards 0, and those that lower the loss much stay large; few become exactly 0. In ridge
# regression this can be seen in each direction: a direction in which the data have the singular
# value s is multiplied by s²/(s² + λ), so directions that the data hardly determine, where a fit
# follows the noise, are shrunk most. With small weights the output changes little when the input
# changes a little, so the model cannot bend to reach every noisy point. It becomes a bit wrong on
# average (bias) and varies much less from one training set to the next (variance). It does not
# help when there is little variance to remove: with many clean data, or when λ is too large and the model
# underfits; and a fall of the test error can also come from initial noise being shrunk, as in the
# textbooks' experiment. So λ is chosen on validation data, and compared with a constant.
#
# **Rubric (4 points).**
#
# - 1 point: the effect on the parameters: the gradient λw, or the factor 1 − ηλ in each step; small
#   weights and not exact zeros.
# - 1 point: not all weights shrink alike: those that the data determine stay, the others go.
# - 1 point: why that reduces overfitting: a smoother function, or less variance for a little bias, in
#   their own words.
# - 1 point: when it does not help, or does harm: λ too large, clean and plentiful data, or the
#   textbooks' experiment and its initial noise.

# %% [markdown]
# ## Summary
#
# An L2 penalty multiplies the weights by a number a little below 1 in every step and so shrinks most what
# the data do not determine; for SGD it is the same as weight decay, and for Adam it is not.
# An L1 penalty takes the same amount from every weight, which leaves exact zeros. Whether a
# penalty has learned better is known only beside an unpenalised fit, a constant and the untrained model,
# with λ chosen on validation data.
#
# **Common mistakes**
#
# - Penalising the norm, or a mean, where the squared norm or a sum is meant.
# - A λ that is off by 2 (with or without ½) or by $n$ (a sum or a mean over the samples).
# - Taking `Adam(weight_decay=...)` for AdamW.
# - Decaying biases and normalisation layers; sorting parameters by their number of axes.
# - Choosing λ on the test set.
#
# **Sources**
#
# - S. J. Hanson and L. Y. Pratt, *Comparing biases for minimal network construction with
#   back-propagation*, NIPS 1988.
# - A. E. Hoerl and R. W. Kennard, *Ridge regression: biased estimation for nonorthogonal problems*,
#   Technometrics 12, 1970.
# - A. Krogh and J. A. Hertz, *A simple weight decay can improve generalization*, NIPS 1991.
# - I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, ICLR 2019.
