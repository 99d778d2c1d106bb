"""Sphinx's settings for the site; `make site` runs Sphinx with them."""

from __future__ import annotations

project = "PyTorch course"
author = "the course's authors"
copyright = "the course's authors. Code: MIT. Texts and figures: CC BY 4.0"
language = "en"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "outputs",
    "api_page",
]
exclude_patterns = ["README.md", "blank/*"]
nitpicky = True
# Types of other projects would need their inventories from the network.
nitpick_ignore_regex = [("py:.*", ".*")]

# Text
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
default_role = "code"
html_math_renderer = "mathml"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True

# Notebooks: make_site.py runs them and says where the results are.
nb_execution_mode = "cache"
nb_execution_timeout = 900
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]

# Pages
html_theme = "furo"
html_title = "PyTorch course"
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_copy_source = False
html_use_index = False
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#005a8c", "color-brand-content": "#005a8c"},
    "dark_css_variables": {"color-brand-primary": "#7cc4f0", "color-brand-content": "#7cc4f0"},
}
