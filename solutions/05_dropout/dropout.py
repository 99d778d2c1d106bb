# %% [markdown]
# When you have finished this lesson you will be able to
#
# - write dropout in three forms: as a function, in NumPy with its own backward pass, and as a
#   module that knows whether the model trains,
# - say what is kept when entries are dropped, and what is not,
# - recognise the mistake that makes a network random at test time,
# - tell when dropout helps and when it hurts, from measurements,
# - use dropout to ask a network how sure it is.
#
# ## Why throw information away?
#
# A network with enough weights can learn its training set by heart. Units then come to rely on
# each other: one unit makes a mistake, another is trained to repair exactly that mistake, and the
# pair works on the training images only. **Dropout** breaks such pairs. In each step of training,
# each unit is switched off with probability $p$. No unit can count on another one being there,
# so each has to be useful in many different companies.
#
# A network with some units switched off is called a *thinned* network. With $n$ units there are
# $2^n$ thinned networks, and they all share their weights. Each step of training improves one of
# them, drawn at random. At test time we use all units at once, which is close to a vote of all the
# thinned networks.
#
# In this course, as in PyTorch, $p$ is the probability of *dropping*. Some papers and courses
# use the same letter for the probability of keeping. Always look which one is meant.

# %%
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from helpers import (
    check_dropout_layer,
    check_dropout_module,
    check_mc_dropout,
    check_numpy_dropout,
    dropout_demo,
    line_style,
    new_figure,
    plot_mean_and_spread,
    seeded,
    show_figure,
    uses_your_code,
)
from helpers.demos.dropout import draw_thinned_network
from helpers.experiments import dropout as experiments

SEEDS = experiments.SEEDS

# %%
figure, alt = draw_thinned_network(p=0.5, sample=1)
show_figure(figure, alt)

# %% [markdown]
# On the left is one thinned network: a cross is a unit that is switched off, and its connections
# are gone with it. The right side is explained next.
#
# ## Dropout as one line of maths
#
# Let $X$ be a tensor of any shape, for example the outputs of a layer, of shape (batch, units).
# For every entry $i$ draw a mask $m_i$ that is 0 with probability $p$ and 1 with probability
# $1 - p$. All draws are independent: each entry of each sample has its own. The result is
#
# $$ Y_i = \frac{m_i X_i}{1 - p}. $$
#
# **Why divide by $1 - p$?** On average $m_i$ is $1 - p$, so the average of $Y_i$ over all masks is
#
# $$ \mathbb{E}[Y_i] = \frac{(1 - p)\, X_i}{1 - p} = X_i . $$
#
# The next layer gets the same sum on average as it would get without dropout. Look at the right
# side of the figure: a unit adds 60 inputs of 1. Without dropout it gets 60. With dropout and
# without the division it gets about 30 in training, and then suddenly 60 at test time. With the
# division the mean is 60 in both.
#
# The first paper did not rescale in training, and multiplied by $1 - p$ at test time. Dividing in
# training is called **inverted dropout**. It has the advantage that nothing has to be done at test
# time. PyTorch and the other common libraries do it this way.
#
# **What is not kept.** The spread: the variance of $Y_i$ over the masks is
# $X_i^2 \, p / (1 - p)$. This noise is what regularises, and it grows with $p$.
#
# **The ends.** For $p = 0$ nothing is dropped. For $p = 1$ everything is dropped and the formula
# says $0/0$; the result is defined as 0.
#
# ### TODO 5.1
#
# Write inverted dropout as a function.
#
# <details><summary>Hint 1: how to begin</summary>
#
# First refuse a wrong `dropout`. Then handle `dropout == 1`. In all other cases make a mask of the
# shape of `X` and use the formula.
# </details>
#
# <details><summary>Hint 2: how to draw</summary>
#
# `torch.rand_like(X)` gives uniform numbers between 0 and 1, with the shape, the dtype and the
# device of `X`. The probability that such a number is at least `dropout` is `1 - dropout`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# if not 0 <= dropout <= 1:
#     raise ValueError(...)
# if dropout == 1:
#     return X * 0
# mask = torch.rand_like(X) >= dropout
# ```
#
# and then the formula above, with `mask` for $m$.
# </details>


