# %% [markdown]
# When you have finished this lesson you will be able to
#
# - build a network of any depth, and measure the gradient of each of its layers,
# - say why a deep sigmoid network does not learn, and compute by how much its gradient shrinks,
# - choose the scale of the first weights for tanh and for ReLU,
# - repair a deep network in three ways: initialisation, residual connections, clipping.
#
# ## The idea: a product of many small numbers
#
# `backward()` computes gradients from the last layer to the first, by the chain rule. Each layer
# multiplies what it receives by its own slope and its own weights. A product of many factors
# below 1 becomes tiny: the gradient **vanishes**. A product of many factors above 1 becomes huge:
# it **explodes**.
#
# Take a network whose hidden layers have $H$ units each. For one image let
#
# - $a_{l-1}$, a vector with $H$ entries, be what enters hidden layer $l$,
# - $W_l$, of shape $(H, H)$, and $b_l$, of shape $(H,)$, be the layer's weight and bias,
# - $z_l = W_l\, a_{l-1} + b_l$ and $a_l = a(z_l)$ be what comes out of the layer and of its
#   activation, both of shape $(H,)$. As in lesson 01, $a(\cdot)$ is the activation function; with an
#   index it is what came out of it.
#
# With the loss $L$ (one number, in all lessons), the chain rule says
#
# $$ \frac{\partial L}{\partial a_{l-1}} = W_l^\top \left( a'(z_l) \odot
# \frac{\partial L}{\partial a_l} \right), $$
#
# where $\odot$ multiplies entry by entry. In lesson 01 you saw that the slope of the sigmoid is
# at most ¼. So, with the largest factor $\lVert W_l \rVert_2$ by which $W_l$ can stretch a vector,
#
# $$ \left\lVert \frac{\partial L}{\partial a_{l-1}} \right\rVert \le
# \tfrac14 \, \lVert W_l \rVert_2 \left\lVert \frac{\partial L}{\partial a_l} \right\rVert . $$
#
# So **every sigmoid layer multiplies the length of the gradient by at most a quarter of
# $\lVert W_l \rVert_2$**. With the weights that PyTorch draws, which stretch a vector hardly at all,
# that is a quarter; weights that stretch it more than four times would be needed to make up for it,
# and they drive the sigmoid into its flat ends. The gradient of the weight $W_l$ itself is made of
# $\partial L/\partial a_l$, so the two vanish together. (Hochreiter saw this in 1991, and Bengio,
# Simard and Frasconi in 1994, in networks that run over time.)

# %%
import math

import torch
import torch.nn.functional as F
from torch import nn

from helpers import (
    check_clip_gradient_norm,
    check_gradient_magnitude_by_layer,
    check_initialization,
    check_network,
    check_residual_block,
    get_device,
    line_style,
    load,
    new_figure,
    plot_mean_and_spread,
    seeded,
    show_figure,
    uses_your_code,
    vanishing_gradients_demo,
)

# %%
depth = torch.arange(0, 21)
figure, axes = new_figure(width=9.5)
for i, (name, factor) in enumerate(
    {
        "1.1 a layer": 1.1,
        "1 a layer": 1.0,
        "0.7 a layer": 0.7,
        "¼ a layer (sigmoid at its steepest)": 0.25,
        "0.14 a layer (sigmoid, PyTorch's weights)": 0.144,
    }.items()
):
    axes.semilogy(depth, factor**depth, label=name, marker="os^Dv"[i], markevery=4, **line_style(i))
axes.set(
    xlabel="layers between the loss and a weight",
    ylabel="what is left of the gradient",
    title="A product of equal factors",
    xticks=range(0, 21, 4),
)
axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
show_figure(
    figure,
    "What is left of a gradient after 0 to 20 layers, on a logarithmic scale. With a factor of 1 "
    "it stays, with one quarter a layer it falls to 1e-12, with 0.14 a layer to 1e-17.",
)

# %% [markdown]
# ## A deep network
#
# We need a network whose depth and activation we can choose. Its parts are given. They are
#
# - `input_layer`: a linear layer from `input_dim` to `hidden_dim`,
# - `layers`: `num_layers` hidden layers, from `hidden_dim` to `hidden_dim`,
# - `activations`: `num_layers + 1` activation modules, a separate one for each place, so that we can
#   later watch each of them,
# - `output_layer`: a linear layer from `hidden_dim` to `output_dim`.
#
# ### TODO 2.1
#
# Write `forward`. There is an activation after the input layer and after each hidden layer, and
# none after the output layer: the loss wants plain numbers, the *logits*.
#
# <details><summary>Hint 1: which activation belongs to which layer</summary>
#
# `activations[0]` follows the input layer, and `activations[i + 1]` follows `layers[i]`. So there
# is exactly one for each place.
# </details>
#
# <details><summary>Hint 2: how to walk through two lists together</summary>
#
# `for layer, activation in zip(self.layers, self.activations[1:]):` gives pairs. Call the modules
# themselves, `layer(x)`, not `layer.forward(x)`.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# x = self.activations[0](self.input_layer(x))
# for layer, activation in zip(self.layers, self.activations[1:]):
#     x = ...
# return self.output_layer(x)
# ```
# </details>


