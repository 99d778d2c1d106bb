"""Program 12, a model chosen on the test set: the recipe, its slips, and right answers."""

from __future__ import annotations

import torch

from helpers.checking.recipe import Answers, Recipe, slip


def right(predict, rows):
    x, y = rows
    return (predict(x) == y).float().mean().item()


def last_quarter(x, y):
    kept = len(x) - len(x) // 4
    return (x[:kept], y[:kept]), (x[kept:], y[kept:])


def cut_at(kept):
    """The rows before and after a place that depends on their number."""
    return lambda x, y: (
        (x[: kept(len(x))], y[: kept(len(x))]),
        (x[kept(len(x)) :], y[kept(len(x)) :]),
    )


def choosing(
    order=lambda settings: settings,
    cut=last_quarter,
    fit_on=lambda d: d["fit"],
    compare=lambda model, d: right(model, d["held out"]),
    best=lambda scores: scores.index(max(scores)),
    again=lambda fit, model, setting, d: model,
    measured=lambda model, models, chosen: model,
    report=lambda model, scores, d: right(model, d["test"]),
    result=lambda setting, accuracy: (setting, accuracy),
):
    """The choice of a model from its parts."""

    def repaired_choice(fit, settings, x, y, x_test, y_test):
        settings = order(settings)
        d = {"all": (x, y), "test": (x_test, y_test)}
        d["fit"], d["held out"] = cut(x, y)
        d["everything"] = (torch.cat([x, x_test]), torch.cat([y, y_test]))
        models = [fit(*fit_on(d), setting) for setting in settings]
        scores = [compare(model, d) for model in models]
        chosen = best(scores)
        model = again(fit, models[chosen], settings[chosen], d)
        accuracy = report(measured(model, models, chosen), scores, d)
        return result(settings[chosen], accuracy)

    return repaired_choice


def in_a_loop(fit, settings, x, y, x_test, y_test):
    kept = len(x) - len(x) // 4
    best, rule, best_accuracy = None, None, -1.0
    for setting in settings:
        predict = fit(x[:kept], y[:kept], setting)
        accuracy = (predict(x[kept:]) == y[kept:]).float().mean().item()
        if accuracy > best_accuracy:
            best, rule, best_accuracy = setting, predict, accuracy
    return best, (rule(x_test) == y_test).float().mean().item()


def by_max(fit, settings, x, y, x_test, y_test):
    training, held_out = last_quarter(x, y)
    models = {setting: fit(*training, setting) for setting in settings}
    best = max(models, key=lambda setting: right(models[setting], held_out))
    return best, right(models[best], (x_test, y_test))


def fitted_again_on_the_same(fit, settings, x, y, x_test, y_test):
    """Fits the chosen setting once more on the same rows: the same model."""
    training, held_out = last_quarter(x, y)
    scores = torch.tensor([right(fit(*training, s), held_out) for s in settings])
    best = settings[int(scores.argmax())]
    predict = fit(*training, best)
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


def from_the_end(fit, settings, x, y, x_test, y_test):
    n_val = int(len(x) * 0.25)
    X_train, X_val = x[:-n_val], x[-n_val:]
    y_train, y_val = y[:-n_val], y[-n_val:]
    results = []
    for s in settings:
        clf = fit(X_train, y_train, s)
        results.append({"s": s, "clf": clf, "acc": torch.mean((clf(X_val) == y_val) * 1.0)})
    top = sorted(results, key=lambda r: -r["acc"])[0]
    return top["s"], float(torch.sum(top["clf"](x_test) == y_test)) / x_test.shape[0]


def on(*parts):
    """Compares by the accuracy on these parts of the data, added up."""
    return lambda model, d: sum(right(model, d[part]) for part in parts)


def refit(part):
    return lambda fit, model, setting, d: fit(*d[part], setting)


def sort_in_place(settings):
    settings.sort()
    return settings


def shuffled(x, y):
    places = torch.randperm(len(x))
    return last_quarter(x[places], y[places])


def tried_on_the_test(model, d):
    """The validation accuracy, with a look at the test accuracy on the way."""
    right(model, d["test"])
    return right(model, d["held out"])


def halves(use):
    """The two halves of the test set."""

    def part(d):
        x, y = d["test"]
        half = len(x) // 2
        return (x[:half], y[:half]) if use == "first" else (x[half:], y[half:])

    return part