# %% todo="5.1"
# TODO 5.1: complete this function.
def dropout_layer(X, dropout):
    """Inverted dropout: each entry is 0 with probability dropout, else X / (1 - dropout).

    X: tensor of any shape, float32 or float64; it is left unchanged.
    dropout: probability of dropping an entry, from 0 to 1 (both allowed).

    Returns a tensor of the shape and dtype of X. Each entry is drawn independently, anew
    in each call. The gradient flows through the kept entries, and is scaled like them.
    dropout = 0 gives the values of X, dropout = 1 gives zeros.

    Raises ValueError for a dropout outside [0, 1].
    Not allowed: PyTorch's own dropout, as a module or as a function. Do not set a random seed.
    """
    ### BEGIN SOLUTION
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout must be in [0, 1], and it is {dropout}.")
    if dropout == 1:
        return X * 0
    mask = torch.rand_like(X) >= dropout
    return mask * X / (1 - dropout)
    ### END SOLUTION


# %% check="check_dropout_layer"
check_dropout_layer(dropout_layer)

# %% [markdown]
# How can a check judge something random? It does not compare your mask with another one. It
# compares what all right masks have in common: the share of zeros, the exact scale of what is kept,
# that neighbours are independent, and that the gradient passes the same mask.
#
# ### The mean is kept: an experiment
#
# A unit adds the 64 pixels of a real digit with random weights, each of the sign of its pixel so that
# the sum is not near 0 by accident. We apply your function to the
# pixels with 2,000 different masks, and divide the mean of the sum by the sum without dropout.
# Once with your rescaling, once with the same masks and no rescaling.

# %%
with uses_your_code():
    ratios = {
        p: [experiments.mean_in_training(dropout_layer, p, seed) for seed in SEEDS]
        for p in (0.2, 0.5, 0.8)
    }
    print("p      rescaled          not rescaled      (mean, smallest and largest of 5 images)")
    for p, pairs in ratios.items():
        parts = [
            f"{np.mean(column):.2f} ({min(column):.2f}–{max(column):.2f})"
            for column in zip(*pairs, strict=True)
        ]
        print(f"{p:.1f}    {parts[0]}  {parts[1]}")

# %% [markdown]
# **What we saw.** With the rescaling the mean is within 3 percent of the sum without dropout, for
# each image and each $p$. Without it, it is about $1 - p$ times as large.
#
# ### The same with PyTorch
#
# `F.dropout(X, p, training=True)` is the same function. The two draw different masks, so we compare
# what they have in common.

# %%
with uses_your_code():
    X = torch.ones(1000, 1000)
    with seeded(0):
        mine, theirs = dropout_layer(X, 0.2), F.dropout(X, 0.2, training=True)
    for name, Y in (("yours:  ", mine), ("PyTorch:", theirs)):
        values = [round(value, 4) for value in Y.unique().tolist()]
        print(name, "values", values, f" share of zeros {(Y == 0).float().mean():.3f}")

# %% [markdown]
# ## The backward pass by hand
#
# In the forward pass an entry was multiplied by $m_i / (1 - p)$. So, by the chain rule, its
# gradient is multiplied by the same number. If $g$ is the gradient of the loss with respect to $Y$
# (same shape), then
#
# $$ \frac{\partial L}{\partial X_i} = g_i \, \frac{m_i}{1 - p}. $$
#
# The mask is that of the forward pass: the two belong together, so the layer has to remember it.
# In evaluation nothing is dropped and the gradient passes unchanged.
#
# PyTorch does this for you. Write it once without PyTorch, to see that nothing is hidden.
#
# ### TODO 5.2
#
# Write both passes, in NumPy.
#
# <details><summary>Hint 1: what to remember</summary>
#
# Keep the mask as `self.mask` in `forward`, already divided by $1 - p$: then both methods
# multiply by the same array. In evaluation keep something that says "there is no mask", such as
# `None`, so that `backward` does not use an old one.
# </details>
#
# <details><summary>Hint 2: how to keep the dtype</summary>
#
# `np.random.random(X.shape) < keep`, with `keep = 1 - self.drop_prob`, is an array of `True` and
# `False`. `.astype(X.dtype)` makes numbers of it that have the dtype of `X`. Without that, the
# division makes float64 numbers, and a float32 array times a float64 array is float64.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# In `forward`, when training:
#
# ```python
# kept = np.random.random(X.shape) < keep
# self.mask = kept.astype(X.dtype) / keep if keep > 0 else np.zeros_like(X)
# return X * self.mask
# ```
#
# In evaluation: `self.mask = None`, and the result is a copy of `X`. In `backward` do the same to
# `dout`, without drawing.
# </details>