# %% todo="2.1"
# TODO 2.1: complete forward.
class Network(nn.Module):
    """A network of linear layers with an activation after each but the last.

    activation: a class or another factory of modules, such as nn.ReLU; it is called once for each
        place.
    """

    def __init__(self, input_dim, output_dim, activation, num_layers=5, hidden_dim=100):
        super().__init__()
        self.input_layer = nn.Linear(input_dim, hidden_dim)
        self.layers = nn.ModuleList(nn.Linear(hidden_dim, hidden_dim) for _ in range(num_layers))
        self.activations = nn.ModuleList(activation() for _ in range(num_layers + 1))
        self.output_layer = nn.Linear(hidden_dim, output_dim)

    def forward(self, x):
        """Logits of shape (N, output_dim) for x of shape (N, input_dim).

        Every activation module is called exactly once, in order. x is left unchanged, and
        autograd sees every step.
        """
        ### BEGIN SOLUTION
        x = self.activations[0](self.input_layer(x))  # (N, hidden_dim)
        for layer, activation in zip(self.layers, self.activations[1:], strict=True):
            x = activation(layer(x))  # (N, hidden_dim)
        return self.output_layer(x)  # (N, output_dim)
        ### END SOLUTION


# %% check="check_network"
check_network(Network)

# %% [markdown]
# ### The same with PyTorch
#
# `nn.Sequential` calls modules one after the other. With the same modules in the same order it
# computes the same.

# %%
data = load("digits", get_device()).flat()  # or "mnist", "fashion_mnist", "cifar10"

with uses_your_code():
    with seeded(0):
        model = Network(data.num_features, data.num_classes, nn.Tanh, num_layers=2).to(
            data.x_train.device
        )
    same = nn.Sequential(
        model.input_layer,
        model.activations[0],
        model.layers[0],
        model.activations[1],
        model.layers[1],
        model.activations[2],
        model.output_layer,
    )
    x = data.x_train[:5]
    print("shape of the logits:", tuple(model(x).shape))
    print("largest difference from nn.Sequential:", (model(x) - same(x)).abs().max().item())

# %% [markdown]
# ## The gradient, layer by layer
#
# After `loss.backward()` each parameter `p` holds its gradient in `p.grad`. To compare layers we
# need one number for each. We take the mean of the absolute values, and we look at the weights
# only: they have two or more axes, while biases have one.
#
# ### TODO 2.2
#
# Write the function that finds these numbers for any model.
#
# <details><summary>Hint 1: where the names are</summary>
#
# `model.named_parameters()` walks through all modules inside and gives pairs of a name and a
# parameter, each parameter once, in order.
# </details>
#
# <details><summary>Hint 2: what to keep</summary>
#
# `p.dim()` is the number of axes. `p.grad` is `None` for a parameter that has no gradient, such
# as a frozen one.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# Inside the loop: `result[name] = p.grad.abs().mean().item()`, if `p.dim() >= 2` and `p.grad` is
# not `None`.
# </details>


# %% todo="2.2"
# TODO 2.2: complete this function.
def gradient_magnitude_by_layer(model):
    """The mean absolute gradient of every weight of a model.

    model: an nn.Module, after backward(). Nothing about it is changed.

    Returns a dict from the name of the parameter, as in model.named_parameters() and in its
    order, to a float. It holds the parameters with two or more axes that have a gradient;
    parameters without one (grad is None) are left out, such as frozen ones or those of a layer
    that took no part in the loss.
    """
    ### BEGIN SOLUTION
    return {
        name: p.grad.abs().mean().item()
        for name, p in model.named_parameters()
        if p.dim() >= 2 and p.grad is not None
    }
    ### END SOLUTION


# %% check="check_gradient_magnitude_by_layer"
check_gradient_magnitude_by_layer(gradient_magnitude_by_layer)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch can also tell you gradients without storing them: `torch.autograd.grad`. And for a vector
# `v` with $n$ entries, `torch.linalg.vector_norm(v, ord=1)` $/\,n$ is the mean absolute value.

# %%
with uses_your_code():
    loss = F.cross_entropy(model(data.x_train), data.y_train)
    model.zero_grad()
    loss.backward(retain_graph=True)
    weights = {name: p for name, p in model.named_parameters() if p.dim() >= 2}
    gradients = torch.autograd.grad(loss, list(weights.values()))
    yours = gradient_magnitude_by_layer(model)
    for name, g in zip(weights, gradients, strict=True):
        pytorch = torch.linalg.vector_norm(g, ord=1).item() / g.numel()
        print(f"{name:<20} yours {yours[name]:.6f}   PyTorch {pytorch:.6f}")

# %% [markdown]
# ### An experiment: twenty sigmoid layers
#
# We build a network with 20 hidden layers of 64 units and look at its gradients on 256 images of
# handwritten digits, before the first step of training. The left picture shows your function's
# numbers. The right one follows $\lVert \partial L / \partial a_l \rVert$ through the
# network, together with the bound from above.

