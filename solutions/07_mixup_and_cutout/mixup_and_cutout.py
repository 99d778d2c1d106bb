# %% [markdown]
# When you have finished this lesson you will be able to
#
# - mix pairs of images together with their labels, and say what this assumes,
# - cover a square of an image without falling over its border,
# - train on soft targets with a loss that stays right for very large logits,
# - measure whether a network is as sure as it should be,
# - stop a training in time, by a validation set and never by the test set.
#
# ## A network that learns errors by heart
#
# Lesson 05 fought label noise with dropout, inside the network. This lesson leaves the network
# alone. Three of its methods change the *data* that the network sees: the images, the labels,
# or both. The fourth changes *when we stop*.
#
# The enemy is the same. We take 1,100 handwritten digits and give 30 % of them a random label. The
# validation images come from the same careless source, so 30 % of their labels are random too.
# Only the test labels are right. A network with two hidden layers of 256 units trains for 60
# epochs with SGD (step size 0.05, momentum 0.9).

# %%
from statistics import mean

import torch
import torch.nn.functional as F

from helpers import (
    MARKERS,
    check_cutout,
    check_early_stopping,
    check_mixup,
    check_smooth_labels,
    check_soft_cross_entropy,
    line_style,
    load,
    mixup_and_cutout_demo,
    new_figure,
    plot_mean_and_spread,
    seeded,
    show_figure,
    uses_your_code,
)
from helpers.experiments import mixup_and_cutout as experiments

DATA = "digits"  # or "mnist", "fashion_mnist", "cifar10": load(DATA) below takes it
SEEDS = experiments.SEEDS
EPOCHS = range(1, experiments.EPOCHS + 1)


def percent(values):
    """The mean over seeds, and the smallest and largest value."""
    return f"{mean(values):.1%} ({min(values):.1%} to {max(values):.1%})"


# %%
plain = experiments.plain_runs(SEEDS, DATA)
print("labels of the training set given back:", percent([run.fitted for run in plain]))
print("test accuracy after the last epoch:   ", percent([run.last for run in plain]))

figure, axes = new_figure(width=7)
plot_mean_and_spread(
    axes, EPOCHS, [run.history["test_accuracy"] for run in plain], "nothing added", 0
)
axes.set(xlabel="epoch", ylabel="test accuracy", title="Good early, worse later", ylim=(0.6, 1))
axes.legend(loc="lower right")
show_figure(
    figure,
    "Test accuracy against epochs, mean and spread over five seeds. It rises to about 0.94 within "
    "ten epochs and then falls to about 0.79.",
)

# %% [markdown]
# **What we saw.** On the way, at its best epoch, the network reaches 95 % on the test images. This
# happens before epoch 15 in each of the five seeds. Then it begins to learn the wrong labels, one by
# one. At the end it gives back about 99 % of the training labels, random ones included, and its
# test accuracy is down to 79 %.
#
# ## Mix two images, and their labels alike
#
# **Mixup** (Zhang et al. 2018) never shows the network a plain image. It shows mixtures:
#
# $$ \tilde x_i = \lambda\, x_i + (1 - \lambda)\, x_{\pi(i)}, \qquad
#    \tilde y_i = \lambda\, e_{y_i} + (1 - \lambda)\, e_{y_{\pi(i)}} . $$
#
# | Symbol | Shape | Meaning |
# |---|---|---|
# | $x$ | $(N, \dots)$ | a batch of $N$ images, or vectors, or numbers |
# | $y$ | $(N,)$ | their class indices |
# | $\pi$ | $(N,)$ | a permutation: image $i$ gets the partner $\pi(i)$ |
# | $\lambda$ | a number in $[0, 1]$ | the weight of image $i$; its partner has $1 - \lambda$ |
# | $e_k$ | $(C,)$ | the one-hot row of class $k$: a 1 at position $k$, zeros elsewhere |
# | $\tilde x$, $\tilde y$ | $(N, \dots)$, $(N, C)$ | the mixed images and their targets |
#
# (This $\lambda$ is not the strength of a penalty, as in lesson 04, and $\alpha$ is not the slope of
# LeakyReLU; the letters are those of the paper.)
#
# For each batch $\pi$ is drawn anew, and $\lambda$ is drawn from a $\mathrm{Beta}(\alpha, \alpha)$
# distribution. With $\alpha = 1$ every $\lambda$ between 0 and 1 is equally likely. A large
# $\alpha$ draws $\lambda$ near ½; a small one draws it near 0 or 1, so that little is mixed.
#
# Why should this help against wrong labels? A wrong label can be learned by heart only if the network
# meets the same image again and again. With mixup it meets another mixture each time.