# %% todo="5.2"
# TODO 5.2: complete this class.
class NumpyDropout:
    """Inverted dropout with its own backward pass, in NumPy only.

    drop_prob: probability of dropping an entry, from 0 to 1.
    Arrays are float32 or float64, of any shape; the results have the dtype of the argument.
    No argument is changed. Not allowed: PyTorch. Do not fix a random seed in forward.
    """

    def __init__(self, drop_prob):
        self.drop_prob = drop_prob
        self.mask = None

    def forward(self, X, training=True):
        """The array X with entries dropped and the others rescaled; X's values if not training.

        Draws a new mask in each call.
        """
        ### BEGIN SOLUTION
        if not training:
            self.mask = None
            return X.copy()
        keep = 1 - self.drop_prob
        kept = np.random.random(X.shape) < keep
        self.mask = kept.astype(X.dtype) / keep if keep > 0 else np.zeros_like(X)
        return X * self.mask
        ### END SOLUTION

    def backward(self, dout):
        """The gradient for X, given dout, the gradient for the result of the last forward.

        After forward(X, training=False) it is dout, unchanged.
        """
        ### BEGIN SOLUTION
        return dout.copy() if self.mask is None else dout * self.mask
        ### END SOLUTION


# %% check="check_numpy_dropout"
check_numpy_dropout(NumpyDropout)

# %% [markdown]
# ### The same with PyTorch
#
# We take the mask that your layer drew, use it in PyTorch, and let autograd compute the gradient.

# %%
with uses_your_code():
    layer = NumpyDropout(0.4)
    X = np.random.default_rng(0).normal(size=(2, 4))
    dout = np.ones((2, 4))
    Y = layer.forward(X)
    leaf = torch.from_numpy(X).requires_grad_()
    (leaf * torch.from_numpy(Y != 0) / 0.6).backward(torch.from_numpy(dout))
    print("yours:  ", layer.backward(dout).round(3).tolist())
    print("PyTorch:", leaf.grad.numpy().round(3).tolist())

# %% [markdown]
# ## A layer with two modes
#
# Dropout is for training. When we use the network, we want its best answer and always the same
# one, so nothing is dropped. How does a layer know?
#
# Every `nn.Module` has a flag, `self.training`. `model.train()` sets it to `True` in the model and
# in every module inside it, and `model.eval()` sets it to `False`. The layer only has to **read
# the flag each time it is used**.
#
# | This is not the same as `eval()` | because |
# |---|---|
# | `torch.no_grad()` | It switches gradients off, and dropout stays on. |
# | `self.train` | It is a method and not the flag; in an `if` it always counts as true. |
# | a copy of the flag made in the constructor | It does not change when `eval()` is called. |
# | a layer in a plain Python list | `eval()` does not reach it. |
#
# ### TODO 5.3
#
# Write dropout as a module. You may use your `dropout_layer`.
#
# <details><summary>Hint 1: how to begin</summary>
#
# In the constructor: call `super().__init__()`, refuse a wrong `p`, and keep it as `self.p`.
# </details>
#
# <details><summary>Hint 2: the two modes</summary>
#
# In `forward`, ask `self.training`. If it is false, the result is `X`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# return dropout_layer(X, self.p) if ... else X
# ```
# </details>


# %% todo="5.3"
# TODO 5.3: complete this class.
class MyDropout(nn.Module):
    """Inverted dropout as a module: it drops in training mode and is the identity in eval mode.

    p: probability of dropping an entry, from 0 to 1.

    The constructor raises ValueError for a p outside [0, 1]. The module obeys train() and
    eval() of any model that contains it, with gradients on or off. It has no parameters and its
    state_dict is empty. X is left unchanged; any shape, float32 or float64.
    Not allowed: PyTorch's own dropout, as a module or as a function. Do not set a random seed.
    """

    def __init__(self, p=0.5):
        super().__init__()
        ### BEGIN SOLUTION
        if not 0 <= p <= 1:
            raise ValueError(f"p must be in [0, 1], and it is {p}.")
        self.p = p
        ### END SOLUTION

    def forward(self, X):
        """Drops entries of X in training mode, returns X's values in evaluation mode."""
        ### BEGIN SOLUTION
        return dropout_layer(X, self.p) if self.training else X
        ### END SOLUTION