# %%
from helpers.experiments.vanishing_gradients import (
    DEPTH,
    deep_network,
    factor_per_layer,
    first_to_last,
    gradients_at_start,
    way_back,
)

SEEDS = (0, 1, 2)

with uses_your_code():
    deep_sigmoid = deep_network(Network, nn.Sigmoid)
    start = [
        gradients_at_start(deep_sigmoid, gradient_magnitude_by_layer, data, seed) for seed in SEEDS
    ]
    ways = [way_back(deep_sigmoid, data, seed) for seed in SEEDS]
    figure, (left, right) = new_figure(columns=2, width=10)
    plot_mean_and_spread(left, range(len(start[0])), start, "mean |gradient|")
    left.set(
        yscale="log",
        xlabel="weight (0: input layer, 21: output layer)",
        ylabel="mean |gradient|",
        title="Gradient of each weight",
        xticks=range(0, DEPTH + 2, 3),
    )
    plot_mean_and_spread(right, range(DEPTH + 1), [way.norms for way in ways], "measured")
    plot_mean_and_spread(right, range(DEPTH + 1), [way.bounds for way in ways], "bound", 1)
    right.set(
        yscale="log",
        xlabel="activation $l$ (0: after the input layer)",
        ylabel="norm of the gradient at $a_l$",
        title="Going back, against ¼·‖W‖ a layer",
        xticks=range(0, DEPTH + 1, 4),
    )
    right.legend()
    show_figure(
        figure,
        "Left: the mean gradient of the weights falls from about 0.01 at the output to below 1e-18 "
        "at the input, on a straight line on a logarithmic scale. Right: the measured norm falls "
        "faster than the bound.",
    )
    for seed, values in zip(SEEDS, start, strict=True):
        print(
            f"seed {seed}: first hidden to last hidden layer {first_to_last(values):.1e}, "
            f"a factor of {factor_per_layer(values):.3f} a layer"
        )

# %% [markdown]
# **What we saw.** The first hidden layer's gradient is about $10^{16}$ times smaller than the last
# one's: the ratio is about $5 \cdot 10^{-17}$. Each layer multiplies the gradient by 0.14. The bound
# holds at each layer, and the truth is below it. The results of five seeds agree.
#
# Can we predict the 0.14? PyTorch draws the weights of a linear layer uniformly from
# $\pm 1/\sqrt{H}$. A uniform number in $\pm b$ has the variance $b^2/3$, so each weight has the
# variance $1/(3H)$. A sum of $H$ such terms stretches a vector by
# $\sqrt{H \cdot 1/(3H)} = 1/\sqrt3 \approx 0.58$ on average. Times ¼ this is **0.144**.
#
# A step of training changes a weight by the step size times the gradient. float32 keeps about 7
# digits, so adding $10^{-19}$ to a weight of 0.1 changes nothing at all.
#
# ### A demo
#
# Change the depth, the activation and the *gain*, a factor on all weights, and watch the bars. They
# show the gradient at what leaves each layer, $\partial L / \partial a_l$, as in the right
# picture above. There are no biases.

# %%
vanishing_gradients_demo()

# %% [markdown]
# ## How large should the weights be?
#
# The demo shows that there is a scale of the weights at which the gradient neither vanishes nor
# explodes. We can compute it. Let all weights of a layer be independent with mean 0 and variance
# $v$; let `fan_in` be the number of its inputs and `fan_out` the number of its outputs.
#
# - *Forward*, each output is a sum of `fan_in` terms, so its variance is `fan_in`$\,\cdot v$ times
#   the mean square of the inputs. It stays the same for $v = 1/$`fan_in`.
# - *Backward*, the gradient of each input is a sum of `fan_out` terms. It stays the same for
#   $v = 1/$`fan_out`.
#
# **Xavier** initialisation (Glorot and Bengio 2010) takes the mean of the two fan counts,
# $v = 2/(\text{fan\_in} + \text{fan\_out})$. A uniform number in $[-b, b]$ has the variance
# $b^2/3$, which gives $b$. A *gain* multiplies $b$ for activations that shrink the signal. For tanh
# near 0, where its slope is 1, a gain of 1 is a good start. (PyTorch recommends 5/3 for tanh, which
# makes up for its flattening farther out.)
#
# **Kaiming** initialisation (He et al. 2015) is made for ReLU. ReLU sets about half of its inputs to
# zero, so it halves the mean square. To make up for it, $v = 2/$`fan_in`. LeakyReLU with the slope
# $\alpha$ on the negative side (lesson 01) keeps a bit more: the mean square is multiplied by
# $(1 + \alpha^2)/2$. What must $v$ be then?
#
# ### TODO 2.3
#
# Write both rules: the bound $b$ of Xavier, and the standard deviation of Kaiming.
#
# <details><summary>Hint 1: from the variance to the two numbers</summary>
#
# The standard deviation is the root of the variance. For a uniform number in $[-b, b]$ solve
# $b^2/3 = v$ for $b$.
# </details>
#
# <details><summary>Hint 2: the gain and the slope</summary>
#
# The gain multiplies the whole bound, outside the root. With a slope, the 2 of Kaiming's rule
# becomes $2/(1 + \alpha^2)$.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `gain * math.sqrt(6 / (...))`, and `math.sqrt(2 / ((1 + negative_slope**2) * ...))`.
# </details>


