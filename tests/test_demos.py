"""Every demo: pure drawing, a picture that follows its controls, a static one without a kernel."""

from __future__ import annotations

import base64
import itertools
from importlib import import_module
from typing import Any

import ipywidgets as widgets
import pytest

from helpers.course import LESSONS, Lesson
from helpers.demos.face import span


def demo_of(lesson: Lesson) -> Any:
    return getattr(import_module(f"helpers.demos.{lesson.slug}"), f"{lesson.slug}_demo")()


def another_value(control: Any) -> Any:
    if isinstance(control, widgets.ToggleButton | widgets.Checkbox):
        return not control.value
    if hasattr(control, "options"):
        return next(value for value in reversed(control._options_values) if value != control.value)
    if isinstance(control, widgets.FloatLogSlider):
        return control.base**control.max
    return control.max if control.value != control.max else control.min


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)
class TestDemo:
    def test_has_a_static_picture_with_alternative_text(self, lesson: Lesson) -> None:
        data, metadata = demo_of(lesson)._repr_mimebundle_()
        assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
        alt, notice = data["text/plain"].split("\n\n")  # two paragraphs
        assert metadata["image/png"]["alt"] == alt
        assert len(alt) > 20
        assert notice.startswith("Notice. ") and len(notice) > 20

    def test_every_control_changes_something(self, lesson: Lesson) -> None:
        """Some controls matter only beside another one, such as the slope of LeakyReLU; so each
        is tried for every choice of the menus."""
        demo = demo_of(lesson)
        controls = demo.controls
        assert controls
        menus = [c for c in controls.values() if hasattr(c, "options")]
        for control in controls.values():
            assert control.description
            changed = False
            for menu in menus or [None]:
                for choice in list(menu._options_values) if menu is not None else [None]:
                    if menu is not None:
                        menu.value = choice
                    before, start = demo.picture.value, control.value
                    control.value = another_value(control)
                    changed = changed or demo.picture.value != before
                    control.value = start
            assert changed, f"{control.description!r} changes nothing"

    def test_drawing_is_pure(self, lesson: Lesson) -> None:
        one, other = demo_of(lesson), demo_of(lesson)
        assert one.picture.value == other.picture.value

    def test_the_way_to_a_setting_does_not_matter(self, lesson: Lesson) -> None:
        """A demo draws on the same axes again: nothing of earlier pictures may be left."""
        fresh, used = demo_of(lesson), demo_of(lesson)
        for control in used.controls.values():
            start = control.value
            for value in span(control, most=3):
                control.value = value
            control.value = start
        assert used.picture.value == fresh.picture.value
        for name, control in fresh.controls.items():
            control.value = used.controls[name].value = another_value(control)
            assert used.picture.value == fresh.picture.value, name

    def test_nothing_is_cut_off(self, lesson: Lesson) -> None:
        """Later pictures have the layout of the first: its margins must do for all of them."""
        demo = demo_of(lesson)
        width, height = demo.figure.get_size_inches()
        for control in demo.controls.values():
            start = control.value
            for value in span(control, most=5):
                control.value = value
                box = demo.figure.get_tightbbox()
                assert min(box.x0, box.y0, width - box.x1, height - box.y1) > 0, value
                panels = [axes.get_tightbbox().padded(-2) for axes in demo.figure.axes]
                for one, other in itertools.combinations(panels, 2):
                    assert not one.overlaps(other), f"two panels overlap at {value}"
            control.value = start

    def test_says_what_to_notice(self, lesson: Lesson) -> None:
        assert "<strong>Notice.</strong>" in demo_of(lesson).children[-1].value