# %% check="check_dropout_module"
check_dropout_module(MyDropout)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch's module is `nn.Dropout(p)`. In evaluation the two agree exactly; in training they agree
# in the share of zeros and in the scale.

# %%
with uses_your_code():
    X = torch.linspace(1, 2, 10_000)
    for name, layer in (("yours:  ", MyDropout(0.3)), ("PyTorch:", nn.Dropout(0.3))):
        with seeded(0):
            Y = layer.train()(X)
        share, scale = (Y == 0).float().mean(), (Y / X).max()
        same = torch.equal(layer.eval()(X), X)
        print(f"{name} share of zeros {share:.2f}, scale {scale:.4f}, eval() returns X: {same}")

# %% [markdown]
# ### An experiment: the forgotten flag
#
# There is a functional form too, `F.dropout(x, p, training=...)`. It is not a module, so `eval()`
# cannot reach it, and the default of `training` is `True`. Tutorials on the web often write
# `F.dropout(x, 0.5)` inside a `forward`. What does it cost?
#
# We train a network with *your* layer on the digits, once for each of five seeds. Then we put the
# same weights into a network that uses `F.dropout`, once with `training=self.training` and once
# without, call `eval()`, and ask for the test images twice.

# %%
with uses_your_code():
    networks = [experiments.trained(MyDropout, seed) for seed in SEEDS]
    flags = [
        experiments.forgotten_flag(model, data, seed)
        for seed, (model, data) in zip(SEEDS, networks, strict=True)
    ]
    print("after eval()        test accuracy      answers that change when asked again")
    for name in flags[0]:
        right = [100 * result[name]["accuracy"] for result in flags]
        changed = [100 * result[name]["changed"] for result in flags]
        print(
            f"{name:<18}  {np.mean(right):.1f} % ± {np.std(right, ddof=1):.1f}"
            f"       {np.mean(changed):.1f} % ± {np.std(changed, ddof=1):.1f}"
        )

# %% [markdown]
# **What we saw.** (Five seeds; ± is the standard deviation over seeds.) Nothing crashes and nothing
# warns. But without the flag the accuracy is 2 to 3 points lower on average, and for about 7 percent of
# the test images the network changes its mind when it is asked a second time. With the flag it
# never does.
#
# ## Does it help? Labels that lie
#
# Dropout is a cure for learning by heart. So we make a task where learning by heart hurts: we draw
# 30 percent of the training labels anew at random. About 27 percent are wrong then, since some draws
# hit the right class. The test labels stay clean.
#
# Two networks are compared: with your dropout at $p = 0.5$ after each of two hidden layers of 256
# units, and with $p = 0$. All else is equal: images, labels, initial weights, order of the batches,
# 30 epochs of SGD with learning rate 0.05 and momentum 0.9. To try another dataset, add
# `name="fashion_mnist"` to the calls.

# %%
with uses_your_code():
    histories = {p: experiments.with_wrong_labels(MyDropout, p) for p in (0.0, 0.5)}
    figure, panels = new_figure(columns=2, width=9.5, height=3.8)
    for panel, part, title in (
        (panels[0], "test_accuracy", "test images, right labels"),
        (panels[1], "train_accuracy", "training images, 27 % wrong labels"),
    ):
        for index, (p, runs) in enumerate(histories.items()):
            epochs = range(1, len(runs[0][part]) + 1)
            values = [[100 * value for value in run[part]] for run in runs]
            plot_mean_and_spread(panel, epochs, values, f"p = {p}", index)
        panel.set(xlabel="epoch", ylabel="accuracy (%)", ylim=(50, 100), title=title)
    panels[1].axhline(73, color="black", linewidth=1, linestyle=":", label="labels that are right")
    panels[0].legend(loc="lower right")
    panels[1].legend(loc="lower right")
    show_figure(
        figure,
        "Accuracy by epoch with and without dropout, on test images on the left and on training "
        "images on the right. Without dropout the test accuracy rises to 95 percent, then falls "
        "below 80, while the training accuracy rises above 90. With dropout the test accuracy "
        "stays near 93 percent and the training accuracy near 74 percent.",
    )
    for p, runs in histories.items():
        last = [100 * run["test_accuracy"][-1] for run in runs]
        best = [100 * max(run["test_accuracy"]) for run in runs]
        print(
            f"p = {p}: last epoch {np.mean(last):.1f} % ± {np.std(last, ddof=1):.1f}, "
            f"best epoch {np.mean(best):.1f} % ± {np.std(best, ddof=1):.1f}"
        )