# %%
digits = load("digits", "cpu")
three, eight = (digits.x_train[digits.y_train == label][0, 0] for label in (3, 8))
figure, panels = new_figure(columns=5, width=9, height=2.4)
for panel, lam in zip(panels, (1.0, 0.75, 0.5, 0.25, 0.0), strict=True):
    panel.imshow((lam * three + (1 - lam) * eight).numpy(), cmap="gray_r", vmin=-1, vmax=2)
    panel.set(xticks=[], yticks=[], xlabel=f"{lam:.0%} three\n{1 - lam:.0%} eight")
    panel.set_title(f"λ = {lam:g}")
    panel.grid(False)
show_figure(
    figure,
    "Five images of 8×8 pixels. The first is a three, the last an eight, and those between are "
    "mixtures of both with the weights 0.75, 0.5 and 0.25 for the three.",
)

# %% [markdown]
# ### TODO 7.1
#
# Write `mixup`. The drawing of `lam` and `permutation` is done elsewhere: your function is given
# both, so it always gives the same result for the same arguments.
#
# <details><summary>Hint 1: the partners</summary>
#
# `x[permutation]` is a batch whose row `i` is `x[permutation[i]]`. It works for any number of
# axes.
# </details>
#
# <details><summary>Hint 2: the labels</summary>
#
# Class numbers cannot be mixed: halfway between class 2 and class 4 is not class 3. Turn `y` into
# one-hot rows first. `F.one_hot(y, num_classes)` makes them, as ints, so convert them to the dtype
# of `x`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# one_hot = F.one_hot(y, num_classes).to(x.dtype)
# x_mix = lam * x + (1 - lam) * x[permutation]
# ```
#
# and the labels in the same way.
# </details>


# %% todo="7.1"
# TODO 7.1: complete this function.
def mixup(x, y, lam, permutation, num_classes):
    """Mix every image of a batch, and its label, with a partner from the same batch.

    x: (N, ...), float32 or float64.
    y: (N,), class indices from 0 to num_classes - 1, int64.
    lam: a float from 0 to 1, the weight of x[i]; the partner has the weight 1 - lam.
    permutation: (N,), int64; the partner of x[i] is x[permutation[i]].
    num_classes: an int. A class may be missing from y.

    Returns two tensors: x_mix of the shape of x, and y_mix of shape (N, num_classes), whose rows
    sum to 1. Both have the dtype of x. The arguments are left unchanged, nothing is drawn at
    random, and gradients flow from x_mix to x. Everything in PyTorch is allowed.
    """
    ### BEGIN SOLUTION
    one_hot = F.one_hot(y, num_classes).to(x.dtype)  # (N, C)
    x_mix = lam * x + (1 - lam) * x[permutation]  # (N, ...)
    y_mix = lam * one_hot + (1 - lam) * one_hot[permutation]  # (N, C)
    return x_mix, y_mix
    ### END SOLUTION


# %% check="check_mixup"
check_mixup(mixup)

# %% [markdown]
# ### The same with PyTorch
#
# torchvision has mixup as a transform of batches, `v2.MixUp`. It draws λ itself and takes as
# partner always the image before, so its permutation is $(N-1, 0, 1, \dots, N-2)$. We let it draw,
# draw the same λ from the same seed, and compare.

# %%
from torchvision.transforms import v2

with uses_your_code():
    x, y = digits.x_train[:6], digits.y_train[:6]
    with seeded(7):
        x_theirs, y_theirs = v2.MixUp(alpha=1.0, num_classes=10)(x, y)
    with seeded(7):
        lam = float(torch.distributions.Beta(1.0, 1.0).sample())
    x_mine, y_mine = mixup(x, y, lam, torch.arange(6).roll(1), num_classes=10)
    print(f"λ = {lam:.4f}")
    print(f"largest difference of the images: {(x_mine - x_theirs).abs().max().item():.1e}")
    print(f"largest difference of the labels: {(y_mine - y_theirs).abs().max().item():.1e}")

# %% [markdown]
# ### An experiment: mixup against wrong labels
#
# The same networks as above, from the same initial weights, with the same images in the same order
# and the same number of steps; only your `mixup` stands between the batch and the network.

# %%
with uses_your_code():
    mixed = {alpha: experiments.mixup_runs(mixup, alpha, SEEDS, DATA) for alpha in (1.0, 8.0)}
    print("nothing added:", percent([run.last for run in plain]))
    for alpha, runs in mixed.items():
        print(f"mixup, α = {alpha:g}:", percent([run.last for run in runs]))

    figure, axes = new_figure(width=7)
    curves = {"nothing added": plain, "mixup, α = 1": mixed[1.0], "mixup, α = 8": mixed[8.0]}
    for i, (label, runs) in enumerate(curves.items()):
        accuracies = [run.history["test_accuracy"] for run in runs]
        plot_mean_and_spread(axes, EPOCHS, accuracies, label, i)
    axes.set(xlabel="epoch", ylabel="test accuracy", title="30 % random labels", ylim=(0.6, 1))
    axes.legend(loc="lower right")
    show_figure(
        figure,
        "Test accuracy against epochs for no mixup and mixup with α = 1 and α = 8. All three rise "
        "to about 0.94. Without mixup the curve falls to 0.79, with α = 1 to 0.88, with α = 8 it "
        "stays near 0.93.",
    )

