# %% [markdown]
# When you have finished this lesson you will be able to
#
# - tell a unit that is often silent from one that is dead,
# - look inside any model with forward hooks, and leave it as you found it,
# - name three causes of dead ReLU units and find out which one you have,
# - choose the cure that fits the cause, and say why the others would not help.

# %%
import math

import torch
from torch import nn

from helpers import (
    check_dead_fraction,
    check_record_activations,
    dying_relu_demo,
    load,
    new_figure,
    plot_mean_and_spread,
    show_figure,
    uses_your_code,
)
from helpers.experiments.dying_relu import (
    BIASES,
    CAUSES,
    CURES,
    SCALES,
    SEEDS,
    SICK,
    STEP_SIZES,
    Setting,
    build,
    counter,
    cures,
    is_activation,
    look_at_units,
    sweep,
    train_on,
    trained,
    untrained,
)

data = load("digits").flat()  # or "mnist", "fashion_mnist", "cifar10"
x, y = data.x_train, data.y_train
print(f"{data.name}: {len(x)} training images, {data.num_features} numbers each")

# %% [markdown]
# ## A unit that never answers
#
# One unit of a layer takes a vector $x$ of $d$ numbers, computes a number $z$, its
# **pre-activation**, and gives $a$, its **activation**:
#
# $$ z = w \cdot x + b, \qquad a = \mathrm{ReLU}(z) = \max(z, 0), $$
#
# with a weight vector $w$ of shape $(d,)$ and a bias $b$, which is one number. Take $N$ training
# samples $x_1, \dots, x_N$. The loss $L$ reaches the weights of this unit only through its
# activations $a_1, \dots, a_N$, and by the chain rule
#
# $$ \frac{\partial L}{\partial w} = \sum_{n=1}^{N} \frac{\partial L}{\partial a_n}
# \, \mathrm{ReLU}'(z_n) \, x_n , \qquad \mathrm{ReLU}'(z) = 1 \text{ if } z > 0,
# \text{ else } 0 . $$
#
# Every sample with $z_n \le 0$ is missing from this sum. If *all* samples have $z_n \le 0$, the
# sum is empty. The gradient of $w$ and of $b$ is then exactly zero, so plain gradient descent does
# not change this unit, and it stays silent as long as its inputs stay as they are. Such a unit is
# called **dead**.
#
# The figure shows one real unit on the digits, and the same unit after its bias has fallen by 4.

# %%
UNIT = 27
model = build(Setting(), data, seed=0)
with torch.no_grad():
    z = model.linear1(x)[:, UNIT].cpu()  # (samples,)
figure, axes = new_figure(width=7.5, height=3.6)
edges = torch.linspace(-6, 4, 51).tolist()
axes.hist(z.tolist(), edges, color="#0072B2", alpha=0.8, label="alive: some $z_n$ are positive")
axes.hist(
    (z - 4).tolist(),
    edges,
    color="#D55E00",
    alpha=0.6,
    hatch="//",
    edgecolor="white",
    label="dead: none is",
)
line = torch.linspace(-6, 4, 101)
axes.plot(line, 40 * line.clamp(min=0), color="black", label="ReLU (not to scale)")
axes.axvline(0, color="black", linewidth=1, linestyle=":")
axes.set(xlabel="pre-activation $z_n$", ylabel="number of images", ylim=(0, 290))
axes.legend(loc="upper left")
show_figure(
    figure,
    "Two histograms of the pre-activations of one unit over all training images. One lies on both "
    "sides of zero. The other, four to the left, lies wholly below zero, where ReLU is flat.",
)