# %% [markdown]
# **What we saw.** Lines are means of five seeds, bands go from the smallest to the largest.
#
# - After 30 epochs dropout has lifted the test accuracy from about 78 to about 93 percent, by more
#   than 8 points in every seed.
# - Without dropout the network goes on to learn the wrong labels: it agrees with about 92 percent of
#   the training labels. With dropout it agrees with about 74 percent, which is close to the share
#   of labels that are right.
# - Be fair: in its best epoch the network *without* dropout was as good (about 95 percent). It
#   first learned what is common and only later the exceptions. Stopping at the right moment would
#   have helped as much. We read this best epoch off the *test* curve, and only to describe the
#   picture. To choose an epoch one needs a validation set (lesson 07). Here dropout needed none.
#
# ### Would a smaller network do?
#
# Dropout at $p = 0.5$ leaves half of the units in each step. So why not take fewer units from the
# start? We train networks of 128, 64 and 16 units in each hidden layer on the same wrong labels,
# without dropout. All else is as above.

# %%
with uses_your_code():
    MyDropout(0.5)(torch.zeros(1, 1))  # the runs above need it
    last = {p: [run["test_accuracy"][-1] for run in runs] for p, runs in histories.items()}
    rows = {"256, p = 0.5": last[0.5], "256, p = 0": last[0.0]}
    rows |= {f"{hidden}, p = 0": experiments.smaller(hidden) for hidden in (128, 64, 16)}
    print("units in a layer   test accuracy")
    for label, values in rows.items():
        percent = 100 * np.array(values)
        print(f"{label:<18} {percent.mean():.1f} % ± {percent.std(ddof=1):.1f}")

# %% [markdown]
# **What we saw.** A smaller network does learn fewer of the wrong labels. On average over five seeds,
# 128 units reach 76 to 83 percent, hardly more than 256 units, and 16 units reach 84 to 90 percent. But
# in every seed 256 units with dropout are better than each of the smaller networks, by at least 1 point.
#
# ### Would a vote of five networks do?
#
# An **ensemble** is a group of networks that are trained separately and asked together: the
# probabilities that they give to each class are averaged. Dropout is said to be a cheap ensemble. Here
# is a real one: five networks of 256 units without dropout, with the same wrong labels, different
# initial weights and different batches. It costs five trainings, so the cell shows only the first of
# our five draws of wrong labels.

# %%
with uses_your_code():
    MyDropout(0.5)(torch.zeros(1, 1))  # the runs above need it
    alone, together = experiments.ensemble(labels=0)
    print(f"one network, mean of five: {100 * np.mean(alone):.1f} %")
    print(f"five networks together:    {100 * together:.1f} %")
    print(f"one network with dropout:  {100 * last[0.5][0]:.1f} %")

# %% [markdown]
# **What we saw.** Over five draws of the labels, one network reaches 77 to 82 percent on average, the
# five together 83 to 88 percent, and one network with dropout 91 to 96 percent. In each draw the
# ensemble is better than its members are on average, and dropout is better than the ensemble. Averaging
# removes only the mistakes in which the members differ, and all five have learned the same wrong labels.
#
# ## Where it hurts
#
# Dropout is not always good. It adds noise to the training, and it makes the network smaller: at
# $p = 0.5$ only half of the units work at a time. We train on 100 clean digits for 60 epochs, with a
# wide network (256 units in each hidden layer) and with a narrow one (16 units). Again all else is
# equal.

