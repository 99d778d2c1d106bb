"""Program 12, a model chosen on the test set: real repairs and half repairs."""

from __future__ import annotations

import torch

from helpers.checking.check import Answers, Misconception


def right(predict, x, y):
    return (predict(x) == y).float().mean().item()


def parts(x, y):
    kept = len(x) - len(x) // 4
    return x[:kept], y[:kept], x[kept:], y[kept:]


def repaired(fit, settings, x, y, x_test, y_test):
    x_fit, y_fit, x_val, y_val = parts(x, y)
    best, chosen, best_accuracy = None, None, -1.0
    for setting in settings:
        predict = fit(x_fit, y_fit, setting)
        accuracy = right(predict, x_val, y_val)
        if accuracy > best_accuracy:
            best, chosen, best_accuracy = setting, predict, accuracy
    return best, right(chosen, x_test, y_test)


def by_max(fit, settings, x, y, x_test, y_test):
    x_fit, y_fit, x_val, y_val = parts(x, y)
    models = {setting: fit(x_fit, y_fit, setting) for setting in settings}
    best = max(models, key=lambda setting: right(models[setting], x_val, y_val))
    return best, right(models[best], x_test, y_test)


def fitted_again_on_the_same(fit, settings, x, y, x_test, y_test):
    """Fits the chosen setting once more on the same rows: the same model."""
    x_fit, y_fit, x_val, y_val = parts(x, y)
    scores = torch.tensor([right(fit(x_fit, y_fit, s), x_val, y_val) for s in settings])
    best = settings[int(scores.argmax())]
    predict = fit(x_fit, y_fit, best)
    return best, (predict(x_test) == y_test).double().mean()


def by_errors(fit, settings, x, y, x_test, y_test):
    quarter = len(x) // 4
    x_fit, x_val = x.split([len(x) - quarter, quarter])
    y_fit, y_val = y.split([len(x) - quarter, quarter])
    tried = []
    for setting in settings:
        predict = fit(x_fit, y_fit, setting)
        tried.append(((predict(x_val) != y_val).sum().item(), setting, predict))
    _, best, predict = min(tried, key=lambda one: one[0])
    return best, 1 - (predict(x_test) != y_test).sum().item() / len(y_test)