# %% todo="2.3"
# TODO 2.3: complete both functions.
def xavier_uniform_bound(fan_in, fan_out, gain=1.0):
    """The bound b for weights drawn uniformly from [−b, b] (Glorot and Bengio 2010).

    fan_in, fan_out: the numbers of inputs and outputs of the layer.
    gain: a factor on the weights.

    Returns a float.
    """
    ### BEGIN SOLUTION
    return gain * math.sqrt(6 / (fan_in + fan_out))
    ### END SOLUTION


def kaiming_normal_std(fan_in, negative_slope=0.0):
    """The standard deviation of normal weights before a (Leaky)ReLU (He et al. 2015).

    fan_in: the number of inputs of the layer.
    negative_slope: the slope of LeakyReLU on the negative side; 0 for ReLU.

    Returns a float.
    """
    ### BEGIN SOLUTION
    return math.sqrt(2 / ((1 + negative_slope**2) * fan_in))
    ### END SOLUTION


# %% check="check_initialization"
check_initialization(xavier_uniform_bound, kaiming_normal_std)

# %% [markdown]
# ### The same with PyTorch
#
# `torch.nn.init` fills a weight of shape `(fan_out, fan_in)`. We draw a large one and compare.

# %%
with uses_your_code():
    weight = torch.empty(600, 400)
    with seeded(0):
        nn.init.xavier_uniform_(weight, gain=5 / 3)
        largest = weight.abs().max().item()
        nn.init.kaiming_normal_(weight, a=0.2, nonlinearity="leaky_relu")
        std = weight.std().item()
    your_bound = xavier_uniform_bound(400, 600, gain=5 / 3)
    your_std = kaiming_normal_std(400, negative_slope=0.2)
    print(f"Xavier:  PyTorch's largest weight {largest:.5f}       your bound {your_bound:.5f}")
    print(f"Kaiming: PyTorch's standard deviation {std:.5f}   yours      {your_std:.5f}")

# %% [markdown]
# ### An experiment: depth, activation and initialisation
#
# For each activation and each initialisation we measure the gradient of the first hidden layer,
# divided by that of the last one, at several depths. `xavier(...)` and `kaiming(...)` below redraw
# all weights with your functions and set the biases to zero.

# %%
from helpers.experiments.vanishing_gradients import as_pytorch_does, kaiming, xavier

DEPTHS = (3, 5, 10, 20, 40)
ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "ReLU": nn.ReLU}

with uses_your_code():
    schemes = {
        "PyTorch's default": as_pytorch_does,
        "Xavier": xavier(xavier_uniform_bound),
        "Kaiming": kaiming(kaiming_normal_std),
    }
    figure, panels = new_figure(columns=3, width=11)
    for panel, (name, activation) in zip(panels, ACTIVATIONS.items(), strict=True):
        for i, (scheme, initialize) in enumerate(schemes.items()):
            ratios = []
            for seed in SEEDS:
                makes = [deep_network(Network, activation, initialize, n) for n in DEPTHS]
                ratios.append(
                    [
                        first_to_last(
                            gradients_at_start(make, gradient_magnitude_by_layer, data, seed)
                        )
                        for make in makes
                    ]
                )
            plot_mean_and_spread(panel, DEPTHS, ratios, scheme, i)
        panel.set(title=name, xlabel="hidden layers", yscale="log", ylim=(1e-36, 1e4))
    panels[0].set_ylabel("first to last gradient")
    panels[2].legend(loc="lower left")
    show_figure(
        figure,
        "Ratio of the first to the last hidden layer's gradient against depth, for sigmoid, tanh "
        "and ReLU and three initialisations. It vanishes for sigmoid with all three; for tanh and "
        "ReLU it vanishes with PyTorch's default and stays near 1 with Xavier and with Kaiming.",
    )

# %% [markdown]
# **What we saw**, at 20 layers and on five seeds:
#
# | Activation | PyTorch's default | Xavier | Kaiming |
# |---|---|---|---|
# | sigmoid | about $5 \cdot 10^{-17}$ | about $10^{-12}$ | about $3 \cdot 10^{-10}$ |
# | tanh | about $3 \cdot 10^{-4}$ | between 0.3 and 4 | between 0.5 and 6 |
# | ReLU | about $7 \cdot 10^{-7}$ | between 0.4 and 6 | between 0.3 and 4 |
#
# No usual initialisation saves the sigmoid. A gain of 4 would make up for the slope of ¼, but it
# drives the sigmoid into its flat ends, where the slope is smaller still: try it in the demo. For
# tanh and ReLU the scale decides.
#
# The ratio is not everything. ReLU with Xavier has a good *ratio*, yet in every hidden layer its
# gradients are more than a hundred times smaller than with Kaiming. The reason: the mean square
# halves at each layer, on the way *forward* and on the way *back*. The gradient of $W_l$ is a product
# of two things: what arrives from the input, times what comes back from the loss. An early layer has
# much of the one and little of the other, a late layer the reverse, and the products are equally
# small. (Without biases, a ReLU network has a ratio near 1 whatever the scale of its weights.)
# PyTorch's default has biases; they keep the signal alive on the way forward, so its ratio shows what
# is lost on the way back.
#
# ## Does it learn?
#
# We train with plain **SGD**, stochastic gradient descent: each step takes the gradient of one
# *batch* of 64 images and moves every weight against it, by the step size 0.1 times the gradient.
# One pass over all training images is an *epoch*; we make 20. Only the activation and the
# initialisation differ; the data, the batches and the seeds are the same.