# %%
with uses_your_code():
    little = {
        hidden: {p: experiments.with_little_data(MyDropout, p, hidden) for p in (0.0, 0.5)}
        for hidden in (256, 16)
    }
    figure, axes = new_figure(width=6.5)
    print("units in a layer p = 0              p = 0.5")
    for x, (hidden, results) in enumerate(little.items()):
        percent = {p: [100 * value for value in values] for p, values in results.items()}
        for index, (p, values) in enumerate(percent.items()):
            place = x + 0.24 * index - 0.12
            color = line_style(index)["color"]
            label = f"p = {p}" if x == 0 else None
            axes.plot([place] * 5, values, "os"[index], color=color, alpha=0.5, label=label)
            axes.plot([place - 0.08, place + 0.08], [np.mean(values)] * 2, color=color)
        text = [f"{np.mean(v):.1f} % ± {np.std(v, ddof=1):.1f}" for v in percent.values()]
        print(f"{hidden:>6}           {text[0]}      {text[1]}")
    axes.set(
        xticks=[0, 1],
        xlim=(-0.5, 1.5),
        xlabel="units in each hidden layer",
        ylabel="test accuracy (%)",
        title="100 clean training images",
    )
    axes.set_xticklabels(["256", "16"])
    axes.legend(loc="lower left")
    show_figure(
        figure,
        "Test accuracy after training on 100 clean digits, five seeds each, the mean as a bar. "
        "With 256 units the two are nearly equal; with 16 units p = 0.5 is clearly lower.",
    )

# %% [markdown]
# **What we saw.** With 16 units dropout costs accuracy in every seed, 6 to 16 points on average. With
# 256 units it neither helps nor hurts by more than 3 points on average. The labels are right, so there
# is little that must not be learned by heart.
#
# Is half of 16 units too little, then? Two more measurements, which the cell leaves out to save time,
# say: not quite. Trained for 300 epochs instead of 60, 16 units lose only 4 to 11 points by dropout. So
# a part of the loss comes from training that was too short for so much noise. And with $p = 0.1$
# instead, after 60 epochs, they lose less than 2 points on average. It is this large $p$ that hurts
# them, not dropout as such.
#
# The rule to take home: dropout helps when a network is **large for its task and learns things that
# are not true of new data**. Otherwise measure, on validation data, before you use it.
#
# ### Which $p$ do people use?
#
# Usual first choices are $p = 0.5$ after linear layers (also called dense layers), as in our network,
# and about 0.1 to 0.2 after convolutions, the layers for images that lesson 09 explains. These are
# habits and not laws. Many modern networks for images leave dropout out: the residual network, which
# lesson 09 builds, was published with batch normalisation (lesson 06) and without dropout (He and
# others, see the sources).
#
# ### A demo
#
# Draw other thinned networks, and move $p$.

# %%
dropout_demo()

# %% [markdown]
# ## Many networks, one prediction
#
# With dropout left *on* at test time, each forward pass is the prediction of another thinned
# network. Where they agree, the network is sure. Where they contradict each other, it is not.
# This is **Monte-Carlo dropout**. For an image $x$ let $q_s$ be the class probabilities of pass $s$, of
# $S$ passes: the *softmax* of the logits, that is, their exponentials divided by the sum of these
# exponentials, one number for each class. The results are, for each class,
#
# $$ \bar q = \frac{1}{S} \sum_{s=1}^{S} q_s , \qquad
# \sigma = \sqrt{\frac{1}{S - 1} \sum_{s=1}^{S} (q_s - \bar q)^2} . $$
#
# Here $\sigma$ is a standard deviation, as it is in lesson 06.
#
# Only the dropout layers are in training mode. Everything else is in evaluation mode; a BatchNorm
# layer in training mode (lesson 06), for example, would change what it has stored.
#
# A good function leaves no traces. It finds every module in some mode and leaves it in that
# mode, one by one, also when something goes wrong on the way.
#
# ### TODO 5.4
#
# Write Monte-Carlo dropout for any classifier.
#
# <details><summary>Hint 1: in which order</summary>
#
# Remember the mode of each module; `model.eval()`; switch the dropout layers on; run the passes
# without gradients; put each mode back; compute mean and standard deviation.
# </details>
#
# <details><summary>Hint 2: which modules, and how to switch one</summary>
#
# `model.modules()` walks through all modules at any depth. `"Dropout" in type(module).__name__`
# asks for the name of the class. `module.training = True` switches this one module and nothing
# inside it.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# modes = [(module, module.training) for module in model.modules()]
# try:
#     ...
#     with torch.no_grad():
#         samples = torch.stack([torch.softmax(model(x), dim=1) for _ in range(n_samples)])
# finally:
#     for module, training in modes:
#         module.training = training
# ```
#
# `samples` has the shape (n_samples, batch, classes).
# </details>