def choose(learn="fit", judge="validation", report="test", refit="no", held_out="train"):
    """The program with the places at which rows can get mixed up as settings."""

    def run(fit, settings, x, y, x_test, y_test):
        x_fit, y_fit, x_val, y_val = parts(x, y)
        if held_out == "test":
            half = len(x_test) // 2
            x_fit, y_fit, x_val, y_val = x, y, x_test[:half], y_test[:half]
        data = {
            "fit": (x_fit, y_fit),
            "validation": (x_val, y_val),
            "test": (x_test, y_test),
            "rest of the test": (x_test[len(x_test) // 2 :], y_test[len(y_test) // 2 :]),
            "all": (x, y),
            "everything": (torch.cat([x, x_test]), torch.cat([y, y_test])),
        }
        models = [fit(*data[learn], setting) for setting in settings]
        judges = ("validation", "test") if judge == "both" else (judge,)
        scores = [sum(right(m, *data[part]) for part in judges) for m in models]
        best = scores.index(max(scores))
        model = models[best] if refit == "no" else fit(*data[refit], settings[best])
        if report == "best test":
            return settings[best], max(right(m, *data["test"]) for m in models)
        return settings[best], right(model, *data[report])

    return run


def all_measured(fit, settings, x, y, x_test, y_test):
    """Right in the choice and the number, but every model is tried on the test set on the way."""
    x_fit, y_fit, x_val, y_val = parts(x, y)
    rows = []
    for setting in settings:
        predict = fit(x_fit, y_fit, setting)
        rows.append((right(predict, x_val, y_val), right(predict, x_test, y_test), setting))
    best = max(rows, key=lambda row: row[0])
    return best[2], best[1]


def with_parts(cut):
    """The repaired program with other rows held out."""

    def run(fit, settings, x, y, x_test, y_test):
        x_fit, y_fit, x_val, y_val = cut(x, y)
        models = {setting: fit(x_fit, y_fit, setting) for setting in settings}
        best = max(models, key=lambda setting: right(models[setting], x_val, y_val))
        return best, right(models[best], x_test, y_test)

    return run


def first_rows(x, y):
    held = len(x) // 4
    return x[held:], y[held:], x[:held], y[:held]


def rounded_down(x, y):
    kept = int(0.75 * len(x))
    return x[:kept], y[:kept], x[kept:], y[kept:]


def a_fifth(x, y):
    kept = int(0.8 * len(x))
    return x[:kept], y[:kept], x[kept:], y[kept:]


def last_at_a_tie(fit, settings, x, y, x_test, y_test):
    return repaired(fit, settings[::-1], x, y, x_test, y_test)


def sorts_the_settings(fit, settings, x, y, x_test, y_test):
    settings.sort()
    return repaired(fit, settings, x, y, x_test, y_test)


def in_percent(*given):
    setting, accuracy = repaired(*given)
    return setting, 100 * accuracy


ANSWERS = Answers(
    reference=repaired,
    variants={
        "by max": by_max,
        "fitted again on the same rows": fitted_again_on_the_same,
        "by errors": by_errors,
        "settings as a whole": choose(),
    },
    misconceptions=(
        Misconception(
            "unrepaired",
            choose(learn="all", judge="test"),
            "As in the broken program, the setting is chosen by its accuracy on the test set, "
            "and that same accuracy is reported.",
            "Hold out a part of the training rows, and choose on it.",
        ),
        Misconception(
            "test-after-split",
            choose(judge="test"),
            "A part of the training rows is held out, but the choice is still made on the test set.",
            "Compare the settings on the held-out rows.",
        ),
        Misconception(
            "best-test-reported",
            choose(report="best test"),
            "The choice is right, but the largest test accuracy of all models is reported.",
            "Report the test accuracy of the chosen model, and try no other on the test set.",
        ),
        Misconception(
            "validation-reported",
            choose(report="validation"),
            "The choice is right, but its validation accuracy is reported. The best of many is "
            "too good there, for the same reason as on the test set.",
            "Measure the chosen model on the test set, once.",
        ),
        Misconception(
            "chosen-on-training",
            choose(judge="fit"),
            "The setting is chosen by its accuracy on the rows it was fitted on, and the one that "
            "overfits most wins.",
            "Compare the settings on the held-out rows.",
        ),
        Misconception(
            "held-out-of-the-test",
            choose(held_out="test"),
            "The validation rows are cut from the test set, and the accuracy is then reported on "
            "rows that took part in the choice.",
            "Hold out a part of x and y, and leave the test set closed.",
        ),
        Misconception(
            "test-halved",
            choose(held_out="test", report="rest of the test"),
            "One half of the test set is used for the choice, the other for the report. That is "
            "honest only if the test set were yours to cut; it is not.",
            "Hold out a part of x and y, and measure on all of the test set.",
        ),
        Misconception(
            "not-held-out",
            choose(learn="all"),
            "The models are fitted on all rows, also on those by which they are compared.",
            "Fit on the first three quarters only.",
        ),
        Misconception(
            "refit-on-everything",
            choose(refit="everything"),
            "After the choice the model is fitted again with the test rows among its training "
            "rows, and then measured on them.",
            "Measure the chosen model as it is.",
        ),
        Misconception(
            "refit-on-test",
            choose(refit="test"),
            "After the choice the model is fitted on the test set, and then measured on it.",
            "Measure the chosen model as it is.",
        ),
        Misconception(
            "refitted",
            choose(refit="all"),
            "Fitting the chosen setting again on all training rows is a sound habit, but here the "
            "contract asks for the accuracy of the model that was chosen.",
            "Measure the chosen model as it is.",
        ),
        Misconception(
            "both-in-the-choice",
            choose(judge="both"),
            "The test accuracy takes part in the choice, next to the validation accuracy.",
            "Choose by the validation accuracy alone.",
        ),
        Misconception(
            "all-measured",
            all_measured,
            "The numbers are right, but every model is tried on the test set. Sooner or later "
            "somebody looks at them.",
            "Open the test set once, for the model that was chosen.",
        ),
        Misconception(
            "first-rows-held-out",
            with_parts(first_rows),
            "The first rows are held out; the contract says the last ones.",
            "Hold out the rows from len(x) - len(x) // 4 on.",
        ),
        Misconception(
            "quarter-rounded",
            with_parts(rounded_down),
            "You keep int(0.75 · n) rows. Where n is no multiple of four that is one row "
            "fewer than n − n // 4.",
            "Keep len(x) - len(x) // 4 rows.",
        ),
        Misconception(
            "a-fifth-held-out",
            with_parts(a_fifth),
            "A fifth of the rows is held out; the contract says a quarter.",
            "Hold out len(x) // 4 rows.",
        ),
        Misconception(
            "last-at-a-tie",
            last_at_a_tie,
            "Where two settings are equally good, you take the later one; the contract says "
            "the first.",
            "Replace the best only by one that is better: > instead of >=.",
        ),
        Misconception(
            "sorts-the-settings",
            sorts_the_settings,
            "You sort the list that the caller gave you, and with it the order that decides a tie.",
            "Leave settings as they are, or sort a copy.",
        ),
        Misconception(
            "in-percent",
            in_percent,
            "The choice is right, but the accuracy is multiplied by 100.",
            "Return the share of right answers, from 0 to 1.",
        ),
        Misconception(
            "results-swapped",
            lambda *given: repaired(*given)[::-1],
            "The accuracy is returned first, and the setting second.",
            "Return the setting, then its accuracy.",
        ),
        Misconception(
            "setting-alone",
            lambda *given: repaired(*given)[0],
            "Only the setting is returned.",
            "Return the setting, then its accuracy.",
        ),
    ),
)