# %%
from helpers.experiments.vanishing_gradients import EPOCHS, train_deep


def show_runs(runs, title, alt):
    """Draw test accuracy by epoch, and print where each network ends, for each seed."""
    figure, axes = new_figure(width=8, height=3.8)
    for i, (name, of_seeds) in enumerate(runs.items()):
        accuracies = [run.accuracy for run in of_seeds]
        plot_mean_and_spread(axes, range(1, EPOCHS + 1), accuracies, name, i)
        print(f"{name:<28}", "  ".join(f"{run.final:.2f}" for run in of_seeds))
    axes.axhline(1 / data.num_classes, color="black", linewidth=1)
    axes.text(EPOCHS, 1 / data.num_classes + 0.01, "chance", ha="right", va="bottom")
    axes.set(xlabel="epoch", ylabel="test accuracy", title=title, ylim=(0, 1))
    axes.set_xticks(range(2, EPOCHS + 1, 2))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    show_figure(figure, alt)


with uses_your_code():
    by_xavier, by_kaiming = xavier(xavier_uniform_bound), kaiming(kaiming_normal_std)
    plain = {
        "sigmoid, default": deep_network(Network, nn.Sigmoid),
        "tanh, Xavier": deep_network(Network, nn.Tanh, by_xavier),
        "ReLU, default": deep_network(Network, nn.ReLU),
        "ReLU, Kaiming": deep_network(Network, nn.ReLU, by_kaiming),
    }
    runs = {name: [train_deep(make, data, seed) for seed in SEEDS] for name, make in plain.items()}
    show_runs(
        runs,
        "20 hidden layers, SGD, step 0.1",
        "Test accuracy by epoch. Sigmoid and ReLU with default weights stay at chance, tanh with "
        "Xavier climbs to about 0.9, ReLU with Kaiming gets stuck near 0.3.",
    )

# %% [markdown]
# **What we saw.** (The printed number is the median test accuracy of the last five epochs.)
#
# - The sigmoid network stays at chance, 0.08 to 0.12. So does ReLU with PyTorch's default weights.
# - tanh with Xavier's weights ends at about 0.93 on average over five seeds, above 0.75 in each. Its
#   curve jumps now and then.
# - ReLU with Kaiming's weights is a riddle. Its gradients are fine by layer, it does learn a little,
#   and yet it ends at about 0.31 on average. We come back to it at the end of this lesson.
#
# ### How far does each weight move?
#
# The size of a gradient says little by itself. What matters is how far a step moves a weight,
# *compared with the weight*: $\lVert \eta\, g \rVert / \lVert w \rVert$, where $\eta$ is the step
# size (also called the **learning rate**, `lr` in PyTorch), $g$ the gradient of one weight tensor and
# $w$ that tensor. As a rule of thumb, a ratio near
# $10^{-3}$ is healthy: a thousand such steps can replace the weight.

# %%
from helpers.experiments.vanishing_gradients import update_to_weight

with uses_your_code():
    figure, axes = new_figure(width=8)
    for i, (name, make) in enumerate(plain.items()):
        ratios = [update_to_weight(make, data, seed) for seed in SEEDS]
        plot_mean_and_spread(axes, range(len(ratios[0])), ratios, name, i)
    axes.axhline(1e-3, color="black", linewidth=1)
    axes.text(0, 4e-4, "rule of thumb", va="top")
    axes.set(
        yscale="log",
        ylim=(1e-21, 10),
        xlabel="weight (0: input layer, 21: output layer)",
        ylabel="update / weight",
        title="Median over the first epoch",
    )
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    show_figure(
        figure,
        "Update-to-weight ratio of each weight. tanh with Xavier and ReLU with Kaiming lie near "
        "1e-3 to 1e-2 everywhere. The default sigmoid falls to 1e-19 and the default ReLU to 1e-10 "
        "at the input.",
    )