# %% [markdown]
# **What we saw.** After 60 epochs the test accuracy is 79 % without mixup, 88 % with $\alpha = 1$
# and 93 % with $\alpha = 8$. Mixup gained in each of the five seeds, and at least 5 points on
# average for both values of $\alpha$. Here more mixing was better. That is not a law: it fits data
# with many wrong labels.
#
# **What we did not see.** Mixup does not take the wrong labels away. With $\alpha = 1$ the curve falls
# as well, later and more slowly. Mixup makes learning by heart hard, not impossible.
#
# ## Cover a square
#
# **Cutout** (DeVries and Taylor 2017) sets a square of each image to zero, around a random pixel.
# The network can then not rely on one single spot, because that spot may be missing.
#
# The images have the shape $(N, C, H, W)$; here $C$ counts channels, as in lesson 06, and not classes.
# With a centre (row $r$, column $c$) and a size $s$, the rows
# $r - \lfloor s/2 \rfloor, \dots, r - \lfloor s/2 \rfloor + s - 1$ are covered, in the columns
# counted in the same way from $c$. That is $s$ rows for odd and even $s$ alike. What lies outside
# the image is left out, so a square at the border is smaller.
#
# Two traps wait here.
#
# - Python counts negative indices from the end. `image[-1:2]` is not "the rows −1, 0 and 1".
# - The range from `r - s // 2` to `r + s // 2` has only $s - 1$ rows when $s$ is odd.
#
# Our images are standardised: the mean over all pixels is 0. So zero is *the mean grey*, and not
# the white of the paper. The authors of cutout do it in the same way.
#
# ### TODO 7.2
#
# Write `cutout`. The centres are drawn elsewhere.
#
# <details><summary>Hint 1: how to begin</summary>
#
# `result = images.clone()`, then a loop over the images and their centres. A pair from a tensor
# holds tensors: `int(row)` makes an int from either.
# </details>
#
# <details><summary>Hint 2: the border</summary>
#
# A slice may end beyond the image: Python cuts it at the border. It may not begin with a negative
# number: `max(top, 0)` helps. Compute the end before you change the beginning.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# For image `i`:
#
# ```python
# top, left = int(row) - size // 2, int(column) - size // 2
# result[i, :, max(top, 0) : top + size, ...] = 0
# ```
#
# and the columns like the rows.
# </details>


# %% todo="7.2"
# TODO 7.2: complete this function.
def cutout(images, size, centers):
    """Set a square of each image to zero.

    images: (N, C, H, W), float32 or float64.
    size: an int, at least 1: how many rows and columns a square has before it is clipped.
    centers: one (row, column) for each image, ints inside the image: a tensor (N, 2) or a list of
        N pairs.

    In image i, with (row, column) = centers[i], the square has the rows from row - size // 2 on,
    size of them, and the columns from column - size // 2 on, size of them. What lies outside
    the image is left out. The square is zero in all channels; everything else is as before.

    Returns a tensor of the shape and dtype of images. The arguments are left unchanged, nothing
    is drawn at random, and gradients flow to the pixels that are kept. Everything in PyTorch is
    allowed; torchvision's erase is not.
    """
    ### BEGIN SOLUTION
    result = images.clone()
    for i, (row, column) in enumerate(centers):
        top, left = int(row) - size // 2, int(column) - size // 2
        result[i, :, max(top, 0) : top + size, max(left, 0) : left + size] = 0
    return result
    ### END SOLUTION


# %% check="check_cutout"
check_cutout(cutout)

# %% [markdown]
# ### The same with PyTorch
#
# torchvision's `erase` fills a rectangle of one image, given by its upper left corner, height and
# width. It does not clip, so we choose squares inside. (`v2.RandomErasing` draws such rectangles.)

# %%
with uses_your_code():
    x = digits.x_train[:4]
    centers = [(2, 3), (4, 4), (5, 2), (3, 6)]
    theirs = torch.stack(
        [
            v2.functional.erase(image, i=row - 1, j=column - 1, h=3, w=3, v=torch.zeros(1))
            for image, (row, column) in zip(x, centers, strict=True)
        ]
    )
    mine = cutout(x, 3, centers)
    print(f"largest difference: {(mine - theirs).abs().max().item():.1e}")

    with_corner = cutout(x, 4, [(0, 0), (4, 4), (7, 3), (2, 7)])
    figure, panels = new_figure(rows=2, columns=4, width=7, height=3.8)
    for column in range(4):
        for row, batch in enumerate((x, with_corner)):
            panels[row][column].imshow(batch[column, 0].numpy(), cmap="gray_r", vmin=-1, vmax=2)
            panels[row][column].set(xticks=[], yticks=[])
            panels[row][column].grid(False)
    panels[0][0].set_ylabel("before")
    panels[1][0].set_ylabel("after, size 4")
    show_figure(
        figure,
        "Four digits, above as they are and below with a grey square. The squares around a corner "
        "or a pixel at the border are cut off there and are smaller.",
    )

