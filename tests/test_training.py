"""The one training loop: seeded, with history and callbacks, quiet on stderr."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from helpers import State, accuracy, load, seeded, train


@pytest.fixture(scope="module")
def data():
    return load("digits").flat().first(300)


def model() -> nn.Sequential:
    with seeded(0):
        made = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))
    return made.to(load("digits").x_train.device)


def test_the_same_seed_gives_the_same_history(data) -> None:
    runs = [train(model(), data, epochs=2, seed=3)["loss"] for _ in range(2)]
    assert runs[0] == runs[1]
    assert train(model(), data, epochs=2, seed=4)["loss"] != runs[0]


def test_the_callers_random_state_is_left_alone(data) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train(model(), data, epochs=1)
    assert torch.equal(torch.get_rng_state(), before)


def test_equals_a_loop_written_out(data) -> None:
    net, other = nn.Linear(64, 10), nn.Linear(64, 10)
    other.load_state_dict(net.state_dict())
    net, other = net.to(data.x_train.device), other.to(data.x_train.device)
    train(net, data, epochs=2, lr=0.1, momentum=0.9, weight_decay=0.01, batch_size=50, seed=7)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    order = torch.Generator().manual_seed(7)
    for _ in range(2):
        for batch in torch.randperm(300, generator=order).split(50):
            batch = batch.to(data.x_train.device)
            optimizer.zero_grad()
            nn.functional.cross_entropy(other(data.x_train[batch]), data.y_train[batch]).backward()
            optimizer.step()
    assert torch.allclose(net.weight, other.weight, atol=1e-6)


def test_history_and_callbacks(data) -> None:
    steps: list[float] = []

    def after_epoch(state: State) -> None:
        state.record("norm", sum(p.norm().item() for p in state.model.parameters()))

    history = train(
        model(),
        data,
        epochs=3,
        batch_size=64,
        after_step=[lambda state: steps.append(state.loss)],
        after_epoch=[after_epoch],
    )
    assert len(steps) == 3 * 5
    names = {"loss", "train_accuracy", "val_accuracy", "test_accuracy", "seconds", "norm"}
    assert set(history) == names
    assert all(len(values) == 3 for values in history.values())
    assert history["loss"][-1] < history["loss"][0]


def test_a_callback_can_stop(data) -> None:
    def stop(state: State) -> None:
        state.stop = state.epoch == 2

    assert len(train(model(), data, epochs=9, after_epoch=[stop])["loss"]) == 2


def test_transform_penalty_and_scheduler(data) -> None:
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
    seen: list[torch.Size] = []

    def transform(x, y):
        seen.append(x.shape)
        return x * 0, y

    train(
        net,
        data,
        epochs=1,
        optimizer=optimizer,
        scheduler=scheduler,
        transform=transform,
        penalty=lambda m: sum(p.square().sum() for p in m.parameters()),
        evaluate=False,
    )
    assert seen[0] == (64, 64)
    assert optimizer.param_groups[0]["lr"] == 0.05


def test_progress_goes_to_stdout_only(data, capsys: pytest.CaptureFixture[str]) -> None:
    train(model(), data, epochs=2, progress=True)
    out, err = capsys.readouterr()
    assert "epoch 2/2" in out
    assert out.endswith("\n")
    assert err == ""


def test_accuracy_puts_every_mode_back(data) -> None:
    net = model()
    net.train()
    net[2].eval()
    accuracy(net, data.x_test, data.y_test)
    assert net.training
    assert not net[2].training