# %% [markdown]
# How does a unit get there? One step of gradient descent with the step size $\eta$ (lesson 02) on a sample $x_m$
# changes the pre-activation of another sample $x_n$ by
#
# $$ \Delta z_n = -\eta \, \frac{\partial L}{\partial z_m} \, (x_m \cdot x_n + 1) . $$
#
# In all layers but the first, the inputs $x$ are themselves outputs of ReLU, so no entry is
# negative, and $x_m \cdot x_n \ge 0$. **One step on one sample therefore moves the pre-activations of
# all samples in the same direction.** If the step is large and the direction is down, all of them
# may land below zero together.
#
# ## A zero is not a death
#
# A ReLU gives many zeros, and that is its work: a unit that answers to some images and is silent for
# the others tells them apart. So there are two different numbers, and they are often confused:
#
# - the **zero rate**, the share of zeros among all activations,
# - the **dead fraction**, the share of units that are zero for *every* sample.
#
# With 3 samples (rows) and 4 units (columns):
#
# | | unit 0 | unit 1 | unit 2 | unit 3 |
# |---|---|---|---|---|
# | sample 0 | 0 | 2.0 | 0 | 0.3 |
# | sample 1 | 0 | 0 | 1.1 | 0 |
# | sample 2 | 0 | 0 | 0 | 0.7 |
#
# Eight of twelve entries are zero: the zero rate is 0.67. Only unit 0 is dead: the dead fraction is
# 0.25.
#
# ### TODO 3.1
#
# Write both functions.
#
# <details><summary>Hint 1: where to begin</summary>
#
# `activations == 0` is a tensor of truth values with the same shape. The mean of truth values,
# as numbers, is a share.
# </details>
#
# <details><summary>Hint 2: which axis</summary>
#
# `activations` has the shape `(samples, units)`. A unit is a column, so you ask a question *along*
# the samples, which are axis 0. `mask.all(dim=0)` gives one truth value for each column.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `mask.float().mean()` is the share of True in `mask`, as a 0-d tensor; `.item()` makes a Python
# number of it. Take `activations == 0` as the mask in the first function, and in the second one
# what is left of it after `.all(dim=0)`.
# </details>


# %% todo="3.1"
# TODO 3.1: complete these two functions.
def zero_rate(activations):
    """The share of entries that are exactly zero, as a float between 0 and 1.

    activations: tensor (samples, units) with at least one of each; it is left unchanged.
    """
    ### BEGIN SOLUTION
    return (activations == 0).double().mean().item()
    ### END SOLUTION


def dead_fraction(activations):
    """The share of units that are exactly zero for every sample, as a float between 0 and 1.

    activations: tensor (samples, units) with at least one of each; it is left unchanged.
    Negative values are not zero.
    """
    ### BEGIN SOLUTION
    dead = (activations == 0).all(dim=0)  # (units,)
    return dead.double().mean().item()
    ### END SOLUTION


# %% check="check_dead_fraction"
check_dead_fraction(zero_rate, dead_fraction)

# %% [markdown]
# ## Looking inside with hooks
#
# To count dead units we need the outputs of layers *inside* a model. We do not want to rewrite the
# model for that. PyTorch has **forward hooks**: functions that a module calls each time it has
# computed its output.
#
# ```python
# def hook(module, inputs, output):  # inputs is a tuple
#     print(output.shape)
#
# handle = model.linear1.register_forward_hook(hook)
# model(x)          # the hook runs
# handle.remove()   # from now on it does not
# ```
#
# Four things go wrong again and again:
#
# 1. **The output is not yours.** A later layer may work in place and write into it, and it carries a
#    graph. Keep a detached copy.
# 2. **Hooks stay.** A hook that is not removed runs at every later pass and keeps memory. Remove it
#    also when the model raises an error, or it stays for the rest of the session.
# 3. **A loop variable is read late.** A function made in a loop reads the variable when it *runs*,
#    and then the loop has ended. Make the hook in a function of its own that takes the name.
# 4. **The mode is changed.** Some layers (dropout in lesson 05, batch normalisation in lesson 06)
#    behave differently in training and in evaluation. Whoever measures does not choose: leave the mode
#    as it is. (In training mode the pass that you record still changes what batch normalisation
#    remembers; who wants to leave no trace calls `model.eval()` before, and `train()` after.)
#
# ### TODO 3.2
#
# Record the outputs of all activation modules. What counts as one is decided by
# `is_activation(module)`, imported above: PyTorch's own activations, that is, modules of a class
# from `torch.nn.modules.activation` or of a class derived from one, and those of this course, which
# have a method `derivative`.
#
# <details><summary>Hint 1: the plan</summary>
#
# Walk through `model.named_modules()`, which gives `(name, module)` at every depth and each module
# once. Register a hook on each activation and keep the handles in a list. Call the model once. Remove
# the handles.
# </details>
#
# <details><summary>Hint 2: a hook that knows its name</summary>
#
# ```python
# def remember(name):
#     def hook(module, inputs, output):
#         ...  # write a detached copy of output to recorded[name]
#     return hook
# ```
#
# Register `remember(name)`. A module that is called twice runs its hook twice; the second call
# simply overwrites the entry.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# try:
#     ...  # one forward pass
# finally:
#     ...  # for each handle: remove it
# ```
#
# The code in `finally` runs in any case, and an error goes on to the caller afterwards. The copy
# is `output.detach().clone()`.
# </details>


