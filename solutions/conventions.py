# %% [markdown]
# # The conventions of this course
#
# Books, papers and libraries do not always mean the same thing by the same word. This page says what
# *this course* means, which is what PyTorch does. Nothing here has to be taken on trust: below each
# line stands a cell that proves it. Run a cell: it prints one line, or it fails.
#
# | | The convention | Lesson |
# |---|---|---|
# | 1 | ReLU'(0) = 0. | [01 Activation functions](01_activation_functions/activation_functions.ipynb) |
# | 2 | The L2 penalty is the *squared* norm, with a factor that is always written out. | [04 Weight decay](04_weight_decay/weight_decay.ipynb) |
# | 3 | Under Adam, an L2 penalty and decoupled weight decay are two algorithms. | [04 Weight decay](04_weight_decay/weight_decay.ipynb) |
# | 4 | `p` in dropout is the probability of *dropping*. | [05 Dropout](05_dropout/dropout.ipynb) |
# | 5 | In batch normalisation, the momentum weighs the *new* batch. | [06 Batch normalisation](06_batch_normalization/batch_normalization.ipynb) |
# | 6 | Batch normalisation divides by the biased variance and stores the unbiased one. | [06 Batch normalisation](06_batch_normalization/batch_normalization.ipynb) |
#
# If you are new here, begin with [00 Start here](00_start_here/start_here.ipynb).

# %%
import torch
import torch.nn.functional as F
from torch import nn

_ = torch.manual_seed(0)

# %% [markdown]
# ## 1. ReLU'(0) = 0
#
# ReLU has a corner at 0: the slope is 0 on the left and 1 on the right, and at the corner itself it
# is not defined. The course takes *0*, as PyTorch's `relu` does. Other ways to write the same
# function choose otherwise. With `torch.maximum` it is one half, because PyTorch shares the gradient
# of a tie between both sides.
#
# You need this in lesson [01](01_activation_functions/activation_functions.ipynb), and in lesson
# [03](03_dying_relu/dying_relu.ipynb), where a unit that is zero everywhere gets no gradient.


# %%
def slope_at_zero(function):
    x = torch.zeros(3, requires_grad=True)
    function(x).sum().backward()
    return x.grad


assert slope_at_zero(torch.relu).equal(torch.zeros(3))
assert slope_at_zero(F.relu).equal(torch.zeros(3))
assert slope_at_zero(nn.ReLU()).equal(torch.zeros(3))
assert slope_at_zero(lambda x: torch.maximum(x, torch.zeros(3))).equal(torch.full((3,), 0.5))
print("ReLU'(0) is 0 with torch.relu, F.relu and nn.ReLU; with torch.maximum it is one half.")

# %% [markdown]
# ## 2. The L2 penalty and `weight_decay`
#
# For all weights $w$ of a model, as one long vector, $\|w\|^2 = \sum_i w_i^2$. There are two ways
# to write the penalty with a strength $\lambda$, and they differ by a factor of 2:
#
# | Added to the loss | Its gradient | The same as `torch.optim.SGD` with |
# |---|---|---|
# | $\tfrac{1}{2} \lambda \|w\|^2$ | $\lambda w$ | `weight_decay=lam` |
# | $\lambda \|w\|^2$ | $2 \lambda w$ | `weight_decay=2 * lam` |
#
# The course's `l2_penalty` is $\tfrac{1}{2} \|w\|^2$. First the gradients.

# %%
lam = 0.3
start = torch.randn(20, dtype=torch.float64)


def gradient(penalty):
    w = start.clone().requires_grad_()
    penalty(w).backward()
    return w.grad


half_squared = gradient(lambda w: 0.5 * lam * (w**2).sum())
squared = gradient(lambda w: lam * (w**2).sum())
assert torch.allclose(half_squared, lam * start)
assert torch.allclose(squared, 2 * lam * start)
print("½·λ·‖w‖² has the gradient λ·w, and λ·‖w‖² has 2·λ·w.")

# %% [markdown]
# Then the same training twice, once with the penalty in the loss and once with the optimiser's
# `weight_decay`, over 50 steps with momentum.

# %%
inputs = torch.randn(30, 20, dtype=torch.float64)
targets = torch.randn(30, dtype=torch.float64)


