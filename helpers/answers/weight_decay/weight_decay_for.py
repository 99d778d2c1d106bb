"""The weight decay that equals a penalty: the recipe, its slips, and other right answers."""

from __future__ import annotations

import builtins
from typing import Any

from helpers.checking.recipe import Answers, Recipe, family, slip

NAMES = ("half_squared", "squared")


def _refuses(lam: float, penalty: Any) -> Any:
    raise ValueError(f"There is no penalty {penalty!r}.")


def factors(
    understood: Any = lambda penalty: penalty,
    half: Any = lambda lam: lam,
    whole_square: Any = lambda lam: 2 * lam,
    otherwise: Any = _refuses,
    result: Any = lambda number: number,
) -> Any:
    """λ for ½λ‖w‖² and 2λ for λ‖w‖²; `understood` says for which name a name is taken."""

    def weight_decay_for(lam: float, penalty: str) -> Any:
        name = understood(penalty)
        if name == "half_squared":
            return result(half(lam))
        if name == "squared":
            return result(whole_square(lam))
        return otherwise(lam, penalty)

    return weight_decay_for


weight_decay_for = factors()


def by_cases(lam: float, penalty: str) -> float:
    match penalty:
        case "half_squared":
            return lam
        case "squared":
            return lam + lam
        case _:
            raise ValueError(penalty)


def by_dictionary(lam: float, penalty: str) -> float:
    try:
        return {"half_squared": lam, "squared": 2 * lam}[penalty]
    except KeyError as error:
        raise ValueError("unknown penalty") from error


def by_place(lam: float, penalty: str) -> float:
    """`index` raises the ValueError by itself."""
    return lam * (1 + ["half_squared", "squared"].index(penalty))


def asked_first(lam: float, penalty: str) -> float:
    """As a library prints it: the argument is tested before anything is computed."""
    if penalty not in ("half_squared", "squared"):
        raise ValueError(f"Expected 'half_squared' or 'squared', got {penalty}")
    multiplier = 1.0 if penalty == "half_squared" else 2.0
    return multiplier * lam


def _raises(name: str) -> Any:
    def otherwise(lam: float, penalty: Any) -> Any:
        raise getattr(builtins, name)(penalty)

    return otherwise


def _by_words(penalty: Any) -> Any:
    return "half_squared" if "half" in penalty else "squared" if "squared" in penalty else penalty


ANSWERS = Answers(
    recipe=Recipe(factors),
    variants={
        "match": by_cases,
        "a dictionary": by_dictionary,
        "place in a list": by_place,
        "always a float": lambda lam, penalty: float(weight_decay_for(lam, penalty)),
        "as a library prints it: the argument is tested first": asked_first,
    },
    slips=(
        slip(
            "nearly-the-name",
            "Your code takes a name that is nearly one of the two for that one.",
            "Compare the whole name, as it is given, with ==.",
            {"understood": lambda penalty: penalty.strip() if penalty else penalty},
            {"understood": lambda penalty: penalty.lower() if penalty else penalty},
            {"understood": lambda penalty: str(penalty).strip().lower().replace(" ", "_")},
            {"understood": lambda penalty: NAMES[0] if str(penalty)[:4] == "half" else penalty},
            {"understood": lambda penalty: _by_words(str(penalty))},
            {"understood": lambda penalty: _by_words(penalty) if penalty else penalty},
        ),
        slip(
            "swapped",
            "You doubled λ for the penalty with the ½ and not for the one without.",
            "Differentiate both: ½λw² gives λw, and λw² gives 2λw.",
            half=lambda lam: 2 * lam,
            whole_square=lambda lam: lam,
        ),
        slip(
            "always-lambda",
            "You return λ for the penalty λ‖w‖² too.",
            "Differentiate λw²: what comes before w?",
            whole_square=lambda lam: lam,
        ),
        slip(
            "always-doubled",
            "You return 2λ for the penalty ½λ‖w‖² too.",
            "Differentiate ½λw²: the 2 cancels the ½.",
            half=lambda lam: 2 * lam,
        ),
        slip(
            "half-kept",
            "Your numbers are the factors of the penalties, and the factors of their gradients are meant.",
            "weight_decay multiplies w in the gradient, so differentiate first.",
            half=lambda lam: lam / 2,
            whole_square=lambda lam: lam,
        ),
        slip(
            "half-and-double",
            "For ½λ‖w‖² you return λ/2: you kept the ½, which the 2 of the square cancels.",
            "Differentiate ½λw².",
            half=lambda lam: lam / 2,
        ),
        slip(
            "divided",
            "For λ‖w‖² you return λ/2, the wrong way round.",
            "The gradient of λw² is 2λw, so the decay is larger than λ.",
            whole_square=lambda lam: lam / 2,
        ),
        slip(
            "four-times",
            "For λ‖w‖² you return 4λ, and the gradient is 2λw.",
            "The 2 of the square comes down once.",
            whole_square=lambda lam: 4 * lam,
        ),
        slip(
            "lambda-squared",
            "You square λ; the square belongs to the weights.",
            "The gradient is linear in λ.",
            {"half": lambda lam: lam**2, "whole_square": lambda lam: 2 * lam**2},
            {"whole_square": lambda lam: lam**2},
            {"whole_square": lambda lam: 2 * lam**2},
            {"half": lambda lam: lam**2 / 2, "whole_square": lambda lam: lam**2},
        ),
        slip(
            "negative",
            "Your weight decay is negative, so the weights would grow.",
            "The optimiser subtracts by itself: it adds weight_decay·w to the gradient.",
            result=lambda number: -number,
        ),
        slip(
            "an-int",
            "Your result is cut down to an int.",
            "λ is any number of 0 or more: leave out int() and //.",
            {"result": int},
            {"result": lambda number: number // 1},
            {"result": round},
        ),
        slip(
            "text",
            "Your result is text and no number.",
            "Return the number itself, without quotes and without print().",
            result=str,
        ),
        slip(
            "nothing-returned",
            "Your code returns nothing for a penalty that it knows.",
            "print() shows a number; return hands it over.",
            result=lambda number: None,
        ),
        family(
            "other-error",
            "For an unknown penalty your code raises {constant}, and ValueError is asked for.",
            "Test whether the name is known, and raise ValueError(...) otherwise.",
            (
                "KeyError",
                "AssertionError",
                "TypeError",
                "Exception",
                "NameError",
                "UnboundLocalError",
                "RuntimeError",
                "AttributeError",
                "IndexError",
            ),
            lambda name: {"otherwise": _raises(name)},
        ),
        slip(
            "returns-none",
            "For an unknown penalty your code returns None instead of raising an error.",
            "End the function with raise ValueError(...).",
            otherwise=lambda lam, penalty: None,
        ),
        slip(
            "returns-error",
            "Your code returns the error instead of raising it, so nobody notices.",
            "Write raise ValueError(...), not return.",
            {"otherwise": lambda lam, penalty: ValueError(penalty)},
            {"otherwise": lambda lam, penalty: ValueError},
        ),
        slip(
            "returns-text",
            "For an unknown penalty your code returns a text, so nobody stops.",
            "Write raise ValueError(...), not return.",
            otherwise=lambda lam, penalty: "unknown penalty",
        ),
        slip(
            "returns-a-number",
            "For an unknown penalty your code returns a number, so a misspelt name goes unnoticed.",
            "Test for both names, and raise ValueError after that.",
            {"otherwise": lambda lam, penalty: 2 * lam},
            {"otherwise": lambda lam, penalty: 0},
        ),
    ),
)