# %% todo="3.2"
# TODO 3.2: complete this function.
def record_activations(model, x):
    """The outputs of every activation module of a model, by name: a dict from str to tensor.

    model: any nn.Module. It runs exactly once, on x, in the mode in which it is (also where its
        parts are in different modes).
    x: what the model takes; it is left unchanged.

    Which modules: those for which is_activation(module) is true, at any depth.
    Names: those of model.named_modules(). A module that is used in two places has one entry, under
        its first name; one that the pass does not use has none.
    Tensors: detached copies in the shape and dtype of the output; nothing that happens
        later changes them. Of a module that is called more than once the last call counts.
    Hooks: yours are removed afterwards, also when the model raises; that error reaches the caller.
        Hooks of others are left alone.
    """
    ### BEGIN SOLUTION
    recorded = {}

    def remember(name):
        def hook(module, inputs, output):
            recorded[name] = output.detach().clone()

        return hook

    handles = [
        module.register_forward_hook(remember(name))
        for name, module in model.named_modules()
        if is_activation(module)
    ]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return recorded
    ### END SOLUTION


# %% check="check_record_activations"
check_record_activations(record_activations)

# %% [markdown]
# ### The same with PyTorch
#
# torchvision can rewrite a model so that it returns what is inside. It needs the names beforehand
# and a model whose code it can read; hooks work on any model. Both give the same numbers.

# %%
from torchvision.models.feature_extraction import create_feature_extractor

with uses_your_code():
    model = build(Setting(), data, seed=0)
    mine = record_activations(model, x)
    extractor = create_feature_extractor(model, return_nodes=["activation1", "activation2"])
    theirs = extractor(x)
    for name, outputs in mine.items():
        distance = (outputs - theirs[name]).abs().max().item()
        print(f"{name}: shape {tuple(outputs.shape)}, largest difference {distance:.1g}")
        print(f"  zero rate: yours {zero_rate(outputs):.4f}, ", end="")
        print(f"torch.count_nonzero {1 - outputs.count_nonzero().item() / outputs.numel():.4f}")

# %% [markdown]
# ## Experiment 1: two new layers are half silent and almost never dead
#
# From here on the network has two hidden layers of 100 ReLU units: 64 → 100 → 100 → 10 on the
# digits. Before any training we send all training images through it and count, for two ways to
# draw the initial weights and five seeds each.

# %%
count = counter(record_activations, zero_rate, dead_fraction)

with uses_your_code():
    print("                       zero rate              dead fraction")
    for init in ("PyTorch", "He"):
        counts = untrained(count, data, Setting(init=init))
        for name in ("activation1", "activation2"):
            zeros, dead = zip(*(of_seed[name] for of_seed in counts), strict=True)
            print(f"{init:>7}, {name}   {min(zeros):.2f} to {max(zeros):.2f}", end="")
            print(f"           {min(dead):.2f} to {max(dead):.2f}")

# %% [markdown]
# **What we saw.** Between 0.4 and 0.6 of all activations are zero, in every layer and for every
# seed: for each image about half of the units are silent. Yet fewer than 1 unit in 20 is dead. The
# weights are drawn around zero, so a unit says no to about half of the images, but hardly ever to
# all of them.
#
# That is true of *two* layers. In a deep network each layer sees inputs that are more alike than those of
# the layer before, so more and more units say no to all of them: they are *born dead*. We stack
# untrained layers of 64 ReLU units with He's weights and biases of 0:

# %%
from helpers.experiments.dying_relu import dead_by_depth

DEPTHS = (2, 5, 10, 20)
by_seed = [dead_by_depth(DEPTHS, data, seed) for seed in range(5)]
print("layers   dead in all layers   dead in the last layer     (five seeds)")
for depth, runs in zip(DEPTHS, zip(*by_seed, strict=True), strict=True):
    (least, most), (low, high) = ((min(x), max(x)) for x in zip(*runs, strict=True))
    print(f"{depth:6}   {least:8.0%} to {most:4.0%}   {low:12.0%} to {high:4.0%}")

# %% [markdown]
# With 2 layers at most 3 % of the units are dead, with 20 layers between 5 and 20 %. That is what the
# first paper in the list of sources is about: with weights that are drawn symmetrically around zero, as
# He's are, the chance that a deep network is born dead goes to 1 with its depth. Its authors propose
# weights that are not symmetric; lesson 02's residual connections and lesson 06's normalisation help too.
#
# Is a *higher* zero rate a bad sign? The next figure shows each unit's own zero rate after training,
# for a network that learned well and for one that was killed by its step size.