# %% [markdown]
# ### An experiment: does cutout help on 8×8 digits?
#
# Cutout was made for larger photographs, in which an object has many parts. Our digits have 64
# pixels. We try three settings: many clean images, few clean images, and many images with noisy
# labels. In each setting all networks take the same number of steps.

# %%
with uses_your_code():
    accuracies = {
        "1,100 clean images": experiments.cutout_accuracies(
            cutout, "1,100 clean images", (0, 6), SEEDS, DATA
        ),
        "100 clean images": experiments.cutout_accuracies(
            cutout, "100 clean images", (0, 2, 4, 6), SEEDS, DATA
        ),
        "1,100 images, noisy labels": {
            0: [run.last for run in plain],  # the runs from the top of this page
            **experiments.cutout_accuracies(
                cutout, "1,100 images, noisy labels", (6,), SEEDS, DATA
            ),
        },
    }
    figure, axes = new_figure(width=7)
    for i, (setting, by_size) in enumerate(accuracies.items()):
        sizes = list(by_size)
        means = [mean(values) for values in by_size.values()]
        below = [m - min(v) for m, v in zip(means, by_size.values(), strict=True)]
        above = [max(v) - m for m, v in zip(means, by_size.values(), strict=True)]
        axes.errorbar(
            sizes,
            means,
            [below, above],
            marker=MARKERS[i],
            capsize=4,
            label=setting,
            **line_style(i),
        )
        for size, values in by_size.items():
            print(f"{setting:27s} size {size}: {percent(values)}")
    axes.set(xlabel="size of the square (pixels); 0 is no cutout", ylabel="test accuracy")
    axes.set(title="Mean and spread over five seeds", xticks=[0, 2, 4, 6], ylim=(0.7, 1.0))
    axes.legend(loc="lower right")
    show_figure(
        figure,
        "Test accuracy against the size of the square. With 1,100 clean images it stays near 0.97. "
        "With 100 clean images it is a little lower with cutout than without. With noisy labels it "
        "rises from 0.79 to 0.92.",
    )

# %% [markdown]
# **What we saw.** Honestly: on clean digits cutout does not help. With 1,100 images the accuracy is
# 97.6 % without it, and about a point lower with a 6×6 square. With 100 images it is 89 % without
# cutout, and about 2 points lower on average over the sizes 2, 4 and 6. A square in an image of
# 8×8 may cover the very stroke that makes a 3 an 8.
#
# With 30 % random labels the same 6×6 square lifts the accuracy from 79 % to 92 %. It does not show
# the network anything new about digits. It makes learning by heart harder, as mixup does. Where
# there is nothing wrong to learn by heart, this is worth nothing.
#
# ## Targets that leave room for doubt
#
# A one-hot target asks for the probability 1. A softmax never reaches it, so the logits of the right
# class are pushed up for ever. **Label smoothing** (Szegedy et al. 2016) asks for a little less:
#
# $$ \tilde y_i = (1 - \varepsilon)\, e_{y_i} + \frac{\varepsilon}{C}, $$
#
# where $\tilde y_i$ of shape $(C,)$ is the target of image $i$, $e_{y_i}$ its one-hot row, $C$ the number of
# classes and $\varepsilon$ a number in $[0, 1]$, often 0.1. The labelled class gets
# $1 - \varepsilon + \varepsilon / C$ and every other class $\varepsilon / C$. The row sums to 1.
#
# **Mind the convention.** Some texts share $\varepsilon$ among the *other* $C - 1$ classes only. PyTorch
# and this course share it among all $C$.
#
# ### TODO 7.3
#
# Write the function that makes these targets.
#
# <details><summary>Hint 1: the parts</summary>
#
# You need one-hot rows and one number that is added to every entry.
# </details>
#
# <details><summary>Hint 2: the dtype</summary>
#
# `F.one_hot` gives ints. `.float()` makes float32 of them.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `(1 - epsilon) * one_hot + ...`, where one_hot is `F.one_hot(y, num_classes).float()`. What is
# added is the share of one class.
# </details>


# %% todo="7.3"
# TODO 7.3: complete this function.
def smooth_labels(y, num_classes, epsilon):
    """Target probabilities (1 - epsilon) * one-hot + epsilon / num_classes.

    y: (N,), class indices from 0 to num_classes - 1, int64; left unchanged.
    num_classes: an int, at least 2. A class may be missing from y.
    epsilon: a float from 0 to 1; 0 gives the one-hot rows.

    Returns a float32 tensor of shape (N, num_classes); every row sums to 1. Everything in PyTorch
    is allowed.
    """
    ### BEGIN SOLUTION
    one_hot = F.one_hot(y, num_classes).float()  # (N, C)
    return (1 - epsilon) * one_hot + epsilon / num_classes
    ### END SOLUTION