# %% todo="5.4"
# TODO 5.4: complete this function.
def mc_dropout_predict(model, x, n_samples):
    """Mean and standard deviation of class probabilities over passes with dropout switched on.

    model: an nn.Module that gives logits of shape (batch, classes) for x.
    x: a batch of inputs; it is left unchanged.
    n_samples: number of forward passes of the whole x, at least 2.

    Returns (mean, std), each of shape (batch, classes), without a graph; std divides by
    n_samples - 1. During the passes every module whose class name contains "Dropout", such as
    nn.Dropout and MyDropout, is in training mode, and every other one in evaluation mode.
    Afterwards each module is in the mode in which it was, also when the model raises; the error
    then reaches the caller. Parameters and buffers are left unchanged.
    """
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in modes:
            module.training = "Dropout" in type(module).__name__
        with torch.no_grad():
            samples = torch.stack([torch.softmax(model(x), dim=1) for _ in range(n_samples)])
    finally:
        for module, training in modes:
            module.training = training
    return samples.mean(dim=0), samples.std(dim=0)
    ### END SOLUTION


# %% check="check_mc_dropout"
check_mc_dropout(mc_dropout_predict)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch has no function for this. But for one linear layer with dropout on its inputs we can list
# all masks, and compute the mean exactly: with 3 inputs there are $2^3 = 8$ masks, and at $p = 0.5$
# all are equally likely.

# %%
with uses_your_code():
    with seeded(0):
        model = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 2))
        x = torch.tensor([[1.0, -1.0, 2.0]])
        mean, std = mc_dropout_predict(model, x, 4000)
    masks = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)  # (8, 3)
    with torch.no_grad():
        exact = torch.softmax(model[1](2 * masks * x), dim=1)  # (8, 2)
    print("yours, 4,000 samples: mean", mean[0].numpy().round(2), " std", std[0].numpy().round(2))
    spread = exact.std(0, correction=0).numpy().round(2)
    print("all 8 masks:          mean", exact.mean(0).numpy().round(2), " std", spread)

# %% [markdown]
# ### An experiment: digits and noise
#
# The five networks above were trained on digits. We show them the test digits, and then images of
# pure noise with the same mean and the same standard deviation. A network has no way to say "this
# is no digit": it must name one. How sure is it? We take 30 samples.
#
# To be less sure of noise is no merit when the network is less sure of everything. So we also ask
# how well the two kinds can be told apart. Take one digit and one image of noise at random: how
# probable is it that the network is surer of the digit? This probability is called the **AUROC**. It
# is 1 if every digit beats every image of noise, and one half for pure guessing.

# %%
with uses_your_code():
    networks = [experiments.trained(MyDropout, seed) for seed in SEEDS]  # the same as above
    sure = [
        experiments.sureness(mc_dropout_predict, model, data, seed=seed)
        for seed, (model, data) in zip(SEEDS, networks, strict=True)
    ]
    figure, panels = new_figure(columns=2, width=9.5)
    for panel, what, label in (
        (panels[0], "probability", "probability of the likeliest class"),
        (panels[1], "spread", "its standard deviation over samples"),
    ):
        for index, (name, hatch) in enumerate((("digits", ""), ("noise", "//"))):
            values = torch.cat([result[name][what] for result in sure]).cpu().numpy()
            panel.hist(
                values, 25, color=line_style(index)["color"], alpha=0.6, hatch=hatch, label=name
            )
        panel.set(xlabel=label, ylabel="images, of 5 × 397")
    panels[0].legend(loc="upper left")
    show_figure(
        figure,
        "Histograms for test digits and for noise. For digits the probability of the likeliest "
        "class is mostly near 1 and its standard deviation near 0; for noise the probability is "
        "spread from 0.3 to 1 and the standard deviation is mostly between 0.2 and 0.4.",
    )
    print("probability of the likeliest class, mean over images, ± over five seeds")
    for name in ("digits", "noise"):
        for what in ("one pass", "probability"):
            means = [result[name][what].mean().item() for result in sure]
            way = "eval(), one pass" if what == "one pass" else "Monte-Carlo dropout"
            print(f"{name:<7} {way:<20} {np.mean(means):.2f} ± {np.std(means, ddof=1):.2f}")
    print("AUROC of digits against noise, ± over five seeds")
    for what, sign, way in (
        ("one pass", 1, "eval(), one pass"),
        ("probability", 1, "Monte-Carlo dropout, probability"),
        ("spread", -1, "Monte-Carlo dropout, standard deviation"),
    ):
        values = [
            experiments.auroc(sign * result["digits"][what], sign * result["noise"][what])
            for result in sure
        ]
        print(f"{way:<40} {np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}")