def train(make_optimizer, penalty=None, steps=50):
    """Least squares from the same start; the penalty, if any, is part of the loss."""
    w = start.clone().requires_grad_()
    optimizer = make_optimizer([w])
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.mse_loss(inputs @ w, targets)
        if penalty is not None:
            loss = loss + penalty(w)
        loss.backward()
        optimizer.step()
    return w.detach()


def sgd(weight_decay):
    return lambda w: torch.optim.SGD(w, lr=0.05, momentum=0.9, weight_decay=weight_decay)


by_half_squared = train(sgd(0.0), lambda w: 0.5 * lam * (w**2).sum())
by_squared = train(sgd(0.0), lambda w: lam * (w**2).sum())
assert torch.allclose(by_half_squared, train(sgd(lam)), rtol=1e-9)
assert torch.allclose(by_squared, train(sgd(2 * lam)), rtol=1e-9)
assert not torch.allclose(by_squared, train(sgd(lam)), rtol=1e-2)
print("SGD: ½·λ·‖w‖² in the loss is weight_decay=λ; λ·‖w‖² is weight_decay=2·λ.")

# %% [markdown]
# **The penalty is the squared norm, not the norm.** The gradient of $\lambda \|w\|$ is
# $\lambda w / \|w\|$. It has the same length for every $w \ne 0$, however small, so it pushes small
# weights as hard as large ones, which is something else.
#
# You need this in lesson [04](04_weight_decay/weight_decay.ipynb).

# %%
norm = gradient(lambda w: lam * w.norm())
assert torch.allclose(norm, lam * start / start.norm())
assert torch.allclose(norm.norm(), torch.tensor(lam, dtype=torch.float64))
assert not torch.allclose(norm, half_squared, rtol=1e-2)
print(
    f"λ·‖w‖ has a gradient of length λ = {lam}; that of ½·λ·‖w‖² is {half_squared.norm():.2f} here."
)

# %% [markdown]
# ## 3. Under Adam, a penalty is not weight decay
#
# Adam divides each entry of the gradient by the recent size of that entry. If a penalty is part of
# the gradient, it is divided as well: this is what `torch.optim.Adam(weight_decay=lam)` does.
# **Decoupled** weight decay shrinks the weights directly, by the factor
# $1 - \text{lr} \cdot \lambda$, and leaves the gradient alone: this is `torch.optim.AdamW`. The paper
# (Loshchilov and Hutter 2019) shrinks by $1 - \lambda$ times a schedule, without the learning rate; when
# you take over a $\lambda$ from somewhere, ask which of the two is meant.
#
# You need this in lesson [04](04_weight_decay/weight_decay.ipynb).

# %%


def adam(kind, weight_decay):
    return lambda w: kind(w, lr=0.05, weight_decay=weight_decay)


in_the_loss = train(adam(torch.optim.Adam, 0.0), lambda w: 0.5 * lam * (w**2).sum())
coupled = train(adam(torch.optim.Adam, lam))
decoupled = train(adam(torch.optim.AdamW, lam))
assert torch.allclose(in_the_loss, coupled, rtol=1e-6, atol=1e-9)
assert not torch.allclose(decoupled, coupled, rtol=1e-2)

# One step of AdamW is one step of Adam from weights that were shrunk first.
w = (start * (1 - 0.05 * lam)).requires_grad_()
one_step = torch.optim.Adam([w], lr=0.05)
unshrunk = start.clone().requires_grad_()
F.mse_loss(inputs @ unshrunk, targets).backward()
w.grad = unshrunk.grad
one_step.step()
assert torch.allclose(w, train(adam(torch.optim.AdamW, lam), steps=1), rtol=1e-9)
difference = (decoupled - coupled).abs().max().item()
print(
    f"Adam with a penalty is Adam(weight_decay), and AdamW differs from it by up to {difference:.2f}."
)

# %% [markdown]
# ## 4. Dropout: `p` is the probability of dropping
#
# With `p = 0.2` one entry in five becomes 0, and the others are divided by $1 - p = 0.8$, so that the
# mean stays as it is. Some courses and papers mean the probability of *keeping*; with their
# convention the same network needs `p = 0.8`.
#
# You need this in lesson [05](05_dropout/dropout.ipynb).