# %% check="check_smooth_labels"
check_smooth_labels(smooth_labels)

# %% [markdown]
# ## A loss for soft targets
#
# Mixup and smoothing both give targets with several classes. The cross-entropy takes them as they
# are:
#
# $$ L = -\frac{1}{N} \sum_{i=1}^{N} \sum_{k=1}^{C} \tilde y_{ik} \,\log q_{ik}, \qquad
#    q_{ik} = \frac{e^{z_{ik}}}{\sum_{j} e^{z_{ij}}}, $$
#
# with the logits $z$, the targets $\tilde y$ and the class probabilities $q$ (as in lesson 05), all of
# shape $(N, C)$. With one-hot targets only one term
# of the inner sum is left, and that is the loss you know.
#
# The formula breaks when it is typed in as it stands. For $z = (1000, -1000)$ the second
# probability is $e^{-2000}$, which no floating-point number can hold: it becomes 0, its logarithm
# $-\infty$, and $0 \cdot (-\infty)$ is NaN. The cure is to take the logarithm on paper first:
#
# $$ \log q_{ik} = z_{ik} - \log \sum_j e^{z_{ij}}, \qquad
#    \log \sum_j e^{z_{ij}} = M + \log \sum_j e^{z_{ij} - M}, \quad M = \max_j z_{ij} . $$
#
# Now no exponent is larger than 0, and nothing overflows. PyTorch has this as `log_softmax`.

# %%
z = torch.tensor([[1000.0, -1000.0]])
target = torch.tensor([[1.0, 0.0]])
print("log(softmax(z)):   ", z.softmax(dim=1).log())
print("times the target:  ", target * z.softmax(dim=1).log())
print("log_softmax(z):    ", z.log_softmax(dim=1))

# %% [markdown]
# ### TODO 7.4
#
# Write the loss, with the logarithm taken on paper.
#
# <details><summary>Hint 1: which axis is which</summary>
#
# Sum over the classes, `dim=1`; then take the mean over the images.
# </details>
#
# <details><summary>Hint 2: the logarithm</summary>
#
# Use `logits.log_softmax(dim=1)`. Nothing has to be clamped or added.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `log_p = logits.log_softmax(dim=1)`; then `-(... * log_p).sum(dim=1)` is one loss for each image.
# </details>


# %% todo="7.4"
# TODO 7.4: complete this function.
def soft_cross_entropy(logits, target_probabilities):
    """Cross-entropy with probabilities as targets, averaged over the batch.

    logits: (N, C), float32 or float64; the entries may be as large as 1000 or as small as -1000.
    target_probabilities: (N, C), of the dtype of logits; entries from 0 to 1, rows sum to 1.

    Returns a 0-d tensor of the dtype of logits, connected to them, so that backward() works. The arguments are left unchanged. Not allowed: torch's own cross_entropy (function or
    module) and kl_div. Allowed: everything else, log_softmax and logsumexp too.
    """
    ### BEGIN SOLUTION
    log_p = logits.log_softmax(dim=1)  # (N, C)
    return -(target_probabilities * log_p).sum(dim=1).mean()
    ### END SOLUTION


# %% check="check_soft_cross_entropy"
check_soft_cross_entropy(soft_cross_entropy)

# %% [markdown]
# ### The same with PyTorch
#
# `F.cross_entropy` takes class indices or probabilities, and has label smoothing built in. So both
# of your functions together must give what its argument `label_smoothing` gives.

# %%
with uses_your_code():
    with seeded(0):
        logits, y = 3 * torch.randn(8, 10), torch.randint(10, (8,))
    targets = smooth_labels(y, 10, epsilon=0.1)
    print(f"yours:                             {soft_cross_entropy(logits, targets).item():.6f}")
    print(f"F.cross_entropy with your targets: {F.cross_entropy(logits, targets).item():.6f}")
    built_in = F.cross_entropy(logits, y, label_smoothing=0.1)
    print(f"F.cross_entropy, label_smoothing:  {built_in.item():.6f}")

# %% [markdown]
# ### An experiment: is the network as sure as it should be?
#
# The largest probability of a prediction is its **confidence**. Take all predictions with a
# confidence of about 0.8: if 80 % of them are right, the network is **calibrated**. If fewer are
# right it is too sure; if more are right it is too modest.
#
# The **expected calibration error** (Naeini et al. 2015) sums this up. Sort the $n$ test predictions
# into ten bins $B_1, \dots, B_{10}$ by confidence (0 to 0.1, 0.1 to 0.2, and so on). Then
#
# $$ \mathrm{ECE} = \sum_{b=1}^{10} \frac{|B_b|}{n} \,
#    \bigl|\,\mathrm{acc}(B_b) - \mathrm{conf}(B_b)\,\bigr|, $$
#
# where $|B_b|$ is the number of predictions in a bin, $\mathrm{acc}$ the share of them that are right
# and $\mathrm{conf}$ their mean confidence. 0 is perfect. With our 397 test images even a perfectly
# calibrated network would show a small error, by chance alone.
#
# We train on 300 images for 60 epochs, once with clean and once with noisy labels, for four values of
# $\varepsilon$. $\varepsilon = 0$ is no smoothing.