# %%
PANELS = {
    "healthy": Setting(scale=4.0),
    "killed": Setting(lr=2.0),
}

with uses_your_code():
    figure, panels = new_figure(columns=2, width=9, height=3.4)
    for panel, (name, setting) in zip(panels, PANELS.items(), strict=True):
        model = trained(setting, data, seed=0)
        outputs = torch.cat(list(record_activations(model, x).values()), dim=1)  # (samples, 200)
        rates = [zero_rate(column) for column in outputs.split(1, dim=1)]
        panel.hist(rates, [i / 20 for i in range(21)], color="#0072B2", edgecolor="white")
        title = f"{name}: zero rate {zero_rate(outputs):.2f}, dead {dead_fraction(outputs):.2f}"
        panel.set(xlabel="zero rate of one unit", ylabel="number of units", title=title)
    show_figure(
        figure,
        "Histograms of the zero rates of 200 units. In the healthy network they spread over "
        "the whole range, with almost none at exactly 1. In the killed one nearly all stand at 1.",
    )
    runs = [of_seed[0] for of_seed in sweep(count, data, [Setting(scale=4.0)])]
    print("the healthy network, over five seeds:")
    for name in ("zero_rate", "dead", "accuracy"):
        values = [getattr(run, name) for run in runs]
        print(f"  {name:<9}  {min(values):.2f} to {max(values):.2f}")

# %% [markdown]
# **What we saw.** The healthy network (its initial weights were PyTorch's, multiplied by four) has
# zeros in more than half of its activations, about two thirds on average, and it reads more than
# 90 % of the test images right. Fewer than 1 unit in 20 is dead. This held for each of five seeds. So
# a high zero rate is sparsity, and sparsity is not a disease. Report the dead fraction if you mean death.
#
# ## Experiment 2: what kills
#
# Three things are changed, one at a time. Everything else stays as it is: the data, the order of the
# batches, 12 epochs of plain gradient descent with a step of 0.3, and the random numbers from which
# the initial weights are made.

# %%
CAUSE_PANELS = [
    ("step size", STEP_SIZES, [Setting(lr=value) for value in STEP_SIZES]),
    ("first bias of all hidden units", BIASES, [Setting(bias=value) for value in BIASES]),
    ("factor on the first weights", SCALES, [Setting(scale=value) for value in SCALES]),
]

with uses_your_code():
    figure, panels = new_figure(columns=3, width=11, height=3.6)
    for panel, (name, values, settings) in zip(panels, CAUSE_PANELS, strict=True):
        seeds = sweep(count, data, settings)
        dead = [[run.dead for run in runs] for runs in seeds]
        right = [[run.accuracy for run in runs] for runs in seeds]
        plot_mean_and_spread(panel, values, right, "test accuracy", index=0)
        plot_mean_and_spread(panel, values, dead, "dead fraction", index=1)
        panel.set(xlabel=name, ylim=(-0.03, 1.03))
        for i, value in enumerate(values):
            low, high = min(run[i] for run in dead), max(run[i] for run in dead)
            best = max(run[i] for run in right)
            print(f"{name} {value:g}: dead {low:.2f} to {high:.2f}, best accuracy {best:.2f}")
    panels[0].set(ylabel="share")
    panels[0].set_xscale("log")
    panels[0].set_xticks(STEP_SIZES, [f"{value:g}" for value in STEP_SIZES])
    panels[0].minorticks_off()
    panels[1].invert_xaxis()
    panels[0].legend(loc="center left")
    show_figure(
        figure,
        "Three panels. With a larger step, a more negative first bias, or wider first weights the "
        "dead fraction rises from about 0 to more than one half, and the accuracy falls to chance. "
        "Lines are means over five seeds, bands reach from the smallest to the largest.",
    )