# %%
p = 0.2
outputs = F.dropout(torch.ones(100_000), p=p, training=True)
dropped = (outputs == 0).float().mean().item()
kept = outputs[outputs != 0]
assert abs(dropped - p) < 0.01
assert torch.allclose(kept, torch.tensor(1 / (1 - p)))
assert abs(outputs.mean().item() - 1) < 0.02
assert F.dropout(torch.ones(9), p=0.0, training=True).equal(torch.ones(9))
assert F.dropout(torch.ones(9), p=1.0, training=True).equal(torch.zeros(9))
assert F.dropout(torch.ones(9), p=p, training=False).equal(torch.ones(9))
print(f"p = {p}: {dropped:.3f} of the entries are dropped, the others are {kept[0].item():.2f}.")

# %% [markdown]
# ## 5. Batch normalisation: the momentum weighs the new batch
#
# With momentum $m$, which is 0.1 by default, a running statistic becomes
#
# $$ \text{running} \leftarrow (1 - m) \cdot \text{running} + m \cdot \text{batch} . $$
#
# Some courses and libraries write it the other way round, with $m = 0.9$ or 0.99 for the *old*
# value. It is also not the momentum of an optimiser.
#
# You need this in lesson [06](06_batch_normalization/batch_normalization.ipynb).

# %%
layer = nn.BatchNorm1d(3)
assert layer.momentum == 0.1
m = layer.momentum
by_hand, reversed_roles = torch.zeros(3), torch.zeros(3)
for _ in range(4):
    batch = torch.randn(8, 3) * 2 + 5
    layer(batch)
    by_hand = (1 - m) * by_hand + m * batch.mean(dim=0)
    reversed_roles = m * reversed_roles + (1 - m) * batch.mean(dim=0)
assert torch.allclose(layer.running_mean, by_hand, rtol=1e-5)
assert not torch.allclose(layer.running_mean, reversed_roles, rtol=1e-1)
print(f"After 4 batches of mean 5 the running mean is {layer.running_mean.mean():.2f}, as by hand.")

# %% [markdown]
# ## 6. Batch normalisation: biased to normalise, unbiased to store
#
# The variance of $n$ numbers can be a sum of squares divided by $n$ (**biased**) or by $n - 1$
# (**unbiased**). In training the layer divides by the root of the biased variance of the batch. In the
# running variance, which is used in evaluation, it stores the unbiased one. For small batches the two
# differ: for $n = 4$ by a third.
#
# You need this in lesson [06](06_batch_normalization/batch_normalization.ipynb).

# %%
layer = nn.BatchNorm1d(3)
batch = torch.randn(4, 3)
biased, unbiased = batch.var(dim=0, correction=0), batch.var(dim=0, correction=1)
centred = batch - batch.mean(dim=0)
with torch.no_grad():
    outputs = layer(batch)
assert torch.allclose(outputs, centred / (biased + layer.eps).sqrt(), atol=1e-6)
assert not torch.allclose(outputs, centred / (unbiased + layer.eps).sqrt(), atol=1e-2)
assert torch.allclose(layer.running_var, (1 - m) * torch.ones(3) + m * unbiased)
assert not torch.allclose(layer.running_var, (1 - m) * torch.ones(3) + m * biased, atol=1e-3)
print(f"The stored variance is {(unbiased / biased).mean():.3f} times the one that normalises.")

# %% [markdown]
# ## Sources
#
# - N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, *Dropout: A Simple Way
#   to Prevent Neural Networks from Overfitting*, Journal of Machine Learning Research 15, 2014: here
#   $p$ is the probability of keeping.
# - S. Ioffe and C. Szegedy, *Batch Normalization: Accelerating Deep Network Training by Reducing
#   Internal Covariate Shift*, ICML 2015: biased in training, unbiased for inference.
# - I. Loshchilov and F. Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019.
#
# Back to the lessons: [00](00_start_here/start_here.ipynb) ·
# [01](01_activation_functions/activation_functions.ipynb) ·
# [03](03_dying_relu/dying_relu.ipynb) ·
# [04](04_weight_decay/weight_decay.ipynb) ·
# [05](05_dropout/dropout.ipynb) ·
# [06](06_batch_normalization/batch_normalization.ipynb)