# %% [markdown]
# **What we saw.** With tanh and Xavier, and with ReLU and Kaiming, every weight moves by between
# $3 \cdot 10^{-4}$ and $5 \cdot 10^{-2}$ of its length in a step. In the sigmoid network only the last
# layers move; the first ones move by less than $10^{-18}$ of their length, which float32 rounds away.
# In the default ReLU network the first layers move by less than $10^{-8}$.
#
# ## A road that is never closed: residual connections
#
# Initialisation takes care of the *first* step. A **residual block** (He et al. 2016) builds the
# cure into the network. It does not replace its input $x$, it adds something to it:
#
# $$ y = x + \text{linear}_2(a(\text{linear}_1(x))), \qquad
# \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y} +
# \text{(what comes back through the two layers)}. $$
#
# Here $x$ and $y$ have the shape (…, dim). However small the second term is, the first one brings
# the whole gradient back. For that the sum must stay free: in very deep networks no activation follows
# it. (The first residual networks, He et al. 2015, had a ReLU there, as yours in lesson 09 will; a year
# later the same authors left it out. They had met residual connections as a cure for something else:
# networks with BatchNorm, whose gradients do not vanish, got worse with depth all the same.)
#
# ### TODO 2.4
#
# Write the block.
#
# <details><summary>Hint 1: what the constructor makes</summary>
#
# Two linear layers from `dim` to `dim`, named `linear1` and `linear2`, and one activation module.
# `activation` is a class or a factory: call it once to get the module.
# </details>
#
# <details><summary>Hint 2: forward</summary>
#
# Keep `x` under its name until the end. `x += ...` would change the caller's tensor.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# `self.activation = activation()` in the constructor, and in `forward`:
# `return x + self.linear2(...)`.
# </details>


# %% todo="2.4"
# TODO 2.4: complete this class.
class ResidualBlock(nn.Module):
    """x + linear2(activation(linear1(x))), with nothing after the sum (He et al. 2016, ECCV).

    dim: the size of the last axis of x; both layers keep it, and both have a bias.
    activation: a class or another factory of modules, such as nn.ReLU; it is called once.

    The layers are the attributes linear1 and linear2.
    """

    def __init__(self, dim, activation):
        super().__init__()
        ### BEGIN SOLUTION
        self.linear1 = nn.Linear(dim, dim)
        self.activation = activation()
        self.linear2 = nn.Linear(dim, dim)
        ### END SOLUTION

    def forward(self, x):
        """A tensor of the shape (..., dim) of x, which is left unchanged."""
        ### BEGIN SOLUTION
        return x + self.linear2(self.activation(self.linear1(x)))
        ### END SOLUTION


# %% check="check_residual_block"
check_residual_block(ResidualBlock)

# %% [markdown]
# ### The same with PyTorch
#
# PyTorch has no module for this block alone. Its `nn.TransformerEncoderLayer` ends with one; the
# layers are named `linear1` and `linear2` there too, and dropout and a normalisation are added. We
# compare with `x` plus an `nn.Sequential`, and test the road itself: with `linear2` at zero, the block
# must pass on both the values and the gradient unchanged.

# %%
with uses_your_code():
    with seeded(0):
        block = ResidualBlock(4, nn.ReLU)
        x = torch.randn(3, 4, requires_grad=True)
    layers = nn.Sequential(block.linear1, nn.ReLU(), block.linear2)
    print("x + nn.Sequential of the layers, the same:", torch.equal(block(x), x + layers(x)))
    nn.init.zeros_(block.linear2.weight)
    nn.init.zeros_(block.linear2.bias)
    (gradient,) = torch.autograd.grad(block(x).sum(), x)
    print("linear2 at zero, values passed on:        ", torch.equal(block(x), x))
    print("linear2 at zero, gradient passed on:      ", bool((gradient == 1).all()))

# %% [markdown]
# ### An experiment: as deep, but with a free road
#
# Ten residual blocks have twenty hidden layers, as before. We keep ReLU, PyTorch's default weights
# and the step of 0.1, with which the plain network stayed at chance.

# %%
from helpers.experiments.vanishing_gradients import growth, residual_network

with uses_your_code():
    residual, without = residual_network(ResidualBlock, nn.ReLU), deep_network(Network, nn.ReLU)
    with_blocks = {
        "ReLU, default, residual": [train_deep(residual, data, seed) for seed in SEEDS],
        "ReLU, default": [train_deep(without, data, seed) for seed in SEEDS],
    }
    show_runs(
        with_blocks,
        "The same layers, with and without residual connections",
        "Test accuracy by epoch. The plain network stays at chance, the residual one is above 0.9 "
        "in the second half of the training.",
    )
    start = [
        first_to_last(gradients_at_start(residual, gradient_magnitude_by_layer, data, seed))
        for seed in SEEDS
    ]
    print("first to last gradient, residual:", "  ".join(f"{ratio:.2f}" for ratio in start))
    by_kaiming = kaiming(kaiming_normal_std)
    grown = {"default": residual, "Kaiming": residual_network(ResidualBlock, nn.ReLU, by_kaiming)}
    for name, make in grown.items():
        factors = "  ".join(f"{growth(make, data, seed):.1f}" for seed in SEEDS)
        print(f"ten blocks multiply the signal, {name} weights: {factors}")