# %% [markdown]
# **What we saw**, in each of five seeds:
#
# | | healthy | ill |
# |---|---|---|
# | step size | 0.3: at most 5 % dead | 2.0: more than 60 % dead, accuracy below 0.3 |
# | first bias | 0: at most 5 % dead | −1: more than half dead; −4: all dead; accuracy below 0.2 |
# | first weights | PyTorch's: at most 5 % dead | 12 times wider: more than 40 % dead, accuracy below 0.5 |
#
# The three are different illnesses. A *large step* and *wide weights*, those with a large spread, kill
# *during* training: wide weights make large outputs and so large gradients, and the step overshoots.
# A *negative bias* kills *before* training: the unit is born dead.
#
# ## Experiment 3: a dead unit gets exactly zero gradient
#
# Now a network of which only a part dies (weights 8 times wider). We compute the gradient of the
# loss over all training images, and take the largest entry for each unit. Then we train on
# for 12 more epochs with a small step, and look again.

# %%
with uses_your_code():
    for seed in SEEDS:
        model = trained(SICK, data, seed)
        before = look_at_units(record_activations, dead_fraction, model, data)
        train_on(model, data, lr=0.03, seed=seed)
        after = look_at_units(record_activations, dead_fraction, model, data)
        dead = torch.cat([units.dead for units in before])  # (200,)
        gradient = torch.cat([units.gradient for units in before])  # (200,)
        alive = (gradient[~dead] > 0).float().mean().item()
        first = before[0].dead
        back = int((first & ~after[0].dead).sum())
        print(
            f"seed {seed}: {int(dead.sum()):3d} of 200 dead, their largest gradient "
            f"{gradient[dead].max().item()}; of the living {alive:.0%} get one. "
            f"First layer: {int(first.sum())} dead, {back} came back."
        )

# %% [markdown]
# **What we saw.** In every seed the gradient of every dead unit is 0.0: not small, but zero. Of the
# living units more than 80 % have one that is not. (A living unit gets none if all units that it
# feeds are silent whenever it speaks.) In the first layer *no dead unit came back*, in any of five
# seeds. Its inputs are the images, and they never change, so there is no way back. In the second
# layer a dead unit *may* come back, because the layer below it still moves.
#
# ## Experiment 4: the cure must fit the cause
#
# Three ill networks, and three cures for each:
#
# - a *step ten times smaller*;
# - *LeakyReLU*, whose slope is 0.2 instead of 0 for negative $z$, so that every sample gives
#   a gradient;
# - *He initialisation*: weights of mean 0 and standard deviation $\sqrt{2 / d}$, where $d$ is
#   the number of inputs of the layer (`fan_in`), and biases of 0. You wrote it in lesson 02: there
#   it is called Kaiming, as in PyTorch; Kaiming He is one person. This cure starts anew: it takes away
#   the negative biases and the wide weights, as any sane start would.

# %%
with uses_your_code():
    table = cures(count, data)
    figure, panels = new_figure(columns=3, width=11, height=3.9)
    for panel, cause in zip(panels, CAUSES, strict=True):
        print(cause)
        for position, cure in enumerate(CURES):
            runs = table[cause][cure]
            right = [run.accuracy for run in runs]
            dead = [run.dead for run in runs]
            diverged = sum(not math.isfinite(run.loss) for run in runs)
            what = (
                f"{diverged} of {len(runs)} diverged"
                if diverged
                else f"dead {max(dead):.2f} at most"
            )
            print(f"  {cure:<23} accuracy {min(right):.2f} to {max(right):.2f}, {what}")
            panel.vlines(position, min(right), max(right), color="0.6")
            marker = "x" if diverged else "osD^"[position]
            panel.plot([position] * len(runs), right, marker, color="#0072B2", markersize=6)
        panel.set(title=cause, ylim=(-0.03, 1.03), xlim=(-0.5, 3.5))
        panel.set_xticks(range(4), ["as it is", "small step", "leaky", "He"])
    panels[0].set(ylabel="test accuracy, one mark per seed")
    show_figure(
        figure,
        "Test accuracy of three ill networks, each as it is and with three cures. The large step is "
        "cured by a small step only; the negative biases by LeakyReLU and by He initialisation; the "
        "wide weights by a small step and by He initialisation. Crosses: the training diverged.",
    )