# %% [markdown]
# **What we saw.** From a single pass to Monte-Carlo dropout the probability of the likeliest class
# falls from about 0.79 to about 0.61 for noise. But it falls for digits too, from about 0.97 to about
# 0.93. A part of the change is that the network is less sure of everything.
#
# The honest measure is the AUROC. It rises from about 0.89 with one pass to about 0.92 with Monte-Carlo
# dropout, in every seed, and it is about as high if we judge by the standard deviation alone. That is a
# real gain and a small one, for 30 passes instead of one. It does not make the network a detector of
# noise: 0.61 is still far more than the 0.10 of pure guessing.
#
# ## One question to think about
#
# A friend says: "Dropout throws half of the network away. That the rest still works shows that the
# network was too large. Take a network of half the size and leave dropout out; you get the same."
#
# **Why does dropout regularise? Is the friend right: what did we measure, and why? Why are training and
# test treated differently, and what exactly makes the two fit together?**

# %% [markdown] question="why-dropout"
# **Model answer.** Dropout trains, in each step, another thinned network out of exponentially many,
# all of which share their weights. A unit cannot rely on particular other units being present
# (co-adaptation), so it has to compute something that is useful by itself. One can also see dropout as
# noise by which the hidden units are multiplied: the loss, averaged over masks, punishes solutions
# that depend strongly on single units, for a linear model much like a weight decay adapted to the
# data. The friend is wrong. With wrong labels 128 units without dropout reached about 80 percent, and
# 256 units with dropout about 93. Even 16 units, the best of the smaller networks, stayed at about 87.
# The reason: a network of half the size is *one* network whose units can co-adapt as they like. With
# dropout, all units are trained and all are used at test time, roughly as the average of very many
# networks. The friend is right in one point: a smaller network learns less by heart. In training we want the noise. At test time we want one answer, always the same, that uses
# everything learned, so nothing is dropped. The two fit because of the factor 1/(1 − p): for each
# entry the mean over masks equals its value at test time, so the next layer receives sums of the
# same size. (This is exact for one linear layer, and an approximation through non-linearities.)
#
# **Rubric (4 points).**
#
# - 1 point: names a mechanism of regularisation: no co-adaptation, an average over thinned networks
#   with shared weights, or noise that acts as a penalty.
# - 1 point: answers the friend with the measurement (128 units without dropout are far worse than 256
#   with it, and 64 and 16 are worse too) and a reason: many networks against one, all units used at test
#   time.
# - 1 point: says why nothing is dropped at test time: a fixed answer, all that was learned.
# - 1 point: gives the factor 1/(1 − p) and why: the mean of each entry stays the same.

# %% [markdown]
# ## Summary
#
# Dropout sets each entry to 0 with probability $p$ in training and divides the others by $1 - p$, so
# that the mean stays what it is at test time, when nothing is dropped. It helps a large network that
# would learn things by heart, as with wrong labels, and it can hurt a small one. Left on at test
# time on purpose, it shows how much the thinned networks agree.
#
# **Common mistakes**
#
# - Keeping with probability $p$; at $p = 0.5$ this mistake cannot be seen.
# - Not rescaling, or rescaling by $p$, or in evaluation only.
# - One mask for the whole batch.
# - `F.dropout(x, p)` without `training=self.training`; taking `no_grad()` for `eval()`.
# - A mask on the CPU for an input on another device.
# - Putting a whole model into training mode for Monte-Carlo dropout, and leaving it there.
#
# **Sources**
#
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, *Dropout: A Simple Way
#   to Prevent Neural Networks from Overfitting*, Journal of Machine Learning Research 15, 2014. (In
#   this paper $p$ is the probability of keeping.)
# - Y. Gal and Z. Ghahramani, *Dropout as a Bayesian Approximation: Representing Model Uncertainty in
#   Deep Learning*, ICML 2016.
# - K. He, X. Zhang, S. Ren and J. Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016.