# %%
EPSILONS = (0.0, 0.05, 0.1, 0.2)

with uses_your_code():
    smoothed = {
        setting: {
            epsilon: experiments.smoothing_runs(
                smooth_labels, soft_cross_entropy, setting, epsilon, SEEDS, DATA
            )
            for epsilon in EPSILONS
        }
        for setting in experiments.CALIBRATION_SETTINGS
    }
    for setting, by_epsilon in smoothed.items():
        for epsilon, runs in by_epsilon.items():
            print(
                f"{setting}, ε = {epsilon:<4g}  ECE {mean(experiments.calibration_errors(runs)):.3f}"
                f"   confidence {mean(experiments.mean_confidences(runs)):.3f}"
                f"   accuracy {mean(run.last for run in runs):.3f}"
            )

    figure, panels = new_figure(columns=2, width=12, height=4)
    for i, (setting, by_epsilon) in enumerate(smoothed.items()):
        errors = [experiments.calibration_errors(runs) for runs in by_epsilon.values()]
        by_seed = list(zip(*errors, strict=True))
        plot_mean_and_spread(panels[0], EPSILONS, by_seed, setting, i)
    panels[0].set(xlabel="smoothing ε", ylabel="expected calibration error")
    panels[0].set(title="Smoothing can help or harm", ylim=(0, None), xticks=EPSILONS)
    panels[0].legend()
    panels[1].plot([0, 1], [0, 1], color="0.5", linestyle=":", label="calibrated")
    shown = (
        ("clean labels", 0.0),
        ("clean labels", 0.1),
        ("noisy labels", 0.0),
        ("noisy labels", 0.05),
    )
    for i, (setting, epsilon) in enumerate(shown):
        runs = smoothed[setting][epsilon]
        together = experiments.reliability(
            torch.cat([run.predict() for run in runs]),
            torch.cat([run.data.y_test for run in runs]),
        )
        filled = together.share >= 0.01
        panels[1].plot(
            together.confidence[filled],
            together.accuracy[filled],
            marker=MARKERS[i],
            label=f"{setting}, ε = {epsilon:g}",
            **line_style(i),
        )
    panels[1].set(xlabel="confidence", ylabel="share of right predictions", xlim=(0.2, 1))
    panels[1].set(title="Below the dotted line: too sure", ylim=(0.2, 1.02))
    panels[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    show_figure(
        figure,
        "Left: the calibration error against ε. With clean labels it rises from 0.03 to 0.24; "
        "with noisy labels it falls from 0.15 to 0.05 at ε = 0.05 and rises again to 0.16. Right: "
        "share of right predictions against confidence. Without smoothing and with noisy labels "
        "the line lies below the diagonal, with clean labels and smoothing far above it.",
    )

# %% [markdown]
# **What we saw.** Smoothing makes a network more modest, whether it needs that or not.
#
# - **Noisy labels.** Without smoothing the network is too sure: its ECE is about 0.15. With
#   $\varepsilon = 0.05$ it falls to about 0.05, and it falls in each of the five seeds. With
#   $\varepsilon = 0.2$ it is back at about 0.16, now from being too modest.
# - **Clean labels.** Without smoothing the network is nearly calibrated: ECE about 0.025. With
#   $\varepsilon = 0.1$ the ECE is about 0.15, because the network is right in 96 % of the cases and
#   says 82 %. With $\varepsilon = 0.2$ the ECE is about 0.24. At the same time the accuracy *rises*
#   by about one point at $\varepsilon = 0.1$. Accuracy and calibration are two different things.
#
# Müller et al. (2019) report that smoothing improves calibration. Their networks, large ones
# trained for a long time, were too sure to begin with. So measure first, then smooth.
#
# ## Stop in time
#
# The first figure of this page shows a cure that costs nothing: stop near the peak. But that figure
# shows the *test* accuracy. Whoever picks the epoch by it has used the test set for a choice, and
# its number is then no longer an honest estimate for new images. So a third part of the data, the
# validation set of lesson 04, decides. The test set is used once, at the very end.
#
# The validation loss goes up and down from epoch to epoch, so one bad epoch means little. The usual
# rule has a **patience** $P$: stop after $P$ epochs in a row in which the loss did not improve.
# A value *improves* when it is smaller than the best one so far by more than `min_delta`:
#
# $$ \text{value} < \text{best} - \text{min\_delta} . $$
#
# Only then does it become the new `best`, and the count starts again at 0. NaN, the result of a training
# that has blown up, never improves. (Every comparison with NaN is false.)
#
# For `patience=2` and `min_delta=0`:
#
# | Step | 1 | 2 | 3 | 4 | 5 |
# |---|---|---|---|---|---|
# | value | 0.9 | 0.7 | 0.8 | 0.6 | 0.6 |
# | improves | yes | yes | no | yes | no |
# | count | 0 | 0 | 1 | 0 | 1 |
# | `step` returns | False | False | False | False | False |
#
# A sixth value of 0.6 or more would be the second in a row, and `step` would return True.
#
# ### TODO 7.5
#
# Write the class that counts like this.
#
# <details><summary>Hint 1: what to remember</summary>
#
# Four things: `patience`, `min_delta`, the best value so far, and a count. Before the first step
# the best value is `float("inf")`, so that any number is better.
# </details>
#
# <details><summary>Hint 2: two cases</summary>
#
# Ask whether the value improves, with `<`. If so, store it and set the count to 0; else, also for
# NaN, add 1 to the count. Do not ask the opposite question with `>=`: for NaN both are false.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# if value < self.best - self.min_delta:
#     self.best, self.count = value, 0
# else:
#     ...
# return self.count >= self.patience
# ```
# </details>


# %% todo="7.5"
# TODO 7.5: complete this class.
class EarlyStopping:
    """Says when a training should stop. Smaller values are better, as for a loss.

    patience: an int, at least 1: how many steps in a row without improvement are too many.
    min_delta: a number, 0 or more: a value improves when value < best - min_delta.
    best: the last value that improved; infinity before there was one.
    """

    def __init__(self, patience, min_delta=0.0):
        ### BEGIN SOLUTION
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.count = 0
        ### END SOLUTION

    def step(self, value):
        """Take the next value, a float, possibly NaN; return a bool.

        True at the patience-th step in a row without improvement, False before. Training stops
        there, so what it returns afterwards does not matter. NaN is a step without improvement.
        """
        ### BEGIN SOLUTION
        if value < self.best - self.min_delta:
            self.best, self.count = value, 0
        else:
            self.count += 1
        return self.count >= self.patience
        ### END SOLUTION


# %% check="check_early_stopping"
check_early_stopping(EarlyStopping)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch has no class for early stopping, but `ReduceLROnPlateau` counts in the same way: it lowers
# the step size when the values stop improving. Its patience is the number of bad steps that it
# *tolerates*, one less than ours. So it must first lower the step size at the step at which you
# first say True.

# %%
with uses_your_code():
    values = [0.9, 0.7, 0.72, 0.69, 0.5, float("nan"), 0.49, 0.495, 0.51, 0.3]
    stopper = EarlyStopping(patience=3, min_delta=0.05)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, patience=3 - 1, threshold=0.05, threshold_mode="abs"
    )
    mine, theirs = [], []
    for value in values:
        mine.append(stopper.step(value))
        plateau.step(value)
        theirs.append(optimizer.param_groups[0]["lr"] < 1.0)
    print("yours says True first at step", mine.index(True) + 1)
    print("PyTorch lowers the rate at step", theirs.index(True) + 1)