# %% [markdown]
# **What we saw**, in each of five seeds (test accuracy; chance is 0.1):
#
# | illness | as it is | small step | LeakyReLU(0.2) | He initialisation |
# |---|---|---|---|---|
# | step of 2.0 | below 0.3 | **above 0.85** | below 0.3 | below 0.3 |
# | biases of −1 | below 0.2 | below 0.2 | **above 0.8** | **above 0.9** |
# | weights 12 times wider | below 0.5 | **above 0.8** | below 0.3 | **above 0.9** |
#
# - *A smaller step* helps where units die *during* training. It cannot help a unit that is born
#   dead: a tenth of zero is zero.
# - *LeakyReLU* helps where units are silent, since a silent unit still gets a gradient. It does not
#   make a step smaller. Here something else shows: with ReLU, death had kept the numbers finite;
#   with LeakyReLU nothing dies, and the training with too large a step runs off to infinity.
# - *He initialisation* helps where the first weights or biases are at fault. It cannot make up for
#   a step that is too large.
#
# Where the cure fits, at most 5 % of the units are dead. For LeakyReLU that number says nothing: its
# output is zero only where $z$ is exactly zero, so the accuracy is the honest measure there. And its
# slope matters: with the usual 0.01 the network with biases of −1 stays below 0.2, as the gradient
# that reaches the first layer is more than 100 times smaller than without the biases. That is the
# vanishing gradient of lesson 02.

# %%
from functools import partial

with uses_your_code():
    leaky = [Setting(bias=-1.0, activation=partial(nn.LeakyReLU, slope)) for slope in (0.01, 0.2)]
    for slope, runs in zip((0.01, 0.2), zip(*sweep(count, data, leaky), strict=True), strict=True):
        right = [run.accuracy for run in runs]
        print(f"LeakyReLU({slope}), biases of -1: accuracy {min(right):.2f} to {max(right):.2f}")

# %% [markdown]
# ### A demo
#
# One hidden layer of 64 ReLU units takes its first 30 steps on the digits. Each square is a unit;
# a cross is a death. Move the step size and the first bias, and watch the count.

# %%
dying_relu_demo()

# %% [markdown]
# ## One question to think about
#
# A classmate trains a ReLU network. The loss stays at 2.3 from the first epoch on, with ten classes.
# "My zero rate is 70 %, so my ReLUs are dead. I will take LeakyReLU."
#
# **What is wrong with this conclusion? What would you measure, what can cause dead ReLU units, and
# which cure fits which cause?**

# %% [markdown] question="causes-and-cures"
# **Model answer.** A zero rate of 70 % is not death: it says that a unit is silent for 70 % of the
# samples on average, and healthy networks have such rates. A unit is dead if it is zero for every
# training sample; only then is its gradient exactly zero, since each sample's term contains
# ReLU'(z) = 0. So I would record the activations over the whole training set, compute the dead
# fraction by layer, before the first step and after some steps, and look at the gradients by layer.
# If units are dead before training, the initialisation is at fault (very negative biases, weights
# that are not centred): use He's weights with biases of zero, or LeakyReLU. If they die in the first
# steps, the step is too large, or the weights are so wide that the gradients are: use a smaller step,
# or He's weights. LeakyReLU keeps a gradient for negative inputs, but does not repair a step that is
# too large, where training may diverge instead. If hardly any unit is dead, the loss of 2.3
# has another cause, such as vanishing gradients.
#
# **Rubric (4 points).**
#
# - 1 point: tells the zero rate from the dead fraction, and says that a dead unit is zero for every
#   sample.
# - 1 point: explains why a dead unit stays dead: its gradient is exactly zero.
# - 1 point: names at least two causes (step too large, negative biases, bad initialisation) and a
#   measurement that tells them apart, such as counting before and after the first steps.
# - 1 point: matches cures to causes, and names one case in which a cure does not help.

# %% [markdown]
# ## Summary
#
# A ReLU unit is dead if it is zero for every training sample; its gradient is then exactly zero and,
# in the first layer, it never comes back. Zeros alone do not mean death: a healthy layer gives zeros for
# half of its activations or more. Units die from steps that are too large and from bad initial
# weights or biases, and the cure, a smaller step, He initialisation or LeakyReLU, must fit the cause.
#
# **Common mistakes**
#
# - Reporting the zero rate as the share of dead units, or a share with a % sign.
# - Calling a unit dead because it is silent in one batch.
# - Leaving hooks on the model, or keeping the output itself instead of a detached copy.
# - Taking LeakyReLU against a step that is too large.
#
# **Sources**
#
# - L. Lu, Y. Shin, Y. Su and G. E. Karniadakis, *Dying ReLU and Initialization: Theory and Numerical
#   Examples*, Communications in Computational Physics 28, 2020.
# - K. He, X. Zhang, S. Ren and J. Sun, *Delving Deep into Rectifiers: Surpassing Human-Level
#   Performance on ImageNet Classification*, ICCV 2015: the initialisation, and a learned slope.