# %% [markdown]
# **What we saw.** The residual network ends at 0.93 or more in each seed, whereas the plain one stays
# at chance, and the ratio of its first to its last gradient lies between 0.5 and 2.
#
# A cure has its dose. Kaiming's weights are made for a *plain* ReLU network. In a residual network
# each block would *add* a signal of full size to $x$, and ten blocks multiply the signal by more than
# 100; with the default weights the factor is below 3. That is why residual networks start with
# small weights in their blocks, often with `linear2` at zero, or use normalisation (lesson 06).
#
# ## When one step is too long: clipping
#
# Back to the riddle: ReLU with Kaiming's weights has healthy gradients in every layer. Why does it
# learn so badly? The ratio compares layers; it says nothing about *single steps*. Let us look at
# the length of the whole gradient, over all parameters, in each step:
#
# $$ \lVert g \rVert = \sqrt{\sum_p \lVert g_p \rVert^2}, $$
#
# where $g_p$ is the gradient of the parameter $p$. This is the **joint norm**. A deep network is a
# product of many matrices, so its loss has cliffs: places where a small step changes everything.
# There the gradient is suddenly very long, and so is the step. It throws the weights far away.
#
# **Clipping** (Pascanu, Mikolov and Bengio 2013) limits the length of a step and keeps its direction:
# if $\lVert g \rVert$ is above a limit $c$, *all* gradients are multiplied by the one factor
# $c / \lVert g \rVert$.
#
# ### TODO 2.5
#
# Write clipping.
#
# <details><summary>Hint 1: the joint norm</summary>
#
# It is not the sum of the norms. Add up the squares of all entries of all gradients, and take one
# root at the end.
# </details>
#
# <details><summary>Hint 2: what goes wrong easily</summary>
#
# `parameters` may be a generator, such as `model.parameters()`, which can be read only once: make a
# list of the gradients first. Skip `None`. Compare before you divide; then a norm of 0 does no harm.
# Where no parameter has a gradient there is nothing to add up, and the norm is 0.0; `torch.cat` and
# `torch.stack` fail there.
# </details>
#
# <details><summary>Hint 3: nearly the answer</summary>
#
# ```python
# gradients = [p.grad for p in parameters if p.grad is not None]
# norm = math.sqrt(sum(... for g in gradients))
# if norm > max_norm:
#     for g in gradients:
#         g.mul_(...)
# return norm
# ```
# </details>


# %% todo="2.5"
# TODO 2.5: complete this function.
def clip_gradient_norm(parameters, max_norm):
    """Scale all gradients in place so that their joint 2-norm is at most max_norm.

    parameters: an iterable of parameters, of any shapes; it may be a generator. Those without a
        gradient (grad is None) are skipped.
    max_norm: the limit, above 0. A norm below it changes nothing: gradients are never scaled up.

    The gradient tensors themselves are changed, no new ones are put in their place, and the
    parameters stay as they are. Returns the joint norm before, as a float; 0.0 where there is no
    gradient.

    Not allowed: torch's own clip_grad_norm_.
    """
    ### BEGIN SOLUTION
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.double().square().sum().item() for g in gradients))
    if norm > max_norm:
        for g in gradients:
            g.mul_(max_norm / norm)
    return norm
    ### END SOLUTION


# %% check="check_clip_gradient_norm"
check_clip_gradient_norm(clip_gradient_norm)

# %% [markdown]
# ### The same with PyTorch
#
# `nn.utils.clip_grad_norm_` does the same and returns the norm as a tensor. It divides by the norm
# plus $10^{-6}$, so that it never divides by zero. Call it between `backward()` and `step()`.

# %%
with uses_your_code():
    gradients = []
    for clip in (clip_gradient_norm, nn.utils.clip_grad_norm_):
        model.zero_grad()
        F.cross_entropy(model(data.x_train), data.y_train).backward()
        norm = float(clip(model.parameters(), 0.01))
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
        print(f"norm before {norm:.6f}, after {gradients[-1].norm().item():.6f}")
    print(f"largest difference: {(gradients[0] - gradients[1]).abs().max().item():.1e}")

# %% [markdown]
# ### An experiment: the riddle solved
#
# The same network and the same seeds: twenty ReLU layers with Kaiming's weights. We compare three
# trainings: as before; with a step ten times smaller; and with the step of 0.1 and gradients clipped
# at a joint norm of 2. The second picture shows the joint norm of each step without clipping.

# %%
LIMIT, THIN = 2.0, {"linewidth": 1}