# %% [markdown]
# ### An experiment: early stopping against the test curve
#
# We replay the five runs from the top of this page. Your `EarlyStopping` sees their validation
# losses, with noisy labels, and nothing else. We keep the weights of the epoch with the best
# validation loss and compare three test accuracies: of these weights, of the last epoch, and of the
# peak of the test curve.

# %%
with uses_your_code():
    stops = experiments.stop_early(lambda: EarlyStopping(patience=5), plain)
    print("epochs at which it stopped:     ", [stop.epoch for stop in stops])
    print("epochs whose weights are kept:  ", [stop.best_epoch for stop in stops])
    print("test accuracy, kept weights:    ", percent([stop.kept for stop in stops]))
    print("test accuracy, last epoch:      ", percent([stop.last for stop in stops]))
    print("peak of the test curve:         ", percent([stop.peak for stop in stops]))

    figure, panels = new_figure(columns=2, width=10)
    for panel, name, label in (
        (panels[0], "val_loss", "validation loss (cross-entropy)"),
        (panels[1], "test_accuracy", "test accuracy"),
    ):
        plot_mean_and_spread(panel, EPOCHS, [run.history[name] for run in plain], "all seeds", 0)
        kept = [run.history[name][s.best_epoch - 1] for run, s in zip(plain, stops, strict=True)]
        epochs = [stop.best_epoch for stop in stops]
        panel.plot(epochs, kept, "D", color="#D55E00", label="kept, one mark per seed")
        panel.set(xlabel="epoch", ylabel=label)
        panel.legend()
    panels[0].set(title="What early stopping sees", ylim=(0, None))
    panels[1].set(title="What it gets", ylim=(0.6, 1))
    show_figure(
        figure,
        "Left: the validation loss falls until about epoch 6 and rises afterwards. Right: the test "
        "accuracy peaks at about the same epochs. The kept epochs lie at the bottom of the left "
        "curve and near the peak of the right one.",
    )

# %% [markdown]
# In a real training the object ends the loop itself. A copy of the weights is made at each
# improvement, and put back at the end.