FIRST, SECOND = halves("first"), halves("second")
ANSWERS = Answers(
    recipe=Recipe(choosing),
    variants={
        "in a loop": in_a_loop,
        "by max": by_max,
        "fitted again on the same rows": fitted_again_on_the_same,
        "by errors": by_errors,
        "as a tutorial prints it: from the end, sorted": from_the_end,
    },
    slips=(
        slip(
            "test-after-split",
            "The choice is still made on the test set.",
            "Compare the settings on the held-out rows.",
            compare=on("test"),
        ),
        slip(
            "not-held-out",
            "The models are fitted on all rows, also on those by which they are compared.",
            "Fit on the first three quarters only.",
            fit_on=lambda d: d["all"],
        ),
        slip(
            "labels-of-all-rows",
            "The models are fitted with the labels of all rows, also of those that are held out.",
            "Cut y at the same place as x: y[:kept].",
            {"fit_on": lambda d: (d["fit"][0], d["all"][1])},
        ),
        slip(
            "fitted-on-everything",
            "The models are fitted on the test rows as well.",
            "Fit on the first three quarters of x and y only.",
            {"fit_on": lambda d: d["everything"]},
            {"fit_on": lambda d: d["everything"], "compare": on("test")},
        ),
        slip(
            "fitted-on-the-test",
            "The models are fitted on the test rows.",
            "Fit on the first three quarters of x and y only.",
            fit_on=lambda d: d["test"],
        ),
        slip(
            "validation-reported",
            "The accuracy that decided the choice is reported. The best of many is too good "
            "there, for the same reason as on the test set.",
            "Measure the chosen model on the test set, once.",
            report=lambda model, scores, d: max(scores),
        ),
        slip(
            "training-reported",
            "The accuracy on the rows that were learned is reported.",
            "Measure the chosen model on the test set, once.",
            report=lambda model, scores, d: right(model, d["fit"]),
        ),
        slip(
            "mean-reported",
            "The mean of validation and test accuracy is reported.",
            "Measure the chosen model on the test set, once.",
            report=lambda model, scores, d: (right(model, d["test"]) + max(scores)) / 2,
        ),
        slip(
            "last-model-measured",
            "You measure the model that was fitted last, and not the chosen one.",
            "Keep the rule that was best, and measure that one.",
            measured=lambda model, models, chosen: models[-1],
        ),
        slip(
            "chosen-on-training",
            "The setting is chosen by its accuracy on the rows it was fitted on, and the one that "
            "overfits most wins.",
            "Compare the settings on the held-out rows.",
            {"compare": on("fit")},
            {"compare": on("all")},
        ),
        slip(
            "both-in-the-choice",
            "The test accuracy takes part in the choice, next to the validation accuracy.",
            "Choose by the validation accuracy alone.",
            compare=on("held out", "test"),
        ),
        slip(
            "all-measured",
            "Every model is tried on the test set. Sooner or later somebody looks at the numbers.",
            "Open the test set once, for the model that was chosen.",
            compare=tried_on_the_test,
        ),
        slip(
            "refit-on-everything",
            "After the choice the model is fitted again with the test rows among its training "
            "rows, and then measured on them.",
            "Measure the chosen model as it is.",
            again=refit("everything"),
        ),
        slip(
            "refit-on-test",
            "After the choice the model is fitted on the test set, and then measured on it.",
            "Measure the chosen model as it is.",
            again=refit("test"),
        ),
        slip(
            "refitted",
            "Fitting the chosen setting again on all training rows is a sound habit, but here the "
            "contract asks for the accuracy of the model that was chosen.",
            "Measure the chosen model as it is.",
            again=refit("all"),
        ),
        slip(
            "refitted-on-held-out",
            "After the choice the model is fitted again, on the rows that were held out.",
            "Measure the chosen model as it is.",
            again=refit("held out"),
        ),
        slip(
            "first-rows-held-out",
            "The first rows are held out; the contract says the last ones.",
            "Hold out the rows from len(x) - len(x) // 4 on.",
            cut=lambda x, y: cut_at(lambda n: n // 4)(x, y)[::-1],
        ),
        slip(
            "shuffled",
            "The rows are shuffled before a quarter is held out; the contract says the last ones.",
            "Hold out the rows from len(x) - len(x) // 4 on.",
            cut=shuffled,
        ),
        slip(
            "quarter-rounded",
            "You keep int(0.75 · n) rows. Where n is no multiple of four that is one row "
            "fewer than n − n // 4.",
            "Keep len(x) - len(x) // 4 rows.",
            cut=cut_at(lambda n: int(0.75 * n)),
        ),
        slip(
            "quarter-learned",
            "You fit on a quarter of the rows and hold out the rest; it should be the other way "
            "round.",
            "Keep len(x) - len(x) // 4 rows.",
            cut=cut_at(lambda n: n // 4),
        ),
        slip(
            "other-share",
            "Another share of the rows than a quarter is held out.",
            "Hold out len(x) // 4 rows.",
            {"cut": cut_at(lambda n: int(0.8 * n))},
            {"cut": cut_at(lambda n: n - n // 5)},
            {"cut": cut_at(lambda n: n // 2)},
            {"cut": cut_at(lambda n: int(0.9 * n))},
        ),
        slip(
            "off-by-one",
            "One row too many or too few is held out.",
            "Keep len(x) - len(x) // 4 rows.",
            {"cut": cut_at(lambda n: n - n // 4 - 1)},
            {"cut": cut_at(lambda n: n - n // 4 + 1)},
        ),
        slip(
            "last-at-a-tie",
            "Where two settings are equally good, you take the later one; the contract says "
            "the first.",
            "Replace the best only by one that is better: > instead of >=.",
            best=lambda scores: len(scores) - 1 - scores[::-1].index(max(scores)),
        ),
        slip(
            "worst-chosen",
            "The setting with the smallest accuracy is chosen.",
            "Choose the largest one.",
            best=lambda scores: scores.index(min(scores)),
        ),
        slip(
            "first-setting",
            "You always take the first setting.",
            "Choose the one with the largest accuracy on the held-out rows.",
            best=lambda scores: 0,
        ),
        slip(
            "last-setting",
            "You always take the last setting.",
            "Choose the one with the largest accuracy on the held-out rows.",
            best=lambda scores: len(scores) - 1,
        ),
        slip(
            "sorts-the-settings",
            "You sort the list that the caller gave you, and with it the order that decides a tie.",
            "Leave settings as they are.",
            order=sort_in_place,
        ),
        slip(
            "sorts-a-copy",
            "You sort the settings, and with them the order that decides a tie.",
            "Go through the settings in their order.",
            order=sorted,
        ),
        slip(
            "in-percent",
            "The accuracy is multiplied by 100.",
            "Return the share of right answers, from 0 to 1.",
            report=lambda model, scores, d: 100 * right(model, d["test"]),
        ),
        slip(
            "number-of-right-answers",
            "The number of right answers is returned, and a share is meant.",
            "Take the mean.",
            report=lambda model, scores, d: float((model(d["test"][0]) == d["test"][1]).sum()),
        ),
        slip(
            "share-of-errors",
            "The share of wrong answers is returned.",
            "Compare with ==.",
            report=lambda model, scores, d: 1 - right(model, d["test"]),
        ),
        slip(
            "results-swapped",
            "The accuracy is returned first, and the setting second.",
            "Return the setting, then its accuracy.",
            result=lambda setting, accuracy: (accuracy, setting),
        ),
        slip(
            "setting-alone",
            "Only the setting is returned.",
            "Return the setting, then its accuracy.",
            result=lambda setting, accuracy: setting,
        ),
        slip(
            "accuracy-alone",
            "Only the accuracy is returned.",
            "Return the setting, then its accuracy.",
            result=lambda setting, accuracy: accuracy,
        ),
        slip(
            "held-out-of-the-test",
            "The validation rows are cut from the test set, and the accuracy is then reported on "
            "rows that took part in the choice.",
            "Hold out a part of x and y, and leave the test set closed.",
            fit_on=lambda d: d["all"],
            compare=lambda model, d: right(model, FIRST(d)),
        ),
        slip(
            "test-halved",
            "One half of the test set is used for the choice, the other for the report. That is "
            "honest only if the test set were yours to cut; it is not.",
            "Hold out a part of x and y, and measure on all of the test set.",
            fit_on=lambda d: d["all"],
            compare=lambda model, d: right(model, FIRST(d)),
            report=lambda model, scores, d: right(model, SECOND(d)),
        ),
        slip(
            "best-test-reported",
            "The largest test accuracy of all models is reported.",
            "Report the test accuracy of the chosen model, and try no other on the test set.",
            {
                "compare": tried_on_the_test,
                "measured": lambda model, models, chosen: models,
                "report": lambda models, scores, d: max(right(m, d["test"]) for m in models),
            },
        ),
        slip(
            "unrepaired",
            "As in the broken program, the setting is chosen by its accuracy on the test set, "
            "and that same accuracy is reported.",
            "Hold out a part of the training rows, and choose on it.",
            fit_on=lambda d: d["all"],
            compare=on("test"),
        ),
    ),
)