with uses_your_code():
    make = deep_network(Network, nn.ReLU, kaiming(kaiming_normal_std))
    free = [train_deep(make, data, seed, clip=clip_gradient_norm) for seed in SEEDS]
    cures = {
        "step 0.1": free,
        "step 0.01": [train_deep(make, data, seed, lr=0.01) for seed in SEEDS],
        "step 0.1, clipped at 2": [
            train_deep(make, data, seed, clip=clip_gradient_norm, max_norm=LIMIT) for seed in SEEDS
        ],
    }
    show_runs(
        cures,
        "ReLU with Kaiming's weights, 20 hidden layers",
        "Test accuracy by epoch of three trainings. Clipped gradients lead to about 0.9, a smaller "
        "step to about 0.8, and without either the network stays near 0.3.",
    )
    figure, axes = new_figure(width=8, height=3.2)
    steps = range(1, len(free[0].norms) + 1)
    axes.semilogy(steps, free[0].norms, label="without clipping", **(line_style(0) | THIN))
    axes.axhline(LIMIT, label="limit", **line_style(1))
    axes.set(
        xlabel="step",
        ylabel="joint norm of the gradient",
        title="Some steps are far longer than the others (seed 0)",
    )
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    show_figure(
        figure,
        "The joint norm of the gradient in each step, on a logarithmic scale: mostly near 1.5, with "
        "single peaks more than ten times as high.",
    )
    for seed, run in zip(SEEDS, free, strict=True):
        median = torch.tensor(run.norms).median().item()
        print(f"seed {seed}: median norm {median:.1f}, largest {max(run.norms):.1f}")

# %% [markdown]
# **What we saw.** Over five seeds the network ends at about 0.31 on average with the step of 0.1, at
# about 0.82 with the step of 0.01, and at about **0.91 with clipping**, above 0.8 in each seed. Without
# clipping the longest gradient is more than five times as long as the median one, in each seed.
#
# So what ReLU with Kaiming's weights needs at this depth is a limit on single steps. A smaller step
# is a limit too, but it makes the harmless steps shorter as well, and then 20 epochs are too few.
#
# To be honest about it: while the clipped network learns, its gradient is mostly longer than the
# limit, and so most of the steps, more than 70 %, are shortened. Here clipping is more than an emergency brake: it makes most
# steps equally long, namely $0.1 \cdot 2 = 0.2$. And the residual network needed none of this and did better:
# the best cure for cliffs is a network that has fewer of them.
#
# ## One question to think about
#
# Compare the sigmoid network with tanh and Xavier's weights: the same 20 layers, the same data and the
# same steps; one stayed at chance and the other learned. **Why does the accuracy that a deep network reaches depend on its
# activation, and how is that related to the gradients by layer that you measured? Is a good
# ratio of gradients enough?**

# %% [markdown] question="activation-and-gradients"
# **Model answer.** On its way back the gradient is multiplied, at every layer, by the slope of the
# activation and by the transposed weight. The slope of the sigmoid is at most ¼, so each layer
# multiplies the gradient by at most ¼·‖W‖ (we measured a factor of about 0.14 with PyTorch's weights),
# and after 20 layers the first layers get about 10⁻¹⁶ of what the last ones get. They do not move,
# and what they pass on of the image is a nearly constant vector, so the last layers, which do
# move, have nothing to learn from: the accuracy stays at chance, and the training accuracy too. tanh
# has a slope of up to 1 and ReLU has the slope 1 on its active half; with weights of the matching
# scale (Xavier, Kaiming) the factor per layer is about 1, all layers move, and the network can
# learn. A good ratio is necessary here, not sufficient: ReLU with Kaiming's weights had a ratio near
# 1 and still learned badly at a step of 0.1, because single steps were far too long; clipping
# repaired it. ReLU with Xavier's weights has a good ratio while all gradients are small. So one
# looks at the ratio, at the size (update to weight) and at the norm during training.
#
# **Rubric (4 points).**
#
# - 1 point: the gradient of an early layer is a product over the later layers of slopes and weights.
# - 1 point: compares the slopes (sigmoid at most ¼; tanh up to 1; ReLU 0 or 1) and says that the
#   weights' scale counts as well.
# - 1 point: connects this to learning: layers with a vanishing gradient do not move, so the
#   accuracy stays low, in training too; refers to what was measured.
# - 1 point: says that a good ratio is not enough, with a reason or an example from the lesson
#   (long single steps, gradients that are small everywhere, a step of the wrong size).

# %% [markdown]
# ## Summary
#
# The gradient of an early layer is a product over all later layers, so it vanishes or explodes
# exponentially with depth. The scale of the first weights, fitted to the activation, keeps the
# product near 1 at the start, and residual connections keep a road open that no product can close.
# Gradients of a good size in each layer are not enough: single steps can still be too long, and
# clipping limits them.
#
# **Common mistakes**
#
# - An activation after the output layer, or one that is forgotten after the input layer.
# - Mixing up the standard deviation, the variance and the bound of a uniform draw.
# - In a very deep network, an activation after the sum of a residual block, which closes the road again.
# - Clipping each parameter by its own norm, or after `step()`, where it has no effect.
# - Judging a network by the ratio of its gradients alone.
#
# **Sources**
#
# - X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward neural
#   networks*, AISTATS 2010: saturation, and the initialisation called Xavier.
# - K. He, X. Zhang, S. Ren and J. Sun, *Delving deep into rectifiers*, ICCV 2015: the initialisation
#   for ReLU; *Deep residual learning for image recognition*, CVPR 2016: residual blocks; and *Identity
#   mappings in deep residual networks*, ECCV 2016: why nothing should follow the sum.
# - R. Pascanu, T. Mikolov and Y. Bengio, *On the difficulty of training recurrent neural networks*,
#   ICML 2013: cliffs, and clipping.