# %%
with uses_your_code():
    live = experiments.train_until_stopped(EarlyStopping(patience=5), seed=SEEDS[0], name=DATA)
    trained = len(live.history["val_loss"])
    print(f"trained {trained} epochs instead of {experiments.EPOCHS}")
    print(f"test accuracy with the best weights put back: {live.last:.1%}")

# %% [markdown]
# **What we saw.** Early stopping keeps weights with a test accuracy of 92 %, where the last epoch has
# 79 %. It is better than the last epoch in each of the five seeds, and it always stopped before
# epoch 25 of 60, so it saves time as well. The validation labels were as noisy as the training
# labels, and it worked all the same: a wrong label cannot be guessed, so learning by heart lowers the
# training loss only.
#
# The peak of the test curve is higher, 95 %. That is not a better method. It is the highest of 60
# values, picked *because* it is the highest, on the very images that judge it. This is how choosing
# on the test set flatters.
#
# Compare with mixup: its 93 % at the end needed no rule for stopping. Early stopping needed 300
# labelled images that we could not train on. But α = 8 has to be found somehow too, and an honest
# search needs a validation set as well.
#
# ### A demo
#
# Mix two digits, and cover one of them.

# %%
mixup_and_cutout_demo()

# %% [markdown]
# ## One question to think about
#
# A classmate says: "Mixup, cutout and label smoothing are the same thing as weight decay. They all
# make the training loss worse."
#
# **In what sense are changed data a regulariser, and what does each of the three assume about the
# world? Name one data set or task for which the assumption of mixup is wrong, and say what would
# happen there.**

# %% [markdown] question="data-as-regulariser"
# **Model answer.** Regularisation is whatever lowers the error on new data without lowering the
# training error. Changed data do this: the network never meets the same pair of input and target
# again, so it cannot store single examples, and it is pushed towards functions that treat changed
# inputs as the change says. In this sense they resemble weight decay. But weight decay prefers small
# weights whatever the data are, while changed data carry knowledge about the task: which changes
# leave the label as it is, or change it in a known way. Cutout assumes that the label can be seen
# from any part of the image and does not change when a part is missing. Smoothing assumes that no
# label is certain and that all wrong classes are equally likely. Mixup assumes that the target
# changes along a straight line between any two examples: the mean of two inputs deserves the mean
# of their targets. That is wrong where the mean of two inputs is another valid input with a label of
# its own, or is no possible input at all. Examples: regression of y = x² (the mean of −1 and 1 is 0,
# with the target 0 and not 1); two interleaved spirals, where a point between two arms of one class
# lies on the other class; word indices or categories, which cannot be averaged. There, mixed targets
# contradict the true ones: the network is pulled towards a straight line, underfits near the
# boundary, and a large α makes it worse.
#
# **Rubric (4 points).**
#
# - 1 point: says in what sense changed data regularise: single examples cannot be learned by heart,
#   or the error on new data falls although the training loss rises.
# - 1 point: names the difference from weight decay: changed data carry knowledge of the task.
# - 1 point: states what mixup assumes (targets linear between examples), and what cutout or smoothing
#   assumes.
# - 1 point: gives an example where the assumption of mixup is wrong, with what happens there.

# %% [markdown]
# ## Summary
#
# Mixup and cutout change the images, mixup and smoothing the targets, and all of them make it harder
# to learn single examples by heart; they help where there is something wrong to learn, and on
# clean, small images they may not. Soft targets need a cross-entropy that takes probabilities, and it
# is computed from `log_softmax`, never from the logarithm of a softmax. Early stopping needs a
# validation set and a little patience, and is often the cheapest regulariser of all.
#
# **Common mistakes**
#
# - Mixing class numbers instead of one-hot rows, or mixing images and labels with different weights.
# - Negative slices in cutout, which count from the other end of the image.
# - Sharing $\varepsilon$ among $C - 1$ classes and comparing with code that shares it among $C$.
# - Expecting label smoothing to improve calibration always.
# - Choosing the epoch by the test accuracy.
#
# **Sources**
#
# - H. Zhang, M. Cisse, Y. N. Dauphin and D. Lopez-Paz, *mixup: Beyond Empirical Risk Minimization*,
#   ICLR 2018.
# - T. DeVries and G. W. Taylor, *Improved Regularization of Convolutional Neural Networks with
#   Cutout*, arXiv:1708.04552, 2017.
# - C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens and Z. Wojna, *Rethinking the Inception Architecture
#   for Computer Vision*, CVPR 2016: label smoothing.
# - R. Müller, S. Kornblith and G. Hinton, *When Does Label Smoothing Help?*, NeurIPS 2019.
# - C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, *On Calibration of Modern Neural Networks*,
#   ICML 2017: large networks are too sure, measured with the expected calibration error of M. P.
#   Naeini, G. F. Cooper and M. Hauskrecht (AAAI 2015).
# - L. Prechelt, *Early Stopping — But When?*, in *Neural Networks: Tricks of the Trade*, Springer
#   1998.
